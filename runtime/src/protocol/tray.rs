//! Who may touch what lies on a lane's tray: the lane, at no cost, or a visitor while the lane is
//! busy elsewhere.
//!
//! A lock that its owner takes between any two items, with plain loads and stores; a visitor, who
//! comes seldom, pays for both.
//!
//! # State
//!
//! | word | written by | meaning |
//! |---|---|---|
//! | `inside` | the owner | it may be at its tray |
//! | `wanted` | a visitor, one at a time: under a mutex that is not this file's business | the owner is to stay away |
//! | `missed` | a visitor, before it looks; an owner that has seen it | somebody has come in vain |
//!
//! | transition | who | when it succeeds |
//! |---|---|---|
//! | [`enter`](Tray::enter), then [`leave`](Tray::leave) | the owner | unless somebody wants the tray; then the owner takes the mutex, under which nobody does |
//! | [`visit`](Tray::visit), then [`release`](Tray::release) | a visitor, which has the mutex | if the owner is away |
//!
//! # Orderings
//!
//! * `enter`, a light fence between `inside` and the look at `wanted`; `visit`, a heavy one between
//!   `wanted` and the look at `inside`: Dekker's pair. Without either, both are at the tray.
//! * `leave_and_look`, a light fence between `inside` and the look at `missed`; `visit`, the same
//!   heavy one between `missed` and the look at `inside`. Without the light one, an owner that was
//!   at its tray goes on and does not know that nobody will come again.
//! * `leave`: Release, and the look at `inside` in `visit`: Acquire. What the owner left there
//!   happens before what a visitor does.
//! * `release`: Release, and the look at `wanted` in `enter`: Acquire. What a visitor did happens
//!   before what the owner does next.
//!
//! # Progress
//!
//! The owner waits, on the mutex, for a visitor that moves a few pointers. A visitor never waits
//! for an owner.
//!
//! # Models
//!
//! `tray_models.rs`: owner and visitors are never at the tray together, and each finds what the
//! other left; an owner that was there learns of the visitor.

use crate::sync::{AtomicBool, Fences, Ordering, heavy_fence, light_fence};

/// The words.
#[derive(Debug)]
pub(crate) struct Tray {
    inside: AtomicBool,
    wanted: AtomicBool,
    missed: AtomicBool,
}

impl Tray {
    pub(crate) fn new() -> Self {
        Tray {
            inside: AtomicBool::new(false),
            wanted: AtomicBool::new(false),
            missed: AtomicBool::new(false),
        }
    }

    /// The owner comes. False if it may not: a visitor is there, who has the mutex.
    #[inline]
    #[must_use]
    pub(crate) fn enter(&self, fences: Fences) -> bool {
        self.inside.store(true, Ordering::Relaxed);
        // Light: pairs with the heavy fence of `visit`.
        light_fence(fences);
        // Acquire: pairs with `release`.
        let free = !self.wanted.load(Ordering::Acquire);
        if !free {
            self.inside.store(false, Ordering::Relaxed);
        }
        free
    }

    /// The owner goes.
    #[inline]
    pub(crate) fn leave(&self) {
        // Release: pairs with `visit`.
        self.inside.store(false, Ordering::Release);
    }

    /// The owner goes, after it may have been there for long. True if somebody has come in vain
    /// since `forget`, who will not come again.
    #[inline]
    #[must_use]
    pub(crate) fn leave_and_look(&self, fences: Fences) -> bool {
        self.leave();
        // Light: pairs with the heavy fence of `visit`.
        light_fence(fences);
        self.missed.load(Ordering::Relaxed)
    }

    /// The owner does not care who has come so far.
    pub(crate) fn forget(&self) {
        self.missed.store(false, Ordering::Relaxed);
    }

    /// Somebody else, who has the mutex, wants to come. True if the owner is away; it stays away
    /// until `release`, which must follow in either case.
    #[must_use]
    pub(crate) fn visit(&self, fences: Fences) -> bool {
        self.missed.store(true, Ordering::Relaxed);
        self.wanted.store(true, Ordering::Relaxed);
        // Heavy: pairs with the light fences of `enter` and `leave_and_look`.
        let ordered = heavy_fence(fences);
        // Acquire: pairs with `leave`.
        ordered && !self.inside.load(Ordering::Acquire)
    }

    /// The visitor goes.
    pub(crate) fn release(&self) {
        // Release: pairs with `enter`.
        self.wanted.store(false, Ordering::Release);
    }
}
