//! A lock that is used in a line: what makes a value whole, what goes through `?`, and which values
//! there are.
#![cfg(all(not(loom), target_os = "linux", target_pointer_width = "64"))]

mod support;

use std::error::Error;
use std::io;
use std::mem;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use shm_lock::{
    LockError, LockFailure, RegionMutex, RwLockError, ShmBool, ShmCondvar, ShmLayout, ShmMutex, ShmRegion,
    ShmRwLock, ShmWriteGuard,
};
use support::{Child, End};

/// Two numbers that are equal whenever nobody has the lock.
type Pair = [u64; 2];

fn pair() -> ShmMutex<Pair> {
    ShmMutex::memfd("pair", [1, 1]).unwrap()
}

fn repair(pair: &mut Pair) {
    pair[1] = pair[0];
}

/// Changes half of the value, and is killed.
fn die_halfway(change: impl Fn()) {
    let mut child = Child::fork(|| {
        change();
        // SAFETY: ends this process as a crash would.
        unsafe { libc::raise(libc::SIGKILL) };
        0
    });
    assert_eq!(child.end(), End::Signal(libc::SIGKILL));
}

fn tear(mutex: &RegionMutex<Pair>) {
    die_halfway(|| {
        let mut guard = mutex.lock().unwrap();
        guard[0] += 1;
        mem::forget(guard);
    });
}

#[test]
fn a_value_is_repaired_by_the_one_who_is_told_and_whole_for_the_next() {
    let mutex = pair();
    tear(&mutex);
    let guard = mutex.lock_or_recover(repair).unwrap();
    assert_eq!(*guard, [2, 2]);
    assert_eq!(mutex.lock_or_recover(repair).err(), Some(LockFailure::Deadlock));
    drop(guard);
    assert_eq!(mutex.with(|pair| *pair), Ok([2, 2]));
    // It is not asked to repair what is whole.
    drop(mutex.lock_or_recover(|_| panic!("nothing is torn")).unwrap());
}

#[test]
fn a_repair_that_panics_leaves_it_to_the_next_one() {
    let mutex = pair();
    tear(&mutex);
    std::thread::scope(|scope| {
        let panics = scope.spawn(|| drop(mutex.lock_or_recover(|_| panic!("cannot be repaired"))));
        assert!(panics.join().is_err());
    });
    assert_eq!(mutex.with(|pair| *pair), Err(LockFailure::Poisoned));
    assert_eq!(*mutex.lock_or_recover(repair).unwrap(), [2, 2]);
}

#[test]
fn a_lock_without_poison_takes_the_value_as_it_is() {
    let mutex = pair();
    let lock = || mutex.lock_or_recover(|_| ()).unwrap();
    std::thread::scope(|scope| {
        let panics = scope.spawn(|| {
            lock()[0] += 1;
            let _guard = lock();
            panic!("with the lock in hand");
        });
        assert!(panics.join().is_err());
    });
    assert_eq!(*lock(), [2, 1]);
    assert!(mutex.lock().is_ok());
}

#[test]
fn a_torn_value_is_not_given_to_an_action() {
    let mutex = pair();
    tear(&mutex);
    let told = [0; 2].map(|_: i32| mutex.with(|_| unreachable!("it is torn")));
    assert_eq!(told, [Err::<(), _>(LockFailure::OwnerDied), Err(LockFailure::Poisoned)]);
}

#[test]
fn what_was_given_up_cannot_be_recovered() {
    let mutex = pair();
    tear(&mutex);
    let Err(LockError::OwnerDied(guard)) = mutex.lock() else { panic!("it has died") };
    guard.abandon();
    assert_eq!(mutex.lock_or_recover(repair).err(), Some(LockFailure::NotRecoverable));
}

#[test]
fn errors_of_locks_go_through_question_marks() {
    fn boxed(mutex: &ShmMutex<Pair>) -> Result<u64, Box<dyn Error>> {
        Ok(mutex.lock()?[0])
    }
    fn boxed_for_threads(lock: &ShmRwLock<Pair>) -> Result<u64, Box<dyn Error + Send + Sync>> {
        let written = lock.write()?[0];
        Ok(written + lock.read()?[0])
    }
    fn of_input(mutex: &ShmMutex<Pair>, lock: &ShmRwLock<Pair>) -> io::Result<u64> {
        Ok(mutex.lock_timeout(Duration::ZERO)?[0] + lock.try_read()?[0])
    }
    fn kept(mutex: &ShmMutex<Pair>) -> Result<u64, LockFailure> {
        Ok(mutex.try_lock()?[0])
    }
    let (mutex, lock) = (pair(), ShmRwLock::memfd("lock", [1, 1]).unwrap());
    assert_eq!((boxed(&mutex).unwrap(), kept(&mutex).unwrap()), (1, 1));
    assert_eq!((boxed_for_threads(&lock).unwrap(), of_input(&mutex, &lock).unwrap()), (2, 2));
    let guard = mutex.lock().unwrap();
    assert_eq!(boxed(&mutex).unwrap_err().downcast_ref(), Some(&LockFailure::Deadlock));
    assert_eq!(kept(&mutex), Err(LockFailure::WouldBlock));
    std::thread::scope(|scope| {
        let late = scope.spawn(|| of_input(&mutex, &lock).unwrap_err());
        assert_eq!(late.join().unwrap().kind(), io::ErrorKind::TimedOut);
    });
    drop(guard);
    tear(&mutex);
    assert_eq!(boxed(&mutex).unwrap_err().downcast_ref(), Some(&LockFailure::OwnerDied));
    assert_eq!(kept(&mutex), Err(LockFailure::Poisoned), "the guard was dropped");
}

#[test]
fn a_wait_goes_on_when_the_one_who_was_to_notify_dies() {
    let (mutex, changed) = (pair(), ShmRegion::memfd("changed", ShmCondvar::new()).unwrap());
    let guard = mutex.lock().unwrap();
    let mut child = Child::fork(|| {
        tear(&mutex);
        *mutex.lock_or_recover(repair).unwrap() = [9, 9];
        changed.notify_all();
        0
    });
    let guard = changed.wait_while_or_recover(guard, |pair| pair[0] < 9, repair).unwrap();
    assert_eq!(*guard, [9, 9]);
    drop(guard);
    assert_eq!(child.end(), End::Exit(0));
    let guard = mutex.lock().unwrap();
    let mut child = Child::fork(|| {
        tear(&mutex);
        0
    });
    let guard = changed.wait_while_or_recover(guard, |pair| *pair != [10, 10], repair).unwrap();
    drop(guard);
    assert_eq!(child.end(), End::Exit(0));
}

#[test]
fn a_lock_for_readers_is_repaired_by_either() {
    let lock = ShmRwLock::memfd("lock", [1_u64, 1]).unwrap();
    let tear = || {
        die_halfway(|| {
            let mut guard = lock.write().unwrap();
            guard[0] += 1;
            mem::forget(guard);
        });
    };
    tear();
    let guard = lock.read().or_else(|error| error.recover(repair).map(ShmWriteGuard::downgrade)).unwrap();
    assert_eq!(*guard, [2, 2]);
    assert!(matches!(lock.try_write(), Err(RwLockError::WouldBlock)));
    drop(guard);
    tear();
    *lock.write().or_else(|error| error.recover(repair)).unwrap() = [5, 5];
    assert_eq!(*lock.read().unwrap(), [5, 5]);
}

shm_lock::region! {
    struct Inner {
        lock: RegionMutex<(u64, ShmBool)>,
        counts: [AtomicU64; 3],
    }
}

shm_lock::region! {
    struct Outer {
        first: Inner,
        second: Inner,
        turn: RegionMutex<()>,
    }
}

#[test]
fn structures_lie_in_structures_with_all_kinds_of_values() {
    let inner =
        |yes: bool| Inner { lock: RegionMutex::new((7, yes.into())), counts: [1, 2, 3].map(AtomicU64::new) };
    let outer = Outer { first: inner(true), second: inner(false), turn: RegionMutex::new(()) };
    let outer = ShmRegion::memfd("outer", outer).unwrap();
    let mut text = String::new();
    <Outer as ShmLayout>::describe(&mut text);
    assert!(text.starts_with("Outer{first@0: Inner{lock@0: RegionMutex<{0@"), "{text}");
    assert!(text.contains("counts@64: [AtomicU64; 3]}, second@128: Inner{"), "{text}");
    assert!(text.ends_with("turn@256: RegionMutex<()>@40}"), "{text}");
    let _turn = outer.turn.lock().unwrap();
    assert_eq!(outer.first.lock.with(|value| (value.0, value.1.get())), Ok((7, true)));
    let mut child = Child::fork(|| {
        outer.second.counts[1].fetch_add(40, Ordering::Relaxed);
        let locked = outer.second.lock.with(|value| *value = (8, true.into())).is_ok();
        i32::from(!locked || outer.turn.try_lock().is_ok())
    });
    assert_eq!(child.end(), End::Exit(0));
    assert_eq!(outer.second.lock.with(|value| *value), Ok((8, true.into())));
    assert_eq!(outer.second.counts[1].load(Ordering::Relaxed), 42);
}

#[test]
fn whatever_byte_lies_there_a_truth_value_is_one_of_two() {
    let yes = ShmMutex::memfd("yes", 200_u8).unwrap();
    let byte = *yes.lock().unwrap();
    // SAFETY: a `ShmPod` may have any bytes.
    let odd: ShmBool = unsafe { mem::transmute(byte) };
    assert!(odd.get() && odd == ShmBool::from(true) && odd != ShmBool::default());
    assert_eq!(format!("{odd:?}"), "true");
}

#[test]
fn parts_of_a_tuple_are_compared() {
    let describe = |region: fn(&mut String)| {
        let mut text = String::new();
        region(&mut text);
        text
    };
    let texts = [
        describe(<RegionMutex<(u32, f32)> as ShmLayout>::describe),
        describe(<RegionMutex<(f32, u32)> as ShmLayout>::describe),
        describe(<RegionMutex<(u32, u32)> as ShmLayout>::describe),
        describe(<RegionMutex<(u32,)> as ShmLayout>::describe),
        describe(<RegionMutex<u32> as ShmLayout>::describe),
    ];
    assert_eq!(texts.iter().collect::<std::collections::BTreeSet<_>>().len(), texts.len(), "{texts:?}");
}
