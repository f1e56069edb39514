//! Who may touch what lies on a lane's desk: the lane itself, at almost no cost, or a visitor while
//! the lane is busy elsewhere.
//!
//! This is a biased lock. Its owner takes it millions of times per second with plain loads and
//! stores. Visitors come rarely, and they pay for both sides.
//!
//! # State
//!
//! | word | written by | meaning |
//! |---|---|---|
//! | `place` | the owner | `AWAY`; `HERE`: briefly at the desk; `ASKING`: at the desk for an unknown time, with nothing that others could take |
//! | `wanted` | a visitor, one at a time (under a mutex that belongs to the caller) | the owner must stay away |
//!
//! | transition | who | when it succeeds |
//! |---|---|---|
//! | [`enter`](Desk::enter) or [`ask`](Desk::ask), then [`leave`](Desk::leave) | the owner | if no visitor wants the desk; otherwise the owner takes the mutex, under which no visitor does |
//! | [`want`](Desk::want), [`stop_owners`], [`owner`](Desk::owner), [`release`](Desk::release) | a visitor | if the owner is away |
//!
//! # Orderings
//!
//! * A light fence in `enter` and `ask` between `place` and the read of `wanted`; a heavy fence of
//!   the visitor between `wanted` and the read of `place`. They form Dekker's pattern. Without
//!   either, both are at the desk.
//! * Release in `leave`, Acquire in `owner`. What the owner left on its desk happens before what a
//!   visitor does there.
//! * Release in `release`, Acquire in the read of `wanted` in `enter` and `ask`. What a visitor did
//!   happens before what the owner does next.
//! * A light fence in `leave_and_look` after `AWAY`. A visitor that finds the owner asking has
//!   announced before its heavy fence that it may go to sleep ([`waiters`](super::waiters)). The
//!   owner sees this announcement.
//!
//! # Progress
//!
//! The owner waits, on the mutex, only for a visitor that moves a few pointers. A visitor never
//! waits for an owner.
//!
//! # Models
//!
//! `desk_models.rs`: owner and visitor are never both at the desk, and each finds what the other
//! left. `waiters_models.rs`: a whole feed with desks. `tray_models.rs`: a desk with one more word.

use crate::sync::{AtomicBool, AtomicU32, Fences, Ordering, heavy_fence, light_fence};

const AWAY: u32 = 0;
const HERE: u32 = 1;
const ASKING: u32 = 2;

/// Where a visitor finds the owner of a desk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    /// The desk belongs to the visitor until `release`.
    Away,
    /// The owner may leave an item on the desk at any moment.
    Here,
    /// The owner has no item.
    Asking,
}

/// The words.
#[derive(Debug)]
pub(crate) struct Desk {
    place: AtomicU32,
    wanted: AtomicBool,
}

impl Desk {
    pub(crate) fn new() -> Self {
        Desk { place: AtomicU32::new(AWAY), wanted: AtomicBool::new(false) }
    }

    /// The owner comes for a moment. Returns false if a visitor, which holds the mutex, is at the
    /// desk.
    #[inline]
    #[must_use]
    pub(crate) fn enter(&self, fences: Fences) -> bool {
        self.come(HERE, fences)
    }

    /// The owner comes for an unknown time. After it has put something on the desk, it must
    /// [look](Desk::leave_and_look) for sleeping lanes. Returns false as `enter` does.
    #[inline]
    #[must_use]
    pub(crate) fn ask(&self, fences: Fences) -> bool {
        self.come(ASKING, fences)
    }

    #[inline]
    fn come(&self, place: u32, fences: Fences) -> bool {
        self.place.store(place, Ordering::Relaxed);
        // Light: pairs with the heavy fence of `stop_owners`.
        light_fence(fences);
        // Acquire: pairs with `release`.
        let free = !self.wanted.load(Ordering::Acquire);
        if !free {
            self.place.store(AWAY, Ordering::Relaxed);
        }
        free
    }

    /// The owner goes.
    #[inline]
    pub(crate) fn leave(&self) {
        // Release: what lies on the desk happens before a visitor's `owner`.
        self.place.store(AWAY, Ordering::Release);
    }

    /// The owner goes, and is about to look for sleeping lanes.
    #[inline]
    pub(crate) fn leave_and_look(&self, fences: Fences) {
        self.leave();
        // Light: pairs with the heavy fence of `stop_owners`.
        light_fence(fences);
    }

    /// Announces a visitor.
    pub(crate) fn want(&self) {
        self.wanted.store(true, Ordering::Relaxed);
    }

    /// Returns where the owner is. Call it after `stop_owners`. An owner that is away does not come
    /// back before `release`.
    pub(crate) fn owner(&self) -> Owner {
        // Acquire: pairs with `leave`.
        match self.place.load(Ordering::Acquire) {
            AWAY => Owner::Away,
            HERE => Owner::Here,
            _ => Owner::Asking,
        }
    }

    /// The visitor goes, or gives up.
    pub(crate) fn release(&self) {
        // Release: what the visitor did happens before the owner's next `enter` or `ask`.
        self.wanted.store(false, Ordering::Release);
    }
}

/// Orders any number of `want` calls before any number of `owner` calls. Returns false if the
/// system does not support this. The caller must then assume that all owners are at their desks.
#[must_use]
pub(crate) fn stop_owners(fences: Fences) -> bool {
    // Heavy: pairs with the light fences of `come` and `leave_and_look`.
    heavy_fence(fences)
}
