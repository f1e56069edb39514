//! Guest lanes: which of them a calling thread from outside the pool holds.
//!
//! # State
//!
//! | word | meaning |
//! |---|---|
//! | `held`, a bit per guest lane | some thread owns the lane and everything private to it |
//! | `known`, a bit per guest lane | some thread has owned it: others look there for work from now on |
//!
//! | transition | who | when |
//! |---|---|---|
//! | [`acquire`](Lease::acquire) sets the lowest clear bit of `held` | any thread | one is clear |
//! | and that of `known`, if it is clear | the lane's first holder | before it offers anything |
//! | [`release`](Lease::release) clears the bit of `held` | its holder | it will not touch the lane again |
//!
//! Lanes that search read `known`, which hardly ever changes, and not `held`: reading that, they would take its cache line from the holder,
//! who waits for it twice in each call.
//!
//! # Orderings
//!
//! * `release`: Release, `acquire`: Acquire on success. They pair: what one holder did to the lane (its deque, its spare loop
//!   memory), and that it gave a worker's seat back, happens before the next holder touches it.
//! * `known`: Relaxed. A lane that goes to sleep looks at it as at the deques, and what orders that look orders this one: a holder sets the bit, or
//!   has seen it set, before it pushes and fences (see [`sleep`](super::sleep)).
//!
//! # Progress
//!
//! Lock-free. With all bits set the answer is `None`, and the caller does its work alone.
//!
//! # Models
//!
//! `lease_models.rs`: two threads and one lane with private data; two threads and two lanes; a push on a lane that nobody has held
//! before, and on one that changes hands, against a lane that goes to sleep; a push on a lane whose last holder had the sleeper's seat.

use crate::sync::{AtomicU32, Ordering};

/// The words.
#[derive(Debug)]
pub(crate) struct Lease {
    held: Held,
    known: AtomicU32,
}

/// On a cache line of its own.
#[derive(Debug)]
#[repr(align(128))]
struct Held(AtomicU32);

impl Lease {
    /// The most guest lanes that fit into a word.
    pub(crate) const MAX: usize = 32;

    pub(crate) fn new() -> Self {
        Lease { held: Held(AtomicU32::new(0)), known: AtomicU32::new(0) }
    }

    /// The number of a guest lane below `lanes` which is now the caller's alone.
    #[must_use]
    pub(crate) fn acquire(&self, lanes: usize) -> Option<usize> {
        debug_assert!(lanes <= Self::MAX);
        let mut held = self.held.0.load(Ordering::Relaxed);
        loop {
            let lane = held.trailing_ones() as usize;
            if lane >= lanes {
                return None;
            }
            let taken = held | 1 << lane;
            // Acquire: pairs with `release` of the lane's last holder.
            match self.held.0.compare_exchange_weak(held, taken, Ordering::Acquire, Ordering::Relaxed) {
                Ok(_) => {
                    if !self.is_known(lane) {
                        self.known.fetch_or(1 << lane, Ordering::Relaxed);
                    }
                    return Some(lane);
                }
                Err(now) => held = now,
            }
        }
    }

    /// Whether anybody has held `lane`, or holds it and may have offered something.
    pub(crate) fn is_known(&self, lane: usize) -> bool {
        self.known.load(Ordering::Relaxed) & 1 << lane != 0
    }

    /// Gives `lane` back.
    pub(crate) fn release(&self, lane: usize) {
        // Release: what this holder did to the lane happens before the next one's `acquire`.
        let held = self.held.0.fetch_and(!(1 << lane), Ordering::Release);
        debug_assert!(held & 1 << lane != 0, "only a held lane is released");
    }
}
