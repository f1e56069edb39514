//! What a thread does while it waits: never anything that it has not begun itself, directly or not.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Barrier, Mutex, OnceLock, mpsc};
use std::thread;
use std::time::Duration;

use taskel::prelude::*;
use taskel::{Chunk, ThreadPool};

#[path = "support/watchdog.rs"]
mod watchdog;

/// Runs in each pool, so short that hardly anything of the inner work is stolen: what they find is
/// races.
const RUNS: usize = 10_000;

/// Runs with taskels that sleep: every thread comes for them, outer ones lie everywhere, and each
/// inner piece is waited for.
const SLOW_RUNS: usize = 100;

fn pools() -> impl Iterator<Item = ThreadPool> {
    [2, 3, 4].into_iter().map(|threads| ThreadPool::builder().num_threads(threads).build().unwrap())
}

/// Some parallel work that is shared whenever somebody is there to share it with.
fn inner(n: u64) -> u64 {
    (0..n).into_par_iter().chunk(Chunk::Exact(1)).map(|i| i + 1).sum()
}

/// rayon-rs/rayon#592: a thread that holds a lock waits for an inner loop, and takes another outer
/// item, which wants the lock.
#[test]
fn a_lock_held_across_a_loop() {
    let _watchdog = watchdog::watch("a lock held across a loop");
    for pool in pools() {
        let lock = Mutex::new(0);
        pool.install(|| {
            for _ in 0..RUNS {
                (0..6).into_par_iter().chunk(Chunk::Exact(1)).for_each(|_| {
                    let mut sum = lock.lock().unwrap();
                    *sum += inner(4);
                });
            }
        });
        assert_eq!(lock.into_inner().unwrap(), (RUNS * 6) as u64 * 10);
    }
}

/// The same with a lock that the standard library holds while it initialises something.
#[test]
fn a_once_lock_initialised_by_a_loop() {
    let _watchdog = watchdog::watch("a OnceLock initialised by a loop");
    for pool in pools() {
        pool.install(|| {
            for run in 0..RUNS {
                let once = OnceLock::new();
                let all: Vec<u64> = (0..6)
                    .into_par_iter()
                    .chunk(Chunk::Exact(1))
                    .map(|_| *once.get_or_init(|| inner(4) + run as u64))
                    .collect();
                assert_eq!(all, [10 + run as u64; 6]);
            }
        });
    }
}

/// A leaf of the slow runs.
fn nap() {
    thread::sleep(Duration::from_micros(50));
}

/// Runs `outer` often, in a pool with more threads than one outer taskel and its wait can keep
/// busy.
fn slow_runs(what: &'static str, outer: impl Fn()) {
    let _watchdog = watchdog::watch(what);
    for threads in [3, 4] {
        let pool = ThreadPool::builder().num_threads(threads).build().unwrap();
        pool.install(|| (0..SLOW_RUNS).for_each(|_| outer()));
    }
}

/// Four leaves.
fn naps_in_a_loop() {
    (0..4).into_par_iter().chunk(Chunk::Exact(1)).for_each(|_| nap());
}

/// Likewise.
fn naps_in_joins() {
    let two = || ((), ()) = taskel::join(nap, nap);
    taskel::join(two, two);
}

/// Likewise.
fn naps_in_a_scope() {
    taskel::scope(|s| (0..4).for_each(|_| s.spawn(|_| nap())));
}

#[test]
fn slow_loops_inside_of_a_lock() {
    let lock = Mutex::new(());
    slow_runs("slow loops inside of a lock", || {
        (0..12).into_par_iter().chunk(Chunk::Exact(1)).for_each(|_| {
            let _held = lock.lock().unwrap();
            naps_in_a_loop();
        });
    });
}

#[test]
fn slow_loops_inside_of_once_locks() {
    slow_runs("slow loops inside of OnceLocks", || {
        let once: [OnceLock<()>; 4] = Default::default();
        let outer = (0..12).into_par_iter().chunk(Chunk::Exact(1));
        outer.for_each(|i: usize| *once[i / 3].get_or_init(naps_in_a_loop));
    });
}

#[test]
fn slow_joins_inside_of_a_lock() {
    fn fan(lock: &Mutex<()>, depth: u32) {
        if depth > 0 {
            taskel::join(|| fan(lock, depth - 1), || fan(lock, depth - 1));
            return;
        }
        let _held = lock.lock().unwrap();
        naps_in_joins();
    }
    let lock = Mutex::new(());
    slow_runs("slow joins inside of a lock", || fan(&lock, 3));
}

#[test]
fn slow_scopes_inside_of_a_lock() {
    let lock = Mutex::new(());
    slow_runs("slow scopes inside of a lock", || {
        taskel::scope(|s| {
            for _ in 0..12 {
                s.spawn(|_| {
                    let _held = lock.lock().unwrap();
                    naps_in_a_scope();
                });
            }
        });
    });
}

fn tree(depth: u32) -> u64 {
    if depth == 0 {
        return 1;
    }
    let (a, b) = taskel::join(|| tree(depth - 1), || tree(depth - 1));
    a + b
}

#[test]
fn a_lock_held_across_a_join() {
    fn fan(lock: &Mutex<u64>, depth: u32) {
        if depth > 0 {
            taskel::join(|| fan(lock, depth - 1), || fan(lock, depth - 1));
            return;
        }
        let mut sum = lock.lock().unwrap();
        *sum += tree(3);
    }
    let _watchdog = watchdog::watch("a lock held across a join");
    for pool in pools() {
        let lock = Mutex::new(0);
        pool.install(|| (0..RUNS).for_each(|_| fan(&lock, 3)));
        assert_eq!(lock.into_inner().unwrap(), (RUNS * 64) as u64);
    }
}

#[test]
fn a_lock_held_across_a_scope() {
    let _watchdog = watchdog::watch("a lock held across a scope");
    for pool in pools() {
        let lock = Mutex::new(0);
        pool.install(|| {
            for _ in 0..RUNS {
                taskel::scope(|s| {
                    for _ in 0..4 {
                        s.spawn(|_| {
                            let mut sum = lock.lock().unwrap();
                            let inside = AtomicU64::new(0);
                            taskel::scope(|s| {
                                for _ in 0..4 {
                                    s.spawn(|_| {
                                        inside.fetch_add(tree(1), Ordering::Relaxed);
                                    });
                                }
                            });
                            *sum += inside.into_inner();
                        });
                    }
                });
            }
        });
        assert_eq!(lock.into_inner().unwrap(), (RUNS * 32) as u64);
    }
}

/// Everything inside everything, with a lock around each.
#[test]
fn locks_across_all_of_them() {
    fn level(lock: &[Mutex<u64>], kind: usize) {
        let Some((here, rest)) = lock.split_first() else { return };
        let run = || {
            let mut count = here.lock().unwrap();
            *count += 1;
            level(rest, kind + 1);
        };
        match kind % 3 {
            0 => (0..3).into_par_iter().chunk(Chunk::Exact(1)).for_each(|_| run()),
            1 => ((), ()) = taskel::join(run, run),
            _ => taskel::scope(|s| (0..2).for_each(|_| s.spawn(|_| run()))),
        }
    }
    let _watchdog = watchdog::watch("locks across all of them");
    for pool in pools() {
        for first in 0..3 {
            let locks: [Mutex<u64>; 4] = Default::default();
            pool.install(|| (0..200).for_each(|_| level(&locks, first)));
            let factors = [3, 2, 2];
            let mut expected = 200;
            for (depth, lock) in locks.iter().enumerate() {
                expected *= factors[(first + depth) % 3];
                assert_eq!(*lock.lock().unwrap(), expected, "depth {depth}");
            }
        }
    }
}

/// A waiting thread does take part in what it waits for: here nothing ends unless both threads are
/// in the inner work.
#[test]
fn a_waiting_thread_helps_with_what_it_waits_for() {
    let _watchdog = watchdog::watch("a wait that helps");
    let pool = ThreadPool::builder().num_threads(2).build().unwrap();
    // The caller has nothing left of the outer loop, join or scope when the worker comes to the
    // inner one.
    let both = Barrier::new(2);
    let meet = |_: usize| {
        // A loop that expects to be over within microseconds would not offer itself to the other
        // thread.
        nap();
        both.wait();
    };
    let on_worker = |work: &(dyn Fn() + Sync)| {
        both.wait();
        if taskel::current_thread_index().is_some() {
            work();
        }
    };
    let inner_loop = || (0..2).into_par_iter().chunk(Chunk::Exact(1)).for_each(meet);
    let inner_join = || ((), ()) = taskel::join(|| meet(0), || meet(1));
    let inner_scope = || taskel::scope(|s| (0..2).for_each(|i| s.spawn(move |_| meet(i))));
    let inners: [&(dyn Fn() + Sync); 3] = [&inner_loop, &inner_join, &inner_scope];
    pool.install(|| {
        for _ in 0..200 {
            for inner in inners {
                (0..2).into_par_iter().chunk(Chunk::Exact(1)).for_each(|_| on_worker(inner));
                taskel::join(|| on_worker(inner), || on_worker(inner));
                taskel::scope(|s| (0..2).for_each(|_| s.spawn(|_| on_worker(inner))));
            }
        }
    });
}

/// The same when the wait has already gone to sleep.
#[test]
fn a_sleeping_wait_wakes_up_to_help() {
    let _watchdog = watchdog::watch("a sleeping wait");
    let pool = ThreadPool::builder().num_threads(2).build().unwrap();
    let both = Barrier::new(2);
    for _ in 0..20 {
        pool.join(
            || both.wait(),
            || {
                both.wait();
                if taskel::current_thread_index().is_some() {
                    thread::sleep(Duration::from_millis(2));
                    taskel::join(|| both.wait(), || both.wait());
                }
            },
        );
    }
}

/// On a stack of 4 MiB, by the caller and by a worker. Without optimisation, a level takes
/// kilobytes instead of 150 bytes: `.ci/run` has this test run with it, too.
#[test]
fn recursions_of_10_000_joins_on_one_side() {
    const STACK: usize = if cfg!(debug_assertions) { 64 << 20 } else { 4 << 20 };
    fn left(n: u32) -> u32 {
        if n == 0 { 0 } else { taskel::join(|| left(n - 1), || 1).0 + 1 }
    }
    fn right(n: u32) -> u32 {
        if n == 0 { 0 } else { taskel::join(|| 1, || right(n - 1)).1 + 1 }
    }
    let _watchdog = watchdog::watch("a deep recursion");
    for threads in [1, 2, 4] {
        let pool = ThreadPool::builder().num_threads(threads).stack_size(STACK).build().unwrap();
        let dive = || {
            assert_eq!(left(10_000), 10_000);
            assert_eq!(right(10_000), 10_000);
        };
        thread::scope(|s| {
            let caller = thread::Builder::new().stack_size(STACK);
            caller.spawn_scoped(s, || pool.install(dive)).unwrap().join().unwrap();
        });
        pool.broadcast(|_| dive());
    }
}

/// What every task holds is counted while it is pending, running or waiting to be dropped.
#[test]
fn a_million_tasks_one_after_the_other_need_little_memory() {
    struct Held<'a>(&'a AtomicUsize);
    impl Drop for Held<'_> {
        fn drop(&mut self) {
            self.0.fetch_sub(1, Ordering::Relaxed);
        }
    }
    let _watchdog = watchdog::watch("a million tasks");
    let pool = ThreadPool::builder().num_threads(2).build().unwrap();
    let (held, ran) = (AtomicUsize::new(0), AtomicUsize::new(0));
    // Each task spawns the next ones: depth first, only siblings are pending.
    fn spawn<'s>(
        s: &taskel::Scope<'s>,
        depth: u32,
        held: &'s AtomicUsize,
        ran: &'s AtomicUsize,
        most: &'s AtomicUsize,
    ) {
        most.fetch_max(held.fetch_add(1, Ordering::Relaxed) + 1, Ordering::Relaxed);
        let guard = Held(held);
        s.spawn(move |s| {
            drop(guard);
            ran.fetch_add(1, Ordering::Relaxed);
            if depth > 0 {
                (0..10).for_each(|_| spawn(s, depth - 1, held, ran, most));
            }
        });
    }
    let most = AtomicUsize::new(0);
    pool.scope(|s| spawn(s, 6, &held, &ran, &most));
    assert_eq!(ran.into_inner(), 1_111_111);
    assert_eq!(held.into_inner(), 0);
    let most = most.into_inner();
    // Two threads, six levels, nine siblings each; a thief may begin such a branch anew at each of
    // its steals.
    assert!(most < 10_000, "{most} tasks were pending at once, of a million");
}

/// A task of an outer scope that is spawned inside an inner one is not waited for there, nor run
/// there while its own scope could.
#[test]
fn tasks_of_an_outer_scope_spawned_inside_an_inner_one() {
    let _watchdog = watchdog::watch("outer and inner scopes");
    for pool in pools() {
        for _ in 0..500 {
            let (outer_ran, inner_ran) = (AtomicUsize::new(0), AtomicUsize::new(0));
            let lock = Mutex::new(());
            pool.scope(|outer| {
                let _held = lock.lock().unwrap();
                let (outer_ran, inner_ran, lock) = (&outer_ran, &inner_ran, &lock);
                taskel::scope(|inner| {
                    for _ in 0..4 {
                        inner.spawn(move |_| {
                            inner_ran.fetch_add(1, Ordering::Relaxed);
                        });
                        outer.spawn(move |_| {
                            // Held by the thread that waits for the inner scope.
                            drop(lock.lock().unwrap());
                            outer_ran.fetch_add(1, Ordering::Relaxed);
                        });
                    }
                    taskel::join(|| (), || inner.spawn(|_| assert_eq!(tree(2), 4)));
                });
                assert_eq!(inner_ran.load(Ordering::Relaxed), 4);
            });
            assert_eq!(outer_ran.into_inner(), 4);
        }
    }
}

/// A scope may be used from threads that the pool knows nothing of.
#[test]
fn tasks_spawned_from_foreign_threads() {
    let _watchdog = watchdog::watch("foreign threads");
    for threads in [1, 2, 4] {
        let pool = ThreadPool::builder().num_threads(threads).build().unwrap();
        let ran = AtomicUsize::new(0);
        let ran = &ran;
        pool.scope(|s| {
            thread::scope(|foreign| {
                for _ in 0..3 {
                    foreign.spawn(|| {
                        for _ in 0..100 {
                            s.spawn(|s| {
                                s.spawn(|_| {
                                    ran.fetch_add(1, Ordering::Relaxed);
                                })
                            });
                        }
                    });
                }
            });
        });
        assert_eq!(ran.load(Ordering::Relaxed), 300);
    }
}

/// More threads from outside than the pool was made for, in everything at once.
#[test]
fn many_callers_at_once() {
    let _watchdog = watchdog::watch("many callers");
    let pool = ThreadPool::builder().num_threads(3).build().unwrap();
    thread::scope(|s| {
        for _ in 0..12 {
            s.spawn(|| {
                pool.install(|| {
                    for _ in 0..30 {
                        assert_eq!(tree(6), 64);
                        assert_eq!(inner(10), 55);
                        let ran = AtomicUsize::new(0);
                        taskel::scope(|s| {
                            (0..10).for_each(|_| {
                                s.spawn(|_| {
                                    ran.fetch_add(1, Ordering::Relaxed);
                                })
                            })
                        });
                        assert_eq!(ran.into_inner(), 10);
                        assert_eq!(taskel::broadcast(|context| context.index()), [0, 1, 2]);
                    }
                });
            });
        }
    });
}

/// Two workers that both broadcast wait for each other, and see to each other's calls.
#[test]
fn broadcasts_at_once() {
    let _watchdog = watchdog::watch("broadcasts");
    for pool in pools() {
        let n = pool.current_num_threads();
        for _ in 0..100 {
            let sums =
                pool.broadcast(|_| taskel::broadcast(|context| context.index()).into_iter().sum::<usize>());
            assert_eq!(sums, vec![n * (n - 1) / 2; n]);
        }
        let (sender, receiver) = mpsc::channel();
        pool.spawn_broadcast(move |context| sender.send((context.index(), context.num_threads())).unwrap());
        let mut calls: Vec<_> = receiver.iter().collect();
        calls.sort_unstable();
        assert_eq!(calls, (0..n).map(|worker| (worker, n)).collect::<Vec<_>>());
    }
}
