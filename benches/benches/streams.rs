//! What does a stream cost, and how much memory does it take, however long it is?

use std::hint::black_box;
use std::time::Instant;

use taskel::ParallelStream;
use taskel_benches::machine::Machine;
use taskel_benches::measure::median;
use taskel_benches::work::{Calibration, work};

/// The window, in items.
const WINDOW: usize = 64;
const SAMPLES: usize = 21;

fn main() {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    println!("{}\n", Machine::here(threads));
    let pool = taskel::ThreadPool::builder().num_threads(threads).build().expect("threads");
    pool.install(|| {
        endless();
        compare(10_000, 20_000.0);
        compare(100_000, 1000.0);
        compare(1_000_000, 20.0);
    });
}

/// 10⁸ items, in order, through a window.
fn endless() {
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
    println!(
        "10⁸ items of nothing, window {WINDOW}: {ns:.1} ns an item; peak resident size before {before} KiB, after {} KiB\n",
        peak_kib()
    );
}

/// The most memory that this process has had, in KiB; 0 where there is no `/proc`.
fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

/// Times ways to process `len` items of `ns` each.
fn compare(len: u64, ns: f64) {
    let iterations = Calibration::measure().iterations(ns);
    let f = move |n: u64| n + work(iterations);
    type Way<'w> = (&'w str, &'w dyn Fn(u64, &(dyn Fn(u64) -> u64 + Sync)) -> u64);
    let ways: [Way<'_>; 5] = [
        ("loop", &|len, f| (0..len).map(f).fold(0, u64::wrapping_add)),
        ("rayon par_bridge", &|len, f| {
            use rayon::iter::ParallelIterator as _;
            rayon::iter::ParallelBridge::par_bridge(0..len).map(f).reduce(|| 0, u64::wrapping_add)
        }),
        ("taskel par_bridge", &|len, f| {
            use taskel::iter::ParallelIterator as _;
            taskel::iter::ParallelBridge::par_bridge(0..len).map(f).reduce(|| 0, u64::wrapping_add)
        }),
        ("stream, unordered", &|len, f| {
            let mut sum = 0_u64;
            (0..len).par_stream().map(f).for_each_unordered(|n| sum = sum.wrapping_add(n));
            sum
        }),
        ("stream, ordered", &|len, f| {
            let mut sum = 0_u64;
            (0..len).par_stream().map(f).for_each_ordered(|n| sum = sum.wrapping_add(n));
            sum
        }),
    ];
    let expected = ways[0].1(len, &f);
    let mut times = vec![Vec::new(); ways.len()];
    for sample in 0..SAMPLES {
        for turn in 0..ways.len() {
            let index = (sample + turn) % ways.len();
            let start = Instant::now();
            let answer = black_box(ways[index].1(len, &f));
            times[index].push(start.elapsed().as_secs_f64() * 1e3);
            assert_eq!(answer, expected, "{}", ways[index].0);
        }
    }
    println!("{len} items of {ns} ns, ms, median [min–max]:");
    for ((name, _), times) in ways.iter().zip(&times) {
        let (min, max) = times.iter().fold((f64::MAX, 0.0_f64), |(min, max), &t| (min.min(t), max.max(t)));
        println!("  {name:20} {:.2} [{min:.2}–{max:.2}]", median(times.iter().copied()));
    }
}
