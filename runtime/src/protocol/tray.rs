//! A [desk](super::desk) from which other lanes may take items while its owner runs one. The owner
//! learns whether a visitor came in vain.
//!
//! # State
//!
//! The words of the desk, and:
//!
//! | word | written by | meaning |
//! |---|---|---|
//! | `missed` | a visitor, before it looks; the owner, after it has seen it | a visitor came in vain |
//!
//! | transition | who | when it succeeds |
//! |---|---|---|
//! | [`enter`](Tray::enter), then [`leave`](Tray::leave) | the owner | as for a desk |
//! | [`visit`](Tray::visit), then [`release`](Tray::release) | a visitor, which holds the mutex | if the owner is away |
//!
//! # Orderings
//!
//! * Those of the desk. The light fence in `leave_and_look`, between `place` and the read of
//!   `missed`, and the heavy fence in `visit`, between `missed` and the read of `place`, also form
//!   Dekker's pattern. Without the light fence, an owner that was at its tray goes on and does not
//!   learn that the visitor will not come again.
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

    /// The owner comes. Returns false if a visitor, which holds the mutex, is there.
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

    /// The owner goes, possibly after a long time. Returns true if a visitor has come in vain since
    /// `forget`. That visitor will not come again.
    #[inline]
    #[must_use]
    pub(crate) fn leave_and_look(&self, fences: Fences) -> bool {
        self.desk.leave_and_look(fences);
        self.missed.load(Ordering::Relaxed)
    }

    /// Forgets all visitors so far.
    pub(crate) fn forget(&self) {
        self.missed.store(false, Ordering::Relaxed);
    }

    /// A visitor, which holds the mutex, comes. Returns true if the owner is away. The owner stays
    /// away until `release`, which must follow in either case.
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
