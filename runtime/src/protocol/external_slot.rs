//! Which external caller holds the single slot that a loop or scope keeps for external callers.
//!
//! Each worker has its own slot in every loop and scope: a range, a chunk, a buffer of results, a
//! deque of tasks. No other thread writes to it. The number of external callers (lanes that are not
//! workers) is not bounded, and a slot for each would make every loop more expensive. So they share
//! one.
//!
//! Several external callers may come to the same loop: its caller, lanes that wait for something
//! which the loop is part of, and each [reserve](crate::sched::pool) that runs or waits for such a
//! join. The first one gets the slot. The others leave the loop to workers, and use a scope without
//! a slot.
//!
//! # State
//!
//! | value | meaning |
//! |---|---|
//! | 0 | no external caller has come |
//! | `lane + 1` | the slot belongs to that lane until the loop or scope is over |
//!
//! | transition | who | when |
//! |---|---|---|
//! | [`new`](ExternalSlot::new) | the lane that opens the loop or scope | it takes the slot if it is an external caller |
//! | [`claim`](ExternalSlot::claim) `0 → lane + 1` | an external caller | before it touches the slot; never after a refusal |
//!
//! # Orderings
//!
//! None. An external caller receives what the opening lane put into the slot through the
//! invitation. When another thread leases the lane, it receives what the last holder left there
//! through the [lease](super::lease).
//!
//! # Progress
//!
//! Wait-free. A lane that is refused does not wait for the slot. It passes the invitation on, and
//! accepts no other invitation to the same loop.
//!
//! # Models
//!
//! `external_slot_models.rs`: two external callers; an external caller and the caller of the loop;
//! a lane that changes hands.

use crate::sync::{AtomicU32, Ordering};

/// The word.
#[derive(Debug)]
pub(crate) struct ExternalSlot(AtomicU32);

impl ExternalSlot {
    /// Creates a slot that belongs to `external`, or to nobody yet.
    pub(crate) fn new(external: Option<usize>) -> Self {
        ExternalSlot(AtomicU32::new(external.map_or(0, word)))
    }

    /// Claims the slot. Returns true if it belongs to `external` from now on.
    #[must_use = "the slot may be another's"]
    pub(crate) fn claim(&self, external: usize) -> bool {
        let claimed = self.0.compare_exchange(0, word(external), Ordering::Relaxed, Ordering::Relaxed);
        claimed.is_ok() || self.holder() == Some(external)
    }

    /// Returns the holder. Once there is one, it never changes.
    pub(crate) fn holder(&self) -> Option<usize> {
        self.0.load(Ordering::Relaxed).checked_sub(1).map(|external| external as usize)
    }

    /// Returns whether a claim of `external` may succeed. False is final.
    pub(crate) fn may_be_claimed(&self, external: usize) -> bool {
        self.holder().is_none_or(|holder| holder == external)
    }
}

fn word(external: usize) -> u32 {
    external as u32 + 1
}
