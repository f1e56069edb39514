//! `product`.

use std::iter::{self, Product};
use std::marker::PhantomData;
use std::ops::ControlFlow;

use super::{ChunkOf, Consumer, drive_in_order};
use crate::iter::ParallelIterator;
use crate::iter::producer::Producer;

/// The product of all items.
pub(crate) fn product<I, S>(items: I) -> S
where
    I: ParallelIterator,
    S: Send + Product<I::Item> + Product<S>,
{
    drive_in_order(&items.into_producer(), MultiplyInOrder(PhantomData))
}

/// Multiplies each chunk as `Iterator::product` does.
struct MultiplyInOrder<S>(PhantomData<fn() -> S>);

impl<T, S: Send + Product<T> + Product<S>> Consumer<T> for MultiplyInOrder<S> {
    type Segment = S;
    type Output = S;

    fn begin(&self, _: usize) -> S {
        iter::empty::<S>().product()
    }

    #[inline]
    fn feed<P: Producer<Item = T>>(&self, segment: S, chunk: ChunkOf<'_, P>) -> ControlFlow<S, S> {
        ControlFlow::Continue([segment, chunk.into_iter().product()].into_iter().product())
    }

    fn finish(self, segments: impl Iterator<Item = S>) -> S {
        segments.product()
    }
}
