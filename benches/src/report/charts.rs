//! A chart of each group: every sample is a dot, so that the shape of the distribution shows, not
//! only its middle.
//!
//! Each row is a block with a lane for each peer. To the right is slower, on a logarithmic scale:
//! times the bound where there is one, and times the row's best median elsewhere.

use crate::{
    result::{Cell, Group, Row, SERIAL, Shown},
    stats::interval,
};
use plotters::{
    coord::Shift,
    prelude::*,
    style::text_anchor::{HPos, Pos, VPos},
};

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

const WIDTH: i32 = 1000;
/// Where the lanes begin, to the right of the peers' names.
const LEFT: i32 = 190;
const RIGHT: i32 = 30;
const TOP: i32 = 50;
const LANE: i32 = 13;
/// The row's name stands above its lanes.
const ROW_HEAD: i32 = 26;

/// The chart as the text of an SVG file.
#[must_use]
pub fn svg(group: &Group) -> String {
    let lanes: i32 = group.rows.iter().map(|row| ROW_HEAD + LANE * lanes(group, row).count() as i32).sum();
    let height = TOP + lanes + 20;
    let mut text = String::new();
    {
        let area = SVGBackend::with_string(&mut text, (WIDTH as u32, height as u32)).into_drawing_area();
        draw(&area, group, height).expect("a String takes whatever is drawn");
        area.present().expect("a String takes whatever is drawn");
    }
    text
}

/// The cells that are drawn: the serial loop is twice the bound by definition.
fn lanes<'a>(group: &'a Group, row: &'a Row) -> impl Iterator<Item = &'a Cell> {
    let drawn = |cell: &&Cell| !(group.shown == Shown::RatioToBound && cell.peer == SERIAL);
    row.cells.iter().filter(|cell| !cell.samples.is_empty()).filter(drawn)
}

/// A logarithmic axis.
#[derive(Clone, Copy)]
struct Axis {
    least: f64,
    most: f64,
}

impl Axis {
    fn of(group: &Group) -> Self {
        match group.shown {
            Shown::RatioToBound => Axis { least: 0.9, most: 3.0 },
            _ => Axis { least: 0.8, most: 50.0 },
        }
    }

    /// What is beyond the axis is drawn at its end.
    fn x(self, ratio: f64) -> i32 {
        let part = (ratio.clamp(self.least, self.most) / self.least).ln() / (self.most / self.least).ln();
        LEFT + (part * f64::from(WIDTH - LEFT - RIGHT)) as i32
    }

    fn ticks(self) -> impl Iterator<Item = f64> {
        let ticks = [0.9, 1.0, 1.1, 1.25, 1.5, 2.0, 3.0, 5.0, 10.0, 20.0, 50.0];
        ticks.into_iter().filter(move |&tick| tick >= self.least && tick <= self.most)
    }
}

fn draw(area: &Area<'_>, group: &Group, height: i32) -> Result<(), Box<dyn std::error::Error>> {
    let axis = Axis::of(group);
    area.fill(&WHITE)?;
    let what =
        if group.shown == Shown::RatioToBound { "times the bound" } else { "times the row's best median" };
    let title = format!("{}: {} ({what}; what is beyond is at the edge)", group.name, group.title);
    area.draw(&Text::new(title, (8, 8), ("sans-serif", 14)))?;
    for tick in axis.ticks() {
        let x = axis.x(tick);
        let line = if tick == 1.0 { BLACK.mix(0.6) } else { BLACK.mix(0.12) };
        area.draw(&PathElement::new([(x, TOP - 4), (x, height - 10)], line))?;
        let label = if tick == 1.1 { String::new() } else { tick.to_string() };
        let centred = ("sans-serif", 11).into_text_style(area).pos(Pos::new(HPos::Center, VPos::Bottom));
        area.draw(&Text::new(label, (x, TOP - 6), centred))?;
    }
    let mut y = TOP;
    for row in &group.rows {
        let unit = match (group.shown, row.bound) {
            (Shown::RatioToBound, Some(bound)) => bound,
            _ => row
                .cells
                .iter()
                .filter(|cell| !cell.samples.is_empty())
                .map(Cell::median)
                .fold(f64::MAX, f64::min),
        };
        area.draw(&Text::new(row.name.clone(), (8, y + 8), ("sans-serif", 13)))?;
        y += ROW_HEAD;
        for cell in lanes(group, row) {
            draw_lane(area, axis, cell, unit, y, colour(&cell.peer))?;
            y += LANE;
        }
    }
    Ok(())
}

/// Ours stands out in every chart.
fn colour(peer: &str) -> RGBColor {
    let is_ours = peer.contains("taskel") || peer.contains("shm-lock");
    if is_ours { RGBColor(200, 30, 30) } else { RGBColor(40, 90, 160) }
}

fn draw_lane(
    area: &Area<'_>,
    axis: Axis,
    cell: &Cell,
    unit: f64,
    y: i32,
    colour: RGBColor,
) -> Result<(), Box<dyn std::error::Error>> {
    let middle = y + LANE / 2;
    let right = ("sans-serif", 11).into_text_style(area).pos(Pos::new(HPos::Right, VPos::Center));
    area.draw(&Text::new(cell.peer.clone(), (LEFT - 6, middle), right))?;
    // Beside each other as far as the lane is high, in the order in which they were taken.
    for (index, sample) in cell.samples.iter().enumerate() {
        let jitter = (index as i32 * 5) % (LANE - 4) - (LANE - 4) / 2;
        area.draw(&Circle::new((axis.x(sample / unit), middle + jitter), 2, colour.mix(0.6).filled()))?;
    }
    let sure = interval(&cell.samples, 0.95);
    let [low, high] = [sure.start(), sure.end()].map(|end| axis.x(end / unit));
    area.draw(&PathElement::new([(low, middle), (high, middle)], BLACK.stroke_width(2)))?;
    let median = axis.x(cell.median() / unit);
    area.draw(&PathElement::new([(median, y + 1), (median, y + LANE - 1)], BLACK.stroke_width(2)))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sample_is_a_dot_and_every_peer_has_a_name() {
        let cells = vec![
            Cell::new(SERIAL, vec![2.0; 3]),
            Cell::new("a<b", vec![1.0, 1.1, 900.0]),
            Cell::new("c", vec![]),
        ];
        let group = Group {
            name: "loops".to_owned(),
            title: "How?".to_owned(),
            unit: "ns".to_owned(),
            shown: Shown::RatioToBound,
            rows: vec![Row { name: "load".to_owned(), bound: Some(1.0), cells }],
            cores_of_others: None,
        };
        let text = svg(&group);
        assert_eq!(text.matches("<circle").count(), 3, "{text}");
        assert!(text.contains("a&lt;b") && text.contains("load") && text.trim_end().ends_with("</svg>"));
        let all = svg(&Group { shown: Shown::Value, ..group });
        assert_eq!(all.matches("<circle").count(), 6, "{all}");
    }

    #[test]
    fn what_is_beyond_the_axis_is_at_its_end() {
        let axis = Axis { least: 1.0, most: 4.0 };
        assert_eq!(
            [0.5, 1.0, 4.0, 9.0].map(|ratio| axis.x(ratio)),
            [LEFT, LEFT, WIDTH - RIGHT, WIDTH - RIGHT]
        );
        assert_eq!(axis.x(2.0), (LEFT + WIDTH - RIGHT) / 2);
    }
}
