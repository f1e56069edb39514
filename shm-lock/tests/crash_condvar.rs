//! SIGKILL after every single instruction of the condition variable, and of what is done once,
//! while two others wait.
//!
//! Sleepers have no ticks here. A notification may die with who gives it or with who was woken by
//! it; but the next one must reach all who wait.
#![cfg(all(not(loom), target_os = "linux", target_arch = "x86_64"))]

mod support;
#[path = "support/trace.rs"]
mod trace;

use std::sync::Once;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use shm_lock::{LockError, RegionMutex, ShmCondvar, ShmMutexGuard, ShmOnce, ShmRegion};
use support::{Child, End};
use trace::{Traced, finish, kill_after_every_instruction, stop};

fn without_ticks() {
    static ONCE: Once = Once::new();
    ONCE.call_once(shm_lock::sleep_without_ticks);
}

shm_lock::region! {
    struct Gate {
        /// Open if they are not 0; equal whenever nobody changes them.
        open: RegionMutex<[u64; 2]>,
        changed: ShmCondvar,
        /// How many were told of a death.
        told: AtomicU32,
    }
}

type Guard<'a> = ShmMutexGuard<'a, [u64; 2]>;

impl Gate {
    fn new() -> ShmRegion<Gate> {
        let gate =
            Gate { open: RegionMutex::new([0; 2]), changed: ShmCondvar::new(), told: AtomicU32::new(0) };
        ShmRegion::memfd("gate", gate).unwrap()
    }

    /// Repairs what a dead owner has left.
    fn whole<'a>(&self, outcome: Result<Guard<'a>, LockError<'a, [u64; 2]>>) -> Guard<'a> {
        match outcome {
            Ok(guard) => {
                assert_eq!(guard[0], guard[1], "a torn value without OwnerDied");
                guard
            }
            Err(LockError::OwnerDied(mut guard)) => {
                self.told.fetch_add(1, Ordering::Relaxed);
                guard[1] = guard[0];
                guard.mark_consistent()
            }
            Err(error) => panic!("{error}"),
        }
    }

    fn lock(&self) -> Guard<'_> {
        self.whole(self.open.lock())
    }

    #[inline(never)]
    fn pass(&self) {
        let mut guard = self.lock();
        while guard[0] == 0 {
            guard = self.whole(self.changed.wait(guard));
        }
    }

    #[inline(never)]
    fn open(&self) {
        let mut guard = self.lock();
        guard[0] += 1;
        guard[1] += 1;
        drop(guard);
        self.changed.notify_all();
    }

    fn has_lock(&self, pid: u32) -> bool {
        let shown = format!("{:?}", self.open);
        shown.split(|c: char| !c.is_ascii_digit()).any(|number| number == pid.to_string())
    }

    /// Two that wait for it to be open.
    fn two_wait(&self) -> [Child; 2] {
        let waits = || {
            let child = Child::fork(|| {
                self.pass();
                0
            });
            child.await_sleep();
            child
        };
        [waits(), waits()]
    }

    /// Checks that a notification reaches both, and that exactly one was told if the dead one had
    /// the lock.
    fn assert_passed(&self, mut others: [Child; 2], had_lock: bool) {
        self.open();
        others.iter_mut().for_each(|other| assert_eq!(other.end(), End::Exit(0)));
        assert_eq!(self.told.load(Ordering::Relaxed), u32::from(had_lock));
        drop(self.lock());
    }
}

#[test]
fn one_who_notifies_killed_anywhere_leaves_none_asleep_for_the_next_notification() {
    without_ticks();
    for all in [true, false] {
        kill_after_every_instruction(
            60,
            |done| {
                let gate = Gate::new();
                let mut traced = Traced::fork(|| {
                    // Registers the thread.
                    drop(gate.lock());
                    stop();
                    let mut guard = gate.lock();
                    guard[0] += 1;
                    guard[1] += 1;
                    drop(guard);
                    if all {
                        gate.changed.notify_all();
                    } else {
                        gate.changed.notify_one();
                    }
                    finish(done)
                });
                traced.run_to_stop();
                let others = gate.two_wait();
                (traced, (gate, others))
            },
            |(gate, _), pid| gate.has_lock(pid),
            |(gate, others), had_lock| gate.assert_passed(others, had_lock),
        );
    }
}

#[test]
fn one_who_begins_to_wait_killed_anywhere_leaves_none_asleep() {
    without_ticks();
    kill_after_every_instruction(
        60,
        |done| {
            let gate = Gate::new();
            let mut traced = Traced::fork(|| {
                drop(gate.lock());
                stop();
                let guard = gate.lock();
                drop(gate.changed.wait_timeout(guard, Duration::from_millis(1)));
                finish(done)
            });
            traced.run_to_stop();
            let others = gate.two_wait();
            (traced, (gate, others))
        },
        |(gate, _), pid| gate.has_lock(pid),
        |(gate, others), had_lock| gate.assert_passed(others, had_lock),
    );
}

#[test]
fn one_that_a_notification_woke_killed_anywhere_leaves_none_asleep_for_the_next_one() {
    without_ticks();
    kill_after_every_instruction(
        60,
        |done| {
            let gate = Gate::new();
            let mut woken = Traced::fork(|| {
                let guard = gate.lock();
                drop(gate.changed.wait(guard));
                finish(done)
            });
            woken.sleep_in_futex();
            let others = gate.two_wait();
            gate.changed.notify_one();
            woken.await_stop();
            (woken, (gate, others))
        },
        |(gate, _), pid| gate.has_lock(pid),
        |(gate, others), had_lock| gate.assert_passed(others, had_lock),
    );
}

#[test]
fn one_who_does_it_once_killed_anywhere_leaves_it_to_two_who_wait() {
    without_ticks();
    shm_lock::region! {
        struct Work {
            once: ShmOnce,
            runs: AtomicU32,
        }
    }
    kill_after_every_instruction(
        30,
        |done| {
            let work = Work { once: ShmOnce::new(), runs: AtomicU32::new(0) };
            let work = ShmRegion::memfd("work", work).unwrap();
            let run = |work: &Work| {
                let run = || _ = work.runs.fetch_add(1, Ordering::Relaxed);
                i32::from(work.once.call_once(run).is_err())
            };
            let mut traced = Traced::fork(|| {
                work.once.call_once(stop).unwrap();
                finish(done)
            });
            traced.run_to_stop();
            let others = [(); 2].map(|()| Child::fork(|| run(&work)));
            others.iter().for_each(Child::await_sleep);
            (traced, (work, others))
        },
        |(work, _), _| work.once.is_completed(),
        |(work, mut others), completed| {
            others.iter_mut().for_each(|other| assert_eq!(other.end(), End::Exit(0)));
            assert_eq!(work.runs.load(Ordering::Relaxed), u32::from(!completed));
            assert!(work.once.is_completed());
        },
    );
}
