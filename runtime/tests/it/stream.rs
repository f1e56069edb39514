//! Streams: order, bounds, who is at the source when, early ends, panics.

use std::cell::Cell;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use taskel::ThreadPool;
use taskel::prelude::*;

use crate::watchdog;

fn on_pools(test: impl Fn()) {
    for threads in [1, 2, 4] {
        let pool = ThreadPool::builder().num_threads(threads).build().unwrap();
        (0..20).for_each(|_| pool.install(&test));
    }
}

/// A source that checks that one thread at a time asks it, and counts what is in flight.
struct Watched<'a> {
    left: usize,
    busy: &'a AtomicBool,
    in_flight: &'a AtomicUsize,
    most: usize,
}

impl Iterator for Watched<'_> {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        assert!(!self.busy.swap(true, Ordering::Acquire), "two threads at the source");
        self.left = self.left.checked_sub(1).or_else(|| {
            self.busy.store(false, Ordering::Release);
            None
        })?;
        let before = self.in_flight.fetch_add(1, Ordering::Relaxed);
        assert!(before < self.most, "{} in flight", before + 1);
        self.busy.store(false, Ordering::Release);
        Some(self.left)
    }
}

#[test]
fn order_is_kept_and_no_more_is_in_flight_than_allowed() {
    on_pools(|| {
        for (len, most) in [(0, 1), (1, 1), (10, 1), (1000, 3), (5000, 64), (300, 100_000)] {
            let (busy, in_flight) = (AtomicBool::new(false), AtomicUsize::new(0));
            let source = Watched { left: len, busy: &busy, in_flight: &in_flight, most };
            let mut expected = (0..len).rev().map(|n| n * 2);
            source.par_stream().map(|n| n * 2).max_in_flight(most).for_each_ordered(|n| {
                assert_eq!(Some(n), expected.next());
                in_flight.fetch_sub(1, Ordering::Relaxed);
            });
            assert_eq!(expected.next(), None);
        }
    });
}

#[test]
fn results_out_of_order_are_complete() {
    on_pools(|| {
        let mut seen = vec![0; 3000];
        let halves = (0..3000).par_stream().filter_map(|n: usize| (!n.is_multiple_of(3)).then_some(n));
        halves.max_in_flight(50).for_each_unordered(|n| seen[n] += 1);
        assert!(seen.iter().enumerate().all(|(n, &times)| times == usize::from(n % 3 > 0)));
    });
}

#[test]
fn weights_bound_what_is_in_flight() {
    on_pools(|| {
        let in_flight = Arc::new(AtomicUsize::new(0));
        let source = (1..400_usize).map(|n| {
            let item = vec![0_u8; n % 17 * 10];
            let before = in_flight.fetch_add(item.len(), Ordering::Relaxed);
            assert!(before < 1000, "{before} bytes in flight when one more was asked for");
            item
        });
        let mut count = 0;
        source.par_stream().max_in_flight_bytes(1000, |item| item.len()).for_each_ordered(|item| {
            count += 1;
            in_flight.fetch_sub(item.len(), Ordering::Relaxed);
        });
        assert_eq!(count, 399);
    });
}

#[test]
fn a_sink_that_stops_ends_an_endless_stream() {
    on_pools(|| {
        let mut last = 0;
        let stopped = (0_u64..).par_stream().map(|n| n + 1).try_for_each_ordered(|n| {
            assert_eq!(n, last + 1);
            last = n;
            if n == 700 { ControlFlow::Break("enough") } else { ControlFlow::Continue(()) }
        });
        assert_eq!((stopped, last), (ControlFlow::Break("enough"), 700));
    });
}

/// Counts what is alive.
struct Alive<'a>(&'a AtomicUsize);

impl<'a> Alive<'a> {
    fn new(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Alive(count)
    }
}

impl Drop for Alive<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[test]
fn a_panic_anywhere_reaches_the_caller_once_and_drops_what_is_in_flight() {
    on_pools(|| {
        for place in ["source", "map", "sink", "weight", "nowhere"] {
            let alive = AtomicUsize::new(0);
            let at = |here: &str, n: usize| {
                if here == place && n == 555 {
                    std::panic::resume_unwind(Box::new(n));
                }
            };
            let source = (0..2000_usize).map(|n| {
                at("source", n);
                (n, Alive::new(&alive))
            });
            let emitted = Cell::new(0);
            let stream = source.par_stream().map(|(n, item)| {
                at("map", n);
                (n, item)
            });
            let run = AssertUnwindSafe(|| {
                stream.max_in_flight(100).for_each_ordered(|(n, _item)| {
                    at("sink", n);
                    at("weight", n);
                    emitted.set(emitted.get() + 1);
                });
            });
            match catch_unwind(run) {
                Ok(()) => assert_eq!((place, emitted.get()), ("nowhere", 2000)),
                Err(payload) => {
                    assert_eq!(payload.downcast_ref::<usize>(), Some(&555), "{place}");
                    assert!(emitted.get() <= 555);
                }
            }
            assert_eq!(alive.into_inner(), 0, "{place}");
        }
    });
}

#[test]
fn a_slow_sink_holds_the_source_back() {
    let pool = ThreadPool::builder().num_threads(2).build().unwrap();
    let pulled = AtomicUsize::new(0);
    let source = (0..60_usize).inspect(|_| {
        pulled.fetch_add(1, Ordering::Relaxed);
    });
    let mut emitted = 0;
    pool.install(|| {
        source.par_stream().max_in_flight(4).for_each_ordered(|_| {
            assert!(pulled.load(Ordering::Relaxed) - emitted <= 4);
            std::thread::sleep(std::time::Duration::from_millis(1));
            emitted += 1;
        });
    });
    assert_eq!(emitted, 60);
}

#[test]
fn streams_and_loops_nest() {
    on_pools(|| {
        let sum = |n: u64| (0..n).into_par_iter().sum::<u64>();
        let sums: Vec<u64> = (0..50_u64).par_stream().map(sum).max_in_flight(8).collect();
        assert!(sums.into_iter().eq((0..50).map(|n| (0..n).sum::<u64>())));
        let sums: Vec<u64> = (0..20_u64)
            .into_par_iter()
            .map(|n| {
                let mut sum = 0;
                (0..n).par_stream().max_in_flight(3).for_each_ordered(|m| sum += m);
                sum
            })
            .collect();
        assert!(sums.into_iter().eq((0..20).map(|n| (0..n).sum::<u64>())));
    });
}

#[test]
fn bridges_lose_nothing() {
    on_pools(|| {
        for len in [0, 1, 10, 5000] {
            let mut items: Vec<usize> = (0..len).map(|n| n * 3).par_bridge().collect();
            items.sort_unstable();
            assert!(items.into_iter().eq((0..len).map(|n| n * 3)));
        }
        assert!((0..).par_bridge().any(|n| n == 1000));
        let failed = catch_unwind(|| (0..).par_bridge().for_each(|n| assert!(n < 1000, "too many")));
        assert!(failed.is_err());
    });
}

/// Other work that a yield does on top of a lane does not wait for that lane.
#[test]
fn who_yields_inside_of_a_stream_or_bridge_goes_on() {
    let _watchdog = watchdog::watch("yields inside of streams and bridges");
    fn yielding<T>(item: T) -> T {
        taskel::yield_now();
        item
    }
    on_pools(|| {
        let mut seen = 0;
        (0..400_u64).par_stream().max_in_flight(8).map(yielding).for_each_ordered(|n| seen += n);
        (0..400_u64).par_stream().max_in_flight(8).for_each_ordered(|n| seen += yielding(n));
        (0..400_u64).par_stream().max_in_flight(8).for_each_unordered(|n| seen += yielding(n));
        (0..400_u64).map(yielding).par_stream().max_in_flight(8).for_each_ordered(|n| seen += n);
        seen += (0..400_u64).map(yielding).par_bridge().map(std::hint::black_box).sum::<u64>();
        let slow = |n| (0..200).fold(n, |n, _| std::hint::black_box(n));
        seen += (0..400_u64).map(yielding).par_bridge().map(slow).sum::<u64>();
        assert_eq!(seen, 6 * 79_800);
    });
}

#[test]
fn items_that_weigh_nothing_are_bounded_too_and_enormous_ones_do_not_overflow() {
    on_pools(|| {
        let (pulled, mut emitted) = (AtomicUsize::new(0), 0);
        let source = (0..2000).inspect(|_| _ = pulled.fetch_add(1, Ordering::Relaxed));
        source.par_stream().max_in_flight_bytes(8, |_| 0).for_each_ordered(|_| {
            assert!(pulled.load(Ordering::Relaxed) - emitted <= 8);
            emitted += 1;
        });
        assert_eq!(emitted, 2000);
        let enormous = (0..100).par_stream().max_in_flight_bytes(usize::MAX, |n| usize::MAX - n % 2);
        assert!(enormous.collect::<Vec<_>>().into_iter().eq(0..100));
    });
}

#[test]
fn a_collection_takes_results_as_they_come_and_ends_an_endless_stream() {
    on_pools(|| {
        let asked = AtomicUsize::new(0);
        let source = || (0_usize..).inspect(|_| _ = asked.fetch_add(1, Ordering::Relaxed));
        let result: Result<Vec<_>, _> =
            source().par_stream().map(|n| if n < 10 { Ok(n) } else { Err(n) }).collect();
        assert_eq!(result, Err(10));
        let some: Option<Vec<_>> = source().par_stream().map(|n| (n < 10).then_some(n)).collect();
        assert_eq!(some, None);
        // No more than the first ones and what may be in flight behind them.
        assert!(asked.into_inner() <= 2 * (11 + 1024));
    });
}
