//! A panic in every place of joins, scopes and broadcasts: one payload arrives, everything is
//! dropped, the pool works on.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, RefUnwindSafe, UnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};

use taskel::ThreadPool;
use taskel::prelude::*;

use ledger::{Ledger, Thing};
use trap::Trap;

use crate::ledger;
use crate::trap;

/// Drops of results spring the trap, too.
struct Springing<'l>(&'static Trap, Thing<'l>);

impl Drop for Springing<'_> {
    fn drop(&mut self) {
        self.0.pass(self.1.value);
    }
}

fn pools() -> impl Iterator<Item = ThreadPool> {
    [1, 2, 4].into_iter().map(|threads| ThreadPool::builder().num_threads(threads).build().unwrap())
}

#[track_caller]
fn works(pool: &ThreadPool) {
    assert_eq!(pool.join(|| 1, || 2), (1, 2));
    let ran = AtomicUsize::new(0);
    pool.scope(|s| {
        for _ in 0..10 {
            s.spawn(|_| {
                ran.fetch_add(1, Ordering::Relaxed);
            });
        }
    });
    assert_eq!(ran.into_inner(), 10);
    assert_eq!((0..100).into_par_iter().on(pool).sum::<i32>(), 4950);
}

/// A tree of joins with numbered leaves, of which one panics.
fn tree<'l>(trap: &'static Trap, ledger: &'l Ledger, depth: u32, index: usize) -> Vec<Thing<'l>> {
    let captured = ledger.thing(0);
    if depth == 0 {
        trap.pass(index);
        return vec![captured];
    }
    let (a, b) = (ledger.thing(0), ledger.thing(0));
    let (mut left, right) = taskel::join(
        || {
            let _a = a;
            tree(trap, ledger, depth - 1, 2 * index)
        },
        || {
            let _b = b;
            tree(trap, ledger, depth - 1, 2 * index + 1)
        },
    );
    left.extend(right);
    left
}

#[test]
fn in_any_leaf_of_a_tree_of_joins() {
    for pool in pools() {
        for leaf in (0..64).chain([usize::MAX]) {
            let (trap, ledger) = (Trap::new(leaf), Ledger::default());
            let outcome = catch_unwind(AssertUnwindSafe(|| pool.install(|| tree(trap, &ledger, 6, 0).len())));
            if let Ok(leaves) = outcome {
                assert_eq!(leaves, 64);
            }
            trap.assert_arrived(outcome, "a leaf");
            ledger.assert_balanced("a tree of joins");
        }
        works(&pool);
    }
}

/// If both sides panic, the first one's payload arrives.
#[test]
fn in_both_sides_of_a_join() {
    for pool in pools() {
        for _ in 0..500 {
            let (a, b) = (Trap::new(0), Trap::new(0));
            let outcome = catch_unwind(AssertUnwindSafe(|| pool.join(|| a.pass(0), || b.pass(0))));
            a.assert_arrived(outcome, "the first side");
            let lost = |trap: &Trap| {
                trap.sprung.load(Ordering::Relaxed) - trap.payloads_dropped.load(Ordering::Relaxed)
            };
            assert_eq!((lost(a), lost(b)), (0, 0));
        }
        works(&pool);
    }
}

/// One side panics, and what the other side left panics when it is dropped: the first payload
/// arrives all the same.
#[test]
fn in_the_drop_of_a_result_that_nobody_gets() {
    for pool in pools() {
        for _ in 0..200 {
            let (trap, worse, ledger) = (Trap::new(0), Trap::new(0), Ledger::default());
            let closure = Springing(worse, ledger.thing(0));
            let outcome = catch_unwind(AssertUnwindSafe(|| {
                pool.join(
                    || trap.pass(0),
                    || {
                        let _captured = closure;
                    },
                )
            }));
            trap.assert_arrived(outcome, "a join whose second side drops badly");
            ledger.assert_balanced("a join");
        }
        works(&pool);
    }
}

/// The second side panics, and the result of the first does when it is dropped: it is not told of,
/// whoever ran the second side.
#[test]
fn in_the_drop_of_the_first_sides_result() {
    struct Worse(&'static Trap);
    impl Drop for Worse {
        fn drop(&mut self) {
            self.0.spring();
        }
    }
    for pool in pools() {
        for _ in 0..200 {
            let (trap, worse) = (Trap::new(0), Trap::new(0));
            let outcome = catch_unwind(AssertUnwindSafe(|| pool.join(|| Worse(worse), || trap.pass(0))));
            trap.assert_arrived(outcome.map(std::mem::forget), "a join whose first result drops badly");
            assert_eq!(worse.sprung.load(Ordering::Relaxed), 1);
            let (trap, worse) = (Trap::new(0), Trap::new(0));
            let outcome = catch_unwind(AssertUnwindSafe(|| {
                pool.broadcast(|context| {
                    trap.pass(context.index());
                    Worse(worse)
                })
            }));
            trap.assert_arrived(outcome.map(std::mem::forget), "a broadcast whose results drop badly");
            assert_eq!(worse.sprung.load(Ordering::Relaxed), pool.current_num_threads() - 1);
        }
        works(&pool);
    }
}

#[test]
fn in_any_task_or_the_body_of_a_scope() {
    const TASKS: usize = 30;
    const BODY: usize = TASKS;
    for pool in pools() {
        for at in (0..=BODY).chain([usize::MAX]) {
            let (trap, ledger) = (Trap::new(at), Ledger::default());
            let ran = AtomicUsize::new(0);
            let outcome = catch_unwind(AssertUnwindSafe(|| {
                pool.scope(|s| {
                    for n in 0..TASKS {
                        let (thing, ran, ledger) = (ledger.thing(n), &ran, &ledger);
                        s.spawn(move |s| {
                            let inner = ledger.thing(0);
                            s.spawn(move |_| drop(inner));
                            ran.fetch_add(1, Ordering::Relaxed);
                            trap.pass(thing.value);
                        });
                    }
                    trap.pass(BODY);
                    ledger.thing(0)
                });
            }));
            assert_eq!(ran.into_inner(), TASKS, "every task runs, whatever happens to the others");
            trap.assert_arrived(outcome, "a scope");
            ledger.assert_balanced("a scope");
        }
        works(&pool);
    }
}

#[test]
fn in_every_task_at_once() {
    for pool in pools() {
        let (trap, ledger) = (Trap::new(7), Ledger::default());
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            pool.scope(|s| {
                for _ in 0..100 {
                    let thing = ledger.thing(7);
                    s.spawn(move |_| trap.pass(thing.value));
                }
            });
        }));
        trap.assert_arrived(outcome, "a scope");
        assert_eq!(trap.payloads_dropped.load(Ordering::Relaxed), 100);
        ledger.assert_balanced("a scope");
        works(&pool);
    }
}

#[test]
fn in_a_call_of_a_broadcast() {
    for pool in pools() {
        for at in (0..pool.current_num_threads()).chain([usize::MAX]) {
            let (trap, ledger) = (Trap::new(at), Ledger::default());
            let outcome = catch_unwind(AssertUnwindSafe(|| {
                let results = pool.broadcast(|context| {
                    trap.pass(context.index());
                    ledger.thing(context.index())
                });
                assert!(results.iter().map(|thing| thing.value).eq(0..results.len()));
            }));
            trap.assert_arrived(outcome, "a broadcast");
            ledger.assert_balanced("a broadcast");
        }
        works(&pool);
    }
}

/// What crosses a panic without `AssertUnwindSafe`: this test is whether it compiles.
#[test]
fn types_that_may_cross_a_panic() {
    fn may_cross<T: UnwindSafe + RefUnwindSafe>() {}
    may_cross::<ThreadPool>();
    may_cross::<taskel::HotGuard<'_>>();
    may_cross::<taskel::Task<Cell<u32>>>();
    may_cross::<taskel::WorkerLocal<u32>>();
    may_cross::<taskel::CancelToken>();
    may_cross::<taskel::PoolMetrics>();
    may_cross::<taskel::Profile>();
    let pool = ThreadPool::builder().num_threads(2).build().unwrap();
    let task = pool.submit(|| -> u32 { resume_unwind(Box::new(1)) });
    assert!(catch_unwind(|| pool.join(|| (), || -> u32 { resume_unwind(Box::new(1)) })).is_err());
    assert!(catch_unwind(|| pool.scope(|s| s.spawn(|_| resume_unwind(Box::new(1))))).is_err());
    assert!(catch_unwind(|| task.join()).is_err());
    assert_eq!(pool.join(|| 1, || 2), (1, 2));
}
