//! Parks and unparks the thread of one lane, with a token that is never lost.
//!
//! # State
//!
//! | value | meaning | set by |
//! |---|---|---|
//! | `EMPTY` | no token, and the lane does not sleep | the lane, when it consumes a token, or when its sleep times out |
//! | `PARKED` | the lane sleeps, or is about to | the lane |
//! | `TOKEN` | the next `park` returns at once | anyone |
//!
//! Tokens do not accumulate, and one may be left over from an earlier wait. So the lane must check
//! its condition again after each `park`.
//!
//! # Orderings
//!
//! * `unpark`: Release on the swap. Pairs with the Acquire with which `park` consumes the token:
//!   what the waker wrote before (a settled loop, a shutdown) is visible to the lane.
//! * `park`, `park_timeout`: Acquire on every step that consumes a token.
//!
//! # Progress
//!
//! `unpark` makes one system call if the lane sleeps, and none otherwise. A lane cannot sleep
//! through a token: the kernel compares the word with `PARKED` and goes to sleep in one atomic
//! step.
//!
//! # Models
//!
//! `parker_models.rs`: a waker against a parker with data behind the token; two wakers; a stale
//! token; a sleep with a timeout.

use std::time::Duration;

use crate::sync::{Futex, Ordering};

const EMPTY: u32 = 0;
const PARKED: u32 = 1;
const TOKEN: u32 = 2;

/// The word.
#[derive(Debug)]
pub(crate) struct Parker(Futex);

impl Parker {
    pub(crate) fn new() -> Self {
        Parker(Futex::new(EMPTY))
    }

    /// Sleeps until there is a token, and consumes it. Only the lane's own thread calls this.
    pub(crate) fn park(&self) {
        let word = self.0.word();
        if word.compare_exchange(EMPTY, PARKED, Ordering::Relaxed, Ordering::Relaxed).is_err() {
            // Acquire: consumes the token that is there; pairs with the last `unpark` before it.
            word.swap(EMPTY, Ordering::Acquire);
            return;
        }
        loop {
            self.0.wait(PARKED);
            // Acquire: pairs with `unpark`.
            if word.compare_exchange(TOKEN, EMPTY, Ordering::Acquire, Ordering::Relaxed).is_ok() {
                return;
            }
        }
    }

    /// Sleeps until there is a token, but at most for `timeout`, and possibly less. Returns whether
    /// it consumed a token. Only the lane's own thread calls this.
    pub(crate) fn park_timeout(&self, timeout: Duration) -> bool {
        let word = self.0.word();
        if word.compare_exchange(EMPTY, PARKED, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
            self.0.wait_timeout(PARKED, timeout);
        }
        // Acquire: consumes the token if there is one; pairs with `unpark`.
        word.swap(EMPTY, Ordering::Acquire) == TOKEN
    }

    /// Leaves a token, and wakes the lane if it sleeps. Returns true if it slept.
    pub(crate) fn unpark(&self) -> bool {
        // Release: what the waker wrote happens before the lane's return from `park`.
        let slept = self.0.word().swap(TOKEN, Ordering::Release) == PARKED;
        if slept {
            self.0.wake();
        }
        slept
    }

    /// Returns the word, for a model of spurious wake-ups.
    #[cfg(any(test, loom))]
    #[allow(dead_code, reason = "for the models")]
    pub(crate) fn futex(&self) -> &Futex {
        &self.0
    }
}
