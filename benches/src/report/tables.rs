//! The tables of a report, in Markdown.

use super::behind;
use crate::{
    result::{Cell, Group, Report, Row, SERIAL, Shown},
    stats::{interval, median, min},
};
use std::{fmt::Write, time::Duration};

/// How sure the interval of a median is.
const CONFIDENCE: f64 = 0.95;

/// More columns of peers than this are too many for a page.
const PEERS_ON_A_PAGE: usize = 7;

/// The whole report: the machine, who is left out, and the groups.
#[must_use]
pub fn report(report: &Report) -> String {
    let mut text = format!("# Results\n\n{}; {}\n\n", report.machine, report.calibration);
    text.push_str(
        "A cell is the median, in brackets the 95 % interval of the median, and behind ≥ the least sample.\n",
    );
    for line in &report.left_out {
        write!(text, "\n{line}.\n").expect(INTO_STRING);
    }
    for group in &report.groups {
        write!(text, "\n{}", self::group(group)).expect(INTO_STRING);
    }
    write!(text, "\n{}", behind::section(report)).expect(INTO_STRING);
    text
}

const INTO_STRING: &str = "a String takes whatever is written";

/// A heading, the tables, and what others did meanwhile.
#[must_use]
pub fn group(group: &Group) -> String {
    let samples =
        group.rows.iter().flat_map(|row| &row.cells).map(|cell| cell.samples.len()).max().unwrap_or(0);
    let mut text = format!("## {}\n\n{}; {}", group.name, group.title, group.unit);
    match group.shown {
        Shown::Count => text.push_str(".\n\n"),
        _ => writeln!(text, "; {samples} samples.\n").expect(INTO_STRING),
    }
    if group.shown == Shown::RatioToBound {
        text.push_str("Medians alone:\n\n");
        text.push_str(&medians(group));
        text.push_str("\nWith their intervals:\n\n");
    }
    let peers = peers(group);
    // Each table has the serial peer's column, which is what the others are compared with.
    let (serial, others): (Vec<&str>, Vec<&str>) = peers.into_iter().partition(|&peer| peer == SERIAL);
    // As many tables as are needed, of about the same width.
    let tables = others.len().div_ceil(PEERS_ON_A_PAGE).max(1);
    let tables = others.chunks(others.len().div_ceil(tables).max(1)).map(|others| {
        let columns: Vec<&str> = serial.iter().chain(others).copied().collect();
        full(group, &columns)
    });
    text.push_str(&tables.collect::<Vec<_>>().join("\n"));
    if others.is_empty() {
        text.push_str(&full(group, &serial));
    }
    match group.cores_of_others {
        Some(cores) => writeln!(text, "\nOther processes used {cores:.2} cores meanwhile."),
        None => writeln!(text, "\nWhat other processes did meanwhile is unknown: there is no /proc."),
    }
    .expect(INTO_STRING);
    text
}

/// The names of all peers of a group, in the order in which they come.
fn peers(group: &Group) -> Vec<&str> {
    let mut peers: Vec<&str> = Vec::new();
    for cell in group.rows.iter().flat_map(|row| &row.cells) {
        if !peers.contains(&&*cell.peer) {
            peers.push(&cell.peer);
        }
    }
    peers
}

/// One number for each load and peer, as ratios to the bound: what the README's table is cut from.
fn medians(group: &Group) -> String {
    let peers: Vec<&str> = peers(group).into_iter().filter(|&peer| peer != SERIAL).collect();
    let mut lines = vec![header(group, &peers)];
    for row in &group.rows {
        let mut line = first_columns(group, row);
        line.extend(peers.iter().map(|peer| {
            row.cell(peer).map_or_else(String::new, |cell| number(cell.median() / unit(group, row)))
        }));
        lines.push(line);
    }
    table(&lines)
}

/// Medians, intervals, minima and whatever else the cells have.
fn full(group: &Group, columns: &[&str]) -> String {
    // Where the bound is shown, so is the serial time, in a column of its own.
    let hidden = |peer: &str| group.shown == Shown::RatioToBound && peer == SERIAL;
    let columns: Vec<&str> = columns.iter().copied().filter(|peer| !hidden(peer)).collect();
    let mut lines = vec![header(group, &columns)];
    for row in &group.rows {
        let mut line = first_columns(group, row);
        line.extend(
            columns.iter().map(|peer| row.cell(peer).map_or_else(String::new, |cell| text(group, row, cell))),
        );
        lines.push(line);
    }
    table(&lines)
}

fn header(group: &Group, peers: &[&str]) -> Vec<String> {
    let first: &[&str] = match group.shown {
        Shown::RatioToBound => &["load", "serial", "bound"],
        _ => &["what"],
    };
    first.iter().chain(peers).map(|&name| name.to_owned()).collect()
}

fn first_columns(group: &Group, row: &Row) -> Vec<String> {
    let mut columns = vec![row.name.clone()];
    if group.shown == Shown::RatioToBound {
        let times = [row.serial(), row.bound].map(|ns| ns.map_or_else(String::new, duration));
        columns.extend(times);
    }
    columns
}

/// What the samples of a row are divided by.
fn unit(group: &Group, row: &Row) -> f64 {
    match group.shown {
        Shown::RatioToBound => row.bound.unwrap_or(1.0),
        _ => 1.0,
    }
}

fn text(group: &Group, row: &Row, cell: &Cell) -> String {
    let unit = unit(group, row);
    let mut text = number(cell.median() / unit);
    if cell.samples.len() > 1 {
        let interval = interval(&cell.samples, CONFIDENCE);
        let [low, high] = [interval.start(), interval.end()].map(|end| number(end / unit));
        write!(text, " [{low}–{high}] ≥{}", number(min(&cell.samples) / unit)).expect(INTO_STRING);
    }
    if let (Shown::OverSerial, Some(serial)) = (group.shown, row.serial())
        && cell.peer != SERIAL
    {
        let over = cell.median() - serial;
        let sign = if over < 0.0 { "−" } else { "+" };
        write!(text, " ({sign}{})", number(over.abs())).expect(INTO_STRING);
    }
    if let Some(cpu) = &cell.cpu {
        write!(text, ", cpu {}", number(median(cpu) / unit)).expect(INTO_STRING);
    }
    if let Some(note) = &cell.note {
        write!(text, " {note}").expect(INTO_STRING);
    }
    text
}

fn duration(ns: f64) -> String {
    let duration = Duration::from_nanos(ns.round() as u64);
    if ns < 1e3 { format!("{duration:?}") } else { format!("{duration:.1?}") }
}

/// Two decimals, where there are not enough digits before the point.
#[must_use]
pub fn number(value: f64) -> String {
    if value < 100.0 { format!("{value:.2}") } else { format!("{value:.0}") }
}

/// Columns as wide as their widest cell; the first line is the header.
pub(crate) fn table(lines: &[Vec<String>]) -> String {
    let columns = lines[0].len();
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    let mut write = |cells: Vec<String>| writeln!(text, "| {} |", cells.join(" | ")).expect(INTO_STRING);
    for (index, line) in lines.iter().enumerate() {
        write(line.iter().zip(&widths).map(|(cell, &width)| format!("{cell:<width$}")).collect());
        if index == 0 {
            write(widths.iter().map(|&width| "-".repeat(width)).collect());
        }
    }
    text
}

#[cfg(test)]
#[path = "tables_tests.rs"]
mod tests;
