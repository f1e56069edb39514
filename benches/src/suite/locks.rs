//! What does a lock between processes cost, and one that survives its owner?

use super::Context;
use crate::{
    locks::{
        self,
        measure::{Contention, measure},
    },
    result::{Group, Row, Shown},
};

/// What the cases are called, who takes part, and how long the critical section is in nanoseconds.
const CASES: [(&str, Contention, f64); 9] = [
    ("alone, 0 ns", Contention::None, 0.0),
    ("alone, 100 ns", Contention::None, 100.0),
    ("alone, 1 µs", Contention::None, 1000.0),
    ("2 threads, 0 ns", Contention::Threads, 0.0),
    ("2 threads, 100 ns", Contention::Threads, 100.0),
    ("2 threads, 1 µs", Contention::Threads, 1000.0),
    ("2 processes, 0 ns", Contention::Processes, 0.0),
    ("2 processes, 100 ns", Contention::Processes, 100.0),
    ("2 processes, 1 µs", Contention::Processes, 1000.0),
];

pub(super) fn run(context: &Context) -> Vec<Group> {
    let mut peers = locks::all();
    peers.retain(|peer| context.wants_peer(peer.name()));
    let rows = CASES.iter().filter(|(name, ..)| context.wants_row(name)).map(|&(name, contention, ns)| {
        let iterations = if ns > 0.0 { context.calibration.iterations(ns) } else { 0 };
        Row {
            name: name.to_owned(),
            bound: None,
            cells: measure(&peers, contention, iterations, context.reps),
        }
    });
    let group = Group {
        name: "locks".to_owned(),
        title:
            "Taking a lock and giving it back, with so much done in between; more:less acquisitions of two"
                .to_owned(),
        unit: "ns per acquisition".to_owned(),
        shown: Shown::Value,
        rows: rows.collect(),
        cores_of_others: None,
    };
    vec![group]
}
