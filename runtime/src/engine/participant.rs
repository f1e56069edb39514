//! What one lane does inside a loop.

use std::ops::ControlFlow;

use taskel_adaptive::Chunker;

use super::blocks::Blocks;
use super::shared::LoopState;
use super::small::{FOLDS, Head};
use crate::containers::partials::Partial;
use crate::engine::consumer::Consumer;
use crate::engine::feeder::Feeder;
use crate::engine::producer::{Around, Claimed, Producer};
use crate::os::clock::Ticks;
use crate::policy::times::{CHUNK_NS, CLAIM_NS, PATIENCE_NS};
use crate::protocol::range::Span;
use crate::sched::lane::LaneContext;
use crate::sched::loop_slots::LoopSlot;
use crate::sched::unwind::OnDrop;
use crate::sync::Ordering;

pub(super) struct Participant<'a, P: Producer, C: Consumer<P::Item>> {
    pub(super) state: &'a LoopState<'a, P, C>,
    pub(super) lane: &'a LaneContext<'a>,
    pub(super) slot: &'a LoopSlot,
    pub(super) chunker: Chunker,
    pub(super) feeder: Feeder,
    /// Made with the first chunk, so that a lane that comes too late makes none.
    pub(super) local: Option<P::Local>,
    /// The result so far of a partial that was begun before the loop was shared.
    begun: Option<Partial<C::Partial>>,
    /// The end of the last chunk, which is the beginning of the next.
    pub(super) since: Ticks,
    waited_ns: u64,
    helped_ns: u64,
    /// So many invitations of this lane's are out, or were taken.
    pub(super) invited: u32,
    /// This lane has made its first offer in this loop.
    pub(super) has_offered: bool,
    pub(super) leaves_for_other_work: bool,
    /// When this lane last looked for other work.
    pub(super) turn: Ticks,
    /// Another participant of this lane is in the midst of a chunk further down the stack, whose
    /// position is published.
    pub(super) reentered: bool,
    pub(super) tally: Tally,
}

#[derive(Default)]
pub(super) struct Tally {
    chunks: u64,
    taskels: u64,
    pub(super) steals_tried: u64,
    pub(super) steals_won: u64,
    pub(super) revoked: u64,
    busy_ns: u64,
}

impl<'a, P: Producer, C: Consumer<P::Item>> Participant<'a, P, C> {
    pub(super) fn new(
        state: &'a LoopState<'a, P, C>,
        lane: &'a LaneContext<'a>,
        head: Option<Head<P, C::Partial>>,
    ) -> Self {
        let (local, begun) = match head {
            None => (None, None),
            Some(head) => (Some(head.local), Some(Partial { start: 0, result: head.partial })),
        };
        let now = lane.pool().clock.now();
        Participant {
            state,
            lane,
            slot: state.slots.slot(lane.pool().slot_of(lane.index())),
            chunker: Chunker::new(state.config),
            feeder: state.feeder(),
            local,
            begun,
            since: now,
            waited_ns: 0,
            helped_ns: 0,
            invited: 0,
            has_offered: false,
            leaves_for_other_work: false,
            turn: now,
            reentered: false,
            tally: Tally::default(),
        }
    }

    /// Whether this lane may come in: a lane that left may come back, but not where that would make
    /// a second state. One that is inside of a taskel, which yields, cannot use the state that this
    /// has. (With a memory guard, one that leaves drops its state, and makes a second one.)
    pub(super) fn may_enter(&self) -> bool {
        P::STATELESS || self.slot.is_inside() || self.slot.first_visit() || self.lane.pool().is_guarded()
    }

    /// Works until nobody has anything left to take.
    pub(super) fn run(&mut self) {
        let lane = self.lane;
        let depth = lane.depth();
        lane.set_depth(depth + 1);
        let slot = self.slot;
        let was_inside = slot.is_inside();
        slot.set_inside(true);
        self.reentered = was_inside;
        let helpers = (self.lane.index() != self.state.caller()).then_some(&self.state.helpers);
        helpers.inspect(|helpers| _ = helpers.fetch_add(1, Ordering::Relaxed));
        let _leave = OnDrop(|| {
            helpers.inspect(|helpers| _ = helpers.fetch_sub(1, Ordering::Relaxed));
            lane.set_depth(depth);
            slot.set_inside(was_inside);
            slot.set_claiming(false);
        });
        if slot.range.peek().len() == 0 {
            // What an earlier loop has left there.
            slot.cost.set(self.state.unit_ns());
        }
        self.restart_clock();
        while !self.state.stopped() && !self.leaves_for_other_work {
            let first = if self.slot.range.peek().len() > 0 || self.leaves_before_stealing() {
                None
            } else if let Some(stolen) = self.steal().or_else(|| self.steal_or_revoke()) {
                Some(stolen)
            } else {
                break;
            };
            self.work_off(first);
        }
    }

    /// Whether this lane has left although there may be units that it could have taken: its ticket
    /// goes to whoever does.
    pub(super) fn leaves_for_other_work(&self) -> bool {
        self.leaves_for_other_work
    }

    /// Takes back what this lane has offered to others.
    pub(super) fn leave(&mut self) {
        self.state.take_invitations_back(self.lane, std::mem::take(&mut self.invited));
    }

    /// Ends this lane's part. Nothing is left of it but its partials.
    pub(super) fn finish(&mut self) {
        let counters = &self.lane.lane().counters;
        let own_cost_ns = self.tally.chunks * CLAIM_NS;
        self.state.lesson.add(self.tally.busy_ns.saturating_sub(own_cost_ns), self.tally.taskels);
        if self.chunker.met_outlier() {
            self.state.lesson.add_outlier();
        }
        counters.loops.add(1);
        counters.chunks.add(self.tally.chunks);
        counters.taskels.add(self.tally.taskels);
        counters.steals_tried.add(self.tally.steals_tried);
        counters.steals_won.add(self.tally.steals_won);
        counters.revoked.add(self.tally.revoked);
        if let Some(begun) = self.begun.take() {
            self.keep(begun);
        }
        drop(self.local.take());
    }

    /// One partial: `first`, which is claimed already, then the own range, chunk by chunk, to its
    /// end or to where a thief has cut it.
    fn work_off(&mut self, mut first: Option<Span>) {
        let mut partial = self.begun.take();
        let mut gathered = 0;
        while let Some(span) = first.take().or_else(|| self.claim()) {
            let items = self.state.items(span);
            let first = items.start;
            gathered += items.len();
            // SAFETY: the span came out of a range just now, so nobody else has it.
            let claimed = unsafe { Claimed::new(self.state.producer, items) };
            if C::SKIPS_BEHIND && !P::HAS_TAIL && self.state.consumer.skips(claimed.indices()) {
                drop(claimed);
                // SAFETY: as above; what was in the range lies behind the span.
                drop(unsafe { Claimed::new(self.state.producer, self.state.items(self.slot.range.take())) });
                break;
            }
            let partial_so_far = partial
                .take()
                .unwrap_or_else(|| Partial { start: first, result: self.state.consumer.begin(first) });
            let start = partial_so_far.start;
            let (flow, cut) = self.run_chunk(partial_so_far.result, span, claimed);
            match flow {
                ControlFlow::Continue(result) => partial = Some(Partial { start, result }),
                ControlFlow::Break(result) => {
                    self.state.end();
                    return self.keep(Partial { start, result });
                }
            }
            if cut || self.is_stopped() {
                break;
            }
            if P::HAS_TAIL
                && (C::ENDS_EARLY || P::ENDS_EARLY)
                && gathered >= self.state.plan.len.div_ceil(FOLDS)
            {
                // What is gathered may be what ends the loop.
                break;
            }
        }
        if let Some(Partial { start, mut result }) = partial {
            if P::HAS_TAIL {
                let end = self.state.plan.len;
                // SAFETY: there are no indices in it.
                let tail = unsafe { Claimed::new(self.state.producer, end..end) };
                match self.feed(result, tail) {
                    ControlFlow::Continue(all) => result = all,
                    ControlFlow::Break(all) => {
                        self.state.end();
                        result = all;
                    }
                }
            }
            self.keep(Partial { start, result });
        }
    }

    /// The next chunk of the own range, of which the rest is on offer before that begins
    /// (`offer.rs`).
    #[inline]
    fn claim(&mut self) -> Option<Span> {
        let remaining = self.slot.range.peek().len();
        if remaining <= 1 && (remaining == 0 || self.leave_last_to_caller()) || self.leaves_to_be_fair() {
            return None;
        }
        let want = self.chunker.next_chunk(remaining as usize);
        let claims_first = want == 1;
        if !claims_first {
            self.offer(remaining - 1);
        }
        if self.chunker.is_cautious() {
            self.slot.set_claiming(true);
        }
        let claimed = self.slot.range.claim(want as u32);
        if claimed.is_none() {
            self.slot.set_claiming(false);
        } else if claims_first {
            self.offer(remaining - 1);
        }
        claimed
    }

    /// Runs a chunk; true if a thief has cut it short.
    #[inline]
    fn run_chunk(
        &mut self,
        partial: C::Partial,
        chunk: Span,
        claimed: Claimed<'a, P>,
    ) -> (ControlFlow<C::Partial, C::Partial>, bool) {
        let block = self.chunker.block_len();
        if block < chunk.len() as usize && !self.reentered {
            return self.run_in_blocks(partial, chunk, claimed, block);
        }
        if self.chunker.is_cautious() {
            self.slot.set_claiming(false);
        }
        let taskels = claimed.len();
        let flow = self.feed(partial, claimed);
        self.account(chunk, taskels);
        (flow, false)
    }

    // By itself: in one function with the usual loop, it made that up to a quarter slower.
    #[inline(never)]
    fn run_in_blocks(
        &mut self,
        mut partial: C::Partial,
        chunk: Span,
        claimed: Claimed<'a, P>,
        block: usize,
    ) -> (ControlFlow<C::Partial, C::Partial>, bool) {
        let fences = self.lane.pool().fences;
        let granule = self.state.plan.granule;
        let (mut block, mut blocks) =
            Blocks::new((&self.slot.position, fences), (block as u32, granule), chunk, claimed);
        self.slot.set_claiming(false);
        let around = self.state.in_chunk(self.state.items(chunk));
        let flow = loop {
            match self.feed(partial, block) {
                ControlFlow::Continue(so_far) => partial = so_far,
                broken => break broken,
            }
            if around.is_over() {
                self.state.stop.leave_items();
                break ControlFlow::Continue(partial);
            }
            let local = self.local.as_ref().expect("feed has made it");
            match blocks.next(local) {
                Some(next) => block = next,
                None => break ControlFlow::Continue(partial),
            }
        };
        let cut = blocks.cut();
        let end = cut.or(blocks.unbegun()).unwrap_or(chunk.hi);
        drop(blocks);
        if cut.is_some() {
            self.chunker.on_outlier();
        }
        let ran = Span { hi: end, ..chunk };
        self.account(ran, self.state.items(ran).len());
        (flow, cut.is_some())
    }

    /// Reads the clock at the end of a chunk and tells the policy, and the profile if there is one.
    #[inline]
    fn account(&mut self, ran: Span, taskels: usize) {
        let pool = self.lane.pool();
        let start = self.since;
        self.since = pool.clock.now();
        self.slot.began.set(self.since);
        self.lane.has_done_something();
        let private = self.lane.private();
        let waited_ns =
            private.waited_ns.get() - std::mem::replace(&mut self.waited_ns, private.waited_ns.get());
        let helped_ns =
            private.helped_ns.get() - std::mem::replace(&mut self.helped_ns, private.helped_ns.get());
        // The lane was busy while it helped others, but not with these taskels.
        let busy_ns = pool.clock.ns_between(start, self.since).saturating_sub(waited_ns);
        let elapsed_ns = busy_ns.saturating_sub(helped_ns);
        let left = self.feeder.left().min(taskels);
        let taskels = taskels - left;
        let units = if left == 0 { ran.len() as usize } else { taskels / self.state.plan.granule };
        if elapsed_ns > PATIENCE_NS && (units > 1 || units == 1 && self.bundles()) {
            self.look_for_starved();
        }
        self.chunker.observe(units, elapsed_ns);
        if let Some(ns) = self.chunker.estimate_ns() {
            self.slot.cost.set(ns);
        }
        self.feeder.observe(taskels, elapsed_ns);
        self.tally.chunks += 1;
        self.tally.taskels += taskels as u64;
        self.tally.busy_ns = self.tally.busy_ns.saturating_add(elapsed_ns);
        if self.state.plan.profiled {
            self.record_chunk(start, busy_ns, taskels);
        }
    }

    /// Whether units have been so short that chunks have several: next time, a long one may lie in
    /// one with others.
    #[cold]
    fn bundles(&self) -> bool {
        self.estimate_ns().is_some_and(|ns| 2.0 * ns <= CHUNK_NS as f64)
    }

    /// After a chunk that took far longer than expected. If others have taken all that they could
    /// meanwhile, they could have used a part of it; if not, it does not matter, nor whether the
    /// system had given the core to another thread.
    #[cold]
    fn look_for_starved(&mut self) {
        if self.slot.range.peek().len() == 0 {
            self.chunker.on_outlier();
        }
    }

    #[cold]
    fn record_chunk(&self, start: Ticks, busy_ns: u64, taskels: usize) {
        let start_ns = self.lane.pool().ns_since_start(start);
        let nested = self.lane.depth() > 1;
        self.lane.record(|recorder| match nested {
            true => recorder.nested(taskels),
            false => recorder.chunk(start_ns, start_ns.saturating_add(busy_ns), taskels),
        });
    }

    /// Time between chunks that went elsewhere is no taskel's.
    pub(super) fn restart_clock(&mut self) {
        self.since = self.lane.pool().clock.now();
        self.slot.began.set(self.since);
        self.waited_ns = self.lane.private().waited_ns.get();
        self.helped_ns = self.lane.private().helped_ns.get();
    }

    fn keep(&self, partial: Partial<C::Partial>) {
        if C::KEEPS_PARTIALS {
            // SAFETY: the slot is this lane's, and it is inside the loop.
            let partials = unsafe { self.slot.partials() };
            // SAFETY: in this loop, all partials are of this type; between loops the buffer is
            // empty.
            unsafe { partials.push(partial) };
        }
    }
}
