//! The state that the lanes of one loop share. It is on the caller's stack.
//!
//! # How a loop ends
//!
//! The caller takes its unclaimed invitation back from its own deque (`run_as_caller`). So does
//! every lane when it leaves. A lane that left work to others has left its ticket in the pool,
//! where the caller finds it while it waits. Then only lanes that are inside hold tickets. Each of
//! them returns its ticket after its last chunk: `Tickets::leave` is the last thing that it does to
//! the loop. The caller spins for 20 µs, then sleeps (`wait`). The last lane that leaves wakes it
//! through the pool, which outlives the loop.
//!
//! Then the caller alone owns everything. It has dropped what nobody claimed, after a panic or an
//! early end (`settle`). It orders the partials by their start index (`LoopSlots::merge`), and lets
//! the consumer combine them.
//!
//! A wait waits only for taskels that already run. A waiting lane has seen all ranges empty, and
//! while it spins, it takes what appears in them. So some lane always advances.

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::NonNull;

use taskel_adaptive::ChunkConfig;

use super::Plan;
use super::fair::Open;
use super::leftover::Unclaimed;
use super::participant::Participant;
use super::small::Head;
use crate::engine::around::{Around, InChunk, Over};
use crate::engine::consumer::Consumer;
use crate::engine::feeder::Feeder;
use crate::engine::options::Options;
use crate::engine::producer::Producer;
use crate::policy::site::{Lesson, Site};
use crate::policy::times::{WORTH_PRESPLITTING_NS, WORTH_SHARING_NS};
use crate::protocol::panic_slot::PanicSlot;
use crate::protocol::range::Span;
use crate::protocol::tickets::Tickets;
use crate::sched::cancel::{CancelToken, Cancelled};
use crate::sched::carried::Carried;
use crate::sched::job::{Job, JobHead, LoopHead};
use crate::sched::lane::LaneContext;
use crate::sched::loop_slots::{LoopSlots, SlotIndex};
use crate::sched::pool::Work;
use crate::sched::reentrancy;
use crate::sched::unwind::{Payload, drop_quietly};
use crate::sched::wait::wait;
use crate::sync::{AtomicU32, Fences};

/// How many blocks a chunk has if they take half a microsecond each, for full fences between them,
const COARSE_BLOCKS: usize = 16;

/// if they take 125 ns each,
const BLOCKS: usize = 64;

/// or if they take 30 ns each. A block itself costs 1 to 8 ns.
const FINE_BLOCKS: usize = 256;

/// How many others a lane invites at once.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wave {
    pub(super) count: u32,
    /// Lanes that search will come by themselves. They may also be on their way to another lane's
    /// invitation.
    pub(super) relies_on_searchers: bool,
}

impl Wave {
    pub(super) const ONE: Wave = Wave { count: 1, relies_on_searchers: true };
}

/// What the lanes share, whatever the items are. The head comes first: a [`Job`] points to it.
#[repr(C)]
pub(super) struct LoopState<'a> {
    head: LoopHead,
    /// A producer and a consumer, of the types that `part` expects.
    producer: NonNull<()>,
    consumer: NonNull<()>,
    part: Part,
    /// The lane that waits for everyone else.
    caller: usize,
    /// How many other loops the caller is inside.
    caller_depth: u32,
    /// The caller is in the middle of other work, and can run nothing else before this loop ends.
    is_nested: bool,
    /// It is a part of something, or other loops were open as it began.
    pub(super) is_among_others: bool,
    /// The most tickets that may be out: one less than the pool has workers, for the caller takes
    /// part.
    limit: u32,
    pub(super) tickets: Tickets,
    /// How many lanes are at work in the loop besides the caller; a hint.
    pub(super) helpers: AtomicU32,
    pub(super) stop: PanicSlot<Payload>,
    pub(super) slots: &'a LoopSlots,
    pub(super) plan: Plan,
    pub(super) cancel: Option<&'a CancelToken>,
    over: Over<'a>,
    /// What helpers enter.
    carried: Carried,
    pub(super) config: ChunkConfig,
    /// How its lanes publish where they are in their chunks, and thieves make sure of it.
    pub(super) fences: Fences,
    pub(super) lesson: Lesson,
    estimate_ns: Option<f64>,
}

/// The part of a lane that holds a ticket; true if it leaves for other work.
type Part = unsafe fn(&LoopState<'_>, &LaneContext<'_>) -> bool;

/// A loop with what its items come from and go to: what is compiled anew for each kind of loop
/// begins here.
pub(super) struct Loop<'a, P, C> {
    pub(super) state: &'a LoopState<'a>,
    pub(super) producer: &'a P,
    pub(super) consumer: &'a C,
}

impl<P, C> Clone for Loop<'_, P, C> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<P, C> Copy for Loop<'_, P, C> {}

/// An address that is as good as a name for a loop's call site.
pub(crate) fn address<P: Producer, C: Consumer<P::Item>>() -> usize {
    part::<P, C> as *const () as usize
}

/// The [`Part`] of a lane in a loop of these types.
///
/// # Safety
///
/// The loop has pointers to a `P` and a `C`, which live as long as it.
unsafe fn part<P: Producer, C: Consumer<P::Item>>(state: &LoopState<'_>, lane: &LaneContext<'_>) -> bool {
    // SAFETY: this function's contract; lanes share both.
    let producer = unsafe { state.producer.cast::<P>().as_ref() };
    // SAFETY: as above.
    let consumer = unsafe { state.consumer.cast::<C>().as_ref() };
    let mut participant = Participant::new(Loop { state, producer, consumer }, lane, None);
    if participant.claimer.may_enter() {
        let works_for_before = lane.lane().set_works_for(Some(state.caller));
        state.carried.inside(|| {
            state.protect(&mut || participant.run());
            lane.lane().set_works_for(works_for_before);
            state.protect(&mut || participant.finish());
        });
        participant.claimer.leave();
    }
    participant.claimer.leaves_for_other_work
}

/// A lane takes part in the loop that `head` is the head of.
///
/// # Safety
///
/// `head` is the head of a `LoopState`, and the calling lane holds a ticket of it.
unsafe fn enter(head: NonNull<JobHead>, lane: &LaneContext<'_>) {
    let state = head.cast::<LoopState<'_>>();
    let caller = {
        // SAFETY: this lane's ticket keeps the loop alive until `leave`; lanes share it.
        let state = unsafe { state.as_ref() };
        // At the source of a bridge, it would ask that source, or one whose lane waits for this
        // one.
        let may_come = !reentrancy::in_bridge();
        if may_come && !lane.is_worker() && !state.head.external.claim(lane.index()) {
            // Another external caller has come meanwhile. The ticket goes with the invitation.
            return lane.pool().put_back(state.job());
        }
        // The caller itself comes this way when it finds an invitation while it waits: there is
        // work for it to go back to. In the middle of a taskel that yields, it goes on with the
        // others.
        let inside = || state.slots.slot(lane.pool().slot_of(lane.index())).is_inside();
        // SAFETY: `Loop::begin` has put the three together, and the loop lives.
        if may_come && (lane.index() != state.caller || inside()) && unsafe { (state.part)(state, lane) } {
            // With the ticket.
            return lane.pool().hand_on(state.job());
        }
        state.caller
    };
    // SAFETY: the ticket is still out. The reference is to the tickets alone, which are all atomic,
    // so that the loop may be freed while `leave` returns.
    let tickets = unsafe { &(*state.as_ptr()).tickets };
    if tickets.leave() {
        // The loop may be gone by now; the pool is not, since this worker belongs to it.
        lane.pool().sleep.wake_waiting(caller);
    }
}

/// Makes what the lanes of a loop share.
pub(super) fn state<'a, P: Producer, C: Consumer<P::Item>>(
    lane: &LaneContext<'_>,
    (producer, consumer): (&'a P, &'a C),
    slots: &'a mut LoopSlots,
    plan: Plan,
    site: Site,
) -> LoopState<'a> {
    if C::KEEPS_PARTIALS {
        slots.reserve::<C::Partial>();
    }
    if !P::STATELESS {
        slots.forget_visits();
    }
    let ends = (NonNull::from(producer).cast(), NonNull::from(consumer).cast());
    // SAFETY: `part` expects these two types, and what they point to outlives `'a`.
    unsafe { LoopState::new(lane, ends, part::<P, C>, producer.options(), slots, plan, site) }
}

impl<'a, P: Producer, C: Consumer<P::Item>> Loop<'a, P, C> {
    /// The caller's part: deals the units out, works, and waits for everyone to leave.
    pub(super) fn run_as_caller(self, lane: &'a LaneContext<'a>, head: Option<Head<P, C::Partial>>) {
        let state = self.state;
        let _open = Open::new(lane, state.loop_ns());
        state.deal_out(lane, head.as_ref().map_or(0, |head| head.next));
        let mut participant = Participant::new(self, lane, head);
        loop {
            state.protect(&mut || participant.run());
            participant.claimer.leave();
            if !state.wait(lane) {
                break;
            }
        }
        state.protect(&mut || participant.finish());
    }

    /// What the site has taught of the items.
    pub(super) fn feeder(self) -> Feeder {
        Feeder::new(self.producer, self.state.estimate_ns)
    }

    /// Whether nothing in these indices can matter any more.
    pub(super) fn skips(self, indices: &Range<usize>) -> bool {
        self.consumer.search().is_some_and(|search| search.skips(indices))
    }

    #[inline]
    pub(super) fn in_chunk(self, indices: Range<usize>) -> InChunk<'a> {
        let Loop { state, consumer, .. } = self;
        let LoopState { ref stop, cancel, over, .. } = *state;
        InChunk::shared(stop, (over, cancel), (consumer.search(), P::HAS_TAIL), indices)
    }

    /// After everyone is out: drops the items that nobody has claimed, and yields the panic if
    /// there was one.
    pub(super) fn settle(self) -> Option<Payload> {
        let Loop { state, producer, .. } = self;
        debug_assert!(state.tickets.settled());
        if !state.stop.stopped() {
            return None;
        }
        // SAFETY: units that still lie in a range were claimed by nobody, and nobody can any more,
        // for everyone is out. `Unclaimed` asks for each once, and this is the one place where such
        // a thing is made.
        let discard = |items: Range<usize>| unsafe { producer.discard(items) };
        let address = (P::discard as unsafe fn(&P, Range<usize>)) as usize;
        let LoopState { slots, plan, ref stop, .. } = *state;
        let unclaimed = Unclaimed { discard: &discard, address, slots, plan, stop };
        state.end_early(unclaimed.is_empty(), &mut || unclaimed.discard())
    }
}

impl<'a> LoopState<'a> {
    /// # Safety
    ///
    /// `part` expects what `ends` points to, which lives as long as `'a`.
    unsafe fn new(
        lane: &LaneContext<'_>,
        (producer, consumer): (NonNull<()>, NonNull<()>),
        part: Part,
        options: Options<'a>,
        slots: &'a LoopSlots,
        plan: Plan,
        site: Site,
    ) -> Self {
        let estimate_ns = site.estimate_ns();
        let origin = lane.run().at_least(lane.depth());
        let is_nested = origin.depth > 0 || lane.is_in_join();
        let is_among_others = is_nested || lane.pool().open_loops() > 0;
        let mut config = plan.config(estimate_ns, site.history(is_among_others));
        let fences = Fences::now();
        // What lies in one block is run by one lane, whatever it turns out to take, and the more
        // lanes wait for it, the more that costs.
        let others_wait = lane.pool().num_threads() > 2;
        config = config.with_blocks(match (fences, others_wait) {
            (Fences::Symmetric, false) => COARSE_BLOCKS,
            (Fences::Symmetric, true) | (Fences::Asymmetric, false) => BLOCKS,
            (Fences::Asymmetric, true) => FINE_BLOCKS,
        });
        // SAFETY: `enter` expects a `LoopState`, whose first field this becomes, and does not
        // unwind.
        let head = unsafe { LoopHead::new(enter, origin, lane) };
        LoopState {
            head,
            producer,
            consumer,
            part,
            caller: lane.index(),
            caller_depth: lane.depth(),
            is_nested,
            is_among_others,
            limit: lane.pool().num_threads() as u32 - 1,
            tickets: Tickets::new(),
            helpers: AtomicU32::new(0),
            stop: PanicSlot::new(),
            slots,
            plan,
            cancel: options.cancel,
            over: options.over,
            carried: Carried::from_here(),
            config,
            fences,
            lesson: Lesson::default(),
            estimate_ns,
        }
    }

    /// Puts all units from item `next` on into ranges: a share for every worker if the loop is long
    /// and not inside another, so that a repeated loop finds its data in the same core's cache;
    /// else everything into the caller's own.
    fn deal_out(&self, lane: &LaneContext<'_>, next: usize) {
        let Plan { granule, units, .. } = self.plan;
        let pool = lane.pool();
        let own = pool.slot_of(lane.index());
        let workers = pool.num_threads();
        let worth_it = WORTH_PRESPLITTING_NS.max(WORTH_SHARING_NS * workers as f64);
        let long = self.loop_ns().is_some_and(|ns| ns >= worth_it);
        if next > 0 || !long || lane.depth() > 0 || (units as usize) < workers {
            let first = (next / granule) as u32;
            return self.put(own, Span { lo: first, hi: units });
        }
        // An external caller has its share where the worker whose seat it took would have had it.
        let seat = pool.seat_of(lane.index());
        let share = |worker: usize| (u64::from(units) * worker as u64 / workers as u64) as u32;
        for worker in 0..workers {
            let slot = if worker == seat { own } else { pool.slot_of(worker) };
            self.put(slot, Span { lo: share(worker), hi: share(worker + 1) });
        }
    }

    fn put(&self, slot: SlotIndex, span: Span) {
        let slot = self.slots.slot(slot);
        slot.cost.set(self.unit_ns());
        slot.range.put(span);
    }

    /// What the site has taught that one lane would take for the whole loop.
    fn loop_ns(&self) -> Option<f64> {
        self.estimate_ns.map(|ns| ns * self.plan.len as f64)
    }

    /// What the site has taught that a unit takes; 0 if nothing is known.
    pub(super) fn unit_ns(&self) -> f64 {
        self.estimate_ns.map_or(0.0, |ns| ns * self.plan.granule as f64)
    }

    /// Whether no lane should begin anything more, perhaps because of the work around the loop.
    pub(super) fn stopped(&self) -> bool {
        if self.over.is_over() {
            self.stop.stop();
        }
        self.stop.stopped()
    }

    /// Ends the loop, and at once those that it is inside.
    pub(super) fn end(&self) {
        self.stop.stop();
        self.over.found();
    }

    /// The items of some units.
    pub(super) fn items(&self, span: Span) -> Range<usize> {
        self.plan.items(span)
    }

    /// Offers the loop to more workers, or to as many as there may be. Returns to how many.
    pub(super) fn invite(&self, lane: &LaneContext<'_>, wave: Wave) -> u32 {
        let mut invited = 0;
        while invited < wave.count && self.tickets.invite(self.limit) {
            lane.push(self.job());
            invited += 1;
        }
        let pool = lane.pool();
        let coming = if wave.relies_on_searchers { pool.sleep.searching() } else { 0 };
        match invited.saturating_sub(coming) {
            0 if invited == 0 => (),
            0 | 1 if wave.relies_on_searchers => pool.wake_one(lane.index(), lane.random()),
            count => pool.wake_several(lane.index(), lane.random(), count),
        }
        invited
    }

    pub(super) fn caller(&self) -> usize {
        self.caller
    }

    /// How many lanes are inside, or invited, besides the caller; a hint.
    pub(super) fn out(&self) -> u32 {
        self.tickets.peek()
    }

    /// How many more workers may be invited; a hint.
    #[inline]
    pub(super) fn room(&self) -> u32 {
        self.limit.saturating_sub(self.tickets.peek())
    }

    /// Takes those of `lane`'s last `invited` invitations back that nobody has.
    pub(super) fn take_invitations_back(&self, lane: &LaneContext<'_>, invited: u32) {
        for _ in 0..invited {
            if !lane.take_back(self.job()) {
                return;
            }
            // This is never the last ticket that a lane waits for: this lane is the one that waits,
            // or holds its own ticket.
            let _ = self.tickets.leave();
        }
    }

    /// Whether nothing but a last unit is left, which the caller, which can do nothing outside of
    /// this loop, will soon come for, if a unit takes `unit_ns`.
    pub(super) fn has_one_for_its_caller(&self, lane: &LaneContext<'_>, unit_ns: f64) -> bool {
        self.is_nested
            && lane.index() != self.caller
            && self.unclaimed() == 1
            && self.caller_is_due(lane, unit_ns)
    }

    /// What the caller has found that a unit takes; 0 if it knows nothing.
    pub(super) fn callers_unit_ns(&self, lane: &LaneContext<'_>) -> f64 {
        self.slots.slot(lane.pool().slot_of(self.caller)).cost.get()
    }

    /// Whether the caller waits, or is in the second half of a unit, which takes `unit_ns` and has
    /// no loop inside (if it has, others can help the caller with that); a hint.
    fn caller_is_due(&self, lane: &LaneContext<'_>, unit_ns: f64) -> bool {
        let pool = lane.pool();
        let caller = pool.lane(self.caller);
        let slot = self.slots.slot(pool.slot_of(self.caller));
        if !slot.is_inside() {
            return true;
        }
        let elapsed_ns = pool.clock.ns_between(slot.began.get(), pool.clock.now()) as f64;
        2.0 * elapsed_ns >= unit_ns
            && caller.inner_depth() <= self.caller_depth + 1
            && caller.waits_for().is_none()
    }

    /// Something else that `lane` can do, which is inside.
    pub(super) fn other_work(&self, lane: &LaneContext<'_>) -> Option<Work> {
        lane.find_other_work(self.job().ancestor(), || {
            // Not the last: the lane has a ticket of its own.
            let _ = self.tickets.leave();
        })
    }

    /// How many units lie in ranges, where any lane can take them; a hint.
    pub(super) fn unclaimed(&self) -> u32 {
        self.slots.slots().map(|slot| slot.range.peek().len()).fold(0, u32::saturating_add)
    }

    /// Whether some lane is in a chunk with blocks that have not begun, of which a lane that watches
    /// may take what takes too long; a hint.
    pub(super) fn has_rests(&self) -> bool {
        self.slots.slots().any(|slot| slot.position.rest().len() > 0)
    }

    /// The caller, should it wait for the others already, comes back for what has become stealable.
    pub(super) fn call_caller_back(&self, lane: &LaneContext<'_>) {
        if lane.index() != self.caller {
            lane.pool().sleep.wake_waiting(self.caller);
        }
    }

    pub(super) fn job(&self) -> Job {
        // SAFETY: lanes only share the loop, and it stays until all tickets are in; a ticket goes
        // with every push.
        unsafe { Job::new(NonNull::from(self).cast()) }
    }

    /// The caller waits. True when there is work after all, false when everyone is out.
    fn wait(&self, lane: &LaneContext<'_>) -> bool {
        let pool = lane.pool();
        let work_left = || !self.stop.stopped() && self.slots.has_work();
        // What an external caller has begun, other than the caller, workers can help it with.
        let workers = pool.num_threads();
        let inside = |look: &mut dyn FnMut(usize) -> bool| self.slots.any_inside(workers, look);
        wait(lane, self.job().ancestor(), &inside, &|| self.tickets.settled() || work_left());
        !self.tickets.settled()
    }

    /// Runs user code; a panic ends the loop, and those that it is inside, and is kept for the
    /// caller.
    pub(super) fn protect(&self, user_code: &mut dyn FnMut()) {
        if let Err(payload) = catch_unwind(AssertUnwindSafe(user_code)) {
            drop_quietly(self.stop.panicked(payload));
            self.over.panicked();
        }
    }

    /// Ends a loop that ended early, once everyone is out, and yields its panic if there was one.
    fn end_early(&self, nothing_unclaimed: bool, discard: &mut dyn FnMut()) -> Option<Payload> {
        let complete = !self.stop.items_left() && nothing_unclaimed;
        self.protect(discard);
        if self.stop.cancelled() && !complete {
            // It comes back if a panic came before.
            drop(self.stop.panicked(Box::new(Cancelled)));
        }
        self.stop.take()
    }
}
