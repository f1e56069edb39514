//! Models of lent seats: no work waits beside a free one, and reserves beyond the number of seats
//! leave soon.

use std::sync::Arc;

use super::model::explore;
use super::seats::Seats;
use super::sleep::Sleep;
use crate::sync::{AtomicU32, Ordering};

/// Work as weak as possible: a check may miss a push that no fence orders.
struct Pool {
    work: AtomicU32,
    calls: AtomicU32,
    sleep: Sleep,
    seats: Seats,
}

fn pool() -> Arc<Pool> {
    Arc::new(Pool {
        work: AtomicU32::new(0),
        calls: AtomicU32::new(0),
        sleep: Sleep::new(1),
        seats: Seats::new(),
    })
}

impl Pool {
    fn push(&self) {
        self.work.store(1, Ordering::Relaxed);
        self.sleep.wake_one([], []);
        if self.seats.free() > 0 {
            self.call();
        }
    }

    fn any_work(&self) -> bool {
        self.work.load(Ordering::Relaxed) > 0
    }

    /// Relaxed is enough to count the calls: the threads are joined.
    fn call(&self) {
        self.calls.fetch_add(1, Ordering::Relaxed);
    }
}

/// Catches work beside a seat that was just lent: either fence missing.
#[test]
fn model_a_push_against_a_lane_that_lends_its_seat() {
    explore(|| {
        let pool = pool();
        let other = Arc::clone(&pool);
        let pusher = loom::thread::spawn(move || other.push());
        pool.seats.lend();
        if pool.any_work() {
            pool.call();
        }
        pusher.join().unwrap();
        assert!(pool.calls.load(Ordering::Relaxed) > 0, "somebody calls a reserve");
    });
}

/// Catches work beside a seat that a reserve has just given back.
#[test]
fn model_a_push_against_a_reserve_that_finds_nothing() {
    explore(|| {
        let pool = pool();
        pool.seats.lend();
        assert!(pool.seats.try_take());
        let other = Arc::clone(&pool);
        let pusher = loom::thread::spawn(move || other.push());
        pool.seats.give_back();
        let goes_on = pool.any_work() && pool.seats.try_take();
        pusher.join().unwrap();
        assert!(goes_on || pool.calls.load(Ordering::Relaxed) > 0, "it sees the work, or is called");
    });
}

/// Catches a seat that two reserves take.
#[test]
fn model_one_seat_is_for_one_reserve() {
    explore(|| {
        let pool = pool();
        assert!(!pool.seats.try_take(), "there is none");
        pool.seats.lend();
        let other = Arc::clone(&pool);
        let racer = loom::thread::spawn(move || other.seats.try_take());
        let mine = pool.seats.try_take();
        assert!(mine ^ racer.join().unwrap(), "exactly one of the two sits");
        assert_eq!(pool.seats.free(), 0);
    });
}

/// Catches a reserve that leaves although there are seats, one that stays although there is none,
/// and two that leave for one.
#[test]
fn model_just_so_many_reserves_go_as_seats_are_taken_back() {
    explore(|| {
        let pool = pool();
        pool.seats.lend();
        pool.seats.lend();
        assert!(pool.seats.try_take() && pool.seats.try_take());
        assert!(!pool.seats.give_back_if_over(), "there are two seats");
        let other = Arc::clone(&pool);
        let racer = loom::thread::spawn(move || other.seats.give_back_if_over());
        pool.seats.take_back();
        let mine = pool.seats.give_back_if_over();
        assert!(mine ^ racer.join().unwrap(), "exactly one of the two goes");
        assert_eq!(pool.seats.free(), 0);
    });
}
