//! No system call where a look at the word will do: a process that makes the call is killed.
#![cfg(all(not(loom), target_os = "linux", target_pointer_width = "64"))]

#[path = "support/filter.rs"]
mod filter;
mod support;

use std::time::{Duration, Instant};

use shm_lock::{LockError, ShmCondvar, ShmMutex, ShmRegion};
use support::{Child, End};

/// Runs `body` where any of `calls` kills.
fn without(calls: &[libc::c_long], body: impl Fn() -> bool) {
    let mut child = Child::fork(|| {
        let filtered = calls.iter().all(|&call| filter::forbid(call));
        i32::from(filtered && !body())
    });
    assert_eq!(child.end(), End::Exit(0), "{} would be a forbidden call", libc::SIGSYS);
}

#[test]
fn a_lock_that_is_free_takes_none() {
    let mutex = ShmMutex::memfd("test", 0_u64).unwrap();
    without(&[libc::SYS_futex, libc::SYS_kill], || {
        // The first time the thread finds out who it is.
        (0..3).all(|_| mutex.lock().is_ok() && mutex.try_lock().is_ok())
    });
}

#[test]
fn a_notification_that_nobody_waits_for_takes_none() {
    let condvar = ShmRegion::memfd("test", ShmCondvar::new()).unwrap();
    without(&[libc::SYS_futex], || {
        condvar.notify_one();
        condvar.notify_all();
        true
    });
}

#[test]
fn one_who_does_not_wait_for_a_held_lock_takes_none() {
    let mutex = ShmMutex::memfd("test", 0_u64).unwrap();
    let _guard = mutex.lock().unwrap();
    without(&[libc::SYS_futex], || {
        matches!(mutex.lock_timeout(Duration::ZERO), Err(LockError::TimedOut))
            && matches!(mutex.lock_deadline(Instant::now()), Err(LockError::TimedOut))
    });
}

#[test]
fn attempts_to_take_a_held_lock_ask_now_and_then_whether_its_owner_lives() {
    let mutex = ShmMutex::memfd("test", 0_u64).unwrap();
    let _guard = mutex.lock().unwrap();
    let mut child = Child::fork(|| {
        let held = || matches!(mutex.try_lock(), Err(LockError::WouldBlock));
        // This one asks.
        if !held() || !filter::forbid(libc::SYS_kill) {
            return 0;
        }
        i32::from(!(0..100).all(|_| held()))
    });
    assert_eq!(child.end(), End::Exit(0));
    let mut child = Child::fork(|| {
        if !filter::forbid(libc::SYS_kill) {
            return 1;
        }
        let _ = mutex.try_lock();
        0
    });
    assert_eq!(child.end(), End::Signal(libc::SIGSYS), "the first one asks");
}

#[test]
fn the_owner_that_does_not_wait_for_itself_is_told() {
    let mutex = ShmMutex::memfd("test", 0_u64).unwrap();
    let _guard = mutex.lock().unwrap();
    assert!(matches!(mutex.lock_timeout(Duration::ZERO), Err(LockError::Deadlock)));
    assert!(matches!(mutex.try_lock(), Err(LockError::WouldBlock)));
}
