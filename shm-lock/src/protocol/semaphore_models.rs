//! Models of the semaphore: a permit excludes, publishes what its last holder did, and is never
//! left unused while a thread sleeps.

use std::sync::Arc;

use loom::cell::UnsafeCell;
use loom::thread;

use super::model::{explore, explore_deaths, explore_long, spawn};
use super::mutex::Refused;
use super::semaphore::Semaphore;
use super::slots_models::Row;
use crate::sync::{AtomicU32, Ordering, Ticker, mortal, mortal_unreported, step};

struct Shared {
    semaphore: Semaphore,
    slots: Row,
    value: UnsafeCell<u32>,
}

// SAFETY: loom's cell checks at run time what this promises: no two unordered accesses.
unsafe impl Sync for Shared {}
// SAFETY: as above.
unsafe impl Send for Shared {}

const SLOTS: u32 = 2;

fn shared(permits: u32) -> Arc<Shared> {
    let (semaphore, slots) = (Semaphore::new(permits), Row::new(SLOTS));
    Arc::new(Shared { semaphore, slots, value: UnsafeCell::new(0) })
}

impl Shared {
    fn increase(&self) {
        self.value.with_mut(|value| {
            // SAFETY: loom verifies that the access is exclusive.
            unsafe { *value += 1 }
        });
    }

    fn acquire(&self) -> u32 {
        self.semaphore.acquire(&self.slots, 0, &mut Ticker::forever()).unwrap()
    }

    fn try_acquire(&self) -> Result<u32, Refused> {
        self.semaphore.try_acquire(&self.slots, 0)
    }

    fn release(&self, index: u32) {
        self.semaphore.release(&self.slots, index);
    }

    fn visit(&self) {
        let index = self.acquire();
        self.increase();
        self.release(index);
    }
}

/// Catches two holders of one permit, and a holder that does not see what the last one did.
#[test]
fn model_one_permit_excludes() {
    explore_long(|| {
        let shared = shared(1);
        let others = [(); 2].map(|()| spawn(&shared, Shared::visit));
        shared.visit();
        others.into_iter().for_each(|other| other.join().unwrap());
    });
}

/// Catches a sleeper that is forgotten when permits come at the same time, or one after the other.
#[test]
fn model_two_sleepers_and_two_permits() {
    for at_once in [true, false] {
        explore(move || {
            let shared = shared(0);
            let sleepers = [(); 2].map(|()| spawn(&shared, |shared| _ = shared.acquire()));
            if at_once {
                assert!(shared.semaphore.add(SLOTS, 2));
            } else {
                assert!(shared.semaphore.add(SLOTS, 1) && shared.semaphore.add(SLOTS, 1));
            }
            sleepers.into_iter().for_each(|sleeper| sleeper.join().unwrap());
            assert_eq!(shared.try_acquire(), Err(Refused::TimedOut));
        });
    }
}

/// Catches a wake-up of all sleepers although there is only one permit.
#[test]
fn model_as_many_wake_as_there_are_permits() {
    explore(|| {
        let shared = shared(0);
        let sleepers = [(); 2].map(|()| spawn(&shared, Shared::visit));
        while shared.semaphore.futex().sleepers() < 2 {
            thread::yield_now();
        }
        assert!(shared.semaphore.add(SLOTS, 1));
        sleepers.into_iter().for_each(|sleeper| sleeper.join().unwrap());
        assert_eq!(shared.semaphore.futex().woken_by_clearing(), 0);
    });
}

/// Catches a wake-up system call although nobody sleeps.
#[test]
fn model_permits_that_nobody_waits_for() {
    explore(|| {
        let shared = shared(2);
        let visit = |shared: &Shared| {
            let index = shared.try_acquire().expect("there are two");
            shared.release(index);
        };
        let other = spawn(&shared, visit);
        visit(&shared);
        other.join().unwrap();
        assert_eq!(shared.semaphore.futex().calls(), 0);
    });
}

/// Catches a permit that is lost with a sleeper that times out at the same time.
#[test]
fn model_a_waiter_whose_time_is_up() {
    explore(|| {
        let shared = shared(0);
        let timed = spawn(&shared, |shared| shared.semaphore.acquire(&shared.slots, 0, &mut Ticker::timed()));
        shared.semaphore.futex().expire();
        assert!(shared.semaphore.add(SLOTS, 1));
        shared.semaphore.futex().expire();
        let taken = timed.join().unwrap();
        assert_eq!(shared.try_acquire().is_ok(), taken.is_err());
    });
}

/// Catches more permits than slots after two threads add permits at the same time.
#[test]
fn model_the_largest_number_of_permits() {
    explore(|| {
        let shared = shared(SLOTS - 1);
        let other = spawn(&shared, |shared| shared.semaphore.add(SLOTS, 1));
        let mine = shared.semaphore.add(SLOTS, 1);
        assert!(mine ^ other.join().unwrap(), "there is room for one of the two");
        assert_eq!(shared.semaphore.limit(), SLOTS);
        assert!(!shared.semaphore.add(SLOTS, u32::MAX));
    });
}

/// One thread waits for the only permit, whose holder dies after some steps. Then `after` runs.
fn explore_deaths_of_holder(
    mortal: impl Fn(usize, &dyn Fn()) -> bool + Send + Sync + 'static,
    after: fn(&Shared),
) {
    explore_deaths(move |steps| {
        let shared = shared(1);
        let done = Arc::new(AtomicU32::new(0));
        let ends = Arc::clone(&done);
        let waits = spawn(&shared, move |shared| {
            shared.visit();
            ends.store(1, Ordering::Relaxed);
        });
        let died = mortal(steps, &|| {
            let index = shared.acquire();
            step();
            shared.release(index);
        });
        // Nobody wakes a thread for the dead holder, which may have been about to do so: time
        // passes.
        while done.load(Ordering::Relaxed) == 0 {
            shared.semaphore.futex().expire();
            thread::yield_now();
        }
        waits.join().unwrap();
        after(&shared);
        died
    });
}

/// Catches a permit that is not available after its holder died, at any step, or that is available
/// twice.
#[test]
fn model_a_death_of_a_holder() {
    let is_back = |shared: &Shared| assert_eq!(shared.try_acquire(), Ok(0));
    explore_deaths_of_holder(|steps, body| mortal(steps, body).is_some(), is_back);
}

/// Catches a permit that stays lost when the kernel does not report its holder's death.
#[test]
fn model_a_death_of_a_holder_that_the_kernel_does_not_report() {
    // The next waiter brings the permit back, not the next `try_acquire`.
    explore_deaths_of_holder(|steps, body| mortal_unreported(steps, body), |_| ());
}

/// Catches a permit that stays unused while a thread sleeps, because the thread that was woken for
/// it died: the next tick must find it.
#[test]
fn model_a_wake_up_that_dies_with_a_waiter() {
    explore_deaths(|steps| {
        let shared = shared(0);
        let dies = spawn(&shared, move |shared| mortal(steps, || _ = shared.acquire()));
        let lives = spawn(&shared, |shared| _ = shared.acquire());
        assert!(shared.semaphore.add(SLOTS, 2));
        let died = dies.join().unwrap().is_some();
        shared.semaphore.futex().expire();
        lives.join().unwrap();
        died
    });
}
