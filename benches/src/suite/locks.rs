//! What does a lock between processes cost, and one that survives its owner? How long does one wait
//! for it?

use super::Context;
use crate::{
    locks::{
        self, Peer, looks,
        measure::{Contention, measure},
        waits::{Crowd, longest},
    },
    result::{Cell, Group, Row, Shown},
};
use std::time::Duration;

/// What the cases are called, who takes part, and how long the critical section is in nanoseconds.
const CASES: [(&str, Contention, f64); 12] = [
    ("alone, 0 ns", Contention::None, 0.0),
    ("alone, 100 ns", Contention::None, 100.0),
    ("alone, 1 µs", Contention::None, 1000.0),
    ("2 threads, 0 ns", Contention::Threads, 0.0),
    ("2 threads, 100 ns", Contention::Threads, 100.0),
    ("2 threads, 1 µs", Contention::Threads, 1000.0),
    ("2 processes, 0 ns", Contention::Processes(2), 0.0),
    ("2 processes, 100 ns", Contention::Processes(2), 100.0),
    ("2 processes, 1 µs", Contention::Processes(2), 1000.0),
    ("8 processes, 0 ns", Contention::Processes(8), 0.0),
    ("8 processes, 100 ns", Contention::Processes(8), 100.0),
    ("8 processes, 1 µs", Contention::Processes(8), 1000.0),
];

/// The same for locks that let readers in together, and one in how many visits writes.
const FOR_READERS: [(&str, Contention, f64, u64); 6] = [
    ("alone, reads", Contention::None, 0.0, u64::MAX),
    ("alone, writes", Contention::None, 0.0, 1),
    ("2 threads, 99 % reads, 0 ns", Contention::Threads, 0.0, 100),
    ("2 processes, 99 % reads, 0 ns", Contention::Processes(2), 0.0, 100),
    ("2 processes, 99 % reads, 100 ns", Contention::Processes(2), 100.0, 100),
    ("2 processes, 99 % reads, 1 µs", Contention::Processes(2), 1000.0, 100),
];

/// What takes no waiting, and who times it, as often as is said.
type Look = (&'static str, fn(usize) -> Vec<Cell>);

const LOOKS: [Look; 3] = [
    ("try_lock of a held lock", looks::try_lock_held),
    ("lock_timeout of no time", looks::no_time),
    ("notify_one without waiters", looks::notify_nobody),
];

/// Whose turns are timed, who is there besides, and their sections in nanoseconds.
const CROWDS: [(&str, usize, usize, (f64, f64)); 3] = [
    ("4 processes, 1 µs", 4, 0, (1e3, 0.0)),
    ("8 processes, 100 µs", 8, 0, (1e5, 0.0)),
    ("3 processes behind one that takes it again at once after 1 ms", 3, 1, (1e3, 1e6)),
];

/// For how long a crowd is watched.
const WATCHED: Duration = Duration::from_secs(5);

type Peers = Vec<Box<dyn Peer>>;

/// A case, and its peers.
type Case = (&'static str, Contention, f64, fn(u64) -> Peers, u64);

pub(super) fn run(context: &Context) -> Vec<Group> {
    let peers = |contention| -> fn(u64) -> Peers {
        if contention == Contention::None { |_| locks::alone() } else { |_| locks::all() }
    };
    let cases = CASES.map(|(name, contention, ns)| (name, contention, ns, peers(contention), 1));
    let readers: fn(u64) -> Peers = locks::for_readers;
    let for_readers = FOR_READERS.map(|(name, contention, ns, every)| (name, contention, ns, readers, every));
    let title = "Taking a lock and giving it back, with so much done in between; most:least acquisitions";
    vec![
        group(context, "locks", title, &cases),
        group(context, "locks for readers", &format!("{title}, which read or write"), &for_readers),
        of_rows("looks at locks", "What takes no waiting", "ns per call", looks(context)),
        of_rows("waits for locks", "The longest turn of any process within 5 s", "ms", crowds(context)),
    ]
}

fn looks(context: &Context) -> Vec<Row> {
    let wanted = LOOKS.iter().filter(|(name, _)| context.wants_row(name));
    wanted.map(|(name, time)| row(name, time(context.reps))).collect()
}

/// One sample of each, since it takes its time.
fn crowds(context: &Context) -> Vec<Row> {
    let mut peers = locks::all();
    peers.retain(|peer| context.wants_peer(peer.name()) && peer.name() != "flock");
    let iterations = |ns| if ns > 0.0 { context.calibration.iterations(ns) } else { 0 };
    let wanted = CROWDS.iter().filter(|(name, ..)| context.wants_row(name));
    let rows = wanted.map(|&(name, timed, others, (section, of_others))| {
        let crowd = Crowd { timed, others, iterations: (iterations(section), iterations(of_others)) };
        row(name, longest(&peers, crowd, WATCHED, 1))
    });
    rows.collect()
}

fn group(context: &Context, name: &str, title: &str, cases: &[Case]) -> Group {
    let wanted = cases.iter().filter(|(name, ..)| context.wants_row(name));
    let rows = wanted.map(|&(name, contention, ns, peers, every)| {
        let mut peers = peers(every);
        peers.retain(|peer| context.wants_peer(peer.name()));
        let iterations = if ns > 0.0 { context.calibration.iterations(ns) } else { 0 };
        row(name, measure(&peers, contention, iterations, context.reps))
    });
    of_rows(name, title, "ns per acquisition", rows.collect())
}

fn row(name: &str, cells: Vec<Cell>) -> Row {
    Row { name: name.to_owned(), bound: None, cells }
}

fn of_rows(name: &str, title: &str, unit: &str, rows: Vec<Row>) -> Group {
    Group {
        name: name.to_owned(),
        title: title.to_owned(),
        unit: unit.to_owned(),
        shown: Shown::Value,
        rows,
        cores_of_others: None,
    }
}
