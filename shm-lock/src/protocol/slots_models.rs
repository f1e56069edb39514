//! Models of the slots: a slot has one holder, which sees what the last one did, and none is lost
//! with a holder that dies.

use std::sync::Arc;

use loom::cell::UnsafeCell;
use loom::thread;

use super::model::{explore, explore_deaths, spawn};
use super::mutex::{Acquired, Mutex, Refused};
use super::slots::{Slots, UntilTick, acquire, take_of_gone, take_with};
use crate::sync::{Claim, Ordering, RawLock, Thread, Ticker, mortal, mortal_unreported, step};

/// Slots in a region.
pub(super) struct Row(Vec<RawLock>);

impl Row {
    pub(super) fn new(slots: u32) -> Row {
        Row((0..slots).map(|_| placed()).collect())
    }
}

/// A lock in a region.
pub(super) fn placed() -> RawLock {
    let lock = RawLock::new();
    lock.mutex().place();
    lock
}

/// The lock, in the hands of the calling thread.
pub(super) fn claimed(lock: &RawLock) -> (&Mutex, Claim<'_>) {
    // SAFETY: a model needs none.
    (lock.mutex(), unsafe { Thread::current().unwrap().claim(lock) })
}

impl Slots for Row {
    type Me<'a> = Claim<'a>;

    fn count(&self) -> u32 {
        self.0.len() as u32
    }

    fn slot(&self, index: u32) -> (&Mutex, Claim<'_>) {
        claimed(&self.0[index as usize])
    }
}

struct Shared {
    row: Row,
    value: UnsafeCell<u32>,
}

// SAFETY: loom's cell checks at run time what this promises: no two unordered accesses.
unsafe impl Sync for Shared {}
// SAFETY: as above.
unsafe impl Send for Shared {}

fn shared(slots: u32) -> Arc<Shared> {
    Arc::new(Shared { row: Row::new(slots), value: UnsafeCell::new(0) })
}

impl Shared {
    /// Called by the holder of slot 0.
    fn increase(&self) {
        self.value.with_mut(|value| {
            // SAFETY: loom verifies that the access is exclusive.
            unsafe { *value += 1 }
        });
    }

    fn wait(&self, index: u32) -> Result<(), Refused> {
        take_with(self.row.slot(index), &mut Some(&mut Ticker::forever()))
    }

    fn try_wait(&self, index: u32) -> Result<(), Refused> {
        take_with(self.row.slot(index), &mut None::<&mut Ticker>)
    }
}

/// Catches two holders of one slot, one that does not see what the last one did, and one that is
/// left asleep.
#[test]
fn model_a_slot_has_one_holder() {
    explore(|| {
        let shared = shared(1);
        let waits = spawn(&shared, |shared| {
            shared.wait(0).unwrap();
            shared.increase();
            shared.row.give(0);
        });
        if shared.row.take(0) {
            assert!(!shared.row.take(0));
            assert_eq!(shared.try_wait(0), Err(Refused::TimedOut));
            assert_eq!(shared.wait(0), Err(Refused::Deadlock));
            shared.increase();
            shared.row.give(0);
        }
        waits.join().unwrap();
        assert_eq!(shared.try_wait(0), Ok(()));
        shared.increase();
    });
}

/// Catches a free slot that is passed over, a slot beyond `count`, and a slot that two threads get.
#[test]
fn model_any_slot_is_the_usual_one_or_another_that_is_free() {
    explore(|| {
        let shared = shared(3);
        // The third slot does not count.
        let other = spawn(&shared, |shared| shared.row.take_any(1, 2));
        let mine = shared.row.take_any(1, 2);
        let mut taken = [mine, other.join().unwrap()];
        taken.sort();
        assert_eq!(taken, [Some(0), Some(1)]);
        assert_eq!(shared.row.take_any(1, 2), None);
        assert_eq!(shared.row.take_any(1, 3), Some(2));
        assert_eq!(shared.row.take_any(0, 0), None);
        shared.row.give(mine.unwrap());
        shared.row.give(2);
        assert_eq!(shared.row.take_any(2, 3), Some(2));
        shared.row.give(2);
        // A number beyond the last slot means the first.
        assert_eq!(shared.row.take_any(3, 3), mine);
        assert_eq!(shared.row.take_any(4, 3), Some(2));
    });
}

/// Catches a slot that does not come back from a holder that died at some step, or that has flags
/// left.
#[test]
fn model_a_slot_comes_back_from_the_dead() {
    explore_deaths(|steps| {
        let shared = shared(1);
        let waits = spawn(&shared, |shared| {
            shared.wait(0).unwrap();
            shared.increase();
            shared.row.give(0);
        });
        let died = mortal(steps, || {
            shared.wait(0).unwrap();
            shared.increase();
            step();
            shared.row.give(0);
        });
        waits.join().unwrap();
        assert!(shared.row.take(0));
        shared.row.give(0);
        let (slot, me) = shared.row.slot(0);
        assert_eq!(acquire((slot, me), &mut None::<&mut Ticker>), Ok(Acquired::Clean));
        died.is_some()
    });
}

/// Catches a dead holder's slot that stays taken if the kernel does not report the death, and one
/// that is taken from a living holder.
#[test]
fn model_a_slot_of_one_whose_death_is_not_reported() {
    explore_deaths(|steps| {
        let shared = shared(2);
        // A living thread.
        shared.row.slot(1).0.futex().word().store(1 << 20, Ordering::Relaxed);
        let other = spawn(&shared, |shared| take_of_gone(shared.row.slot(1)));
        let died = mortal_unreported(steps, || {
            shared.wait(0).unwrap();
            step();
            shared.row.give(0);
        });
        let is_free = shared.row.slot(0).0.owner() == 0;
        assert!(is_free || died);
        assert_eq!(shared.row.take(0), is_free);
        if is_free {
            shared.row.give(0);
        }
        assert!(take_of_gone(shared.row.slot(0)));
        assert!(!take_of_gone(shared.row.slot(0)), "this thread lives");
        shared.row.give(0);
        let (slot, me) = shared.row.slot(0);
        assert_eq!(acquire((slot, me), &mut None::<&mut Ticker>), Ok(Acquired::Clean));
        assert!(!other.join().unwrap(), "its holder lives");
        died
    });
}

/// Catches a slot that can be taken before it is in a region, and a wait for it.
#[test]
fn model_a_slot_outside_of_a_region() {
    explore(|| {
        let row = Arc::new(Row(vec![RawLock::new()]));
        let other = Arc::clone(&row);
        let refused = |row: &Row| {
            assert!(!row.take(0) && !take_of_gone(row.slot(0)));
            let waits = take_with(row.slot(0), &mut Some(&mut Ticker::forever()));
            let tries = take_with(row.slot(0), &mut None::<&mut Ticker>);
            assert_eq!((waits, tries), (Err(Refused::Unplaced), Err(Refused::Unplaced)));
        };
        let other = thread::spawn(move || refused(&other));
        refused(&row);
        other.join().unwrap();
    });
}

/// Catches a wait that goes on after a tick, or that ends as if there had been one.
#[test]
fn model_a_wait_until_a_tick() {
    explore(|| {
        let shared = shared(1);
        assert!(shared.row.take(0));
        let waits = spawn(&shared, |shared| {
            let mut ticker = Ticker::forever();
            let mut until_tick = UntilTick::new(&mut ticker);
            let outcome = take_with(shared.row.slot(0), &mut Some(&mut until_tick));
            assert_eq!(outcome == Err(Refused::TimedOut), until_tick.ticked);
            assert_eq!(outcome.is_ok(), !until_tick.ticked);
            let timed = Ticker::timed();
            (outcome.is_ok(), timed)
        });
        while shared.row.slot(0).0.futex().sleepers() == 0 {
            thread::yield_now();
        }
        shared.row.slot(0).0.futex().expire();
        let (taken, mut timed) = waits.join().unwrap();
        assert!(!taken, "it was not given back");
        // A timeout is not a tick.
        let waits = spawn(&shared, move |shared| {
            let mut until_tick = UntilTick::new(&mut timed);
            let outcome = take_with(shared.row.slot(0), &mut Some(&mut until_tick));
            assert!(!until_tick.ticked);
            outcome
        });
        shared.row.slot(0).0.futex().expire();
        shared.row.give(0);
        shared.row.slot(0).0.futex().expire();
        assert!(matches!(waits.join().unwrap(), Ok(()) | Err(Refused::TimedOut)));
    });
}
