//! Decides how many workers may run, from the memory that workers have needed so far.
//!
//! A worker cannot be stopped in the middle of an item, and the memory of an item is visible only
//! while it runs. So it does not help to wait for pressure: under a limit of 1 GiB, eight workers
//! that each begin an item of 200 MiB are killed before any of them finishes. Therefore the caller
//! begins alone at a new call site. Lanes are added as long as the memory that they are expected to
//! need fits. Each step at most doubles the number of lanes, because the lanes so far support no
//! further conclusion.
//!
//! The memory of a lane is estimated as the growth in use after some lanes were added, divided by
//! their number. The largest estimate counts. A new estimate is made when the use has stopped
//! growing since the last look: while it grows, items do not have all their memory yet.
//!
//! Under pressure, lanes leave one after the other, whatever the estimate. From then on, lanes are
//! added one by one.

use super::guard::MemoryGuard;
use super::system::Use;
use crate::protocol::permits::Counts;

/// Growth counts if it exceeds this fraction of the limit between two looks.
const GROWTH: u64 = 256;

#[derive(Debug)]
pub(super) struct Governor {
    settings: MemoryGuard,
    /// The largest number of workers.
    most: u32,
    /// The memory expected of one more lane; 0 if unknown.
    per_lane: u64,
    /// The number of lanes at the last estimate, and the memory in use then.
    known: (u32, u64),
    /// The number of other lanes before the first lane of a loop began, and the memory in use then.
    base: (u32, u64),
    /// The peak use since the number of lanes changed.
    peak: u64,
    limit: u64,
    /// Whether there was pressure since a loop began.
    was_pressed: bool,
}

/// The result of a look.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sight {
    pub(super) memory: Option<Use>,
    /// The fraction of the time since the last look in which some task was stalled for lack of
    /// memory.
    pub(super) stalled: f64,
    pub(super) workers: Counts,
    /// How many running threads need no permit.
    pub(super) callers: u32,
}

impl Governor {
    pub(super) fn new(settings: MemoryGuard, most: u32) -> Self {
        Governor {
            settings,
            most,
            per_lane: 0,
            known: (0, 0),
            base: (0, 0),
            peak: 0,
            limit: 0,
            was_pressed: false,
        }
    }

    /// Begins a loop at an unknown site. Returns how many workers may run: those that already do.
    pub(super) fn begin(&mut self, Sight { memory, workers, callers, .. }: Sight) -> u32 {
        let lanes = workers.inside + callers.saturating_sub(1);
        self.per_lane = 0;
        self.was_pressed = false;
        self.start_over(lanes, memory);
        workers.inside.min(workers.allowed)
    }

    fn start_over(&mut self, lanes: u32, memory: Option<Use>) {
        let Use { used, limit } = memory.unwrap_or(Use { used: 0, limit: 0 });
        self.limit = limit;
        self.peak = used;
        self.known = (lanes, used);
        self.base = self.known;
    }

    /// Returns how many workers may run from now on.
    pub(super) fn look(&mut self, sight: Sight) -> u32 {
        let Sight { memory, stalled, workers, callers } = sight;
        let lanes = workers.inside + callers;
        if memory.is_some_and(|memory| memory.limit != self.limit) {
            // A group's limit has changed, or another limit is closer now. The estimate was made
            // under other conditions.
            self.start_over(lanes, memory);
        }
        let used = memory.map_or(0, |memory| memory.used);
        let is_growing = used > self.peak.saturating_add(self.limit / GROWTH);
        self.peak = self.peak.max(used);
        let is_full = memory.is_some() && used > self.most_in_use();
        if is_full || stalled > self.settings.most_stalled {
            self.learn(lanes);
            self.peak = used;
            self.was_pressed = true;
            // Workers that were told to leave may be in the middle of an item. They leave one after
            // the other.
            return if workers.inside > workers.allowed {
                workers.allowed
            } else {
                workers.inside.saturating_sub(1)
            };
        }
        if is_growing || workers.inside < workers.allowed {
            // The memory of lanes that have just come, or may still come, is not known yet.
            return workers.allowed;
        }
        self.learn(lanes);
        if workers.inside > workers.allowed || workers.allowed >= self.most {
            self.peak = used;
            return workers.allowed;
        }
        let more = self.fitting(lanes).min(self.most - workers.allowed);
        if more > 0 {
            self.peak = used;
        }
        workers.allowed + more
    }

    /// Updates the estimate from the peak use of `lanes` lanes.
    fn learn(&mut self, lanes: u32) {
        let (lanes_before, peak_before) = self.known;
        let change = u64::from(lanes.abs_diff(lanes_before));
        if let Some(each) = self.peak.abs_diff(peak_before).checked_div(change) {
            self.per_lane = self.per_lane.max(each);
        }
        self.known = (lanes, self.peak);
    }

    /// Returns how many more lanes fit beside `lanes`.
    fn fitting(&self, lanes: u32) -> u32 {
        let step = if self.was_pressed { 1 } else { lanes.max(1) };
        let (lanes_at_base, base) = self.base;
        let expected =
            base.saturating_add(self.per_lane.saturating_mul(u64::from(lanes.saturating_sub(lanes_at_base))));
        let left = self.most_in_use().saturating_sub(self.peak.max(expected));
        left.checked_div(self.per_lane).map_or(step, |fitting| step.min(fitting as u32))
    }

    fn most_in_use(&self) -> u64 {
        (self.limit as f64 * self.settings.most_used) as u64
    }
}
