//! A lane that sleeps in a wait, which runs nothing but what it waits for, keeps nobody from other work.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

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

/// One worker waits for a half of a join, and holds a lock; the second runs that half, and the third has a half for which there is no worker. Whoever takes
/// that wants the lock.
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
