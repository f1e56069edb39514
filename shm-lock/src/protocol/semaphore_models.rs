//! Models of the semaphore: a permit excludes, carries what its last holder did, and is never left
//! lying while one sleeps.

use std::sync::Arc;

use loom::cell::UnsafeCell;
use loom::thread;

use super::model::{explore, explore_deaths};
use super::semaphore::{COUNT, Semaphore};
use crate::sync::{Ticker, mortal};

struct Shared {
    semaphore: Semaphore,
    value: UnsafeCell<u32>,
}

// SAFETY: loom's cell checks at run time what this promises: no two unordered accesses.
unsafe impl Sync for Shared {}
// SAFETY: as above.
unsafe impl Send for Shared {}

fn shared(permits: u32) -> Arc<Shared> {
    Arc::new(Shared { semaphore: Semaphore::new(permits), value: UnsafeCell::new(0) })
}

impl Shared {
    fn increase(&self) {
        self.value.with_mut(|value| {
            // SAFETY: loom verifies that the access is exclusive.
            unsafe { *value += 1 }
        });
    }

    fn visit(&self) {
        assert!(self.semaphore.acquire(&mut Ticker::forever()));
        self.increase();
        assert!(self.semaphore.release(1));
    }
}

/// Catches two holders of one permit, and a holder that does not see what the last one did.
#[test]
fn model_one_permit_excludes() {
    explore(|| {
        let shared = shared(1);
        let others = [(); 2].map(|()| {
            let shared = Arc::clone(&shared);
            thread::spawn(move || shared.visit())
        });
        shared.visit();
        others.into_iter().for_each(|other| other.join().unwrap());
    });
}

/// Catches a sleeper that is left when permits come at once, or one after the other.
#[test]
fn model_two_sleepers_and_two_permits() {
    for at_once in [true, false] {
        explore(move || {
            let shared = shared(0);
            let sleepers = [(); 2].map(|()| {
                let shared = Arc::clone(&shared);
                thread::spawn(move || assert!(shared.semaphore.acquire(&mut Ticker::forever())))
            });
            if at_once {
                shared.semaphore.release(2);
            } else {
                shared.semaphore.release(1);
                shared.semaphore.release(1);
            }
            sleepers.into_iter().for_each(|sleeper| sleeper.join().unwrap());
            assert_eq!(shared.semaphore.available(), 0);
        });
    }
}

/// Catches waking all who sleep where there is a permit for one.
#[test]
fn model_as_many_wake_as_there_are_permits() {
    explore(|| {
        let shared = shared(0);
        let sleepers = [(); 2].map(|()| {
            let shared = Arc::clone(&shared);
            thread::spawn(move || shared.visit())
        });
        while shared.semaphore.futex().sleepers() < 2 {
            thread::yield_now();
        }
        shared.semaphore.release(1);
        sleepers.into_iter().for_each(|sleeper| sleeper.join().unwrap());
        assert_eq!(shared.semaphore.futex().woken_by_clearing(), 0);
    });
}

/// Catches a system call that would wake sleepers where there are none.
#[test]
fn model_permits_that_nobody_waits_for() {
    explore(|| {
        let shared = shared(2);
        let other = Arc::clone(&shared);
        let visit = |shared: &Shared| {
            assert!(shared.semaphore.try_acquire());
            assert!(shared.semaphore.release(1));
        };
        let other = thread::spawn(move || visit(&other));
        visit(&shared);
        other.join().unwrap();
        assert_eq!(shared.semaphore.futex().calls(), 0);
    });
}

/// Catches a permit that is lost with a sleeper whose time is up when it comes.
#[test]
fn model_a_waiter_whose_time_is_up() {
    explore(|| {
        let shared = shared(0);
        let timed = Arc::clone(&shared);
        let timed = thread::spawn(move || timed.semaphore.acquire(&mut Ticker::timed()));
        shared.semaphore.futex().expire();
        shared.semaphore.release(1);
        shared.semaphore.futex().expire();
        let taken = timed.join().unwrap();
        assert_eq!(shared.semaphore.available(), u32::from(!taken));
    });
}

/// Catches a count beyond the largest, at which two that give permits back may arrive together.
#[test]
fn model_the_largest_number_of_permits() {
    explore(|| {
        let shared = shared(COUNT - 1);
        let other = Arc::clone(&shared);
        let other = thread::spawn(move || other.semaphore.release(1));
        let mine = shared.semaphore.release(1);
        assert!(mine ^ other.join().unwrap(), "there is room for one of the two");
        assert_eq!(shared.semaphore.available(), COUNT);
    });
}

/// Catches a permit that lies there for ever while one sleeps, because the one who was woken for it
/// died: time must bring it back.
#[test]
fn model_a_wake_up_that_dies_with_a_waiter() {
    explore_deaths(|steps| {
        let shared = shared(0);
        let dies = Arc::clone(&shared);
        let dies = thread::spawn(move || {
            mortal(steps, || {
                dies.semaphore.acquire(&mut Ticker::forever());
            })
        });
        let lives = Arc::clone(&shared);
        let lives = thread::spawn(move || assert!(lives.semaphore.acquire(&mut Ticker::forever())));
        shared.semaphore.release(2);
        let died = dies.join().unwrap().is_some();
        shared.semaphore.futex().expire();
        lives.join().unwrap();
        died
    });
}
