//! Models of the shutdown: every worker ends.

use std::sync::Arc;

use super::model::explore;
use super::shutdown::Shutdown;
use super::sleep::Sleep;
use crate::sync::{AtomicBool, Ordering};

struct Pool {
    sleep: Sleep,
    shutdown: Shutdown,
}

fn idle_until_shutdown(pool: &Pool, lane: usize) {
    pool.sleep.announce(lane, false);
    while !pool.shutdown.over() {
        pool.sleep.parker(lane).park();
    }
}

/// Catches a worker that parks just before the pool ends and is never told.
#[test]
fn model_two_workers_end() {
    explore(|| {
        let pool = Arc::new(Pool { sleep: Sleep::new(2), shutdown: Shutdown::new() });
        for lane in 0..2 {
            let pool = Arc::clone(&pool);
            loom::thread::spawn(move || idle_until_shutdown(&pool, lane));
        }
        pool.shutdown.release(&pool.sleep, 2);
    });
}

/// Catches a worker that takes the token of the shutdown for an earlier, stale one.
#[test]
fn model_stale_token_against_shutdown() {
    explore(|| {
        let pool = Arc::new(Pool { sleep: Sleep::new(1), shutdown: Shutdown::new() });
        let worker = Arc::clone(&pool);
        loom::thread::spawn(move || idle_until_shutdown(&worker, 0));
        let waker = Arc::clone(&pool);
        loom::thread::spawn(move || {
            waker.sleep.wake_one([0], [0]);
        });
        pool.shutdown.release(&pool.sleep, 1);
    });
}

/// Catches two releases at the same time that each leave the end to the other.
#[test]
fn model_handle_and_work_let_go() {
    explore(|| {
        let pool = Arc::new(Pool { sleep: Sleep::new(1), shutdown: Shutdown::new() });
        assert!(pool.shutdown.hold());
        let worker = Arc::clone(&pool);
        loom::thread::spawn(move || idle_until_shutdown(&worker, 0));
        let work = Arc::clone(&pool);
        loom::thread::spawn(move || work.shutdown.release(&work.sleep, 1));
        pool.shutdown.release(&pool.sleep, 1);
    });
}

/// Catches work that a pool accepts although its workers end without running it.
#[test]
fn model_hand_over_against_the_end() {
    explore(|| {
        let pool = Arc::new(Pool { sleep: Sleep::new(1), shutdown: Shutdown::new() });
        let done = Arc::new(AtomicBool::new(false));
        let handed_over = Arc::new(AtomicBool::new(false));
        let worker = (Arc::clone(&pool), Arc::clone(&done), Arc::clone(&handed_over));
        let worker = loom::thread::spawn(move || {
            let (pool, done, handed_over) = worker;
            loop {
                if handed_over.swap(false, Ordering::AcqRel) {
                    done.store(true, Ordering::Relaxed);
                    pool.shutdown.release(&pool.sleep, 1);
                    continue;
                }
                if pool.shutdown.over() {
                    return;
                }
                pool.sleep.announce(0, false);
                if handed_over.load(Ordering::Acquire) {
                    let _ = pool.sleep.retract(0, false);
                    continue;
                }
                while pool.sleep.still_asleep(0) && !pool.shutdown.over() {
                    pool.sleep.parker(0).park();
                }
            }
        });
        let owner = Arc::clone(&pool);
        loom::thread::spawn(move || owner.shutdown.release(&owner.sleep, 1));
        let taken = pool.shutdown.hold();
        if taken {
            handed_over.swap(true, Ordering::AcqRel);
            pool.sleep.wake_any([0]);
        }
        worker.join().unwrap();
        assert_eq!(done.load(Ordering::Relaxed), taken);
    });
}
