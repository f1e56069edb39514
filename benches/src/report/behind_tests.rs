use super::*;
use crate::result::Shown;
use std::{fs::File, io::BufReader, path::Path};

fn group(name: &str, rows: Vec<Row>) -> Report {
    let group = Group {
        name: name.to_owned(),
        title: String::new(),
        unit: String::new(),
        shown: Shown::Value,
        rows,
        cores_of_others: None,
    };
    Report { machine: String::new(), calibration: String::new(), left_out: Vec::new(), groups: vec![group] }
}

fn row(name: &str, cells: &[(&str, [f64; 3])]) -> Row {
    let cells = cells.iter().map(|&(peer, samples)| Cell::new(peer, samples.to_vec())).collect();
    Row { name: name.to_owned(), bound: Some(10.0), cells }
}

#[test]
fn the_best_peer_counts_and_a_floor_is_none() {
    let cells = [
        (SERIAL, [1.0; 3]),
        ("rayon", [12.0; 3]),
        ("chili", [10.0; 3]),
        ("taskel, pinned", [10.1; 3]),
        ("taskel", [11.0; 3]),
    ];
    let found = behind(&group("x", vec![row("a", &cells)]));
    assert_eq!(found.len(), 1);
    assert_eq!((&*found[0].row, &*found[0].peer), ("a", "chili"));
    assert!((found[0].ratio - 1.1).abs() < 1e-9);
    assert_eq!(found[0].cause, None);
}

#[test]
fn nobody_is_ahead_by_three_hundredths() {
    assert!(behind(&group("x", vec![row("a", &[("rayon", [10.0; 3]), ("taskel", [10.3; 3])])])).is_empty());
    assert!(section(&group("x", Vec::new())).contains("Nowhere"));
}

#[test]
fn a_call_is_compared_with_the_same_call() {
    let cells = [
        ("rayon, 1st call", [20.0; 3]),
        ("rayon, 2nd", [10.0; 3]),
        ("taskel, 1st call", [20.0; 3]),
        ("taskel, 2nd", [12.0; 3]),
    ];
    let found = behind(&group("workers-unequal", vec![row("P = 4", &cells)]));
    assert_eq!(found.iter().map(|behind| &*behind.row).collect::<Vec<_>>(), ["P = 4, 2nd"]);
    assert_eq!(found[0].cause, None);
}

#[test]
fn what_is_within_grahams_bound_or_the_noise_says_so() {
    let cells = [("rayon, 2nd", [8.0; 3]), ("taskel, 2nd", [10.0; 3])];
    let found = behind(&group("workers-unequal", vec![row("P = 4", &cells)]));
    assert!(found[0].cause.as_ref().is_some_and(|cause| cause.contains("Graham")));
    let cells = [("rayon", [8.0, 9.0, 13.0]), ("taskel", [8.5, 10.0, 11.0])];
    let found = behind(&group("x", vec![row("a", &cells)]));
    assert!(found[0].cause.as_ref().is_some_and(|cause| cause.contains("overlap")));
}

/// Suites whose rows must all be ahead or explained.
const EXPLAINED: [&str; 17] = [
    "loops",
    "short-loops",
    "first-calls",
    "workers",
    "workers-unequal",
    "joins-alone",
    "joins",
    "trees",
    "iters",
    "streams",
    "programs",
    "locks",
    "locks for readers",
    "gaps",
    "bodies",
    "shared",
    "instructions",
];

#[test]
fn every_row_of_the_report_has_its_cause() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("results/report.json");
    let report: Report = serde_json::from_reader(BufReader::new(File::open(path).unwrap())).unwrap();
    let unknown: Vec<Behind> = behind(&report)
        .into_iter()
        .filter(|behind| behind.cause.is_none() && EXPLAINED.contains(&&*behind.group))
        .collect();
    assert!(unknown.is_empty(), "write down why in causes.rs: {unknown:#?}");
    // A cause of a row that no suite has any more would say something untrue.
    for (group, row) in causes::rows() {
        let groups = report.groups.iter().filter(|other| other.name == group);
        let known = groups.flat_map(|group| &group.rows).any(|other| other.name.contains(row));
        assert!(known, "causes.rs names the row {row:?} of {group:?}, which the report does not have");
    }
}
