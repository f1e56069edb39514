//! Whatever folds each segment from front to back and then the segments: `reduce`, `count`, `min`, …

use std::ops::ControlFlow;

use super::{ChunkOf, Consumer};
use crate::iter::producer::Producer;

/// `start` makes an empty result, `item` adds an item to one, `join` adds a later segment's result to an earlier one's.
pub(crate) struct FoldSegments<S, I, J> {
    pub(crate) start: S,
    pub(crate) item: I,
    pub(crate) join: J,
}

impl<T, A, S, I, J> Consumer<T> for FoldSegments<S, I, J>
where
    A: Send,
    S: Fn() -> A + Sync,
    I: Fn(A, T) -> A + Sync,
    J: Fn(A, A) -> A + Sync,
{
    type Segment = A;
    type Output = A;

    fn begin(&self, _: usize) -> A {
        (self.start)()
    }

    #[inline]
    fn feed<P: Producer<Item = T>>(&self, segment: A, chunk: ChunkOf<'_, P>) -> ControlFlow<A, A> {
        // A reference to the operation instead of a closure would not be inlined: large accumulators would be copied for each item.
        ControlFlow::Continue(chunk.into_iter().fold(segment, |all, item| (self.item)(all, item)))
    }

    fn finish(self, segments: impl Iterator<Item = A>) -> A {
        segments.reduce(self.join).unwrap_or_else(self.start)
    }
}
