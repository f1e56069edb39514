//! Models of the shutdown: every worker ends.

use std::sync::Arc;

use super::model::explore;
use super::shutdown::Shutdown;
use super::sleep::Sleep;

struct Pool {
    sleep: Sleep,
    shutdown: Shutdown,
}

fn idle_until_shutdown(pool: &Pool, lane: usize) {
    pool.sleep.announce(lane, false);
    while !pool.shutdown.begun() {
        pool.sleep.parker(lane).park();
    }
}

/// Catches a worker that parks just before the flag is set and is never told.
#[test]
fn model_two_workers_end() {
    explore(|| {
        let pool = Arc::new(Pool { sleep: Sleep::new(2), shutdown: Shutdown::new() });
        for lane in 0..2 {
            let pool = Arc::clone(&pool);
            loom::thread::spawn(move || idle_until_shutdown(&pool, lane));
        }
        pool.shutdown.begin(&pool.sleep, 2);
    });
}

/// Catches a shutdown whose token is mistaken for an earlier, stale one.
#[test]
fn model_stale_token_against_shutdown() {
    explore(|| {
        let pool = Arc::new(Pool { sleep: Sleep::new(1), shutdown: Shutdown::new() });
        let worker = Arc::clone(&pool);
        loom::thread::spawn(move || idle_until_shutdown(&worker, 0));
        let waker = Arc::clone(&pool);
        loom::thread::spawn(move || {
            waker.sleep.wake_one([0]);
        });
        pool.shutdown.begin(&pool.sleep, 1);
    });
}
