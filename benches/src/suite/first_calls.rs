//! What does a loop cost the very first time that it is called, when nobody knows yet how long its
//! taskels take?
//!
//! Each sample is one call of a call site that was never called before. A generic constant makes as
//! many of them as are needed: each instance has closures of its own, and machine code that is not
//! in any cache yet, the serial loop's too. Each row is measured in a process of its own, in which
//! nobody has called them either: it takes a second to compile a site with three peers.

use super::{Context, in_its_own_process};
use crate::{
    result::{Group, Row, SERIAL, Shown},
    turns::{Turn, take_turns},
    work::{Calibration, work},
};
use std::{hint::black_box, time::Instant};

/// There are this many call sites for each peer: as many samples of a row at most.
const SITES: usize = 32;

type RowOf = (&'static str, usize, bool);

/// Rows whose items take 10 ns, and one whose first item takes as long as all the others together.
const ROWS: [RowOf; 5] = [
    ("first call of 1 x 10 ns", 1, false),
    ("first call of 20 x 10 ns", 20, false),
    ("first call of 500 x 10 ns", 500, false),
    ("first call of 100 k x 10 ns", 100_000, false),
    ("first call of 64, first 4 ms, then 63 x 63 µs", 64, true),
];

/// What is called: a site's loop over those weights.
type Call = fn(&[u32]) -> u64;

/// A call that times itself.
type Timing<'a> = &'a mut (dyn FnMut() -> f64 + Send);

/// Times a call from inside a pool.
type Install<'a> = &'a dyn Fn(Timing<'_>) -> f64;

/// The loops of one number, which tells them from all others: it is added to each item.
struct Site<const N: usize>;

impl<const N: usize> Site<N> {
    fn serial(weights: &[u32]) -> u64 {
        weights.iter().map(|&weight| work(weight) + N as u64).sum()
    }

    fn rayon(weights: &[u32]) -> u64 {
        use rayon::prelude::*;
        weights.par_iter().map(|&weight| work(weight) + N as u64).sum()
    }

    fn taskel(weights: &[u32]) -> u64 {
        use taskel::prelude::*;
        weights.par_iter().map(|&weight| work(weight) + N as u64).sum()
    }

    const CALLS: [Call; 3] = [Self::serial, Self::rayon, Self::taskel];
}

macro_rules! sites {
    ($($number:literal)*) => { [$(Site::<$number>::CALLS),*] };
}

/// By sample, then by peer.
static ALL_SITES: [[Call; 3]; SITES] =
    sites!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31);

pub(super) fn run(context: &Context) -> Vec<Group> {
    let wanted: Vec<RowOf> = ROWS.into_iter().filter(|row| context.wants_row(row.0)).collect();
    let rows = match wanted[..] {
        [row] => vec![measure(row, context)],
        _ => wanted.iter().flat_map(|row| in_a_process_of_its_own(row.0, context)).collect(),
    };
    let group = Group {
        name: "first-calls".to_owned(),
        title: "Loops called once, from inside the pool, which sleeps; each row is a process of its own"
            .to_owned(),
        unit: "ns".to_owned(),
        shown: Shown::OverSerial,
        rows,
        cores_of_others: None,
    };
    vec![group]
}

/// None if no peer of the row is wanted.
fn in_a_process_of_its_own(row: &str, context: &Context) -> Vec<Row> {
    let (groups, _) =
        in_its_own_process("first-calls", &context.choice_of_row(row)).expect("a process of its own");
    groups.into_iter().flat_map(|group| group.rows).collect()
}

/// Calls each site once.
fn measure((name, len, has_giant): RowOf, context: &Context) -> Row {
    let rayon = rayon::ThreadPoolBuilder::new().num_threads(context.threads).build().expect("a pool");
    let taskel = taskel::ThreadPool::builder().num_threads(context.threads).build().expect("a pool");
    let install: [(&str, Install<'_>); 3] = [
        (SERIAL, &|timing| timing()),
        ("rayon", &|timing| rayon.install(timing)),
        ("taskel", &|timing| taskel.install(timing)),
    ];
    let weights = &weights(len, has_giant, &context.calibration);
    let sum: u64 = weights.iter().map(|&weight| work(weight)).sum();
    let turns = install.iter().enumerate().map(|(peer, (name, install))| {
        let mut sites = ALL_SITES.iter().zip(0u64..);
        Turn::new(*name, move || {
            let (site, number) = sites.next().expect("as many sites as samples");
            let expected = sum + number * len as u64;
            install(&mut || timed(site[peer], weights, expected))
        })
    });
    let mut turns: Vec<Turn<'_>> = turns.filter(|turn| context.wants_peer(&turn.peer)).collect();
    let cells = take_turns(&mut turns, context.reps.min(SITES));
    Row { name: name.to_owned(), bound: None, cells }
}

fn weights(len: usize, has_giant: bool, calibration: &Calibration) -> Vec<u32> {
    let mut weights = vec![calibration.iterations(if has_giant { 63.5e3 } else { 10.0 }); len];
    if has_giant {
        weights[0] = calibration.iterations(4e6);
    }
    weights
}

fn timed(site: Call, weights: &[u32], expected: u64) -> f64 {
    let start = Instant::now();
    let answer = black_box(site(black_box(weights)));
    let elapsed = start.elapsed();
    assert_eq!(answer, expected, "a wrong answer is no result");
    elapsed.as_nanos() as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::Choice;

    #[test]
    fn no_two_call_sites_are_the_same_function() {
        for peer in 0..3 {
            let mut sites: Vec<usize> = ALL_SITES.iter().map(|calls| calls[peer] as usize).collect();
            let all = sites.len();
            sites.sort_unstable();
            sites.dedup();
            assert_eq!(sites.len(), all, "peer {peer}");
        }
    }

    #[test]
    fn every_peer_gives_the_expected_answer() {
        let calibration = Calibration { iteration_ns: 1000.0, call_ns: 0.0 };
        for (name, ..) in ROWS {
            let choice = Choice { row: name.to_owned(), reps: 2, ..Choice::default() };
            let groups = run(&Context::new(2, choice, calibration));
            let [row] = &groups[0].rows[..] else { panic!("{name}: {:?}", groups[0].rows) };
            assert!(row.cells.len() == 3 && row.cells.iter().all(|cell| cell.samples.len() == 2));
        }
    }
}
