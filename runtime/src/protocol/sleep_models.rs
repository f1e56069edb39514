//! Models of sleeping and waking: for each push, some lane looks. A missed push leaves a thread
//! blocked for ever, which loom reports as a deadlock.

use std::sync::Arc;

use super::model::explore;
use super::sleep::Sleep;
use crate::sync::{AtomicU32, Ordering};

/// The deques, as weak as possible: everything is Relaxed, so a check may miss a push that no fence
/// orders.
struct Deques(AtomicU32);

impl Deques {
    fn push(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn any(&self) -> bool {
        self.0.load(Ordering::Relaxed) > 0
    }

    fn take(&self) -> bool {
        self.any()
            && self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |jobs| jobs.checked_sub(1)).is_ok()
    }
}

struct Pool {
    deques: Deques,
    sleep: Sleep,
    lanes: usize,
}

fn pool(lanes: usize, jobs: u32) -> Arc<Pool> {
    Arc::new(Pool { deques: Deques(AtomicU32::new(jobs)), sleep: Sleep::new(lanes), lanes })
}

impl Pool {
    fn submit(&self) {
        self.deques.push();
        self.wake_one();
    }

    fn wake_one(&self) {
        self.sleep.wake_one(0..self.lanes, 0..self.lanes);
    }

    /// A lane's search, with the steps in the worker's order.
    fn work_off(&self, lane: usize, jobs: u32) {
        let mut searching = self.sleep.try_search(1);
        self.work_off_from(lane, jobs, &mut searching);
    }

    fn work_off_from(&self, lane: usize, jobs: u32, searching: &mut bool) {
        for _ in 0..jobs {
            while self.sleep.is_displaced(lane) || !self.deques.take() {
                self.lie_down(lane, searching);
            }
            if std::mem::take(searching) && self.sleep.found() && self.deques.any() {
                self.wake_one();
            }
        }
    }

    fn lie_down(&self, lane: usize, searching: &mut bool) {
        self.sleep.announce(lane, *searching);
        if self.deques.any() && !self.sleep.is_displaced(lane) {
            *searching = self.sleep.retract(lane, *searching);
            return;
        }
        while self.sleep.still_asleep(lane) {
            self.sleep.parker(lane).park();
        }
        *searching = true;
    }
}

/// Catches a push that a lane which is not searching sleeps through: either fence missing.
#[test]
fn model_push_against_sleeper() {
    explore(|| {
        let pool = pool(1, 0);
        let worker = Arc::clone(&pool);
        loom::thread::spawn(move || worker.work_off_from(0, 1, &mut false));
        pool.submit();
    });
}

/// Catches a producer that relies on a searcher which is about to give up.
#[test]
fn model_push_against_searcher_giving_up() {
    explore(|| {
        let pool = pool(1, 0);
        let worker = Arc::clone(&pool);
        loom::thread::spawn(move || worker.work_off(0, 1));
        pool.submit();
    });
}

/// Catches a searcher that finds one job while the producer of a second job relies on it, and wakes
/// no other lane.
#[test]
fn model_searcher_finds_other_work() {
    explore(|| {
        let pool = pool(2, 1);
        let mut searching = pool.sleep.try_search(1);
        assert!(searching);
        let sleeper = Arc::clone(&pool);
        pool.sleep.announce(0, false);
        loom::thread::spawn(move || {
            while sleeper.sleep.still_asleep(0) {
                sleeper.sleep.parker(0).park();
            }
            sleeper.work_off_from(0, 1, &mut true);
        });
        let producer = Arc::clone(&pool);
        loom::thread::spawn(move || producer.submit());
        pool.work_off_from(1, 1, &mut searching);
        // This lane is busy from now on: the remaining job needs the sleeper.
    });
}

/// Catches a searcher that two producers rely on, gives up, sees both pushes, takes one and wakes
/// no other lane.
#[test]
fn model_searcher_giving_up_finds_two_pushes() {
    explore(|| {
        let pool = pool(2, 0);
        let mut searching = pool.sleep.try_search(1);
        assert!(searching);
        pool.sleep.announce(1, false);
        let producer = Arc::clone(&pool);
        let producer = loom::thread::spawn(move || {
            producer.submit();
            producer.submit();
        });
        pool.work_off_from(0, 1, &mut searching);
        producer.join().unwrap();
        assert!(!pool.deques.any() || !pool.sleep.still_asleep(1), "what is left has woken the sleeper");
    });
}

/// Catches two producers that each rely on the other's wake-up.
#[test]
fn model_two_producers_one_sleeper() {
    explore(|| {
        let pool = pool(1, 0);
        let worker = Arc::clone(&pool);
        loom::thread::spawn(move || worker.work_off(0, 2));
        let producer = Arc::clone(&pool);
        loom::thread::spawn(move || producer.submit());
        pool.submit();
    });
}

/// Catches one of two pushes that is missed when one call announces both, and a second lane that is
/// not woken because the first is on its way. Each lane takes one job, and is busy from then on.
#[test]
fn model_two_pushes_at_once_against_two_sleepers() {
    explore(|| {
        let pool = pool(2, 0);
        for lane in 0..2 {
            let worker = Arc::clone(&pool);
            loom::thread::spawn(move || worker.work_off_from(lane, 1, &mut false));
        }
        pool.deques.push();
        pool.deques.push();
        pool.sleep.wake_several(0..2, [], 2);
    });
}

/// Catches a job that is left behind because the only sleeper was displaced when it was pushed, and
/// is no longer.
#[test]
fn model_push_against_seat_given_back() {
    explore(|| {
        let pool = pool(1, 0);
        pool.sleep.displace(0);
        assert!(pool.sleep.is_displaced(0));
        let worker = Arc::clone(&pool);
        loom::thread::spawn(move || worker.work_off_from(0, 1, &mut false));
        let external = Arc::clone(&pool);
        loom::thread::spawn(move || {
            if external.sleep.give_seat_back(0) && external.deques.any() {
                external.wake_one();
            }
        });
        pool.submit();
    });
}

/// Catches a limit that two lanes can pass together, and a push that wakes a lane although another
/// one searches.
#[test]
fn model_search_limit() {
    explore(|| {
        let pool = pool(2, 0);
        pool.sleep.announce(0, false);
        let other = Arc::clone(&pool);
        let racer = loom::thread::spawn(move || other.sleep.try_search(1));
        let mine = pool.sleep.try_search(1);
        assert!(mine ^ racer.join().unwrap(), "exactly one of the two searches");
        pool.wake_one();
        pool.sleep.wake_any(0..2);
        assert!(pool.sleep.still_asleep(0));
        assert!(pool.sleep.found(), "it was the only one");
        pool.wake_one();
        assert!(!pool.sleep.still_asleep(0));
    });
}

/// Catches two lanes that stop searching at the same time, when both or neither believe that they
/// are the last.
#[test]
fn model_two_searchers_find_something() {
    explore(|| {
        let pool = pool(2, 0);
        assert!(pool.sleep.try_search(2) && pool.sleep.try_search(2));
        let other = Arc::clone(&pool);
        let racer = loom::thread::spawn(move || other.sleep.found());
        let mine = pool.sleep.found();
        assert!(mine ^ racer.join().unwrap(), "exactly one of the two is the last");
    });
}

/// Catches work for every worker that a displaced worker does not check for before it sleeps.
#[test]
fn model_work_for_anyone_against_displaced_worker() {
    explore(|| {
        let pool = pool(1, 0);
        pool.sleep.displace(0);
        let worker = Arc::clone(&pool);
        loom::thread::spawn(move || {
            while !worker.deques.take() {
                worker.sleep.announce(0, false);
                if worker.deques.any() {
                    let _ = worker.sleep.retract(0, false);
                    continue;
                }
                while worker.sleep.still_asleep(0) {
                    worker.sleep.parker(0).park();
                }
                let _ = worker.sleep.found();
            }
        });
        pool.deques.push();
        pool.sleep.wake_any(0..1);
    });
}

/// Catches mail that its receiver misses as it goes to sleep: no other lane may read it.
#[test]
fn model_mail_against_sleeper() {
    explore(|| {
        let pool = pool(1, 0);
        let receiver = Arc::clone(&pool);
        loom::thread::spawn(move || receiver.work_off_from(0, 1, &mut false));
        pool.deques.push();
        pool.sleep.wake(0);
    });
}

/// Catches mail that its receiver misses as it begins to wait for something else.
#[test]
fn model_mail_against_waiting_lane() {
    explore(|| {
        let pool = pool(1, 0);
        let receiver = Arc::clone(&pool);
        loom::thread::spawn(move || wait_for_push(&receiver, 0));
        pool.deques.push();
        pool.sleep.wake(0);
    });
}

/// Lets a lane wait for the first push.
fn wait_for_push(pool: &Pool, lane: usize) {
    while !pool.deques.take() {
        pool.sleep.announce_wait(lane);
        if !pool.deques.any() {
            pool.sleep.parker(lane).park();
        }
        pool.sleep.end_wait(lane);
    }
}

/// Catches the end of a wait that is missed: either fence missing.
#[test]
fn model_end_of_wait_against_waiting_lane() {
    explore(|| {
        let pool = pool(1, 0);
        let waiting = Arc::clone(&pool);
        loom::thread::spawn(move || wait_for_push(&waiting, 0));
        pool.deques.push();
        pool.sleep.wake_waiting(0);
    });
}

/// Catches work that was put back while no lane sleeps, and that a lane misses as it begins to
/// wait.
#[test]
fn model_work_put_back_against_waiting_lane() {
    explore(|| {
        let pool = pool(1, 0);
        let waiting = Arc::clone(&pool);
        loom::thread::spawn(move || wait_for_push(&waiting, 0));
        pool.deques.push();
        pool.sleep.wake_all_waiting(0..1);
    });
}

/// Catches two external callers with the same worker's seat, when neither of them, or only the
/// first to leave, checks for what the worker missed.
#[test]
fn model_push_against_two_who_give_the_same_seat_back() {
    explore(|| {
        let pool = pool(1, 0);
        pool.sleep.displace(0);
        pool.sleep.displace(0);
        let worker = Arc::clone(&pool);
        loom::thread::spawn(move || worker.work_off_from(0, 1, &mut false));
        let leave = |external: Arc<Pool>| {
            if external.sleep.give_seat_back(0) && external.deques.any() {
                external.wake_one();
            }
        };
        let external = Arc::clone(&pool);
        loom::thread::spawn(move || leave(external));
        pool.submit();
        leave(pool);
    });
}

/// Catches work that is offered while no lane sleeps, and that a lane misses as it begins to wait.
#[test]
fn model_push_against_waiting_lane() {
    explore(|| {
        let pool = pool(1, 0);
        let waiting = Arc::clone(&pool);
        loom::thread::spawn(move || wait_for_push(&waiting, 0));
        pool.submit();
    });
}

/// Catches a wake-up that each of two wakers leaves to the other, or that is spent on work before
/// the wait is over.
#[test]
fn model_push_and_end_against_waiting_lane() {
    explore(|| {
        let pool = pool(1, 0);
        let waiting = Arc::clone(&pool);
        loom::thread::spawn(move || {
            wait_for_push(&waiting, 0);
            wait_for_push(&waiting, 0);
        });
        let producer = Arc::clone(&pool);
        loom::thread::spawn(move || producer.submit());
        pool.deques.push();
        pool.sleep.wake_waiting(0);
    });
}
