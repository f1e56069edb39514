//! Fairness among loops: how workers inside a long loop get to another loop.
//!
//! An idle worker finds every open loop. But in a loop of an hour no worker is idle, and the loop
//! of a second caller would wait that long. So a worker leaves a loop between two chunks
//!
//! - when an external caller has taken its seat and computes in its place;
//! - when the loop has more than its fair share of lanes and there is other work, which the worker
//!   takes along;
//! - when a [memory guard](crate::memory) holds it back.
//!
//! Other lanes of the loop can steal what it leaves in its range. Its ticket becomes an invitation
//! in the pool, for the next idle worker or the caller. So no work is hidden, no worker is idle for
//! the sake of fairness, and a worker that leaves begins other work. When the other loops are over,
//! their workers find that invitation.
//!
//! A loop counts if it is inside no other loop on its caller's lane, unless it is known to end
//! soon. Only a worker with nothing below it on its stack leaves, because a worker that waits for
//! something needs the loop itself. The caller stays. Lanes that have made a state
//! ([`map_init`](crate::iter::ParallelIterator::map_init)) also stay, because each lane should make
//! only one. (A worker that is held back drops its state, because that is memory, too.)
//!
//! Workers do not go back and forth for ever, because each time, a loop with more than its share
//! gives a lane away.

use super::claimer::Claimer;
use crate::sched::lane::LaneContext;
use crate::sched::pool::PoolState;
use crate::sync::Ordering;

/// A worker looks around for other work so seldom.
const TURN_NS: u64 = 50_000;

impl Claimer<'_> {
    /// Asked between two chunks: whether this lane leaves now what others can do as well.
    #[inline]
    pub(super) fn leaves_to_be_fair(&mut self) -> bool {
        let pool = self.lane.pool();
        let may_be_asked = pool.sleep.is_displaced(self.lane.index()) || pool.may_call_lanes_away();
        may_be_asked && self.leaves_to_others()
    }

    /// Asked between two chunks, in a pool with a memory guard: whether this lane is held back.
    /// Others can go on with what it has.
    #[cold]
    #[inline(never)]
    pub(super) fn leaves_for_want_of_memory(&mut self) -> bool {
        if self.lane.look_at_memory(self.since) {
            self.restart_clock();
        }
        if self.lane.index() != self.state.caller() && self.lane.is_held_back() {
            self.leaves_for_other_work = true;
        }
        self.leaves_for_other_work
    }

    #[cold]
    #[inline(never)]
    fn leaves_to_others(&mut self) -> bool {
        if self.lane.pool().is_guarded() && self.leaves_for_want_of_memory() {
            return true;
        }
        let is_caller = self.lane.index() == self.state.caller();
        if is_caller || !self.stateless || !self.lane.is_otherwise_idle() {
            return false;
        }
        self.leaves_for_other_work =
            self.lane.pool().sleep.is_displaced(self.lane.index()) || self.turns_to_other_work();
        self.leaves_for_other_work
    }

    fn turns_to_other_work(&mut self) -> bool {
        let pool = self.lane.pool();
        if pool.clock.ns_between(self.turn, self.since) < TURN_NS {
            return false;
        }
        self.turn = self.since;
        let fair_share = (pool.num_threads() as u32 / pool.open_loops().max(1)).max(1);
        // The caller is one of them.
        if self.state.helpers.load(Ordering::Relaxed) < fair_share {
            return false;
        }
        let Some(work) = self.state.other_work(self.lane) else { return false };
        self.lane.do_next(work);
        true
    }
}

/// Counts a loop as open while it lives.
pub(super) struct Open<'p>(Option<&'p PoolState>);

impl<'p> Open<'p> {
    /// For a loop that `lane` calls, and that is expected to take so long.
    pub(super) fn new(lane: &LaneContext<'p>, ns: Option<f64>) -> Self {
        let is_inner = lane.depth() > 0;
        let is_short = ns.is_some_and(|ns| ns < TURN_NS as f64);
        let pool = (!is_inner && !is_short).then(|| lane.pool());
        if let Some(pool) = pool {
            if ns.is_none() {
                pool.begin_carefully();
            }
            pool.open_loops.fetch_add(1, Ordering::Relaxed);
        }
        Open(pool)
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        if let Some(pool) = self.0 {
            pool.open_loops.fetch_sub(1, Ordering::Relaxed);
        }
    }
}
