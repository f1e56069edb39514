//! Vectors, by value.

use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::ops::Range;
use std::ptr;

use super::slice::{SliceIter, SliceIterMut};
use crate::iter::producer::{IndexedProducer, Producer};
use crate::iter::{IndexedParallelIterator, IntoParallelIterator, ParallelIterator};

/// Parallel iterator over the items of a `Vec`, made by `into_par_iter()`.
#[derive(Clone, Debug)]
pub struct VecIter<T>(Vec<T>);

impl<T: Send> ParallelIterator for VecIter<T> {
    type Item = T;
    type Producer = VecProducer<T>;

    fn into_producer(self) -> VecProducer<T> {
        let mut items = ManuallyDrop::new(self.0);
        VecProducer { first: items.as_mut_ptr(), len: items.len(), capacity: items.capacity() }
    }
}

impl<T: Send> IndexedParallelIterator for VecIter<T> {
    fn len(&self) -> usize {
        self.0.len()
    }
}

/// Hands out the items of a vector. Owns the allocation; the items belong to those who ask for their indices.
#[derive(Debug)]
pub struct VecProducer<T> {
    first: *mut T,
    len: usize,
    capacity: usize,
}

// SAFETY: lanes share the producer only to move different items out of it (`Producer::chunk`), which is sending `T`s.
unsafe impl<T: Send> Sync for VecProducer<T> {}

impl<T> Drop for VecProducer<T> {
    fn drop(&mut self) {
        // SAFETY: these are the parts of a vector; its length is 0, because each item went to a chunk or was discarded.
        drop(unsafe { Vec::from_raw_parts(self.first, 0, self.capacity) });
    }
}

impl<T> VecProducer<T> {
    /// # Safety
    ///
    /// As for [`Producer::chunk`].
    unsafe fn drain(&self, indices: Range<usize>) -> Drain<'_, T> {
        debug_assert!(indices.start <= indices.end && indices.end <= self.len);
        // SAFETY: both lie within the allocation or at its end.
        let [start, end] = [indices.start, indices.end].map(|index| unsafe { self.first.add(index) });
        Drain { start, end, left: indices.len(), _producer: PhantomData }
    }
}

impl<T: Send> Producer for VecProducer<T> {
    type Item = T;
    type Local = ();
    type Iter<'a>
        = Drain<'a, T>
    where
        Self: 'a;

    fn len(&self) -> usize {
        self.len
    }

    fn is_exact(&self) -> bool {
        true
    }

    fn local(&self) {}

    #[inline]
    unsafe fn chunk<'a>(&'a self, _: &'a mut (), indices: Range<usize>) -> Self::Iter<'a> {
        // SAFETY: the same demands.
        unsafe { self.drain(indices) }
    }

    unsafe fn discard(&self, indices: Range<usize>) {
        // SAFETY: the same demands.
        drop(unsafe { self.drain(indices) });
    }
}

impl<T: Send> IndexedProducer for VecProducer<T> {
    type IndexedIter<'a>
        = Drain<'a, T>
    where
        Self: 'a;

    #[inline]
    unsafe fn indexed_chunk<'a>(&'a self, _: &'a mut (), indices: Range<usize>) -> Self::IndexedIter<'a> {
        // SAFETY: the same demands.
        unsafe { self.drain(indices) }
    }
}

/// Moves items out of a stretch of its producer's memory; drops those that nobody asked for.
#[derive(Debug)]
pub struct Drain<'a, T> {
    start: *mut T,
    end: *mut T,
    left: usize,
    /// Whose memory it is: no chunk outlives it.
    _producer: PhantomData<&'a VecProducer<T>>,
}

impl<T> Iterator for Drain<'_, T> {
    type Item = T;

    #[inline]
    fn next(&mut self) -> Option<T> {
        self.left = self.left.checked_sub(1)?;
        // SAFETY: the item at `start` is one of those left, and `start` moves past it, so it is read once.
        let item = unsafe { self.start.read() };
        // SAFETY: at most `end`, since an item was left.
        self.start = unsafe { self.start.add(1) };
        Some(item)
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl<T> DoubleEndedIterator for Drain<'_, T> {
    #[inline]
    fn next_back(&mut self) -> Option<T> {
        self.left = self.left.checked_sub(1)?;
        // SAFETY: at least `start`, since an item was left.
        self.end = unsafe { self.end.sub(1) };
        // SAFETY: the item now at `end` was one of those left, and is not any more, so it is read once.
        Some(unsafe { self.end.read() })
    }
}

impl<T> ExactSizeIterator for Drain<'_, T> {}

impl<T> Drop for Drain<'_, T> {
    fn drop(&mut self) {
        // SAFETY: the `left` items from `start` on are initialised, and belong to this iterator alone.
        unsafe { ptr::slice_from_raw_parts_mut(self.start, self.left).drop_in_place() };
    }
}

impl<T: Send> IntoParallelIterator for Vec<T> {
    type Iter = VecIter<T>;
    type Item = T;

    fn into_par_iter(self) -> Self::Iter {
        VecIter(self)
    }
}

impl<T: Send, const N: usize> IntoParallelIterator for [T; N] {
    type Iter = VecIter<T>;
    type Item = T;

    /// Moves the items into a vector first.
    fn into_par_iter(self) -> Self::Iter {
        VecIter(self.into())
    }
}

impl<'data, T: Sync + 'data> IntoParallelIterator for &'data Vec<T> {
    type Iter = SliceIter<'data, T>;
    type Item = &'data T;

    fn into_par_iter(self) -> Self::Iter {
        self.as_slice().into_par_iter()
    }
}

impl<'data, T: Send + 'data> IntoParallelIterator for &'data mut Vec<T> {
    type Iter = SliceIterMut<'data, T>;
    type Item = &'data mut T;

    fn into_par_iter(self) -> Self::Iter {
        self.as_mut_slice().into_par_iter()
    }
}
