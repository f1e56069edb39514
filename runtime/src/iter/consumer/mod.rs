//! What happens to the items: each chunk is fed to a segment's result, and the results of all segments, in order, make
//! the loop's.

mod blocks;
mod collect;
mod combine;
mod count;
mod for_each;
mod product;
mod push;
mod reduce;
mod search;
mod sum;
mod try_for_each;

use std::ops::{ControlFlow, Range};

use super::options::Over;
use super::producer::{Claimed, Producer};

pub(crate) use blocks::drive_in_order;
pub(crate) use collect::{Append, CollectBounded, CollectExact, CollectSegments, ExtendSegments, UnzipExact};
pub(crate) use combine::{InOrder, Segments};
pub(crate) use count::Count;
pub(crate) use for_each::ForEach;
pub(crate) use product::product;
pub(crate) use push::Push;
pub(crate) use reduce::{best, reduce, reduce_with, try_reduce, try_reduce_with};
pub(crate) use search::{FindAny, FindFirst, FindLast};
pub(crate) use sum::sum;
pub(crate) use try_for_each::try_for_each;
use try_for_each::unless_cancelled;

/// The end of a pipeline.
pub(crate) trait Consumer<T>: Sync {
    /// The result of a segment: a run of adjacent items that one lane processes from front to back.
    type Segment: Send;

    /// The result of the loop.
    type Output;

    /// Whether segments matter at all; if not, they are not kept.
    const KEEPS_SEGMENTS: bool = true;

    /// Starts a segment whose first item has index `start`.
    fn begin(&self, start: usize) -> Self::Segment;

    /// Processes a chunk that follows on what is in `segment`. `Break` ends the loop as soon as possible; the segment counts all
    /// the same.
    fn feed<P: Producer<Item = T>>(
        &self,
        segment: Self::Segment,
        chunk: ChunkOf<'_, P>,
    ) -> ControlFlow<Self::Segment, Self::Segment>;

    /// Whether [`skips_from`](Self::skips_from) may ever say so.
    const SKIPS: bool = false;

    /// Whether nothing from this index on can matter any more; asked before a chunk that begins there.
    fn skips_from(&self, index: usize) -> bool {
        let _ = index;
        false
    }

    /// Puts the segments together, which come in the order of their items.
    fn finish(self, segments: impl Segments<Item = Self::Segment>) -> Self::Output;
}

/// A chunk that is about to be run. Consuming it is the only way to its items, so they are produced once.
pub(crate) struct ChunkOf<'a, P: Producer> {
    claimed: Claimed<'a, P>,
    local: &'a mut P::Local,
    /// Whether what the chunk still has is of no use any more, to the loop or to its consumer: loops inside of it end then.
    over: [Over<'a>; 2],
}

impl<'a, P: Producer> ChunkOf<'a, P> {
    pub(crate) fn new(claimed: Claimed<'a, P>, local: &'a mut P::Local) -> Self {
        ChunkOf { claimed, local, over: Default::default() }
    }

    /// Of no use any more once the loop says so.
    pub(crate) fn until(mut self, over: &'a (dyn Fn() -> bool + Sync)) -> Self {
        self.over[0] = Over(Some(over));
        self
    }

    /// Of no use any more once the consumer says so, either.
    pub(crate) fn also_until(self, over: &'a (dyn Fn() -> bool + Sync)) -> Self {
        ChunkOf { over: [self.over[0], Over(Some(over))], ..self }
    }

    /// How many indices the chunk has.
    pub(crate) fn len(&self) -> usize {
        self.claimed.len()
    }

    /// The chunk's indices; empty for a tail.
    pub(crate) fn indices(&self) -> &Range<usize> {
        self.claimed.indices()
    }

    /// The chunk's items.
    pub(crate) fn into_iter(self) -> P::Iter<'a> {
        self.claimed.produce(self.local)
    }

    /// Splits off the first `len` indices, at most as many as there are.
    pub(crate) fn split_off(&mut self, len: usize) -> ChunkOf<'_, P> {
        ChunkOf { claimed: self.claimed.split_off(len), local: &mut *self.local, over: self.over }
    }
}
