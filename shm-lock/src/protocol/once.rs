//! Something that is done once, by whoever comes first and lives to finish it.
//!
//! # State
//!
//! A word that only the owner of a [`Mutex`] writes:
//!
//! | value | meaning |
//! |---|---|
//! | 0 | not done |
//! | anything else | done |
//!
//! # Orderings
//!
//! * `finish`: Release. Pairs with the Acquire of `is_done`: what was done happens before whoever
//!   finds it done.
//! * `is_done`: Acquire, see above.
//!
//! # Death
//!
//! One who dies while doing it has not called `finish`; the lock goes to the next one, who hears of
//! the death.
//!
//! # Progress
//!
//! `is_done` is one load. The others wait for the lock.
//!
//! # Models
//!
//! `once_models.rs`: it is done once and seen by all; a death at each step, or giving up, lets the
//! next one do it, who is told.

use super::mutex::{Acquired, Holder, Mutex, Refused, Sleeper};
use crate::sync::{AtomicU32, Ordering};

/// The word. Its methods are given the mutex that belongs to it.
#[derive(Debug)]
#[repr(transparent)]
pub(crate) struct Done(AtomicU32);

/// What a caller finds.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// It is done.
    Done,
    /// It is the caller's turn, who must call [`finish`](Done::finish) or
    /// [`give_up`](Done::give_up).
    Mine {
        /// An earlier attempt has ended early.
        again: bool,
    },
}

impl Done {
    pub(crate) fn new() -> Self {
        Done(AtomicU32::new(0))
    }

    /// Whether it is done.
    #[inline]
    pub(crate) fn is_done(&self) -> bool {
        // Acquire: pairs with `finish`.
        self.0.load(Ordering::Acquire) != 0
    }

    /// Waits until it is done, or it is the caller's turn.
    pub(crate) fn begin<S: Sleeper>(
        &self,
        mutex: &Mutex,
        me: &impl Holder,
        sleeper: impl FnOnce() -> S,
    ) -> Result<Turn, Refused> {
        let again = mutex.lock(me, sleeper)? != Acquired::Clean;
        if self.0.load(Ordering::Relaxed) == 0 {
            return Ok(Turn::Mine { again });
        }
        self.end_turn(mutex, me, again);
        Ok(Turn::Done)
    }

    /// It is done. The caller's turn ends.
    pub(crate) fn finish(&self, mutex: &Mutex, me: &impl Holder, again: bool) {
        // Release: what was done happens before `is_done`.
        self.0.store(1, Ordering::Release);
        self.end_turn(mutex, me, again);
    }

    /// It is not done, and the next one shall hear that it was begun. The caller's turn ends.
    pub(crate) fn give_up(&self, mutex: &Mutex, me: &impl Holder) {
        mutex.unlock_torn(me, false);
    }

    fn end_turn(&self, mutex: &Mutex, me: &impl Holder, again: bool) {
        if again {
            mutex.mark_whole();
        }
        mutex.unlock(me);
    }
}
