//! The counts of a pool since it was built.

use std::time::Duration;

use super::ThreadPool;
use crate::sched::lane::Lane;

/// The counts of a pool since it was built; see [`ThreadPool::metrics`].
///
/// The pool counts all the time. This costs a few plain stores per loop. A loop adds its numbers
/// when it ends, so they may be missing if you read them in the middle of a loop.
#[derive(Clone, Debug)]
pub struct PoolMetrics {
    workers: Vec<WorkerMetrics>,
    externals: WorkerMetrics,
}

/// What one worker has done since its pool was built.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WorkerMetrics {
    loops: u64,
    chunks: u64,
    taskels: u64,
    steals_tried: u64,
    steals_won: u64,
    revoked: u64,
    wakeups: u64,
    parks: u64,
    held_back: Duration,
}

impl WorkerMetrics {
    pub(super) fn of(lane: &Lane) -> Self {
        let counters = &lane.counters;
        WorkerMetrics {
            loops: counters.loops.get(),
            chunks: counters.chunks.get(),
            taskels: counters.taskels.get(),
            steals_tried: counters.steals_tried.get(),
            steals_won: counters.steals_won.get(),
            revoked: counters.revoked.get(),
            wakeups: counters.wakeups.get(),
            parks: counters.parks.get(),
            held_back: Duration::from_nanos(counters.held_ns.get()),
        }
    }

    fn plus(self, other: Self) -> Self {
        WorkerMetrics {
            loops: self.loops + other.loops,
            chunks: self.chunks + other.chunks,
            taskels: self.taskels + other.taskels,
            steals_tried: self.steals_tried + other.steals_tried,
            steals_won: self.steals_won + other.steals_won,
            revoked: self.revoked + other.revoked,
            wakeups: self.wakeups + other.wakeups,
            parks: self.parks + other.parks,
            held_back: self.held_back.saturating_add(other.held_back),
        }
    }

    /// Parallel loops that it took part in; sequential ones (too small to share) are not counted.
    pub fn loops(&self) -> u64 {
        self.loops
    }

    /// Chunks that it ran in them.
    pub fn chunks(&self) -> u64 {
        self.chunks
    }

    /// Items that it processed in them.
    pub fn taskels(&self) -> u64 {
        self.taskels
    }

    /// Attempts to take half of another worker's range.
    pub fn steals_tried(&self) -> u64 {
        self.steals_tried
    }

    /// Attempts that succeeded.
    pub fn steals_won(&self) -> u64 {
        self.steals_won
    }

    /// Chunks of other workers that it cut short, because they took far longer than expected and
    /// nothing else was left.
    pub fn revoked(&self) -> u64 {
        self.revoked
    }

    /// Returns from sleep.
    pub fn wakeups(&self) -> u64 {
        self.wakeups
    }

    /// Times that it went to sleep.
    pub fn parks(&self) -> u64 {
        self.parks
    }

    /// How long a [memory guard](crate::ThreadPoolBuilder::memory_guard) kept it from work that
    /// there was.
    pub fn held_back(&self) -> Duration {
        self.held_back
    }
}

impl PoolMetrics {
    /// The workers, by index.
    pub fn workers(&self) -> &[WorkerMetrics] {
        &self.workers
    }

    /// All threads from outside that called loops on the pool, together.
    pub fn external_callers(&self) -> WorkerMetrics {
        self.externals
    }

    /// Everything together.
    pub fn total(&self) -> WorkerMetrics {
        self.workers.iter().copied().fold(self.externals, WorkerMetrics::plus)
    }
}

impl ThreadPool {
    /// Returns the counts of the pool so far.
    ///
    /// ```
    /// let pool = taskel::ThreadPool::builder().num_threads(2).build()?;
    /// assert_eq!(pool.metrics().total().loops(), 0);
    /// # Ok::<(), taskel::ThreadPoolBuildError>(())
    /// ```
    pub fn metrics(&self) -> PoolMetrics {
        let workers = self.state.num_threads();
        let mut lanes = self.state.lanes().map(WorkerMetrics::of);
        PoolMetrics {
            workers: lanes.by_ref().take(workers).collect(),
            externals: lanes.fold(WorkerMetrics::default(), WorkerMetrics::plus),
        }
    }
}
