//! Many readers or one writer. Each of them may die at any instruction.
//!
//! # State
//!
//! Readers and writers exclude each other only through robust words:
//!
//! | word | holder |
//! |---|---|
//! | a [slot](super::slots) | a reader |
//! | the value's [lock](super::mutex) | a writer, from before it checks for readers until it leaves; a reader that found this lock taken, or no free slot, while it gets a slot |
//!
//! Both write their own word first, and then read the words of the others. A reader that has a slot
//! is in if nobody holds the value's lock. Otherwise it gives the slot back. A writer that holds
//! the value's lock is in once it has seen each slot free at some time since it took the lock; it
//! takes no slot. If it finds a slot taken, it takes the slot after that reader, and gives it back
//! at once. The reader has left by then, and the next reader finds the value's lock taken.
//!
//! The lock is [`WHOLE`](super::mutex) until a writer is in
//! ([`begin_changes`](Mutex::begin_changes)), and again when the writer leaves
//! ([`unlock_whole`](Mutex::unlock_whole)). So nobody learns of the death of a thread that waits
//! for readers or for a slot. The death of a writer that was in is reported to the next thread that
//! takes the lock: a writer, or a reader, because no reader gets in by a slot while `OWNER_DIED` is
//! set.
//!
//! `used` is the number of slots to check, out of [`count`](Slots::count): the largest number of
//! readers at the same time so far. Only the holder of the value's lock increases it.
//!
//! # Preference
//!
//! New readers do not get in while a writer holds the value's lock. So the writer waits only for
//! the current readers. Waiting writers and readers get the value's lock in its order, so neither
//! side starves the other.
//!
//! # Death
//!
//! A writer that waits for a reader sleeps on the reader's slot, and the kernel wakes it if the
//! reader dies. The writer's own death wakes a thread that sleeps on the value's lock.
//!
//! # Orderings
//!
//! * the fences after taking a slot and after taking the value's lock: SeqCst. Without them, a
//!   reader and a writer could each miss the other's write. They also ensure that a reader which
//!   knows a newly used slot sees the earlier holders of the value's lock.
//! * reading the other side's word: Acquire ([`lets_in`](Mutex::lets_in),
//!   [`is_free`](Mutex::is_free)). A reader sees what the last writer wrote. A writer writes after
//!   the last readers have read.
//! * `used`: Relaxed. Writers see it through the value's lock. For readers it is a hint.
//!
//! # Progress
//!
//! `read_untouched` is one atomic instruction and some loads, and giving the slot back is one
//! instruction. No other reader writes these words. `write_untouched` is one atomic instruction,
//! and a load per slot in use. If all slots are taken, a further reader waits for the holder of the
//! slot that it tried first and, after a tick, for any holder. Other threads wait for it meanwhile.
//!
//! The idea of one place per reader, all of which a writer checks, is from Hsieh and Weihl
//! (Scalable reader-writer locks for parallel systems, 1992). To write one's own word before
//! reading the other's is Dekker's pattern.
//!
//! # Models
//!
//! `rwlock_models.rs`: readers share, a writer excludes; a new slot; a writer goes before later
//! readers; downgrading; more readers than slots; a thread that waits for itself; a death at each
//! step of a reader and of a writer; poison.

use super::mutex::{Acquired, Mutex, Refused, Sleeper};
use super::slots::{Slots, UntilTick, acquire, take_with};
use crate::sync::{AtomicU32, Ordering, light_fence};

/// The word. All other parts are in [`Parts`].
#[derive(Debug)]
#[repr(C)]
pub(crate) struct RwLock {
    used: AtomicU32,
}

/// The locks that belong to one [`RwLock`], and the calling thread. The slots belong to readers.
pub(crate) trait Parts: Slots {
    /// The value's lock. It is [whole](Mutex::rest) when it is created.
    fn value(&self) -> (&Mutex, Self::Me<'_>);
}

/// How the caller got in.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Entered {
    /// As a reader, with this slot.
    Shared(u32),
    /// As a writer of a value that may be torn. Never [`Clean`](Acquired::Clean).
    Alone(Acquired),
}

/// What a writer holds after the first attempt.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Begun {
    /// The writer is in.
    In,
    /// The writer holds the value's lock, and there may be readers.
    Value,
    Nothing,
}

impl RwLock {
    pub(crate) fn new() -> Self {
        RwLock { used: AtomicU32::new(1) }
    }

    /// Lets a reader in by the slot `usual`, or by the last slot in use if `usual` is beyond it. Only
    /// the fast path: after `None`, call `read`.
    #[inline(always)]
    pub(crate) fn read_untouched(&self, parts: &impl Parts, usual: u32) -> Option<u32> {
        let index = usual.min(self.used(parts) - 1);
        let (slot, me) = parts.slot(index);
        let is_in = parts.value().0.is_at_rest() && slot.lock_untouched(&me) && self.stays(parts, index);
        is_in.then_some(index)
    }

    /// Returns whether a reader that has taken this slot is in. Otherwise gives the slot back.
    #[inline(always)]
    fn stays(&self, parts: &impl Parts, index: u32) -> bool {
        light_fence(); // Pairs with the one of `nobody_reads` and `wait_for_readers`.
        let is_in = parts.value().0.lets_in();
        if !is_in {
            parts.give(index);
        }
        is_in
    }

    /// Lets a reader in. It waits as long as `sleeper` does, or not at all without one.
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

    /// Finds a slot for the holder of the value's lock.
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

    /// Lets a writer in, on the fast path only. After any result other than `In`, call `write`.
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

    /// Returns whether no slot is taken. The caller has just taken the value's lock.
    #[inline(always)]
    fn nobody_reads(&self, parts: &impl Parts) -> bool {
        light_fence(); // Pairs with the one of `stays`.
        (0..self.used(parts)).all(|index| parts.slot(index).0.is_free())
    }

    /// Lets a writer in. It waits as long as `sleeper` does, or not at all without one. It may have
    /// `begun` already.
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

    /// Waits until all readers have left. The holder of the value's lock is then in. On an error,
    /// it no longer holds the lock.
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

    /// Turns a writer that leaves the value consistent into a reader, with no other thread in
    /// between. Returns its slot.
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

    /// Refuses a wait by a thread that holds a slot, because it may wait for a writer that waits for
    /// this slot. Slots before `first`, which a writer has already seen free, are not checked.
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

    /// Returns how many slots are in use: at least one and at most all, even if another program has
    /// overwritten the word.
    #[inline(always)]
    fn used(&self, parts: &impl Parts) -> u32 {
        self.used.load(Ordering::Relaxed).clamp(1, parts.count())
    }
}
