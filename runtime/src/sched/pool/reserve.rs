//! Reserves: threads that work in place of lanes that sleep in long waits.
//!
//! A waiting lane runs only what it waits for, so that it cannot meet a lock that is held further
//! down its own stack. So a lane that waits for a half of a join may sleep although there is other
//! work, and its core is idle. After a while it [lends its seat](Seats). If the lane came from
//! outside, its seat goes to the worker that it had displaced. Otherwise it goes to a reserve,
//! which takes halves of joins as an idle worker does, on its own stack. When the lane is awake
//! again, the reserve ends its current work, and goes.
//!
//! A working reserve is an external caller that has taken no worker's seat. So it takes no
//! invitations to loops, because each loop has [a slot for one external
//! caller](crate::protocol::external_slot). It does not count as a worker.
//!
//! The threads start when they are first needed. There are at most as many as workers. They end
//! when they were not needed for a while.

use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::PoolState;
use super::current::{enter, with_lane_of_reserve};
use super::injector::Work;
use super::standing::{Sight, Watch};
use crate::os::affinity::Unpinned;
use crate::protocol::seats::Seats;
use crate::sched::lane::{LaneContext, Seat};
use crate::sched::reentrancy::know_stack;
use crate::sync::{Condvar, Mutex, MutexGuard};

/// A wait sleeps so long before it lends the seat: waking a thread, and having one more at work
/// afterwards, is worth it only for what lasts.
pub(crate) const BEFORE_LENDING: Duration = Duration::from_micros(100);

/// A reserve that is not called for so long ends.
const KEPT: Duration = Duration::from_secs(10);

pub(super) struct Reserves {
    seats: Seats,
    most: usize,
    stack_size: Option<usize>,
    crew: Mutex<Crew>,
    called: Condvar,
}

#[derive(Default)]
struct Crew {
    threads: Vec<JoinHandle<()>>,
    /// How many have not ended.
    alive: usize,
    /// How many of these wait for a call, or are about to.
    idle: usize,
    /// How many of these are called.
    calls: usize,
    over: bool,
}

impl Reserves {
    pub(super) fn none() -> Self {
        Reserves::new(0, None)
    }

    /// No more than `most`.
    pub(super) fn new(most: usize, stack_size: Option<usize>) -> Self {
        Reserves {
            seats: Seats::new(),
            most,
            stack_size,
            crew: Mutex::new(Crew::default()),
            called: Condvar::new(),
        }
    }

    fn crew(&self) -> MutexGuard<'_, Crew> {
        // No user code runs under it, so it is whole even if poisoned.
        self.crew.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Waits to be called. False if this thread is to end.
    fn next_call(&self) -> bool {
        let mut crew = self.crew();
        loop {
            let mut timed_out = false;
            if crew.calls == 0 && !crew.over {
                let waited = self.called.wait_timeout(crew, KEPT);
                let (locked, timeout) = waited.unwrap_or_else(|poisoned| poisoned.into_inner());
                crew = locked;
                timed_out = timeout.timed_out();
            }
            if crew.calls > 0 {
                crew.calls -= 1;
                crew.idle -= 1;
                return true;
            }
            if timed_out || crew.over {
                crew.idle -= 1;
                crew.alive -= 1;
                return false;
            }
        }
    }

    /// The pool is over: nobody has work for the threads any more.
    pub(super) fn end(&self) {
        self.crew().over = true;
        self.called.notify_all();
    }

    /// Waits for all threads, after the workers have ended.
    pub(super) fn join(&self) {
        let threads = std::mem::take(&mut self.crew().threads);
        for thread in threads {
            let _nothing_unwinds_out_of_a_reserve = thread.join();
        }
    }

    /// Forgets threads that are in another process, where one of them may have had the lock.
    pub(super) fn forget(&self) {
        if let Ok(mut crew) = self.crew.try_lock() {
            crew.threads.drain(..).for_each(std::mem::forget);
        }
    }
}

impl PoolState {
    /// After a half of a join was pushed: makes sure that a reserve looks for it, if there is a
    /// free seat and no worker comes.
    #[inline]
    pub(crate) fn offer_to_reserves(&self) {
        if self.reserves.seats.free() > 0 && self.sleep.searching() == 0 {
            self.call_reserve();
        }
    }

    #[cold]
    fn call_reserve(&self) {
        let reserves = &self.reserves;
        let mut crew = reserves.crew();
        if crew.over || crew.calls as i32 >= reserves.seats.free() {
            return;
        }
        if crew.calls < crew.idle {
            crew.calls += 1;
            return reserves.called.notify_one();
        }
        if crew.alive == reserves.most {
            return;
        }
        crew.alive += 1;
        crew.idle += 1;
        crew.calls += 1;
        drop(crew);
        // Threads inherit where they may run.
        let unpinned = Unpinned::new();
        let mut builder = thread::Builder::new().name("taskel-reserve".to_owned());
        if let Some(bytes) = reserves.stack_size {
            builder = builder.stack_size(bytes);
        }
        let pool = self.shared();
        let thread = builder.spawn(move || live(&pool));
        drop(unpinned);
        let mut crew = reserves.crew();
        match thread {
            Ok(thread) => {
                crew.threads.retain(|thread| !thread.is_finished());
                crew.threads.push(thread);
            }
            Err(_) => {
                crew.alive -= 1;
                crew.idle -= 1;
                crew.calls = crew.calls.saturating_sub(1);
            }
        }
    }
}

/// What a reserve does with its life.
fn live(pool: &Arc<PoolState>) {
    pool.reserves.stack_size.into_iter().for_each(know_stack);
    while pool.reserves.next_call() {
        while pool.reserves.seats.try_take() {
            enter(pool, || with_lane_of_reserve(pool, work));
            if !pool.any_half() {
                break;
            }
        }
        pool.reserves.crew().idle += 1;
    }
}

/// Works until there is nothing to do, or the seat is wanted.
fn work(lane: &LaneContext<'_>) {
    let pool = lane.pool();
    let seats = &pool.reserves.seats;
    while let Some(work) = next_half(lane) {
        if pool.any_half_or_hidden(lane) {
            pool.offer_to_reserves();
        }
        lane.execute(work);
        if seats.give_back_if_over() {
            return;
        }
    }
    seats.give_back();
}

/// A half that is on offer, or that a lane which stands still keeps to itself; `None` also if the
/// seat is wanted.
fn next_half(lane: &LaneContext<'_>) -> Option<Work> {
    let pool = lane.pool();
    let mut watch = Watch::default();
    loop {
        if let Some(work) = lane.find_half() {
            return Some(work);
        }
        match watch.look(pool, lane) {
            Sight::Taken(work) => return Some(work),
            Sight::Watching if pool.reserves.seats.free() >= 0 => watch.pause(pool),
            Sight::Watching | Sight::Nothing | Sight::Refused => return None,
        }
    }
}

impl LaneContext<'_> {
    /// This lane has slept in a wait for a while. True if it had a seat: that is to be [taken
    /// back](Self::take_seat_back).
    pub(crate) fn lend_seat(&self) -> bool {
        let pool = self.pool();
        match self.seat() {
            Seat::None => return false,
            Seat::OfWorker(worker) => {
                if pool.sleep.give_seat_back(worker) && pool.any_work_or_hidden(self) {
                    pool.wake_one(self.index(), self.random());
                }
            }
            Seat::Own if pool.sleep.is_displaced(self.index()) || pool.reserves.most == 0 => return false,
            Seat::Own | Seat::Lent => {
                pool.reserves.seats.lend();
                if pool.any_half_or_hidden(self) {
                    pool.offer_to_reserves();
                }
            }
        }
        true
    }

    /// This lane is awake again.
    pub(crate) fn take_seat_back(&self) {
        match self.seat() {
            Seat::None => (),
            Seat::OfWorker(worker) => self.pool().sleep.displace(worker),
            Seat::Own | Seat::Lent => self.pool().reserves.seats.take_back(),
        }
    }
}
