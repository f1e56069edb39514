//! What a lane writes down while it is being profiled.

use std::time::Duration;

use super::calls::{CallHead, CallId, Calls, Look};
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
    /// Closures of joins and scopes, and tasks, that are inside of nothing else here.
    pub(super) outer: Timeline<Parts>,
    pub(super) steals: Timeline<Steals>,
    pub(super) sleeps: Timeline<Sleeps>,
    pub(super) calls: Calls,
    pub(super) waits: Waits,
    place: Place,
    asleep_since: Option<u64>,
    pub(super) parked_ns: u64,
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

/// What it costs to write a call down, in nanoseconds.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Costs {
    pub(crate) call_ns: u64,
    /// A short loop, without what is measured when that is done.
    pub(crate) short_ns: u64,
    /// A short loop for which there is no room.
    pub(crate) untold_ns: u64,
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

impl Counts {
    pub(super) fn absorb(&mut self, other: Counts) {
        self.steals_tried += other.steals_tried;
        self.steals_won += other.steals_won;
        self.wakeups += other.wakeups;
        self.parks += other.parks;
        self.held_back = self.held_back.saturating_add(other.held_back);
    }
}

/// A chunk, or several neighbouring ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Chunks {
    /// Less than the event's extent by the gaps between the chunks.
    pub(super) busy_ns: u64,
    pub(super) chunks: u64,
    pub(super) taskels: u64,
}

/// A closure of a join or a scope, or a task; or several neighbouring ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Parts {
    /// Without waiting for other lanes.
    pub(super) busy_ns: u64,
    pub(super) parts: u64,
}

/// A successful steal, or several in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Steals {
    /// The lane stolen from first.
    pub(super) victim: usize,
    pub(super) steals: u64,
    /// As many of them as took the rest of a chunk that had begun.
    pub(super) cuts: u64,
}

/// A sleep for want of work, or several in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sleeps {
    pub(super) sleeps: u64,
}

/// Whose place a lane has that is no worker's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Place {
    #[default]
    Unknown,
    OfWorker(usize),
    /// One after the other.
    OfSeveral,
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
            outer: Timeline::new(),
            steals: Timeline::new(),
            sleeps: Timeline::new(),
            calls: Calls::new(),
            waits: Waits::default(),
            place: Place::Unknown,
            asleep_since: None,
            parked_ns: 0,
            joins: 0,
            parts: 0,
        }
    }

    /// Whether there is room for a call.
    pub(crate) fn begin_call(&mut self) -> bool {
        self.calls.begin()
    }

    /// Whether a join here is worth its time stamps. There is room for one that is, or it is left
    /// out.
    pub(crate) fn begin_join(&mut self) -> Look {
        match self.calls.look(self.joins) {
            Look::Worth if !self.calls.begin() => Look::Skip,
            look => look,
        }
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

    /// The call that has ended last was a short loop, and was written down by then.
    pub(crate) fn was_short(&mut self, id: CallId, written_ns: u64) {
        self.calls.was_short(id, written_ns);
    }

    /// From now on, there is no room for calls.
    pub(crate) fn fill(&mut self) {
        self.calls.fill();
    }

    /// There was no room for a short loop.
    pub(crate) fn is_untold(&mut self) {
        self.calls.is_untold();
    }

    /// This lane has waited for a task, or done it.
    pub(crate) fn waited(&mut self, head: CallHead, task: CallId, times_ns: (u64, u64)) {
        self.calls.waited(head, task, times_ns);
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

    /// A part of call `of` is over that has lasted so long in all, now and then since it began.
    pub(crate) fn scattered(&mut self, of: CallId, first: u64, whole_ns: u64, start_ns: u64) {
        self.calls.scattered(of, first, whole_ns, start_ns);
    }

    /// A closure of a join is over, which was inside of as many others as this lane is now.
    pub(crate) fn half(&mut self, of: CallId, number: u64, (start_ns, end_ns): (u64, u64)) {
        self.calls.half_took(self.joins, end_ns.saturating_sub(start_ns));
        self.calls.part(of, (number, 1), (start_ns, end_ns));
    }

    /// The lane was busy with a closure of a join or scope, or a task, inside of nothing else.
    pub(crate) fn was_busy(&mut self, (start_ns, end_ns): (u64, u64), busy_ns: u64) {
        self.busy_ns = self.busy_ns.saturating_add(busy_ns);
        self.outer.push(start_ns, end_ns, Parts { busy_ns, parts: 1 });
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

    /// Items are over that came as one chunk, perhaps inside of other items.
    pub(crate) fn items(&mut self, items: usize, (start_ns, end_ns): (u64, u64), nested: bool) {
        if nested || self.parts > 0 {
            self.nested(items);
        } else {
            self.chunk(start_ns, end_ns, items);
        }
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

    /// Marks a successful steal from lane `victim`, perhaps of the rest of a chunk that had begun.
    pub(crate) fn steal(&mut self, at_ns: u64, victim: usize, is_cut: bool) {
        self.steals.push(at_ns, at_ns, Steals { victim, steals: 1, cuts: is_cut.into() });
    }

    /// The lane begins to sleep.
    pub(crate) fn parked(&mut self, at_ns: u64) {
        self.asleep_since = Some(at_ns);
    }

    /// It is awake again. If nothing is known of its beginning, it has slept since before.
    pub(crate) fn woke_up(&mut self, at_ns: u64) {
        let since_ns = self.asleep_since.take();
        let slept_ns = at_ns.saturating_sub(since_ns.unwrap_or(at_ns));
        self.parked_ns = self.parked_ns.saturating_add(slept_ns);
        let since_ns = since_ns.unwrap_or(0);
        self.sleeps.push(since_ns, at_ns, Sleeps { sleeps: 1 });
    }

    /// The profile is over.
    pub(crate) fn stop(&mut self, at_ns: u64) {
        if self.asleep_since.is_some() {
            self.woke_up(at_ns);
        }
    }

    /// The lane has the place of this worker now.
    pub(crate) fn in_place_of(&mut self, worker: usize) {
        self.place = match self.place {
            Place::Unknown => Place::OfWorker(worker),
            Place::OfWorker(before) if before == worker => self.place,
            _ => Place::OfSeveral,
        };
    }

    pub(crate) fn place(&self) -> Place {
        self.place
    }

    /// What both have done, whose calls are kept elsewhere. They take turns.
    pub(super) fn absorb(&mut self, other: &Recorder) {
        self.busy_ns = self.busy_ns.saturating_add(other.busy_ns);
        self.taskels = self.taskels.saturating_add(other.taskels);
        self.chunks += other.chunks;
        self.longest_taskel_ns = self.longest_taskel_ns.max(other.longest_taskel_ns);
        self.chunk_sizes.absorb(&other.chunk_sizes);
        self.spans = self.spans.and(&other.spans);
        self.outer = self.outer.and(&other.outer);
        self.steals = self.steals.and(&other.steals);
        self.sleeps = self.sleeps.and(&other.sleeps);
        self.parked_ns = self.parked_ns.saturating_add(other.parked_ns);
        self.waits.of_ns = self.waits.of_ns.saturating_add(other.waits.of_ns);
        self.waits.ns = self.waits.ns.saturating_add(other.waits.ns);
        self.waits.preempted_ns = self.waits.preempted_ns.saturating_add(other.waits.preempted_ns);
    }

    /// Whether nothing happened.
    pub(crate) fn is_empty(&self) -> bool {
        self.chunks == 0 && self.calls.is_empty()
    }

    /// Ends the recording. `lane` is the number by which other lanes name this one as a victim.
    pub(crate) fn into_worker(self, lane: usize, label: String, counters: Counts) -> WorkerProfile {
        WorkerProfile { lane, label, record: self, counters, guest: None, wall_ns: 0, is_outsider: false }
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

impl Weight for Parts {
    fn absorb(&mut self, next: Parts) {
        self.busy_ns = self.busy_ns.saturating_add(next.busy_ns);
        self.parts += next.parts;
    }
}

impl Weight for Sleeps {
    fn absorb(&mut self, next: Sleeps) {
        self.sleeps += next.sleeps;
    }
}

impl Weight for Steals {
    fn absorb(&mut self, next: Steals) {
        self.steals += next.steals;
        self.cuts += next.cuts;
    }
}
