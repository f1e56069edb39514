//! Slots: places in a row, each of which has one holder at most and comes back when that one dies.
//!
//! # State
//!
//! A slot is the word of a [`Mutex`], on its holder's list as a lock is:
//!
//! | word | meaning |
//! |---|---|
//! | `TID` is 0 | free, whatever the flags |
//! | `TID` is a thread's number | that thread holds it |
//!
//! What a holder's death means is for those to say who build on slots. In the slot itself
//! `OWNER_DIED` says nothing: it guards no value, and the next holder clears it.
//!
//! # Orderings
//!
//! Those of [`mutex`](super::mutex): what a holder did happens before what the next one of the same
//! slot does.
//!
//! # Progress
//!
//! `take` and `give` of a slot that nobody waits for are one atomic instruction each and no system
//! call. Who waits for *one* slot is woken when it is given back and when its holder dies. Who
//! waits for *any* looks at all of them again after a tick ([`UntilTick`]), since the kernel wakes
//! only those who sleep on the dead one's.
//!
//! # Models
//!
//! `slots_models.rs`: one holder; any that is free; a death at each step, also one that is not
//! reported; a slot outside of a region; a wait until a tick. And those of what is built on slots:
//! `rwlock_models.rs`, `semaphore_models.rs`, `barrier_models.rs`.

use super::mutex::{Acquired, Holder, Mutex, Refused, Sleeper, Slept};
use crate::sync::{Futex, Seen};

/// A row of slots, and the calling thread.
pub(crate) trait Slots {
    /// The calling thread, as one that takes or holds a slot.
    type Me<'a>: Holder
    where
        Self: 'a;

    /// How many slots there are.
    fn count(&self) -> u32;

    /// The slot with that number, below [`count`](Self::count).
    fn slot(&self, index: u32) -> (&Mutex, Self::Me<'_>);

    /// Takes the slot if it is free.
    fn take(&self, index: u32) -> bool {
        let (slot, me) = self.slot(index);
        slot.owner() == 0 && (slot.lock_untouched(&me) || has_cleared(slot, slot.try_free(&me)))
    }

    /// Takes the first free slot of `count`, beginning at `usual` if there is such a slot.
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

/// Takes `slot` if it is free, or its holder has ended without the kernel's reporting it.
pub(crate) fn take_of_gone((slot, me): (&Mutex, impl Holder)) -> bool {
    has_cleared(slot, slot.try_slowly(&me))
}

/// Takes `slot`, waiting for it as long as `sleeper` does; without one, takes it if it is free or
/// its holder is gone.
pub(crate) fn take_with<S: Sleeper>(
    (slot, me): (&Mutex, impl Holder),
    sleeper: &mut Option<&mut S>,
) -> Result<(), Refused> {
    let had = acquire((slot, me), sleeper)?;
    clear(slot, had);
    Ok(())
}

/// As [`take_with`], of a lock that says something when its owner has died.
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

/// Whether the slot is the caller's, by that attempt.
fn has_cleared(slot: &Mutex, outcome: Option<Result<Acquired, Refused>>) -> bool {
    let Some(Ok(had)) = outcome else { return false };
    clear(slot, had);
    true
}

/// The slot is the caller's; it says no more how it became free.
fn clear(slot: &Mutex, had: Acquired) {
    if had != Acquired::Clean {
        slot.mark_whole();
    }
}

/// A wait that ends with its first tick.
pub(crate) struct UntilTick<'a, S> {
    sleeper: &'a mut S,
    /// It has ended so.
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
