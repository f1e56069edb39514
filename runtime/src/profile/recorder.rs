//! What a lane writes down while it is being profiled.

use std::time::Duration;

use super::timeline::{Timeline, Weight};
use super::{ChunkSizes, WorkerProfile};

/// One lane's record. Only the lane's own thread uses it while profiling.
///
/// Times are in nanoseconds since an origin that all lanes share. A record takes a bounded amount
/// of memory: see [`Timeline`]. Its counters stay exact all the same, unless a clock that jumps
/// brings them beyond `u64::MAX`, where they stay.
#[derive(Clone, Debug)]
pub(crate) struct Recorder {
    pub(super) busy_ns: u64,
    pub(super) taskels: u64,
    pub(super) chunks: u64,
    pub(super) longest_taskel_ns: u64,
    pub(super) chunk_sizes: ChunkSizes,
    pub(super) spans: Timeline<Chunks>,
    pub(super) steals: Timeline<Steals>,
}

/// What the pool counts itself, profiling or not: the differences over the profiled time.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) steals_tried: u64,
    pub(crate) steals_won: u64,
    pub(crate) wakeups: u64,
    pub(crate) parks: u64,
    pub(crate) held_back: Duration,
}

/// A chunk, or several neighbouring ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Chunks {
    /// Less than the event's extent by the gaps between the chunks.
    pub(super) busy_ns: u64,
    pub(super) chunks: u64,
    pub(super) taskels: u64,
}

/// A successful steal, or several in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Steals {
    /// The lane stolen from first.
    pub(super) victim: usize,
    pub(super) steals: u64,
}

impl Recorder {
    pub(crate) fn new() -> Recorder {
        Recorder {
            busy_ns: 0,
            taskels: 0,
            chunks: 0,
            longest_taskel_ns: 0,
            chunk_sizes: ChunkSizes::default(),
            spans: Timeline::new(),
            steals: Timeline::new(),
        }
    }

    /// Records a chunk that is not part of another one. A chunk without taskels is not a chunk.
    pub(crate) fn chunk(&mut self, start_ns: u64, end_ns: u64, taskels: usize) {
        if taskels == 0 {
            return;
        }
        let busy_ns = end_ns.saturating_sub(start_ns);
        self.nested(taskels);
        self.busy_ns = self.busy_ns.saturating_add(busy_ns);
        self.longest_taskel_ns = self.longest_taskel_ns.max(busy_ns / taskels as u64);
        self.spans.push(start_ns, end_ns, Chunks { busy_ns, chunks: 1, taskels: taskels as u64 });
    }

    /// Counts a chunk of a loop that runs inside a chunk of another loop, on the same lane.
    pub(crate) fn nested(&mut self, taskels: usize) {
        if taskels == 0 {
            return;
        }
        self.taskels = self.taskels.saturating_add(taskels as u64);
        self.chunks += 1;
        self.chunk_sizes.count(taskels);
    }

    /// Marks a successful steal from lane `victim`.
    pub(crate) fn steal(&mut self, at_ns: u64, victim: usize) {
        self.steals.push(at_ns, at_ns, Steals { victim, steals: 1 });
    }

    /// Whether nothing happened.
    pub(crate) fn is_empty(&self) -> bool {
        self.chunks == 0
    }

    /// Ends the recording. `lane` is the number by which other lanes name this one as a victim.
    pub(crate) fn into_worker(self, lane: usize, label: String, counters: Counts) -> WorkerProfile {
        WorkerProfile { lane, label, record: self, counters }
    }
}

impl Chunks {
    /// The mean duration of a chunk.
    pub(super) fn mean_ns(&self) -> f64 {
        self.busy_ns as f64 / self.chunks as f64
    }
}

impl Weight for Chunks {
    fn absorb(&mut self, next: Chunks) {
        self.busy_ns = self.busy_ns.saturating_add(next.busy_ns);
        self.chunks += next.chunks;
        self.taskels = self.taskels.saturating_add(next.taskels);
    }
}

impl Weight for Steals {
    fn absorb(&mut self, next: Steals) {
        self.steals += next.steals;
    }
}
