//! Who may touch what lies on a lane's desk: the lane, at no cost, or somebody else while the lane
//! is busy elsewhere.
//!
//! A lock that its owner takes millions of times a second with plain loads and stores, and others
//! rarely: they pay for both sides.
//!
//! # State
//!
//! | word | written by | meaning |
//! |---|---|---|
//! | `place` | the owner | where it is: `AWAY`; `HERE`, for a moment; `ASKING`: here, for nobody knows how long, with nothing that others could take |
//! | `wanted` | a visitor, one at a time (under a mutex that is not this file's business) | the owner is to stay away |
//!
//! | transition | who | when it succeeds |
//! |---|---|---|
//! | [`enter`](Desk::enter) or [`ask`](Desk::ask), then [`leave`](Desk::leave) | the owner | unless somebody wants the desk; then the owner takes the mutex, under which nobody does |
//! | [`want`](Desk::want), [`stop_owners`], [`owner`](Desk::owner), [`release`](Desk::release) | a visitor | if the owner is away |
//!
//! # Orderings
//!
//! * `enter` and `ask`, a light fence between `place` and the look at `wanted`; the visitor, a
//!   heavy one between `wanted` and the look at `place`: Dekker's pair. Without either, both are at
//!   the desk.
//! * `leave`: Release, and `owner`: Acquire. What the owner left on its desk happens before what a
//!   visitor does there.
//! * `release`: Release, and the look at `wanted` in `enter` and `ask`: Acquire. What a visitor did
//!   happens before what the owner does next.
//! * `leave_and_look`, a light fence behind `AWAY`: a visitor that has found the owner asking had
//!   told before its heavy fence that it may go to sleep ([`waiters`](super::waiters)), and the
//!   owner sees that.
//!
//! # Progress
//!
//! The owner waits, on the mutex, for a visitor that moves a few pointers. A visitor never waits
//! for an owner.
//!
//! # Models
//!
//! `desk_models.rs`: owner and visitor are never both at the desk, and each finds what the other
//! left. `waiters_models.rs`: what desks are for. `tray_models.rs`: a desk with one word more.

use crate::sync::{AtomicBool, AtomicU32, Fences, Ordering, heavy_fence, light_fence};

const AWAY: u32 = 0;
const HERE: u32 = 1;
const ASKING: u32 = 2;

/// Where a desk's owner is, as a visitor sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    /// The desk is the visitor's until `release`.
    Away,
    /// It may have something that it leaves the next moment.
    Here,
    /// It has nothing.
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

    /// The owner comes, for a moment. False if it may not: a visitor is there, who holds the mutex.
    #[inline]
    #[must_use]
    pub(crate) fn enter(&self, fences: Fences) -> bool {
        self.come(HERE, fences)
    }

    /// The owner comes, for however long; what it leaves there afterwards, it must
    /// [look](Desk::leave_and_look) for somebody to tell of. False as for `enter`.
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

    /// The owner goes, and is about to look whether somebody waits.
    #[inline]
    pub(crate) fn leave_and_look(&self, fences: Fences) {
        self.leave();
        // Light: pairs with the heavy fence of `stop_owners`.
        light_fence(fences);
    }

    /// A visitor is about to come.
    pub(crate) fn want(&self) {
        self.wanted.store(true, Ordering::Relaxed);
    }

    /// Where the owner is; one that is away does not come before `release`. Asked behind
    /// `stop_owners`.
    pub(crate) fn owner(&self) -> Owner {
        // Acquire: pairs with `leave`.
        match self.place.load(Ordering::Acquire) {
            AWAY => Owner::Away,
            HERE => Owner::Here,
            _ => Owner::Asking,
        }
    }

    /// A visitor goes, or gives up.
    pub(crate) fn release(&self) {
        // Release: what the visitor did happens before the owner's next `enter` or `ask`.
        self.wanted.store(false, Ordering::Release);
    }
}

/// Called between `want` and `owner`, once for any number of desks. False when the system refuses:
/// then all owners are to be taken for being there.
#[must_use]
pub(crate) fn stop_owners(fences: Fences) -> bool {
    // Heavy: pairs with the light fences of `come` and `leave_and_look`.
    heavy_fence(fences)
}
