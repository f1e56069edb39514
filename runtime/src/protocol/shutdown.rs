//! How workers learn that their pool is over.
//!
//! # State
//!
//! One count: of what keeps the pool going. It begins at one, for the handle that the user has.
//!
//! | transition | who | when |
//! |---|---|---|
//! | [`hold`](Shutdown::hold) `n → n + 1`, unless it is 0 | who hands work to the pool which nobody has to wait for, or needs every worker for a moment | it holds the handle, or is part of what holds the pool; else the answer may be no |
//! | [`release`](Shutdown::release) `n → n - 1`; the last one leaves a token with every worker's parker | who dropped the handle; who has done that work | after it, it hands over nothing more |
//! | a worker that finds no work asks [`over`](Shutdown::over) before every park | the worker | idle |
//!
//! 0 is for ever. So work that is handed over holds the pool until it is done, and may hand over
//! further work meanwhile; and no worker ends while somebody counts on every worker.
//!
//! # Orderings
//!
//! Relaxed: a worker reads nothing on the strength of 0 but that there is nothing left to read. The
//! Release of `unpark` and the Acquire of `park` carry it: a worker that asked too early parks,
//! finds the token, returns at once, and asks again.
//!
//! # Progress
//!
//! Lock-free.
//!
//! # Models
//!
//! `shutdown_models.rs`: a worker about to park, and one that a stale token has woken, both end;
//! the handle and handed-over work let go at the same time; work handed over while the handle goes
//! is done or refused.

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
    #[must_use = "who holds the pool must release it"]
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

    /// Ends a hold. The last one ends the first `workers` lanes of `sleep`.
    pub(crate) fn release(&self, sleep: &Sleep, workers: usize) {
        if self.0.fetch_sub(1, Ordering::Relaxed) == 1 {
            for lane in 0..workers {
                sleep.parker(lane).unpark();
            }
        }
    }

    /// Whether nothing keeps the pool any more.
    pub(crate) fn over(&self) -> bool {
        self.0.load(Ordering::Relaxed) == 0
    }
}
