//! How a stolen half of a join returns to its owner.
//!
//! # State
//!
//! The deque, not this word, decides who runs the half: it gives each job to one lane, the owner or
//! a thief. The word matters only to an owner whose half was stolen. (The thief may be the owner
//! itself, higher on its stack, when it yields. Then the half is done before the owner asks.)
//!
//! | value | meaning | set by |
//! |---|---|---|
//! | `PENDING` | the half has not been stolen, and is not done | the owner, when it creates the frame |
//! | `TAKEN + lane` | that lane runs the half; a hint for the owner, which looks there for work to help with | the thief |
//! | `DONE` | the result, or the panic, is in the frame, which belongs to the owner alone again | the thief |
//!
//! | transition | who | when |
//! |---|---|---|
//! | [`begin`](Handover::begin) `PENDING → TAKEN` | the thief | it has taken the job from a deque |
//! | [`finish`](Handover::finish) `TAKEN → DONE` | the thief | it does not touch the frame again |
//!
//! # Orderings
//!
//! * `finish`: Release. Pairs with the Acquire of `is_done`: the thief writes the result into the
//!   frame before the owner reads it and frees the frame.
//! * `is_done`: Acquire, see above.
//! * `begin`: Relaxed. The deque publishes what the owner put into the frame.
//!
//! # The rule for callers of `finish`
//!
//! After `finish` the frame may be freed. The thief must read whom to wake before it.
//!
//! # Progress
//!
//! Wait-free: one store each. The owner waits for the lane that runs the half, and is woken through
//! [`sleep`](super::sleep).
//!
//! # Models
//!
//! `handover_models.rs`: an owner that takes its half back against a thief; a result; a panic; an
//! owner that sleeps.

use crate::sync::{AtomicU32, Ordering};

const PENDING: u32 = 0;
const DONE: u32 = 1;
const TAKEN: u32 = 2;

/// The word.
#[derive(Debug)]
pub(crate) struct Handover(AtomicU32);

impl Handover {
    #[inline]
    pub(crate) fn new() -> Self {
        Handover(AtomicU32::new(PENDING))
    }

    /// Records that `lane` has taken the half.
    pub(crate) fn begin(&self, lane: usize) {
        self.0.store(TAKEN + lane as u32, Ordering::Relaxed);
    }

    /// Marks the half as done. The frame must not be touched afterwards.
    pub(crate) fn finish(&self) {
        // Release: the result happens before the owner's `is_done`.
        self.0.store(DONE, Ordering::Release);
    }

    /// Returns whether the half is done and its result can be read.
    pub(crate) fn is_done(&self) -> bool {
        // Acquire: pairs with `finish`.
        self.0.load(Ordering::Acquire) == DONE
    }

    /// Returns the lane that runs the half, if known. A hint.
    pub(crate) fn thief(&self) -> Option<usize> {
        self.0.load(Ordering::Relaxed).checked_sub(TAKEN).map(|lane| lane as usize)
    }
}
