//! Loops that one lane runs alone, without telling anyone.

use std::ops::ControlFlow;

use taskel_adaptive::{ChunkConfig, Chunker};

use super::Plan;
use crate::cancel::CancelToken;
use crate::clock::Clock;
use crate::iter::Options;
use crate::iter::consumer::{ChunkOf, Consumer};
use crate::iter::producer::{Claimed, Producer};
use crate::pool::PoolState;
use crate::site::Site;
use crate::unwind;

/// The beginning of a loop that was run alone: the items before `next`.
pub(super) struct Head<P: Producer, S> {
    pub(super) local: P::Local,
    pub(super) segment: S,
    pub(super) next: usize,
}

pub(super) enum Outcome<P: Producer, S> {
    /// The loop is over.
    Done(S),
    /// The first items took much longer than their call site had taught: the rest should be shared.
    Dearer(Head<P, S>),
}

/// Runs a whole loop on this thread.
pub(super) fn alone<P: Producer, C: Consumer<P::Item>>(producer: &P, consumer: C) -> C::Output {
    // SAFETY: nobody else gets a part of this loop.
    let items = unsafe { Claimed::new(producer, 0..producer.len()) };
    let (local, segment) = (producer.local(), consumer.begin(0));
    let options = producer.options();
    if options.needs_pieces() {
        return in_pieces(producer, consumer, local, segment, items, options);
    }
    let segment = run_out(producer, |segment, chunk| consumer.feed(segment, chunk), local, segment, items);
    consumer.finish(std::iter::once(segment))
}

/// Runs a loop on this thread, in chunks as those of shared loops, with a look at the token between them.
fn in_pieces<P: Producer, C: Consumer<P::Item>>(
    producer: &P,
    consumer: C,
    mut local: P::Local,
    mut segment: C::Segment,
    mut rest: Claimed<'_, P>,
    options: Options<'_>,
) -> C::Output {
    let granule = options.granule().max(1);
    let clock = Clock::new();
    let config = ChunkConfig::default().with_target_ns(super::CHUNK_NS);
    let mut chunker = Chunker::new(config.with_max_chunk(options.most_granules(granule)));
    let mut since = clock.now();
    while rest.len() > 0 && !producer.is_full() {
        if options.cancel.is_some_and(CancelToken::is_cancelled) {
            drop((local, rest, segment));
            unwind::cancelled();
        }
        let units = rest.len() / granule;
        let chunk = chunker.next_chunk(units);
        if chunk == units {
            break;
        }
        let items = rest.split_off(chunk * granule);
        segment = match consumer.feed(segment, ChunkOf::new(items, &mut local)) {
            ControlFlow::Continue(segment) => segment,
            ControlFlow::Break(segment) => {
                drop((local, rest));
                return consumer.finish(std::iter::once(segment));
            }
        };
        let now = clock.now();
        chunker.observe(chunk, clock.ns_between(since, now));
        since = now;
    }
    if producer.is_full() {
        rest.split_off(usize::MAX);
    }
    let segment = run_out(producer, |segment, chunk| consumer.feed(segment, chunk), local, segment, rest);
    consumer.finish(std::iter::once(segment))
}

/// Runs a loop alone whose site has taught that an item takes `expected_ns`, for as long as it does.
///
/// Like the chunks of a shared loop, the pieces begin with one unit and grow by four, and what comes after a piece that took far
/// longer than expected is shared. `feed` passes a piece on, which follows on what is in the segment, beginning with what `begin` makes.
pub(super) fn try_alone<P: Producer, S>(
    producer: &P,
    begin: impl FnOnce() -> S,
    mut feed: impl FnMut(S, ChunkOf<'_, P>) -> ControlFlow<S, S>,
    Plan { granule, most_units, .. }: Plan,
    (pool, site, expected_ns): (&PoolState, Site, f64),
) -> Outcome<P, S> {
    /// A piece may take this much longer than expected before the rest is shared.
    const SURPRISE: f64 = 16.0;
    /// A surprise below this is an interrupt or a cache miss.
    const NEGLIGIBLE_NS: f64 = 500.0;
    /// What an interrupt, or the hypervisor, takes away at once, as a rule.
    const INTERRUPT_NS: f64 = 100_000.0;
    const GROWTH: usize = 4;

    let len = producer.len();
    // SAFETY: nobody else gets a part of this loop before the rest is released.
    let mut rest = unsafe { Claimed::new(producer, 0..len) };
    let mut local = producer.local();
    // Not before the items are claimed: it may panic.
    let mut segment = begin();
    let token = producer.options().cancel;
    let started = pool.clock.now();
    let mut piece_started = started;
    let mut piece = granule;
    // The last piece, which has no unit behind it to hold back, needs no watching.
    while rest.len() >= piece.saturating_add(granule) {
        segment = match feed(segment, ChunkOf::new(rest.split_off(piece), &mut local)) {
            ControlFlow::Continue(segment) => segment,
            ControlFlow::Break(segment) => {
                drop((local, rest));
                return Outcome::Done(segment);
            }
        };
        if producer.is_full() {
            rest.split_off(usize::MAX);
            break;
        }
        if token.is_some_and(CancelToken::is_cancelled) {
            drop((local, rest, segment));
            unwind::cancelled();
        }
        let now = pool.clock.now();
        let piece_ns = pool.clock.ns_between(piece_started, now) as f64;
        if piece_ns > (SURPRISE * expected_ns * piece as f64).max(NEGLIGIBLE_NS) {
            site.learn(piece_ns / piece as f64);
            let next = rest.release().start;
            return Outcome::Dearer(Head { local, segment, next });
        }
        piece_started = now;
        piece = piece.saturating_mul(GROWTH).min(most_units.saturating_mul(granule));
    }
    let segment = run_out(producer, feed, local, segment, rest);
    let all_ns = pool.clock.ns_between(started, pool.clock.now()) as f64;
    let ns = all_ns / len as f64;
    // What the unwatched last piece took counts in full, unless it may have been the system's.
    if all_ns > (SURPRISE * expected_ns * len as f64).max(INTERRUPT_NS) {
        site.learn(ns);
    } else {
        site.learn_alone(ns);
    }
    Outcome::Done(segment)
}

/// Feeds the last items of a loop, and ends the lane's state.
pub(super) fn run_out<P: Producer, S>(
    producer: &P,
    mut feed: impl FnMut(S, ChunkOf<'_, P>) -> ControlFlow<S, S>,
    mut local: P::Local,
    mut segment: S,
    rest: Claimed<'_, P>,
) -> S {
    let mut more = true;
    // An empty run of indices stands for the tail, and so cannot be fed as a chunk.
    if rest.len() > 0 {
        (segment, more) = match feed(segment, ChunkOf::new(rest, &mut local)) {
            ControlFlow::Continue(segment) => (segment, true),
            ControlFlow::Break(segment) => (segment, false),
        };
    }
    if P::HAS_TAIL && more {
        let end = producer.len();
        // SAFETY: there are no indices in it.
        let tail = unsafe { Claimed::new(producer, end..end) };
        let (ControlFlow::Continue(all) | ControlFlow::Break(all)) =
            feed(segment, ChunkOf::new(tail, &mut local));
        segment = all;
    }
    // Here and not at the end of the scope: what is being returned when a drop panics there is never dropped
    // (rust-lang/rust#47949).
    drop(local);
    segment
}
