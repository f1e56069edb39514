//! The rows in which a peer is ahead of taskel, each with its cause (`causes.rs`).

use super::{
    causes,
    tables::{number, table},
};
use crate::{
    result::{Cell, Group, Report, Row, SERIAL},
    stats::interval,
};

/// A peer is ahead where taskel's median is more than this times the peer's.
const AHEAD: f64 = 1.03;

/// How sure an interval is that a cause without a profile rests on.
const CONFIDENCE: f64 = 0.95;

/// What a greedy schedule keeps to, in times of Graham's bound, whatever the order of the items.
const GREEDY: f64 = 1.05;

/// Cells that are no way to do the thing of their row, but the least that it can take.
const FLOORS: [&str; 4] = [SERIAL, "no pool", "two spinning threads", "floor"];

/// A row, or a call of one, in which a peer is ahead.
#[derive(Clone, Debug, PartialEq)]
pub struct Behind {
    /// The name of the row's group.
    pub group: String,
    /// The name of the row, and of the call where a row has several.
    pub row: String,
    /// The best peer.
    pub peer: String,
    /// Our median divided by the peer's.
    pub ratio: f64,
    /// Why; `None` where nobody has looked yet.
    pub cause: Option<String>,
}

/// All rows of a report in which a peer is ahead.
#[must_use]
pub fn behind(report: &Report) -> Vec<Behind> {
    report.groups.iter().flat_map(|group| group.rows.iter().flat_map(|row| of_row(group, row))).collect()
}

/// A section with a table of them.
#[must_use]
pub fn section(report: &Report) -> String {
    let behind = behind(report);
    let mut text =
        "## Where a peer is ahead\n\nWhere the median of the best peer is less by more than 3 %.\n\n"
            .to_owned();
    if behind.is_empty() {
        text.push_str("Nowhere.\n");
        return text;
    }
    let mut lines = vec![["suite", "row", "best peer", "taskel's time", "why"].map(str::to_owned).to_vec()];
    lines.extend(behind.into_iter().map(|behind| {
        let cause = behind.cause.unwrap_or_else(|| "**not known**".to_owned());
        vec![behind.group, behind.row, behind.peer, number(behind.ratio), cause]
    }));
    text.push_str(&table(&lines));
    text
}

/// One for each call of the row in which a peer is ahead; most rows have one kind of call.
fn of_row(group: &Group, row: &Row) -> Vec<Behind> {
    // These have limits, and notes, of their own.
    if group.name.starts_with("members") {
        return Vec::new();
    }
    let mut calls: Vec<Option<&str>> = row.cells.iter().map(|cell| call(cell)).collect();
    calls.sort_unstable();
    calls.dedup();
    calls.into_iter().filter_map(|call| of_call(group, row, call)).collect()
}

fn of_call(group: &Group, row: &Row, call: Option<&str>) -> Option<Behind> {
    let cells = || row.cells.iter().filter(|cell| self::call(cell) == call && !cell.samples.is_empty());
    let best =
        |cells: Vec<&'_ Cell>| cells.into_iter().min_by(|a, b| a.median().total_cmp(&b.median())).cloned();
    let default = cells().find(|cell| cell.peer == "taskel").cloned();
    let ours = default.or_else(|| best(cells().filter(|cell| is_ours(cell)).collect()))?;
    let peer = best(cells().filter(|cell| !is_ours(cell) && !FLOORS.contains(&&*cell.peer)).collect())?;
    let ratio = ours.median() / peer.median();
    (ratio > AHEAD).then(|| Behind {
        group: group.name.clone(),
        row: call.map_or_else(|| row.name.clone(), |call| format!("{}, {call}", row.name)),
        peer: peer.peer.clone(),
        ratio,
        cause: cause(group, row, &ours, &peer),
    })
}

fn cause(group: &Group, row: &Row, ours: &Cell, peer: &Cell) -> Option<String> {
    if let Some(cause) = causes::of(&group.name, &row.name) {
        return Some(cause.to_owned());
    }
    if group.name == "workers-unequal" && row.bound.is_some_and(|bound| ours.median() <= GREEDY * bound) {
        return Some("within Graham's bound: which item begins last is chance in both libraries".to_owned());
    }
    let [ours, peers] = [ours, peer].map(|cell| interval(&cell.samples, CONFIDENCE));
    (ours.start() <= peers.end()).then(|| "the intervals of the medians overlap".to_owned())
}

/// Whether a cell is of this workspace.
fn is_ours(cell: &Cell) -> bool {
    ["taskel", "shm-lock", "deterministic"].iter().any(|name| cell.peer.starts_with(name))
}

/// Which call of several a cell is of, by the end of its name.
fn call(cell: &Cell) -> Option<&str> {
    let (_, end) = cell.peer.split_once(", ")?;
    ["1st call", "2nd", "3rd"].contains(&end).then_some(end)
}

#[cfg(test)]
#[path = "behind_tests.rs"]
mod tests;
