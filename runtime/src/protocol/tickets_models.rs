//! Models of the tickets: the caller reads and frees the loop only when all lanes have left.

use std::sync::Arc;

use loom::cell::UnsafeCell;

use super::model::explore;
use super::panic_slot::PanicSlot;
use super::parker::Parker;
use super::sleep::Sleep;
use super::tickets::Tickets;
use crate::sync::{AtomicBool, Mutex, Ordering};

/// The parts of a loop that matter here. loom checks every access to the cells: a lane that touches
/// its cell after `leave`, or a caller that reads too early, is a data race.
struct Loop {
    tickets: Tickets,
    results: [UnsafeCell<u32>; 2],
}

// SAFETY: loom's cell checks at run time what this promises: no two unordered accesses.
unsafe impl Sync for Loop {}

/// Outlives every loop, like the pool.
struct Pool {
    caller: Parker,
}

fn setup() -> (Arc<Pool>, Arc<Loop>) {
    let pool = Arc::new(Pool { caller: Parker::new() });
    let the_loop = Loop { tickets: Tickets::new(), results: [UnsafeCell::new(0), UnsafeCell::new(0)] };
    (pool, Arc::new(the_loop))
}

fn write(the_loop: &Loop, lane: usize) {
    the_loop.results[lane].with_mut(|cell| {
        // SAFETY: loom verifies that the access is exclusive.
        unsafe { *cell += 1 }
    });
}

fn leave(pool: &Pool, the_loop: &Loop) {
    if the_loop.tickets.leave() {
        pool.caller.unpark();
    }
}

/// The caller's wait. Afterwards it reuses the loop's memory.
fn settle_and_free(pool: &Pool, the_loop: &Loop) -> [u32; 2] {
    while !the_loop.tickets.settled() {
        pool.caller.park();
    }
    [0, 1].map(|lane| {
        the_loop.results[lane].with_mut(|cell| {
            // SAFETY: loom verifies that the access is exclusive.
            unsafe { std::mem::replace(&mut *cell, u32::MAX) }
        })
    })
}

/// Catches a `leave` or `settled` that is too weak to publish the results of *both* lanes, and a
/// wake-up that comes too soon.
#[test]
fn model_two_lanes_write_and_leave() {
    explore(|| {
        let (pool, the_loop) = setup();
        for lane in 0..2 {
            assert!(the_loop.tickets.invite(2));
            let (pool, the_loop) = (Arc::clone(&pool), Arc::clone(&the_loop));
            loom::thread::spawn(move || {
                write(&the_loop, lane);
                leave(&pool, &the_loop);
            });
        }
        assert_eq!(settle_and_free(&pool, &the_loop), [1, 1]);
    });
}

/// Catches a count that reaches zero while the invitation of an invited lane is still out.
#[test]
fn model_lane_invites_another() {
    explore(|| {
        let (pool, the_loop) = setup();
        assert!(the_loop.tickets.invite(2));
        let (pool_1, loop_1) = (Arc::clone(&pool), Arc::clone(&the_loop));
        loom::thread::spawn(move || {
            assert!(loop_1.tickets.invite(2));
            let (pool_2, loop_2) = (Arc::clone(&pool_1), Arc::clone(&loop_1));
            loom::thread::spawn(move || {
                write(&loop_2, 1);
                leave(&pool_2, &loop_2);
            });
            write(&loop_1, 0);
            leave(&pool_1, &loop_1);
        });
        assert_eq!(settle_and_free(&pool, &the_loop), [1, 1]);
    });
}

/// Catches a ticket that both the inviter and a thief return, or neither does.
#[test]
fn model_invitation_taken_back_against_thief() {
    explore(|| {
        let (pool, the_loop) = setup();
        let invitation = Arc::new(AtomicBool::new(false));
        assert!(the_loop.tickets.invite(1));
        invitation.store(true, Ordering::Release);

        let (pool_1, loop_1, deque) = (Arc::clone(&pool), Arc::clone(&the_loop), Arc::clone(&invitation));
        loom::thread::spawn(move || {
            if deque.swap(false, Ordering::AcqRel) {
                write(&loop_1, 0);
                leave(&pool_1, &loop_1);
            }
        });
        let mut came = 1;
        if invitation.swap(false, Ordering::AcqRel) {
            leave(&pool, &the_loop);
            came = 0;
        }
        assert_eq!(settle_and_free(&pool, &the_loop), [came, 0]);
    });
}

/// Catches a result that is lost when its ticket is handed on, to another lane or to the caller,
/// and a caller that sleeps through this.
#[test]
fn model_a_ticket_that_is_handed_on() {
    explore(|| {
        let (pool, the_loop) = setup();
        let handed_on = Arc::new(Mutex::new(false));
        let take = |handed_on: &Mutex<bool>| std::mem::take(&mut *handed_on.lock().unwrap());
        assert!(the_loop.tickets.invite(2) && the_loop.tickets.invite(2));
        let (pool_1, loop_1, on) = (Arc::clone(&pool), Arc::clone(&the_loop), Arc::clone(&handed_on));
        loom::thread::spawn(move || {
            write(&loop_1, 0);
            *on.lock().unwrap() = true;
            pool_1.caller.unpark();
        });
        let (pool_2, loop_2, on) = (Arc::clone(&pool), Arc::clone(&the_loop), Arc::clone(&handed_on));
        loom::thread::spawn(move || {
            write(&loop_2, 1);
            if take(&on) {
                leave(&pool_2, &loop_2);
            }
            leave(&pool_2, &loop_2);
        });
        while !the_loop.tickets.settled() {
            match take(&handed_on) {
                true => leave(&pool, &the_loop),
                false => pool.caller.park(),
            }
        }
        assert_eq!(settle_and_free(&pool, &the_loop), [1, 1]);
    });
}

/// Catches a limit that two inviters can pass together.
#[test]
fn model_limit_holds_against_two_inviters() {
    explore(|| {
        let tickets = Arc::new(Tickets::new());
        assert!(tickets.invite(2));
        let other = Arc::clone(&tickets);
        let racer = loom::thread::spawn(move || other.invite(2));
        let mine = tickets.invite(2);
        let theirs = racer.join().unwrap();
        assert!(mine ^ theirs, "exactly one of the two gets the last ticket");
        assert_eq!(tickets.peek(), 2);
    });
}

/// Two tasks of a scope, one of which panics while the owner sleeps. Catches a scope that ends
/// before the payload or the other task's result is there, and an owner that sleeps through the
/// end.
#[test]
fn model_scope_counts_down_to_its_panic() {
    explore(|| {
        const OWNER: usize = 0;
        struct Scope {
            tasks: Tickets,
            panic: PanicSlot<u32>,
            result: UnsafeCell<u32>,
        }
        // SAFETY: loom's cell checks at run time what this promises: no two unordered accesses.
        unsafe impl Sync for Scope {}

        let scope = Scope { tasks: Tickets::new(), panic: PanicSlot::new(), result: UnsafeCell::new(0) };
        let (sleep, scope) = (Arc::new(Sleep::new(1)), Arc::new(scope));
        for panics in [false, true] {
            assert!(scope.tasks.invite(u32::MAX));
            let (sleep, scope) = (Arc::clone(&sleep), Arc::clone(&scope));
            loom::thread::spawn(move || {
                if panics {
                    assert_eq!(scope.panic.panicked(7), None);
                } else {
                    scope.result.with_mut(|cell| {
                        // SAFETY: loom verifies that the access is exclusive.
                        unsafe { *cell = 1 }
                    });
                }
                if scope.tasks.leave() {
                    sleep.wake_waiting(OWNER);
                }
            });
        }
        wait_until(&sleep, OWNER, || scope.tasks.settled());
        assert_eq!(scope.panic.take(), Some(7));
        scope.result.with_mut(|cell| {
            // SAFETY: loom verifies that the access is exclusive.
            assert_eq!(unsafe { *cell }, 1);
        });
    });
}

/// A broadcast to two workers, one asleep and one that waits for something else. The caller sleeps
/// until both have made their calls. Catches mail that is missed, a call that is made twice or
/// never, and a result that is read before it is written.
#[test]
fn model_broadcast() {
    explore(|| {
        const CALLER: usize = 2;
        let (_, calls) = setup();
        let (sleep, mail) = (Arc::new(Sleep::new(3)), Arc::new([0, 1].map(|_| AtomicBool::new(false))));
        for worker in 0..2 {
            assert!(calls.tickets.invite(u32::MAX));
            let (sleep, mail, calls) = (Arc::clone(&sleep), Arc::clone(&mail), Arc::clone(&calls));
            loom::thread::spawn(move || {
                let has_mail = || mail[worker].load(Ordering::Acquire);
                if worker == 0 {
                    sleep_until(&sleep, worker, has_mail);
                } else {
                    wait_until(&sleep, worker, has_mail);
                }
                write(&calls, worker);
                if calls.tickets.leave() {
                    sleep.wake_waiting(CALLER);
                }
            });
        }
        for worker in 0..2 {
            // Release: the lock of the mail carries what the caller has written.
            mail[worker].store(true, Ordering::Release);
            sleep.wake(worker);
        }
        wait_until(&sleep, CALLER, || calls.tickets.settled());
        for result in &calls.results {
            result.with_mut(|cell| {
                // SAFETY: loom verifies that the access is exclusive.
                assert_eq!(unsafe { *cell }, 1);
            });
        }
    });
}

fn wait_until(sleep: &Sleep, lane: usize, ready: impl Fn() -> bool) {
    while !ready() {
        sleep.announce_wait(lane);
        if !ready() {
            sleep.parker(lane).park();
        }
        sleep.end_wait(lane);
    }
}

fn sleep_until(sleep: &Sleep, lane: usize, ready: impl Fn() -> bool) {
    while !ready() {
        sleep.announce(lane, false);
        if ready() {
            let _ = sleep.retract(lane, false);
            continue;
        }
        while sleep.still_asleep(lane) {
            sleep.parker(lane).park();
        }
        let _ = sleep.found();
    }
}
