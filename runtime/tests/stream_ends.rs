//! How streams end: by a panic in any closure, a cancellation, a sink that stops; and what is told
//! of it on the way: states of lanes, progress.

use std::cell::Cell;
use std::iter::successors;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread::{self, ThreadId, sleep};
use std::time::{Duration, Instant};

use taskel::prelude::*;
use taskel::{CancelToken, Cancelled, ThreadPool};

#[path = "support/watchdog.rs"]
mod watchdog;

const THREADS: [usize; 4] = [1, 2, 5, 16];

fn pools() -> impl Iterator<Item = ThreadPool> {
    THREADS.into_iter().map(|threads| ThreadPool::builder().num_threads(threads).build().unwrap())
}

/// Counts what is alive.
struct Alive<'a>(&'a AtomicUsize);

impl<'a> Alive<'a> {
    fn new(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Relaxed);
        Alive(count)
    }
}

impl Drop for Alive<'_> {
    fn drop(&mut self) {
        assert!(self.0.fetch_sub(1, Relaxed) > 0, "dropped twice");
    }
}

/// A state that belongs to the thread that has made it.
struct OfLane<'a>(ThreadId, Cell<usize>, #[expect(dead_code, reason = "dropped")] Alive<'a>);

impl Drop for OfLane<'_> {
    fn drop(&mut self) {
        assert_eq!(thread::current().id(), self.0);
    }
}

#[test]
fn a_lane_makes_its_state_with_its_first_item_and_drops_it_before_the_stream_is_over() {
    for pool in pools() {
        let (made, alive) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let init = || {
            made.fetch_add(1, Relaxed);
            OfLane(thread::current().id(), Cell::new(0), Alive::new(&alive))
        };
        let used = |state: &mut OfLane<'_>, n: usize| {
            assert_eq!(thread::current().id(), state.0);
            state.1.set(state.1.get() + 1);
            if n.is_multiple_of(100) {
                sleep(Duration::from_micros(200));
            }
        };
        assert_eq!((0..0).par_stream().on(&pool).map_init(init, used).count(), 0);
        assert_eq!(made.load(Relaxed), 0, "there was no item");
        (0..1).par_stream().on(&pool).for_each_init(init, used);
        assert_eq!(made.swap(0, Relaxed), 1, "there was one item");
        assert_eq!((0..2000).par_stream().on(&pool).map_init(init, used).count(), 2000);
        let made = made.into_inner();
        assert!((1..=pool.current_num_threads()).contains(&made), "{made} states");
        assert_eq!(alive.into_inner(), 0);
        let (sender, receiver) = std::sync::mpsc::channel();
        let sent =
            (0..500).par_stream().on(&pool).map_with(sender, |sender, n| sender.send(n).unwrap()).count();
        assert_eq!((sent, receiver.iter().sum::<usize>()), (500, 499 * 250));
    }
}

const PLACES: [&str; 14] = [
    "source",
    "filter",
    "filter_map",
    "init",
    "map_init",
    "flat_map_iter",
    "inner",
    "update",
    "inspect",
    "identity",
    "fold",
    "weight",
    "sink",
    "nowhere",
];

#[test]
fn a_panic_in_any_closure_reaches_the_caller_and_drops_everything_once() {
    let _watchdog = watchdog::watch("panics in closures of streams");
    for pool in pools() {
        // On one thread, nothing is weighed.
        let is_weighed = pool.current_num_threads() > 1;
        for place in PLACES.into_iter().filter(|place| is_weighed || *place != "weight") {
            let (alive, sums) = (AtomicUsize::new(0), AtomicUsize::new(0));
            let at = |here: &str, n: usize| {
                if here == place && n >= 555 {
                    resume_unwind(Box::new("as expected"));
                }
            };
            let source = (0..2000_usize).map(|n| {
                at("source", n);
                (n, Alive::new(&alive))
            });
            let weight = |(n, _): &(usize, Alive<'_>)| {
                at("weight", *n);
                n % 3
            };
            let stream = source.par_stream().on(&pool).max_in_flight_bytes(100, weight);
            let stream = stream.filter(|(n, _)| {
                at("filter", *n);
                n % 7 != 0
            });
            let stream = stream.filter_map(|(n, item)| {
                at("filter_map", n);
                (n % 5 != 0).then_some((n, item))
            });
            let init = || {
                at("init", 555);
                Alive::new(&alive)
            };
            let stream = stream.map_init(init, |_, (n, item)| {
                at("map_init", n);
                (n, item)
            });
            let stream = stream.flat_map_iter(|(n, item)| {
                at("flat_map_iter", n);
                let both = [(n, item), (n, Alive::new(&alive))];
                both.into_iter().inspect(|(n, _)| at("inner", *n))
            });
            let stream = stream.update(|(n, _)| at("update", *n)).inspect(|(n, _)| at("inspect", *n));
            let identity = || {
                at("identity", 555);
                (Alive::new(&alive), 0)
            };
            let stream = stream.fold(identity, |(all, sum), (n, _)| {
                at("fold", n);
                (all, sum + n)
            });
            let sink = |(_, sum)| {
                at("sink", 555);
                sums.fetch_add(sum, Relaxed);
            };
            let outcome = catch_unwind(AssertUnwindSafe(|| stream.for_each_ordered(sink)));
            let what = format!("{place}, {} threads", pool.current_num_threads());
            match outcome {
                Ok(()) => assert_eq!(place, "nowhere", "{what}"),
                Err(payload) => assert_eq!(payload.downcast_ref(), Some(&"as expected"), "{what}"),
            }
            let all: usize = (0..2000).filter(|n| n % 7 != 0 && n % 5 != 0).map(|n| 2 * n).sum();
            assert_eq!(sums.into_inner() == all, place == "nowhere", "{what}");
            assert_eq!(alive.into_inner(), 0, "{what}");
        }
    }
}

#[test]
fn a_panic_of_a_report_or_an_operator_reaches_the_caller() {
    for pool in pools() {
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            (0..10).par_stream().on(&pool).progress_with(|_, _| panic!("a report")).for_each(|_| ());
        }));
        assert_eq!(outcome.unwrap_err().downcast_ref(), Some(&"a report"));
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            (0..10).par_stream().on(&pool).reduce_with(|_, _| panic!("an operator"))
        }));
        assert_eq!(outcome.unwrap_err().downcast_ref(), Some(&"an operator"));
    }
}

#[test]
fn a_cancelled_stream_says_so_begins_nothing_more_and_drops_each_item_once() {
    let _watchdog = watchdog::watch("cancelled streams");
    for pool in pools() {
        for (at, ordered) in [(0, true), (3, false), (500, true), (500, false), (1500, true)] {
            let (token, alive) = (CancelToken::new(), AtomicUsize::new(0));
            let (late, begun) = (AtomicUsize::new(0), AtomicUsize::new(0));
            let source = successors(Some(0_usize), |n| Some(n + 1)).map(|n| (n, Alive::new(&alive)));
            let stream = source.par_stream().on(&pool).with_cancel_token(&token).max_in_flight(64);
            let stream = stream.map(|(n, item)| {
                late.fetch_add(usize::from(token.is_cancelled()), Relaxed);
                if begun.fetch_add(1, Relaxed) == at {
                    token.cancel();
                }
                (n, item)
            });
            let sink = |_| {
                assert!(!token.is_cancelled() || begun.load(Relaxed) > at);
                Ok::<(), Cancelled>(())
            };
            let result =
                if ordered { stream.try_for_each_ordered(sink) } else { stream.try_for_each_unordered(sink) };
            assert_eq!(result, Err(Cancelled));
            // Who had looked before it was cancelled begins one more.
            assert!(late.into_inner() < pool.current_num_threads());
            assert_eq!(alive.into_inner(), 0);
        }
    }
}

#[test]
fn a_stream_that_cannot_say_that_it_is_cancelled_unwinds() {
    for pool in pools() {
        let token = CancelToken::new();
        let endless = || {
            (0_u64..).par_stream().on(&pool).with_cancel_token(&token).map(|n| {
                if n == 300 {
                    token.cancel();
                }
                n
            })
        };
        let unwound = |outcome: thread::Result<u64>| assert!(outcome.unwrap_err().is::<Cancelled>());
        unwound(catch_unwind(AssertUnwindSafe(|| endless().fold(|| 0, |a, b| a ^ b).sum())));
        // From now on it is cancelled before it begins.
        unwound(catch_unwind(AssertUnwindSafe(|| endless().count() as u64)));
        unwound(catch_unwind(AssertUnwindSafe(|| endless().collect::<Vec<_>>().len() as u64)));
        let asked = AtomicUsize::new(0);
        let source = (0..10).inspect(|_| _ = asked.fetch_add(1, Relaxed));
        let nothing = source.par_stream().on(&pool).with_cancel_token(&token).try_for_each(|_| Some(()));
        assert_eq!((nothing, asked.into_inner()), (None, 0));
        // A child's stream ends with the parent.
        let child = token.child_token();
        let child = (0_u64..)
            .par_stream()
            .on(&pool)
            .with_cancel_token(&child)
            .try_for_each(|_| Ok::<(), Cancelled>(()));
        assert_eq!(child, Err(Cancelled));
    }
}

#[test]
fn a_token_from_elsewhere_or_a_deadline_ends_a_stream_of_sleeping_items() {
    let _watchdog = watchdog::watch("streams that others cancel");
    for pool in pools() {
        let token = CancelToken::new();
        token.cancel_after(Duration::from_millis(20));
        let endless = || (0_u64..).par_stream().on(&pool).map(|_| sleep(Duration::from_millis(1)));
        let result = endless().with_cancel_token(&token).try_for_each_ordered(|()| Ok::<(), Cancelled>(()));
        assert_eq!(result, Err(Cancelled));
        let token = CancelToken::new();
        thread::scope(|s| {
            s.spawn(|| {
                sleep(Duration::from_millis(20));
                token.cancel();
            });
            let result =
                endless().with_cancel_token(&token).try_for_each_unordered(|()| Ok::<(), Cancelled>(()));
            assert_eq!(result, Err(Cancelled));
        });
    }
}

#[test]
fn a_stream_is_not_cancelled_when_its_sink_has_said_to_stop_or_all_is_done() {
    for pool in pools() {
        for _ in 0..20 {
            let token = CancelToken::new();
            let stream = (0..1000).par_stream().on(&pool).with_cancel_token(&token);
            let stopped = stream.try_for_each_ordered(|n| {
                if n == 100 {
                    token.cancel();
                    return ControlFlow::Break(n);
                }
                ControlFlow::Continue(())
            });
            assert_eq!(stopped, ControlFlow::Break(100));
            let token = CancelToken::new();
            assert_eq!((0..1000).par_stream().on(&pool).with_cancel_token(&token).sum::<u32>(), 499_500);
            // The last one that was given counts.
            let cancelled = CancelToken::new();
            cancelled.cancel();
            let count = (0..10)
                .par_stream()
                .on(&pool)
                .with_cancel_token(&cancelled)
                .with_cancel_token(&token)
                .count();
            assert_eq!(count, 10);
        }
    }
}

/// What a stream reports whose sink gets `len` results, or stops before.
fn reports(
    pool: &ThreadPool,
    source: impl Iterator<Item = u64> + Send,
    stop: u64,
    ms: u64,
) -> Vec<(usize, usize)> {
    let (mut reports, begun, caller) = (vec![], Instant::now(), thread::current().id());
    let report = |done, total| {
        assert_eq!(thread::current().id(), caller);
        reports.push((done, total));
    };
    let stream = source.par_stream().on(pool).map(|n| {
        sleep(Duration::from_millis(ms));
        n
    });
    let stream = stream.progress_with(report).filter(|n| n % 2 == 0).max_in_flight(32);
    let _either = stream.try_for_each_ordered(|n| (n < stop).then_some(()));
    let most = begun.elapsed().as_millis() / 50 + 1;
    assert!(reports.len() as u128 <= most, "{} reports, at most {most}", reports.len());
    reports
}

#[test]
fn reports_are_few_never_go_back_and_end_with_the_number_of_items() {
    for pool in pools() {
        for len in [1, 2, 1000, 300_000] {
            let seen = reports(&pool, 0..len, u64::MAX, 0);
            let len = len as usize;
            let (last, before) = seen.split_last().unwrap();
            assert_eq!(*last, (len, len));
            assert!(seen.is_sorted() && before.iter().all(|&(done, total)| done < len && total == len));
        }
        assert_eq!(reports(&pool, 0..0, u64::MAX, 0), []);
        let items = 30 * pool.current_num_threads() as u64;
        // Nobody knows how many they are.
        let unknown = successors(Some(0), |n| (n + 1 < items).then_some(n + 1));
        let seen = reports(&pool, unknown, u64::MAX, 10);
        let (last, before) = seen.split_last().unwrap();
        assert_eq!(*last, (items as usize, items as usize));
        assert!(before.len() >= 3 && before.is_sorted(), "{seen:?}");
        assert!(
            before.iter().all(|&(done, total)| done <= items as usize && total == usize::MAX),
            "{seen:?}"
        );
        // A sink that stops makes no last report.
        let seen = reports(&pool, 0..items, items / 2, 10);
        assert!(
            seen.iter().all(|&(done, total)| done < items as usize && total == items as usize),
            "{seen:?}"
        );
    }
}
