//! `zip`.

use std::iter;
use std::ops::Range;

use crate::engine::options::Options;
use crate::engine::producer::{Claimed, IndexedProducer, Producer};
use crate::iter::{IndexedParallelIterator, ParallelIterator, known_len};

/// Made by [`zip`](IndexedParallelIterator::zip).
#[derive(Clone, Debug)]
#[must_use = "iterators do nothing until they are consumed"]
pub struct Zip<A, B> {
    pub(crate) a: A,
    pub(crate) b: B,
}

/// Made by [`zip_eq`](IndexedParallelIterator::zip_eq).
pub type ZipEq<A, B> = Zip<A, B>;

/// Hands out the pairs of a [`Zip`].
#[derive(Clone, Debug)]
pub struct ZipProducer<A, B> {
    a: A,
    b: B,
    /// Fixed when the surplus of the longer one was discarded: a producer that changes its mind
    /// about its length could otherwise have items handed out that are dropped already.
    len: usize,
}

impl<A: IndexedParallelIterator, B: IndexedParallelIterator> ParallelIterator for Zip<A, B> {
    type Item = (A::Item, B::Item);
    type Producer = ZipProducer<A::Producer, B::Producer>;

    fn into_producer(self) -> Self::Producer {
        let a = self.a.into_producer();
        // SAFETY: nobody has asked for any of its items yet.
        let mut beyond_a = unsafe { Claimed::new(&a, 0..a.len()) };
        let b = self.b.into_producer();
        // SAFETY: as above.
        let mut beyond_b = unsafe { Claimed::new(&b, 0..b.len()) };
        let len = beyond_a.len().min(beyond_b.len());
        let common_a = beyond_a.split_off(len);
        let common_b = beyond_b.split_off(len);
        a.options().and(b.options()).install(|| drop((beyond_a, beyond_b)));
        // Claimed until here, so that a panic as an item is dropped takes all others with it.
        common_a.release();
        common_b.release();
        ZipProducer { a, b, len }
    }

    known_len!();
}

impl<A: IndexedParallelIterator, B: IndexedParallelIterator> IndexedParallelIterator for Zip<A, B> {
    fn len(&self) -> usize {
        self.a.len().min(self.b.len())
    }
}

impl<A: IndexedProducer, B: IndexedProducer> Producer for ZipProducer<A, B> {
    type Item = (A::Item, B::Item);
    type Local = (A::Local, B::Local);
    type Iter<'a>
        = <Self as IndexedProducer>::IndexedIter<'a>
    where
        Self: 'a;
    const DETERMINISTIC: bool = A::DETERMINISTIC || B::DETERMINISTIC;
    const STEPS: bool = A::STEPS && B::STEPS;

    fn len(&self) -> usize {
        self.len
    }

    fn options(&self) -> Options<'_> {
        self.a.options().and(self.b.options())
    }

    fn is_exact(&self) -> bool {
        true
    }

    fn is_full(&self) -> bool {
        self.a.is_full() || self.b.is_full()
    }

    fn local(&self) -> Self::Local {
        (self.a.local(), self.b.local())
    }

    #[inline]
    unsafe fn chunk<'a>(&'a self, local: &'a mut Self::Local, indices: Range<usize>) -> Self::Iter<'a> {
        // SAFETY: the same demands.
        unsafe { self.indexed_chunk(local, indices) }
    }

    unsafe fn discard(&self, indices: Range<usize>) {
        // SAFETY: the same demands; and what is within the shorter one is within both.
        unsafe { self.a.discard(indices.clone()) };
        // SAFETY: as above.
        unsafe { self.b.discard(indices) };
    }
}

impl<A: IndexedProducer, B: IndexedProducer> IndexedProducer for ZipProducer<A, B> {
    type IndexedIter<'a>
        = iter::Zip<A::IndexedIter<'a>, B::IndexedIter<'a>>
    where
        Self: 'a;

    #[inline]
    unsafe fn indexed_chunk<'a>(
        &'a self,
        (local_a, local_b): &'a mut Self::Local,
        indices: Range<usize>,
    ) -> Self::IndexedIter<'a> {
        // SAFETY: the same demands; and what is within the shorter one is within both.
        let a = unsafe { self.a.indexed_chunk(local_a, indices.clone()) };
        // SAFETY: as above.
        let b = unsafe { self.b.indexed_chunk(local_b, indices) };
        a.zip(b)
    }
}
