//! `intersperse`.

use std::fmt;
use std::ops::Range;

use super::forward_to_base;
use crate::engine::producer::{IndexedProducer, Producer};
use crate::iter::collect::collect_from;
use crate::iter::source::Drain;
use crate::iter::source::producers::VecProducer;
use crate::iter::{Either, IndexedParallelIterator, IntoParallelIterator, ParallelIterator};

/// Made by [`intersperse`](ParallelIterator::intersperse).
#[must_use = "iterators do nothing until they are consumed"]
pub struct Intersperse<I: ParallelIterator> {
    pub(crate) base: I,
    pub(crate) separator: I::Item,
}

impl<I: ParallelIterator<Item: Clone> + Clone> Clone for Intersperse<I> {
    fn clone(&self) -> Self {
        Intersperse { base: self.base.clone(), separator: self.separator.clone() }
    }
}

impl<I: ParallelIterator<Item: fmt::Debug> + fmt::Debug> fmt::Debug for Intersperse<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Intersperse { base, separator } = self;
        f.debug_struct("Intersperse").field("base", base).field("separator", separator).finish()
    }
}

/// Hands out the items of an [`Intersperse`]. Where it is not known how many items there are in
/// front of each, all are collected first.
pub struct IntersperseProducer<P: Producer> {
    base: Either<P, VecProducer<P::Item>>,
    base_len: usize,
    separator: P::Item,
}

impl<P: Producer> fmt::Debug for IntersperseProducer<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IntersperseProducer").field("base_len", &self.base_len).finish_non_exhaustive()
    }
}

impl<I: ParallelIterator<Item: Clone + Sync>> ParallelIterator for Intersperse<I> {
    type Item = I::Item;
    type Producer = IntersperseProducer<I::Producer>;

    fn into_producer(self) -> Self::Producer {
        let base = self.base.into_producer();
        let base = if base.is_exact() {
            Either::Left(base)
        } else {
            Either::Right(collect_from(&base).into_par_iter().into_producer())
        };
        IntersperseProducer { base_len: base.len(), base, separator: self.separator }
    }

    fn opt_len(&self) -> Option<usize> {
        Some(self.base.opt_len()?.checked_mul(2)?.saturating_sub(1))
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

impl<P: Producer<Item: Clone + Sync>> Producer for IntersperseProducer<P> {
    type Item = P::Item;
    type Local = Either<P::Local, ()>;
    type Iter<'a>
        = Interspersed<'a, Either<P::Iter<'a>, Drain<'a, P::Item>>>
    where
        Self: 'a;
    const DETERMINISTIC: bool = P::DETERMINISTIC;
    const STEPS: bool = P::STEPS;

    forward_to_base!(@exact);

    fn len(&self) -> usize {
        with_separators(self.base_len)
    }

    unsafe fn chunk<'a>(&'a self, local: &'a mut Self::Local, indices: Range<usize>) -> Self::Iter<'a> {
        // SAFETY: each item of the base is at one index here.
        let items = unsafe { self.base.chunk(local, items_of(&indices)) };
        Interspersed { items, separator: &self.separator, indices }
    }

    unsafe fn discard(&self, indices: Range<usize>) {
        // SAFETY: each item of the base is at one index here.
        unsafe { self.base.discard(items_of(&indices)) }
    }
}

impl<P: IndexedProducer<Item: Clone + Sync>> IndexedProducer for IntersperseProducer<P> {
    type IndexedIter<'a>
        = Interspersed<'a, Either<P::IndexedIter<'a>, Drain<'a, P::Item>>>
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
