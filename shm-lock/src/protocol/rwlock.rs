//! Many readers or one writer, any of whom may die at any instruction.
//!
//! # State
//!
//! Robust words alone keep readers and writers apart:
//!
//! | word | who has it |
//! |---|---|
//! | a [slot](super::slots) | a reader; a writer has all that are in use |
//! | the value's [lock](super::mutex) | the writer that is in: it takes it last and gives it back first |
//! | the gate, a lock | a writer from before its first slot to after its last; a reader that found no slot, while it gets one |
//!
//! So a writer is in exactly while it owns the value's lock: `OWNER_DIED` is there if and only if a
//! writer died that was in, and neither a reader's death nor that of a writer that waits makes
//! anything torn. The kernel marks what a dead thread held in the opposite order of taking: the
//! value before the slots, which let readers in. A reader that has a slot, and finds that the
//! value's lock is not at rest, finds a dead writer's: it gives the slot back and becomes a writer.
//!
//! Two words are changed by the gate's owner alone, and say how many slots there are to look for,
//! of [`count`](Slots::count):
//!
//! | word | meaning |
//! |---|---|
//! | `used` | a writer must have as many; grows with the number of readers that are in at a time |
//! | `open` | a reader may take one of as many, without the gate: `used`, or 0 while a writer waits or is in |
//!
//! `open` is a hint: a reader that saw it before a writer closed it gets a slot, or not, as any
//! other. All that matters is that it is never more than `used` will be for the next writer. A
//! reader that raises `used` has the new slot first, so whoever takes a slot afterwards takes it
//! from somebody who came after the last writer.
//!
//! # Preference
//!
//! A writer that has the gate closes: readers that come anew wait for the gate, so the writer waits
//! for those who are in, and for no others. Writers and readers that wait for the gate get it in
//! the order of the gate's lock, so neither keeps the other out for ever.
//!
//! # Death
//!
//! A writer that waits for a reader sleeps on the reader's slot, and the kernel wakes it if that
//! one dies. Whoever gets the gate next opens what a dead writer left closed.
//!
//! # Orderings
//!
//! All Relaxed: the locks order everything. A reader's slot was held by every writer that was in
//! since the slot came in use, or, if there was none, by the reader that brought it in use under
//! the gate.
//!
//! # Progress
//!
//! `read_untouched` is one atomic instruction and three loads, and giving the slot back is one
//! instruction; none is of a word that other readers write. A writer takes two locks and `used`
//! slots. Readers beyond the number of slots wait for one of those who are in: for the one whose
//! slot they tried first, or, after a tick, for any.
//!
//! The idea of a lock for each reader of which a writer takes all is that of Hsieh and Weihl
//! (Scalable reader-writer locks for parallel systems, 1992), the gate that of Courtois, Heymans
//! and Parnas (Concurrent control with "readers" and "writers", 1971).
//!
//! # Models
//!
//! `rwlock_models.rs`: readers share, a writer excludes; a new slot; a writer comes before readers
//! that come later; downgrading; more readers than slots; waiting for oneself; a death at each step
//! of a reader and of a writer; poison.

use super::mutex::{Acquired, Mutex, Refused, Sleeper};
use super::slots::{Slots, UntilTick, acquire, take_with};
use crate::sync::{AtomicU32, Ordering};

/// The words; all else is in [`Parts`].
#[derive(Debug)]
#[repr(C)]
pub(crate) struct RwLock {
    open: AtomicU32,
    used: AtomicU32,
}

/// The locks that belong to one [`RwLock`], and the calling thread. The slots are the readers'.
pub(crate) trait Parts: Slots {
    fn gate(&self) -> (&Mutex, Self::Me<'_>);
    fn value(&self) -> (&Mutex, Self::Me<'_>);
}

/// The caller is in.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Entered {
    /// As a reader, by this slot.
    Shared(u32),
    /// As a writer of a value that may be torn. Not [`Clean`](Acquired::Clean).
    Alone(Acquired),
}

impl RwLock {
    pub(crate) fn new() -> Self {
        RwLock { open: AtomicU32::new(1), used: AtomicU32::new(1) }
    }

    /// Lets a reader in by the slot `usual`, or the last one before, if that is as easy as can be.
    #[inline(always)]
    pub(crate) fn read_untouched(&self, parts: &impl Parts, usual: u32) -> Option<u32> {
        let last = self.open.load(Ordering::Relaxed).checked_sub(1)?;
        let index = usual.min(last);
        let (slot, me) = parts.slot(index);
        if !slot.lock_untouched(&me) {
            return None;
        }
        if parts.value().0.is_at_rest() {
            return Some(index);
        }
        slot.unlock(&me);
        None
    }

    /// Lets a reader in, which waits as long as `sleeper` does, or not at all.
    pub(crate) fn read<S: Sleeper>(
        &self,
        parts: &impl Parts,
        usual: u32,
        sleeper: &mut Option<&mut S>,
    ) -> Result<Entered, Refused> {
        let index = match parts.take_any(usual, self.open.load(Ordering::Relaxed)) {
            Some(index) => index,
            None => self.read_through_gate(parts, usual, sleeper)?,
        };
        if parts.value().0.is_at_rest() {
            return Ok(Entered::Shared(index));
        }
        // A writer died that was in.
        parts.give(index);
        match self.write(parts, sleeper)? {
            Acquired::Clean => {
                let (value, me) = parts.value();
                value.unlock(&me);
                Ok(Entered::Shared(self.downgrade(parts, usual)))
            }
            torn => Ok(Entered::Alone(torn)),
        }
    }

    fn read_through_gate<S: Sleeper>(
        &self,
        parts: &impl Parts,
        usual: u32,
        sleeper: &mut Option<&mut S>,
    ) -> Result<u32, Refused> {
        self.pass(parts, sleeper)?;
        let taken = self.find_slot(parts, usual, sleeper);
        self.open(parts);
        taken
    }

    /// A slot, by the owner of the gate.
    fn find_slot<S: Sleeper>(
        &self,
        parts: &impl Parts,
        usual: u32,
        sleeper: &mut Option<&mut S>,
    ) -> Result<u32, Refused> {
        loop {
            let used = self.used(parts);
            if let Some(index) = parts.take_any(usual, used) {
                return Ok(index);
            }
            if used < parts.count() {
                let taken = parts.take(used);
                self.used.store(used + 1, Ordering::Relaxed);
                if taken {
                    return Ok(used);
                }
                continue;
            }
            let Some(sleeper) = sleeper else { return Err(Refused::TimedOut) };
            let mut until_tick = UntilTick::new(*sleeper);
            let index = usual.min(used - 1);
            match take_with(parts.slot(index), &mut Some(&mut until_tick)) {
                Ok(()) => return Ok(index),
                Err(Refused::TimedOut) if until_tick.ticked => (),
                Err(refused) => return Err(refused),
            }
        }
    }

    /// Lets a writer in, which waits as long as `sleeper` does, or not at all.
    pub(crate) fn write<S: Sleeper>(
        &self,
        parts: &impl Parts,
        sleeper: &mut Option<&mut S>,
    ) -> Result<Acquired, Refused> {
        self.pass(parts, sleeper)?;
        self.open.store(0, Ordering::Relaxed);
        let used = self.used(parts);
        for index in 0..used {
            if parts.take(index) {
                continue;
            }
            let taken =
                self.check_not_in(parts, index, sleeper).and_then(|()| take_with(parts.slot(index), sleeper));
            if let Err(refused) = taken {
                (0..index).for_each(|taken| parts.give(taken));
                self.open(parts);
                return Err(refused);
            }
        }
        let acquired = acquire(parts.value(), sleeper);
        if acquired.is_err() {
            self.leave_alone(parts);
        }
        acquired
    }

    /// A writer that has given the value's lock back leaves.
    pub(crate) fn leave_alone(&self, parts: &impl Parts) {
        (0..self.used(parts)).for_each(|index| parts.give(index));
        self.open(parts);
    }

    /// A writer that has given the value's lock back becomes a reader, with nobody in between, by
    /// the slot that is returned.
    pub(crate) fn downgrade(&self, parts: &impl Parts, usual: u32) -> u32 {
        let used = self.used(parts);
        let kept = usual.min(used - 1);
        (0..used).filter(|&index| index != kept).for_each(|index| parts.give(index));
        self.open(parts);
        kept
    }

    /// Takes the gate.
    fn pass<S: Sleeper>(&self, parts: &impl Parts, sleeper: &mut Option<&mut S>) -> Result<(), Refused> {
        let (gate, me) = parts.gate();
        match gate.try_free(&me) {
            Some(Ok(Acquired::Clean)) => Ok(()),
            Some(Ok(_)) => {
                gate.mark_whole();
                Ok(())
            }
            Some(Err(refused)) => Err(refused),
            None => {
                self.check_not_in(parts, 0, sleeper)?;
                take_with((gate, me), sleeper)
            }
        }
    }

    /// Who waits while it has a slot, other than a writer those before `first`, may wait for a
    /// writer that waits for that slot.
    fn check_not_in<S>(
        &self,
        parts: &impl Parts,
        first: u32,
        sleeper: &Option<&mut S>,
    ) -> Result<(), Refused> {
        let has_slot = |index| {
            let (slot, me) = parts.slot(index);
            slot.is_owned(&me)
        };
        if sleeper.is_some() && (first..parts.count()).any(has_slot) {
            Err(Refused::Deadlock)
        } else {
            Ok(())
        }
    }

    /// Gives the gate back.
    fn open(&self, parts: &impl Parts) {
        self.open.store(self.used(parts), Ordering::Relaxed);
        let (gate, me) = parts.gate();
        gate.unlock(&me);
    }

    /// Never more than there are, nor none, whatever another program has written there.
    fn used(&self, parts: &impl Parts) -> u32 {
        self.used.load(Ordering::Relaxed).clamp(1, parts.count())
    }
}
