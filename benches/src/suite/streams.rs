//! What does a stream cost, and how much memory does it take, however long it is?

use super::Context;
use crate::{
    result::{Cell, Group, Row, SERIAL, Shown},
    turns::{Turn, take_turns},
    work::work,
};
use std::{hint::black_box, time::Instant};
use taskel::ParallelStream;

/// The window, in items.
const WINDOW: usize = 64;

pub(super) fn run(context: &Context) -> Vec<Group> {
    let pool = taskel::ThreadPool::builder().num_threads(context.threads).build().expect("threads");
    let group = |name: &str, title: &str, unit: &str, rows: Vec<Row>| Group {
        name: name.to_owned(),
        title: title.to_owned(),
        unit: unit.to_owned(),
        shown: Shown::Value,
        rows,
        cores_of_others: None,
    };
    let long = "10⁸ items of nothing, in order through a window of 64: once, and with what the row says";
    pool.install(|| {
        let endless = if context.wants_row("10⁸ items") { endless() } else { Vec::new() };
        vec![
            group("long-stream", long, "as the row says", endless),
            group("streams", "Sequential sources in parallel", "ms", compare(context)),
        ]
    })
}

/// 10⁸ items, in order, through a window.
fn endless() -> Vec<Row> {
    const LEN: u64 = 100_000_000;
    let before = peak_kib();
    let start = Instant::now();
    let mut next = 0;
    (0..LEN).par_stream().map(|n| n * 3).max_in_flight(WINDOW).for_each_ordered(|n| {
        assert_eq!(n, next * 3, "out of order");
        next += 1;
    });
    assert_eq!(next, LEN, "lost");
    let ns = start.elapsed().as_nanos() as f64 / LEN as f64;
    let row = |name: &str, value: f64| Row {
        name: format!("10⁸ items, {name}"),
        bound: None,
        cells: vec![Cell::new("taskel", vec![value])],
    };
    vec![row("ns per item", ns), row("KiB at the peak more than before", peak_kib() - before)]
}

/// The most memory that this process has had, in KiB; 0 where there is no `/proc`.
fn peak_kib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0.0)
}

/// Times ways to process items of some nanoseconds each.
fn compare(context: &Context) -> Vec<Row> {
    let rows = [
        ("10 k x 20 µs", 10_000, 20_000.0),
        ("100 k x 1 µs", 100_000, 1000.0),
        ("1 M x 20 ns", 1_000_000, 20.0),
    ];
    let wanted = rows.into_iter().filter(|(name, ..)| context.wants_row(name));
    let measured = wanted.map(|(name, len, ns)| {
        let iterations = context.calibration.iterations(ns);
        row(name, len, &move |n| n + work(iterations), context)
    });
    measured.collect()
}

fn row(name: &str, len: u64, f: &(dyn Fn(u64) -> u64 + Sync), context: &Context) -> Row {
    let expected = (0..len).map(f).fold(0, u64::wrapping_add);
    let time = |way: &dyn Fn() -> u64| {
        let start = Instant::now();
        let answer = black_box(way());
        let elapsed = start.elapsed();
        assert_eq!(answer, expected, "a wrong answer is no result: {name}");
        elapsed.as_secs_f64() * 1e3
    };
    let mut turns = vec![
        Turn::new(SERIAL, || time(&|| (0..len).map(f).fold(0, u64::wrapping_add))),
        Turn::new("rayon par_bridge", || {
            use rayon::iter::{ParallelBridge, ParallelIterator};
            time(&|| (0..len).par_bridge().map(f).reduce(|| 0, u64::wrapping_add))
        }),
        Turn::new("taskel par_bridge", || {
            use taskel::iter::{ParallelBridge, ParallelIterator};
            time(&|| (0..len).par_bridge().map(f).reduce(|| 0, u64::wrapping_add))
        }),
        Turn::new("taskel stream, unordered", || {
            time(&|| {
                let mut sum = 0_u64;
                (0..len).par_stream().map(f).for_each_unordered(|n| sum = sum.wrapping_add(n));
                sum
            })
        }),
        Turn::new("taskel stream, ordered", || {
            time(&|| {
                let mut sum = 0_u64;
                (0..len).par_stream().map(f).for_each_ordered(|n| sum = sum.wrapping_add(n));
                sum
            })
        }),
    ];
    turns.retain(|turn| context.wants_peer(&turn.peer));
    Row { name: name.to_owned(), bound: None, cells: take_turns(&mut turns, context.reps) }
}
