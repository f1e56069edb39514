//! Processes that are killed at random moments, thousands of times, while they fight for one lock.
#![cfg(all(not(loom), target_os = "linux", target_pointer_width = "64"))]

mod support;

use std::process;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use shm_lock::{LockError, RegionMutex, ShmMutexGuard, ShmRegion};
use support::{Child, Random, await_that};

const PROCESSES: usize = 6;
const KILLS: u64 = 3000;
const STALL: Duration = Duration::from_millis(500);

shm_lock::region! {
    struct Arena {
        /// Who is inside, and two counts that are equal whenever nobody is.
        lock: RegionMutex<[u64; 3]>,
        acquisitions: AtomicU64,
        deaths: AtomicU64,
        violations: AtomicU64,
    }
}

/// One turn with the lock.
fn turn(arena: &Arena, me: u64) {
    let violation = || arena.violations.fetch_add(1, Ordering::Relaxed);
    let mut guard: ShmMutexGuard<'_, [u64; 3]> = match arena.lock.lock() {
        Ok(guard) => {
            if guard[0] != 0 || guard[1] != guard[2] {
                violation();
            }
            guard
        }
        Err(LockError::OwnerDied(mut guard)) => {
            arena.deaths.fetch_add(1, Ordering::Relaxed);
            *guard = [0, guard[1], guard[1]];
            guard.mark_consistent()
        }
        Err(error) => panic!("{error}"),
    };
    guard[0] = me;
    guard[1] += 1;
    std::hint::black_box(&mut *guard);
    if guard[0] != me {
        violation();
    }
    guard[2] += 1;
    guard[0] = 0;
    arena.acquisitions.fetch_add(1, Ordering::Relaxed);
}

#[test]
fn nobody_is_stranded_and_nobody_is_let_in_beside_another() {
    // A sleeper whom nobody wakes must not be rescued by looking again.
    shm_lock::sleep_without_ticks();
    let arena = ShmRegion::memfd(
        "storm",
        Arena {
            lock: RegionMutex::new([0; 3]),
            acquisitions: AtomicU64::new(0),
            deaths: AtomicU64::new(0),
            violations: AtomicU64::new(0),
        },
    )
    .unwrap();
    let start = || {
        Child::fork(|| {
            let me = u64::from(process::id());
            loop {
                turn(&arena, me);
            }
        })
    };
    let mut children: Vec<Child> = (0..PROCESSES).map(|_| start()).collect();
    let mut random = Random(0x5eed);
    let (mut progress, mut since, mut stalls) = (0, Instant::now(), 0);
    for _ in 0..KILLS {
        let until = Instant::now() + Duration::from_micros(random.below(800));
        while Instant::now() < until {
            std::hint::spin_loop();
        }
        let victim = random.below(PROCESSES as u64) as usize;
        children[victim].kill_and_wait();
        children[victim] = start();
        let now = arena.acquisitions.load(Ordering::Relaxed);
        if now != progress {
            (progress, since) = (now, Instant::now());
        } else if since.elapsed() > STALL {
            (since, stalls) = (Instant::now(), stalls + 1);
        }
    }
    // All but one end; that one must go on, whatever it was waiting for.
    children.truncate(1);
    let before = arena.acquisitions.load(Ordering::Relaxed);
    await_that("the survivor takes the lock", || arena.acquisitions.load(Ordering::Relaxed) > before + 1000);
    drop(children);
    turn(&arena, 1);
    let [acquisitions, deaths, violations] = [&arena.acquisitions, &arena.deaths, &arena.violations]
        .map(|counter| counter.load(Ordering::Relaxed));
    println!("{KILLS} kills, {acquisitions} acquisitions, {deaths} of them after a death");
    assert_eq!((violations, stalls), (0, 0), "violations, stalls");
    assert!(deaths > 0 && acquisitions > KILLS, "{deaths} deaths, {acquisitions} acquisitions");
}
