//! `count`.

use std::ops::ControlFlow;

use super::{ChunkOf, Consumer, Segments};
use crate::iter::producer::Producer;

/// Counts the items.
pub(crate) struct Count;

impl<T> Consumer<T> for Count {
    type Segment = usize;
    type Output = usize;

    fn begin(&self, _: usize) -> usize {
        0
    }

    #[inline]
    fn feed<P: Producer<Item = T>>(&self, count: usize, chunk: ChunkOf<'_, P>) -> ControlFlow<usize, usize> {
        ControlFlow::Continue(chunk.into_iter().fold(count, |count, _| count + 1))
    }

    fn finish(self, segments: impl Segments<Item = usize>) -> usize {
        segments.sum()
    }
}
