//! `interleave`, `interleave_shortest`.

use std::ops::Range;

use super::Take;
use crate::engine::options::Options;
use crate::engine::producer::{IndexedProducer, Producer};
use crate::iter::{IndexedParallelIterator, ParallelIterator, known_len};

/// Made by [`interleave`](IndexedParallelIterator::interleave).
#[derive(Clone, Debug)]
#[must_use = "iterators do nothing until they are consumed"]
pub struct Interleave<A, B> {
    pub(crate) a: A,
    pub(crate) b: B,
}

/// Made by [`interleave_shortest`](IndexedParallelIterator::interleave_shortest).
pub type InterleaveShortest<A, B> = Interleave<Take<A>, Take<B>>;

impl<A: IndexedParallelIterator, B: IndexedParallelIterator> Interleave<A, B> {
    /// Ends before the first item that is missing.
    pub(crate) fn shortest(a: A, b: B) -> InterleaveShortest<A, B> {
        let (a_len, b_len) = (a.len(), b.len());
        Interleave { a: Take { base: a, n: b_len.saturating_add(1) }, b: Take { base: b, n: a_len } }
    }
}

/// Hands out the items of an [`Interleave`].
#[derive(Clone, Debug)]
pub struct InterleaveProducer<A, B> {
    a: A,
    b: B,
    a_len: usize,
    b_len: usize,
}

impl<A, B> ParallelIterator for Interleave<A, B>
where
    A: IndexedParallelIterator,
    B: IndexedParallelIterator<Item = A::Item>,
{
    type Item = A::Item;
    type Producer = InterleaveProducer<A::Producer, B::Producer>;

    fn into_producer(self) -> Self::Producer {
        let (a, b) = (self.a.into_producer(), self.b.into_producer());
        InterleaveProducer { a_len: a.len(), b_len: b.len(), a, b }
    }

    known_len!();
}

impl<A, B> IndexedParallelIterator for Interleave<A, B>
where
    A: IndexedParallelIterator,
    B: IndexedParallelIterator<Item = A::Item>,
{
    fn len(&self) -> usize {
        super::chain::both(self.a.len(), self.b.len())
    }
}

impl<A, B> InterleaveProducer<A, B> {
    /// How many of the first `index` items come from `a`.
    fn count_of_a(&self, index: usize) -> usize {
        let alternating = self.a_len.min(self.b_len);
        if index / 2 < alternating {
            index.div_ceil(2)
        } else if self.a_len > alternating {
            index - alternating
        } else {
            alternating
        }
    }

    fn split(&self, indices: &Range<usize>) -> (Range<usize>, Range<usize>) {
        let [a_start, a_end] = [indices.start, indices.end].map(|index| self.count_of_a(index));
        (a_start..a_end, indices.start - a_start..indices.end - a_end)
    }
}

impl<A, B> Producer for InterleaveProducer<A, B>
where
    A: IndexedProducer,
    B: IndexedProducer<Item = A::Item>,
{
    type Item = A::Item;
    type Local = (A::Local, B::Local);
    type Iter<'a>
        = Interleaved<A::IndexedIter<'a>, B::IndexedIter<'a>>
    where
        Self: 'a;
    const DETERMINISTIC: bool = A::DETERMINISTIC || B::DETERMINISTIC;
    const STEPS: bool = A::STEPS && B::STEPS;

    fn len(&self) -> usize {
        super::chain::both(self.a_len, self.b_len)
    }

    fn options(&self) -> Options<'_> {
        self.a.options().and(self.b.options())
    }

    fn is_exact(&self) -> bool {
        true
    }

    fn is_full(&self) -> bool {
        self.a.is_full() && self.b.is_full()
    }

    fn local(&self) -> Self::Local {
        (self.a.local(), self.b.local())
    }

    unsafe fn chunk<'a>(&'a self, local: &'a mut Self::Local, indices: Range<usize>) -> Self::Iter<'a> {
        // SAFETY: the same demands.
        unsafe { self.indexed_chunk(local, indices) }
    }

    unsafe fn discard(&self, indices: Range<usize>) {
        let (from_a, from_b) = self.split(&indices);
        // SAFETY: each index here is one of one base, within its length.
        unsafe { self.a.discard(from_a) };
        // SAFETY: as above.
        unsafe { self.b.discard(from_b) };
    }
}

impl<A, B> IndexedProducer for InterleaveProducer<A, B>
where
    A: IndexedProducer,
    B: IndexedProducer<Item = A::Item>,
{
    type IndexedIter<'a>
        = Interleaved<A::IndexedIter<'a>, B::IndexedIter<'a>>
    where
        Self: 'a;

    unsafe fn indexed_chunk<'a>(
        &'a self,
        (local_a, local_b): &'a mut Self::Local,
        indices: Range<usize>,
    ) -> Self::IndexedIter<'a> {
        let (from_a, from_b) = self.split(&indices);
        // SAFETY: each index here is one of one base, within its length.
        let a = unsafe { self.a.indexed_chunk(local_a, from_a) };
        // SAFETY: as above.
        let b = unsafe { self.b.indexed_chunk(local_b, from_b) };
        Interleaved { a, b, a_is_next: indices.start % 2 == 0 }
    }
}

/// The sequential iterator of `interleave`: in turns, and the rest of the longer one.
#[derive(Debug)]
pub struct Interleaved<A, B> {
    a: A,
    b: B,
    a_is_next: bool,
}

impl<A: ExactSizeIterator, B: ExactSizeIterator<Item = A::Item>> Iterator for Interleaved<A, B> {
    type Item = A::Item;

    #[inline]
    fn next(&mut self) -> Option<A::Item> {
        self.a_is_next = !self.a_is_next;
        match self.a_is_next {
            false => self.a.next().or_else(|| self.b.next()),
            true => self.b.next().or_else(|| self.a.next()),
        }
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        let len = self.a.len() + self.b.len();
        (len, Some(len))
    }
}

impl<A, B> DoubleEndedIterator for Interleaved<A, B>
where
    A: DoubleEndedIterator + ExactSizeIterator,
    B: DoubleEndedIterator<Item = A::Item> + ExactSizeIterator,
{
    #[inline]
    fn next_back(&mut self) -> Option<A::Item> {
        let a_is_last = match self.a_is_next {
            true => self.a.len() > self.b.len(),
            false => self.a.len() >= self.b.len(),
        };
        if a_is_last { self.a.next_back() } else { self.b.next_back() }
    }
}

impl<A: ExactSizeIterator, B: ExactSizeIterator<Item = A::Item>> ExactSizeIterator for Interleaved<A, B> {}
