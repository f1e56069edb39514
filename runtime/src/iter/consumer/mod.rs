//! What happens to the items: each chunk is fed to a segment's result, and the results of all segments, in order, make
//! the loop's.

mod collect;
mod fold;
mod for_each;
mod product;
mod search;
mod sum;

use std::ops::{ControlFlow, Range};

use super::producer::Producer;

pub(crate) use collect::{CollectExact, CollectSegments};
pub(crate) use fold::FoldSegments;
pub(crate) use for_each::ForEach;
pub(crate) use product::product;
pub(crate) use search::Any;
pub(crate) use sum::sum;

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

    /// Puts the segments together, which come in the order of their items.
    fn finish(self, segments: impl Iterator<Item = Self::Segment>) -> Self::Output;
}

/// A chunk that is about to be run. Consuming it is the only way to its items, so they are produced once.
pub(crate) struct ChunkOf<'a, P: Producer> {
    producer: &'a P,
    local: &'a mut P::Local,
    indices: Range<usize>,
}

impl<'a, P: Producer> ChunkOf<'a, P> {
    /// # Safety
    ///
    /// The demands of [`Producer::chunk`] on `indices`.
    pub(crate) unsafe fn new(producer: &'a P, local: &'a mut P::Local, indices: Range<usize>) -> Self {
        ChunkOf { producer, local, indices }
    }

    /// How many indices the chunk has.
    pub(crate) fn len(&self) -> usize {
        self.indices.len()
    }

    /// The chunk's items.
    pub(crate) fn into_iter(self) -> P::Iter<'a> {
        // SAFETY: `new` was promised what `chunk` demands, and `self` is consumed: no second call gets these indices.
        unsafe { self.producer.chunk(self.local, self.indices) }
    }

    /// Splits off the first `len` indices, at most as many as there are.
    pub(crate) fn split_off(&mut self, len: usize) -> ChunkOf<'_, P> {
        let mid = self.indices.start + len.min(self.indices.len());
        let front = self.indices.start..mid;
        self.indices.start = mid;
        ChunkOf { producer: self.producer, local: &mut *self.local, indices: front }
    }
}
