//! `deterministic`: reductions that combine results in the same way in every run.

use std::ops::{ControlFlow, Range};

use super::forward_to_base;
use crate::engine::producer::{IndexedProducer, Producer, Receiver};
use crate::engine::watched::Lookout;
use crate::iter::{IndexedParallelIterator, ParallelIterator};

/// Made by [`deterministic`](ParallelIterator::deterministic).
#[derive(Clone, Debug)]
#[must_use = "iterators do nothing until they are consumed"]
pub struct Deterministic<I> {
    pub(crate) base: I,
}

impl<I: ParallelIterator> ParallelIterator for Deterministic<I> {
    type Item = I::Item;
    type Producer = Deterministic<I::Producer>;

    fn into_producer(self) -> Self::Producer {
        Deterministic { base: self.base.into_producer() }
    }

    fn opt_len(&self) -> Option<usize> {
        self.base.opt_len()
    }
}

impl<I: IndexedParallelIterator> IndexedParallelIterator for Deterministic<I> {
    fn len(&self) -> usize {
        self.base.len()
    }
}

impl<P: Producer> Producer for Deterministic<P> {
    type Item = P::Item;
    type Local = P::Local;
    type Iter<'a>
        = P::Iter<'a>
    where
        Self: 'a;
    const HAS_TAIL: bool = P::HAS_TAIL;
    const DETERMINISTIC: bool = true;
    const NESTS: bool = P::NESTS;
    const STEPS: bool = P::STEPS;
    const ENDS_EARLY: bool = P::ENDS_EARLY;
    const STATELESS: bool = P::STATELESS;

    forward_to_base!(same places);

    fn is_exact(&self) -> bool {
        self.base.is_exact()
    }

    fn is_bounded(&self) -> bool {
        self.base.is_bounded()
    }

    forward_to_base!(@always);

    #[inline]
    unsafe fn chunk<'a>(&'a self, local: &'a mut Self::Local, indices: Range<usize>) -> Self::Iter<'a> {
        // SAFETY: the same demands.
        unsafe { self.base.chunk(local, indices) }
    }

    #[inline]
    unsafe fn chunk_until<'a>(
        &'a self,
        local: &'a mut Self::Local,
        indices: Range<usize>,
        lookout: &'a Lookout<'a>,
    ) -> Self::Iter<'a> {
        // SAFETY: the same demands.
        unsafe { self.base.chunk_until(local, indices, lookout) }
    }

    unsafe fn feed<R: Receiver<P::Item>>(
        &self,
        local: &mut Self::Local,
        indices: Range<usize>,
        receiver: &mut R,
    ) -> ControlFlow<()> {
        // SAFETY: the same demands.
        unsafe { self.base.feed(local, indices, receiver) }
    }

    #[inline]
    fn next_item(&self, local: &Self::Local, index: usize) -> usize {
        self.base.next_item(local, index)
    }
}

impl<P: IndexedProducer> IndexedProducer for Deterministic<P> {
    type IndexedIter<'a>
        = P::IndexedIter<'a>
    where
        Self: 'a;

    #[inline]
    unsafe fn indexed_chunk<'a>(
        &'a self,
        local: &'a mut Self::Local,
        indices: Range<usize>,
    ) -> Self::IndexedIter<'a> {
        // SAFETY: the same demands.
        unsafe { self.base.indexed_chunk(local, indices) }
    }
}
