//! A profile as a picture.

use svg::Document;
use svg::node::element::{Definitions, Group, Line, LinearGradient, Polygon, Rectangle, Stop, Text, Title};

use super::colours::{COLOURS, Colours, colour_at};
use super::recorder::{Chunks, Parts, Steals};
use super::timeline::{Event, fitting};
use super::{Profile, WorkerProfile, share};
use taskel_adaptive::units::{Time, counted, unit_of};

const WIDTH: f64 = 1200.0;
pub(super) const PLOT_LEFT: f64 = 150.0;
pub(super) const PLOT_WIDTH: f64 = 960.0;
const PLOT_TOP: f64 = 84.0;
/// Room for the axis and the legend.
const FOOT: f64 = 92.0;

pub(super) const TEXT: &str = "#1f2933";
pub(super) const MUTED: &str = "#616e7c";
const IDLE: &str = "#e8ebef";
pub(super) const GRID: &str = "#cbd2d9";
const STEAL: &str = "#d9480f";
/// Of closures of joins and scopes, which have no colour that tells their duration.
const CLOSURE: &str = "#9a86b8";
/// A bar is at least as wide as this, in pixels.
const FINEST_BAR: f64 = 0.5;
/// Lines between the lanes of more steals than this would hide the lanes.
const MOST_JOINED: usize = 200;

/// How fine a picture is.
pub(super) struct Detail {
    /// Bars narrower than this are merged, in pixels.
    pub(super) finest_bar: f64,
    pub(super) finest_mark: f64,
    pub(super) most_bars: usize,
    pub(super) most_parts: usize,
    pub(super) most_marks: usize,
    /// Of a page that says elsewhere whose picture it is, and that zooms: places are finer, and no
    /// bar is made wider or narrower than it is.
    pub(super) is_inside_page: bool,
}

/// At some 150 bytes a bar, and 250 a mark, so many make a file of less than a megabyte.
const ALONE: Detail = Detail {
    finest_bar: FINEST_BAR,
    finest_mark: 4.0,
    most_bars: 4000,
    most_parts: 1000,
    most_marks: 1000,
    is_inside_page: false,
};

impl Profile {
    /// Draws the profile as an SVG picture, 1200 pixels wide. Needs the feature `svg`.
    ///
    /// There is a horizontal lane per worker. Bars are chunks, coloured by how long they took, or
    /// closures of joins and scopes, in a colour of their own; triangles are steals. Where chunks are too fine to be told apart, one bar stands for
    /// several: it is as high as the share of its time that was spent in them, coloured by their
    /// mean. Pointing at a bar or a triangle shows the figures. The picture stays below a megabyte
    /// for up to some hundreds of workers.
    ///
    /// ```
    /// use taskel::prelude::*;
    ///
    /// let pool = taskel::ThreadPool::new()?;
    /// let ((), profile) = pool.profile(|| (0..1000).into_par_iter().for_each(|_| ()));
    /// let picture = profile.to_svg();
    /// assert!(picture.starts_with("<svg"));
    /// # Ok::<(), taskel::ThreadPoolBuildError>(())
    /// ```
    pub fn to_svg(&self) -> String {
        Drawing::new(self, &ALONE).document().to_string()
    }
}

/// A picture, before it is spelled out.
pub(super) struct Drawing<'p> {
    profile: &'p Profile,
    detail: &'p Detail,
    scale: Scale,
    /// By worker, as many as fit.
    pub(super) spans: Vec<Vec<Event<Chunks>>>,
    pub(super) parts: Vec<Vec<Event<Parts>>>,
    pub(super) steals: Vec<Vec<Event<Steals>>>,
}

impl<'p> Drawing<'p> {
    pub(super) fn new(profile: &'p Profile, detail: &'p Detail) -> Self {
        let scale = Scale::new(profile, detail);
        let workers = &profile.workers;
        let spans = fitting(detail.most_bars, detail.finest_bar * scale.ns_per_pixel(), |resolution_ns| {
            workers.iter().map(|worker| worker.record.spans.merged(resolution_ns)).collect()
        });
        let parts = fitting(detail.most_parts, detail.finest_bar * scale.ns_per_pixel(), |resolution_ns| {
            workers.iter().map(|worker| worker.record.outer.merged(resolution_ns)).collect()
        });
        let steals = fitting(detail.most_marks, detail.finest_mark * scale.ns_per_pixel(), |resolution_ns| {
            workers.iter().map(|worker| worker.record.steals.merged(resolution_ns)).collect()
        });
        Drawing { profile, detail, scale, spans, parts, steals }
    }

    pub(super) fn document(&self) -> Document {
        let Drawing { profile, scale, .. } = self;
        let bottom = scale.plot_bottom() + FOOT;
        let top = if self.detail.is_inside_page { PLOT_TOP - 14.0 } else { 0.0 };
        let background = Rectangle::new().set("y", top).set("width", WIDTH).set("height", bottom - top);
        let mut document = Document::new()
            .set("viewBox", format!("0 {top} {WIDTH} {}", bottom - top))
            .set("width", WIDTH)
            .set("height", bottom - top)
            .set("font-family", "system-ui, 'Helvetica Neue', Arial, 'DejaVu Sans', sans-serif")
            .set("font-size", 13)
            .set("fill", TEXT)
            .add(background.set("fill", "#ffffff"));
        if !self.detail.is_inside_page {
            document = document
                .add(tip(&format!("Profile: {}", profile.summary())))
                .add(label(20.0, 36.0, profile.summary()).set("font-size", 20).set("font-weight", 600))
                .add(label(20.0, 60.0, profile.counts()).set("fill", MUTED));
        }
        document = document.add(scale.axis());
        let colours = Colours::new(profile.workers.iter().flat_map(|worker| worker.record.spans.events()));
        for (row, worker) in profile.workers.iter().enumerate() {
            let mut bars = group("bars");
            for &Event { start_ns, end_ns, weight: span } in &self.spans[row] {
                let told = describe(span, scale.since_start(start_ns));
                let bar = scale.bar(row, (start_ns, end_ns), span.busy_ns);
                bars = bars.add(bar.set("fill", colours.of(span.mean_ns())).add(tip(&told)));
            }
            for &Event { start_ns, end_ns, weight: parts } in &self.parts[row] {
                let told = describe_parts(parts, scale.since_start(start_ns));
                let bar = scale.bar(row, (start_ns, end_ns), parts.busy_ns);
                bars = bars.add(bar.set("fill", CLOSURE).add(tip(&told)));
            }
            document = document.add(scale.lane(row, worker)).add(bars);
        }
        let joined = self.steals.iter().map(Vec::len).sum::<usize>() <= MOST_JOINED;
        for (row, steals) in self.steals.iter().enumerate() {
            document = document.add(scale.marks(row, steals, &profile.workers, joined));
        }
        document.add(legend(scale.plot_bottom() + 66.0, &colours))
    }
}

/// Where lanes and times go in the picture.
struct Scale {
    start_ns: u64,
    wall_ns: u64,
    lanes: usize,
    lane_height: f64,
    bar_height: f64,
    is_inside_page: bool,
}

impl Scale {
    fn new(profile: &Profile, detail: &Detail) -> Scale {
        let lanes = profile.workers.len();
        let (lane_height, bar_height) = match lanes {
            0..=8 => (44.0, 32.0),
            9..=24 => (28.0, 20.0),
            _ => (18.0, 14.0),
        };
        Scale {
            start_ns: profile.start_ns,
            wall_ns: profile.wall_ns,
            lanes,
            lane_height,
            bar_height,
            is_inside_page: detail.is_inside_page,
        }
    }

    fn ns_per_pixel(&self) -> f64 {
        self.wall_ns as f64 / PLOT_WIDTH
    }

    /// The place of a time, which is moved into the profiled stretch if it lies outside.
    fn x(&self, at_ns: u64) -> f64 {
        PLOT_LEFT + share(at_ns.saturating_sub(self.start_ns).min(self.wall_ns), self.wall_ns) * PLOT_WIDTH
    }

    fn bar_top(&self, row: usize) -> f64 {
        PLOT_TOP + row as f64 * self.lane_height + (self.lane_height - self.bar_height) / 2.0
    }

    fn plot_bottom(&self) -> f64 {
        PLOT_TOP + self.lanes as f64 * self.lane_height
    }

    /// Vertical lines with their times below.
    fn axis(&self) -> Group {
        let mut axis = group("axis").set("stroke", GRID).set("fill", MUTED).set("text-anchor", "middle");
        let (unit, unit_name) = unit_of(self.wall_ns as f64);
        let step = round_step(self.wall_ns as f64 / unit / 8.0);
        let decimals = (-step.log10().floor()).max(0.0) as usize;
        let bottom = self.plot_bottom();
        for tick in 0.. {
            let at = f64::from(tick) * step;
            if at * unit > self.wall_ns as f64 {
                break;
            }
            let x = pixels(self.x(self.start_ns.saturating_add((at * unit) as u64)));
            let time = label(x, bottom + 22.0, format!("{at:.decimals$} {unit_name}")).set("stroke", "none");
            let line =
                Line::new().set("x1", x).set("x2", x).set("y1", PLOT_TOP - 6.0).set("y2", bottom + 6.0);
            axis = axis.add(line).add(time);
        }
        axis
    }

    /// The worker's name, the background of its lane and its share of busy time.
    fn lane(&self, row: usize, worker: &WorkerProfile) -> Group {
        let top = self.bar_top(row);
        let baseline = top + self.bar_height / 2.0 + 4.5;
        let busy = share(worker.record.busy_ns, self.wall_ns) * 100.0;
        let background = Rectangle::new().set("x", PLOT_LEFT).set("y", top).set("fill", IDLE);
        let name = match worker.label.char_indices().nth(19) {
            Some((cut, _)) => format!("{}…", &worker.label[..cut]),
            None => worker.label.clone(),
        };
        Group::new()
            .add(label(PLOT_LEFT - 10.0, baseline, name).set("text-anchor", "end"))
            .add(background.set("width", PLOT_WIDTH).set("height", self.bar_height))
            .add(label(PLOT_LEFT + PLOT_WIDTH + 10.0, baseline, format!("{busy:.1} %")).set("fill", MUTED))
    }

    /// As high as the share of its time that its lane was busy.
    fn bar(&self, row: usize, (start_ns, end_ns): (u64, u64), busy_ns: u64) -> Rectangle {
        let (left, right) = (self.x(start_ns), self.x(end_ns));
        let (left, width) = match self.is_inside_page {
            true => (thousandths(left), thousandths(right - left)),
            // A hairline tells two long chunks in a row apart.
            false if right - left > 3.0 => (pixels(left), pixels(right - left - 0.6)),
            false => (pixels(left), pixels((right - left).max(FINEST_BAR))),
        };
        let full = share(busy_ns, end_ns - start_ns).min(1.0);
        let height = (self.bar_height * full).max(1.0);
        Rectangle::new()
            .set("x", left)
            .set("y", pixels(self.bar_top(row) + self.bar_height - height))
            .set("width", width)
            .set("height", pixels(height))
    }

    fn since_start(&self, at_ns: u64) -> u64 {
        at_ns.saturating_sub(self.start_ns)
    }

    /// Triangles on the upper edge of the lane, if `joined` with lines to the lanes that were
    /// stolen from.
    fn marks(&self, row: usize, steals: &[Event<Steals>], workers: &[WorkerProfile], joined: bool) -> Group {
        let mut marks = group("marks").set("fill", STEAL).set("stroke", STEAL).set("stroke-width", 0.8);
        let y = self.bar_top(row);
        for &Event { start_ns, weight: Steals { victim, steals, cuts }, .. } in steals {
            let x = self.x(start_ns);
            let at = Time(self.since_start(start_ns) as f64);
            let victim = workers.iter().position(|worker| worker.is_lane(victim));
            let from = victim.map_or("another lane", |victim| &workers[victim].label);
            let told = match steals {
                1 if cuts == 1 => format!("at {at}: took the rest of a chunk from {from}"),
                1 => format!("at {at}: stole from {from}"),
                _ => format!("from {at} on: {}, the first from {from}", counted(steals, "steal")),
            };
            if let Some(victim) = victim.filter(|_| joined) {
                let middle = pixels(self.bar_top(victim) + self.bar_height / 2.0);
                let line =
                    Line::new().set("x1", pixels(x)).set("x2", pixels(x)).set("y1", y).set("y2", middle);
                marks = marks.add(line.set("stroke-opacity", 0.45));
            }
            marks = marks.add(triangle(x, y).add(tip(&told)));
        }
        marks
    }
}

fn legend(y: f64, colours: &Colours) -> Group {
    const SCALE_LEFT: f64 = PLOT_LEFT + 150.0;
    const SCALE_WIDTH: f64 = 240.0;
    let mut gradient = LinearGradient::new().set("id", "duration");
    for (i, _) in COLOURS.iter().enumerate() {
        let position = i as f64 / (COLOURS.len() - 1) as f64;
        gradient = gradient.add(Stop::new().set("offset", position).set("stop-color", colour_at(position)));
    }
    let strip = Rectangle::new().set("x", SCALE_LEFT).set("y", y - 11.0).set("width", SCALE_WIDTH);
    let mut legend = Group::new()
        .set("fill", MUTED)
        .add(Definitions::new().add(gradient))
        .add(label(PLOT_LEFT, y, "duration of a chunk".to_owned()))
        .add(strip.set("height", 12).set("fill", "url(#duration)"));
    for position in [0.0, 0.5, 1.0] {
        let time =
            label(SCALE_LEFT + SCALE_WIDTH * position, y + 17.0, colours.duration_at(position).to_string());
        legend = legend.add(time.set("text-anchor", "middle"));
    }
    let mark = triangle(SCALE_LEFT + SCALE_WIDTH + 62.0, y - 5.0).set("fill", STEAL);
    let sample = |x: f64, colour| {
        let sample = Rectangle::new().set("x", SCALE_LEFT + SCALE_WIDTH + x).set("y", y - 11.0);
        sample.set("fill", colour).set("width", 24).set("height", 12)
    };
    legend
        .add(mark)
        .add(label(SCALE_LEFT + SCALE_WIDTH + 74.0, y, "steal".to_owned()))
        .add(sample(136.0, CLOSURE))
        .add(label(SCALE_LEFT + SCALE_WIDTH + 168.0, y, "in a join or scope, not a loop".to_owned()))
        .add(sample(376.0, IDLE))
        .add(label(SCALE_LEFT + SCALE_WIDTH + 408.0, y, "neither".to_owned()))
}

fn describe(span: Chunks, at_ns: u64) -> String {
    let at = Time(at_ns as f64);
    let taskels = counted(span.taskels, "taskel");
    let chunk = Time(span.mean_ns());
    let taskel = Time(span.busy_ns as f64 / span.taskels as f64);
    match span.chunks {
        1 => format!("at {at}: {taskels} in {chunk}, {taskel} each"),
        n => format!("from {at} on: {}, {chunk} each; {taskels}, {taskel} each", counted(n, "chunk")),
    }
}

fn describe_parts(Parts { busy_ns, parts }: Parts, at_ns: u64) -> String {
    let (at, busy) = (Time(at_ns as f64), Time(busy_ns as f64));
    match parts {
        1 => format!("at {at}: a closure of a join or scope, busy for {busy}"),
        n => format!("from {at} on: {} of joins or scopes, busy for {busy}", counted(n, "closure")),
    }
}

/// The smallest of 1, 2 and 5 times a power of ten that is at least `least`.
fn round_step(least: f64) -> f64 {
    if least <= 0.0 {
        return 1.0;
    }
    let power = 10_f64.powf(least.log10().floor());
    [1.0, 2.0, 5.0].into_iter().map(|digit| digit * power).find(|&step| step >= least).unwrap_or(10.0 * power)
}

/// A small triangle whose tip points down at a place.
fn triangle(x: f64, y: f64) -> Polygon {
    let [left, right, x] = [x - 4.0, x + 4.0, x].map(pixels);
    Polygon::new().set("points", format!("{left},{} {right},{} {x},{}", y - 4.0, y - 4.0, y + 4.0))
}

/// A group that scripts find by its class.
fn group(class: &str) -> Group {
    Group::new().set("class", class)
}

pub(super) fn label(x: f64, y: f64, content: String) -> Text {
    Text::new(text(&content)).set("x", x).set("y", y)
}

/// What shows when one points at a shape.
pub(super) fn tip(content: &str) -> Title {
    Title::new(text(content))
}

/// XML has no way to write most control characters, so they are replaced.
pub(super) fn text(content: &str) -> String {
    content.replace(|c: char| c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}'), "\u{fffd}")
}

/// Rounded to hundredths, which is all that shows.
pub(super) fn pixels(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

/// Rounded to what shows when one zooms.
fn thousandths(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}
