//! `any` and `all`.

use std::ops::ControlFlow;

use super::{ChunkOf, Consumer};
use crate::iter::producer::Producer;

/// Whether the predicate holds for some item. Once it does, the loop ends.
pub(crate) struct Any<F>(pub(crate) F);

impl<T, F: Fn(T) -> bool + Sync> Consumer<T> for Any<F> {
    type Segment = bool;
    type Output = bool;

    fn begin(&self, _: usize) -> bool {
        false
    }

    #[inline]
    fn feed<P: Producer<Item = T>>(&self, found: bool, chunk: ChunkOf<'_, P>) -> ControlFlow<bool, bool> {
        if found || chunk.into_iter().any(&self.0) {
            return ControlFlow::Break(true);
        }
        ControlFlow::Continue(false)
    }

    fn finish(self, mut segments: impl Iterator<Item = bool>) -> bool {
        segments.any(|found| found)
    }
}
