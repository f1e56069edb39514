//! What takes no waiting: an attempt to take a lock that is held, a notification of nobody.

use crate::{
    result::Cell,
    turns::{Turn, take_turns},
};
use shm_lock::{ShmCondvar, ShmMutex, ShmRegion};
use std::{
    hint::black_box,
    sync::{Condvar, Mutex, mpsc},
    thread,
    time::{Duration, Instant},
};

/// Nanoseconds of each `try_lock` of a lock that another thread holds, `repetitions` times.
#[must_use]
pub fn try_lock_held(repetitions: usize) -> Vec<Cell> {
    let (ours, std) = (mutex(), Mutex::new(0_u64));
    let turns = [
        Turn::new("shm-lock", || time(|| black_box(&ours).try_lock().is_ok())),
        Turn::new("std::sync::Mutex", || time(|| black_box(&std).try_lock().is_ok())),
    ];
    let locked = || (ours.lock().expect("no owner dies"), std.lock().expect("nobody panics"));
    while_held(locked, turns, repetitions)
}

/// The same of `lock_timeout` with no time to wait.
#[must_use]
pub fn no_time(repetitions: usize) -> Vec<Cell> {
    let ours = mutex();
    let turns = [Turn::new("shm-lock", || time(|| black_box(&ours).lock_timeout(Duration::ZERO).is_ok()))];
    while_held(|| ours.lock().expect("no owner dies"), turns, repetitions)
}

/// The same of `notify_one` for which nobody waits.
#[must_use]
pub fn notify_nobody(repetitions: usize) -> Vec<Cell> {
    let ours = ShmRegion::memfd("bench", ShmCondvar::new()).expect("shared memory");
    let std = Condvar::new();
    let notify = |notify: &dyn Fn()| {
        notify();
        false
    };
    let mut turns = [
        Turn::new("shm-lock", || time(|| notify(&|| black_box(&ours).notify_one()))),
        Turn::new("std::sync::Mutex", || time(|| notify(&|| black_box(&std).notify_one()))),
    ];
    take_turns(&mut turns, repetitions)
}

fn mutex() -> ShmMutex<u64> {
    ShmMutex::memfd("bench", 0).expect("shared memory")
}

/// Lets `turns` be taken while another thread has what `lock` returns, and sleeps.
fn while_held<G, const N: usize>(
    lock: impl Fn() -> G + Send,
    mut turns: [Turn<'_>; N],
    repetitions: usize,
) -> Vec<Cell> {
    let ((is_held, held), (end, ended)) = (mpsc::channel(), mpsc::channel::<()>());
    thread::scope(|scope| {
        scope.spawn(move || {
            let _guard = lock();
            is_held.send(()).expect("the other thread waits for it");
            // Nobody sends anything: it ends when the other end is dropped.
            let _ = ended.recv();
        });
        held.recv().expect("the lock is free");
        let cells = take_turns(&mut turns, repetitions);
        drop(end);
        cells
    })
}

/// Nanoseconds of each call, none of which may succeed.
fn time(mut call: impl FnMut() -> bool) -> f64 {
    const CALLS: u32 = 50_000;
    let start = Instant::now();
    let succeeded = (0..CALLS).filter(|_| call()).count();
    let elapsed = start.elapsed();
    assert_eq!(succeeded, 0, "the lock is held");
    elapsed.as_nanos() as f64 / f64::from(CALLS)
}
