//! Guest lanes: which of them a calling thread from outside the pool holds.
//!
//! # State
//!
//! One word, a bit per guest lane; a set bit means that some thread owns the lane and everything private to it.
//!
//! | transition | who | when |
//! |---|---|---|
//! | [`acquire`](Lease::acquire) sets the lowest clear bit | any thread | one is clear |
//! | [`release`](Lease::release) clears it | its holder | it will not touch the lane again |
//!
//! # Orderings
//!
//! * `release`: Release, `acquire`: Acquire on success. They pair: what one holder did to the lane (its deque, its spare loop
//!   memory) happens before the next holder touches it.
//!
//! # Progress
//!
//! Lock-free. With all bits set the answer is `None`, and the caller does its work alone.
//!
//! # Models
//!
//! `lease_models.rs`: two threads and one lane with private data; two threads and two lanes.

use crate::sync::{AtomicU32, Ordering};

/// The word.
#[derive(Debug)]
pub(crate) struct Lease(AtomicU32);

impl Lease {
    /// The most guest lanes that fit into the word.
    pub(crate) const MAX: usize = 32;

    pub(crate) fn new() -> Self {
        Lease(AtomicU32::new(0))
    }

    /// The number of a guest lane below `lanes` which is now the caller's alone.
    #[must_use]
    pub(crate) fn acquire(&self, lanes: usize) -> Option<usize> {
        debug_assert!(lanes <= Self::MAX);
        let mut held = self.0.load(Ordering::Relaxed);
        loop {
            let lane = held.trailing_ones() as usize;
            if lane >= lanes {
                return None;
            }
            // Acquire: pairs with `release` of the lane's last holder.
            match self.0.compare_exchange_weak(held, held | 1 << lane, Ordering::Acquire, Ordering::Relaxed) {
                Ok(_) => return Some(lane),
                Err(now) => held = now,
            }
        }
    }

    /// Whether somebody holds `lane`; a hint.
    pub(crate) fn is_held(&self, lane: usize) -> bool {
        self.0.load(Ordering::Relaxed) & 1 << lane != 0
    }

    /// Gives `lane` back.
    pub(crate) fn release(&self, lane: usize) {
        // Release: what this holder did to the lane happens before the next one's `acquire`.
        let held = self.0.fetch_and(!(1 << lane), Ordering::Release);
        debug_assert!(held & 1 << lane != 0, "only a held lane is released");
    }
}
