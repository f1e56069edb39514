//! What a lane writes down while it is being profiled.

use std::time::Duration;

use super::calls::{CallHead, CallId, Calls};
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
    pub(super) calls: Calls,
    pub(super) waits: Waits,
    /// How many joins the lane is inside of, wherever they began.
    joins: u32,
    /// How many closures of joins and scopes, and tasks, the lane is inside of.
    parts: u32,
}

/// How much of the time in items was no processor time.
#[derive(Clone, Debug, Default)]
pub(crate) struct Waits {
    pub(super) of_ns: u64,
    pub(super) ns: u64,
    /// As much of that as others had the processor for.
    pub(super) preempted_ns: u64,
    /// When the lane last looked at its clocks.
    last: Option<Clocks>,
}

/// What a lane's clocks say.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clocks {
    pub(crate) now_ns: u64,
    /// How long the lane has waited for other lanes so far.
    pub(crate) waited_ns: u64,
    /// The thread's processor time so far.
    pub(crate) processor_ns: u64,
    /// How often the thread has given its processor away so far, and how often that was taken away.
    pub(crate) switches: (u64, u64),
}

/// So often a lane that is in items looks at its thread's clock.
const BETWEEN_CLOCKS_NS: u64 = 200_000;

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
            calls: Calls::new(),
            waits: Waits::default(),
            joins: 0,
            parts: 0,
        }
    }

    /// Whether there is room for a call.
    pub(crate) fn begin_call(&mut self) -> bool {
        self.calls.begin()
    }

    /// Whether a join here is worth its time stamps, and there is room for it.
    pub(crate) fn begin_join(&mut self) -> bool {
        self.calls.is_worth_a_look(self.joins) && self.calls.begin()
    }

    /// How many joins the lane is inside of.
    pub(crate) fn joins(&self) -> u32 {
        self.joins
    }

    /// How many closures of joins and scopes, and tasks, the lane is inside of.
    pub(crate) fn parts(&self) -> u32 {
        self.parts
    }

    /// The lane begins another one, inside of so many joins.
    pub(crate) fn enter(&mut self, joins: u32) {
        self.joins = joins;
        self.parts += 1;
    }

    /// The lane leaves one, and is inside of so many joins again.
    pub(crate) fn leave(&mut self, joins: u32) {
        self.joins = joins;
        // Where the profile began inside of it, it was not counted.
        self.parts = self.parts.saturating_sub(1);
    }

    /// A call is over that this lane has made.
    pub(crate) fn end_call(&mut self, head: CallHead, start_ns: u64, end_ns: u64) {
        self.calls.end(head, start_ns, end_ns);
    }

    /// This lane has spawned a task.
    pub(crate) fn spawned(&mut self, head: CallHead, now_ns: u64) {
        self.calls.spawned(head, now_ns);
    }

    /// `items` items of call `of` are over, from item `first` on.
    pub(crate) fn part(&mut self, of: CallId, (first, items): (u64, u64), times_ns: (u64, u64)) {
        if items > 0 {
            self.calls.part(of, (first, items), times_ns);
        }
    }

    /// A closure of a join is over, which was inside of as many others as this lane is now.
    pub(crate) fn half(&mut self, of: CallId, number: u64, (start_ns, end_ns): (u64, u64)) {
        self.calls.half_took(self.joins, end_ns.saturating_sub(start_ns));
        self.calls.part(of, (number, 1), (start_ns, end_ns));
    }

    /// The lane was busy with closures of joins or scopes, inside of nothing else.
    pub(crate) fn was_busy(&mut self, busy_ns: u64) {
        self.busy_ns = self.busy_ns.saturating_add(busy_ns);
    }

    /// Whether it is time to look at the thread's clock again, which takes a system call.
    pub(crate) fn wants_clocks(&self, now_ns: u64) -> bool {
        self.waits.last.is_some_and(|last| now_ns.saturating_sub(last.now_ns) >= BETWEEN_CLOCKS_NS)
    }

    /// What comes now is time in items.
    pub(crate) fn begin_items(&mut self, clocks: Clocks) {
        self.waits.last = Some(clocks);
    }

    /// All since the last look was time in items.
    pub(crate) fn were_items(&mut self, clocks: Clocks) {
        if let Some(last) = self.waits.last.replace(clocks) {
            let waited_ns = clocks.waited_ns.saturating_sub(last.waited_ns);
            let of_ns = clocks.now_ns.saturating_sub(last.now_ns).saturating_sub(waited_ns);
            let processor_ns = clocks.processor_ns.saturating_sub(last.processor_ns);
            self.waits.of_ns = self.waits.of_ns.saturating_add(of_ns);
            let ns = of_ns.saturating_sub(processor_ns);
            self.waits.ns = self.waits.ns.saturating_add(ns);
            // Where both have happened, who knows which of them lasted.
            if clocks.switches.0 == last.switches.0 && clocks.switches.1 > last.switches.1 {
                self.waits.preempted_ns = self.waits.preempted_ns.saturating_add(ns);
            }
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
        self.chunks == 0 && self.calls.is_empty()
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
