//! `inspect`.

use std::iter;
use std::ops::Range;

use super::forward_to_base;
use crate::iter::producer::{IndexedProducer, Producer};
use crate::iter::{IndexedParallelIterator, ParallelIterator};

/// Made by [`inspect`](ParallelIterator::inspect).
#[derive(Clone, Debug)]
pub struct Inspect<I, F> {
    pub(crate) base: I,
    pub(crate) f: F,
}

impl<I, F> ParallelIterator for Inspect<I, F>
where
    I: ParallelIterator,
    F: Fn(&I::Item) + Sync + Send,
{
    type Item = I::Item;
    type Producer = Inspect<I::Producer, F>;

    fn into_producer(self) -> Self::Producer {
        Inspect { base: self.base.into_producer(), f: self.f }
    }
}

impl<I, F> IndexedParallelIterator for Inspect<I, F>
where
    I: IndexedParallelIterator,
    F: Fn(&I::Item) + Sync + Send,
{
    fn len(&self) -> usize {
        self.base.len()
    }
}

impl<P, F> Producer for Inspect<P, F>
where
    P: Producer,
    F: Fn(&P::Item) + Sync,
{
    type Item = P::Item;
    type Local = P::Local;
    type Iter<'a>
        = iter::Inspect<P::Iter<'a>, &'a F>
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
        unsafe { self.base.chunk(local, indices) }.inspect(&self.f)
    }
}

impl<P, F> IndexedProducer for Inspect<P, F>
where
    P: IndexedProducer,
    F: Fn(&P::Item) + Sync,
{
    type IndexedIter<'a>
        = iter::Inspect<P::IndexedIter<'a>, &'a F>
    where
        Self: 'a;

    #[inline]
    unsafe fn indexed_chunk<'a>(
        &'a self,
        local: &'a mut Self::Local,
        indices: Range<usize>,
    ) -> Self::IndexedIter<'a> {
        // SAFETY: the same demands.
        unsafe { self.base.indexed_chunk(local, indices) }.inspect(&self.f)
    }
}
