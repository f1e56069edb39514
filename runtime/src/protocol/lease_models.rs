//! Models of the guest lanes: one holder at a time, and each sees what the last one did.

use std::sync::Arc;

use loom::cell::UnsafeCell;

use super::lease::Lease;
use super::model::explore;
use super::sleep::{Retracted, Sleep};
use crate::sync::{AtomicU32, Ordering};

struct Lanes {
    lease: Lease,
    private: [UnsafeCell<u32>; 2],
}

// SAFETY: loom's cell checks at run time what this promises: no two unordered accesses.
unsafe impl Sync for Lanes {}

fn lanes() -> Arc<Lanes> {
    let lease = Lease::new();
    assert!(!lease.is_known(0) && !lease.is_known(1), "nobody has held them");
    Arc::new(Lanes { lease, private: [UnsafeCell::new(0), UnsafeCell::new(0)] })
}

fn use_one(lanes: &Lanes, of: usize) -> bool {
    let Some(lane) = lanes.lease.acquire(of) else { return false };
    assert!(lane < of && lanes.lease.is_known(lane));
    lanes.private[lane].with_mut(|cell| {
        // SAFETY: loom verifies that the access is exclusive.
        unsafe { *cell += 1 }
    });
    lanes.lease.release(lane);
    true
}

fn uses(lanes: &Lanes) -> u32 {
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

/// A guest lane's deque, a worker that looks there before it sleeps, and what it found.
struct Offered {
    lease: Lease,
    jobs: AtomicU32,
    sleep: Sleep,
}

impl Offered {
    fn new() -> Arc<Offered> {
        Arc::new(Offered { lease: Lease::new(), jobs: AtomicU32::new(0), sleep: Sleep::new(1) })
    }

    fn push_as_guest(&self) {
        let lane = self.lease.acquire(1).expect("nobody else holds it");
        self.push();
        self.lease.release(lane);
    }

    fn push_once_there_is_a_lane(&self) {
        while self.lease.acquire(1).is_none() {
            loom::thread::yield_now();
        }
        self.push();
    }

    fn push(&self) {
        self.jobs.store(1, Ordering::Relaxed);
        self.sleep.wake_one([0]);
    }

    fn any(&self) -> bool {
        !self.sleep.is_displaced(0) && self.lease.is_known(0) && self.jobs.load(Ordering::Relaxed) > 0
    }

    fn find_or_sleep(&self) {
        while !self.any() {
            self.sleep.announce(0, false);
            if self.any() {
                let (Retracted::Withdrawn | Retracted::Woken) = self.sleep.retract(0);
                return;
            }
            while self.sleep.still_asleep(0) {
                self.sleep.parker(0).park();
            }
        }
    }
}

/// Catches a lane that others look at only after its first holder has pushed, and slept through the push.
#[test]
fn model_a_push_on_a_lane_that_nobody_knew() {
    explore(|| {
        let offered = Offered::new();
        let worker = Arc::clone(&offered);
        loom::thread::spawn(move || worker.find_or_sleep());
        offered.push_as_guest();
    });
}

/// Catches a second holder whose push is slept through, because only the first one's visit made the lane known.
#[test]
fn model_a_push_of_the_second_holder() {
    explore(|| {
        let offered = Offered::new();
        let worker = Arc::clone(&offered);
        loom::thread::spawn(move || worker.find_or_sleep());
        let first = Arc::clone(&offered);
        loom::thread::spawn(move || {
            let lane = first.lease.acquire(1).expect("nobody else holds it yet");
            first.lease.release(lane);
            first.push_as_guest();
        });
    });
}

/// Catches a guest that gives its lane back before the worker's seat: the next holder counts on it to look at what it pushes there, which it does not.
#[test]
fn model_a_push_on_a_lane_whose_holder_had_the_seat() {
    explore(|| {
        let offered = Offered::new();
        let lane = offered.lease.acquire(1).unwrap();
        offered.sleep.displace(0);
        let worker = Arc::clone(&offered);
        loom::thread::spawn(move || worker.find_or_sleep());
        let second = Arc::clone(&offered);
        loom::thread::spawn(move || second.push_once_there_is_a_lane());
        offered.sleep.give_seat_back(0);
        offered.lease.release(lane);
    });
}
