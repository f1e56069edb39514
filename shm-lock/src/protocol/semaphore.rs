//! A number of permits, which come back when their holders die.
//!
//! # State
//!
//! A permit is a [slot](super::slots), held by the thread that has it. Beside them:
//!
//! | word | meaning | changed by |
//! |---|---|---|
//! | `limit` | as many of the slots are permits; it only grows | whoever adds some |
//! | `freed` | a [condition variable](super::condvar): a slot was given back, or some were added | waiters and whoever wakes them |
//!
//! # Death
//!
//! The slot of a dead holder is free for whoever looks, and those who wait look again after a tick.
//! So do they when one that was woken died with its wake-up, or one that was about to wake them.
//!
//! # Orderings
//!
//! * `SeqCst` fences: a waiter says that it waits and then looks at the slots; who gives one back
//!   changes the slot and then looks for waiters. One of the two sees the other, so nobody sleeps
//!   while a permit lies there.
//! * all else is Relaxed or the slots' own: what the last holder of a slot did happens before what
//!   the next one does.
//!
//! # Progress
//!
//! Taking a permit looks at as many slots as there are permits at most, and takes one atomic
//! instruction; giving it back takes one and a fence. Each sleep and each wake-up is a system call.
//! Not fair.
//!
//! # Models
//!
//! `semaphore_models.rs`: one permit excludes; two sleepers and two permits; as many woken as there
//! are permits, and nobody called where none sleeps; permits that are added; a waiter whose time is
//! up; a death at each step of a holder, and of a waiter.

use super::condvar::Condvar;
use super::mutex::{Refused, Sleeper, Slept};
use super::slots::{Slots, take_of_gone};
use crate::sync::{AtomicU32, Ordering, fence};

/// The words. Its methods are given the slots that belong to it.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct Semaphore {
    limit: AtomicU32,
    freed: Condvar,
}

impl Semaphore {
    /// No more than there are slots.
    pub(crate) fn new(permits: u32) -> Self {
        Semaphore { limit: AtomicU32::new(permits), freed: Condvar::new() }
    }

    /// The word on which waiters sleep, for a model of the kernel.
    #[cfg(any(test, loom))]
    #[allow(dead_code, reason = "for the models")]
    pub(crate) fn futex(&self) -> &crate::sync::Futex {
        self.freed.futex()
    }

    /// How many permits there are, taken or not.
    pub(crate) fn limit(&self) -> u32 {
        self.limit.load(Ordering::Relaxed)
    }

    /// Takes a permit if there is one, the `usual` one if it can.
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
                // A wake-up may have come together with the end of the time; it must not be lost.
                Slept::TimedOut => return self.try_acquire(slots, usual),
                Slept::Failed(errno) => {
                    return self.try_acquire(slots, usual).map_err(|_| Refused::CannotWait(errno));
                }
            }
        }
    }

    /// A permit whose holder has ended without the kernel's reporting it.
    fn find_gone(&self, slots: &impl Slots) -> Option<u32> {
        let limit = self.limit().min(slots.count());
        (0..limit).find(|&index| take_of_gone(slots.slot(index)))
    }

    /// Gives back a permit that the calling thread has.
    pub(crate) fn release(&self, slots: &impl Slots, index: u32) {
        slots.give(index);
        self.wake(1);
    }

    /// Adds permits; false, and none are added, if there are too few slots.
    pub(crate) fn add(&self, slots: u32, permits: u32) -> bool {
        let sum = |limit: u32| limit.checked_add(permits).filter(|&sum| sum <= slots);
        let added = self.limit.fetch_update(Ordering::Relaxed, Ordering::Relaxed, sum).is_ok();
        if added {
            self.wake(permits);
        }
        added
    }

    /// Wakes as many as there are new permits.
    fn wake(&self, permits: u32) {
        // SeqCst: pairs with the fence in `acquire`.
        fence(Ordering::SeqCst);
        self.freed.notify(permits);
    }
}
