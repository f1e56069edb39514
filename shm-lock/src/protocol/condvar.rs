//! Waits, without the lock, for a change of the data that the lock protects.
//!
//! # State
//!
//! One futex word:
//!
//! | bits | meaning | set by | cleared by |
//! |---|---|---|---|
//! | 0–30 | a counter that each notification increments while `WAITERS` is set; it wraps around | a notifier, before it wakes | |
//! | 31 `WAITERS` | a thread may sleep, or is about to | a waiter, while it holds the lock | the kernel, in the step that wakes all |
//!
//! A waiter sets `WAITERS` and reads the word while it holds the lock. Then it releases the lock,
//! and sleeps unless the word has changed. **Invariant: `WAITERS` clear ⇒ nobody waits**, as in
//! [`mutex`](super::mutex). So a notification without waiters is a single load.
//!
//! # Death
//!
//! A waiter that dies after it was woken has consumed a notification that another waiter may need.
//! So sleeps are bounded: every waiter checks its condition again after a tick. Users of a
//! condition variable expect spurious wake-ups.
//!
//! # Orderings
//!
//! All Relaxed. A notifier that has changed the condition under the lock reads the word after the
//! waiter has released the lock, and so after the waiter has set `WAITERS` and read the counter.
//! The lock publishes the condition itself.
//!
//! # Progress
//!
//! A notification is one load. If threads wait, it is also one exchange and one or two system
//! calls. All woken threads take the lock one after the other: they are not requeued from this word
//! to the lock's word. The lock's word would have to announce a requeued sleeper that does not own
//! it, and this sleeper would not have told the kernel that it is about to take the lock.
//!
//! # Models
//!
//! `condvar_models.rs`: a notification is not lost; two waiters with one notification for all, or
//! one for each; no system call if nobody waits; a waiter that times out; a waiter that dies.

use super::mutex::{Sleeper, Slept, WAITERS};
use crate::sync::{Futex, Ordering, Seen};

/// The word.
#[derive(Debug)]
#[repr(transparent)]
pub(crate) struct Condvar(Futex);

/// The word as a waiter left it while it held the lock.
#[must_use]
#[derive(Clone, Copy, Debug)]
pub(crate) struct Awaited(u32);

impl Condvar {
    pub(crate) fn new() -> Self {
        Condvar(Futex::new(0))
    }

    /// Returns the word, for a model of the kernel.
    #[cfg(any(test, loom))]
    #[allow(dead_code, reason = "for the models")]
    pub(crate) fn futex(&self) -> &Futex {
        &self.0
    }

    /// Announces a waiter, and returns the word to wait on. The caller holds the lock.
    pub(crate) fn look(&self) -> Awaited {
        Awaited(self.0.word().fetch_or(WAITERS, Ordering::Relaxed) | WAITERS)
    }

    /// Sleeps until there was a notification since `awaited`, or a tick has passed. The caller has
    /// released the lock.
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

    /// Wakes up to `most` of those who wait on the word that was `seen`. Returns 0 when it is done,
    /// or another word with which to continue.
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
