//! What does a process cost that makes one small parallel call, from its start to its end?
//!
//! Each sample is a process of its own, which starts its peer's pool by that call. Peers take
//! turns.

use super::Context;
use crate::{
    result::{Group, Row, SERIAL, Shown},
    turns::{Turn, take_turns},
    work::work,
};
use std::{
    error::Error,
    hint::black_box,
    process::{Command, Stdio},
    sync::mpsc,
    thread,
    time::Instant,
};

/// Whether the process has another thread before, as one that reads or shows something has.
const ROWS: [(&str, bool); 2] =
    [("process with a call of 1000 x 10 ns", false), ("process with a thread, and such a call", true)];

const ITEMS: usize = 1000;

type Call = fn(u32) -> u64;

/// The last one runs as what was written for rayon does in taskel's place of rayon-core.
const PEERS: [(&str, Call); 4] = [
    (SERIAL, |steps| (0..ITEMS).map(|_| work(steps)).sum()),
    ("rayon", |steps| {
        use rayon::prelude::*;
        (0..ITEMS).into_par_iter().map(|_| work(steps)).sum()
    }),
    ("taskel", on_taskel),
    ("taskel, on a worker", |steps| taskel::ThreadPool::global().run_on_worker(|| on_taskel(steps))),
];

fn on_taskel(steps: u32) -> u64 {
    use taskel::prelude::*;
    (0..ITEMS).into_par_iter().map(|_| work(steps)).sum()
}

/// Whether a row of that name is one of this suite's.
#[must_use]
pub fn has(name: &str) -> bool {
    ROWS.iter().any(|(row, _)| *row == name)
}

/// Is the process that the suite starts.
///
/// # Errors
/// Says which row or peer there is not, or that the answer is wrong.
pub fn call(name: &str, peer: &str, steps: u32) -> Result<(), Box<dyn Error>> {
    let row = ROWS.iter().find(|(row, _)| *row == name).ok_or_else(|| format!("there is no row {name:?}"))?;
    let peer = PEERS.iter().find(|(known, _)| *known == peer);
    let (_, call) = peer.ok_or("there is no such peer")?;
    let (is_over, over) = mpsc::channel::<()>();
    let other = row.1.then(|| thread::spawn(move || over.recv()));
    let answer = black_box(call(steps));
    drop(is_over);
    let _ended = other.map(thread::JoinHandle::join);
    let expected = ITEMS as u64 * work(steps);
    if answer == expected { Ok(()) } else { Err(format!("{answer} instead of {expected}").into()) }
}

pub(super) fn run(context: &Context) -> Vec<Group> {
    let steps = context.calibration.iterations(10.0);
    let rows = ROWS.iter().filter(|(name, _)| context.wants_row(name)).map(|(name, _)| {
        let peers = PEERS.iter().filter(|(peer, _)| context.wants_peer(peer));
        let turn = |(peer, _): &(&'static str, Call)| {
            let peer = *peer;
            Turn::new(peer, move || timed(name, peer, steps).expect("a process of its own"))
        };
        let mut turns: Vec<Turn<'_>> = peers.map(turn).collect();
        Row { name: (*name).to_owned(), bound: None, cells: take_turns(&mut turns, context.reps) }
    });
    let group = Group {
        name: "processes".to_owned(),
        title: "Processes that make one call, from start to end".to_owned(),
        unit: "ns".to_owned(),
        shown: Shown::OverSerial,
        rows: rows.collect(),
        cores_of_others: None,
    };
    vec![group]
}

fn timed(row: &str, peer: &str, steps: u32) -> Result<f64, Box<dyn Error>> {
    let mut process = Command::new(std::env::current_exe()?);
    process.args(["calls", row, peer, &steps.to_string()]).stdin(Stdio::null()).stdout(Stdio::null());
    let start = Instant::now();
    let status = process.status()?;
    let took = start.elapsed();
    if status.success() { Ok(took.as_nanos() as f64) } else { Err(format!("{row}, {peer}: {status}").into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_peer_gives_the_expected_answer() {
        for (row, _) in ROWS {
            assert!(has(row));
            PEERS.iter().for_each(|(peer, _)| call(row, peer, 3).expect("the right answer"));
        }
        assert!(!has("no such row") && call("no such row", SERIAL, 1).is_err());
        assert!(call(ROWS[0].0, "nobody", 1).is_err());
    }
}
