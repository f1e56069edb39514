//! The loop: how the indices of a [`Producer`] are divided among lanes, and how the results are put
//! together. Only the engine uses the chunk policy.
//!
//! # A loop, from call to result
//!
//! 1. [`drive`] gets the [`Producer`] and the `Consumer`. The lanes share the producer: it has
//!    `len` indices, and any run of them becomes a sequential iterator. The consumer says what
//!    happens to the items.
//! 2. If the call site has learned that the loop ends within 10 µs, the loop runs on the calling
//!    thread alone (`small`).
//! 3. Otherwise the caller becomes a lane and takes loop slots: a cache line with a range for each
//!    worker, and one for an external caller. It puts all units into its own range, or if the site
//!    has learned that the loop is long, a share into the range of each worker. Then it begins.
//!    From now on, everything that it has not claimed can be stolen.
//! 4. Before each chunk, a lane makes sure that idle workers are offered what lies in ranges
//!    (`offer`).
//! 5. A lane that comes takes its own share, if there is one, or steals (`steal`). It looks at up
//!    to four ranges that have units, takes the back half of the most valuable one, claims the
//!    first chunk of it, and makes the rest its own range.
//! 6. When no range has units, a lane leaves, unless another lane is in a chunk with blocks that
//!    have not begun. Then it watches that chunk, and may cut it (`watch`).
//! 7. When nothing is left, the caller waits for the tickets. A lane that puts units into a range
//!    calls it back. `shared` says how a loop ends.
//!
//! A loop counts in *units*: items, or *granules* of several items that stay together
//! (`with_min_len`, `Chunk::Exact`, loops beyond 2³² items). The remaining items belong to the last
//! granule, except with `Chunk::Exact`.
//!
//! In a shared loop, before a lane runs a taskel, everything that it has not claimed is in its
//! range, where any lane of the loop may steal it. So even a taskel that takes a day only holds
//! back the chunk that it is in. (`small` is the exception.)
//!
//! What a lane does with items is compiled for each kind of loop (`participant`, `small`,
//! `feeder`). How it gets to them is compiled once (`claimer`, `shared`, `offer`, `steal`,
//! `watch`), because loops are most of the code that a program which uses them has to compile.
//!
//! A loop that has run before allocates nothing, except a tree of partial results if an operator is
//! slow. Its state is on the caller's stack. Ranges and partial results are in loop slots that a
//! lane keeps, one set for each level of nesting.

pub(crate) mod around;
mod blocks;
mod claimer;
pub(crate) mod combine;
pub(crate) mod consumer;
mod fair;
mod feed;
pub(crate) mod feeder;
#[cfg(test)]
mod feeder_tests;
mod inner;
mod leftover;
#[cfg(all(loom, feature = "loom"))]
mod modelled;
mod offer;
pub(crate) mod options;
mod participant;
pub(crate) mod producer;
mod ranges;
mod shared;
mod small;
mod steal;
mod watch;
pub(crate) mod watched;

use std::ops::Range;
use std::panic::{self, Location};

use taskel_adaptive::recording::CallKind;
use taskel_adaptive::{ChunkConfig, History};

pub(crate) use self::inner::drive_inner;
pub(crate) use self::leftover::{drop_all, drop_rest};
#[cfg(all(loom, feature = "loom"))]
use self::modelled::alone as without_pool;
use self::shared::Loop;
pub(crate) use self::shared::address;
#[cfg(not(all(loom, feature = "loom")))]
use self::small::alone as without_pool;
use crate::engine::combine::InOrder;
use crate::engine::consumer::Consumer;
use crate::engine::options::Chunk;
use crate::engine::producer::{Claimed, Producer};
use crate::policy::site::Site;
use crate::policy::times::{CHUNK_NS, WORTH_SHARING_NS};
use crate::profile::calls::{CallId, CallSite, Caller};
use crate::protocol::range::Span;
use crate::sched::cancel::CancelToken;
use crate::sched::lane::LaneContext;
use crate::sched::pool::{PoolState, with_lane, with_pool};
use crate::sched::recorded::{OpenCall, short_loop};
use crate::sched::unwind::{self, drop_quietly};

/// Runs a loop to its end.
///
/// # Panics
///
/// With the payload of the first taskel that panicked, once every lane is out.
#[track_caller]
pub(crate) fn drive<P, C>(producer: &P, consumer: C) -> C::Output
where
    P: Producer,
    C: Consumer<P::Item>,
{
    drive_at(Location::caller(), producer, consumer)
}

/// The same, for a loop that is called there.
pub(crate) fn drive_at<P, C>(caller: Caller, producer: &P, consumer: C) -> C::Output
where
    P: Producer,
    C: Consumer<P::Item>,
{
    with_pool(producer.options().pool, |pool| match pool {
        Some(pool) => drive_on(pool, producer, consumer, caller),
        None => without_pool(producer, consumer),
    })
}

fn drive_on<P, C>(pool: &PoolState, producer: &P, consumer: C, caller: Caller) -> C::Output
where
    P: Producer,
    C: Consumer<P::Item>,
{
    if producer.options().cancel.is_some_and(CancelToken::is_cancelled) && producer.len() > 0 {
        // SAFETY: nobody else gets a part of this loop.
        drop(unsafe { Claimed::new(producer, 0..producer.len()) });
        unwind::cancelled();
    }
    let plan = Plan::new(producer, pool.profiling());
    if plan.units == 0 || !plan.profiled && (plan.units == 1 || pool.num_threads() == 1) {
        return small::alone(producer, consumer);
    }
    let site = Site::at(shared::address::<P, C>());
    let start = match site.estimate_ns() {
        Some(ns) if plan.runs_alone(ns, pool) => {
            if plan.units == 1 {
                return one_item(pool, producer, consumer, (site, caller, ns));
            }
            let told = producer.options().told();
            let start_ns = if plan.profiled { pool.now_ns() } else { 0 };
            match small::try_alone(producer, || consumer.begin(0), (&consumer, told), plan, (pool, site, ns))
            {
                small::Outcome::Done(partial) => {
                    if plan.profiled {
                        _ = short_loop(pool, (CallSite::of::<(P, C)>(caller), Some(ns)), start_ns, plan.len);
                    }
                    return consumer.finish(std::iter::once(partial));
                }
                small::Outcome::Dearer(head) => Some((head, start_ns)),
            }
        }
        _ => None,
    };
    with_lane(pool, |lane| share(lane, (producer, consumer), plan, (site, caller), start))
}

/// A short loop of one item while a profile is being taken: as without one.
#[cold]
fn one_item<P, C>(
    pool: &PoolState,
    producer: &P,
    consumer: C,
    (site, caller, expected_ns): (Site, Caller, f64),
) -> C::Output
where
    P: Producer,
    C: Consumer<P::Item>,
{
    let items = producer.len();
    let start_ns = pool.now_ns();
    let output = small::alone(producer, consumer);
    let (took_ns, _) = short_loop(pool, (CallSite::of::<(P, C)>(caller), Some(expected_ns)), start_ns, items);
    if took_ns as f64 > WORTH_SHARING_NS {
        site.learn(took_ns as f64 / items as f64);
    }
    output
}

/// Keeps a call out of the code around it.
#[cold]
#[inline(never)]
fn cold<R>(call: impl FnOnce() -> R) -> R {
    call()
}

/// How a loop is cut: in units of `granule` items, which are never torn apart. To the last belongs
/// what is over.
#[derive(Clone, Copy, Debug)]
struct Plan {
    len: usize,
    granule: usize,
    units: u32,
    most_units: usize,
    /// A profile is being taken, which sees all loops, small ones too.
    profiled: bool,
    /// The loop's name in profiles; 0 if they have no room for it, or none is being taken.
    call: CallId,
}

impl Plan {
    fn new<P: Producer>(producer: &P, profiled: bool) -> Self {
        let options = producer.options();
        let len = producer.len();
        // A range holds 32-bit units: longer loops are counted in granules.
        let granule = options.granule().max(len.div_ceil(u32::MAX as usize));
        let units = match options.chunk {
            // No more than the caller has said.
            Chunk::Exact(_) => len.div_ceil(granule.max(1)),
            Chunk::Auto => (len / granule).max(len.min(1)),
        } as u32;
        Plan { len, granule, units, most_units: options.most_granules(granule), profiled, call: 0 }
    }

    /// The items of some units.
    fn items(&self, Span { lo, hi }: Span) -> Range<usize> {
        let edge = |unit: u32| if unit == self.units { self.len } else { unit as usize * self.granule };
        edge(lo)..edge(hi)
    }

    /// Whether the loop is over before another worker could be of use, if an item takes `ns`; if it
    /// is shared up to twice that long, it is tried now and then: items of shared loops take
    /// longer, on two hardware threads of one core up to twice as long.
    fn runs_alone(&self, ns: f64, pool: &PoolState) -> bool {
        let loop_ns = self.len as f64 * ns;
        loop_ns < 2.0 * WORTH_SHARING_NS
            && (loop_ns < WORTH_SHARING_NS || pool.clock.is_one_in_32())
            && self.most_units > 1
    }

    fn config(&self, estimate_ns: Option<f64>, history: History) -> ChunkConfig {
        let config = ChunkConfig::default()
            .with_target_ns(CHUNK_NS)
            .with_max_chunk(self.most_units)
            .with_history(history);
        estimate_ns.map_or(config, |ns| config.with_estimate_ns(ns * self.granule as f64))
    }
}

/// Where items take so long, their results are combined by a tree at once: should that be quick
/// after all, it wakes a few workers for nothing.
const SLOW_ITEM_NS: f64 = 1e6;

/// Runs a loop on this lane and on all lanes that come. `head` is the part that has begun and takes
/// longer than expected.
fn share<P, C>(
    lane: &LaneContext<'_>,
    (producer, consumer): (&P, C),
    plan: Plan,
    (site, caller): (Site, Caller),
    head: Option<(small::Head<P, C::Partial>, u64)>,
) -> C::Output
where
    P: Producer,
    C: Consumer<P::Item>,
{
    let mut slots = lane.take_slots();
    let alone = head.as_ref().map(|(head, since_ns)| (head.next, *since_ns));
    let call = if plan.profiled { record(lane, CallSite::of::<(P, C)>(caller), site, alone) } else { None };
    let head = head.map(|(head, _)| head);
    let plan = Plan { call: call.map_or(0, |call| call.id()), ..plan };
    let (panic, slow) = {
        let state = shared::state(lane, (producer, &consumer), &mut slots, plan, site);
        let whole = Loop { state: &state, producer, consumer: &consumer };
        whole.run_as_caller(lane, head);
        let panic = whole.settle();
        site.learn_from(&state.lesson, state.is_among_others);
        (panic, state.lesson.ns_per_taskel().is_some_and(|ns| ns >= SLOW_ITEM_NS))
    };
    if let Some(call) = call {
        lane.end_call(call);
    }
    // SAFETY: every lane is out (`settle`), and the loop pushed partials of this type only.
    let partials = unsafe { slots.merge::<C::Partial>() };
    match panic {
        None => {
            let output = consumer.finish(InOrder { partials, slow });
            lane.put_slots(slots);
            output
        }
        Some(payload) => {
            drop_quietly(partials);
            lane.put_slots(slots);
            panic::resume_unwind(payload)
        }
    }
}

#[cold]
fn record(lane: &LaneContext<'_>, at: CallSite, site: Site, alone: Option<(usize, u64)>) -> Option<OpenCall> {
    let call = lane.begin_call(CallKind::Loop, at, site.estimate_ns())?;
    Some(alone.map_or(call, |(items, since_ns)| lane.has_begun_alone(call, items, since_ns)))
}
