//! What does a lock between processes cost, and one that survives its owner?

use super::Context;
use crate::{
    locks::{
        self, Peer,
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

/// The same for locks that let readers in together, and one in how many visits writes.
const FOR_READERS: [(&str, Contention, f64, u64); 6] = [
    ("alone, reads", Contention::None, 0.0, u64::MAX),
    ("alone, writes", Contention::None, 0.0, 1),
    ("2 threads, 99 % reads, 0 ns", Contention::Threads, 0.0, 100),
    ("2 processes, 99 % reads, 0 ns", Contention::Processes, 0.0, 100),
    ("2 processes, 99 % reads, 100 ns", Contention::Processes, 100.0, 100),
    ("2 processes, 99 % reads, 1 µs", Contention::Processes, 1000.0, 100),
];

type Peers = Vec<Box<dyn Peer>>;

/// A case, and its peers.
type Case = (&'static str, Contention, f64, fn(u64) -> Peers, u64);

pub(super) fn run(context: &Context) -> Vec<Group> {
    let all: fn(u64) -> Peers = |_| locks::all();
    let cases = CASES.map(|(name, contention, ns)| (name, contention, ns, all, 1));
    let readers: fn(u64) -> Peers = locks::for_readers;
    let for_readers = FOR_READERS.map(|(name, contention, ns, every)| (name, contention, ns, readers, every));
    let title =
        "Taking a lock and giving it back, with so much done in between; more:less acquisitions of two";
    vec![
        group(context, "locks", title, &cases),
        group(context, "locks for readers", &format!("{title}, which read or write"), &for_readers),
    ]
}

fn group(context: &Context, name: &str, title: &str, cases: &[Case]) -> Group {
    let wanted = cases.iter().filter(|(name, ..)| context.wants_row(name));
    let rows = wanted.map(|&(name, contention, ns, peers, every)| {
        let mut peers = peers(every);
        peers.retain(|peer| context.wants_peer(peer.name()));
        let iterations = if ns > 0.0 { context.calibration.iterations(ns) } else { 0 };
        Row {
            name: name.to_owned(),
            bound: None,
            cells: measure(&peers, contention, iterations, context.reps),
        }
    });
    Group {
        name: name.to_owned(),
        title: title.to_owned(),
        unit: "ns per acquisition".to_owned(),
        shown: Shown::Value,
        rows: rows.collect(),
        cores_of_others: None,
    }
}
