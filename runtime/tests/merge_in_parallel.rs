//! Operators that sleep: their results are combined in a tree, in order, by whoever is there.
//! Sleeping makes any number of workers busy.

use std::cmp::Ordering;
use std::iter::Sum;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use taskel::ThreadPool;
use taskel::prelude::*;

const OPERATOR: Duration = Duration::from_millis(4);

fn slow(a: u64, b: u64) -> u64 {
    thread::sleep(OPERATOR);
    a + b
}

fn slow_compare(a: &u64, b: &u64) -> Ordering {
    thread::sleep(OPERATOR);
    a.cmp(b)
}

/// A number whose addition takes long.
struct Slow(u64);

impl Sum for Slow {
    fn sum<I: Iterator<Item = Slow>>(numbers: I) -> Slow {
        numbers.reduce(|a, b| Slow(slow(a.0, b.0))).unwrap_or(Slow(0))
    }
}

fn pool(workers: usize) -> ThreadPool {
    ThreadPool::builder().num_threads(workers).build().expect("a pool")
}

/// In operator times: each worker's share of `len` items, and the levels of a tree. How soon
/// everybody is there, at the beginning and for the tree, takes its time as well, the longer the
/// more they are.
fn bound(len: u64, workers: usize) -> f64 {
    let tree = workers.ilog2() as f64 + 1.0;
    let room = if workers <= 8 { 1.5 } else { 3.5 };
    len.div_ceil(workers as u64) as f64 + tree + room
}

/// Checks the third call's result and time, in operator times.
#[track_caller]
fn check(workers: usize, name: &str, most: f64, expected: u64, run: impl Fn() -> u64) {
    let pool = pool(workers);
    pool.install(|| {
        assert_eq!(run(), expected, "{name}");
        assert_eq!(run(), expected, "{name}");
        // Whatever else runs on this machine makes a call longer, not shorter.
        let time = |_| {
            let start = Instant::now();
            assert_eq!(run(), expected, "{name}");
            start.elapsed().as_secs_f64() / OPERATOR.as_secs_f64()
        };
        let best = (0..3).map(time).fold(f64::MAX, f64::min);
        assert!(best <= most, "{name} on {workers} workers: {best:.1} operator times, not {most}");
    });
}

const LEN: u64 = 24;
const ALL: u64 = LEN * (LEN - 1) / 2;

#[test]
fn slow_partial_results_take_a_tree() {
    for workers in [8, 16] {
        let most = bound(LEN, workers);
        let items = || (0..LEN).into_par_iter();
        check(workers, "reduce", most, ALL, || items().reduce(|| 0, slow));
        check(workers, "reduce_with", most, ALL, || items().reduce_with(slow).unwrap());
        check(workers, "max_by", most, LEN - 1, || items().max_by(slow_compare).unwrap());
        check(workers, "sum", most, ALL, || items().map(Slow).sum::<Slow>().0);
        check(workers, "try_reduce", most, ALL, || {
            items().map(Some).try_reduce(|| 0, |a, b| Some(slow(a, b))).unwrap()
        });
    }
}

#[test]
fn deterministic_reductions_of_slow_operators_take_a_tree() {
    for workers in [4, 8, 16] {
        let most = bound(LEN, workers);
        let items = || (0..LEN).into_par_iter().deterministic();
        check(workers, "reduce", most, ALL, || items().reduce(|| 0, slow));
        check(workers, "sum", most, ALL, || items().map(Slow).sum::<Slow>().0);
    }
}

/// As on one thread: no more calls of the operator than there are items.
#[test]
fn a_deterministic_reduction_calls_its_operator_once_for_each_item() {
    for workers in [1, 4, 16] {
        for len in [0, 1, 2, 24, 400, 3000] {
            let calls = AtomicUsize::new(0);
            let add = |a, b| {
                calls.fetch_add(1, Relaxed);
                a + b
            };
            let sum = pool(workers).install(|| (0..len).into_par_iter().deterministic().reduce(|| 0, add));
            assert_eq!(sum, (0..len).sum::<usize>());
            assert_eq!(calls.into_inner(), len, "{len} items on {workers} workers");
        }
    }
}

/// Also where it takes so long that it is shared: 400 items of 0.1 ms.
#[test]
fn deterministic_reductions_of_slow_operators_have_the_same_bits_for_any_number_of_threads() {
    for len in [1, 2, 3, 24, 25, 400] {
        let items: Vec<f64> = (1..=len).map(|n| 1.0 / f64::from(n)).collect();
        let add = |a: f64, b: f64| {
            thread::sleep(Duration::from_micros(100));
            a + b * 0.999
        };
        let quick = |a: f64, b: f64| a + b * 0.999;
        let bits =
            pool(1).install(|| items.par_iter().copied().deterministic().reduce(|| 0.0, quick)).to_bits();
        for workers in 1..=16 {
            let all = pool(workers).install(|| items.par_iter().copied().deterministic().reduce(|| 0.0, add));
            assert_eq!(all.to_bits(), bits, "{len} items on {workers} workers");
        }
    }
}

#[test]
fn a_slow_operator_that_does_not_commute_keeps_the_order() {
    let join = |a: String, b: String| {
        thread::sleep(Duration::from_millis(1));
        a + &b
    };
    for len in [3, 7, 26, 61] {
        let letters = || (0..len).into_par_iter().map(|n: u8| char::from(b'A' + n).to_string());
        let expected: String = (0..len).map(|n| char::from(b'A' + n)).collect();
        for workers in [2, 4, 16] {
            pool(workers).install(|| {
                assert_eq!(letters().reduce(String::new, join), expected);
                assert_eq!(letters().deterministic().reduce(String::new, join), expected);
                let pieces = letters().fold(String::new, |all, letter| all + &letter);
                assert_eq!(pieces.reduce_with(join).as_deref(), Some(&*expected));
            });
        }
    }
}

/// Counts what is alive of it.
struct Alive<'a>(&'a AtomicUsize);

impl<'a> Alive<'a> {
    fn new(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Relaxed);
        Alive(count)
    }
}

impl Drop for Alive<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

#[test]
fn a_slow_operator_that_panics_does_so_once_and_everything_is_dropped() {
    let pool = pool(8);
    for bad in 1..24 {
        for deterministic in [false, true] {
            let (alive, calls) = (AtomicUsize::new(0), AtomicUsize::new(0));
            let items = || (0..24).into_par_iter().map(|_| Alive::new(&alive));
            let op = |a, _| {
                thread::sleep(Duration::from_millis(1));
                assert!(calls.fetch_add(1, Relaxed) + 1 < bad, "call {bad}");
                a
            };
            let run = || match deterministic {
                false => pool.install(|| items().reduce_with(op)),
                true => pool.install(|| items().deterministic().reduce_with(op)),
            };
            let payload = catch_unwind(AssertUnwindSafe(run)).err().expect("a panic");
            assert_eq!(*payload.downcast::<String>().expect("a message"), format!("call {bad}"));
            assert_eq!(alive.into_inner(), 0, "call {bad}");
        }
    }
    assert_eq!(pool.install(|| (0..100).into_par_iter().sum::<u32>()), 4950);
}

/// 400 items of which one is an error: what comes behind it is neither run nor combined.
#[test]
fn what_comes_behind_an_error_is_not_combined() {
    for workers in [1, 8] {
        let calls = AtomicUsize::new(0);
        let op = |a: u64, b: u64| {
            calls.fetch_add(1, Relaxed);
            thread::sleep(Duration::from_micros(500));
            if a + b < 1000 { Ok(a + b) } else { Err(0) }
        };
        let items = (0..400_u64).into_par_iter().map(|n| if n == 50 { Err(n) } else { Ok(1) });
        let result = pool(workers).install(|| items.deterministic().try_reduce(|| 0, op));
        assert_eq!(result, Err(50));
        let calls = calls.into_inner();
        // And what is under way when the error is found.
        assert!(
            calls <= 51 + workers,
            "{calls} calls with {workers} workers: more than those in front of it"
        );
    }
}

#[test]
fn a_deterministic_try_reduce_yields_the_same_error_for_any_number_of_threads() {
    for workers in 1..=16 {
        let pool = pool(workers);
        let items = || (0..200_u64).into_par_iter().deterministic();
        let result = || {
            let items = items().map(|n| if n % 60 == 59 { Err(n) } else { Ok(n) });
            items.try_reduce(
                || 0,
                |a, b| {
                    thread::sleep(Duration::from_micros(50));
                    Ok(a + b)
                },
            )
        };
        assert_eq!(pool.install(result), Err(59), "{workers} workers");
    }
}
