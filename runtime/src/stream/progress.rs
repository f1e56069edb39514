//! `progress_with` for streams: reports how far a stream is.

use std::fmt;

use crate::iter::adapter::BETWEEN_REPORTS_NS;
use crate::os::clock::{Clock, Ticks};

/// What tells of it, on the thread of the sink.
pub(super) struct Progress<'w> {
    report: Box<dyn FnMut(usize, usize) + Send + 'w>,
    /// How many items have gone through the sink, and at most will.
    done: usize,
    most: usize,
    clock: Clock,
    reported: Ticks,
}

impl fmt::Debug for Progress<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Progress").field("done", &self.done).field("most", &self.most).finish_non_exhaustive()
    }
}

impl<'w> Progress<'w> {
    pub(super) fn new(most: usize, report: impl FnMut(usize, usize) + Send + 'w) -> Self {
        let clock = Clock::new();
        Progress { report: Box::new(report), done: 0, most, clock, reported: clock.now() }
    }

    /// Adds items that have gone through the sink.
    pub(super) fn passed(&mut self, items: usize) {
        self.done += items;
        // That all are done is told when the source has said so.
        if items > 0
            && self.done < self.most
            && self.clock.have_passed(BETWEEN_REPORTS_NS, &mut self.reported, self.clock.now())
        {
            (self.report)(self.done, self.most);
            self.reported = self.clock.now();
        }
    }

    /// No more come.
    pub(super) fn end(mut self) {
        if self.done > 0 {
            (self.report)(self.done, self.done);
        }
    }
}
