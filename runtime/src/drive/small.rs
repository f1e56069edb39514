//! Loops that one lane runs alone, without telling anyone.

use std::ops::{ControlFlow, Range};

use crate::iter::consumer::{ChunkOf, Consumer};
use crate::iter::producer::Producer;
use crate::pool::PoolState;
use crate::site::Site;

/// The beginning of a loop that was run alone: the items before `next`.
pub(super) struct Head<P: Producer, C: Consumer<P::Item>> {
    pub(super) local: P::Local,
    pub(super) segment: C::Segment,
    pub(super) next: usize,
}

pub(super) enum Outcome<P: Producer, C: Consumer<P::Item>> {
    /// The loop is over.
    Done(C::Segment),
    /// The first item took much longer than its call site had taught: the rest should be shared.
    Dearer(Head<P, C>),
}

/// Runs a whole loop on this thread.
pub(super) fn alone<P: Producer, C: Consumer<P::Item>>(producer: &P, consumer: C) -> C::Output {
    rest_alone(producer, consumer, None)
}

/// Runs what is left of a loop on this thread.
pub(super) fn rest_alone<P: Producer, C: Consumer<P::Item>>(
    producer: &P,
    consumer: C,
    head: Option<Head<P, C>>,
) -> C::Output {
    let mut head =
        head.unwrap_or_else(|| Head { local: producer.local(), segment: consumer.begin(0), next: 0 });
    let rest = head.next..producer.len();
    let segment = match feed_if_any(producer, &consumer, &mut head.local, head.segment, rest) {
        ControlFlow::Continue(segment) => feed_tail(producer, &consumer, &mut head.local, segment),
        ControlFlow::Break(segment) => segment,
    };
    consumer.finish(std::iter::once(segment))
}

/// Runs a loop alone whose site has taught that an item takes `expected_ns`, unless its first item says otherwise.
pub(super) fn try_alone<P: Producer, C: Consumer<P::Item>>(
    producer: &P,
    consumer: &C,
    pool: &PoolState,
    site: Site,
    expected_ns: f64,
) -> Outcome<P, C> {
    /// An item may take this much longer than expected before the rest is shared.
    const SURPRISE: f64 = 16.0;
    /// A surprise below this is an interrupt or a cache miss.
    const NEGLIGIBLE_NS: f64 = 500.0;

    let len = producer.len();
    let mut local = producer.local();
    let started = pool.clock.now();
    let rest = Unproduced { producer, indices: 1..len };
    let flow = feed(producer, consumer, &mut local, consumer.begin(0), 0..1);
    let first_ns = pool.clock.ns_between(started, pool.clock.now()) as f64;
    let segment = match flow {
        ControlFlow::Continue(segment) => segment,
        ControlFlow::Break(segment) => return Outcome::Done(segment),
    };
    let rest = rest.claim();
    if first_ns > (SURPRISE * expected_ns).max(NEGLIGIBLE_NS) && !producer.is_full() {
        site.learn(first_ns);
        return Outcome::Dearer(Head { local, segment, next: 1 });
    }
    let segment = match feed_if_any(producer, consumer, &mut local, segment, rest) {
        ControlFlow::Continue(segment) => feed_tail(producer, consumer, &mut local, segment),
        ControlFlow::Break(segment) => segment,
    };
    let all_ns = pool.clock.ns_between(started, pool.clock.now()) as f64;
    site.learn(all_ns / len as f64);
    Outcome::Done(segment)
}

fn feed<P: Producer, C: Consumer<P::Item>>(
    producer: &P,
    consumer: &C,
    local: &mut P::Local,
    segment: C::Segment,
    indices: Range<usize>,
) -> ControlFlow<C::Segment, C::Segment> {
    // SAFETY: each caller passes indices below `len` that it passes nowhere else.
    consumer.feed(segment, unsafe { ChunkOf::new(producer, local, indices) })
}

/// An empty run of indices stands for the tail, and so cannot be fed as a chunk.
fn feed_if_any<P: Producer, C: Consumer<P::Item>>(
    producer: &P,
    consumer: &C,
    local: &mut P::Local,
    segment: C::Segment,
    indices: Range<usize>,
) -> ControlFlow<C::Segment, C::Segment> {
    if indices.is_empty() {
        ControlFlow::Continue(segment)
    } else {
        feed(producer, consumer, local, segment, indices)
    }
}

fn feed_tail<P: Producer, C: Consumer<P::Item>>(
    producer: &P,
    consumer: &C,
    local: &mut P::Local,
    segment: C::Segment,
) -> C::Segment {
    if !P::HAS_TAIL {
        return segment;
    }
    let end = producer.len();
    match feed(producer, consumer, local, segment, end..end) {
        ControlFlow::Continue(segment) | ControlFlow::Break(segment) => segment,
    }
}

/// Indices that no chunk was made of yet; if nobody claims them, because the loop ends here, their items are dropped.
struct Unproduced<'a, P: Producer> {
    producer: &'a P,
    indices: Range<usize>,
}

impl<P: Producer> Unproduced<'_, P> {
    fn claim(mut self) -> Range<usize> {
        let end = self.indices.end;
        std::mem::replace(&mut self.indices, end..end)
    }
}

impl<P: Producer> Drop for Unproduced<'_, P> {
    fn drop(&mut self) {
        if !self.indices.is_empty() {
            // SAFETY: the indices are below `len`, and were not claimed.
            unsafe { self.producer.discard(self.indices.clone()) };
        }
    }
}
