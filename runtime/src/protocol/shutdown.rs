//! How workers learn that their pool is over.
//!
//! # State
//!
//! One count: the number of holds that keep the pool alive. It begins at one, for the user's
//! handle.
//!
//! | transition | who | when |
//! |---|---|---|
//! | [`hold`](Shutdown::hold) `n → n + 1`, unless it is 0 | a thread that hands the pool work which nobody waits for, or that needs every worker for a moment | it holds the handle or another hold; otherwise the answer may be false |
//! | [`release`](Shutdown::release) `n → n - 1`; the last one leaves a token with every worker's parker | the thread that dropped the handle, or finished that work | it hands over no more work afterwards |
//! | a worker that finds no work asks [`over`](Shutdown::over) before every park | the worker | it is idle |
//!
//! 0 is final. So work that was handed over holds the pool until it is done, and may hand over more
//! work meanwhile. No worker ends while a thread needs every worker.
//!
//! # Orderings
//!
//! Relaxed: a worker that sees 0 reads nothing that depends on it. The Release of `unpark` and the
//! Acquire of `park` publish it: a worker that asked too early parks, finds the token, returns at
//! once, and asks again.
//!
//! # Progress
//!
//! Lock-free.
//!
//! # Models
//!
//! `shutdown_models.rs`: a worker that is about to park, and one that a stale token has woken, both
//! end; the handle and handed-over work release at the same time; work handed over while the handle
//! is dropped is done or refused.

use super::sleep::Sleep;
use crate::sync::{AtomicU32, Ordering};

/// The count.
#[derive(Debug)]
pub(crate) struct Shutdown(AtomicU32);

impl Shutdown {
    pub(crate) fn new() -> Self {
        Shutdown(AtomicU32::new(1))
    }

    /// Keeps the workers until `release` is called; false if the pool is over.
    #[must_use = "a hold must be released"]
    pub(crate) fn hold(&self) -> bool {
        let mut holds = self.0.load(Ordering::Relaxed);
        while holds != 0 {
            assert!(holds < u32::MAX, "fewer than 2^32 pieces of work are handed to a pool at a time");
            match self.0.compare_exchange_weak(holds, holds + 1, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return true,
                Err(now) => holds = now,
            }
        }
        false
    }

    /// Ends a hold. The last one unparks the first `workers` lanes of `sleep`.
    pub(crate) fn release(&self, sleep: &Sleep, workers: usize) {
        if self.0.fetch_sub(1, Ordering::Relaxed) == 1 {
            for lane in 0..workers {
                sleep.parker(lane).unpark();
            }
        }
    }

    /// Returns whether there is no hold left.
    pub(crate) fn over(&self) -> bool {
        self.0.load(Ordering::Relaxed) == 0
    }
}
