//! Models of the external lanes: one holder at a time, and each sees what the last one did.

use std::sync::Arc;

use loom::cell::UnsafeCell;

use super::lease::Lease;
use super::model::explore;
use super::sleep::Sleep;
use crate::containers::table::Table;
use crate::sync::{AtomicU32, Ordering};

/// One first lane, and as many later lanes as needed.
struct Lanes {
    lease: Lease,
    private: [UnsafeCell<u32>; 3],
    made: AtomicU32,
}

// SAFETY: loom's cell checks at run time what this promises: no two unordered accesses.
unsafe impl Sync for Lanes {}

fn lanes() -> Arc<Lanes> {
    let lease = Lease::new(1);
    assert!(!lease.is_known(0) && lease.later_held(0).next().is_none(), "nobody has held any");
    let private = std::array::from_fn(|_| UnsafeCell::new(0));
    Arc::new(Lanes { lease, private, made: AtomicU32::new(0) })
}

impl Lanes {
    fn acquire(&self) -> usize {
        self.lease.acquire(|_| {
            self.made.fetch_add(1, Ordering::Relaxed);
        })
    }

    fn use_one(&self) {
        let lane = self.acquire();
        assert!(if lane == 0 { self.lease.is_known(0) } else { self.lease.later_held(0).any(|n| n == lane) });
        self.private[lane].with_mut(|cell| {
            // SAFETY: loom verifies that the access is exclusive.
            unsafe { *cell += 1 }
        });
        self.lease.release(lane);
    }

    fn uses(&self) -> u32 {
        assert!(self.lease.later_held(0).next().is_none(), "everything was given back");
        assert_eq!([(); 3].map(|()| self.acquire()), [0, 1, 2]);
        let used = |lane: &UnsafeCell<u32>| {
            lane.with(|cell| {
                // SAFETY: loom verifies that no write is concurrent.
                unsafe { *cell }
            })
        };
        self.private.iter().map(used).sum()
    }
}

/// Catches a lane with two holders, and a lease that does not publish the lane's private data.
#[test]
fn model_one_lane_changes_hands() {
    explore(|| {
        let lanes = lanes();
        let other = Arc::clone(&lanes);
        let racer = loom::thread::spawn(move || other.use_one());
        lanes.use_one();
        racer.join().unwrap();
        assert_eq!(lanes.uses(), 2);
    });
}

/// Catches the same for the later lanes, and two threads that both create a block of them.
#[test]
fn model_later_lanes_change_hands() {
    explore(|| {
        let lanes = lanes();
        assert_eq!(lanes.acquire(), 0);
        let other = Arc::clone(&lanes);
        let racer = loom::thread::spawn(move || other.use_one());
        lanes.use_one();
        racer.join().unwrap();
        lanes.lease.release(0);
        assert_eq!(lanes.uses(), 2);
        assert_eq!(lanes.made.load(Ordering::Relaxed), 1);
    });
}

/// Catches a lane that is given out twice because its word is one of several.
#[test]
fn model_more_lanes_than_fit_into_a_block() {
    explore(|| {
        let lease = Arc::new(Lease::new(1));
        let acquire = |lease: &Lease| lease.acquire(|lanes| assert!(lanes <= 1 + 3 * Lease::BLOCK));
        let mut held: Vec<usize> = (0..=2 * Lease::BLOCK).map(|_| acquire(&lease)).collect();
        assert!(held.iter().copied().eq(0..=2 * Lease::BLOCK));
        let other = Arc::clone(&lease);
        let racer = loom::thread::spawn(move || {
            other.release(2);
            other.acquire(|_| unreachable!("there is room"))
        });
        let mine = lease.acquire(|_| unreachable!("there is room"));
        held.extend([mine, racer.join().unwrap()]);
        held.remove(2);
        held.sort_unstable();
        assert!(held.windows(2).all(|pair| pair[0] < pair[1]), "each has a lane of its own");
        let mut seen: Vec<usize> = lease.later_held(1).collect();
        seen.sort_unstable();
        assert_eq!(seen, held[1..]);
    });
}

/// Deques of external lanes, the first one or a later one; a worker that checks them before it
/// sleeps; and what it found.
struct Offered {
    lease: Lease,
    jobs: Table<AtomicU32>,
    sleep: Sleep,
}

impl Offered {
    fn new() -> Arc<Offered> {
        let jobs = Table::new(std::iter::once(AtomicU32::new(0)), Lease::BLOCK);
        Arc::new(Offered { lease: Lease::new(1), jobs, sleep: Sleep::new(1) })
    }

    fn acquire(&self) -> usize {
        self.lease.acquire(|lanes| {
            self.sleep.make(lanes);
            self.jobs.get_or_make(lanes - 1, |_| AtomicU32::new(0));
        })
    }

    fn push_as_external(&self) {
        let lane = self.acquire();
        self.push(lane);
        self.lease.release(lane);
    }

    fn push(&self, lane: usize) {
        self.jobs[lane].store(1, Ordering::Relaxed);
        self.sleep.wake_one([0], [0]);
    }

    fn has_job_beside(&self, this: Option<usize>) -> bool {
        let first = self.lease.is_known(0).then_some(0);
        let mut lanes = first.into_iter().chain(self.lease.later_held(0));
        lanes.any(|lane| Some(lane) != this && self.jobs[lane].load(Ordering::Relaxed) > 0)
    }

    fn any(&self) -> bool {
        !self.sleep.is_displaced(0) && self.has_job_beside(None)
    }

    fn find_or_sleep(&self) {
        while !self.any() {
            self.sleep.announce(0, false);
            if self.any() {
                let _ = self.sleep.retract(0, false);
                return;
            }
            while self.sleep.still_asleep(0) {
                self.sleep.parker(0).park();
            }
        }
    }
}

/// Catches a lane that becomes visible only after its first holder has pushed, so that a sleeper
/// misses the push.
#[test]
fn model_a_push_on_a_lane_that_nobody_knew() {
    explore(|| {
        let offered = Offered::new();
        let worker = Arc::clone(&offered);
        loom::thread::spawn(move || worker.find_or_sleep());
        offered.push_as_external();
    });
}

/// Catches a lane that is created while a worker goes to sleep, which then misses the holder's push
/// or cannot follow it.
#[test]
fn model_a_push_on_a_lane_that_was_not_there() {
    explore(|| {
        let offered = Offered::new();
        assert_eq!(offered.acquire(), 0, "nobody else has it");
        let worker = Arc::clone(&offered);
        loom::thread::spawn(move || worker.find_or_sleep());
        let lane = offered.acquire();
        assert_eq!(lane, 1, "a later lane");
        offered.push(lane);
    });
}

/// Catches a second holder whose push is missed because only the first holder's visit made the lane
/// known.
#[test]
fn model_a_push_of_the_second_holder() {
    explore(|| {
        let offered = Offered::new();
        let worker = Arc::clone(&offered);
        loom::thread::spawn(move || worker.find_or_sleep());
        let first = Arc::clone(&offered);
        loom::thread::spawn(move || {
            let lane = first.acquire();
            first.lease.release(lane);
            first.push_as_external();
        });
    });
}

/// Catches an external caller that releases its lane before the worker's seat. The next holder
/// relies on that worker to see its push, but the worker is still displaced. (If the other comes
/// earlier, it gets another lane, which the first one checks.)
#[test]
fn model_a_push_on_a_lane_whose_holder_had_the_seat() {
    explore(|| {
        let offered = Offered::new();
        let lane = offered.acquire();
        offered.sleep.displace(0);
        let worker = Arc::clone(&offered);
        loom::thread::spawn(move || worker.find_or_sleep());
        let second = Arc::clone(&offered);
        loom::thread::spawn(move || {
            let lane = second.acquire();
            second.push(lane);
        });
        assert!(offered.sleep.give_seat_back(0));
        offered.lease.release(lane);
        if offered.has_job_beside(Some(lane)) {
            offered.sleep.wake_one([0], [0]);
        }
    });
}
