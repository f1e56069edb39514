//! Waits of a thread for something in a pool in which it has no lane.
//!
//! A worker of another pool meanwhile runs only what other pools' workers [call](PoolState::call)
//! its own pool for. So pools may call each other in circles, even if what it waits for needs this
//! worker.
//!
//! # Why some lane always advances
//!
//! The argument of [`wait`](crate::sched::wait) holds for all pools together. A call that nobody
//! has begun is where each idle worker of its pool, and each worker that waits outside, finds it.
//! So if nothing advances, some worker of each pool involved waits outside, and all calls have been
//! begun. Then step three holds over all pools: the ancestor that was opened last has a lane that
//! waits for nothing.

use std::sync::Arc;
use std::thread::{self, Thread};

use crate::sched::lane::LaneContext;
use crate::sched::pool::{PoolState, Work, enter, with_worker};
use crate::sched::wait::note_wait;

/// The thread that waits.
#[derive(Clone)]
pub(crate) enum Outsider {
    /// A thread that works for no pool.
    Thread(Thread),
    /// A worker of another pool.
    Worker(Arc<PoolState>, usize),
}

impl Outsider {
    /// The calling thread.
    pub(crate) fn here() -> Self {
        with_worker(|lane| match lane.filter(|lane| lane.pool().is_usable()) {
            Some(lane) => Outsider::Worker(lane.pool().shared(), lane.index()),
            None => Outsider::Thread(thread::current()),
        })
    }

    pub(crate) fn is_worker(&self) -> bool {
        matches!(self, Outsider::Worker(..))
    }

    /// Called after writing down that what it waits for is over.
    pub(crate) fn wake(&self) {
        match self {
            Outsider::Thread(thread) => thread.unpark(),
            Outsider::Worker(pool, lane) => pool.sleep.wake_waiting(*lane),
        }
    }

    /// Waits until `ready`, on the thread that this is.
    pub(crate) fn wait(&self, ready: &dyn Fn() -> bool) {
        match self {
            Outsider::Thread(_) => {
                while !ready() {
                    thread::park();
                }
            }
            Outsider::Worker(..) => {
                with_worker(|lane| answer_calls(lane.expect("it was a worker, and is still"), ready));
            }
        }
    }
}

fn answer_calls(lane: &LaneContext<'_>, ready: &dyn Fn() -> bool) {
    let pool = lane.pool();
    // What was pending when this wait began must not wait for its end.
    lane.publish_all();
    let began = pool.clock.now();
    let mut helped_ns = 0;
    while !ready() {
        if let Some(work) = lane.take_mail(Work::is_waited_for).or_else(|| pool.find_call()) {
            let since = pool.clock.now();
            enter(pool, || lane.execute(work));
            helped_ns = pool.clock.ns_between(since, pool.clock.now()).saturating_add(helped_ns);
            continue;
        }
        pool.sleep.announce_wait(lane.index());
        if !ready() && !pool.has_call() && !lane.has_mail_that(Work::is_waited_for) {
            lane.sleep(|| pool.sleep.parker(lane.index()).park());
        }
        pool.sleep.end_wait(lane.index());
    }
    note_wait(lane, pool.clock.ns_between(began, pool.clock.now()), helped_ns);
}
