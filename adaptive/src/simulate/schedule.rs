//! The results of a simulation.

use alloc::vec::Vec;
use core::ops::Range;

/// Which worker ran what, and how long everything took.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Schedule {
    /// The time from the start until the last taskel ends, in nanoseconds.
    pub makespan_ns: f64,
    /// The fraction of the workers' time up to the makespan that went into taskels: in (0, 1] if
    /// any taskel takes time. 1 for a schedule that takes no time.
    pub utilisation: f64,
    /// A lower bound for every schedule, in nanoseconds: all taskels spread evenly over all
    /// workers, or the longest taskel on the fastest worker, whichever is longer.
    pub bound: f64,
    /// The number of chunks.
    pub chunks: usize,
    /// How often a worker took work from another one.
    pub steals: usize,
    /// How often this was the rest of a running chunk, which only
    /// [`Policy::Revocable`](super::Policy::Revocable) does.
    pub revoked: usize,
    /// One entry per worker.
    pub workers: Vec<WorkerSchedule>,
}

impl Schedule {
    /// Returns the makespan as a multiple of the bound: 1 if both are 0, infinite if only the bound
    /// is.
    ///
    /// ```
    /// use taskel_adaptive::simulate::{Costs, Policy, Simulation};
    /// let schedule = Simulation::new(Policy::Fixed(2), 2).with_costs(Costs::FREE).run(&[1.0, 1.0, 1.0]).unwrap();
    /// assert_eq!(schedule.makespan_ns, 2.0);
    /// assert_eq!(schedule.ratio(), 2.0 / 1.5);
    /// ```
    #[must_use]
    pub fn ratio(&self) -> f64 {
        if self.makespan_ns == 0.0 { 1.0 } else { self.makespan_ns / self.bound }
    }
}

/// What one worker did.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct WorkerSchedule {
    /// The time spent in taskels, in nanoseconds.
    pub busy_ns: f64,
    /// When its last chunk ended, in nanoseconds; 0 if it ran none.
    pub end_ns: f64,
    /// The number of taskels.
    pub taskels: usize,
    /// The number of chunks.
    pub chunks: usize,
    /// How often it took work from another worker.
    pub steals: usize,
    /// How often this was the rest of a running chunk.
    pub revoked: usize,
    /// Whether a chunk took far longer than expected. Another call of the loop would then begin
    /// with [`History::Outliers`](crate::History::Outliers). Only under
    /// [`Policy::Revocable`](super::Policy::Revocable).
    pub met_outlier: bool,
    /// Its chunks in order of time, if [`with_spans`](super::Simulation::with_spans) is set. Chunks
    /// of a [reserve](super::Simulation::with_reserves) may overlap its own.
    pub spans: Vec<Span>,
}

impl WorkerSchedule {
    /// Adds what a reserve did in the worker's place.
    pub(crate) fn absorb(&mut self, reserve: WorkerSchedule) {
        self.busy_ns += reserve.busy_ns;
        self.end_ns = self.end_ns.max(reserve.end_ns);
        self.taskels += reserve.taskels;
        self.chunks += reserve.chunks;
        self.steals += reserve.steals;
        self.revoked += reserve.revoked;
        self.spans.extend(reserve.spans);
        self.spans.sort_by(|a, b| a.start_ns.total_cmp(&b.start_ns));
    }
}

/// One chunk on one worker.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Span {
    /// The indices of its taskels.
    pub taskels: Range<usize>,
    /// When its first taskel starts, in nanoseconds.
    pub start_ns: f64,
    /// When its last taskel ends, in nanoseconds.
    pub end_ns: f64,
    /// Whether it is the first chunk of a steal.
    pub stolen: bool,
}
