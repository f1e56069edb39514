//! Slices, by shared and by mutable reference.

use std::marker::PhantomData;
use std::ops::Range;
use std::slice;

use crate::engine::producer::{IndexedProducer, Producer};
use crate::iter::{IndexedParallelIterator, IntoParallelIterator, ParallelIterator, known_len};

/// Parallel iterator over `&[T]`, made by `par_iter()`.
#[derive(Debug)]
#[must_use = "iterators do nothing until they are consumed"]
pub struct SliceIter<'data, T>(&'data [T]);

impl<T> Clone for SliceIter<'_, T> {
    fn clone(&self) -> Self {
        SliceIter(self.0)
    }
}

impl<'data, T: Sync> ParallelIterator for SliceIter<'data, T> {
    type Item = &'data T;
    type Producer = Self;

    fn into_producer(self) -> Self {
        self
    }

    known_len!();
}

impl<T: Sync> IndexedParallelIterator for SliceIter<'_, T> {
    fn len(&self) -> usize {
        self.0.len()
    }
}

impl<'data, T: Sync> Producer for SliceIter<'data, T> {
    type Item = &'data T;
    type Local = ();
    type Iter<'a>
        = slice::Iter<'data, T>
    where
        Self: 'a;
    const STEPS: bool = true;

    fn len(&self) -> usize {
        self.0.len()
    }

    fn is_exact(&self) -> bool {
        true
    }

    fn local(&self) {}

    #[inline]
    unsafe fn chunk<'a>(&'a self, _: &'a mut (), indices: Range<usize>) -> Self::Iter<'a> {
        self.0[indices].iter()
    }
}

impl<'data, T: Sync> IndexedProducer for SliceIter<'data, T> {
    type IndexedIter<'a>
        = slice::Iter<'data, T>
    where
        Self: 'a;

    #[inline]
    unsafe fn indexed_chunk<'a>(&'a self, _: &'a mut (), indices: Range<usize>) -> Self::IndexedIter<'a> {
        self.0[indices].iter()
    }
}

/// Parallel iterator over `&mut [T]`, made by `par_iter_mut()`.
#[derive(Debug)]
#[must_use = "iterators do nothing until they are consumed"]
pub struct SliceIterMut<'data, T>(&'data mut [T]);

impl<'data, T: Send> ParallelIterator for SliceIterMut<'data, T> {
    type Item = &'data mut T;
    type Producer = SliceMutProducer<'data, T>;

    fn into_producer(self) -> Self::Producer {
        let len = self.0.len();
        SliceMutProducer { first: self.0.as_mut_ptr(), len, _slice: PhantomData }
    }

    known_len!();
}

impl<T: Send> IndexedParallelIterator for SliceIterMut<'_, T> {
    fn len(&self) -> usize {
        self.0.len()
    }
}

/// Hands out disjoint parts of a mutable slice.
#[derive(Debug)]
pub struct SliceMutProducer<'data, T> {
    first: *mut T,
    len: usize,
    _slice: PhantomData<&'data mut [T]>,
}

impl<'data, T> SliceMutProducer<'data, T> {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Some of the items.
    ///
    /// # Safety
    ///
    /// `indices` lies within the slice, and no two calls get the same index.
    #[inline]
    pub(super) unsafe fn part(&self, indices: Range<usize>) -> &'data mut [T] {
        debug_assert!(indices.start <= indices.end && indices.end <= self.len);
        // SAFETY: the indices lie within the slice.
        let first = unsafe { self.first.add(indices.start) };
        // SAFETY: they are part of the slice that was borrowed mutably for `'data`, and nobody else
        // gets them.
        unsafe { slice::from_raw_parts_mut(first, indices.len()) }
    }
}

// SAFETY: lanes share the producer only to get disjoint `&mut [T]`s out of it (`Producer::chunk`),
// which is sending `T`s.
unsafe impl<T: Send> Sync for SliceMutProducer<'_, T> {}

impl<'data, T: Send> Producer for SliceMutProducer<'data, T> {
    type Item = &'data mut T;
    type Local = ();
    type Iter<'a>
        = slice::IterMut<'data, T>
    where
        Self: 'a;
    const STEPS: bool = true;

    fn len(&self) -> usize {
        self.len
    }

    fn is_exact(&self) -> bool {
        true
    }

    fn local(&self) {}

    #[inline]
    unsafe fn chunk<'a>(&'a self, local: &'a mut (), indices: Range<usize>) -> Self::Iter<'a> {
        // SAFETY: the same demands.
        unsafe { self.indexed_chunk(local, indices) }
    }
}

impl<'data, T: Send> IndexedProducer for SliceMutProducer<'data, T> {
    type IndexedIter<'a>
        = slice::IterMut<'data, T>
    where
        Self: 'a;

    #[inline]
    unsafe fn indexed_chunk<'a>(&'a self, _: &'a mut (), indices: Range<usize>) -> Self::IndexedIter<'a> {
        // SAFETY: the same demands.
        unsafe { self.part(indices) }.iter_mut()
    }
}

impl<'data, T: Sync + 'data> IntoParallelIterator for &'data [T] {
    type Iter = SliceIter<'data, T>;
    type Item = &'data T;

    fn into_par_iter(self) -> Self::Iter {
        SliceIter(self)
    }
}

impl<'data, T: Send + 'data> IntoParallelIterator for &'data mut [T] {
    type Iter = SliceIterMut<'data, T>;
    type Item = &'data mut T;

    fn into_par_iter(self) -> Self::Iter {
        SliceIterMut(self)
    }
}

impl<'data, T: Sync + 'data, const N: usize> IntoParallelIterator for &'data [T; N] {
    type Iter = SliceIter<'data, T>;
    type Item = &'data T;

    fn into_par_iter(self) -> Self::Iter {
        SliceIter(self)
    }
}

impl<'data, T: Send + 'data, const N: usize> IntoParallelIterator for &'data mut [T; N] {
    type Iter = SliceIterMut<'data, T>;
    type Item = &'data mut T;

    fn into_par_iter(self) -> Self::Iter {
        SliceIterMut(self)
    }
}
