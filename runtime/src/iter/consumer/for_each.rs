//! `for_each`.

use std::ops::ControlFlow;

use super::{ChunkOf, Consumer, Segments};
use crate::iter::producer::Producer;

/// Calls a closure with each item.
pub(crate) struct ForEach<F>(pub(crate) F);

impl<T, F: Fn(T) + Sync> Consumer<T> for ForEach<F> {
    type Segment = ();
    type Output = ();
    const KEEPS_SEGMENTS: bool = false;

    fn begin(&self, _: usize) {}

    #[inline]
    fn feed<P: Producer<Item = T>>(&self, (): (), chunk: ChunkOf<'_, P>) -> ControlFlow<(), ()> {
        chunk.into_iter().for_each(|item| (self.0)(item));
        ControlFlow::Continue(())
    }

    fn finish(self, _: impl Segments<Item = ()>) {}
}
