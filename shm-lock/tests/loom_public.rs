//! The public types in a model, as a user's model sees them:
//! `RUSTFLAGS="--cfg loom" cargo test -p shm-lock --test loom_public`.
#![cfg(loom)]

use std::sync::Arc;
use std::time::Duration;

use loom::thread;
use shm_lock::model::die_after;
use shm_lock::{
    BarrierError, LockError, LockFailure, OpenError, RegionMutex, RegionRwLock, RwLockError, ShmBarrier,
    ShmCondvar, ShmMutex, ShmOnce, ShmRegion, ShmSemaphore, ShmWriteGuard,
};

fn explore(model: impl Fn() + Send + Sync + 'static) {
    explore_within(2, model);
}

fn explore_within(preemptions: usize, model: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = builder.preemption_bound.or(Some(preemptions));
    builder.check(model);
}

fn increase(counter: &RegionMutex<[u64; 2]>) {
    match counter.lock() {
        Ok(mut guard) => {
            assert_eq!(guard[0], guard[1]);
            guard[0] += 1;
            guard[1] += 1;
        }
        Err(LockError::OwnerDied(mut guard)) => {
            guard[1] = guard[0];
            let mut guard = guard.mark_consistent();
            guard[0] += 1;
            guard[1] += 1;
        }
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn a_mutex_opened_by_name_in_two_threads() {
    explore(|| {
        let open = || ShmMutex::open_or_create("counter", || [0_u64; 2]).unwrap();
        let other = thread::spawn(move || increase(&open()));
        increase(&open());
        other.join().unwrap();
        assert_eq!(*open().lock().unwrap(), [2, 2]);
        let error = ShmMutex::<u8>::open("counter").unwrap_err();
        assert!(matches!(error, OpenError::Mismatch { .. }));
    });
}

#[test]
fn a_death_at_each_step_is_told_to_the_next() {
    for steps in 0..40 {
        explore(move || {
            let counter = Arc::new(ShmMutex::memfd("counter", [0_u64; 2]).unwrap());
            let other = Arc::clone(&counter);
            let other = thread::spawn(move || {
                die_after(steps, || increase(&other));
            });
            increase(&counter);
            other.join().unwrap();
            increase(&counter);
        });
    }
}

#[test]
fn a_condition_variable_hands_a_turn_over() {
    shm_lock::region! {
        struct Gate {
            open: RegionMutex<u32>,
            changed: ShmCondvar,
        }
    }
    explore(|| {
        let gate = Gate { open: RegionMutex::new(0), changed: ShmCondvar::new() };
        let gate = Arc::new(ShmRegion::memfd("gate", gate).unwrap());
        let opener = Arc::clone(&gate);
        let opener = thread::spawn(move || {
            *opener.open.lock().unwrap() = 1;
            opener.changed.notify_one();
        });
        let guard = gate.changed.wait_while(gate.open.lock().unwrap(), |open| *open == 0).unwrap();
        assert_eq!(*guard, 1);
        drop(guard);
        opener.join().unwrap();
    });
}

#[test]
fn a_semaphore_and_something_done_once() {
    shm_lock::region! {
        struct Both {
            slots: ShmSemaphore,
            once: ShmOnce,
            runs: RegionMutex<u32>,
        }
    }
    explore(|| {
        let both = Both { slots: ShmSemaphore::new(1), once: ShmOnce::new(), runs: RegionMutex::new(0) };
        let both = Arc::new(ShmRegion::memfd("both", both).unwrap());
        let visit = |both: &Both| {
            let permit = both.slots.acquire().unwrap();
            both.once.call_once(|| *both.runs.try_lock().unwrap() += 1).unwrap();
            drop(permit);
        };
        let other = Arc::clone(&both);
        let other = thread::spawn(move || visit(&other));
        visit(&both);
        other.join().unwrap();
        assert_eq!(*both.runs.lock().unwrap(), 1);
    });
}

#[test]
fn who_waits_too_long_or_for_itself_is_told() {
    explore(|| {
        let mutex = Arc::new(ShmMutex::memfd("mutex", 0_u64).unwrap());
        let guard = mutex.lock().unwrap();
        assert!(matches!(mutex.lock(), Err(LockError::Deadlock)));
        let other = Arc::clone(&mutex);
        let other = thread::spawn(move || {
            other.lock_timeout(Duration::from_secs(1)).err().map(LockError::into_reason)
        });
        drop(guard);
        assert!(matches!(other.join().unwrap(), None | Some(LockFailure::TimedOut)));
    });
}

#[test]
fn a_death_of_a_writer_at_each_step_is_told_to_a_reader_or_to_the_next_writer() {
    type Lock = ShmRegion<RegionRwLock<[u64; 2], 2>>;
    fn repaired<'a>(error: RwLockError<'a, [u64; 2]>) -> ShmWriteGuard<'a, [u64; 2]> {
        let RwLockError::OwnerDied(mut guard) = error else { panic!("{error}") };
        guard[1] = guard[0];
        guard.mark_consistent()
    }
    fn write(lock: &Lock) {
        let mut guard = lock.write().unwrap_or_else(repaired);
        guard[0] += 1;
        guard[1] += 1;
    }
    fn read(lock: &Lock) {
        let guard = lock.read().unwrap_or_else(|error| ShmWriteGuard::downgrade(repaired(error)));
        assert_eq!(guard[0], guard[1]);
    }
    for steps in 0..60 {
        explore_within(1, move || {
            let lock = Arc::new(ShmRegion::memfd("lock", RegionRwLock::with_readers([0; 2])).unwrap());
            let other = Arc::clone(&lock);
            let other = thread::spawn(move || {
                die_after(steps, || write(&other));
            });
            read(&lock);
            other.join().unwrap();
            write(&lock);
        });
    }
}

#[test]
fn members_of_a_barrier_come_together_or_hear_of_a_death() {
    for steps in 0..40 {
        explore_within(1, move || {
            let steps_together = ShmBarrier::<2>::with_members(2);
            let barrier = Arc::new(ShmRegion::memfd("steps", steps_together).unwrap());
            let mut seat = barrier.join().unwrap();
            let other = Arc::clone(&barrier);
            let other = thread::spawn(move || {
                // It may die before it is a member; its seat is for another, who leaves.
                let died = die_after(steps, || drop(other.join()));
                drop(other.join());
                died
            });
            let died = other.join().unwrap();
            match seat.wait() {
                Ok(leads) => assert!(leads),
                Err(BarrierError::MembersDied(dead)) => assert!(died && dead.len() == 1),
                Err(error) => panic!("{error}"),
            }
        });
    }
}
