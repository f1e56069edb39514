//! `step_by`.

use std::iter;
use std::ops::Range;

use super::forward_to_base;
use crate::engine::producer::{IndexedProducer, Producer};
use crate::iter::{IndexedParallelIterator, ParallelIterator, known_len};

/// Made by [`step_by`](IndexedParallelIterator::step_by).
#[derive(Clone, Debug)]
#[must_use = "iterators do nothing until they are consumed"]
pub struct StepBy<I> {
    pub(crate) base: I,
    /// At least 1.
    pub(crate) step: usize,
}

/// Hands out the items of a [`StepBy`].
#[derive(Clone, Debug)]
pub struct StepByProducer<P> {
    base: P,
    base_len: usize,
    step: usize,
}

impl<I: IndexedParallelIterator> ParallelIterator for StepBy<I> {
    type Item = I::Item;
    type Producer = StepByProducer<I::Producer>;

    fn into_producer(self) -> Self::Producer {
        let base = self.base.into_producer();
        StepByProducer { base_len: base.len(), base, step: self.step }
    }

    known_len!();
}

impl<I: IndexedParallelIterator> IndexedParallelIterator for StepBy<I> {
    fn len(&self) -> usize {
        self.base.len().div_ceil(self.step)
    }
}

impl<P> StepByProducer<P> {
    /// The base's indices of some steps, with those that are skipped.
    fn indices(&self, steps: Range<usize>) -> Range<usize> {
        let place = |step: usize| step.saturating_mul(self.step).min(self.base_len);
        place(steps.start)..place(steps.end)
    }
}

impl<P: IndexedProducer> Producer for StepByProducer<P> {
    type Item = P::Item;
    type Local = P::Local;
    type Iter<'a>
        = iter::StepBy<P::IndexedIter<'a>>
    where
        Self: 'a;

    forward_to_base!(indexed, groups of step);

    fn len(&self) -> usize {
        self.base_len.div_ceil(self.step)
    }

    #[inline]
    unsafe fn chunk<'a>(&'a self, local: &'a mut Self::Local, indices: Range<usize>) -> Self::Iter<'a> {
        // SAFETY: the same demands.
        unsafe { self.indexed_chunk(local, indices) }
    }

    unsafe fn discard(&self, indices: Range<usize>) {
        // SAFETY: different steps have different indices of the base, within its length.
        unsafe { self.base.discard(self.indices(indices)) }
    }
}

impl<P: IndexedProducer> IndexedProducer for StepByProducer<P> {
    type IndexedIter<'a>
        = iter::StepBy<P::IndexedIter<'a>>
    where
        Self: 'a;

    #[inline]
    unsafe fn indexed_chunk<'a>(
        &'a self,
        local: &'a mut Self::Local,
        indices: Range<usize>,
    ) -> Self::IndexedIter<'a> {
        // SAFETY: different steps have different indices of the base, within its length.
        unsafe { self.base.indexed_chunk(local, self.indices(indices)) }.step_by(self.step)
    }
}
