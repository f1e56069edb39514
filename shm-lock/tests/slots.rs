//! What many have at a time, and what is left of it when one of them dies, forks or leaks it.
#![cfg(all(not(loom), target_os = "linux", target_pointer_width = "64"))]

mod support;

use std::mem;
use std::ptr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use shm_lock::{
    BarrierError, LockFailure, RegionRwLock, RwLockError, ShmBarrier, ShmRegion, ShmRwLock, ShmSemaphore,
    ShmWriteGuard,
};
use support::{Child, End, await_that};

fn kill_oneself() {
    // SAFETY: ends this process as a crash would.
    unsafe { libc::raise(libc::SIGKILL) };
}

#[test]
fn permits_of_a_dead_holder_come_back() {
    let slots = ShmRegion::memfd("slots", ShmSemaphore::new(1)).unwrap();
    let mut child = Child::fork(|| {
        let _permit = slots.acquire().unwrap();
        kill_oneself();
        0
    });
    assert_eq!(child.end(), End::Signal(libc::SIGKILL));
    assert_eq!(slots.available(), 1);
    thread::scope(|scope| {
        scope.spawn(|| mem::forget(slots.try_acquire().unwrap()));
    });
    // The thread may end a little later than the scope.
    let permit = slots.acquire().unwrap();
    assert_eq!(slots.try_acquire().err(), Some(LockFailure::WouldBlock));
    drop(permit);
    assert!(slots.add_permits(ShmSemaphore::<64>::MAX_PERMITS - 1));
    assert!(!slots.add_permits(1), "one too many");
}

/// Longer than the sleeps of those who wait for any of several.
const LONG: Duration = Duration::from_millis(250);
const SOON: Duration = Duration::from_millis(300);

#[test]
fn one_who_has_waited_long_has_the_permit_of_a_dead_holder_soon() {
    let slots = ShmRegion::memfd("slots", ShmSemaphore::new(1)).unwrap();
    let mut holder = Child::fork(|| {
        let _permit = slots.acquire().unwrap();
        loop {
            thread::park();
        }
    });
    await_that("the child has the permit", || slots.available() == 0);
    let mut waits = Child::fork(|| i32::from(slots.acquire().is_err()));
    thread::sleep(LONG);
    waits.await_sleep();
    holder.kill_and_wait();
    assert_eq!(waits.end_within(SOON), Some(End::Exit(0)));
}

#[test]
fn one_who_has_waited_long_has_the_lock_of_a_dead_reader_soon() {
    let lock = ShmRwLock::memfd("lock", 0_u64).unwrap();
    let mut reader = Child::fork(|| {
        let _guard = lock.read().unwrap();
        loop {
            thread::park();
        }
    });
    await_that("the child reads", || lock.try_write().is_err());
    let mut waits = Child::fork(|| i32::from(lock.write().is_err()));
    thread::sleep(LONG);
    waits.await_sleep();
    reader.kill_and_wait();
    assert_eq!(waits.end_within(SOON), Some(End::Exit(0)));
}

#[test]
fn members_of_a_barrier_hear_who_died() {
    let barrier = ShmRegion::memfd("barrier", ShmBarrier::new(2)).unwrap();
    let mut child = Child::fork(|| {
        let _seat = barrier.join().unwrap();
        kill_oneself();
        0
    });
    let process = child.pid as u32;
    assert_eq!(child.end(), End::Signal(libc::SIGKILL));
    let mut seat = barrier.join().unwrap();
    match seat.wait() {
        Err(BarrierError::MembersDied(dead)) => {
            assert_eq!(dead.iter().map(|member| member.process).collect::<Vec<_>>(), [process]);
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(seat.wait(), Ok(true), "it is told once");
    assert_eq!(barrier.join().err(), Some(BarrierError::Full));
}

/// A copy as a fork makes it, which is dropped at once.
fn drop_copy<T>(value: &T) {
    // SAFETY: in a child, whose copy of the value is not dropped otherwise.
    drop(unsafe { ptr::read(value) });
}

#[test]
fn a_fork_leaves_guards_permits_and_seats_with_the_parent() {
    let lock = ShmRwLock::memfd("lock", 0_u64).unwrap();
    let other = ShmRwLock::memfd("other", 0_u64).unwrap();
    let permits = ShmRegion::memfd("permits", ShmSemaphore::new(1)).unwrap();
    let steps = ShmRegion::memfd("steps", ShmBarrier::new(1)).unwrap();
    let (reads, writes) = (lock.read().unwrap(), other.write().unwrap());
    let (permit, mut seat) = (permits.acquire().unwrap(), steps.join().unwrap());
    let mut child = Child::fork(|| {
        drop_copy(&reads);
        drop_copy(&writes);
        drop_copy(&permit);
        let is_refused = seat.wait() == Err(BarrierError::NotMember);
        drop_copy(&seat);
        i32::from(!is_refused)
    });
    assert_eq!(child.end(), End::Exit(0));
    assert!(matches!(lock.try_write(), Err(RwLockError::WouldBlock)));
    assert!(matches!(other.try_read(), Err(RwLockError::WouldBlock)));
    assert_eq!(permits.available(), 0);
    assert_eq!(seat.wait(), Ok(true));
    drop((reads, writes, permit, seat));
    assert!(lock.try_write().is_ok() && other.try_write().is_ok() && permits.try_acquire().is_ok());
}

#[test]
fn what_a_fork_took_over_is_no_reader_in_the_child() {
    let lock = ShmRwLock::memfd("lock", 0_u64).unwrap();
    let guard = lock.read().unwrap();
    let mut child = Child::fork(|| match lock.write_timeout(Duration::from_millis(1)) {
        Err(RwLockError::TimedOut) => 0,
        _ => 1,
    });
    assert_eq!(child.end(), End::Exit(0));
    drop(guard);
}

#[test]
fn leaked_guards_permits_and_seats_end_with_their_thread() {
    let lock = ShmRwLock::memfd("lock", 0_u64).unwrap();
    let permits = ShmRegion::memfd("permits", ShmSemaphore::new(1)).unwrap();
    let steps = ShmRegion::memfd("steps", ShmBarrier::new(2)).unwrap();
    let mut seat = steps.join().unwrap();
    thread::scope(|scope| {
        scope.spawn(|| {
            mem::forget((lock.read().unwrap(), permits.acquire().unwrap(), steps.join().unwrap()));
        });
    });
    assert!(lock.write().is_ok() && permits.acquire().is_ok());
    assert!(matches!(seat.wait(), Err(BarrierError::MembersDied(dead)) if dead.len() == 1));
}

#[test]
fn what_lies_outside_of_a_region_is_refused() {
    let not_there = LockFailure::Unsupported(shm_lock::Unsupported::NotInRegion);
    let lock = RegionRwLock::new(0_u64);
    let told = |error: RwLockError<'_, u64>| error.into_reason();
    let reads = [lock.read(), lock.try_read(), lock.read_timeout(Duration::from_secs(1))];
    let writes = [lock.write(), lock.try_write(), lock.write_timeout(Duration::from_secs(1))];
    reads.into_iter().for_each(|outcome| assert_eq!(outcome.map_err(told).err(), Some(not_there.clone())));
    writes.into_iter().for_each(|outcome| assert_eq!(outcome.map_err(told).err(), Some(not_there.clone())));
    let permits = ShmSemaphore::new(1);
    for outcome in [permits.acquire(), permits.try_acquire()] {
        assert_eq!(outcome.err(), Some(not_there.clone()));
    }
    let refused = BarrierError::Unsupported(shm_lock::Unsupported::NotInRegion);
    assert_eq!(ShmBarrier::new(1).join().err(), Some(refused));
}

#[test]
fn more_readers_than_slots_wait_for_one_that_leaves() {
    let lock = ShmRegion::memfd("lock", RegionRwLock::<u64, 2>::with_readers(7)).unwrap();
    let [one, other] = [lock.read().unwrap(), lock.read().unwrap()];
    let is_in = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            assert!(matches!(lock.try_read(), Err(RwLockError::WouldBlock)));
            let late = lock.read_timeout(Duration::from_millis(20));
            assert!(matches!(late, Err(RwLockError::TimedOut)));
            is_in.store(true, Ordering::Release);
            assert_eq!(*lock.read().unwrap(), 7);
        });
        await_that("its time was up", || is_in.load(Ordering::Acquire));
        // Whichever of the two it waits for.
        drop(other);
    });
    drop(one);
    assert!(lock.try_write().is_ok());
}

#[test]
fn a_thread_that_would_wait_for_itself_is_told() {
    let lock = ShmRwLock::memfd("lock", 0_u64).unwrap();
    let reads = lock.read().unwrap();
    assert!(matches!(lock.write(), Err(RwLockError::Deadlock)));
    assert!(matches!(lock.try_write(), Err(RwLockError::WouldBlock)));
    assert!(lock.read().is_ok(), "nobody waits");
    drop(reads);
    let writes = lock.write().unwrap();
    assert!(matches!(lock.write(), Err(RwLockError::Deadlock)));
    assert!(matches!(lock.read(), Err(RwLockError::Deadlock)));
    assert!(matches!(lock.try_read(), Err(RwLockError::WouldBlock)));
    drop(ShmWriteGuard::downgrade(writes));
    assert!(lock.try_write().is_ok());
}
