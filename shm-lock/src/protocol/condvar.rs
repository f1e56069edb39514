//! Waits, without the lock, for a change of what the lock protects.
//!
//! # State
//!
//! One futex word, a number that each notification increases. It wraps around.
//!
//! | transition | who | when |
//! |---|---|---|
//! | `n → n + 1` | a notifier | before it wakes |
//!
//! A waiter reads the number while it has the lock, gives the lock back, and sleeps unless the number has changed.
//!
//! # Death
//!
//! A waiter that dies after it was woken has used up a notification that another waiter may need. So sleeps are bounded: every
//! waiter looks at its condition again after a tick. Waking without cause is within what users of a condition variable expect.
//!
//! # Orderings
//!
//! All Relaxed. A notifier that has changed the condition under the lock increases the number after the waiter has given
//! the lock back, hence after the waiter has read it; what the condition is made of comes through the lock.
//!
//! # Progress
//!
//! A notification is one addition and one system call. All who are woken take the lock one after the other: there is
//! no requeueing from this word to the lock's. A requeued sleeper would have to be announced in the lock's word without
//! owning it, and would sleep there without having told the kernel that it is about to take that lock.
//!
//! # Models
//!
//! `condvar_models.rs`: a notification is not lost; two waiters and one notification for all, or for one each; a
//! waiter whose time is up; a waiter that dies.

use super::mutex::{Sleeper, Slept};
use crate::sync::{Futex, Ordering};

/// The word.
#[derive(Debug)]
#[repr(transparent)]
pub(crate) struct Condvar(Futex);

/// The number that a waiter has seen while it had the lock.
#[must_use]
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen(u32);

impl Condvar {
    pub(crate) fn new() -> Self {
        Condvar(Futex::new(0))
    }

    /// The word, for a model of the kernel.
    #[cfg(any(test, loom))]
    #[allow(dead_code, reason = "for the models")]
    pub(crate) fn futex(&self) -> &Futex {
        &self.0
    }

    /// What to wait for a change of. The caller has the lock.
    pub(crate) fn look(&self) -> Seen {
        Seen(self.0.word().load(Ordering::Relaxed))
    }

    /// Sleeps until there was a notification since `seen`, or a tick has passed. The caller has given the lock back.
    pub(crate) fn wait(&self, seen: Seen, sleeper: &mut impl Sleeper) -> Slept {
        sleeper.sleep(&self.0, crate::sync::Seen { word: seen.0, turn: 0 })
    }

    /// Wakes up to `most` waiters.
    pub(crate) fn notify(&self, most: u32) {
        self.0.word().fetch_add(1, Ordering::Relaxed);
        self.0.wake(most);
    }
}
