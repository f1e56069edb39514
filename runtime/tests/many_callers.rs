//! Threads from outside, more of them than a pool has workers or was made for: each is served, and
//! what it needed is given back.
//!
//! Items that sleep keep any number of workers busy on any machine.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use taskel::prelude::*;
use taskel::{Chunk, ThreadPool, WorkerLocal};

#[path = "support/watchdog.rs"]
mod watchdog;

fn pool(threads: usize) -> ThreadPool {
    ThreadPool::builder().num_threads(threads).build().unwrap()
}

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// Calls `what` while `others` threads are inside of scopes of the pool.
fn beside<R>(pool: &ThreadPool, others: usize, what: impl FnOnce() -> R) -> R {
    let (inside, done) = (Barrier::new(others + 1), Barrier::new(others + 1));
    thread::scope(|threads| {
        for _ in 0..others {
            threads.spawn(|| {
                pool.scope(|_| {
                    inside.wait();
                    done.wait();
                });
            });
        }
        inside.wait();
        let result = what();
        done.wait();
        result
    })
}

/// Two pieces of work that wait for each other end only if two threads do them.
#[test]
fn whoever_comes_is_helped() {
    let _watchdog = watchdog::watch("whoever comes is helped");
    let pool = pool(60);
    for others in [7, 8, 9, 41, 57] {
        beside(&pool, others, || {
            let both = Barrier::new(2);
            let wait = |_| {
                both.wait();
            };
            (0..2).into_par_iter().chunk(Chunk::Exact(1)).on(&pool).for_each(wait);
            pool.join(|| wait(0), || wait(1));
            pool.scope(|s| {
                s.spawn(|_| wait(0));
                s.spawn(|_| wait(1));
            });
        });
    }
}

#[test]
fn a_loop_beside_other_callers_is_shared_by_all_that_are_left() {
    let pool = pool(64);
    for others in [8, 30] {
        let fastest = beside(&pool, others, || {
            let call = |_| {
                let start = Instant::now();
                (0..16).into_par_iter().on(&pool).for_each(|_| thread::sleep(ms(50)));
                start.elapsed()
            };
            (0..3).map(call).min().unwrap()
        });
        assert!(fastest < ms(90), "{fastest:?} beside {others} callers");
    }
}

/// More callers than workers: nobody is slower than alone.
#[test]
fn each_of_many_callers_does_at_least_its_own() {
    let pool = pool(4);
    for callers in [8, 40, 200] {
        let start = Barrier::new(callers);
        let call = || {
            start.wait();
            let start = Instant::now();
            (0..8).into_par_iter().on(&pool).for_each(|_| thread::sleep(ms(5)));
            start.elapsed()
        };
        let slowest = thread::scope(|threads| {
            let calls: Vec<_> = (0..callers).map(|_| threads.spawn(call)).collect();
            calls.into_iter().map(|call| call.join().unwrap()).max().unwrap()
        });
        assert!(slowest < ms(110), "{slowest:?} for 40 ms of work, {callers} callers");
    }
}

/// Who comes for the rest must not leave the caller without any: it would wait, and a wait does
/// nothing else.
#[test]
fn a_caller_runs_the_first_of_its_long_items() {
    const CALLERS: usize = 3;
    let pool = pool(12);
    let (start, lost) = (Barrier::new(CALLERS), AtomicUsize::new(0));
    let call = || {
        let caller = thread::current().id();
        for _ in 0..40 {
            start.wait();
            (0..4).into_par_iter().on(&pool).for_each(|item| {
                if item == 0 && thread::current().id() != caller {
                    lost.fetch_add(1, Ordering::Relaxed);
                }
                thread::sleep(ms(4));
            });
        }
    };
    thread::scope(|threads| (0..CALLERS).for_each(|_| _ = threads.spawn(call)));
    assert_eq!(lost.into_inner(), 0);
}

/// All workers are inside of a loop of quick items that lasts, when another caller comes.
#[test]
fn a_long_loop_gives_workers_to_another_and_gets_them_back() {
    let _watchdog = watchdog::watch("a long loop");
    let pool = pool(8);
    let over = AtomicBool::new(false);
    let ran = AtomicUsize::new(0);
    let long = || {
        (0..1_000_000).into_par_iter().on(&pool).try_for_each(|_| {
            ran.fetch_add(1, Ordering::Relaxed);
            thread::sleep(ms(1));
            if over.load(Ordering::Relaxed) { Err(()) } else { Ok(()) }
        })
    };
    let items_in = |time| {
        let before = ran.load(Ordering::Relaxed);
        thread::sleep(time);
        ran.load(Ordering::Relaxed) - before
    };
    thread::scope(|threads| {
        threads.spawn(long);
        thread::sleep(ms(30));
        let all = items_in(ms(50));
        let mut slowest = Duration::ZERO;
        for _ in 0..3 {
            let start = Instant::now();
            (0..8).into_par_iter().on(&pool).for_each(|_| thread::sleep(ms(20)));
            slowest = slowest.max(start.elapsed());
        }
        thread::sleep(ms(10));
        let again = items_in(ms(50));
        over.store(true, Ordering::Relaxed);
        assert!(slowest < ms(75), "{slowest:?}, where half of the workers take 40 ms");
        assert!(again * 10 > all * 8, "{all} items before, {again} afterwards");
    });
}

/// The same for callers that are tasks of the pool itself.
#[test]
fn a_task_s_loop_gives_workers_to_another() {
    let _watchdog = watchdog::watch("two tasks");
    let pool = Arc::new(pool(8));
    let over = Arc::new(AtomicBool::new(false));
    let end = Arc::clone(&over);
    let long = pool.submit(move || {
        (0..1_000_000).into_par_iter().try_for_each(|_| {
            thread::sleep(ms(1));
            if end.load(Ordering::Relaxed) { Err(()) } else { Ok(()) }
        })
    });
    thread::sleep(ms(30));
    let start = Instant::now();
    (0..8).into_par_iter().on(&pool).for_each(|_| thread::sleep(ms(20)));
    let time = start.elapsed();
    over.store(true, Ordering::Relaxed);
    assert_eq!(long.join(), Err(()));
    assert!(time < ms(75), "{time:?}, where half of the workers take 40 ms");
}

#[test]
fn short_loops_of_300_threads_do_all_items_once() {
    const THREADS: usize = 300;
    const CALLS: usize = 20;
    const LEN: usize = 100;
    let _watchdog = watchdog::watch("short loops of 300 threads");
    let pool = pool(4);
    let lanes = WorkerLocal::new_in(&pool, || ());
    let ran: Vec<AtomicUsize> = (0..LEN).map(|_| AtomicUsize::new(0)).collect();
    let start = Barrier::new(THREADS);
    let call = || {
        start.wait();
        for _ in 0..CALLS {
            // That it gives a chunk size makes it a shared one.
            (0..LEN).into_par_iter().chunk(Chunk::Exact(10)).on(&pool).for_each(|n| {
                lanes.with(|()| ran[n].fetch_add(1, Ordering::Relaxed));
            });
        }
    };
    let ((), profile) =
        pool.profile(|| thread::scope(|threads| (0..THREADS).for_each(|_| _ = threads.spawn(call))));
    assert!(ran.into_iter().all(|ran| ran.into_inner() == THREADS * CALLS));
    let metrics = pool.metrics();
    assert_eq!(metrics.total().taskels(), (THREADS * CALLS * LEN) as u64);
    assert!(metrics.external_callers().loops() >= (THREADS * CALLS) as u64, "each has taken part in its own");
    assert_eq!(profile.taskels(), metrics.total().taskels());
    assert!(lanes.into_iter().count() <= THREADS + 4);
}

/// Lanes that were given back are leased again: the first ones first.
#[test]
fn lanes_come_back() {
    const THREADS: usize = 150;
    let _watchdog = watchdog::watch("lanes come back");
    let pool = pool(2);
    let places = || {
        let local = WorkerLocal::new_in(&pool, || Mutex::new(0));
        let (all, seen) = (Barrier::new(THREADS), Mutex::new(HashSet::new()));
        thread::scope(|threads| {
            for _ in 0..THREADS {
                threads.spawn(|| {
                    local.with(|place| {
                        all.wait();
                        seen.lock().unwrap().insert(std::ptr::from_ref(place).addr());
                    });
                });
            }
        });
        assert_eq!(seen.into_inner().unwrap().len(), THREADS, "a place for each that is inside");
        local.into_iter().count()
    };
    assert_eq!([places(), places()], [THREADS; 2]);
    let mut local = WorkerLocal::new_in(&pool, || 0);
    for _ in 0..THREADS {
        thread::scope(|threads| _ = threads.spawn(|| local.with(|_| ())));
    }
    assert_eq!(local.iter_mut().count(), 1, "one after the other, they have the same lane");
}

/// Who calls works in the place of a worker, which does nothing meanwhile.
#[test]
fn a_caller_and_the_worker_that_it_displaces_are_one_row_of_a_profile() {
    let pool = pool(2);
    let each = |_| thread::sleep(Duration::from_millis(2));
    let ((), profile) = pool.profile(|| (0..32).into_par_iter().for_each(each));
    let rows: Vec<&str> = profile.workers().iter().map(|worker| worker.label()).collect();
    let merged = rows.iter().filter(|row| row.ends_with(" + caller")).count();
    assert!(rows.len() == 2 && merged == 1, "{rows:?}");
    assert_eq!(profile.workers().iter().map(|worker| worker.taskels()).sum::<u64>(), 32);
    let [only] = &profile.loops()[..] else { panic!("one place") };
    assert_eq!((only.calls(), only.items()), (1, 32));
    assert_eq!(profile.recording().calls().len(), 2, "the program, and the loop in it");
}

/// A profile sees lanes that were made while it is being taken.
#[test]
fn a_profile_has_a_row_for_each_caller() {
    const CALLERS: usize = 50;
    let _watchdog = watchdog::watch("a profile of many callers");
    let pool = pool(2);
    let inside = Barrier::new(CALLERS);
    let call = || {
        let first = |n| {
            if n == 0 {
                inside.wait();
            }
        };
        pool.scope(|_| {
            inside.wait();
            (0..2).into_par_iter().chunk(Chunk::Exact(2)).for_each(first);
        });
    };
    let ((), profile) =
        pool.profile(|| thread::scope(|threads| (0..CALLERS).for_each(|_| _ = threads.spawn(call))));
    assert_eq!(profile.taskels(), 2 * CALLERS as u64);
    let rows: HashSet<&str> = profile.workers().iter().map(|worker| worker.label()).collect();
    assert!(rows.contains("caller") && rows.contains(&*format!("caller {CALLERS}")), "{rows:?}");
}
