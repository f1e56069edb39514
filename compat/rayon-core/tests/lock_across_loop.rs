//! rayon-rs/rayon#592: with rayon-core, a worker that holds a lock waits for an inner loop, takes
//! another outer item meanwhile, and wants the lock.

use std::sync::Mutex;

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
