//! What one lane does inside a loop.

use std::ops::{ControlFlow, Range};

use taskel_adaptive::Chunker;

use super::shared::LoopState;
use super::small::Head;
use super::{WORTH_SHARING_NS, WORTH_WAKING_NS};
use crate::clock::Ticks;
use crate::iter::consumer::{ChunkOf, Consumer};
use crate::iter::producer::Producer;
use crate::lane::LaneContext;
use crate::protocol::range::Span;
use crate::segments::Segment;
use crate::slab::Slot;

/// A thief looks at this many ranges that have something in them, and takes from the one worth most.
const VICTIMS: usize = 4;

/// How many loops' worth of unshared work justify a wake-up that none of them does.
const PAYS_FOR_WAKING: f64 = 10.0;

/// What a claim and a look at the clock add to the measured time of a chunk.
const CLAIM_NS: u64 = 20;

pub(super) struct Participant<'a, P: Producer, C: Consumer<P::Item>> {
    state: &'a LoopState<'a, P, C>,
    lane: &'a LaneContext<'a>,
    slot: &'a Slot,
    chunker: Chunker,
    /// Made with the first chunk, so that a lane that comes too late makes none.
    local: Option<P::Local>,
    /// The result so far of a segment that was begun before the loop was shared.
    begun: Option<Segment<C::Segment>>,
    /// The end of the last chunk, which is the beginning of the next.
    since: Ticks,
    waited_ns: u64,
    /// This loop was counted as a missed opportunity to share.
    missed: bool,
    tally: Tally,
}

#[derive(Default)]
struct Tally {
    chunks: u64,
    taskels: u64,
    steals_tried: u64,
    steals_won: u64,
    busy_ns: u64,
}

impl<'a, P: Producer, C: Consumer<P::Item>> Participant<'a, P, C> {
    pub(super) fn new(
        state: &'a LoopState<'a, P, C>,
        lane: &'a LaneContext<'a>,
        head: Option<Head<P, C>>,
    ) -> Self {
        let (local, begun) = match head {
            None => (None, None),
            Some(head) => (Some(head.local), Some(Segment { start: 0, result: head.segment })),
        };
        Participant {
            state,
            lane,
            slot: state.slab.slot(lane.pool().slot_of(lane.index())),
            chunker: Chunker::new(state.config),
            local,
            begun,
            since: lane.pool().clock.now(),
            waited_ns: 0,
            missed: false,
            tally: Tally::default(),
        }
    }

    /// Works until nobody has anything left to take.
    pub(super) fn run(&mut self) {
        let depth = &self.lane.private().depth;
        depth.set(depth.get() + 1);
        let _leave = OnDrop(|| depth.set(depth.get() - 1));
        self.restart_clock();
        while !self.state.stop.stopped() {
            let first = if self.slot.range.peek().len() > 0 {
                None
            } else if let Some(stolen) = self.steal() {
                Some(stolen)
            } else {
                break;
            };
            self.work_off(first);
        }
    }

    /// Ends this lane's part. Nothing is left of it but its segments.
    pub(super) fn finish(&mut self) {
        let counters = &self.lane.lane().counters;
        let own_cost_ns = self.tally.chunks * CLAIM_NS;
        self.state.lesson.add(self.tally.busy_ns.saturating_sub(own_cost_ns), self.tally.taskels);
        counters.loops.add(1);
        counters.chunks.add(self.tally.chunks);
        counters.taskels.add(self.tally.taskels);
        counters.steals_tried.add(self.tally.steals_tried);
        counters.steals_won.add(self.tally.steals_won);
        if let Some(begun) = self.begun.take() {
            self.keep(begun);
        }
        drop(self.local.take());
    }

    /// One segment: `first`, which is claimed already, then the own range, chunk by chunk, to its end or to where a
    /// thief has cut it.
    fn work_off(&mut self, mut first: Option<Span>) {
        let mut segment = self.begun.take();
        while let Some(span) = first.take().or_else(|| self.claim()) {
            let items = self.state.items(span);
            let units = span.len() as usize;
            let segment_so_far = segment.take().unwrap_or_else(|| Segment {
                start: items.start,
                result: self.state.consumer.begin(items.start),
            });
            let taskels = items.len();
            let start = segment_so_far.start;
            let flow = self.feed(segment_so_far.result, items);
            self.account(units, taskels);
            match flow {
                ControlFlow::Continue(result) => segment = Some(Segment { start, result }),
                ControlFlow::Break(result) => {
                    self.state.stop.stop();
                    return self.keep(Segment { start, result });
                }
            }
            if self.state.producer.is_full() {
                self.state.stop.stop();
            }
            if self.state.stop.stopped() {
                break;
            }
        }
        if let Some(Segment { start, mut result }) = segment {
            if P::HAS_TAIL {
                let end = self.state.plan.len;
                match self.feed(result, end..end) {
                    ControlFlow::Continue(all) => result = all,
                    ControlFlow::Break(all) => {
                        self.state.stop.stop();
                        result = all;
                    }
                }
            }
            self.keep(Segment { start, result });
        }
    }

    #[inline]
    fn claim(&mut self) -> Option<Span> {
        let remaining = self.slot.range.peek().len();
        if remaining == 0 {
            return None;
        }
        self.invite_if_worth_it(remaining);
        let want = self.chunker.next_chunk(remaining as usize);
        self.slot.range.claim(want as u32)
    }

    #[inline]
    fn feed(&mut self, segment: C::Segment, items: Range<usize>) -> ControlFlow<C::Segment, C::Segment> {
        let producer = self.state.producer;
        let local = self.local.get_or_insert_with(|| producer.local());
        // SAFETY: the items were claimed from a range just now, so nobody else has them; or there are none.
        let chunk = unsafe { ChunkOf::new(producer, local, items) };
        self.state.consumer.feed(segment, chunk)
    }

    /// Reads the clock at the end of a chunk and tells the policy, and the profile if there is one.
    #[inline]
    fn account(&mut self, units: usize, taskels: usize) {
        let pool = self.lane.pool();
        let start = self.since;
        self.since = pool.clock.now();
        let waited_ns = self.lane.private().waited_ns.get();
        let others_ns = waited_ns - std::mem::replace(&mut self.waited_ns, waited_ns);
        let elapsed_ns = pool.clock.ns_between(start, self.since).saturating_sub(others_ns);
        self.chunker.observe(units, elapsed_ns);
        if let Some(ns) = self.chunker.estimate_ns() {
            self.slot.cost.set(ns);
        }
        self.tally.chunks += 1;
        self.tally.taskels += taskels as u64;
        self.tally.busy_ns += elapsed_ns;
        if self.state.profiled {
            self.record_chunk(start, elapsed_ns, taskels);
        }
    }

    #[cold]
    fn record_chunk(&self, start: Ticks, elapsed_ns: u64, taskels: usize) {
        let start_ns = self.lane.pool().ns_since_start(start);
        let nested = self.lane.private().depth.get() > 1;
        self.lane.record(|recorder| match nested {
            true => recorder.nested(taskels),
            false => recorder.chunk(start_ns, start_ns + elapsed_ns, taskels),
        });
    }

    /// Time between chunks that went elsewhere is no taskel's.
    fn restart_clock(&mut self) {
        self.since = self.lane.pool().clock.now();
        self.waited_ns = self.lane.private().waited_ns.get();
    }

    #[inline]
    fn invite_if_worth_it(&mut self, remaining: u32) {
        if !self.state.may_invite(self.lane) {
            return;
        }
        let worth = match self.chunker.estimate_ns() {
            // Nothing is known: the first taskel may take an hour, and what is behind it must not wait.
            None => true,
            Some(ns) => {
                let left_ns = ns * f64::from(remaining);
                left_ns >= WORTH_WAKING_NS
                    || left_ns >= WORTH_SHARING_NS
                        && (self.lane.pool().sleep.anyone_searching() || self.missed_often(left_ns))
            }
        };
        if worth {
            self.state.invite(self.lane);
            // A wake-up takes microseconds, which no taskel should be blamed for.
            self.restart_clock();
        }
    }

    /// One loop of a few microseconds is not worth a wake-up, many in a row are: then the worker, once awake, finds the next
    /// one by searching. True when what went unshared since the last wake-up would have paid for it several times.
    fn missed_often(&mut self, left_ns: f64) -> bool {
        let missed_ns = &self.lane.private().missed_ns;
        if !std::mem::replace(&mut self.missed, true) {
            missed_ns.set(missed_ns.get() + left_ns);
        }
        let often = missed_ns.get() >= PAYS_FOR_WAKING * WORTH_WAKING_NS;
        if often {
            missed_ns.set(0.0);
        }
        often
    }

    /// Takes half of what another lane has left, and claims its first chunk: a single unit would otherwise be stolen back and
    /// forth between idle lanes before one of them comes to run it. `None` when nobody has anything.
    fn steal(&mut self) -> Option<Span> {
        while let Some(victim) = self.choose_victim() {
            self.tally.steals_tried += 1;
            let Some(span) = self.state.slab.slot(victim).range.steal() else { continue };
            self.tally.steals_won += 1;
            self.chunker.on_steal();
            let first = self.chunker.next_chunk(span.len() as usize) as u32;
            let (first, rest) = span.split_at(first);
            self.slot.range.put(rest);
            self.restart_clock();
            if self.state.profiled {
                let at_ns = self.lane.pool().ns_since_start(self.since);
                self.lane.record(|recorder| recorder.steal(at_ns, victim));
            }
            return Some(first);
        }
        None
    }

    /// Of the first few ranges that are not empty, the one that is worth most.
    fn choose_victim(&self) -> Option<usize> {
        let worth = |victim: usize| {
            let slot = self.state.slab.slot(victim);
            let units = slot.range.peek().len();
            // A lane that has not finished a chunk yet, or is not here, says 0: then the number of units decides.
            (units > 0).then(|| (victim, f64::from(units) * slot.cost.get().max(f64::MIN_POSITIVE)))
        };
        let victims = self.lane.pool().victims(self.lane.index(), self.lane.random());
        let best = victims.filter_map(worth).take(VICTIMS).max_by(|a, b| a.1.total_cmp(&b.1));
        best.map(|(victim, _)| victim)
    }

    fn keep(&self, segment: Segment<C::Segment>) {
        if C::KEEPS_SEGMENTS {
            // SAFETY: the slot is this lane's, and it is inside the loop.
            let segments = unsafe { self.slot.segments() };
            // SAFETY: in this loop, all segments are of this type; between loops the buffer is empty.
            unsafe { segments.push(segment) };
        }
    }
}

struct OnDrop<F: FnMut()>(F);

impl<F: FnMut()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}
