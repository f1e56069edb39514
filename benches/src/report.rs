//! The tables: times as ratios to the bound, and those of short loops in nanoseconds.

use crate::measure::{Cell, Row, SAMPLE};
use std::{fmt::Write, time::Duration};

/// How the lines of a table are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Columns parted by blanks.
    Plain,
    /// Columns parted by `|`.
    Markdown,
}

/// One line for each load: the serial time, the bound, and each peer's median \[min–max\] as ratios to the bound.
#[must_use]
pub fn ratios(rows: &[Row], style: Style) -> String {
    let mut lines = vec![header(rows, &["load", "serial", "bound"])];
    for row in rows {
        let mut line = vec![row.load.to_owned(), duration(row.serial), duration(row.bound)];
        line.extend(row.cells.iter().map(|cell| spread(cell, row.bound)));
        lines.push(line);
    }
    table(&lines, style)
}

/// The loads whose calls are too short to be timed alone: nanoseconds per call, median \[min–max\], and the number of
/// back-to-back calls in a sample. Empty if there are none.
#[must_use]
pub fn short_loops(rows: &[Row], style: Style) -> String {
    let short: Vec<&Row> = rows.iter().filter(|row| row.serial < SAMPLE.as_nanos() as f64).collect();
    if short.is_empty() {
        return String::new();
    }
    let mut lines = vec![header(rows, &["load"])];
    for row in short {
        let mut line = vec![row.load.to_owned()];
        line.extend(row.cells.iter().map(|cell| format!("{} ×{}", spread(cell, 1.0), cell.calls)));
        lines.push(line);
    }
    table(&lines, style)
}

fn header(rows: &[Row], first: &[&str]) -> Vec<String> {
    let peers = rows.iter().take(1).flat_map(|row| row.cells.iter().map(|cell| cell.peer));
    first.iter().copied().chain(peers).map(str::to_owned).collect()
}

fn duration(ns: f64) -> String {
    let duration = Duration::from_nanos(ns.round() as u64);
    if ns < 1e3 { format!("{duration:?}") } else { format!("{duration:.1?}") }
}

fn spread(cell: &Cell, unit: f64) -> String {
    let [median, min, max] = [cell.median, cell.min, cell.max].map(|ns| number(ns / unit));
    format!("{median} [{min}–{max}]")
}

/// Two decimals, where there are not enough digits before the point.
pub(crate) fn number(value: f64) -> String {
    if value < 100.0 { format!("{value:.2}") } else { format!("{value:.0}") }
}

/// Columns as wide as their widest cell; the first line is the header.
pub(crate) fn table(lines: &[Vec<String>], style: Style) -> String {
    let columns = lines[0].len();
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for (index, line) in lines.iter().enumerate() {
        let cells: Vec<String> =
            line.iter().zip(&widths).map(|(cell, &width)| format!("{cell:<width$}")).collect();
        write_line(&mut text, &cells, style);
        if index == 0 && style == Style::Markdown {
            let rules: Vec<String> = widths.iter().map(|&width| "-".repeat(width)).collect();
            write_line(&mut text, &rules, style);
        }
    }
    text
}

fn write_line(text: &mut String, cells: &[String], style: Style) {
    let written = match style {
        Style::Plain => writeln!(text, "{}", cells.join("  ").trim_end()),
        Style::Markdown => writeln!(text, "| {} |", cells.join(" | ")),
    };
    written.expect("a String takes whatever is written");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows() -> Vec<Row> {
        let cell =
            |peer, median: f64| Cell { peer, calls: 8, median, min: median / 2.0, max: median * 100.0 };
        vec![
            Row { load: "ten", serial: 2e7, bound: 1e7, cells: vec![cell("serial", 2e7), cell("µ", 1e7)] },
            Row {
                load: "tiny",
                serial: 200.0,
                bound: 100.0,
                cells: vec![cell("serial", 200.0), cell("µ", 150.0)],
            },
        ]
    }

    #[test]
    fn ratios_are_to_the_bound_of_their_row() {
        let expected = "\
load  serial  bound   serial           µ
ten   20.0ms  10.0ms  2.00 [1.00–200]  1.00 [0.50–100]
tiny  200ns   100ns   2.00 [1.00–200]  1.50 [0.75–150]
";
        assert_eq!(ratios(&rows(), Style::Plain), expected);
    }

    #[test]
    fn short_loops_are_in_nanoseconds() {
        let expected = "\
| load | serial             | µ                    |
| ---- | ------------------ | -------------------- |
| tiny | 200 [100–20000] ×8 | 150 [75.00–15000] ×8 |
";
        assert_eq!(short_loops(&rows(), Style::Markdown), expected);
        assert_eq!(short_loops(&rows()[..1], Style::Markdown), "");
    }
}
