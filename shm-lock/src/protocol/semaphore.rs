//! A number of permits. They come back when their holders die.
//!
//! # State
//!
//! A permit is a [slot](super::slots), and the thread that has the slot holds it. Beside the slots:
//!
//! | word | meaning | changed by |
//! |---|---|---|
//! | `limit` | how many of the slots are permits; it only grows | a thread that adds permits |
//! | `freed` | a [condition variable](super::condvar): a slot was given back, or permits were added | waiters and their wakers |
//!
//! # Death
//!
//! The slot of a dead holder is free for a thread that looks. Waiters look again after a tick. So
//! they also recover if a woken thread died with its wake-up, or if a thread died before it woke
//! them.
//!
//! # Orderings
//!
//! * `SeqCst` fences: a waiter announces itself and then checks the slots. A thread that gives a
//!   slot back changes the slot and then checks for waiters. At least one sees the other, so nobody
//!   sleeps beside a free permit.
//! * all else is Relaxed or belongs to the slots: what the last holder of a slot did happens before
//!   what the next one does.
//!
//! # Progress
//!
//! Taking a permit checks at most as many slots as there are permits, and takes one atomic
//! instruction. Giving it back takes one instruction and a fence. Each sleep and each wake-up is a
//! system call. The order is not fair.
//!
//! # Models
//!
//! `semaphore_models.rs`: one permit excludes; two sleepers and two permits; as many wake-ups as
//! permits, and no system call if nobody sleeps; permits that are added; a waiter that times out; a
//! death at each step of a holder and of a waiter.

use super::condvar::Condvar;
use super::mutex::{Refused, Sleeper, Slept};
use super::slots::{Slots, take_of_gone};
use crate::sync::{AtomicU32, Ordering, fence};

/// The words. The slots that belong to them are passed to the methods.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct Semaphore {
    limit: AtomicU32,
    freed: Condvar,
}

impl Semaphore {
    /// Creates a semaphore with at most as many permits as there are slots.
    pub(crate) fn new(permits: u32) -> Self {
        Semaphore { limit: AtomicU32::new(permits), freed: Condvar::new() }
    }

    /// Returns the word on which waiters sleep, for a model of the kernel.
    #[cfg(any(test, loom))]
    #[allow(dead_code, reason = "for the models")]
    pub(crate) fn futex(&self) -> &crate::sync::Futex {
        self.freed.futex()
    }

    /// Returns how many permits there are, taken or not.
    pub(crate) fn limit(&self) -> u32 {
        self.limit.load(Ordering::Relaxed)
    }

    /// Takes a permit if there is one, preferably the `usual` one.
    pub(crate) fn try_acquire(&self, slots: &impl Slots, usual: u32) -> Result<u32, Refused> {
        let limit = self.limit().min(slots.count());
        let refused = if slots.slot(0).0.is_unplaced() { Refused::Unplaced } else { Refused::TimedOut };
        slots.take_any(usual, limit).ok_or(refused)
    }

    /// Takes a permit, waiting for one as long as `sleeper` does.
    pub(crate) fn acquire(
        &self,
        slots: &impl Slots,
        usual: u32,
        sleeper: &mut impl Sleeper,
    ) -> Result<u32, Refused> {
        loop {
            match self.try_acquire(slots, usual) {
                Err(Refused::TimedOut) => (),
                outcome => return outcome,
            }
            let awaited = self.freed.look();
            // SeqCst: pairs with the fence in `wake`.
            fence(Ordering::SeqCst);
            if let Ok(index) = self.try_acquire(slots, usual) {
                return Ok(index);
            }
            match self.freed.wait(awaited, sleeper) {
                Slept::Woken => (),
                Slept::Tick => {
                    if let Some(index) = self.find_gone(slots) {
                        return Ok(index);
                    }
                }
                // A wake-up may have come at the same time as the timeout, and must not be lost.
                Slept::TimedOut => return self.try_acquire(slots, usual),
                Slept::Failed(errno) => {
                    return self.try_acquire(slots, usual).map_err(|_| Refused::CannotWait(errno));
                }
            }
        }
    }

    /// Finds a permit whose holder has ended without a report of the kernel.
    fn find_gone(&self, slots: &impl Slots) -> Option<u32> {
        let limit = self.limit().min(slots.count());
        (0..limit).find(|&index| take_of_gone(slots.slot(index)))
    }

    /// Gives back a permit that the calling thread holds.
    pub(crate) fn release(&self, slots: &impl Slots, index: u32) {
        slots.give(index);
        self.wake(1);
    }

    /// Adds permits. If there are too few slots, adds none and returns false.
    pub(crate) fn add(&self, slots: u32, permits: u32) -> bool {
        let sum = |limit: u32| limit.checked_add(permits).filter(|&sum| sum <= slots);
        let added = self.limit.fetch_update(Ordering::Relaxed, Ordering::Relaxed, sum).is_ok();
        if added {
            self.wake(permits);
        }
        added
    }

    /// Wakes as many threads as there are new permits.
    fn wake(&self, permits: u32) {
        // SeqCst: pairs with the fence in `acquire`.
        fence(Ordering::SeqCst);
        self.freed.notify(permits);
    }
}
