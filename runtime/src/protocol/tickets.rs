//! How a loop knows that everyone is out, and its caller's stack frame may go.
//!
//! # State
//!
//! The number of *tickets*: invitations that lie in some deque, plus lanes that are inside. The
//! caller holds none; it is the one that waits for zero.
//!
//! | transition | who | when |
//! |---|---|---|
//! | [`invite`](Tickets::invite) `+1` | the caller, or a lane that holds a ticket | fewer than `limit` are out |
//! | (an invitation becomes a lane inside) | whoever took it off a deque | the ticket changes hands, the word stays |
//! | (a lane inside becomes an invitation) | a lane that leaves work to others | the same: it lies in the pool, for an idle lane or the caller |
//! | [`leave`](Tickets::leave) `-1` | a lane on its way out; a lane that took its own invitation back | it will never touch the loop again |
//!
//! Zero is final once the caller has stopped inviting: nobody without a ticket may add one.
//!
//! # Orderings
//!
//! * `leave`: Release. Pairs with the Acquire of `settled`: the results that the lane wrote into
//!   the loop happen before the caller reads them and frees the loop. Each `leave` is a
//!   read-modify-write, so the last one continues the release sequences of all before it, and one
//!   Acquire load sees them all.
//! * `settled`: Acquire, see above. Weakened, the caller may read results that are not there yet.
//! * `invite`: Relaxed. The ticket travels with the invitation, and the deque publishes that.
//!
//! # The rule for callers of `leave`
//!
//! After the decrement the loop may be gone. Whatever a leaving lane needs afterwards (whom to
//! wake) it reads before.
//!
//! # Progress
//!
//! A ticket in a deque is taken back by the lane that put it there, at the latest when that lane
//! leaves the loop; one that lies in the pool is taken by the caller as it waits, at the latest; a
//! ticket in a lane's hands is returned, or put there, when its claimed taskels end. So `settled`
//! waits for running taskels only.
//!
//! # Models
//!
//! `tickets_models.rs`: two lanes write, leave, and wake a caller who then reuses the memory; a
//! lane that invites another; an invitation taken back against a thief; a ticket that is handed on;
//! the limit. With [`sleep`](super::sleep) and [`panic_slot`](super::panic_slot): a scope whose
//! tasks end, one by a panic, while its owner sleeps; a broadcast.

use crate::sync::{AtomicU32, Ordering};

/// The word.
#[derive(Debug)]
pub(crate) struct Tickets(AtomicU32);

impl Tickets {
    pub(crate) fn new() -> Self {
        Tickets(AtomicU32::new(0))
    }

    /// How many are out; a hint.
    #[inline]
    pub(crate) fn peek(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }

    /// Takes out one ticket more unless `limit` are out already.
    #[must_use = "a ticket that was taken out must come back through `leave`"]
    pub(crate) fn invite(&self, limit: u32) -> bool {
        let mut out = self.0.load(Ordering::Relaxed);
        while out < limit {
            match self.0.compare_exchange_weak(out, out + 1, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return true,
                Err(now) => out = now,
            }
        }
        false
    }

    /// Returns a ticket. True for the last one out, who wakes the caller; the loop must not be
    /// touched any more.
    #[must_use = "the last one out wakes the caller"]
    pub(crate) fn leave(&self) -> bool {
        // Release: what this lane wrote into the loop happens before the caller's `settled`.
        self.0.fetch_sub(1, Ordering::Release) == 1
    }

    /// Whether everyone is out, and everything they wrote can be read.
    #[inline]
    pub(crate) fn settled(&self) -> bool {
        // Acquire: pairs with `leave`.
        self.0.load(Ordering::Acquire) == 0
    }
}
