//! Models of the guest lanes: one holder at a time, and each sees what the last one did.

use std::sync::Arc;

use loom::cell::UnsafeCell;

use super::lease::Lease;
use super::model::explore;

struct Lanes {
    lease: Lease,
    private: [UnsafeCell<u32>; 2],
}

// SAFETY: loom's cell checks at run time what this promises: no two unordered accesses.
unsafe impl Sync for Lanes {}

fn lanes() -> Arc<Lanes> {
    Arc::new(Lanes { lease: Lease::new(), private: [UnsafeCell::new(0), UnsafeCell::new(0)] })
}

fn use_one(lanes: &Lanes, of: usize) -> bool {
    let Some(lane) = lanes.lease.acquire(of) else { return false };
    assert!(lane < of && lanes.lease.is_held(lane));
    lanes.private[lane].with_mut(|cell| {
        // SAFETY: loom verifies that the access is exclusive.
        unsafe { *cell += 1 }
    });
    lanes.lease.release(lane);
    true
}

fn uses(lanes: &Lanes) -> u32 {
    assert!(!lanes.lease.is_held(0) && !lanes.lease.is_held(1));
    assert_eq!(lanes.lease.acquire(2), Some(0), "everything was given back");
    assert_eq!(lanes.lease.acquire(2), Some(1));
    assert_eq!(lanes.lease.acquire(2), None, "and there are no more");
    lanes
        .private
        .iter()
        .map(|lane| {
            lane.with(|cell| {
                // SAFETY: loom verifies that no write is concurrent.
                unsafe { *cell }
            })
        })
        .sum()
}

/// Catches a lane with two holders, and a hand-over that does not carry the lane's private data.
#[test]
fn model_one_lane_changes_hands() {
    explore(|| {
        let lanes = lanes();
        let other = Arc::clone(&lanes);
        let racer = loom::thread::spawn(move || use_one(&other, 1));
        let mine = use_one(&lanes, 1);
        let theirs = racer.join().unwrap();
        assert!(mine || theirs);
        assert_eq!(uses(&lanes), u32::from(mine) + u32::from(theirs));
    });
}

/// Catches a thread that is refused although a lane is free all the time.
#[test]
fn model_two_lanes_serve_two_threads() {
    explore(|| {
        let lanes = lanes();
        let other = Arc::clone(&lanes);
        let racer = loom::thread::spawn(move || use_one(&other, 2));
        assert!(use_one(&lanes, 2));
        assert!(racer.join().unwrap());
        assert_eq!(uses(&lanes), 2);
    });
}
