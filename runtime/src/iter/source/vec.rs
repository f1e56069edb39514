//! Vectors, by value.

use std::marker::PhantomData;
use std::mem::{self, ManuallyDrop};
use std::ops::Range;
use std::ptr;

use super::slice::{SliceIter, SliceIterMut};
use crate::engine::producer::{IndexedProducer, Producer};
use crate::engine::{drop_all, drop_rest};
use crate::iter::{IndexedParallelIterator, IntoParallelIterator, ParallelIterator, known_len};

/// Parallel iterator over the items of a `Vec`, made by `into_par_iter()`.
#[derive(Clone, Debug)]
#[must_use = "iterators do nothing until they are consumed"]
pub struct VecIter<T>(Vec<T>);

impl<T: Send> ParallelIterator for VecIter<T> {
    type Item = T;
    type Producer = VecProducer<T>;

    fn into_producer(self) -> VecProducer<T> {
        let mut items = ManuallyDrop::new(self.0);
        let allocation = Allocation { first: items.as_mut_ptr(), capacity: items.capacity() };
        // SAFETY: so many items live there, and the vector is not used any more.
        unsafe { VecProducer::new(allocation.first, items.len(), allocation) }
    }

    known_len!();
}

impl<T: Send> IndexedParallelIterator for VecIter<T> {
    fn len(&self) -> usize {
        self.0.len()
    }
}

/// Hands out the items of a vector. Owns the memory; the items belong to those who ask for their
/// indices.
#[derive(Debug)]
pub struct VecProducer<T, M = Allocation<T>> {
    first: *mut T,
    len: usize,
    /// What is done with the memory when the items are gone: each went to a chunk or was discarded.
    _memory: M,
}

// SAFETY: lanes share the producer only to move different items out of it (`Producer::chunk`),
// which is sending `T`s. They do not touch the memory's owner.
unsafe impl<T: Send, M> Sync for VecProducer<T, M> {}

/// That of a vector, to be freed.
#[derive(Debug)]
pub struct Allocation<T> {
    first: *mut T,
    capacity: usize,
}

impl<T> Drop for Allocation<T> {
    fn drop(&mut self) {
        // SAFETY: these are the parts of a vector whose items are gone.
        drop(unsafe { Vec::from_raw_parts(self.first, 0, self.capacity) });
    }
}

impl<T, M> VecProducer<T, M> {
    /// # Safety
    ///
    /// `len` items live from `first` on, which `memory` keeps, but does not drop.
    pub(super) unsafe fn new(first: *mut T, len: usize, memory: M) -> Self {
        VecProducer { first, len, _memory: memory }
    }

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

impl<T: Send, M> Producer for VecProducer<T, M> {
    type Item = T;
    type Local = ();
    type Iter<'a>
        = Drain<'a, T>
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
    unsafe fn chunk<'a>(&'a self, _: &'a mut (), indices: Range<usize>) -> Self::Iter<'a> {
        // SAFETY: the same demands.
        unsafe { self.drain(indices) }
    }

    unsafe fn discard(&self, indices: Range<usize>) {
        // SAFETY: the same demands.
        let left = Left::of(&mut unsafe { self.drain(indices) });
        if mem::needs_drop::<T>() {
            left.drop_by(drop_all);
        }
    }
}

impl<T: Send, M> IndexedProducer for VecProducer<T, M> {
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
    _producer: PhantomData<&'a T>,
}

impl<T> Iterator for Drain<'_, T> {
    type Item = T;

    #[inline]
    fn next(&mut self) -> Option<T> {
        self.left = self.left.checked_sub(1)?;
        // SAFETY: the item at `start` is one of those left, and `start` moves past it, so it is
        // read once.
        let item = unsafe { self.start.read() };
        // SAFETY: at most `end`, since an item was left.
        self.start = unsafe { self.start.add(1) };
        Some(item)
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }

    /// What is passed over is left over (`step_by`).
    #[inline]
    fn nth(&mut self, n: usize) -> Option<T> {
        let passed = n.min(self.left);
        // SAFETY: so many are left from `start` on.
        let mid = unsafe { self.start.add(passed) };
        let start = mem::replace(&mut self.start, mid);
        self.left -= passed;
        drop(Drain { start, end: mid, left: passed, _producer: PhantomData });
        self.next()
    }
}

impl<T> DoubleEndedIterator for Drain<'_, T> {
    #[inline]
    fn next_back(&mut self) -> Option<T> {
        self.left = self.left.checked_sub(1)?;
        // SAFETY: at least `start`, since an item was left.
        self.end = unsafe { self.end.sub(1) };
        // SAFETY: the item now at `end` was one of those left, and is not any more, so it is read
        // once.
        Some(unsafe { self.end.read() })
    }

    #[inline]
    fn nth_back(&mut self, n: usize) -> Option<T> {
        let passed = n.min(self.left);
        // SAFETY: so many are left up to `end`.
        let mid = unsafe { self.end.sub(passed) };
        let end = mem::replace(&mut self.end, mid);
        self.left -= passed;
        drop(Drain { start: mid, end, left: passed, _producer: PhantomData });
        self.next_back()
    }
}

impl<T> ExactSizeIterator for Drain<'_, T> {}

impl<T> Drop for Drain<'_, T> {
    #[inline]
    fn drop(&mut self) {
        /// So few are dropped at once, in any step of `step_by`.
        const FEW: usize = 16;
        let left = Left::of(self);
        if left.len < FEW {
            // SAFETY: these are all, and nobody else asks for any.
            unsafe { left.drop_some(0..left.len) };
        } else if mem::needs_drop::<T>() {
            left.drop_by(drop_rest);
        }
    }
}

/// How items are dropped: by calls for runs of them.
type By = fn(usize, usize, &(dyn Fn(Range<usize>) + Sync));

/// Items that nobody has asked for, as those lanes share them that drop them.
struct Left<'a, T> {
    first: *mut T,
    len: usize,
    _producer: PhantomData<&'a T>,
}

// SAFETY: lanes share it only to drop different items, which is sending `T`s; and they can be sent,
// or there would be no chunk (`Producer`).
unsafe impl<T> Sync for Left<'_, T> {}

impl<'a, T> Left<'a, T> {
    /// Takes all that is left of a chunk.
    #[inline]
    fn of(chunk: &mut Drain<'a, T>) -> Self {
        Left { first: chunk.start, len: mem::take(&mut chunk.left), _producer: PhantomData }
    }

    /// Drops all.
    #[inline(never)]
    fn drop_by(self, by: By) {
        let drop_item: unsafe fn(*mut T) = ptr::drop_in_place::<T>;
        // SAFETY: each place is asked for once.
        by(drop_item as usize, self.len, &|run| unsafe { self.drop_some(run) });
    }

    /// # Safety
    ///
    /// `run` lies within `0..len`, and of all calls, no two get the same place.
    #[inline]
    unsafe fn drop_some(&self, run: Range<usize>) {
        // SAFETY: the items from `first` on were those of a chunk.
        let first = unsafe { self.first.add(run.start) };
        // SAFETY: they were left, so they are initialised, and only this call has these.
        unsafe { ptr::slice_from_raw_parts_mut(first, run.len()).drop_in_place() };
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
