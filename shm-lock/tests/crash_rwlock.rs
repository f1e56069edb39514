//! SIGKILL after every single instruction of the lock for readers and writers, while two others
//! wait.
//!
//! Sleepers have no ticks here, so that one whom nobody wakes is not rescued: it hangs, and the
//! test fails.
#![cfg(all(not(loom), target_os = "linux", target_arch = "x86_64"))]

mod support;
#[path = "support/trace.rs"]
mod trace;

use std::sync::Once;

use shm_lock::{RwLockError, ShmRwLock, ShmWriteGuard};
use support::{Child, End};
use trace::{Traced, finish, kill_after_every_instruction, stop};

fn without_ticks() {
    static ONCE: Once = Once::new();
    ONCE.call_once(shm_lock::sleep_without_ticks);
}

type Lock = ShmRwLock<[u64; 2]>;

/// What one who came was told: 1 that a writer died.
type Told = i32;

fn lock() -> Lock {
    Lock::memfd("lock", [0, 0]).unwrap()
}

fn repair(outcome: RwLockError<'_, [u64; 2]>) -> Told {
    match outcome {
        RwLockError::OwnerDied(mut guard) => {
            guard[1] = guard[0];
            drop(guard.mark_consistent());
            1
        }
        error => panic!("{error}"),
    }
}

#[inline(never)]
fn write(lock: &Lock) -> Told {
    match lock.write() {
        Ok(mut guard) => {
            assert_eq!(guard[0], guard[1], "a torn value without OwnerDied");
            guard[0] += 1;
            guard[1] += 1;
            0
        }
        Err(error) => repair(error),
    }
}

#[inline(never)]
fn read(lock: &Lock) -> Told {
    match lock.read() {
        Ok(guard) => {
            assert_eq!(guard[0], guard[1], "a torn value without OwnerDied");
            0
        }
        Err(error) => repair(error),
    }
}

/// Whether the process is a writer that is in.
fn is_in(lock: &Lock, pid: u32) -> bool {
    format!("{lock:?}").contains(&format!("writer: {pid},"))
}

/// A writer and a reader that wait.
fn waiters(lock: &Lock) -> [Child; 2] {
    let writer = Child::fork(|| write(lock));
    writer.await_sleep();
    let reader = Child::fork(|| read(lock));
    reader.await_sleep();
    [writer, reader]
}

/// Checks that exactly one was told if a writer that was in died, and nobody otherwise, and that
/// the lock is free.
fn assert_told(lock: &Lock, mut others: [Child; 2], torn: bool) {
    let told = others.each_mut().map(|other| match other.end() {
        End::Exit(code @ (0 | 1)) => code,
        end => panic!("{end:?}"),
    });
    let late = [read(lock), write(lock)];
    assert_eq!(told.iter().chain(&late).sum::<Told>(), Told::from(torn), "{told:?}, {late:?}");
    assert!(lock.try_write().is_ok());
}

#[test]
fn a_reader_killed_anywhere_leaves_the_lock_to_a_writer_and_a_reader() {
    without_ticks();
    kill_after_every_instruction(
        20,
        |done| {
            let lock = lock();
            let mut traced = Traced::fork(|| {
                let guard = lock.read().unwrap();
                stop();
                drop(guard);
                finish(done)
            });
            traced.run_to_stop();
            let others = waiters(&lock);
            (traced, (lock, others))
        },
        |_, _| (),
        |(lock, others), ()| assert_told(&lock, others, false),
    );
    // From before it takes a slot; nobody waits yet.
    kill_after_every_instruction(
        60,
        |done| {
            let lock = lock();
            let mut traced = Traced::fork(|| {
                drop(lock.try_read());
                stop();
                read(&lock);
                finish(done)
            });
            traced.run_to_stop();
            (traced, lock)
        },
        |_, _| (),
        |lock, ()| assert_eq!(write(&lock) + read(&lock), 0),
    );
}

#[test]
fn a_writer_killed_anywhere_leaves_the_lock_to_a_writer_and_a_reader() {
    without_ticks();
    for downgrades in [false, true] {
        kill_after_every_instruction(
            60,
            |done| {
                let lock = lock();
                // Two slots are in use.
                std::thread::scope(|scope| {
                    let _guard = lock.read();
                    scope.spawn(|| drop(lock.read()));
                });
                let mut traced = Traced::fork(|| {
                    let mut guard = lock.write().unwrap();
                    guard[0] += 1;
                    stop();
                    guard[1] += 1;
                    if downgrades {
                        drop(ShmWriteGuard::downgrade(guard));
                    } else {
                        drop(guard);
                    }
                    finish(done)
                });
                traced.run_to_stop();
                let others = waiters(&lock);
                (traced, (lock, others))
            },
            |(lock, _), pid| is_in(lock, pid),
            |(lock, others), torn| assert_told(&lock, others, torn),
        );
    }
    kill_after_every_instruction(
        60,
        |done| {
            let lock = lock();
            let mut traced = Traced::fork(|| {
                drop(lock.try_read());
                stop();
                let guard = lock.write();
                finish(done);
                drop(guard);
                0
            });
            traced.run_to_stop();
            (traced, lock)
        },
        is_in,
        |lock, torn| assert_eq!(read(&lock) + write(&lock), Told::from(torn)),
    );
}

/// It has the value's lock for a while, and is not in.
#[test]
fn a_writer_that_finds_a_reader_killed_anywhere_is_told_to_nobody() {
    without_ticks();
    kill_after_every_instruction(
        100,
        |done| {
            let lock = lock();
            let mut traced = Traced::fork(|| {
                stop();
                let refused = lock.try_write().is_err();
                finish(done);
                i32::from(!refused)
            });
            traced.run_to_stop();
            std::mem::forget(lock.read().unwrap());
            (traced, lock)
        },
        is_in,
        |lock, in_alone| {
            assert!(!in_alone, "a reader is in");
            assert_eq!(read(&lock), 0);
            assert!(lock.try_write().is_err());
        },
    );
}

#[test]
fn one_that_was_woken_killed_anywhere_leaves_the_lock_to_a_writer_and_a_reader() {
    without_ticks();
    for (reads, held_by_reader) in [(true, false), (false, false), (false, true)] {
        kill_after_every_instruction(
            60,
            |done| {
                let lock = lock();
                let reader = held_by_reader.then(|| lock.read().unwrap());
                let writer = (!held_by_reader).then(|| lock.write().unwrap());
                let mut woken = Traced::fork(|| {
                    if reads {
                        let guard = lock.read();
                        finish(done);
                        drop(guard);
                    } else {
                        let guard = lock.write();
                        finish(done);
                        drop(guard);
                    }
                    0
                });
                woken.sleep_in_futex();
                let others = waiters(&lock);
                drop((reader, writer));
                woken.await_stop();
                (woken, (lock, others))
            },
            |(lock, _), pid| is_in(lock, pid),
            |(lock, others), torn| assert_told(&lock, others, torn),
        );
    }
}
