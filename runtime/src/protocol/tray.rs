//! A [desk](super::desk) from which others may take what lies there while its owner is busy with an
//! item, and an owner that learns whether somebody has come in vain.
//!
//! # State
//!
//! That of the desk, and:
//!
//! | word | written by | meaning |
//! |---|---|---|
//! | `missed` | a visitor, before it looks; an owner that has seen it | somebody has come in vain |
//!
//! | transition | who | when it succeeds |
//! |---|---|---|
//! | [`enter`](Tray::enter), then [`leave`](Tray::leave) | the owner | as for a desk |
//! | [`visit`](Tray::visit), then [`release`](Tray::release) | a visitor, which has the mutex | if the owner is away |
//!
//! # Orderings
//!
//! * Those of the desk. Its light fence in `leave_and_look`, between where the owner is and the look
//!   at `missed`, and its heavy one in `visit`, between `missed` and the look at where the owner is,
//!   are Dekker's pair, too. Without the light one, an owner that was at its tray goes on and does
//!   not know that nobody will come again.
//!
//! # Progress
//!
//! As for a desk.
//!
//! # Models
//!
//! `tray_models.rs`: owner and visitors are never at the tray together, and each finds what the
//! other left; an owner that was there learns of the visitor.

use super::desk::{Desk, Owner, stop_owners};
use crate::sync::{AtomicBool, Fences, Ordering};

/// The words.
#[derive(Debug)]
pub(crate) struct Tray {
    desk: Desk,
    missed: AtomicBool,
}

impl Tray {
    pub(crate) fn new() -> Self {
        Tray { desk: Desk::new(), missed: AtomicBool::new(false) }
    }

    /// The owner comes. False if it may not: a visitor is there, who has the mutex.
    #[inline]
    #[must_use]
    pub(crate) fn enter(&self, fences: Fences) -> bool {
        self.desk.enter(fences)
    }

    /// The owner goes.
    #[inline]
    pub(crate) fn leave(&self) {
        self.desk.leave();
    }

    /// The owner goes, after it may have been there for long. True if somebody has come in vain
    /// since `forget`, who will not come again.
    #[inline]
    #[must_use]
    pub(crate) fn leave_and_look(&self, fences: Fences) -> bool {
        self.desk.leave_and_look(fences);
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
        self.desk.want();
        stop_owners(fences) && self.desk.owner() == Owner::Away
    }

    /// The visitor goes.
    pub(crate) fn release(&self) {
        self.desk.release();
    }
}
