//! What was measured: a report of groups, groups of rows, rows of cells, and a cell's samples. It
//! is written as JSON with every sample, and everything else (tables, charts, comparisons) is made
//! from it.

use crate::stats::median;
use serde::{Deserialize, Serialize};

/// The name of the peer that works alone, beside which the others are set.
pub const SERIAL: &str = "serial";

/// Everything that one run of `report` has measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The machine, its software and the date, in a line.
    pub machine: String,
    /// What a taskel of the loads costs, in a line.
    pub calibration: String,
    /// Who and what could not take part, and why: a line each.
    pub left_out: Vec<String>,
    /// In the order in which they were measured.
    pub groups: Vec<Group>,
}

/// Rows that answer one question: a table, and a chart.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Group {
    /// One word, which is also the name of the chart's file.
    pub name: String,
    /// What is asked, in a line.
    pub title: String,
    /// What a sample is counted in, such as "ns per join".
    pub unit: String,
    /// How the table shows it.
    pub shown: Shown,
    /// One for each thing to do.
    pub rows: Vec<Row>,
    /// How many cores other processes kept busy meanwhile; unknown where there is no `/proc`.
    pub cores_of_others: Option<f64>,
}

/// How a table shows the samples of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Shown {
    /// As they are.
    Value,
    /// As they are, and how much they are above those of the serial peer.
    OverSerial,
    /// As ratios to the row's bound.
    RatioToBound,
    /// Exact counts, one sample each.
    Count,
}

/// One thing to do, and how everybody did it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// What there is to do.
    pub name: String,
    /// The least that is possible, in the group's unit; `None` where nobody knows.
    pub bound: Option<f64>,
    /// One for each peer that takes part, in the order of the table.
    pub cells: Vec<Cell>,
}

/// How one peer did one thing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Cell {
    /// The peer's name.
    pub peer: String,
    /// One for each repetition, in the group's unit.
    pub samples: Vec<f64>,
    /// The processor time of all threads in the same samples and the same unit, where it was
    /// measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu: Option<Vec<f64>>,
    /// What else the table says, such as how often a call was repeated for a sample.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl Report {
    /// This report with the groups of `newer`, which replace those of the same names. A line says
    /// which ones are left of this report, and on what they were measured.
    #[must_use]
    pub fn merged(mut self, newer: Report) -> Report {
        let name = |group: &Group| newer.groups.iter().any(|other| other.name == group.name);
        let kept: Vec<&str> =
            self.groups.iter().filter(|group| !name(group)).map(|group| &*group.name).collect();
        let mut left_out = newer.left_out;
        if !kept.is_empty() {
            let line = format!("Of an earlier run ({}): {}", self.machine, kept.join(", "));
            left_out.extend(
                self.left_out.into_iter().filter(|line| !left_out.contains(line)).collect::<Vec<_>>(),
            );
            left_out.push(line);
        }
        for group in newer.groups {
            match self.groups.iter_mut().find(|other| other.name == group.name) {
                Some(older) => *older = group,
                None => self.groups.push(group),
            }
        }
        Report { left_out, groups: self.groups, ..newer }
    }
}

impl Row {
    /// The cell of that peer.
    #[must_use]
    pub fn cell(&self, peer: &str) -> Option<&Cell> {
        self.cells.iter().find(|cell| cell.peer == peer)
    }

    /// The median of the serial peer, if there is one.
    #[must_use]
    pub fn serial(&self) -> Option<f64> {
        self.cell(SERIAL).map(Cell::median)
    }
}

impl Cell {
    /// A cell with nothing but a name and samples.
    #[must_use]
    pub fn new(peer: impl Into<String>, samples: Vec<f64>) -> Self {
        Cell { peer: peer.into(), samples, cpu: None, note: None }
    }

    /// Half of the samples are less.
    ///
    /// # Panics
    /// Panics if there are no samples.
    #[must_use]
    pub fn median(&self) -> f64 {
        median(&self.samples)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_that_were_measured_again_replace_the_earlier_ones() {
        let group = |name: &str, title: &str| Group {
            name: name.to_owned(),
            title: title.to_owned(),
            unit: String::new(),
            shown: Shown::Value,
            rows: Vec::new(),
            cores_of_others: None,
        };
        let report = |machine: &str, left_out: &str, groups: Vec<Group>| Report {
            machine: machine.to_owned(),
            calibration: String::new(),
            left_out: vec![left_out.to_owned()],
            groups,
        };
        let old = report("then", "x is left out", vec![group("a", "old"), group("b", "old")]);
        let new = report("now", "y is left out", vec![group("b", "new"), group("c", "new")]);
        let merged = old.merged(new);
        let titles = merged.groups.iter().map(|group| (&*group.name, &*group.title));
        assert!(titles.eq([("a", "old"), ("b", "new"), ("c", "new")]));
        assert_eq!(merged.machine, "now");
        assert_eq!(merged.left_out, ["y is left out", "x is left out", "Of an earlier run (then): a"]);
    }

    #[test]
    fn a_report_survives_being_written() {
        let cell =
            Cell { cpu: Some(vec![2.5]), note: Some("×3".to_owned()), ..Cell::new(SERIAL, vec![1.25]) };
        let row = Row { name: "µ".to_owned(), bound: Some(0.5), cells: vec![cell, Cell::new("x", vec![])] };
        let group = Group {
            name: "loops".to_owned(),
            title: "how?".to_owned(),
            unit: "ns".to_owned(),
            shown: Shown::RatioToBound,
            rows: vec![row],
            cores_of_others: None,
        };
        let report = Report {
            machine: "m".to_owned(),
            calibration: "c".to_owned(),
            left_out: vec!["nobody".to_owned()],
            groups: vec![group],
        };
        let text = serde_json::to_string(&report).unwrap();
        assert_eq!(serde_json::from_str::<Report>(&text).unwrap(), report);
        assert_eq!(report.groups[0].rows[0].serial(), Some(1.25));
    }
}
