//! A lane that sleeps in a wait, which runs nothing but what it waits for, keeps nobody from other
//! work.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use taskel::prelude::*;
use taskel::{Pinning, ThreadPool, current_thread_index, join};

#[path = "support/watchdog.rs"]
mod watchdog;

use watchdog::watch;

#[derive(Default)]
struct Flag(AtomicBool);

impl Flag {
    fn set(&self) {
        self.0.store(true, Ordering::Release);
    }

    fn wait(&self) {
        while !self.0.load(Ordering::Acquire) {
            thread::yield_now();
        }
    }
}

fn pool(workers: usize) -> ThreadPool {
    ThreadPool::builder().num_threads(workers).pinning(Pinning::Off).build().unwrap()
}

/// One worker waits for a half of a join, and holds a lock; the second runs that half, and the
/// third has a half for which there is no worker. Whoever takes that wants the lock.
#[test]
fn unrelated_work_goes_on_beside_a_worker_that_waits() {
    let _watchdog = watch("a half of a join beside a worker that waits");
    let pool = pool(3);
    let (half_begun, other_begun) = (Flag::default(), Flag::default());
    let lock = Mutex::new(());
    let mut index = Some(0);
    thread::scope(|threads| {
        threads.spawn(|| {
            pool.run_on_worker(|| {
                let _guard = lock.lock().unwrap();
                join(
                    || half_begun.wait(),
                    || {
                        half_begun.set();
                        other_begun.wait();
                    },
                );
            });
        });
        half_begun.wait();
        pool.run_on_worker(|| {
            join(
                || other_begun.wait(),
                || {
                    index = current_thread_index();
                    other_begun.set();
                    drop(lock.lock().unwrap());
                },
            );
        });
    });
    assert_eq!(index, None, "it was no worker: those had all begun something else");
}

/// The worker whose seat the caller has is the only one that has nothing to do.
#[test]
fn a_caller_that_waits_gives_its_seat_back_meanwhile() {
    let _watchdog = watch("a half of a join beside a caller that waits");
    let pool = pool(3);
    let (occupied, half_begun, other_begun) = (Flag::default(), Flag::default(), Flag::default());
    let mut index = None;
    let place = Mutex::new(&mut index);
    thread::scope(|threads| {
        threads.spawn(|| {
            pool.broadcast(|context| {
                if context.index() == 2 {
                    occupied.set();
                    half_begun.wait();
                    let took_it = || {
                        **place.lock().unwrap() = current_thread_index();
                        other_begun.set();
                    };
                    join(|| other_begun.wait(), took_it);
                }
            });
        });
        occupied.wait();
        // In the seat of worker 0. Worker 1 takes the half.
        pool.join(
            || half_begun.wait(),
            || {
                half_begun.set();
                other_begun.wait();
            },
        );
    });
    assert_eq!(index, Some(0));
}

/// Two joins of one call site, the second inside of the first.
fn two_joins(oper_a: &(dyn Fn() + Sync), oper_b: &(dyn Fn() + Sync)) {
    fn at_one_site(oper_a: &(dyn Fn() + Sync), oper_b: &(dyn Fn() + Sync)) {
        join(oper_a, oper_b);
    }
    at_one_site(&|| at_one_site(oper_a, oper_b), &|| ());
}

/// A site whose halves are short keeps all but the oldest private. A worker that is in the midst of
/// something long cannot offer them. (Where there is no `membarrier(2)`, nobody can take them.)
#[cfg(target_os = "linux")]
#[test]
fn what_is_private_is_taken_while_a_caller_waits() {
    let _watchdog = watch("a private half beside a caller that waits");
    let pool = pool(2);
    for _ in 0..20 {
        let (half_begun, other_begun) = (Flag::default(), Flag::default());
        pool.install(|| (0..1000).for_each(|_| two_joins(&|| (), &|| ())));
        // So that all workers sleep.
        thread::sleep(Duration::from_millis(1));
        pool.join(
            || half_begun.wait(),
            || {
                half_begun.set();
                two_joins(&|| other_begun.wait(), &|| other_begun.set());
            },
        );
    }
}

/// Workers 1 and 3 have halves of 2 and 4, which wait, and the first has something to do until a
/// reserve has begun the caller's half. In that half is a loop: who has called it and who waits for
/// it are no workers, and a loop has a slot for one of these.
#[test]
fn a_caller_that_waits_for_a_reserve_leaves_its_loop_to_workers() {
    let _watchdog = watch("a loop of a reserve beside a caller that waits for it");
    let pool = pool(5);
    let [first, second_taken, fourth_taken, half_begun, over] = [(); 5].map(|()| Flag::default());
    let (begun, ran_by) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let caller = thread::current().id();
    let both_at_once = |_| {
        ran_by.lock().unwrap().push((thread::current().id() == caller, current_thread_index()));
        begun.fetch_add(1, Ordering::Relaxed);
        while begun.load(Ordering::Relaxed) < 2 {
            thread::yield_now();
        }
    };
    thread::scope(|threads| {
        threads.spawn(|| {
            pool.broadcast(|context| {
                let taken = match context.index() {
                    0 => {
                        first.set();
                        return half_begun.wait();
                    }
                    2 => &second_taken,
                    4 => &fourth_taken,
                    _ => return,
                };
                first.wait();
                let until_over = || {
                    taken.set();
                    over.wait();
                };
                join(|| taken.wait(), until_over);
            });
        });
        second_taken.wait();
        fourth_taken.wait();
        pool.join(
            || half_begun.wait(),
            || {
                half_begun.set();
                (0..2).into_par_iter().for_each(both_at_once);
            },
        );
        over.set();
    });
    let mut ran_by = ran_by.into_inner().unwrap();
    ran_by.sort_unstable();
    assert_eq!(ran_by, [(false, None), (false, Some(0))], "the reserve and the worker");
}
