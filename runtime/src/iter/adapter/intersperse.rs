//! `intersperse`.

use std::ops::Range;

use super::forward_to_base;
use crate::engine::producer::{IndexedProducer, Producer};
use crate::iter::{IndexedParallelIterator, ParallelIterator};

/// Made by [`intersperse`](IndexedParallelIterator::intersperse).
#[derive(Clone, Debug)]
#[must_use = "iterators do nothing until they are consumed"]
pub struct Intersperse<I: ParallelIterator> {
    pub(crate) base: I,
    pub(crate) separator: I::Item,
}

/// Hands out the items of an [`Intersperse`].
#[derive(Clone, Debug)]
pub struct IntersperseProducer<P: Producer> {
    base: P,
    base_len: usize,
    separator: P::Item,
}

impl<I: IndexedParallelIterator<Item: Clone + Sync>> ParallelIterator for Intersperse<I> {
    type Item = I::Item;
    type Producer = IntersperseProducer<I::Producer>;

    fn into_producer(self) -> Self::Producer {
        let base = self.base.into_producer();
        IntersperseProducer { base_len: base.len(), base, separator: self.separator }
    }
}

impl<I: IndexedParallelIterator<Item: Clone + Sync>> IndexedParallelIterator for Intersperse<I> {
    fn len(&self) -> usize {
        with_separators(self.base.len())
    }
}

/// # Panics
///
/// When that is more than `usize::MAX`.
fn with_separators(items: usize) -> usize {
    items.checked_mul(2).expect("intersperse: items and separators are at most usize::MAX").saturating_sub(1)
}

/// Of the items and separators with these indices, the items' indices.
fn items_of(indices: &Range<usize>) -> Range<usize> {
    indices.start.div_ceil(2)..indices.end.div_ceil(2)
}

impl<P: IndexedProducer<Item: Clone + Sync>> Producer for IntersperseProducer<P> {
    type Item = P::Item;
    type Local = P::Local;
    type Iter<'a>
        = Interspersed<'a, P::IndexedIter<'a>>
    where
        Self: 'a;

    forward_to_base!(indexed, other places);

    fn len(&self) -> usize {
        with_separators(self.base_len)
    }

    unsafe fn chunk<'a>(&'a self, local: &'a mut Self::Local, indices: Range<usize>) -> Self::Iter<'a> {
        // SAFETY: the same demands.
        unsafe { self.indexed_chunk(local, indices) }
    }

    unsafe fn discard(&self, indices: Range<usize>) {
        // SAFETY: each item of the base is at one index here.
        unsafe { self.base.discard(items_of(&indices)) }
    }
}

impl<P: IndexedProducer<Item: Clone + Sync>> IndexedProducer for IntersperseProducer<P> {
    type IndexedIter<'a>
        = Interspersed<'a, P::IndexedIter<'a>>
    where
        Self: 'a;

    unsafe fn indexed_chunk<'a>(
        &'a self,
        local: &'a mut Self::Local,
        indices: Range<usize>,
    ) -> Self::IndexedIter<'a> {
        // SAFETY: each item of the base is at one index here.
        let items = unsafe { self.base.indexed_chunk(local, items_of(&indices)) };
        Interspersed { items, separator: &self.separator, indices }
    }
}

/// The sequential iterator of `intersperse`: items at even indices, separators at odd ones.
#[derive(Debug)]
pub struct Interspersed<'a, I: Iterator> {
    items: I,
    separator: &'a I::Item,
    indices: Range<usize>,
}

impl<I: Iterator<Item: Clone>> Iterator for Interspersed<'_, I> {
    type Item = I::Item;

    #[inline]
    fn next(&mut self) -> Option<I::Item> {
        match self.indices.next()? % 2 {
            0 => self.items.next(),
            _ => Some(self.separator.clone()),
        }
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        self.indices.size_hint()
    }
}

impl<I: DoubleEndedIterator<Item: Clone>> DoubleEndedIterator for Interspersed<'_, I> {
    #[inline]
    fn next_back(&mut self) -> Option<I::Item> {
        match self.indices.next_back()? % 2 {
            0 => self.items.next_back(),
            _ => Some(self.separator.clone()),
        }
    }
}

impl<I: ExactSizeIterator<Item: Clone>> ExactSizeIterator for Interspersed<'_, I> {}
