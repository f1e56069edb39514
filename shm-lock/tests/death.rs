//! What the other rows of the failure table get: thread exit, exec, fork, leaked guards, many
//! locks, panics.
#![cfg(all(not(loom), target_os = "linux", target_pointer_width = "64"))]

mod support;

use std::ffi::CString;
use std::fs;
use std::mem;
use std::os::fd::AsFd;
use std::ptr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use shm_lock::{LockError, LockFailure, RegionMutex, ShmMutex, ShmOnce, ShmOnceLock, ShmRegion};
use support::{Child, End, PATIENCE, await_that};

fn mutex() -> ShmMutex<u64> {
    ShmMutex::memfd("test", 0).unwrap()
}

fn reason(mutex: &RegionMutex<u64>) -> Option<LockFailure> {
    mutex.lock_timeout(PATIENCE).err().map(LockError::into_reason)
}

/// Takes the lock in a child and dies in the way that `how` says.
fn die_holding(mutex: &ShmMutex<u64>, how: impl FnOnce()) -> End {
    let mut child = Child::fork(|| {
        mem::forget(mutex.lock().unwrap());
        how();
        0
    });
    child.end()
}

fn kill_oneself() {
    // SAFETY: ends this process as a crash would.
    unsafe { libc::raise(libc::SIGKILL) };
}

fn assert_owner_died_once(mutex: &ShmMutex<u64>) {
    match mutex.lock() {
        Err(LockError::OwnerDied(guard)) => drop(guard.mark_consistent()),
        other => panic!("{other:?}"),
    }
    assert_eq!(reason(mutex), None, "only one is told");
}

#[test]
fn a_killed_owner_is_reported_once() {
    let mutex = mutex();
    assert_eq!(die_holding(&mutex, kill_oneself), End::Signal(libc::SIGKILL));
    assert_owner_died_once(&mutex);
}

#[test]
fn an_exit_with_the_lock_is_reported() {
    let mutex = mutex();
    assert_eq!(die_holding(&mutex, || ()), End::Exit(0));
    assert_owner_died_once(&mutex);
}

#[test]
fn an_exec_with_the_lock_is_reported() {
    let mutex = mutex();
    let program = CString::new("/bin/true").unwrap();
    let arguments = [program.as_ptr(), ptr::null()];
    let exec = || {
        // SAFETY: path and arguments end as they must; nothing of this process lives on.
        unsafe { libc::execv(program.as_ptr(), arguments.as_ptr()) };
    };
    assert_eq!(die_holding(&mutex, exec), End::Exit(0));
    assert_owner_died_once(&mutex);
}

#[test]
fn a_thread_that_ends_with_a_leaked_guard_is_reported() {
    let mutex = mutex();
    thread::scope(|scope| {
        scope.spawn(|| mem::forget(mutex.lock().unwrap()));
    });
    assert_owner_died_once(&mutex);
}

#[test]
fn a_sleeper_is_told_that_the_owner_was_killed() {
    let mutex = mutex();
    let mut owner = Child::fork(|| {
        let _guard = mutex.lock().unwrap();
        loop {
            thread::park();
        }
    });
    await_that("the child has the lock", || matches!(mutex.try_lock(), Err(LockError::WouldBlock)));
    let mut sleeper = Child::fork(|| match mutex.lock() {
        Err(LockError::OwnerDied(guard)) => {
            drop(guard.mark_consistent());
            7
        }
        _ => 1,
    });
    sleeper.await_sleep();
    owner.kill_and_wait();
    assert_eq!(sleeper.end(), End::Exit(7));
}

#[test]
fn one_who_dies_recovering_is_reported_again() {
    let mutex = mutex();
    die_holding(&mutex, kill_oneself);
    let mut child = Child::fork(|| {
        let Err(LockError::OwnerDied(_guard)) = mutex.lock() else { return 1 };
        kill_oneself();
        0
    });
    assert_eq!(child.end(), End::Signal(libc::SIGKILL));
    assert_owner_died_once(&mutex);
}

#[test]
fn an_unmarked_recovery_leaves_the_value_poisoned_until_it_is_marked() {
    let mutex = mutex();
    die_holding(&mutex, kill_oneself);
    assert_eq!(reason(&mutex), Some(LockFailure::OwnerDied));
    assert_eq!(reason(&mutex), Some(LockFailure::Poisoned));
    assert_eq!(mutex.try_lock().err().map(LockError::into_reason), Some(LockFailure::Poisoned));
    let Err(LockError::Poisoned(guard)) = mutex.lock() else { panic!("poisoned") };
    drop(guard.mark_consistent());
    assert_eq!(reason(&mutex), None);
}

#[test]
fn an_owner_of_a_poisoned_value_that_is_killed_is_reported_as_dead() {
    let mutex = mutex();
    die_holding(&mutex, kill_oneself);
    assert_eq!(reason(&mutex), Some(LockFailure::OwnerDied));
    let mut child = Child::fork(|| {
        let Err(LockError::Poisoned(_guard)) = mutex.lock() else { return 1 };
        kill_oneself();
        0
    });
    assert_eq!(child.end(), End::Signal(libc::SIGKILL));
    assert_owner_died_once(&mutex);
}

#[test]
fn what_was_abandoned_stays_so_and_wakes_all() {
    let mutex = mutex();
    die_holding(&mutex, kill_oneself);
    let Err(LockError::OwnerDied(guard)) = mutex.lock() else { panic!("the owner died") };
    let waits = || {
        Child::fork(|| match mutex.lock() {
            Err(LockError::NotRecoverable) => 0,
            _ => 1,
        })
    };
    let mut sleepers = [waits(), waits()];
    sleepers.iter().for_each(Child::await_sleep);
    guard.abandon();
    for sleeper in &mut sleepers {
        assert_eq!(sleeper.end(), End::Exit(0));
    }
    assert_eq!(reason(&mutex), Some(LockFailure::NotRecoverable));
}

#[test]
fn a_panic_poisons_unless_it_began_before() {
    let mutex = mutex();
    thread::scope(|scope| {
        let panics = scope.spawn(|| {
            let _guard = mutex.lock().unwrap();
            panic!("with the lock in hand");
        });
        assert!(panics.join().is_err());
    });
    let Err(LockError::Poisoned(guard)) = mutex.lock() else { panic!("poisoned") };
    drop(guard.mark_consistent());

    struct LocksWhileUnwinding<'a>(&'a ShmMutex<u64>);
    impl Drop for LocksWhileUnwinding<'_> {
        fn drop(&mut self) {
            *self.0.lock().unwrap() += 1;
        }
    }
    thread::scope(|scope| {
        let panics = scope.spawn(|| {
            let _locks = LocksWhileUnwinding(&mutex);
            panic!("without the lock");
        });
        assert!(panics.join().is_err());
    });
    assert_eq!(*mutex.lock().unwrap(), 1);
}

#[test]
fn the_owner_that_locks_again_is_told() {
    let mutex = mutex();
    let other_mapping = ShmMutex::<u64>::from_fd(mutex.as_fd().try_clone_to_owned().unwrap()).unwrap();
    let guard = mutex.lock().unwrap();
    assert_eq!(reason(&mutex), Some(LockFailure::Deadlock));
    assert_eq!(reason(&other_mapping), Some(LockFailure::Deadlock));
    assert!(matches!(mutex.try_lock(), Err(LockError::WouldBlock)));
    drop(guard);
    assert_eq!(reason(&other_mapping), None);
}

#[test]
fn a_fork_leaves_the_lock_with_the_parent() {
    let mutex = mutex();
    let guard = mutex.lock().unwrap();
    let mut child = Child::fork(|| {
        // The child's copy of the guard: dropping it must do nothing, also to the parent's list.
        // SAFETY: a copy as a fork makes it; it is dropped once in this process.
        drop(unsafe { ptr::read(&raw const guard) });
        let waits = matches!(mutex.try_lock(), Err(LockError::WouldBlock));
        // Locks of the child's own are on its own list.
        let own = ShmMutex::memfd("own", 0_u8).unwrap();
        drop(own.lock().unwrap());
        // Now the thread is registered anew, and the copy is still not its own.
        // SAFETY: as above.
        drop(unsafe { ptr::read(&raw const guard) });
        i32::from(!waits)
    });
    assert_eq!(child.end(), End::Exit(0));
    thread::scope(|scope| {
        let waits = scope.spawn(|| matches!(mutex.try_lock(), Err(LockError::WouldBlock)));
        assert!(waits.join().unwrap(), "the parent still has it");
    });
    drop(guard);
    assert_eq!(reason(&mutex), None);
}

#[test]
fn a_child_made_by_a_bare_system_call_is_told_that_it_cannot() {
    let mutex = mutex();
    drop(mutex.lock());
    // SAFETY: as fork, without glibc's knowledge; the child does nothing but look at the lock and
    // end.
    let pid = unsafe { libc::syscall(libc::SYS_clone, libc::SIGCHLD, 0, 0, 0, 0) } as libc::pid_t;
    if pid == 0 {
        let told = matches!(mutex.try_lock(), Err(LockError::Unsupported(_)));
        // SAFETY: ends the child at once.
        unsafe { libc::_exit(i32::from(!told)) };
    }
    let mut status = 0;
    // SAFETY: `status` is writable.
    assert_eq!(unsafe { libc::waitpid(pid, &raw mut status, 0) }, pid);
    assert!(libc::WIFEXITED(status) && libc::WEXITSTATUS(status) == 0, "{status:#x}");
}

/// How many mappings of this process are of a memory file with this name.
fn mappings(name: &str) -> usize {
    fs::read_to_string("/proc/self/maps").unwrap().matches(&format!("/memfd:{name} ")).count()
}

#[test]
fn a_leaked_guard_keeps_the_region_mapped() {
    let leaked = ShmMutex::memfd("test-leaked", 0_u64).unwrap();
    let other = mutex();
    thread::scope(|scope| {
        scope.spawn(|| {
            mem::forget(leaked.lock().unwrap());
            drop(leaked);
            assert_eq!(mappings("test-leaked"), 1);
            // The list leads through the leaked lock; taking another must find it.
            *other.lock().unwrap() += 1;
        });
    });
    let dropped = ShmMutex::memfd("test-dropped", 0_u64).unwrap();
    *dropped.lock().unwrap() += 1;
    assert_eq!(mappings("test-dropped"), 1);
    drop(dropped);
    assert_eq!(mappings("test-dropped"), 0);
}

/// More than the 2048 that the kernel looks through.
const MANY: usize = 3000;

#[test]
fn three_thousand_locks_of_a_dead_process_are_all_recovered() {
    let locks = ShmRegion::memfd("many", [0; MANY].map(|value: u64| RegionMutex::new(value))).unwrap();
    let mut child = Child::fork(|| {
        locks.iter().for_each(|lock| mem::forget(lock.lock().unwrap()));
        kill_oneself();
        0
    });
    assert_eq!(child.end(), End::Signal(libc::SIGKILL));
    // `Debug` shows the owner that the word names: 0 where the kernel has marked the death.
    let unmarked = locks.iter().filter(|lock| !format!("{lock:?}").contains("owner: 0,")).count();
    let mut recovered = 0;
    for (i, lock) in locks.iter().enumerate() {
        // Those that the kernel left alone were taken first or last; both ways to lock must get
        // some of them.
        if i % 2 == 0 {
            match lock.try_lock() {
                Err(LockError::OwnerDied(guard)) => drop(guard.mark_consistent()),
                other => panic!("{other:?}"),
            }
            recovered += 1;
            continue;
        }
        match lock.lock() {
            Err(LockError::OwnerDied(guard) | LockError::Poisoned(guard)) => {
                drop(guard.mark_consistent());
                recovered += 1;
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(recovered, MANY);
    assert_eq!(unmarked, MANY - 2048, "as many as the kernel leaves alone");
}

#[test]
fn a_stopped_owner_keeps_the_lock() {
    let mutex = mutex();
    let owner = Child::fork(|| {
        let _guard = mutex.lock().unwrap();
        loop {
            thread::park();
        }
    });
    await_that("the child has the lock", || matches!(mutex.try_lock(), Err(LockError::WouldBlock)));
    // SAFETY: a child that was not waited for.
    unsafe { libc::kill(owner.pid, libc::SIGSTOP) };
    let outcome = mutex.lock_timeout(Duration::from_millis(20));
    assert!(matches!(outcome, Err(LockError::TimedOut)), "{outcome:?}");
}

#[test]
fn a_dead_initialiser_lets_the_next_one_do_it() {
    let once = ShmRegion::memfd("once", ShmOnce::new()).unwrap();
    let mut child = Child::fork(|| {
        once.call_once(kill_oneself).unwrap();
        0
    });
    assert_eq!(child.end(), End::Signal(libc::SIGKILL));
    let mut told = None;
    once.call_once_with(|again| told = Some(again)).unwrap();
    assert_eq!(told, Some(true));
    once.call_once(|| panic!("it is done")).unwrap();
}

#[test]
fn a_value_whose_maker_dies_is_made_by_the_next_one() {
    let made = ShmRegion::memfd("made", ShmOnceLock::new()).unwrap();
    let mut child = Child::fork(|| {
        made.get_or_init(|| {
            kill_oneself();
            [1_u64; 4]
        })
        .unwrap();
        0
    });
    assert_eq!(child.end(), End::Signal(libc::SIGKILL));
    assert_eq!(made.get(), None);
    let mut other = Child::fork(|| i32::from(made.get_or_init(|| [2; 4]) != Ok(&[2; 4])));
    assert_eq!(other.end(), End::Exit(0));
    assert_eq!(made.get(), Some(&[2; 4]));
    assert_eq!(made.get_or_init(|| panic!("it is made")), Ok(&[2; 4]));
    let itself = ShmRegion::memfd("itself", ShmOnceLock::new()).unwrap();
    let mut inner = None;
    itself
        .get_or_init(|| {
            inner = Some(itself.get_or_init(|| 1).copied());
            2_u64
        })
        .unwrap();
    assert_eq!((inner, itself.get()), (Some(Err(LockFailure::Deadlock)), Some(&2)));
}

#[test]
fn a_once_that_calls_itself_is_told() {
    let once = ShmRegion::memfd("once", ShmOnce::new()).unwrap();
    let mut inner = None;
    once.call_once(|| inner = Some(once.call_once(|| ()))).unwrap();
    assert_eq!(inner, Some(Err(LockFailure::Deadlock)));
}

#[test]
fn a_lock_outside_of_a_region_is_refused() {
    let unplaced = RegionMutex::new(0_u64);
    for outcome in [unplaced.lock(), unplaced.try_lock(), unplaced.lock_timeout(Duration::from_secs(1))] {
        let told = outcome.err().map(LockError::into_reason);
        assert_eq!(told, Some(LockFailure::Unsupported(shm_lock::Unsupported::NotInRegion)));
    }
}

#[test]
fn a_condition_variable_works_between_processes() {
    shm_lock::region! {
        struct Table {
            turn: RegionMutex<u32>,
            changed: shm_lock::ShmCondvar,
            rounds: AtomicU32,
        }
    }
    let table = ShmRegion::memfd(
        "table",
        Table { turn: RegionMutex::new(0), changed: shm_lock::ShmCondvar::new(), rounds: AtomicU32::new(0) },
    )
    .unwrap();
    let play = |own: u32| {
        for _ in 0..200 {
            let guard = table.turn.lock().unwrap();
            let mut guard = table.changed.wait_while(guard, |turn| *turn != own).unwrap();
            *guard = 1 - own;
            table.rounds.fetch_add(1, Ordering::Relaxed);
            table.changed.notify_all();
        }
        0
    };
    let mut child = Child::fork(|| play(1));
    play(0);
    assert_eq!(child.end(), End::Exit(0));
    assert_eq!(table.rounds.load(Ordering::Relaxed), 400);
}

#[test]
fn one_who_waits_gets_the_lock_from_an_owner_that_takes_it_again_at_once() {
    shm_lock::region! {
        struct Turns {
            lock: RegionMutex<u64>,
            owner: AtomicU32,
            waiter: AtomicU32,
        }
    }
    let new = || AtomicU32::new(0);
    let turns = Turns { lock: RegionMutex::new(0), owner: new(), waiter: new() };
    let turns = ShmRegion::memfd("turns", turns).unwrap();
    let _owner = Child::fork(|| {
        loop {
            let _guard = turns.lock.lock().unwrap();
            thread::sleep(Duration::from_millis(1));
            turns.owner.fetch_add(1, Ordering::Relaxed);
        }
    });
    let _waiter = Child::fork(|| {
        loop {
            let _guard = turns.lock.lock().unwrap();
            turns.waiter.fetch_add(1, Ordering::Relaxed);
        }
    });
    await_that("the owner has had 300 turns", || turns.owner.load(Ordering::Relaxed) >= 300);
    let waiter = turns.waiter.load(Ordering::Relaxed);
    assert!(waiter >= 30, "{waiter} turns of the one who waits, 300 of the other");
}
