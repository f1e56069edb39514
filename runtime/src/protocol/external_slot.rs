//! Which external caller has the one slot that a loop, or a scope, keeps for external callers.
//!
//! Each worker has a slot of its own in every loop and scope: a range, a chunk, a buffer of
//! results, a deque of tasks, to which nobody else writes. External callers, lanes that are no
//! workers, are any number, and each loop would pay for a slot for each of them. So there is one
//! for all.
//!
//! Several may come to the same loop: who has called it, who waits for what it is inside of, and
//! each [reserve](crate::sched::pool) that runs a half of a join that it is inside of, or waits for
//! one. The first has the slot. The others leave the loop to workers, and use a scope without one.
//!
//! # State
//!
//! | value | meaning |
//! |---|---|
//! | 0 | no external caller has come |
//! | `lane + 1` | the slot is that lane's until the loop or scope is over |
//!
//! | transition | who | when |
//! |---|---|---|
//! | [`new`](ExternalSlot::new) | who opens the loop or scope | the slot is its own if it is an external caller |
//! | [`claim`](ExternalSlot::claim) `0 → lane + 1` | an external caller | before it touches the slot; never after a refusal |
//!
//! # Orderings
//!
//! None. What its owner has put into the slot comes to an external caller with the invitation. When
//! another thread leases the lane, it finds what the last one has left there through the
//! [lease](super::lease).
//!
//! # Progress
//!
//! Wait-free. Who is refused does not wait for the slot: it passes the invitation on, and takes no
//! other to the same loop.
//!
//! # Models
//!
//! `external_slot_models.rs`: two external callers; an external caller and the caller; a lane that
//! changes hands.

use crate::sync::{AtomicU32, Ordering};

/// The word.
#[derive(Debug)]
pub(crate) struct ExternalSlot(AtomicU32);

impl ExternalSlot {
    /// The slot is `external`'s, or nobody's yet.
    pub(crate) fn new(external: Option<usize>) -> Self {
        ExternalSlot(AtomicU32::new(external.map_or(0, word)))
    }

    /// True if the slot is `external`'s from now on.
    #[must_use = "the slot may be another's"]
    pub(crate) fn claim(&self, external: usize) -> bool {
        let claimed = self.0.compare_exchange(0, word(external), Ordering::Relaxed, Ordering::Relaxed);
        claimed.is_ok() || self.holder() == Some(external)
    }

    /// Whose it is; for ever, if anybody's.
    pub(crate) fn holder(&self) -> Option<usize> {
        self.0.load(Ordering::Relaxed).checked_sub(1).map(|external| external as usize)
    }

    /// Whether a claim of `external` may succeed. A no is for good.
    pub(crate) fn may_be_claimed(&self, external: usize) -> bool {
        self.holder().is_none_or(|holder| holder == external)
    }
}

fn word(external: usize) -> u32 {
    external as u32 + 1
}
