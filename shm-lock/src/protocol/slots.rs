//! Slots: a row of places. Each has at most one holder, and is free again when its holder dies.
//!
//! # State
//!
//! A slot is the word of a [`Mutex`]. It is on its holder's list like a lock:
//!
//! | word | meaning |
//! |---|---|
//! | `TID` is 0 | free, whatever the flags |
//! | `TID` is a thread's id | that thread holds it |
//!
//! The users of slots define what a holder's death means. In the slot itself, `OWNER_DIED` means
//! nothing: the slot protects no value, and the next holder clears the flag.
//!
//! # Orderings
//!
//! Those of [`mutex`](super::mutex): what a holder did happens before what the next holder of the
//! same slot does.
//!
//! # Progress
//!
//! If nobody waits for the slot, `take` and `give` are one atomic instruction each and no system
//! call. A thread that waits for *one* slot is woken when it is given back, and when its holder
//! dies. A thread that waits for *any* slot checks all of them again after a tick ([`UntilTick`]),
//! because the kernel wakes only threads that sleep on the slot of the dead holder.
//!
//! # Models
//!
//! `slots_models.rs`: one holder; any free slot; a death at each step, with and without a report of
//! the kernel; a slot outside a region; a wait until a tick. Also the models of the users of slots:
//! `rwlock_models.rs`, `semaphore_models.rs`, `barrier_models.rs`.

use super::mutex::{Acquired, Holder, Mutex, Refused, Sleeper, Slept};
use crate::sync::{Futex, Seen};

/// A row of slots, and the calling thread.
pub(crate) trait Slots {
    /// The calling thread, in its role as a taker or holder of a slot.
    type Me<'a>: Holder
    where
        Self: 'a;

    /// Returns the number of slots.
    fn count(&self) -> u32;

    /// Returns the slot with this number, which is below [`count`](Self::count).
    fn slot(&self, index: u32) -> (&Mutex, Self::Me<'_>);

    /// Takes the slot if it is free.
    fn take(&self, index: u32) -> bool {
        let (slot, me) = self.slot(index);
        slot.owner() == 0 && (slot.lock_untouched(&me) || has_cleared(slot, slot.try_free(&me)))
    }

    /// Takes a free one of the first `count` slots. Starts at `usual` if there is such a slot.
    fn take_any(&self, usual: u32, count: u32) -> Option<u32> {
        let usual = usual.min(count);
        (usual..count).chain(0..usual).find(|&index| self.take(index))
    }

    /// Gives back a slot that the calling thread holds.
    fn give(&self, index: u32) {
        let (slot, me) = self.slot(index);
        slot.unlock(&me);
    }
}

/// Takes `slot` if it is free, or if its holder has ended without a report of the kernel.
pub(crate) fn take_of_gone((slot, me): (&Mutex, impl Holder)) -> bool {
    has_cleared(slot, slot.try_slowly(&me))
}

/// Takes `slot`, waiting for it as long as `sleeper` does. Without a sleeper, takes it if it is
/// free or its holder is gone.
pub(crate) fn take_with<S: Sleeper>(
    (slot, me): (&Mutex, impl Holder),
    sleeper: &mut Option<&mut S>,
) -> Result<(), Refused> {
    let had = acquire((slot, me), sleeper)?;
    clear(slot, had);
    Ok(())
}

/// As [`take_with`], for a lock whose owner's death means something.
pub(crate) fn acquire<S: Sleeper>(
    (lock, me): (&Mutex, impl Holder),
    sleeper: &mut Option<&mut S>,
) -> Result<Acquired, Refused> {
    if lock.lock_untouched(&me) {
        return Ok(Acquired::Clean);
    }
    let outcome = match sleeper {
        Some(sleeper) => Some(lock.lock_slowly(&me, *sleeper)),
        None => lock.try_slowly(&me),
    };
    let refused = if lock.is_unplaced() { Refused::Unplaced } else { Refused::TimedOut };
    outcome.unwrap_or(Err(refused))
}

/// Returns whether this attempt took the slot, and clears its flags.
fn has_cleared(slot: &Mutex, outcome: Option<Result<Acquired, Refused>>) -> bool {
    let Some(Ok(had)) = outcome else { return false };
    clear(slot, had);
    true
}

/// Clears the flags of a slot that the caller holds.
fn clear(slot: &Mutex, had: Acquired) {
    if had != Acquired::Clean {
        slot.mark_whole();
    }
}

/// A wait that ends at its first tick.
pub(crate) struct UntilTick<'a, S> {
    sleeper: &'a mut S,
    /// Whether it ended at a tick.
    pub(crate) ticked: bool,
}

impl<'a, S: Sleeper> UntilTick<'a, S> {
    pub(crate) fn new(sleeper: &'a mut S) -> Self {
        UntilTick { sleeper, ticked: false }
    }

    fn ended(&mut self, slept: Slept) -> Slept {
        if slept != Slept::Tick {
            return slept;
        }
        self.ticked = true;
        Slept::TimedOut
    }
}

impl<S: Sleeper> Sleeper for UntilTick<'_, S> {
    fn sleep(&mut self, futex: &Futex, expected: Seen) -> Slept {
        let slept = self.sleeper.sleep(futex, expected);
        self.ended(slept)
    }

    fn give_way(&mut self, futex: &Futex, expected: Seen) -> Slept {
        self.sleeper.give_way(futex, expected)
    }

    fn is_hungry(&self) -> bool {
        self.sleeper.is_hungry()
    }

    fn finds_dead(&mut self, owner: u32) -> bool {
        self.sleeper.finds_dead(owner)
    }
}
