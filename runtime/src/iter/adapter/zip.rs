//! `zip`.

use std::iter;
use std::ops::Range;

use crate::iter::options::Options;
use crate::iter::producer::{IndexedProducer, Producer};
use crate::iter::{IndexedParallelIterator, ParallelIterator};

/// Made by [`zip`](IndexedParallelIterator::zip).
#[derive(Clone, Debug)]
pub struct Zip<A, B> {
    pub(crate) a: A,
    pub(crate) b: B,
}

impl<A: IndexedParallelIterator, B: IndexedParallelIterator> ParallelIterator for Zip<A, B> {
    type Item = (A::Item, B::Item);
    type Producer = Zip<A::Producer, B::Producer>;

    fn into_producer(self) -> Self::Producer {
        let (a, b) = (self.a.into_producer(), self.b.into_producer());
        let len = a.len().min(b.len());
        // SAFETY: indices from `len` on are within the longer one, and no chunk will ask for them.
        unsafe { a.discard(len..a.len()) };
        // SAFETY: as above.
        unsafe { b.discard(len..b.len()) };
        Zip { a, b }
    }
}

impl<A: IndexedParallelIterator, B: IndexedParallelIterator> IndexedParallelIterator for Zip<A, B> {
    fn len(&self) -> usize {
        self.a.len().min(self.b.len())
    }
}

impl<A: IndexedProducer, B: IndexedProducer> Producer for Zip<A, B> {
    type Item = (A::Item, B::Item);
    type Local = (A::Local, B::Local);
    type Iter<'a>
        = <Self as IndexedProducer>::IndexedIter<'a>
    where
        Self: 'a;

    fn len(&self) -> usize {
        self.a.len().min(self.b.len())
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

impl<A: IndexedProducer, B: IndexedProducer> IndexedProducer for Zip<A, B> {
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
