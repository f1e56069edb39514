//! How a lane gets units of a loop, and what it measures and records, independent of the kind of
//! items. So this is not compiled again for each kind of loop.

use taskel_adaptive::Chunker;

use super::shared::LoopState;
use crate::engine::feeder::Feeder;
use crate::os::clock::Ticks;
use crate::policy::times::{CHUNK_NS, CLAIM_NS, PATIENCE_NS};
use crate::protocol::range::Span;
use crate::sched::lane::LaneContext;
use crate::sched::loop_slots::LoopSlot;
use crate::sched::unwind::OnDrop;
use crate::sync::Ordering;

pub(super) struct Claimer<'a> {
    pub(super) state: &'a LoopState<'a>,
    pub(super) lane: &'a LaneContext<'a>,
    pub(super) slot: &'a LoopSlot,
    pub(super) chunker: Chunker,
    pub(super) feeder: Feeder,
    /// The lane makes no state for the loop, so that it may leave it and come back.
    pub(super) stateless: bool,
    /// The end of the last chunk, which is the beginning of the next.
    pub(super) since: Ticks,
    waited_ns: u64,
    helped_ns: u64,
    /// How many invitations of this lane are out, or were taken.
    pub(super) invited: u32,
    /// This lane has made its first offer in this loop.
    pub(super) has_offered: bool,
    pub(super) leaves_for_other_work: bool,
    /// When this lane last looked for other work.
    pub(super) turn: Ticks,
    /// Another participant of this lane is in the middle of a chunk further down the stack, whose
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

impl<'a> Claimer<'a> {
    pub(super) fn new(
        state: &'a LoopState<'a>,
        lane: &'a LaneContext<'a>,
        feeder: Feeder,
        stateless: bool,
    ) -> Self {
        let now = lane.pool().clock.now();
        Claimer {
            state,
            lane,
            slot: state.slots.slot(lane.pool().slot_of(lane.index())),
            chunker: Chunker::new(state.config),
            feeder,
            stateless,
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

    /// Whether this lane may come in. A lane that left may come back, unless it would then make a
    /// second state. A lane that is inside a taskel that yields cannot use the state that this
    /// taskel has. (With a memory guard, a lane that leaves drops its state, and makes a second
    /// one.)
    pub(super) fn may_enter(&self) -> bool {
        self.stateless || self.slot.is_inside() || self.slot.first_visit() || self.lane.pool().is_guarded()
    }

    /// The lane is inside the loop as long as the returned value lives.
    pub(super) fn come_in(&mut self) -> OnDrop<impl FnMut() + use<'a>> {
        let Claimer { state, lane, slot, .. } = *self;
        let depth = lane.depth();
        lane.set_depth(depth + 1);
        let was_inside = slot.is_inside();
        slot.set_inside(true);
        self.reentered = was_inside;
        let helpers = (lane.index() != state.caller()).then_some(&state.helpers);
        helpers.inspect(|helpers| _ = helpers.fetch_add(1, Ordering::Relaxed));
        let inside = OnDrop(move || {
            helpers.inspect(|helpers| _ = helpers.fetch_sub(1, Ordering::Relaxed));
            lane.set_depth(depth);
            slot.set_inside(was_inside);
            slot.set_claiming(false);
        });
        if slot.range.peek().len() == 0 {
            // What an earlier loop has left there.
            slot.cost.set(state.unit_ns());
        }
        self.restart_clock();
        inside
    }

    /// What this lane does next: a chunk that it has claimed elsewhere, if it has, and then what is
    /// in its range. `None` when nobody has anything left to take, or this lane is to leave.
    pub(super) fn next_part(&mut self) -> Option<Option<Span>> {
        if self.state.stopped() || self.leaves_for_other_work {
            return None;
        }
        if self.slot.range.peek().len() > 0 || self.leaves_before_stealing() {
            return Some(None);
        }
        self.steal().or_else(|| self.steal_or_revoke()).map(Some)
    }

    /// Takes back what this lane has offered to others.
    pub(super) fn leave(&mut self) {
        self.state.take_invitations_back(self.lane, std::mem::take(&mut self.invited));
    }

    /// Tells the pool and the call site what this lane has done.
    pub(super) fn settle_accounts(&self) {
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
    }

    /// The next chunk of the own range. The rest of the range is offered before the chunk begins
    /// (`offer.rs`).
    pub(super) fn claim(&mut self) -> Option<Span> {
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

    /// Reads the clock at the end of a chunk and tells the policy, and the profile if there is one.
    pub(super) fn account(&mut self, ran: Span, taskels: usize) {
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
            self.record_chunk(ran, start, busy_ns, taskels);
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
    fn record_chunk(&self, ran: Span, start: Ticks, busy_ns: u64, taskels: usize) {
        let [start_ns, end_ns] = [start, self.since].map(|ticks| self.lane.pool().ns_since_start(ticks));
        let nested = self.lane.depth() > 1;
        let call = self.state.plan.call;
        let items = (self.state.items(ran).start as u64, taskels as u64);
        let mut wants_clocks = false;
        self.lane.record(|recorder| {
            wants_clocks |= recorder.wants_clocks(end_ns);
            match nested || recorder.parts() > 0 {
                true => recorder.nested(taskels),
                false => recorder.chunk(start_ns, start_ns.saturating_add(busy_ns), taskels),
            }
            if call != 0 {
                recorder.part(call, items, (start_ns, end_ns));
            }
        });
        if wants_clocks && !nested {
            self.lane.were_items(0, end_ns);
        }
    }

    /// Time between chunks that went elsewhere is no taskel's.
    pub(super) fn restart_clock(&mut self) {
        self.since = self.lane.pool().clock.now();
        self.slot.began.set(self.since);
        self.waited_ns = self.lane.private().waited_ns.get();
        self.helped_ns = self.lane.private().helped_ns.get();
        if self.state.plan.profiled && self.lane.depth() <= 1 {
            self.lane.begin_items(0);
        }
    }
}
