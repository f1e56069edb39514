//! Decides how many workers may run, from the memory that they were seen to need.
//!
//! A worker in the middle of an item cannot be stopped, and the memory of items is seen only while
//! they run. So waiting for pressure does not help: eight workers that each begin an item of 200
//! MiB, under a limit of 1 GiB, are killed before one of them has finished. Therefore, at a new
//! call site, the caller begins alone. Lanes are added as long as the memory that they are expected
//! to need fits. At most twice as many are added at a time, because the lanes that run so far allow
//! no better conclusion.
//!
//! The memory of a lane is estimated by the growth of the use after some lanes were added, divided
//! by their number. The largest such figure counts. It is known when the use has not grown since
//! the last look: while it grows, items do not have all their memory yet.
//!
//! Under pressure, one lane after the other leaves, whatever was expected. From then on, lanes are
//! added one by one.

use super::guard::MemoryGuard;
use super::system::Use;
use crate::protocol::permits::Counts;

/// What counts as growth: this part of the limit, between two looks.
const GROWTH: u64 = 256;

#[derive(Debug)]
pub(super) struct Governor {
    settings: MemoryGuard,
    /// The most workers that there may be.
    most: u32,
    /// Expected of a further lane; 0 if nothing is known.
    per_lane: u64,
    /// How many lanes there were when the use was last known, and how much that was.
    known: (u32, u64),
    /// How much was in use before the first lane of a loop began, and how many others there were.
    base: (u32, u64),
    /// The most in use since the number of lanes has changed.
    peak: u64,
    limit: u64,
    /// There was pressure since a loop began.
    was_pressed: bool,
}

/// What a look has found.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sight {
    pub(super) memory: Option<Use>,
    /// The part of the time since the last look in which some task was stalled for want of memory.
    pub(super) stalled: f64,
    pub(super) workers: Counts,
    /// Threads at work that need no permit.
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

    /// A loop begins at an unknown site. Returns how many workers may run: those that run already.
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

    /// Returns how many workers may be at work from now on.
    pub(super) fn look(&mut self, sight: Sight) -> u32 {
        let Sight { memory, stalled, workers, callers } = sight;
        let lanes = workers.inside + callers;
        if memory.is_some_and(|memory| memory.limit != self.limit) {
            // A group's limit was changed, or another one is nearer: what was known was of
            // something else.
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
            // Workers that were told to go may be in the middle of an item. One goes after the
            // other.
            return if workers.inside > workers.allowed {
                workers.allowed
            } else {
                workers.inside.saturating_sub(1)
            };
        }
        if is_growing || workers.inside < workers.allowed {
            // What those take that are there, or may come, is not known yet.
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

    /// Learns from the use by `lanes` lanes, which is at its peak.
    fn learn(&mut self, lanes: u32) {
        let (lanes_before, peak_before) = self.known;
        let change = u64::from(lanes.abs_diff(lanes_before));
        if let Some(each) = self.peak.abs_diff(peak_before).checked_div(change) {
            self.per_lane = self.per_lane.max(each);
        }
        self.known = (lanes, self.peak);
    }

    /// How many more lanes there can be beside `lanes`.
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
