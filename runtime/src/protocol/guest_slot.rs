//! Which guest has the one slot that a loop, or a scope, keeps for guests.
//!
//! Each worker has a slot of its own in every loop and scope: a range, a chunk, a buffer of results, a deque of tasks, to which nobody else writes.
//! Guests, lanes that are no workers, are any number, and each loop would pay for a slot for each of them. So there is one for all.
//!
//! Several may come to the same loop: who has called it, who waits for what it is inside of, and each [reserve](crate::pool) that runs a half of a join
//! that it is inside of, or waits for one. The first has the slot. The others leave the loop to workers, and use a scope without one.
//!
//! # State
//!
//! | value | meaning |
//! |---|---|
//! | 0 | no guest has come |
//! | `lane + 1` | the slot is that lane's until the loop or scope is over |
//!
//! | transition | who | when |
//! |---|---|---|
//! | [`new`](GuestSlot::new) | who opens the loop or scope | the slot is its own if it is a guest |
//! | [`claim`](GuestSlot::claim) `0 → lane + 1` | a guest | before it touches the slot; never after a refusal |
//!
//! # Orderings
//!
//! None. What its owner has put into the slot comes to a guest with the invitation. When another thread leases the lane, it finds what
//! the last one has left there through the [lease](super::lease).
//!
//! # Progress
//!
//! Wait-free. Who is refused does not wait for the slot: it passes the invitation on, and takes no other to the same loop.
//!
//! # Models
//!
//! `guest_slot_models.rs`: two guests; a guest and the caller; a lane that changes hands.

use crate::sync::{AtomicU32, Ordering};

/// The word.
#[derive(Debug)]
pub(crate) struct GuestSlot(AtomicU32);

impl GuestSlot {
    /// The slot is `guest`'s, or nobody's yet.
    pub(crate) fn new(guest: Option<usize>) -> Self {
        GuestSlot(AtomicU32::new(guest.map_or(0, word)))
    }

    /// True if the slot is `guest`'s from now on.
    #[must_use = "the slot may be another's"]
    pub(crate) fn claim(&self, guest: usize) -> bool {
        let claimed = self.0.compare_exchange(0, word(guest), Ordering::Relaxed, Ordering::Relaxed);
        claimed.is_ok() || self.holder() == Some(guest)
    }

    /// Whose it is; for ever, if anybody's.
    pub(crate) fn holder(&self) -> Option<usize> {
        self.0.load(Ordering::Relaxed).checked_sub(1).map(|guest| guest as usize)
    }

    /// Whether a claim of `guest` may succeed. A no is for good.
    pub(crate) fn may_be_claimed(&self, guest: usize) -> bool {
        self.holder().is_none_or(|holder| holder == guest)
    }
}

fn word(guest: usize) -> u32 {
    guest as u32 + 1
}
