//! The run that a lane is in the middle of, and the region around it.

use super::{Lane, LaneContext};
use crate::sched::job::{Ancestor, Origin, Run};

impl Lane {
    /// Whether work of `region`, or of a region around it, could be stolen from this lane; a hint.
    pub(crate) fn offers_work_of(&self, region: Ancestor) -> bool {
        self.has_job() && self.front.region() == region
    }

    /// The run that this lane is in the middle of.
    pub(crate) fn run(&self) -> *const Run {
        self.pending.run()
    }

    /// Says which one that is. Only the lane itself says so, and only while all its pending halves
    /// are public.
    pub(crate) fn set_run(&self, run: *const Run) {
        self.pending.set_run(run);
    }
}

impl LaneContext<'_> {
    /// Runs `work` of an ancestor that is not this lane's own. What is pending belongs to other
    /// runs and is made public first.
    pub(crate) fn in_run(&self, run: &Run, work: impl FnOnce()) {
        self.publish_all();
        let before = self.lane.pending.run();
        self.lane.pending.set_run(run);
        self.private.taken.set(self.private.taken.get() + 1);
        work();
        self.private.taken.set(self.private.taken.get() - 1);
        self.lane.pending.set_run(before);
    }

    /// The origin of what this lane begins now.
    pub(crate) fn run(&self) -> Origin {
        // SAFETY: this lane is in the middle of the run, or the pointer is null.
        unsafe { Origin::inside(self.lane.pending.run()) }
    }

    /// The innermost region of joins that this lane is in; null if it is in none.
    pub(crate) fn region(&self) -> Ancestor {
        // SAFETY: this lane is in the middle of the run, or the pointer is null.
        unsafe { Run::region(self.lane.pending.run()) }
    }
}
