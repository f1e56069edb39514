//! `chunks`: vectors of neighbouring items.

use std::ops::Range;

use super::forward_to_base;
use crate::engine::producer::{IndexedProducer, Producer};
use crate::iter::{IndexedParallelIterator, ParallelIterator, known_len};

/// Made by [`chunks`](IndexedParallelIterator::chunks).
#[derive(Clone, Debug)]
#[must_use = "iterators do nothing until they are consumed"]
pub struct Chunks<I> {
    pub(crate) base: I,
    /// At least 1.
    pub(crate) size: usize,
}

/// Hands out the items of a [`Chunks`].
#[derive(Clone, Debug)]
pub struct ChunksProducer<P> {
    base: P,
    base_len: usize,
    size: usize,
}

impl<I: IndexedParallelIterator> ParallelIterator for Chunks<I> {
    type Item = Vec<I::Item>;
    type Producer = ChunksProducer<I::Producer>;

    fn into_producer(self) -> Self::Producer {
        let base = self.base.into_producer();
        ChunksProducer { base_len: base.len(), base, size: self.size }
    }

    known_len!();
}

impl<I: IndexedParallelIterator> IndexedParallelIterator for Chunks<I> {
    fn len(&self) -> usize {
        self.base.len().div_ceil(self.size)
    }
}

impl<P> ChunksProducer<P> {
    fn indices(&self, groups: Range<usize>) -> Range<usize> {
        let place = |group: usize| group.saturating_mul(self.size).min(self.base_len);
        place(groups.start)..place(groups.end)
    }
}

impl<P: IndexedProducer> Producer for ChunksProducer<P> {
    type Item = Vec<P::Item>;
    type Local = P::Local;
    type Iter<'a>
        = Grouped<P::IndexedIter<'a>>
    where
        Self: 'a;

    forward_to_base!(indexed, groups of size);

    fn len(&self) -> usize {
        self.base_len.div_ceil(self.size)
    }

    unsafe fn chunk<'a>(&'a self, local: &'a mut Self::Local, indices: Range<usize>) -> Self::Iter<'a> {
        // SAFETY: the same demands.
        unsafe { self.indexed_chunk(local, indices) }
    }

    unsafe fn discard(&self, indices: Range<usize>) {
        // SAFETY: different groups have different indices of the base, within its length.
        unsafe { self.base.discard(self.indices(indices)) }
    }
}

impl<P: IndexedProducer> IndexedProducer for ChunksProducer<P> {
    type IndexedIter<'a>
        = Grouped<P::IndexedIter<'a>>
    where
        Self: 'a;

    unsafe fn indexed_chunk<'a>(
        &'a self,
        local: &'a mut Self::Local,
        indices: Range<usize>,
    ) -> Self::IndexedIter<'a> {
        // SAFETY: different groups have different indices of the base, within its length.
        let items = unsafe { self.base.indexed_chunk(local, self.indices(indices)) };
        Grouped { items, size: self.size }
    }
}

/// The sequential iterator of `chunks`: all groups are full but for the very last.
#[derive(Debug)]
pub struct Grouped<I> {
    items: I,
    size: usize,
}

impl<I: ExactSizeIterator> Iterator for Grouped<I> {
    type Item = Vec<I::Item>;

    fn next(&mut self) -> Option<Self::Item> {
        let size = self.size.min(self.items.len());
        if size == 0 {
            return None;
        }
        let mut group = Vec::with_capacity(size);
        group.extend(self.items.by_ref().take(size));
        Some(group)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let groups = self.items.len().div_ceil(self.size);
        (groups, Some(groups))
    }
}

impl<I: DoubleEndedIterator + ExactSizeIterator> DoubleEndedIterator for Grouped<I> {
    fn next_back(&mut self) -> Option<Self::Item> {
        let left = self.items.len();
        let size = match left % self.size {
            0 => self.size.min(left),
            rest => rest,
        };
        if size == 0 {
            return None;
        }
        let mut group = Vec::with_capacity(size);
        group.extend(self.items.by_ref().rev().take(size));
        group.reverse();
        Some(group)
    }
}

impl<I: ExactSizeIterator> ExactSizeIterator for Grouped<I> {}
