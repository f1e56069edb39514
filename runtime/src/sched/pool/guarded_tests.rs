//! Tests with workers that are held back and called back all the time while other work goes on.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use super::{PoolState, ThreadPool};
use crate::memory::{MemoryBudget, MemoryGuard};
use crate::prelude::*;
use crate::protocol::permits::Counts;

/// `None` where the system does not tell how much memory there is.
fn guarded(workers: usize) -> Option<ThreadPool> {
    MemoryBudget::detect().ok()?;
    Some(ThreadPool::builder().num_threads(workers).memory_guard(MemoryGuard::new()).build().unwrap())
}

fn counts(pool: &PoolState) -> Counts {
    pool.guard.as_ref().unwrap().permits.counts()
}

fn nap(us: u64) {
    thread::sleep(Duration::from_micros(us));
}

/// Each kind of work that has a caller, one inside the other.
fn work(pool: &ThreadPool) {
    let inner = |n: u64| (0..8_u64).into_par_iter().map(move |m| (nap(20), n * m).1).sum::<u64>();
    let sum: u64 = pool.install(|| (0..32_u64).into_par_iter().map(inner).sum());
    assert_eq!(sum, 496 * 28);
    let made = AtomicUsize::new(0);
    let all = (0..200_u64).into_par_iter().on(pool);
    let all: Vec<u64> =
        all.map_init(|| _ = made.fetch_add(1, Ordering::Relaxed), |(), n| (nap(50), n).1).collect();
    assert!(all.into_iter().eq(0..200) && made.into_inner() >= 1);
    let done = AtomicUsize::new(0);
    pool.scope(|scope| {
        for _ in 0..50 {
            scope.spawn(|_| {
                pool.join(|| nap(20), || nap(20));
                done.fetch_add(1, Ordering::Relaxed);
            });
        }
    });
    assert_eq!(done.into_inner(), 50);
    assert_eq!(pool.broadcast(|context| context.index()).len(), pool.current_num_threads());
    let in_order: Vec<u64> = pool.install(|| (0..100).par_stream().map(|n| (nap(20), n).1).collect());
    assert!(in_order.into_iter().eq(0..100));
    assert_eq!(pool.install(|| (0..100_u64).par_bridge().map(|n| (nap(20), n).1).sum::<u64>()), 4950);
    let task = pool.submit(|| (0..20_u64).into_par_iter().map(|n| (nap(20), n).1).sum::<u64>());
    assert_eq!(task.join(), 190);
}

#[test]
fn everything_is_done_however_many_may_work() {
    let Some(pool) = guarded(4) else { return };
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut random = 1_u32;
            while !over.load(Ordering::Relaxed) {
                random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                pool.state.guard.as_ref().unwrap().permits.allow(random >> 24 & 3);
                nap(u64::from(random >> 16 & 1023));
            }
        });
        let others: Vec<_> = (0..2).map(|_| scope.spawn(|| (0..3).for_each(|_| work(&pool)))).collect();
        (0..3).for_each(|_| work(&pool));
        others.into_iter().for_each(|other| other.join().unwrap());
        over.store(true, Ordering::Relaxed);
    });
    let state = pool.state.shared();
    pool.shutdown();
    assert_eq!(counts(&state).inside, 0, "every permit comes back");
}

#[test]
fn workers_that_are_held_back_from_a_long_item_come_as_soon_as_they_may() {
    let Some(pool) = guarded(4) else { return };
    let at_once = AtomicUsize::new(0);
    let most = AtomicUsize::new(0);
    // All callers are in the middle of something: nobody but those held back looks.
    pool.install(|| {
        (0..4).into_par_iter().for_each(|_| {
            most.fetch_max(at_once.fetch_add(1, Ordering::Relaxed) + 1, Ordering::Relaxed);
            nap(600_000);
            at_once.fetch_sub(1, Ordering::Relaxed);
        });
    });
    let most = most.into_inner();
    assert!(most > 1, "{most} at a time, {:?}", counts(&pool.state));
    assert!(pool.metrics().total().held_back() > Duration::from_millis(20));
}
