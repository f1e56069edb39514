//! Loops that one lane runs alone, without offering them to others.
//!
//! Such a loop runs in pieces of 1, 4, 16, … items, with a time stamp after each piece. (One call
//! of 32 of a loop that takes up to twice as long when it is shared also runs this way.) After a
//! piece that is an outlier, the rest is shared.

use std::ops::ControlFlow;

use taskel_adaptive::{ChunkConfig, Chunker};

use super::Plan;
use crate::engine::around::InChunk;
use crate::engine::consumer::{ChunkOf, Consumer};
use crate::engine::feeder::{Feed, Feeder};
use crate::engine::options::Options;
use crate::engine::producer::{Claimed, Producer};
use crate::os::clock::Clock;
use crate::policy::site::Site;
use crate::policy::times::CHUNK_NS;
use crate::sched::cancel::CancelToken;
use crate::sched::pool::PoolState;
use crate::sched::unwind;

/// If gathered items may end the loop, at most one part in this many is gathered before it is
/// handed on.
pub(super) const FOLDS: usize = 64;

/// The beginning of a loop that was run alone: the items before `next`.
pub(super) struct Head<P: Producer, S> {
    pub(super) local: P::Local,
    pub(super) partial: S,
    pub(super) next: usize,
}

pub(super) enum Outcome<P: Producer, S> {
    /// The loop is over.
    Done(S),
    /// The first items took much longer than their call site had taught: the rest should be shared.
    Dearer(Head<P, S>),
}

/// What one lane has of a loop that it runs alone.
struct Alone<'a, P: Producer, F> {
    producer: &'a P,
    feed: F,
    /// What is around, and when it is looked at; nothing, if nothing could end the loop, or its
    /// items are known to be short.
    looks: Option<&'a mut (InChunk<'a>, Feeder)>,
    local: P::Local,
}

impl<P: Producer, F: Feed<P::Item>> Alone<'_, P, F> {
    #[inline]
    fn feed(&mut self, partial: F::Partial, items: Claimed<'_, P>) -> ControlFlow<F::Partial, F::Partial> {
        if self.looks.is_some() {
            return self.feed_looking(partial, items);
        }
        self.feed.feed(partial, ChunkOf::new(items, &mut self.local))
    }

    // By itself, so that the quickest of loops, which are the most, are not laid out around it.
    #[inline(never)]
    fn feed_looking(
        &mut self,
        partial: F::Partial,
        items: Claimed<'_, P>,
    ) -> ControlFlow<F::Partial, F::Partial> {
        let (around, feeder) = self.looks.as_deref_mut().expect("it has been seen");
        feeder.feed(&mut self.feed, partial, (items, &mut self.local), around)
    }

    /// Whether a check inside the last piece found that nothing more is wanted.
    #[inline]
    fn has_ended(&self) -> bool {
        self.looks.as_ref().is_some_and(|looks| looks.1.ended())
    }

    /// Has what was gathered handed on.
    fn feed_tail(&mut self, partial: F::Partial) -> ControlFlow<F::Partial, F::Partial> {
        let end = self.producer.len();
        // SAFETY: there are no indices in it.
        let tail = unsafe { Claimed::new(self.producer, end..end) };
        self.feed.feed(partial, ChunkOf::new(tail, &mut self.local))
    }

    /// Feeds the last items of a loop, and ends the lane's state. False if some of them were not
    /// wanted any more.
    // In the quickest of loops a call of it would be a third of all that is done.
    #[inline(always)]
    fn run_out(mut self, mut partial: F::Partial, rest: Claimed<'_, P>) -> (F::Partial, bool) {
        let mut more = true;
        // An empty run of indices stands for the tail, and so cannot be fed as a chunk.
        if rest.len() > 0 {
            (partial, more) = match self.feed(partial, rest) {
                ControlFlow::Continue(partial) => (partial, true),
                ControlFlow::Break(partial) => (partial, false),
            };
        }
        if self.has_ended() {
            return (self.end(partial), false);
        }
        if P::HAS_TAIL && more {
            let (ControlFlow::Continue(all) | ControlFlow::Break(all)) = self.feed_tail(partial);
            partial = all;
        }
        // Here and not at the end of the scope: what is being returned when a drop panics there is
        // never dropped (rust-lang/rust#47949).
        drop(self.local);
        (partial, true)
    }

    /// Ends a loop from which nothing more is wanted.
    ///
    /// # Panics
    ///
    /// If it was cancelled.
    #[cold]
    fn end(self, partial: F::Partial) -> F::Partial {
        let cancelled = self.producer.options().cancel.is_some_and(CancelToken::is_cancelled);
        drop(self.local);
        if cancelled {
            drop(partial);
            unwind::cancelled();
        }
        partial
    }
}

/// Runs a whole loop on this thread.
pub(super) fn alone<P: Producer, C: Consumer<P::Item>>(producer: &P, consumer: C) -> C::Output {
    // SAFETY: nobody else gets a part of this loop.
    let items = unsafe { Claimed::new(producer, 0..producer.len()) };
    let (local, partial) = (producer.local(), consumer.begin(0));
    let options = producer.options();
    let pieces = options.needs_pieces() || P::HAS_TAIL && (C::ENDS_EARLY || P::ENDS_EARLY);
    let partial = if !options.is_told() && !pieces {
        Alone { producer, feed: &consumer, looks: None, local }.run_out(partial, items).0
    } else {
        super::cold(|| {
            let mut looks = options.told().map(|around| (around, Feeder::new(producer, None)));
            let lane = Alone { producer, feed: &consumer, looks: looks.as_mut(), local };
            if pieces {
                in_pieces(lane, partial, items, options, C::ENDS_EARLY)
            } else {
                lane.run_out(partial, items).0
            }
        })
    };
    consumer.finish(std::iter::once(partial))
}

/// Runs a loop on this thread, in chunks as those of shared loops, with a look at the token between
/// them.
fn in_pieces<P: Producer, F: Feed<P::Item>>(
    mut lane: Alone<'_, P, F>,
    mut partial: F::Partial,
    mut rest: Claimed<'_, P>,
    options: Options<'_>,
    ends_early: bool,
) -> F::Partial {
    let producer = lane.producer;
    let granule = options.granule().max(1);
    let clock = Clock::new();
    let config = ChunkConfig::default().with_target_ns(CHUNK_NS);
    let mut chunker = Chunker::new(config.with_max_chunk(options.most_granules(granule)));
    let mut since = clock.now();
    let most_gathered = rest.len().div_ceil(FOLDS);
    let mut gathered = 0;
    while rest.len() > 0 && !producer.is_full() {
        if lane.has_ended() || options.cancel.is_some_and(CancelToken::is_cancelled) {
            drop(rest);
            return lane.end(partial);
        }
        let units = rest.len() / granule;
        let chunk = chunker.next_chunk(units);
        if chunk == units {
            break;
        }
        let items = rest.split_off(chunk * granule);
        let len = items.len();
        gathered += len;
        let mut flow = lane.feed(partial, items);
        if P::HAS_TAIL && (ends_early || P::ENDS_EARLY) && gathered >= most_gathered {
            gathered = 0;
            flow = match flow {
                ControlFlow::Continue(partial) => lane.feed_tail(partial),
                broken => broken,
            };
        }
        partial = match flow {
            ControlFlow::Continue(partial) => partial,
            ControlFlow::Break(partial) => {
                drop((lane.local, rest));
                return partial;
            }
        };
        let now = clock.now();
        let ns = clock.ns_between(since, now);
        chunker.observe(chunk, ns);
        if let Some((_, feeder)) = lane.looks.as_deref_mut() {
            feeder.observe(len, ns);
        }
        since = now;
    }
    if producer.is_full() {
        rest.split_off(usize::MAX);
    }
    lane.run_out(partial, rest).0
}

/// What is known of a loop that may be run alone: the pool, its site, and what an item takes there.
pub(super) type Known<'a> = (&'a PoolState, Site, f64);

/// Runs a loop alone whose site has taught that an item takes `expected_ns`, for as long as it
/// does.
///
/// Like the chunks of a shared loop, the pieces begin with one unit and grow by four, and what
/// comes after a piece that took far longer than expected is shared. The partial begins with what
/// `begin` makes. `around` is what may end the loop, if anything may.
pub(super) fn try_alone<P: Producer, F: Feed<P::Item>>(
    producer: &P,
    begin: impl FnOnce() -> F::Partial,
    (feed, around): (F, Option<InChunk<'_>>),
    Plan { granule, most_units, .. }: Plan,
    (pool, site, expected_ns): Known<'_>,
) -> Outcome<P, F::Partial> {
    /// A piece may take this much longer than expected before the rest is shared.
    const OUTLIER: f64 = 16.0;
    /// An outlier below this is an interrupt or a cache miss.
    const NEGLIGIBLE_NS: f64 = 500.0;
    /// What an interrupt, or the hypervisor, takes away at once, as a rule.
    const INTERRUPT_NS: f64 = 100_000.0;
    const GROWTH: usize = 4;

    let len = producer.len();
    // SAFETY: nobody else gets a part of this loop before the rest is released.
    let mut rest = unsafe { Claimed::new(producer, 0..len) };
    let mut looks = around.and_then(|around| {
        let feeder = Feeder::new(producer, Some(expected_ns));
        feeder.looks(len).then_some((around, feeder))
    });
    let mut lane = Alone { producer, feed, looks: looks.as_mut(), local: producer.local() };
    // Not before the items are claimed: it may panic.
    let mut partial = begin();
    let token = producer.options().cancel;
    let started = pool.clock.now();
    let mut piece_started = started;
    let mut piece = granule;
    // The last piece, which has no unit behind it to hold back, needs no watching.
    while rest.len() >= piece.saturating_add(granule) {
        partial = match lane.feed(partial, rest.split_off(piece)) {
            ControlFlow::Continue(partial) => partial,
            ControlFlow::Break(partial) => {
                drop((lane.local, rest));
                return Outcome::Done(partial);
            }
        };
        if producer.is_full() {
            rest.split_off(usize::MAX);
            break;
        }
        if lane.has_ended() || token.is_some_and(CancelToken::is_cancelled) {
            drop(rest);
            return Outcome::Done(lane.end(partial));
        }
        let now = pool.clock.now();
        let piece_ns = pool.clock.ns_between(piece_started, now) as f64;
        if piece_ns > (OUTLIER * expected_ns * piece as f64).max(NEGLIGIBLE_NS) {
            site.learn(piece_ns / piece as f64);
            let next = rest.release().start;
            return Outcome::Dearer(Head { local: lane.local, partial, next });
        }
        piece_started = now;
        piece = piece.saturating_mul(GROWTH).min(most_units.saturating_mul(granule));
    }
    let (partial, complete) = lane.run_out(partial, rest);
    if !complete {
        return Outcome::Done(partial);
    }
    let all_ns = pool.clock.ns_between(started, pool.clock.now()) as f64;
    let ns = all_ns / len as f64;
    // What the unwatched last piece took counts in full, unless it may have been the system's.
    if all_ns > (OUTLIER * expected_ns * len as f64).max(INTERRUPT_NS) {
        site.learn(ns);
    } else {
        site.learn_alone(ns);
    }
    Outcome::Done(partial)
}

/// Feeds all items of a loop at once.
pub(super) fn whole<P: Producer, F: Feed<P::Item, Partial = ()>>(producer: &P, feed: F) {
    // SAFETY: nobody else gets a part of this loop.
    let items = unsafe { Claimed::new(producer, 0..producer.len()) };
    let lane = Alone { producer, feed, looks: None, local: producer.local() };
    lane.run_out((), items);
}
