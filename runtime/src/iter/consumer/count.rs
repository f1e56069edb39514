//! `count`.

use std::ops::ControlFlow;

use super::Push;
use crate::engine::combine::Partials;
use crate::engine::consumer::{ChunkOf, Consumer};
use crate::engine::producer::Producer;

/// Counts the items.
pub(crate) struct Count;

impl<T> Consumer<T> for Count {
    type Partial = usize;
    type Output = usize;

    fn begin(&self, _: usize) -> usize {
        0
    }

    #[inline]
    fn feed<P: Producer<Item = T>>(&self, count: usize, chunk: ChunkOf<'_, P>) -> ControlFlow<usize, usize> {
        chunk.push_into(self, count)
    }

    fn finish(self, partials: impl Partials<Item = usize>) -> usize {
        partials.sum()
    }
}

impl<T> Push<T> for Count {
    #[inline]
    fn push<I: Iterator<Item = T>>(&self, count: usize, items: I) -> ControlFlow<usize, usize> {
        ControlFlow::Continue(items.fold(count, |count, _| count + 1))
    }

    fn merge(&self, count: usize, behind: impl Partials<Item = usize>) -> ControlFlow<usize, usize> {
        ControlFlow::Continue(count + behind.sum::<usize>())
    }
}
