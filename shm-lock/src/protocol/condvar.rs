//! Waits, without the lock, for a change of what the lock protects.
//!
//! # State
//!
//! One futex word:
//!
//! | bits | meaning | set by | cleared by |
//! |---|---|---|---|
//! | 0–30 | a number that each notification increases while `WAITERS` is set; it wraps around | a notifier, before it wakes | |
//! | 31 `WAITERS` | somebody may sleep, or is about to | a waiter, while it has the lock | the kernel, together with waking all |
//!
//! A waiter sets `WAITERS` and reads the number while it has the lock, gives the lock back, and
//! sleeps unless the word has changed. **Invariant: `WAITERS` clear ⇒ nobody waits**, as in
//! [`mutex`](super::mutex): so a notification that finds it clear is a single load.
//!
//! # Death
//!
//! A waiter that dies after it was woken has used up a notification that another waiter may need.
//! So sleeps are bounded: every waiter looks at its condition again after a tick. Waking without
//! cause is within what users of a condition variable expect.
//!
//! # Orderings
//!
//! All Relaxed. A notifier that has changed the condition under the lock looks at the word after
//! the waiter has given the lock back, hence after the waiter has set `WAITERS` and read the
//! number; what the condition is made of comes through the lock.
//!
//! # Progress
//!
//! A notification is one load, and where somebody waits one exchange and one or two system calls.
//! All who are woken take the lock one after the other: there is no requeueing from this word to
//! the lock's. A requeued sleeper would have to be announced in the lock's word without owning it,
//! and would sleep there without having told the kernel that it is about to take that lock.
//!
//! # Models
//!
//! `condvar_models.rs`: a notification is not lost; two waiters and one notification for all, or
//! for one each; nobody called where nobody waits; a waiter whose time is up; a waiter that dies.

use super::mutex::{Sleeper, Slept, WAITERS};
use crate::sync::{Futex, Ordering, Seen};

/// The word.
#[derive(Debug)]
#[repr(transparent)]
pub(crate) struct Condvar(Futex);

/// The word that a waiter has left while it had the lock.
#[must_use]
#[derive(Clone, Copy, Debug)]
pub(crate) struct Awaited(u32);

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
    pub(crate) fn look(&self) -> Awaited {
        Awaited(self.0.word().fetch_or(WAITERS, Ordering::Relaxed) | WAITERS)
    }

    /// Sleeps until there was a notification since `awaited`, or a tick has passed. The caller has
    /// given the lock back.
    pub(crate) fn wait(&self, awaited: Awaited, sleeper: &mut impl Sleeper) -> Slept {
        sleeper.sleep(&self.0, Seen { word: awaited.0, turn: 0 })
    }

    /// Wakes up to `most` waiters.
    #[inline]
    pub(crate) fn notify(&self, most: u32) {
        let mut seen = self.0.word().load(Ordering::Relaxed);
        while seen & WAITERS != 0 {
            seen = self.notify_waiters(seen, most);
        }
    }

    /// Wakes up to `most` of those who wait for a change of the word that was `seen`. What to go on
    /// with: nothing, or another word.
    #[cold]
    fn notify_waiters(&self, seen: u32, most: u32) -> u32 {
        let next = WAITERS | seen.wrapping_add(1);
        match self.0.word().compare_exchange_weak(seen, next, Ordering::Relaxed, Ordering::Relaxed) {
            Ok(_) => {
                if most == u32::MAX || self.0.wake(most) < most {
                    self.0.clear_and_wake_all();
                }
                0
            }
            Err(changed) => changed,
        }
    }
}
