//! rayon-rs/rayon#592: with rayon-core, a worker that holds a lock waits for an inner loop, takes
//! another outer item meanwhile, and wants the lock.

use std::sync::Mutex;
use std::thread::sleep;
use std::time::Duration;

use rayon::prelude::*;

#[path = "../../../runtime/tests/support/watchdog.rs"]
mod watchdog;

const RUNS: u64 = 1000;

fn pools() -> impl Iterator<Item = rayon::ThreadPool> {
    [2, 3, 4].into_iter().map(|threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap())
}

fn slow(n: u64) -> u64 {
    (0..200).fold(n, |n, step| std::hint::black_box(n ^ step)) / 1_000_000 + n
}

#[test]
fn a_lock_held_across_a_loop_ends() {
    let _watchdog = watchdog::watch("a lock held across a loop");
    for pool in pools() {
        for _ in 0..RUNS {
            let sum = Mutex::new(0);
            pool.install(|| {
                (0..16).into_par_iter().for_each(|_| {
                    let mut sum = sum.lock().unwrap();
                    *sum += (0..64_u64).into_par_iter().map(slow).map(|_| 1).sum::<u64>();
                });
            });
            assert_eq!(sum.into_inner().unwrap(), 16 * 64);
        }
    }
}

/// Of such runs with rayon-core and three workers or more, one in seven or so does not end.
#[test]
fn a_lock_held_across_a_loop_that_sleeps_ends() {
    let _watchdog = watchdog::watch("a lock held across a loop that sleeps");
    let collection: Vec<u64> = (0..32).collect();
    for pool in pools() {
        for _ in 0..40 {
            let some_mutex = Mutex::new((0..16).collect::<Vec<u64>>());
            let mutex_and_par = |_: &u64| {
                let some = some_mutex.lock().unwrap();
                let seen: Vec<u64> = some
                    .par_iter()
                    .map(|item| {
                        sleep(Duration::from_micros(20));
                        *item
                    })
                    .collect();
                seen.len()
            };
            let total: usize = pool.install(|| collection.par_iter().map(mutex_and_par).sum());
            assert_eq!(total, 32 * 16);
        }
    }
}
