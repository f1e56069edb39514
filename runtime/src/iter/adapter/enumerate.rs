//! `enumerate`.

use std::iter;
use std::ops::Range;

use super::forward_to_base;
use crate::engine::producer::{IndexedProducer, Producer};
use crate::iter::{IndexedParallelIterator, ParallelIterator, known_len};

/// Made by [`enumerate`](IndexedParallelIterator::enumerate).
#[derive(Clone, Debug)]
#[must_use = "iterators do nothing until they are consumed"]
pub struct Enumerate<I> {
    pub(crate) base: I,
}

impl<I: IndexedParallelIterator> ParallelIterator for Enumerate<I> {
    type Item = (usize, I::Item);
    type Producer = Enumerate<I::Producer>;

    fn into_producer(self) -> Self::Producer {
        Enumerate { base: self.base.into_producer() }
    }

    known_len!();
}

impl<I: IndexedParallelIterator> IndexedParallelIterator for Enumerate<I> {
    fn len(&self) -> usize {
        self.base.len()
    }
}

impl<P: IndexedProducer> Producer for Enumerate<P> {
    type Item = (usize, P::Item);
    type Local = P::Local;
    type Iter<'a>
        = <Self as IndexedProducer>::IndexedIter<'a>
    where
        Self: 'a;

    forward_to_base!(indexed);

    #[inline]
    unsafe fn chunk<'a>(&'a self, local: &'a mut Self::Local, indices: Range<usize>) -> Self::Iter<'a> {
        // SAFETY: the same demands.
        unsafe { self.indexed_chunk(local, indices) }
    }
}

impl<P: IndexedProducer> IndexedProducer for Enumerate<P> {
    type IndexedIter<'a>
        = iter::Zip<Range<usize>, P::IndexedIter<'a>>
    where
        Self: 'a;

    #[inline]
    unsafe fn indexed_chunk<'a>(
        &'a self,
        local: &'a mut Self::Local,
        indices: Range<usize>,
    ) -> Self::IndexedIter<'a> {
        // SAFETY: the same demands.
        indices.clone().zip(unsafe { self.base.indexed_chunk(local, indices) })
    }
}
