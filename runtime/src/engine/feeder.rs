//! How a lane passes a chunk to the consumer, with checks for an early end between items where they
//! cost almost nothing.
//!
//! There is a check before each item that takes 20 ns or more, as measured. Shorter items are left
//! to the compiler, for at most 32 µs if they take as long as measured. If a chunk may take longer,
//! or nothing is known of it, the lane measures inside the chunk, after 1, 4, 16, … items, until 16
//! µs pass between two measurements. So a chunk is not checked item by item just because its first
//! items were long or unknown.

use std::ops::ControlFlow;

use super::around::{Around, InChunk};
use super::consumer::{ChunkOf, Consumer};
use super::producer::{Claimed, Producer};
use super::watched::{Lookout, Watched};
use crate::os::clock::Clock;
use crate::sched::cancel::CancelToken;

/// Shorter items are not looked between: a look costs a nanosecond of a processor that could do
/// something else, and what would be vector code takes some more for each item, all in all 4 ns. It
/// must be far less than this, as short items have to show in what is measured while they are
/// looked between.
const WATCHED_NS: f64 = 20.0 * SLOWER;

/// How many times as long code takes without optimisation.
const SLOWER: f64 = if cfg!(debug_assertions) { 10.0 } else { 1.0 };

/// The same, of outer items that may have any number of inner ones, which begin with a look.
const NESTING_NS: f64 = 1000.0;

/// The time from one measurement inside a chunk to the next.
const STRETCH_NS: f64 = 16_000.0;

/// Each is at most this many times as long as the one before.
const GROWTH: usize = 4;

/// What is around a chunk may take so long.
const AROUND_NS: f64 = 100.0;

/// Where the chunks of a loop go.
pub(crate) trait Feed<T> {
    /// What is gathered of them.
    type Partial;

    /// Passes a chunk on, which follows on what is in `partial`. `Break` if it is the last.
    fn feed<P: Producer<Item = T>>(
        &mut self,
        partial: Self::Partial,
        chunk: ChunkOf<'_, P>,
    ) -> ControlFlow<Self::Partial, Self::Partial>;
}

impl<T, C: Consumer<T>> Feed<T> for &C {
    type Partial = C::Partial;

    #[inline]
    fn feed<P: Producer<Item = T>>(
        &mut self,
        partial: C::Partial,
        chunk: ChunkOf<'_, P>,
    ) -> ControlFlow<C::Partial, C::Partial> {
        (**self).feed(partial, chunk)
    }
}

/// What the items of a lane have taken lately.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Feeder {
    /// An index; infinite if nothing is known.
    index_ns: f64,
    /// If an index takes that long, its items are looked between.
    watched_from_ns: f64,
    /// How many indices of the last chunk were left.
    left: usize,
    /// Nothing was wanted any more before its end.
    ended: bool,
}

impl Feeder {
    /// Of a loop whose indices take `index_ns`, if that is known.
    #[inline]
    pub(crate) fn new<P: Producer>(producer: &P, index_ns: Option<f64>) -> Self {
        let watched_from_ns = match () {
            () if P::NESTS => NESTING_NS,
            // The first is looked at, to see how many items it has.
            () if !P::HAS_TAIL && !has_one_each(producer) => 0.0,
            () => WATCHED_NS,
        };
        Feeder { index_ns: index_ns.unwrap_or(f64::INFINITY), watched_from_ns, left: 0, ended: false }
    }

    /// How many indices of the last chunk were left, for any reason.
    pub(crate) fn left(&self) -> usize {
        self.left
    }

    /// Whether a check inside the last chunk found that nothing more is wanted. Then a part of the
    /// chunk may be left.
    pub(crate) fn ended(&self) -> bool {
        self.ended
    }

    /// Notes what some indices took.
    #[inline]
    pub(crate) fn observe(&mut self, indices: usize, ns: u64) {
        if indices == 0 {
            return;
        }
        let (indices, ns) = (indices as f64, ns as f64);
        self.index_ns = if ns > 2.0 * AROUND_NS {
            (ns - AROUND_NS) / indices
        } else {
            // No more is known than that they are not longer.
            self.index_ns.min(ns / indices)
        };
    }

    /// Passes on what was claimed, or as much of it as is wanted: no more once `around` says so.
    #[inline]
    pub(crate) fn feed<P: Producer, F: Feed<P::Item>>(
        &mut self,
        feed: &mut F,
        partial: F::Partial,
        (claimed, local): (Claimed<'_, P>, &mut P::Local),
        around: &InChunk<'_>,
    ) -> ControlFlow<F::Partial, F::Partial> {
        if P::LOOKS {
            claimed.producer().expect(local, self.index_ns);
        } else if has_several(&claimed) && !self.is_known(claimed.len()) && may_be_torn(claimed.producer()) {
            return self.feed_in_stretches(feed, partial, (claimed, local), around);
        }
        self.feed_whole(feed, partial, (claimed, local), around)
    }

    /// The same in one go: what comes out depends on where chunks begin.
    #[inline]
    pub(crate) fn feed_whole<P: Producer, F: Feed<P::Item>>(
        &mut self,
        feed: &mut F,
        partial: F::Partial,
        (claimed, local): (Claimed<'_, P>, &mut P::Local),
        around: &InChunk<'_>,
    ) -> ControlFlow<F::Partial, F::Partial> {
        (self.left, self.ended) = (0, false);
        if !P::LOOKS && has_several(&claimed) && self.is_watched() {
            return self.feed_watched(feed, partial, (claimed, local), around);
        }
        let chunk = ChunkOf::new(claimed, local);
        if P::NESTS { feed.feed(partial, chunk.until(around)) } else { feed.feed(partial, chunk) }
    }

    #[inline]
    fn is_watched(&self) -> bool {
        self.index_ns >= self.watched_from_ns
    }

    /// Whether a chunk of this many indices has checks between its items, or measurements inside.
    #[inline]
    pub(crate) fn looks(&self, len: usize) -> bool {
        self.is_watched() || !self.is_known(len)
    }

    /// Whether a chunk of this many indices needs no measurements inside.
    #[inline]
    fn is_known(&self, len: usize) -> bool {
        self.index_ns * len as f64 <= 2.0 * STRETCH_NS && self.watched_from_ns > 0.0
    }

    // By itself, as the next, so that the usual loop is not laid out around this one.
    #[inline(never)]
    fn feed_in_stretches<P: Producer, F: Feed<P::Item>>(
        &mut self,
        feed: &mut F,
        mut partial: F::Partial,
        (mut claimed, local): (Claimed<'_, P>, &mut P::Local),
        around: &InChunk<'_>,
    ) -> ControlFlow<F::Partial, F::Partial> {
        (self.left, self.ended) = (0, false);
        let clock = Clock::new();
        let mut len = 1;
        if self.watched_from_ns > 0.0 {
            len = self.indices_in(STRETCH_NS);
        }
        loop {
            let stretch = claimed.split_off(len);
            let indices = stretch.len();
            let since = clock.now();
            let flow = if self.is_watched() && has_several(&stretch) {
                self.feed_watched(feed, partial, (stretch, &mut *local), around)
            } else {
                feed.feed(partial, ChunkOf::new(stretch, &mut *local).until(around))
            };
            if claimed.len() == 0 {
                return flow;
            }
            self.left += claimed.len();
            partial = flow?;
            // What looks at the clock has all others see what it says.
            let cancel = claimed.producer().options().cancel;
            self.ended |= cancel.is_some_and(CancelToken::is_cancelled) || around.is_over();
            if self.ended {
                return ControlFlow::Continue(partial);
            }
            self.left = 0;
            self.observe(indices, clock.ns_between(since, clock.now()));
            len = self.indices_in(STRETCH_NS).min(indices.saturating_mul(GROWTH));
            if self.is_known(claimed.len()) {
                len = claimed.len();
            }
        }
    }

    /// How many indices take so long; one at least.
    fn indices_in(&self, ns: f64) -> usize {
        ((ns / self.index_ns) as usize).max(1)
    }

    /// Looks between any two items.
    #[inline(never)]
    fn feed_watched<P: Producer, F: Feed<P::Item>>(
        &mut self,
        feed: &mut F,
        partial: F::Partial,
        (claimed, local): (Claimed<'_, P>, &mut P::Local),
        around: &InChunk<'_>,
    ) -> ControlFlow<F::Partial, F::Partial> {
        let (producer, indices) = (claimed.producer(), claimed.len());
        let lookout = Lookout::new(around);
        let watched = Watched::new(producer, &lookout);
        let flow = feed.feed(partial, ChunkOf::new(watched.claim(claimed), local).until(around));
        (self.left, self.ended) = (lookout.left(), lookout.has_ended());
        if !P::NESTS && !has_one_each(producer) {
            let items = (lookout.looks() as f64 / indices as f64).max(1.0);
            self.watched_from_ns = items * WATCHED_NS;
        }
        flow
    }
}

/// Whether chunks may be passed on in parts: of those that a fold may not gather any number of, it
/// sees how many there are.
fn may_be_torn<P: Producer>(producer: &P) -> bool {
    !P::HAS_TAIL || producer.options().max_len == 0
}

/// Whether there is anything to look between.
#[inline]
fn has_several<P: Producer>(claimed: &Claimed<'_, P>) -> bool {
    claimed.len() > 1 || claimed.len() == 1 && !has_one_each(claimed.producer())
}

/// Whether there is at most one item for each index.
#[inline]
fn has_one_each<P: Producer>(producer: &P) -> bool {
    P::STEPS || producer.is_bounded()
}
