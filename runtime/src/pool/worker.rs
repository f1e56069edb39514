//! What a worker thread does with its life: look for jobs, take part in them, sleep when there are none.

use std::sync::Arc;
use std::time::Duration;

use super::builder::{Handler, IdlePolicy};
use super::{PoolState, ambient};
use crate::clock::Ticks;
use crate::job::Job;
use crate::lane::LaneContext;
use crate::protocol::sleep::Retracted;

/// [`IdlePolicy::Adaptive`] spins no longer than this.
const SPIN_NS: u64 = 50_000;

/// A gap between two pieces of work that is worth spinning through next time: `SPIN_NS`, and as much again because a gap
/// that was slept through includes the time to wake up.
const SHORT_GAP_NS: u64 = 2 * SPIN_NS;

pub(super) struct Worker {
    pub(super) pool: Arc<PoolState>,
    pub(super) index: usize,
    pub(super) start_handler: Option<Handler>,
    pub(super) exit_handler: Option<Handler>,
}

impl Worker {
    pub(super) fn run(self) {
        ambient::live_as_worker(&self.pool, self.index, || self.live());
    }

    fn live(&self) {
        if let Some(handler) = &self.start_handler {
            handler(self.index);
        }
        // SAFETY: this thread is worker `index`, the only one, until it ends.
        let lane = unsafe { LaneContext::new(&self.pool, self.index) };
        let mut idle = Idle::new(&self.pool, &lane);
        while let Some(job) = idle.next_job() {
            // SAFETY: the job came off a deque just now.
            unsafe { job.execute(&lane) };
        }
        if let Some(handler) = &self.exit_handler {
            handler(self.index);
        }
    }
}

/// A worker between jobs.
struct Idle<'a> {
    pool: &'a PoolState,
    lane: &'a LaneContext<'a>,
    /// Counted as searching in the [sleep protocol](crate::protocol::sleep).
    searching: bool,
    /// Moving average of the time between two jobs.
    gap_ns: u64,
}

impl<'a> Idle<'a> {
    fn new(pool: &'a PoolState, lane: &'a LaneContext<'a>) -> Self {
        Idle { pool, lane, searching: false, gap_ns: 2 * SHORT_GAP_NS }
    }

    /// The next job; `None` when the pool is going away.
    fn next_job(&mut self) -> Option<Job> {
        let since = self.pool.clock.now();
        let mut spin_since = since;
        loop {
            if let Some(job) = self.look() {
                self.stop_searching();
                self.learn_gap(since);
                return Some(job);
            }
            if self.pool.shutting_down() {
                self.stop_searching();
                return None;
            }
            if !self.searching {
                self.searching = self.pool.sleep.try_search(self.most_searchers());
            }
            if self.searching && self.may_spin(spin_since) {
                self.pool.pause();
                continue;
            }
            self.sleep();
            spin_since = self.pool.clock.now();
        }
    }

    /// A displaced worker looks away: a guest computes on its core, and has its seat in the loop.
    fn look(&self) -> Option<Job> {
        if self.pool.sleep.is_displaced(self.lane.index()) {
            return None;
        }
        self.pool.steal_job(self.lane.index(), self.lane.random())
    }

    /// The last searcher passes the watch on, if there is something to watch.
    fn stop_searching(&mut self) {
        if std::mem::take(&mut self.searching) && self.pool.sleep.found() && self.pool.any_job() {
            self.pool.wake_one(self.lane.index(), self.lane.random());
        }
    }

    fn sleep(&mut self) {
        let index = self.lane.index();
        self.pool.sleep.announce(index, self.searching);
        self.searching = false;
        if self.pool.any_job() {
            if !self.pool.sleep.is_displaced(self.lane.index()) {
                self.searching = self.pool.sleep.retract(index) == Retracted::Woken;
                return;
            }
            // The job's producer may have counted on this worker, which must leave it to another.
            self.pool.wake_one(index, self.lane.random());
        }
        let counters = &self.lane.lane().counters;
        while self.pool.sleep.still_asleep(index) {
            if self.pool.shutting_down() {
                return;
            }
            counters.parks.add(1);
            self.pool.sleep.parker(index).park();
            counters.wakeups.add(1);
        }
        self.searching = true;
    }

    /// Half of the workers that could be idle.
    fn most_searchers(&self) -> i32 {
        (self.pool.num_threads() as i32 / 2).max(1)
    }

    fn may_spin(&self, since: Ticks) -> bool {
        let limit_ns = match self.pool.idle {
            IdlePolicy::Adaptive if self.gap_ns <= SHORT_GAP_NS => SPIN_NS,
            IdlePolicy::Adaptive | IdlePolicy::Park => return false,
            IdlePolicy::SpinFor(limit) => saturating_ns(limit),
        };
        !self.pool.sleep.is_displaced(self.lane.index())
            && self.pool.clock.ns_between(since, self.pool.clock.now()) < limit_ns
    }

    fn learn_gap(&mut self, since: Ticks) {
        let gap_ns = self.pool.clock.ns_between(since, self.pool.clock.now());
        self.gap_ns = self.gap_ns.midpoint(gap_ns.min(4 * SHORT_GAP_NS));
    }
}

fn saturating_ns(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
