//! What streams have in common with iterators: adapters, pools, runs that are folded, sinks.

use std::iter::repeat_n;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread::sleep;
use std::time::Duration;

use taskel::iter::{Adapt, Outputs};
use taskel::prelude::*;
use taskel::{CancelToken, ThreadPool};

use crate::watchdog;

const THREADS: [usize; 4] = [1, 2, 5, 16];

fn pools() -> impl Iterator<Item = ThreadPool> {
    THREADS.into_iter().map(|threads| ThreadPool::builder().num_threads(threads).build().unwrap())
}

/// Numbers that seem to be random.
fn random(seed: u64) -> impl FnMut(u64) -> u64 {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    move |below| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % below
    }
}

#[test]
fn any_pipeline_gives_what_the_serial_one_gives() {
    let _watchdog = watchdog::watch("pipelines");
    for pool in pools() {
        for seed in 1..60 {
            let mut random = random(seed);
            let [len, a, b, c, d] = [3000, 7, 5, 4, 3].map(|below| random(below) + 1);
            let window = [1, 2, 16, 1024][random(4) as usize];
            let slow = [u64::MAX, 50, 400][random(3) as usize];
            let work = |n: u64| {
                if n % slow == slow - 1 {
                    sleep(Duration::from_micros(200));
                }
                n.wrapping_mul(a)
            };
            let doubled = |last: &mut u64, n: u64| {
                *last = n;
                *last * 2
            };
            let stream = || {
                let stream = (0..len).par_stream().on(&pool).map(work).filter(|n| n % b != 0);
                let stream = stream.flat_map_iter(|n| repeat_n(n, (n % c) as usize));
                stream.map_init(|| 0, doubled).filter_map(|n| (n % d != 1).then_some(n)).max_in_flight(window)
            };
            let items = (0..len).map(|n| n * a).filter(|n| n % b != 0);
            let items = items.flat_map(|n| repeat_n(n * 2, (n % c) as usize)).filter(|n| n % d != 1);
            let expected: Vec<u64> = items.collect();
            let what = format!("{} threads, seed {seed}", pool.current_num_threads());
            match seed % 6 {
                0 => assert_eq!(stream().collect::<Vec<_>>(), expected, "{what}"),
                1 => assert_eq!(stream().count(), expected.len(), "{what}"),
                2 => {
                    // The same to the last bit.
                    let sum: f64 = stream().map(|n| 1.0 / (n + 1) as f64).sum();
                    assert_eq!(sum, expected.iter().map(|n| 1.0 / (n + 1) as f64).sum(), "{what}");
                }
                3 => {
                    let runs = stream().fold(Vec::new, |mut run, n| {
                        run.push(n);
                        run
                    });
                    let all = runs.update(|run| run.push(7)).inspect(|run| assert!(!run.is_empty()));
                    let all = all.map(|mut run| {
                        run.pop();
                        run
                    });
                    assert_eq!(all.reduce(Vec::new, |a, b| [a, b].concat()), expected, "{what}");
                }
                4 => {
                    let mut unordered = vec![];
                    stream().for_each_unordered(|n| unordered.push(n));
                    let mut sorted = expected;
                    sorted.sort_unstable();
                    unordered.sort_unstable();
                    assert_eq!(unordered, sorted, "{what}");
                }
                _ => {
                    let first = |limit: u64| expected.iter().find(|n| **n > limit).copied();
                    let found = stream().try_for_each(|n| if n > 40 { Err(n) } else { Ok(()) });
                    assert_eq!(found.err(), first(40), "{what}");
                    let greatest = stream().reduce_with(u64::max);
                    assert_eq!(greatest, expected.iter().max().copied(), "{what}");
                    let product = stream().filter(|n| n % 2 == 1).product::<u64>();
                    assert_eq!(product, expected.iter().filter(|n| *n % 2 == 1).product(), "{what}");
                }
            }
        }
    }
}

#[test]
fn a_stream_runs_on_the_pool_that_it_is_given() {
    let pools: Vec<ThreadPool> = pools().collect();
    for pool in &pools {
        let (threads, seen) = (pool.current_num_threads(), Mutex::new(vec![]));
        let here = || taskel::current_num_threads();
        let stream = (0..200).par_stream().on(&pools[0]).on(pool).map(|_| here());
        stream.for_each_ordered(|n| seen.lock().unwrap().push((n, here())));
        let inside = pools[1].install(|| (0..10).par_stream().on(pool).map(|_| here()).collect::<Vec<_>>());
        assert!(seen.into_inner().unwrap().into_iter().all(|seen| seen == (threads, threads)));
        assert!(inside.into_iter().all(|seen| seen == threads));
        // What it borrows need not live for equally long.
        let weights = vec![3; 200];
        let token = CancelToken::new();
        let stream = (0..200)
            .par_stream()
            .on(pool)
            .with_cancel_token(&token)
            .max_in_flight_bytes(100, |n| weights[*n]);
        assert_eq!(stream.count(), 200);
    }
}

#[test]
fn one_thread_folds_everything_in_one_run_and_several_in_order() {
    for pool in pools() {
        for slow in [1, 40, 1000] {
            let stream = (0..1000).par_stream().on(&pool).map(|n| {
                if n % slow == slow - 1 && slow > 1 {
                    sleep(Duration::from_micros(100));
                }
                n
            });
            let runs = stream.fold(Vec::new, |mut run, n| {
                run.push(n);
                run
            });
            let runs: Vec<Vec<i32>> = runs.collect();
            assert!(runs.iter().all(|run| !run.is_empty()));
            assert!(runs.concat().into_iter().eq(0..1000));
            assert!(pool.current_num_threads() > 1 || runs.len() == 1, "{} runs", runs.len());
        }
        // A fold of folds, and one of nothing.
        let sums = (0..1000_u64).par_stream().on(&pool).fold(|| 0, |a, b| a + b).fold(|| 0, |a, b| a + b);
        assert_eq!(sums.sum::<u64>(), 499_500);
        assert_eq!((0..0).par_stream().on(&pool).fold(|| 1, |a, b: i32| a + b).count(), 0);
        assert_eq!((0..9).par_stream().on(&pool).filter(|_| false).fold(|| 1, |a, b| a + b).count(), 0);
    }
}

/// Keeps so many items, whichever come first.
struct TakeSome(AtomicUsize);

impl Adapt<u64> for TakeSome {
    type Output = u64;
    type Local = ();
    type Iter<'a, I: Iterator<Item = u64> + 'a> = std::iter::Filter<I, Box<dyn FnMut(&u64) -> bool + 'a>>;
    const OUTPUTS: Outputs = Outputs::AtMostOne;

    fn local(&self) {}

    fn adapt<'a, I: Iterator<Item = u64> + 'a>(&'a self, (): &'a mut (), items: I) -> Self::Iter<'a, I> {
        items.filter(Box::new(|_| self.0.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1)).is_ok()))
    }

    fn is_full(&self) -> bool {
        self.0.load(Relaxed) == 0
    }
}

#[test]
fn an_adapter_that_wants_no_more_ends_an_endless_source() {
    for pool in pools() {
        for _ in 0..20 {
            let asked = AtomicUsize::new(0);
            let source = (0_u64..).inspect(|_| _ = asked.fetch_add(1, Relaxed));
            let some = source.par_stream().on(&pool).adapt(TakeSome(AtomicUsize::new(70))).max_in_flight(32);
            assert_eq!(some.map(|n| n + 1).count(), 70);
            // What was in flight besides.
            assert!(asked.into_inner() <= 70 + 32);
        }
    }
}

/// Says that it yields one item at most, and yields two.
struct Liar;

impl Adapt<u64> for Liar {
    type Output = u64;
    type Local = ();
    type Iter<'a, I: Iterator<Item = u64> + 'a> = std::iter::FlatMap<I, [u64; 2], fn(u64) -> [u64; 2]>;
    const OUTPUTS: Outputs = Outputs::One;

    fn local(&self) {}

    fn adapt<'a, I: Iterator<Item = u64> + 'a>(&'a self, (): &'a mut (), items: I) -> Self::Iter<'a, I> {
        items.flat_map(|n| [n, n])
    }
}

#[test]
#[should_panic(expected = "more for an item")]
fn an_adapter_that_yields_more_than_it_says_panics() {
    (0..10).par_stream().adapt(Liar).count();
}
