//! How a loop knows that all lanes have left, and that its caller's stack frame may be freed.
//!
//! # State
//!
//! The number of *tickets*: invitations in any deque, plus lanes inside the loop. The caller holds
//! none. It waits for zero.
//!
//! | transition | who | when |
//! |---|---|---|
//! | [`invite`](Tickets::invite) `+1` | the caller, or a lane that holds a ticket | fewer than `limit` tickets are out |
//! | (an invitation becomes a lane inside) | the lane that takes it from a deque | the ticket changes hands, the word stays |
//! | (a lane inside becomes an invitation) | a lane that leaves work to others | the word stays; the ticket lies in the pool, for an idle lane or the caller |
//! | [`leave`](Tickets::leave) `-1` | a lane that leaves; a lane that took its own invitation back | it does not touch the loop again |
//!
//! Zero is final once the caller has stopped inviting: only the holder of a ticket may add one.
//!
//! # Orderings
//!
//! * `leave`: Release. Pairs with the Acquire of `settled`: the lane writes its results into the
//!   loop before the caller reads them and frees the loop. Each `leave` is a read-modify-write, so
//!   the last one continues the release sequences of all earlier ones, and one Acquire load
//!   synchronises with all of them.
//! * `settled`: Acquire, see above. With a weaker ordering, the caller may read results before they
//!   are written.
//! * `invite`: Relaxed. The ticket travels with the invitation, which the deque publishes.
//!
//! # The rule for callers of `leave`
//!
//! After the decrement the loop may be freed. A leaving lane must read everything that it needs
//! later (whom to wake) before it.
//!
//! # Progress
//!
//! A lane takes back the tickets that it put into a deque when it leaves the loop, at the latest.
//! The caller takes a ticket that lies in the pool while it waits, at the latest. A lane returns
//! its own ticket, or puts it into the pool, when its claimed taskels end. So `settled` waits only
//! for running taskels.
//!
//! # Models
//!
//! `tickets_models.rs`: two lanes that write, leave, and wake a caller which then reuses the
//! memory; a lane that invites another; an invitation taken back against a thief; a ticket that is
//! handed on; the limit. With [`sleep`](super::sleep) and [`panic_slot`](super::panic_slot): a
//! scope whose tasks end, one by a panic, while its owner sleeps; a broadcast.

use crate::sync::{AtomicU32, Ordering};

/// The word.
#[derive(Debug)]
pub(crate) struct Tickets(AtomicU32);

impl Tickets {
    pub(crate) fn new() -> Self {
        Tickets(AtomicU32::new(0))
    }

    /// Returns how many tickets are out. A hint.
    #[inline]
    pub(crate) fn peek(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }

    /// Takes one more ticket, unless `limit` are out.
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

    /// Returns a ticket. Returns true for the last one: this lane must wake the caller. The lane
    /// must not touch the loop afterwards.
    #[must_use = "the last one out wakes the caller"]
    pub(crate) fn leave(&self) -> bool {
        // Release: what this lane wrote into the loop happens before the caller's `settled`.
        self.0.fetch_sub(1, Ordering::Release) == 1
    }

    /// Returns whether all lanes have left. Everything that they wrote can then be read.
    #[inline]
    pub(crate) fn settled(&self) -> bool {
        // Acquire: pairs with `leave`.
        self.0.load(Ordering::Acquire) == 0
    }
}
