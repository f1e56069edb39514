//! Many readers or one writer, any of whom may die at any instruction.
//!
//! # State
//!
//! Robust words alone keep readers and writers apart:
//!
//! | word | who has it |
//! |---|---|
//! | a [slot](super::slots) | a reader |
//! | the value's [lock](super::mutex) | a writer, from before it looks for readers to its end; a reader that found it taken, or no slot, while it gets one |
//!
//! Either puts its own number into its own word first, and looks at the others' words then: a
//! reader that has a slot is in if nobody has the value's lock, and gives the slot back otherwise.
//! A writer that has the value's lock is in once it has seen each slot free, since the lock was
//! its own; it takes none. One that finds a slot taken takes it as the next one, and gives it back
//! at once: that one's reader has left by then, and the next one will find the value's lock taken.
//!
//! The lock is [`WHOLE`](super::mutex) until a writer is in
//! ([`begin_changes`](Mutex::begin_changes)), and when it leaves
//! ([`unlock_whole`](Mutex::unlock_whole)). So the death of one that waits, for readers or for a
//! slot, is told to nobody, and that of one that was in to the next one who takes the lock: a
//! writer, or a reader, who does not get in by a slot while `OWNER_DIED` is there.
//!
//! `used` says how many slots there are to look at, of [`count`](Slots::count): as many as there
//! were readers at a time. It grows, by the owner of the value's lock.
//!
//! # Preference
//!
//! Readers that come anew do not get in while a writer has the value's lock, so it waits for those
//! who are in, and for no others. Writers and readers that wait get the value's lock in the order
//! of that lock, so neither keeps the other out for ever.
//!
//! # Death
//!
//! A writer that waits for a reader sleeps on the reader's slot, and the kernel wakes it if that
//! one dies. Its own death wakes one who sleeps on the value's lock.
//!
//! # Orderings
//!
//! * the fences after taking a slot and after taking the value's lock: SeqCst. Without them, a
//!   reader and a writer could each miss what the other one has put into its word. They also see to
//!   it that a reader that knows a slot which has come in use sees whoever had the value's lock
//!   before.
//! * looking at the other's word: Acquire ([`lets_in`](Mutex::lets_in),
//!   [`is_free`](Mutex::is_free)). A reader sees what the last writer wrote; a writer writes after
//!   the last readers have read.
//! * `used`: Relaxed. Writers see it as the owners of the value's lock; to readers it is a hint.
//!
//! # Progress
//!
//! `read_untouched` is one atomic instruction and some loads, and giving the slot back is one
//! instruction; none is of a word that other readers write. `write_untouched` is one atomic
//! instruction, and a load for each slot in use. Readers beyond the number of slots wait for one of
//! those who are in: for the one whose slot they tried first, or, after a tick, for any; others
//! wait for them meanwhile.
//!
//! The idea of a place for each reader at all of which a writer looks is that of Hsieh and Weihl
//! (Scalable reader-writer locks for parallel systems, 1992), that of writing one's own word before
//! looking at the other's Dekker's.
//!
//! # Models
//!
//! `rwlock_models.rs`: readers share, a writer excludes; a new slot; a writer comes before readers
//! that come later; downgrading; more readers than slots; waiting for oneself; a death at each step
//! of a reader and of a writer; poison.

use super::mutex::{Acquired, Mutex, Refused, Sleeper};
use super::slots::{Slots, UntilTick, acquire, take_with};
use crate::sync::{AtomicU32, Ordering, light_fence};

/// The word; all else is in [`Parts`].
#[derive(Debug)]
#[repr(C)]
pub(crate) struct RwLock {
    used: AtomicU32,
}

/// The locks that belong to one [`RwLock`], and the calling thread. The slots are the readers'.
pub(crate) trait Parts: Slots {
    /// [Whole](Mutex::rest) when it is made.
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

/// What a writer has after the first attempt.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Begun {
    /// It is in.
    In,
    /// It has the value's lock, and there may be readers.
    Value,
    Nothing,
}

impl RwLock {
    pub(crate) fn new() -> Self {
        RwLock { used: AtomicU32::new(1) }
    }

    /// Lets a reader in by the slot `usual`, or the last one before, if that is as easy as can be.
    /// After `None`, `read` is called.
    #[inline(always)]
    pub(crate) fn read_untouched(&self, parts: &impl Parts, usual: u32) -> Option<u32> {
        let index = usual.min(self.used(parts) - 1);
        let (slot, me) = parts.slot(index);
        let is_in = parts.value().0.is_at_rest() && slot.lock_untouched(&me) && self.stays(parts, index);
        is_in.then_some(index)
    }

    /// Whether a reader that has taken this slot is in; else it has given it back.
    #[inline(always)]
    fn stays(&self, parts: &impl Parts, index: u32) -> bool {
        light_fence(); // Pairs with the one of `nobody_reads` and `wait_for_readers`.
        let is_in = parts.value().0.lets_in();
        if !is_in {
            parts.give(index);
        }
        is_in
    }

    /// Lets a reader in, which waits as long as `sleeper` does, or not at all.
    pub(crate) fn read<S: Sleeper>(
        &self,
        parts: &impl Parts,
        usual: u32,
        sleeper: &mut Option<&mut S>,
    ) -> Result<Entered, Refused> {
        let (value, me) = parts.value();
        if value.is_at_rest() {
            let taken = parts.take_any(usual, self.used(parts));
            if let Some(index) = taken.filter(|&index| self.stays(parts, index)) {
                return Ok(Entered::Shared(index));
            }
        }
        let had = self.take_value(parts, sleeper)?;
        if had != Acquired::Clean {
            self.wait_for_readers(parts, had, sleeper)?;
            return Ok(Entered::Alone(had));
        }
        let taken = self.find_slot(parts, usual, sleeper);
        value.unlock_whole(&me);
        taken.map(Entered::Shared)
    }

    /// A slot, by the owner of the value's lock.
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
                self.used.store(used + 1, Ordering::Relaxed);
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

    /// Lets a writer in if that is as easy as can be. After another answer than `In`, `write` is
    /// called.
    #[inline(always)]
    pub(crate) fn write_untouched(&self, parts: &impl Parts) -> Begun {
        let (value, me) = parts.value();
        if !value.lock_untouched(&me) {
            return Begun::Nothing;
        }
        if !self.nobody_reads(parts) {
            return Begun::Value;
        }
        value.begin_changes(&me);
        Begun::In
    }

    /// Whether no slot is taken, for one who has just taken the value's lock.
    #[inline(always)]
    fn nobody_reads(&self, parts: &impl Parts) -> bool {
        light_fence(); // Pairs with the one of `stays`.
        (0..self.used(parts)).all(|index| parts.slot(index).0.is_free())
    }

    /// Lets a writer in, which waits as long as `sleeper` does, or not at all. It may have `begun`
    /// already.
    pub(crate) fn write<S: Sleeper>(
        &self,
        parts: &impl Parts,
        begun: Begun,
        sleeper: &mut Option<&mut S>,
    ) -> Result<Acquired, Refused> {
        let had = match begun {
            Begun::In => return Ok(Acquired::Clean),
            Begun::Value => Acquired::Clean,
            Begun::Nothing => self.take_value(parts, sleeper)?,
        };
        self.wait_for_readers(parts, had, sleeper)?;
        Ok(had)
    }

    /// The owner of the value's lock is in when this has ended; where it says why not, it is the
    /// owner no more.
    fn wait_for_readers<S: Sleeper>(
        &self,
        parts: &impl Parts,
        had: Acquired,
        sleeper: &mut Option<&mut S>,
    ) -> Result<(), Refused> {
        light_fence(); // Pairs with the one of `stays`.
        let (value, me) = parts.value();
        for index in 0..self.used(parts) {
            if parts.slot(index).0.is_free() {
                continue;
            }
            let left =
                self.check_not_in(parts, index, sleeper).and_then(|()| take_with(parts.slot(index), sleeper));
            if let Err(refused) = left {
                match had {
                    Acquired::Clean => value.unlock_whole(&me),
                    Acquired::OwnerDied => value.unlock(&me),
                    Acquired::Poisoned => value.unlock_torn(&me, false),
                }
                return Err(refused);
            }
            parts.give(index);
        }
        value.begin_changes(&me);
        Ok(())
    }

    /// A writer that is in, and leaves the value whole, becomes a reader, with nobody in between,
    /// by the slot that is returned.
    pub(crate) fn downgrade(&self, parts: &impl Parts, usual: u32, sleeper: &mut impl Sleeper) -> u32 {
        let index = loop {
            // A reader that has a slot is about to give it back.
            if let Ok(index) = self.find_slot(parts, usual, &mut Some(sleeper)) {
                break index;
            }
        };
        let (value, me) = parts.value();
        value.unlock_whole(&me);
        index
    }

    /// Takes the value's lock.
    fn take_value<S: Sleeper>(
        &self,
        parts: &impl Parts,
        sleeper: &mut Option<&mut S>,
    ) -> Result<Acquired, Refused> {
        let (value, me) = parts.value();
        if let Some(outcome) = value.try_free(&me) {
            return outcome;
        }
        self.check_not_in(parts, 0, sleeper)?;
        acquire((value, me), sleeper)
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
        if sleeper.is_some() && (first..self.used(parts)).any(has_slot) {
            Err(Refused::Deadlock)
        } else {
            Ok(())
        }
    }

    /// Never more than there are, nor none, whatever another program has written there.
    #[inline(always)]
    fn used(&self, parts: &impl Parts) -> u32 {
        self.used.load(Ordering::Relaxed).clamp(1, parts.count())
    }
}
