//! Adapters that select or reverse indices: `take`, `skip`, `rev`.

use std::iter;
use std::ops::Range;

use super::forward_to_base;
use crate::engine::producer::{Claimed, IndexedProducer, Producer};
use crate::iter::{IndexedParallelIterator, ParallelIterator, known_len};

/// Made by [`take`](IndexedParallelIterator::take).
#[derive(Clone, Debug)]
#[must_use = "iterators do nothing until they are consumed"]
pub struct Take<I> {
    pub(crate) base: I,
    pub(crate) n: usize,
}

/// Made by [`skip`](IndexedParallelIterator::skip).
#[derive(Clone, Debug)]
#[must_use = "iterators do nothing until they are consumed"]
pub struct Skip<I> {
    pub(crate) base: I,
    pub(crate) n: usize,
}

/// Hands out those items of its base whose indices lie in a range.
#[derive(Clone, Debug)]
pub struct Subrange<P> {
    base: P,
    /// Fixed when what lies outside was discarded.
    kept: Range<usize>,
}

impl<P: IndexedProducer> Subrange<P> {
    /// Discards what lies before and behind `kept`.
    fn new(base: P, kept: impl FnOnce(usize) -> Range<usize>) -> Self {
        // SAFETY: nobody has asked for any of its items yet.
        let mut all = unsafe { Claimed::new(&base, 0..base.len()) };
        let kept = kept(all.len());
        let before = all.split_off(kept.start);
        let inside = all.split_off(kept.len());
        base.options().install(|| drop((before, all)));
        // Claimed until here, so that a panic as an item is dropped takes all others with it.
        let kept = inside.release();
        Subrange { base, kept }
    }

    fn shift(&self, indices: Range<usize>) -> Range<usize> {
        self.kept.start + indices.start..self.kept.start + indices.end
    }
}

impl<I: IndexedParallelIterator> ParallelIterator for Take<I> {
    type Item = I::Item;
    type Producer = Subrange<I::Producer>;

    fn into_producer(self) -> Self::Producer {
        Subrange::new(self.base.into_producer(), |len| 0..self.n.min(len))
    }

    known_len!();
}

impl<I: IndexedParallelIterator> IndexedParallelIterator for Take<I> {
    fn len(&self) -> usize {
        self.base.len().min(self.n)
    }
}

impl<I: IndexedParallelIterator> ParallelIterator for Skip<I> {
    type Item = I::Item;
    type Producer = Subrange<I::Producer>;

    fn into_producer(self) -> Self::Producer {
        Subrange::new(self.base.into_producer(), |len| self.n.min(len)..len)
    }

    known_len!();
}

impl<I: IndexedParallelIterator> IndexedParallelIterator for Skip<I> {
    fn len(&self) -> usize {
        self.base.len().saturating_sub(self.n)
    }
}

impl<P: IndexedProducer> Producer for Subrange<P> {
    type Item = P::Item;
    type Local = P::Local;
    type Iter<'a>
        = P::IndexedIter<'a>
    where
        Self: 'a;

    forward_to_base!(indexed, other places);

    fn len(&self) -> usize {
        self.kept.len()
    }

    #[inline]
    unsafe fn chunk<'a>(&'a self, local: &'a mut Self::Local, indices: Range<usize>) -> Self::Iter<'a> {
        // SAFETY: the same demands, moved.
        unsafe { self.base.indexed_chunk(local, self.shift(indices)) }
    }

    unsafe fn discard(&self, indices: Range<usize>) {
        // SAFETY: the same demands, moved.
        unsafe { self.base.discard(self.shift(indices)) }
    }
}

impl<P: IndexedProducer> IndexedProducer for Subrange<P> {
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
        // SAFETY: the same demands, moved.
        unsafe { self.base.indexed_chunk(local, self.shift(indices)) }
    }
}

/// Made by [`rev`](IndexedParallelIterator::rev).
#[derive(Clone, Debug)]
#[must_use = "iterators do nothing until they are consumed"]
pub struct Rev<I> {
    pub(crate) base: I,
}

/// Hands out the items of a [`Rev`].
#[derive(Clone, Debug)]
pub struct RevProducer<P> {
    base: P,
    /// Fixed, so that a producer that changes its mind about its length is not asked for an index
    /// twice.
    len: usize,
}

impl<I: IndexedParallelIterator> ParallelIterator for Rev<I> {
    type Item = I::Item;
    type Producer = RevProducer<I::Producer>;

    fn into_producer(self) -> Self::Producer {
        let base = self.base.into_producer();
        RevProducer { len: base.len(), base }
    }

    known_len!();
}

impl<I: IndexedParallelIterator> IndexedParallelIterator for Rev<I> {
    fn len(&self) -> usize {
        self.base.len()
    }
}

impl<P: IndexedProducer> RevProducer<P> {
    fn mirror(&self, indices: Range<usize>) -> Range<usize> {
        self.len - indices.end..self.len - indices.start
    }
}

impl<P: IndexedProducer> Producer for RevProducer<P> {
    type Item = P::Item;
    type Local = P::Local;
    type Iter<'a>
        = iter::Rev<P::IndexedIter<'a>>
    where
        Self: 'a;

    forward_to_base!(indexed, other places);

    fn len(&self) -> usize {
        self.len
    }

    #[inline]
    unsafe fn chunk<'a>(&'a self, local: &'a mut Self::Local, indices: Range<usize>) -> Self::Iter<'a> {
        // SAFETY: the same demands.
        unsafe { self.indexed_chunk(local, indices) }
    }

    unsafe fn discard(&self, indices: Range<usize>) {
        // SAFETY: the same demands, mirrored.
        unsafe { self.base.discard(self.mirror(indices)) }
    }
}

impl<P: IndexedProducer> IndexedProducer for RevProducer<P> {
    type IndexedIter<'a>
        = iter::Rev<P::IndexedIter<'a>>
    where
        Self: 'a;

    #[inline]
    unsafe fn indexed_chunk<'a>(
        &'a self,
        local: &'a mut Self::Local,
        indices: Range<usize>,
    ) -> Self::IndexedIter<'a> {
        // SAFETY: the same demands, mirrored.
        unsafe { self.base.indexed_chunk(local, self.mirror(indices)) }.rev()
    }
}
