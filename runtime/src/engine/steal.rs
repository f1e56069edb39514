//! How a lane takes units from another lane's range or chunk, and when it leaves a unit to that
//! lane.

use super::claimer::Claimer;
use super::watch::Watch;
use crate::protocol::range::Span;
use crate::sched::loop_slots::SlotIndex;

/// A thief looks at this many ranges that have something in them, and takes from the one worth
/// most.
const VICTIMS: usize = 4;

/// A lane waits for another to take the last unit for this part of the time that it lasts,
const PATIENT_UNITS: f64 = 16.0;

/// and no longer than this.
const MOST_PATIENCE_NS: f64 = 500_000.0;

impl Claimer<'_> {
    /// Takes half of what another lane has left, and claims its first chunk. `None` when nobody has
    /// anything.
    pub(super) fn steal(&mut self) -> Option<Span> {
        while let Some(victim) = self.choose_victim() {
            self.tally.steals_tried += 1;
            let Some(span) = self.state.slots.slot(victim).range.steal() else { continue };
            self.tally.steals_won += 1;
            return Some(self.acquire(victim, span, false));
        }
        None
    }

    /// Steals like `steal`, as long as other lanes are in chunks. Takes the rest of a chunk that
    /// takes far too long.
    #[cold]
    pub(super) fn steal_or_revoke(&mut self) -> Option<Span> {
        if self.reentered {
            return None;
        }
        // It may have dropped what it had claimed, if that was of no use: nobody, and least of all
        // this lane, should wait for it.
        self.slot.set_claiming(false);
        let mut watch = Watch::new(self.state, self.lane);
        while !self.state.stop.stopped() && watch.pause() {
            if let Some(stolen) = self.steal() {
                return Some(stolen);
            }
            if let Some((victim, rest)) = watch.revoke() {
                self.tally.revoked += 1;
                self.chunker.on_outlier();
                return Some(self.acquire(victim, rest, true));
            }
        }
        // The lane that took the rest which this lane wanted may have just put it into its range.
        self.steal()
    }

    /// Claims the first chunk of what it has taken from another lane. Otherwise idle lanes would
    /// steal a single unit back and forth before one of them runs it. The rest becomes its own
    /// range. `is_cut`: the units come from a chunk that had begun.
    fn acquire(&mut self, victim: SlotIndex, span: Span, is_cut: bool) -> Span {
        self.chunker.on_steal();
        if self.chunker.estimate_ns().is_none() {
            self.slot.cost.set(self.state.slots.slot(victim).cost.get());
        }
        let first = self.chunker.next_chunk(span.len() as usize) as u32;
        let (first, rest) = span.split_at(first);
        self.slot.range.put(rest);
        if rest.len() > 0 {
            self.state.call_caller_back(self.lane);
        }
        self.offer(rest.len());
        self.restart_clock();
        if self.state.plan.profiled {
            let at_ns = self.lane.pool().ns_since_start(self.since);
            self.lane.record(|recorder| recorder.steal(at_ns, victim.0, is_cut));
        }
        first
    }

    /// Of the first few ranges that are not empty, the one that is worth most.
    fn choose_victim(&self) -> Option<SlotIndex> {
        let worth = |victim: SlotIndex| {
            let slot = self.state.slots.slot(victim);
            let units = slot.range.peek().len();
            // A lane that has not finished a chunk yet, or is not here, says 0: then the number of
            // units decides.
            (units > 0).then(|| (victim, f64::from(units) * slot.cost.get().max(f64::MIN_POSITIVE)))
        };
        let victims = self.lane.pool().victims(self.lane.index(), self.lane.random());
        let best = victims.filter_map(worth).take(VICTIMS).max_by(|a, b| a.1.total_cmp(&b.1));
        best.map(|(victim, _)| victim)
    }

    /// Whether this lane, whose own range is empty, leaves what others have to them.
    // Seldom: apart from the usual loop, which stays small.
    #[inline(never)]
    pub(super) fn leaves_before_stealing(&mut self) -> bool {
        self.leave_last_to_caller() || self.lane.pool().is_guarded() && self.leaves_for_want_of_memory()
    }

    /// The caller of an inner loop waits when it finds nothing left, and a wait does nothing else.
    /// So a lane that can do something else, does that, before it takes the last unit; and one that
    /// cannot gives a caller that is about to come a moment to do so. True if this lane leaves.
    pub(super) fn leave_last_to_caller(&mut self) -> bool {
        let unit_ns = self.estimate_ns().unwrap_or_else(|| self.state.callers_unit_ns(self.lane));
        if !self.state.has_one_for_its_caller(self.lane, unit_ns) {
            return false;
        }
        let clock = self.lane.pool().clock;
        let patience_ns = (unit_ns / PATIENT_UNITS).min(MOST_PATIENCE_NS) as u64;
        let mut since = clock.now();
        loop {
            // A lane with a state of its own could not come back for the unit.
            let may_leave = self.stateless && self.lane.may_leave();
            if let Some(work) = may_leave.then(|| self.state.other_work(self.lane)).flatten() {
                self.lane.do_next(work);
                self.leaves_for_other_work = true;
                return true;
            }
            if clock.have_passed(patience_ns, &mut since, clock.now())
                || !self.state.has_one_for_its_caller(self.lane, unit_ns)
            {
                self.restart_clock();
                return false;
            }
            self.lane.pool().pause();
        }
    }
}
