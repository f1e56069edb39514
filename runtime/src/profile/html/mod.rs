//! A profile as a page: one file that holds all that it needs.
//!
//! What comes from the program, names above all, goes through [`escaped`]; figures are written as
//! they are.

mod chart;

use std::fmt::Write;

use svg::Document;
use svg::node::element::Rectangle;
use taskel_adaptive::units::{Grouped, Time, counted};

use super::loops::LoopProfile;
use super::report::{COLUMNS, alone, bucket};
use super::svg::{Detail, Drawing, PLOT_LEFT, PLOT_WIDTH, pixels, text, tip};
use super::{Profile, share};

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// At some 180 bytes a bar and some 250 a mark, they make a megabyte and a quarter.
const DETAIL: Detail = Detail {
    finest_bar: 0.01,
    finest_mark: 0.1,
    most_bars: 5000,
    most_parts: 1000,
    most_marks: 1000,
    is_inside_page: true,
};

/// At most some kilobytes each.
const MOST_LOOPS: usize = 50;
/// Names may have any length.
const LONGEST_NAME: usize = 200;

/// What is predicted: for 1, 2, 4 and so on up to this, and for what the profile has.
const MOST_WORKERS: usize = 256;

impl Profile {
    /// Writes the profile as a page for a browser: one file of HTML that needs nothing else, from
    /// no network. Needs the feature `html`.
    ///
    /// It has the picture that [`to_svg`](Self::to_svg) draws, in which one can zoom and pan and which
    /// tells the figures of what is pointed at; a table of the workers, one of
    /// [the loops](Self::loops) with their chunk sizes, and a chart of what
    /// [`scaling`](Self::scaling) predicts for up to 256 workers. Its last section says what is
    /// merged or left out: the page stays below 2 MB for up to a thousand workers. Without
    /// scripts, it shows the same but cannot zoom.
    ///
    /// The program is simulated once for each number of workers, which takes the longer, the more
    /// calls were recorded.
    ///
    /// ```
    /// use taskel::prelude::*;
    ///
    /// let pool = taskel::ThreadPool::new()?;
    /// let ((), profile) = pool.profile(|| (0..1000).into_par_iter().for_each(|_| ()));
    /// let page = profile.to_html(); // for `std::fs::write("profile.html", page)`
    /// assert!(page.starts_with("<!DOCTYPE html>") && page.len() < 2_000_000);
    /// # Ok::<(), taskel::ThreadPoolBuildError>(())
    /// ```
    pub fn to_html(&self) -> String {
        let mut page = Page { profile: self, html: String::new(), left_out: Vec::new() };
        page.head();
        page.lanes();
        page.workers();
        page.loops();
        page.prediction();
        page.notes();
        let _ = write!(page.html, "<script>\n{SCRIPT}</script>\n</body>\n</html>\n");
        page.html
    }
}

/// A page on its way.
struct Page<'p> {
    profile: &'p Profile,
    html: String,
    /// What the sections have merged or left out, in sentences.
    left_out: Vec<String>,
}

impl Page<'_> {
    /// Text that is part of the page's own language.
    fn put(&mut self, html: &str) {
        self.html.push_str(html);
    }

    fn head(&mut self) {
        let (summary, counts) = (escaped(&self.profile.summary()), escaped(&self.profile.counts()));
        // Nothing comes from anywhere else, whatever was to get into it.
        let policy = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'";
        self.put("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n");
        self.put("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n");
        self.put(&format!("<meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\"/>\n"));
        self.put(&format!("<title>Profile: {summary}</title>\n<style>\n{STYLE}</style>\n</head>\n"));
        self.put(&format!("<body>\n<h1>{summary}</h1>\n<p>{counts}</p>\n"));
    }

    fn lanes(&mut self) {
        let profile = self.profile;
        let drawing = Drawing::new(profile, &DETAIL);
        self.put("<h2>Who did what</h2>\n<p id=\"ways\" hidden=\"hidden\">");
        for (key, name) in
            [("-", "−"), ("+", "+"), ("ArrowLeft", "←"), ("ArrowRight", "→"), ("Escape", "all")]
        {
            self.put(&format!("<button type=\"button\" data-key=\"{key}\">{name}</button>"));
        }
        self.put(" Drag over a stretch of time to see it alone; or use Ctrl and the wheel. ");
        self.put("A double click shows all again. The address keeps what is shown.</p>\n");
        self.put(&format!(
            "<figure id=\"lanes\" tabindex=\"0\" data-left=\"{PLOT_LEFT}\" data-width=\"{PLOT_WIDTH}\" data-wall=\"{}\">\n{}\n</figure>\n",
            profile.wall_ns,
            drawing.document(),
        ));
        let chunks = drawing.spans.iter().flatten().map(|span| span.weight.chunks);
        self.say_merged("chunks", "bar", chunks.clone());
        let parts = drawing.parts.iter().flatten().map(|part| part.weight.parts);
        self.say_merged("closures of joins or scopes", "bar", parts);
        self.say_merged("steals", "mark", drawing.steals.iter().flatten().map(|mark| mark.weight.steals));
        let inside = profile.chunks().saturating_sub(chunks.sum());
        if inside > 0 {
            self.left_out.push(format!(
                "Inside of other parallel calls, counted but not drawn: {}.",
                counted(inside, "chunk")
            ));
        }
    }

    /// Things of which several may be drawn as one.
    fn say_merged(&mut self, things: &str, shape: &str, weights: impl Iterator<Item = u64> + Clone) {
        let several = weights.clone().filter(|&weight| weight > 1);
        let shapes = several.clone().count() as u64;
        if shapes > 0 {
            let (merged, all) = (several.fold(0, u64::saturating_add), weights.fold(0, u64::saturating_add));
            self.left_out.push(format!(
                "Too fine to be drawn by themselves: {} of {} {}, for which {} stand.",
                Grouped(merged),
                Grouped(all),
                things,
                counted(shapes, shape),
            ));
        }
    }

    fn workers(&mut self) {
        self.put("<h2>Workers</h2>\n<table id=\"workers\">\n<tr><th class=\"text\"></th><th>share</th>");
        for (heading, _) in COLUMNS {
            self.put(&format!("<th>{heading}</th>"));
        }
        self.put("</tr>\n");
        let wall_ns = self.profile.wall_ns;
        for worker in self.profile.workers() {
            let busy = share(worker.record.busy_ns, wall_ns) * 100.0;
            self.put(&format!("<tr><td class=\"text\">{}</td><td>{busy:.1} %</td>", escaped(worker.label())));
            for (_, cell) in COLUMNS {
                self.put(&format!("<td>{}</td>", cell(worker)));
            }
            self.put("</tr>\n");
        }
        self.put("</table>\n");
    }

    fn loops(&mut self) {
        let loops = self.profile.loops();
        self.put("<h2>Loops</h2>\n");
        if loops.is_empty() {
            return self.put("<p>There was none.</p>\n");
        }
        self.put("<table id=\"loops\">\n<tr>");
        for heading in
            ["calls", "items", "time", "mean item", "longest item", "chunks", "alone", "chunk sizes"]
        {
            self.put(&format!("<th>{heading}</th>"));
        }
        self.put("<th class=\"text\">where</th></tr>\n");
        for of in loops.iter().take(MOST_LOOPS) {
            let ns = |time: std::time::Duration| Time(time.as_nanos() as f64).to_string();
            let cells = [
                Grouped(of.calls()).to_string(),
                Grouped(of.items()).to_string(),
                ns(of.busy_time()),
                ns(of.mean_item()),
                ns(of.longest_item()),
                Grouped(of.chunks()).to_string(),
                alone(of),
            ];
            self.put("<tr>");
            cells.iter().for_each(|cell| self.put(&format!("<td>{cell}</td>")));
            self.put(&format!("<td>{}</td><td class=\"text\">{}</td></tr>\n", sizes(of), name(of.site())));
        }
        self.put("</table>\n");
        if let Some(more @ 1..) = loops.len().checked_sub(MOST_LOOPS) {
            let more = counted(more as u64, "place");
            self.left_out
                .push(format!("Not in the table of loops, which has those that took most time: {more}."));
        }
    }

    fn prediction(&mut self) {
        let mut workers: Vec<usize> =
            (0..).map(|power| 1 << power).take_while(|&n| n <= MOST_WORKERS).collect();
        workers.push(self.profile.threads.clamp(1, MOST_WORKERS));
        workers.sort_unstable();
        workers.dedup();
        let recording = self.profile.recording();
        if recording.left_out() > 0 {
            let calls = counted(recording.left_out(), "parallel call");
            self.left_out.push(format!(
                "Without room in the recording, of which loops and prediction are made: {calls}."
            ));
        }
        let scaling = recording.scaling(workers);
        self.put("<h2>What more workers would bring</h2>\n");
        self.put(&format!("<figure id=\"scaling\">\n{}\n</figure>\n", chart::of(&scaling)));
        let text = scaling.to_string();
        let lines: Vec<String> = text.lines().map(escaped).collect();
        self.put(&format!("<pre>{}</pre>\n", lines.join("\n")));
    }

    fn notes(&mut self) {
        self.put("<h2>What is merged or left out</h2>\n<ul id=\"left-out\">\n");
        if self.left_out.is_empty() {
            self.put("<li>Nothing.</li>\n");
        }
        for line in std::mem::take(&mut self.left_out) {
            self.put(&format!("<li>{}</li>\n", escaped(&line)));
        }
        self.put("</ul>\n");
    }
}

/// A loop's chunk sizes as a row of columns, each as high as its share of the most, and their range.
fn sizes(of: &LoopProfile) -> String {
    const WIDTH: usize = 9;
    const HEIGHT: f64 = 24.0;
    let sizes: Vec<(usize, u64)> = of.chunk_sizes().collect();
    let most = sizes.iter().map(|&(_, chunks)| chunks).max().unwrap_or(0);
    let mut picture = Document::new().set("fill", "#2278b5").set("width", WIDTH * sizes.len());
    for (column, &(smallest, chunks)) in sizes.iter().enumerate() {
        let height = (HEIGHT * share(chunks, most)).max(1.0);
        let told = format!("{} items: {}", bucket(smallest), counted(chunks, "chunk"));
        let shape = Rectangle::new().set("x", WIDTH * column).set("y", pixels(HEIGHT - height));
        picture = picture.add(shape.set("width", WIDTH - 2).set("height", pixels(height)).add(tip(&told)));
    }
    let range = match sizes[..] {
        [] => String::new(),
        [(only, _)] => bucket(only),
        [(first, _), .., (last, _)] => format!("{} … {}", bucket(first), bucket(last)),
    };
    format!("{} {range}", picture.set("height", HEIGHT))
}

/// A name from the program, not longer than a table bears.
fn name(name: &str) -> String {
    match name.char_indices().nth(LONGEST_NAME) {
        Some((cut, _)) => format!("{}…", escaped(&name[..cut])),
        None => escaped(name),
    }
}

/// Text from outside of the page's language.
fn escaped(content: &str) -> String {
    html_escape::encode_safe(&text(content)).into_owned()
}
