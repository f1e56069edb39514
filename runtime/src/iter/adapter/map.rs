//! `map`.

use std::iter;
use std::ops::Range;

use super::forward_to_base;
use crate::iter::producer::{IndexedProducer, Producer};
use crate::iter::{IndexedParallelIterator, ParallelIterator};

/// Made by [`map`](ParallelIterator::map).
#[derive(Clone, Debug)]
pub struct Map<I, F> {
    pub(crate) base: I,
    pub(crate) f: F,
}

impl<I, F, R> ParallelIterator for Map<I, F>
where
    I: ParallelIterator,
    F: Fn(I::Item) -> R + Sync + Send,
    R: Send,
{
    type Item = R;
    type Producer = Map<I::Producer, F>;

    fn into_producer(self) -> Self::Producer {
        Map { base: self.base.into_producer(), f: self.f }
    }
}

impl<I, F, R> IndexedParallelIterator for Map<I, F>
where
    I: IndexedParallelIterator,
    F: Fn(I::Item) -> R + Sync + Send,
    R: Send,
{
    fn len(&self) -> usize {
        self.base.len()
    }
}

impl<P, F, R> Producer for Map<P, F>
where
    P: Producer,
    F: Fn(P::Item) -> R + Sync,
    R: Send,
{
    type Item = R;
    type Local = P::Local;
    type Iter<'a>
        = iter::Map<P::Iter<'a>, &'a F>
    where
        Self: 'a;
    const HAS_TAIL: bool = P::HAS_TAIL;

    forward_to_base!();

    fn local(&self) -> Self::Local {
        self.base.local()
    }

    #[inline]
    unsafe fn chunk<'a>(&'a self, local: &'a mut Self::Local, indices: Range<usize>) -> Self::Iter<'a> {
        // SAFETY: the same demands.
        unsafe { self.base.chunk(local, indices) }.map(&self.f)
    }
}

impl<P, F, R> IndexedProducer for Map<P, F>
where
    P: IndexedProducer,
    F: Fn(P::Item) -> R + Sync,
    R: Send,
{
    type IndexedIter<'a>
        = iter::Map<P::IndexedIter<'a>, &'a F>
    where
        Self: 'a;

    #[inline]
    unsafe fn indexed_chunk<'a>(
        &'a self,
        local: &'a mut Self::Local,
        indices: Range<usize>,
    ) -> Self::IndexedIter<'a> {
        // SAFETY: the same demands.
        unsafe { self.base.indexed_chunk(local, indices) }.map(&self.f)
    }
}
