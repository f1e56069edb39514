//! Who does what is in a `flat_map`, and when it ends.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use taskel::prelude::*;
use taskel::{CancelToken, ThreadPool};

use crate::shapes::pools;

fn eight() -> ThreadPool {
    ThreadPool::builder().num_threads(8).build().unwrap()
}

fn rest() {
    thread::sleep(Duration::from_millis(5));
}

/// The least of three times, since a busy machine disturbs single calls.
fn least(mut call: impl FnMut()) -> Duration {
    let time = |call: &mut dyn FnMut()| {
        let began = Instant::now();
        call();
        began.elapsed()
    };
    (0..3).map(|_| time(&mut call)).min().unwrap()
}

#[test]
fn what_is_behind_one_wide_item_is_done_by_all_workers() {
    let pool = eight();
    let time = least(|| pool.install(|| (0..1).into_par_iter().flat_map(|_| 0..160).for_each(|_| rest())));
    assert!(time < Duration::from_millis(150), "{time:?} for 100 ms");
}

#[test]
fn what_is_behind_uneven_items_is_done_by_all_workers() {
    let pool = eight();
    let lens = [1, 100, 3, 0, 40, 16];
    let time = least(|| {
        let sum: usize = pool.install(|| {
            let items = lens.par_iter().flat_map(|&n| 0..n).map(|n| {
                rest();
                n
            });
            items.fold(|| 0, |sum, n| sum + n).sum()
        });
        assert_eq!(sum, lens.iter().map(|n| (0..*n).sum::<usize>()).sum());
    });
    assert!(time < Duration::from_millis(150), "{time:?} for 100 ms");
}

#[test]
fn a_search_ends_inside_of_the_inner_loops() {
    for pool in &pools() {
        let begun = AtomicUsize::new(0);
        let found = pool.install(|| {
            (0..4).into_par_iter().flat_map(|i| (0..1000).into_par_iter().map(move |j| (i, j))).find_any(
                |_| {
                    begun.fetch_add(1, Ordering::Relaxed);
                    rest();
                    true
                },
            )
        });
        assert!(found.is_some());
        let (begun, lanes) = (begun.into_inner(), pool.current_num_threads() + 1);
        assert!(begun <= 3 * lanes, "{begun} items on {lanes} lanes");
    }
}

#[test]
fn a_token_ends_the_inner_loops() {
    for pool in &pools() {
        let (token, begun) = (CancelToken::new(), AtomicUsize::new(0));
        let ended = catch_unwind(AssertUnwindSafe(|| {
            pool.install(|| {
                (0..4).into_par_iter().with_cancel_token(&token).flat_map(|_| 0..1000).for_each(|_| {
                    begun.fetch_add(1, Ordering::Relaxed);
                    rest();
                    token.cancel();
                });
            });
        }));
        assert!(ended.is_err());
        let (begun, lanes) = (begun.into_inner(), pool.current_num_threads() + 1);
        assert!(begun <= 3 * lanes, "{begun} items on {lanes} lanes");
    }
}

/// Counts how often it is dropped.
struct Counted<'a>(&'a AtomicUsize);

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn a_panic_drops_every_item_once() {
    for pool in &pools() {
        let (made, dropped) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let make = |n: usize| {
            made.fetch_add(n, Ordering::Relaxed);
            (0..n).map(|_| Counted(&dropped)).collect::<Vec<_>>()
        };
        let ended = catch_unwind(AssertUnwindSafe(|| {
            pool.install(|| {
                let items = (0..20).into_par_iter().flat_map(|i| make([300, 0, 7][i % 3]));
                let seen = AtomicUsize::new(0);
                let item = |item| {
                    assert!(seen.fetch_add(1, Ordering::Relaxed) < 1000, "on purpose");
                    item
                };
                items.map(item).collect::<Vec<_>>()
            })
        }));
        assert!(ended.is_err());
        assert_eq!(made.load(Ordering::Relaxed), dropped.load(Ordering::Relaxed));
    }
}
