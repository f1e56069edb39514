//! Models of the slot for external callers: only its holder touches it.

use std::sync::Arc;

use loom::cell::UnsafeCell;

use super::external_slot::ExternalSlot;
use super::lease::Lease;
use super::model::explore;

struct Loop {
    slot: ExternalSlot,
    /// The contents of the slot.
    private: UnsafeCell<u32>,
}

// SAFETY: loom's cell checks at run time what this promises: no two unordered accesses.
unsafe impl Sync for Loop {}

impl Loop {
    fn new(caller: Option<usize>) -> Arc<Self> {
        Arc::new(Loop { slot: ExternalSlot::new(caller), private: UnsafeCell::new(0) })
    }

    /// An external caller comes, if it may. `may_be_claimed` must agree with the outcome, before
    /// and after.
    fn visit(&self, external: usize) -> bool {
        let may_come = self.slot.may_be_claimed(external);
        let comes = self.slot.claim(external);
        assert!(may_come || !comes, "a no is for good");
        assert_eq!(self.slot.may_be_claimed(external), comes);
        assert_eq!(self.slot.holder() == Some(external), comes);
        if comes {
            self.private.with_mut(|cell| {
                // SAFETY: loom verifies that the access is exclusive.
                unsafe { *cell += 1 }
            });
        }
        comes
    }

    fn visits(&self) -> u32 {
        self.private.with(|cell| {
            // SAFETY: loom verifies that no write is concurrent.
            unsafe { *cell }
        })
    }
}

/// Catches a slot with two holders: both would put units into the same range, and results into the
/// same buffer.
#[test]
fn model_two_external_lanes_and_one_slot() {
    explore(|| {
        let shared = Loop::new(None);
        let other = Arc::clone(&shared);
        let racer = loom::thread::spawn(move || other.visit(1));
        let came = shared.visit(0);
        assert!(came ^ racer.join().unwrap(), "the slot is for one of them");
        assert!(shared.visit(usize::from(!came)), "who had it comes back");
        assert_eq!(shared.visits(), 2);
    });
}

/// Catches an external caller in the slot of the loop's caller.
#[test]
fn model_an_external_lane_and_the_caller() {
    explore(|| {
        let shared = Loop::new(Some(0));
        assert_eq!(shared.slot.holder(), Some(0));
        let other = Arc::clone(&shared);
        let external = loom::thread::spawn(move || other.visit(1));
        assert!(shared.visit(0));
        assert!(!external.join().unwrap());
        assert_eq!(shared.visits(), 1);
    });
}

/// Catches a thread that leases the lane of the slot's holder, and does not see what the holder
/// left there.
#[test]
fn model_the_lane_that_has_the_slot_changes_hands() {
    explore(|| {
        let place = Arc::new((Lease::new(1), Loop::new(None)));
        let visit = |(lease, shared): &(Lease, Arc<Loop>)| {
            let lane = lease.acquire(|_| ());
            let came = shared.visit(lane);
            lease.release(lane);
            u32::from(came)
        };
        let other = Arc::clone(&place);
        let racer = loom::thread::spawn(move || visit(&other));
        let came = visit(&place) + racer.join().unwrap();
        assert!(came > 0);
        assert_eq!(place.1.visits(), came);
    });
}
