//! How the half of a join that another lane has taken comes back.
//!
//! # State
//!
//! Who runs the half is not decided here but by the deque: it gives each job to one lane, the owner
//! or a thief. The word matters only to an owner whose half was taken. (The thief may be the owner
//! itself, on top of its stack, when it yields: then the half is done before the owner asks.)
//!
//! | value | meaning | set by |
//! |---|---|---|
//! | `PENDING` | nobody has finished the half | the owner, as it makes the frame |
//! | `TAKEN + lane` | that lane runs it; a hint for the owner, who looks there for work to help with | the thief |
//! | `DONE` | the result, or the panic, is in the frame, which is the owner's alone again | the thief |
//!
//! | transition | who | when |
//! |---|---|---|
//! | [`begin`](Handover::begin) `PENDING → TAKEN` | the thief | it has taken the job off a deque |
//! | [`finish`](Handover::finish) `TAKEN → DONE` | the thief | it will never touch the frame again |
//!
//! # Orderings
//!
//! * `finish`: Release. Pairs with the Acquire of `is_done`: the result that the thief wrote into
//!   the frame happens before the owner reads it and its stack frame goes.
//! * `is_done`: Acquire, see above.
//! * `begin`: Relaxed. What the owner put into the frame comes to the thief through the deque.
//!
//! # The rule for callers of `finish`
//!
//! After it the frame may be gone. Whom to wake, the thief reads before.
//!
//! # Progress
//!
//! One store each. The owner waits for a lane that runs the half, and is woken through
//! [`sleep`](super::sleep).
//!
//! # Models
//!
//! `handover_models.rs`: an owner that takes back against a thief that takes; a result; a panic; an
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

    /// `lane` has taken the half.
    pub(crate) fn begin(&self, lane: usize) {
        self.0.store(TAKEN + lane as u32, Ordering::Relaxed);
    }

    /// The half is over. The frame must not be touched any more.
    pub(crate) fn finish(&self) {
        // Release: the result happens before the owner's `is_done`.
        self.0.store(DONE, Ordering::Release);
    }

    /// Whether the half is over, and its result can be read.
    pub(crate) fn is_done(&self) -> bool {
        // Acquire: pairs with `finish`.
        self.0.load(Ordering::Acquire) == DONE
    }

    /// The lane that runs the half, if that is known; a hint.
    pub(crate) fn thief(&self) -> Option<usize> {
        self.0.load(Ordering::Relaxed).checked_sub(TAKEN).map(|lane| lane as usize)
    }
}
