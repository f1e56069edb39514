//! An action that is run once, by the first thread that lives to finish it.
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
//! * `finish`: Release. Pairs with the Acquire of `is_done`: the action happens before a thread
//!   sees that it is done.
//! * `is_done`: Acquire, see above.
//!
//! # Death
//!
//! A thread that dies during the action has not called `finish`. The lock goes to the next thread,
//! which learns of the death.
//!
//! # Progress
//!
//! `is_done` is one load. Other threads wait for the lock.
//!
//! # Models
//!
//! `once_models.rs`: the action runs once and is visible to all; after a death at each step, or
//! after giving up, the next thread runs it and is told.

use super::mutex::{Acquired, Holder, Mutex, Refused, Sleeper};
use crate::sync::{AtomicU32, Ordering};

/// The word. The mutex that belongs to it is passed to its methods.
#[derive(Debug)]
#[repr(transparent)]
pub(crate) struct Done(AtomicU32);

/// What a caller must do.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// Nothing: the action is done.
    Done,
    /// Run the action, and call [`finish`](Done::finish) or [`give_up`](Done::give_up).
    Mine {
        /// Whether an earlier attempt ended early.
        again: bool,
    },
}

impl Done {
    pub(crate) fn new() -> Self {
        Done(AtomicU32::new(0))
    }

    /// Returns whether the action is done.
    #[inline]
    pub(crate) fn is_done(&self) -> bool {
        // Acquire: pairs with `finish`.
        self.0.load(Ordering::Acquire) != 0
    }

    /// Waits until the action is done, or it is the caller's turn.
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

    /// Marks the action as done, and ends the caller's turn.
    pub(crate) fn finish(&self, mutex: &Mutex, me: &impl Holder, again: bool) {
        // Release: what was done happens before `is_done`.
        self.0.store(1, Ordering::Release);
        self.end_turn(mutex, me, again);
    }

    /// Ends the caller's turn without finishing. The next thread learns that the action was begun.
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
