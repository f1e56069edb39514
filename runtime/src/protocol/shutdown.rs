//! How workers learn that their pool is going away.
//!
//! # State
//!
//! One flag, set once by the thread that drops the pool.
//!
//! | transition | who | when |
//! |---|---|---|
//! | [`begin`](Shutdown::begin) sets it, then leaves a token with every worker's parker | the dropping thread | nobody can start work on the pool any more |
//! | a worker that finds no work asks [`begun`](Shutdown::begun) before every park | the worker | idle |
//!
//! # Orderings
//!
//! The flag is Relaxed: the Release of `unpark` and the Acquire of `park` carry it. A worker that
//! asked too early parks, finds the token, returns at once, and asks again.
//!
//! # Models
//!
//! `shutdown_models.rs`: a worker about to park, and one that a stale token has woken, both end.

use super::sleep::Sleep;
use crate::sync::{AtomicBool, Ordering};

/// The flag.
#[derive(Debug)]
pub(crate) struct Shutdown(AtomicBool);

impl Shutdown {
    pub(crate) fn new() -> Self {
        Shutdown(AtomicBool::new(false))
    }

    /// Tells the first `workers` lanes of `sleep` to end.
    pub(crate) fn begin(&self, sleep: &Sleep, workers: usize) {
        self.0.store(true, Ordering::Relaxed);
        for lane in 0..workers {
            sleep.parker(lane).unpark();
        }
    }

    /// Whether the pool is going away.
    pub(crate) fn begun(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
