//! The main loop of a worker thread: it looks for jobs, runs them, and sleeps when there are none.

use std::sync::Arc;
use std::time::Duration;

use super::builder::{Handler, IdlePolicy};
use super::injector::Work;
use super::standing::{Sight, Watch};
use super::{PoolState, current};
use crate::memory::Guard;
use crate::os::affinity::AtWork;
use crate::os::clock::Ticks;
use crate::policy::steal_delay::STEAL_DELAY_NS;
use crate::policy::times::IDLE_SPIN_NS;
use crate::protocol::sleep::MOST_WOKEN;
use crate::sched::lane::{LaneContext, Seat};
use crate::sched::unwind;

/// A gap between two pieces of work that is worth spinning through next time: `IDLE_SPIN_NS`, and
/// as much again because a gap that was slept through includes the time to wake up.
const SHORT_GAP_NS: u64 = 2 * IDLE_SPIN_NS;

pub(super) struct Worker {
    pub(super) pool: Arc<PoolState>,
    pub(super) index: usize,
    pub(super) start_handler: Option<Handler>,
    pub(super) exit_handler: Option<Handler>,
}

impl Worker {
    pub(super) fn run(self) {
        // SAFETY: this thread is worker `index`, the only one, until it ends.
        let lane = unsafe { LaneContext::new(&self.pool, self.index, Seat::Own) };
        current::live_as_worker(&lane, || self.live(&lane));
        let Worker { pool, start_handler, exit_handler, .. } = self;
        for handler in [start_handler, exit_handler] {
            // The last worker drops what the handler owns.
            if let Err(payload) = unwind::catch(|| drop(handler)) {
                PoolState::handle_panic(Some(&pool), payload);
            }
        }
    }

    fn live(&self, lane: &LaneContext<'_>) {
        self.call(self.start_handler.as_ref());
        let mut idle = Idle::new(&self.pool, lane);
        while let Some(work) = idle.next_work() {
            lane.execute(work);
        }
        self.call(self.exit_handler.as_ref());
    }

    /// A handler that panics does not take the worker with it, for which others may wait.
    fn call(&self, handler: Option<&Handler>) {
        let Some(handler) = handler else { return };
        if let Err(payload) = unwind::catch(|| handler(self.index)) {
            PoolState::handle_panic(Some(&self.pool), payload);
        }
    }
}

/// A worker between jobs.
struct Idle<'a> {
    pool: &'a PoolState,
    lane: &'a LaneContext<'a>,
    /// Counted as searching in the [sleep protocol](crate::protocol::sleep).
    searching: bool,
    /// Another thread has woken this worker since it last found work.
    woken: bool,
    /// This worker was held back from work since it last found some.
    held_back: bool,
    /// Moving average of the time between two jobs.
    gap_ns: u64,
    /// On which core, as other pools know it.
    at_work: AtWork,
}

impl<'a> Idle<'a> {
    fn new(pool: &'a PoolState, lane: &'a LaneContext<'a>) -> Self {
        let at_work = pool.settle(lane.index());
        Idle {
            pool,
            lane,
            searching: false,
            woken: false,
            held_back: false,
            gap_ns: 2 * SHORT_GAP_NS,
            at_work,
        }
    }

    /// The next work; `None` when the pool is over.
    fn next_work(&mut self) -> Option<Work> {
        let mut since = self.pool.clock.now();
        let mut spin_since = since;
        let mut watch = Watch::default();
        loop {
            let left_alone = self.lane.last_left_alone();
            if let Some(work) = self.look() {
                self.stop_searching();
                self.learn_gap(since);
                if std::mem::take(&mut self.held_back) {
                    // Another waits until more may work.
                    self.pass_on(1);
                }
                if matches!(work, Work::Stolen(_, victim) if self.pool.lane(victim).newest_private().is_some())
                {
                    // Another watches what the victim has not offered yet.
                    self.pass_on(1);
                    self.pool.offer_to_reserves();
                }
                return Some(work);
            }
            if self.lane.last_left_alone() != left_alone {
                // What it leaves alone is work all the same: the next piece may be for this worker.
                self.learn_gap(since);
                since = self.pool.clock.now();
                spin_since = since;
            }
            if self.pool.is_over() {
                self.stop_searching();
                return None;
            }
            if !self.searching {
                self.searching = self.pool.sleep.try_search(self.most_searchers());
            }
            if self.searching && self.may_spin(&mut spin_since) {
                self.pause();
                continue;
            }
            let mut may_watch = self.searching && !self.is_displaced() && !self.pool.is_full();
            if may_watch {
                match watch.look(self.pool, self.lane) {
                    Sight::Taken(work) => {
                        self.stop_searching();
                        self.learn_gap(since);
                        return Some(work);
                    }
                    Sight::Watching => {
                        watch.pause(self.pool);
                        continue;
                    }
                    Sight::Nothing => (),
                    Sight::Refused => may_watch = false,
                }
            }
            self.sleep(may_watch);
            spin_since = self.pool.clock.now();
        }
    }

    /// A displaced worker looks away from what has a caller: an external caller computes on its
    /// core, and has its seat there. So does one that a memory guard holds back.
    fn look(&self) -> Option<Work> {
        if let Some(work) = self.lane.take_next() {
            return Some(work);
        }
        self.lane.give_permit_back();
        if let Some(work) = self.lane.take_mail(|_| true) {
            return Some(work);
        }
        if self.is_displaced() || !self.lane.may_work() {
            return self.pool.find_detached();
        }
        let found = self.lane.find_work();
        if found.is_none() {
            self.lane.give_permit_back();
        }
        found
    }

    fn is_displaced(&self) -> bool {
        self.pool.sleep.is_displaced(self.lane.index())
    }

    /// The last searcher passes the watch on, if there is something to watch. One that was woken
    /// wakes others before it works, as there may be much work, and one wake-up after the other
    /// would be a long chain.
    fn stop_searching(&mut self) {
        let woken = std::mem::take(&mut self.woken);
        if !std::mem::take(&mut self.searching) {
            return;
        }
        let last = self.pool.sleep.found();
        if woken {
            let coming = self.pool.sleep.searching() as usize;
            let left = self.pool.amount_of_work().saturating_sub(coming);
            if left > 0 {
                return self.pass_on(left.min(MOST_WOKEN as usize) as u32);
            }
        }
        if last && (self.pool.any_work_or_hidden(self.lane) || self.pool.is_hot()) {
            self.pass_on(1);
        }
    }

    /// Leaves what lies somewhere to other workers.
    fn pass_on(&self, count: u32) {
        if self.pool.any_detached() {
            self.pool.wake_any();
        }
        self.pool.wake_several(self.lane.index(), self.lane.random(), count);
    }

    /// Sleeps until another thread wakes this worker, unless there is work, or something to watch.
    fn sleep(&mut self, may_watch: bool) {
        let index = self.lane.index();
        self.pool.sleep.announce(index, self.searching);
        let looks_away = self.is_displaced() && !self.pool.any_detached();
        let is_held_back = !self.is_displaced() && self.pool.is_full() && !self.pool.any_detached();
        let looks = !looks_away && !is_held_back;
        // A lane that has left something to be watched has counted on lanes that search.
        let watches = || may_watch && self.pool.any_hidden(self.lane).is_some();
        if self.lane.lane().has_mail() || looks && (self.pool.any_work() || watches()) {
            self.searching = self.pool.sleep.retract(index, self.searching);
            return;
        }
        self.searching = false;
        if is_held_back && self.pool.any_work() {
            return self.sleep_beside_work();
        }
        if looks_away && self.pool.any_work() {
            // The lane that offers it may have counted on this worker, which must leave it to
            // another.
            self.pool.wake_one(index, self.lane.random());
        } else if self.pool.is_hot() && self.is_displaced() {
            // Another keeps watch meanwhile.
            self.pool.wake_one(index, self.lane.random());
        }
        self.at_work = AtWork::nowhere();
        while self.pool.sleep.still_asleep(index) {
            if self.pool.is_over() {
                return;
            }
            self.lane.sleep(|| self.pool.sleep.parker(index).park());
        }
        self.pool.sleep.got_up();
        self.at_work = self.pool.settle(index);
        self.searching = true;
        self.woken = true;
    }

    /// This worker has announced that it sleeps, but there is work that a memory guard keeps from
    /// it. So it wakes up soon, even if no other thread wakes it.
    fn sleep_beside_work(&mut self) {
        let (pool, index) = (self.pool, self.lane.index());
        self.at_work = AtWork::nowhere();
        let counters = &self.lane.lane().counters;
        let since = pool.clock.now();
        self.lane.sleep(|| _ = pool.sleep.parker(index).park_timeout(Guard::INTERVAL));
        let now = pool.clock.now();
        counters.held_ns.add(pool.clock.ns_between(since, now));
        self.searching = pool.sleep.retract(index, false);
        self.woken |= self.searching;
        self.held_back = true;
        self.lane.look_at_memory(now);
        self.at_work = pool.settle(index);
    }

    /// A lane with short work has to wait for each of its cache lines that others read. So they
    /// read them seldom.
    fn pause(&self) {
        let clock = self.pool.clock;
        let watching = clock.ns_between(self.lane.last_left_alone(), clock.now()) < STEAL_DELAY_NS;
        for _ in 0..if watching { 64 } else { 1 } {
            self.pool.pause();
        }
    }

    /// Half of the workers that could be idle.
    fn most_searchers(&self) -> i32 {
        (self.pool.num_threads() as i32 / 2).max(1)
    }

    fn may_spin(&self, since: &mut Ticks) -> bool {
        let limit_ns = match self.pool.idle {
            _ if self.pool.is_hot() => u64::MAX,
            IdlePolicy::Adaptive if self.gap_ns <= SHORT_GAP_NS => IDLE_SPIN_NS,
            IdlePolicy::Adaptive | IdlePolicy::Park => return false,
            IdlePolicy::SpinFor(limit) => saturating_ns(limit),
        };
        !self.is_displaced()
            && !self.pool.is_full()
            && !self.pool.clock.have_passed(limit_ns, since, self.pool.clock.now())
    }

    fn learn_gap(&mut self, since: Ticks) {
        let gap_ns = self.pool.clock.ns_between(since, self.pool.clock.now());
        self.gap_ns = self.gap_ns.midpoint(gap_ns.min(4 * SHORT_GAP_NS));
    }
}

fn saturating_ns(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
