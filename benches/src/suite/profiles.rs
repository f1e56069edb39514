//! What does it cost to take a profile, and what where none is being taken?
//!
//! The same calls of taskel with and without a profile around them. What beginning and ending a
//! profile takes is not in it: the clock runs inside.

use super::Context;
use crate::{
    result::{Group, Row, SERIAL, Shown},
    turns::{Turn, take_turns},
    work::{Calibration, work},
};
use std::{hint::black_box, time::Instant};
use taskel::{ThreadPool, prelude::*};

/// A loop of so many items, or a tree of joins.
#[derive(Clone, Copy)]
pub(super) enum What {
    Loop { len: u64, item_ns: f64 },
    Joins { fib: u64 },
}

impl What {
    /// How long an item works.
    pub(super) fn weight(self, calibration: &Calibration) -> u32 {
        match self {
            What::Loop { item_ns, .. } => calibration.iterations(item_ns),
            What::Joins { .. } => 0,
        }
    }
}

/// Each with how many calls make a sample.
pub(super) const ROWS: [(&str, What, u32); 5] = [
    ("20 x 10 ns", What::Loop { len: 20, item_ns: 10.0 }, 2000),
    ("1 M x 10 ns", What::Loop { len: 1_000_000, item_ns: 10.0 }, 1),
    ("10 k x 1 µs", What::Loop { len: 10_000, item_ns: 1000.0 }, 1),
    ("1 k x 10 µs", What::Loop { len: 1000, item_ns: 10e3 }, 1),
    ("joins, fib(25)", What::Joins { fib: 25 }, 1),
];

pub(super) fn run(context: &Context) -> Vec<Group> {
    let pool = ThreadPool::builder().num_threads(context.threads).build().expect("a pool");
    let wanted = ROWS.into_iter().filter(|(name, ..)| context.wants_row(name));
    let rows = wanted.map(|(name, what, calls)| measure(name, what, calls, &pool, context));
    let group = Group {
        name: "profiles".to_owned(),
        title: "Calls without a profile and with one; in parentheses, above the serial ones".to_owned(),
        unit: "ns per call".to_owned(),
        shown: Shown::OverSerial,
        rows: rows.collect(),
        cores_of_others: None,
    };
    vec![group]
}

/// Makes so many calls of a way, and tells what one took, in nanoseconds.
pub(super) fn timed(
    what: What,
    calls: u32,
    context: &Context,
) -> impl Fn(fn(What, u32) -> u64) -> f64 + Copy + use<> {
    let weight = what.weight(&context.calibration);
    let expected = serially(what, weight);
    move |call| {
        let start = Instant::now();
        for _ in 0..calls {
            assert_eq!(black_box(call(black_box(what), weight)), expected, "a wrong answer is no result");
        }
        start.elapsed().as_nanos() as f64 / f64::from(calls)
    }
}

fn measure(name: &str, what: What, calls: u32, pool: &ThreadPool, context: &Context) -> Row {
    let timed = timed(what, calls, context);
    let mut turns = vec![
        Turn::new(SERIAL, move || timed(serially)),
        Turn::new("taskel", move || pool.install(|| timed(in_parallel))),
        Turn::new("taskel, profiled", move || pool.profile(|| pool.install(|| timed(in_parallel))).0),
    ];
    turns.retain(|turn| context.wants_peer(&turn.peer));
    Row { name: name.to_owned(), bound: None, cells: take_turns(&mut turns, context.reps) }
}

pub(super) fn serially(what: What, weight: u32) -> u64 {
    fn fib(n: u64) -> u64 {
        if n < 2 { n } else { fib(n - 1) + fib(n - 2) }
    }
    match what {
        What::Loop { len, .. } => (0..len).map(|n| work(weight) + n).sum(),
        What::Joins { fib: n } => fib(n),
    }
}

pub(super) fn in_parallel(what: What, weight: u32) -> u64 {
    fn fib(n: u64) -> u64 {
        if n < 2 {
            return n;
        }
        let (a, b) = taskel::join(|| fib(n - 1), || fib(n - 2));
        a + b
    }
    match what {
        What::Loop { len, .. } => (0..len).into_par_iter().map(|n| work(weight) + n).sum(),
        What::Joins { fib: n } => fib(n),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::Choice;

    #[test]
    fn each_row_has_a_cell_for_each_way() {
        let calibration = Calibration { iteration_ns: 1e5, call_ns: 0.0 };
        let choice = Choice { reps: 1, ..Choice::default() };
        let groups = run(&Context::new(2, choice, calibration));
        assert_eq!(groups[0].rows.len(), ROWS.len());
        assert!(groups[0].rows.iter().all(|row| row.cells.len() == 3));
    }
}
