//! A number of permits, taken one at a time and given back.
//!
//! # State
//!
//! | bits | meaning | set by | cleared by |
//! |---|---|---|---|
//! | 0–30 `COUNT` | permits that are left | whoever takes one or gives some back | |
//! | 31 `WAITERS` | somebody may sleep | whoever finds no permit, before it sleeps | the kernel, together with waking all |
//!
//! **Invariant: `WAITERS` clear ⇒ nobody sleeps**, as in [`mutex`](super::mutex).
//!
//! # Death
//!
//! The word does not know who has a permit, so one that a dead process had is gone until somebody
//! gives one back for it. A thread that dies after it was woken has used up a wake-up but no
//! permit: the next sleeper finds that permit after a tick.
//!
//! # Orderings
//!
//! * taking a permit: Acquire. Pairs with giving one back: what the last holder did happens before
//!   what the next one does.
//! * giving back: Release, see above.
//!
//! # Progress
//!
//! One compare-exchange each, and a system call for each sleep and each wake-up. Not fair.
//!
//! # Models
//!
//! `semaphore_models.rs`: one permit excludes; two sleepers and two permits; as many woken as there
//! are permits, and nobody called where none sleeps; a waiter whose time is up; a waiter that dies.

use super::mutex::{Sleeper, Slept, WAITERS};
use crate::sync::{Futex, Ordering, Seen};

/// The largest number of permits.
pub(crate) const COUNT: u32 = WAITERS - 1;

/// The word.
#[derive(Debug)]
#[repr(transparent)]
pub(crate) struct Semaphore(Futex);

impl Semaphore {
    /// At most [`COUNT`] permits.
    pub(crate) fn new(permits: u32) -> Self {
        Semaphore(Futex::new(permits))
    }

    /// The word, for a model of the kernel.
    #[cfg(any(test, loom))]
    #[allow(dead_code, reason = "for the models")]
    pub(crate) fn futex(&self) -> &Futex {
        &self.0
    }

    /// How many permits are left at the moment.
    pub(crate) fn available(&self) -> u32 {
        self.0.word().load(Ordering::Relaxed) & COUNT
    }

    /// Takes a permit if there is one.
    pub(crate) fn try_acquire(&self) -> bool {
        let word = self.0.word();
        let mut seen = word.load(Ordering::Relaxed);
        while seen & COUNT != 0 {
            // Acquire: pairs with `release`.
            match word.compare_exchange_weak(seen, seen - 1, Ordering::Acquire, Ordering::Relaxed) {
                Ok(_) => return true,
                Err(changed) => seen = changed,
            }
        }
        false
    }

    /// Takes a permit, waiting for one as long as `sleeper` does and the system lets it; true if it
    /// got one.
    pub(crate) fn acquire(&self, sleeper: &mut impl Sleeper) -> bool {
        let word = self.0.word();
        loop {
            if self.try_acquire() {
                return true;
            }
            let seen = word.load(Ordering::Relaxed);
            if seen & COUNT != 0 {
                continue;
            }
            if seen & WAITERS == 0
                && word.compare_exchange(seen, WAITERS, Ordering::Relaxed, Ordering::Relaxed).is_err()
            {
                continue;
            }
            match sleeper.sleep(&self.0, Seen { word: WAITERS, turn: 0 }) {
                Slept::TimedOut | Slept::Failed(_) => return self.try_acquire(),
                Slept::Woken | Slept::Tick => (),
            }
        }
    }

    /// Gives `permits` back; false, and nothing is given, if there would be more than [`COUNT`].
    pub(crate) fn release(&self, permits: u32) -> bool {
        let word = self.0.word();
        let mut seen = word.load(Ordering::Relaxed);
        loop {
            let sum = (seen & COUNT).checked_add(permits).filter(|&sum| sum <= COUNT);
            let Some(sum) = sum else { return false };
            // Release: pairs with `try_acquire`.
            match word.compare_exchange_weak(seen, seen & WAITERS | sum, Ordering::Release, Ordering::Relaxed)
            {
                Ok(_) => break,
                Err(changed) => seen = changed,
            }
        }
        if seen & WAITERS != 0 && self.0.wake(permits) < permits {
            self.0.clear_and_wake_all();
        }
        true
    }
}
