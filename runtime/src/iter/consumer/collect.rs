//! Collects into vectors.

use std::marker::PhantomData;
use std::mem::MaybeUninit;
use std::ops::ControlFlow;

use super::Push;
use crate::engine::combine::Partials;
use crate::engine::consumer::{ChunkOf, Consumer};
use crate::engine::producer::Producer;

/// Writes each item to its place behind what the vector already has, where the number of items is
/// known beforehand.
pub(crate) struct CollectExact<'v, T> {
    items: &'v mut Vec<T>,
    first: *mut T,
    len: usize,
}

// SAFETY: lanes share the collection only to write `T`s to different places of it.
unsafe impl<T: Send> Sync for CollectExact<'_, T> {}

impl<'v, T: Send> CollectExact<'v, T> {
    /// # Panics
    ///
    /// When `len` more items do not fit into memory.
    pub(crate) fn new(items: &'v mut Vec<T>, len: usize) -> Self {
        items.reserve_exact(len);
        CollectExact { first: items.spare_capacity_mut().as_mut_ptr().cast(), items, len }
    }

    pub(crate) fn partial(&self, start: usize) -> Written<T> {
        Written::new(self.first, start, self.len)
    }

    /// Makes the items of all partials the vector's.
    pub(crate) fn complete(self, partials: impl Iterator<Item = Written<T>>) {
        let before = self.items.len();
        let mut len = 0;
        for written in partials {
            // SAFETY: `len` is at most the capacity that was reserved.
            let expected = unsafe { self.first.add(len) };
            assert!(std::ptr::eq(written.first, expected), "partials are adjacent");
            len += written.len;
            // SAFETY: `len` items behind the old ones are written, and from here on they belong to
            // the vector.
            unsafe { self.items.set_len(before + len) };
            std::mem::forget(written);
        }
        assert_eq!(len, self.len, "every item was collected");
    }
}

/// A stretch of places that have been written. Drops the items if nobody takes them over.
pub(crate) struct Written<T> {
    first: *mut T,
    /// The index of the first item.
    start: usize,
    len: usize,
}

// SAFETY: it owns the items.
unsafe impl<T: Send> Send for Written<T> {}

impl<T> Written<T> {
    /// An empty stretch at index `start` of an allocation for `len` items that begins with `first`.
    fn new(first: *mut T, start: usize, len: usize) -> Self {
        assert!(start <= len, "a partial starts within the loop");
        // SAFETY: within the allocation or at its end.
        Written { first: unsafe { first.add(start) }, start, len: 0 }
    }

    /// The unwritten places of this stretch in front of index `end`.
    ///
    /// # Safety
    ///
    /// The indices from the stretch's start to `end` lie in the allocation, and belong to this lane
    /// alone.
    unsafe fn places_before<'p>(&self, end: usize) -> &'p mut [MaybeUninit<T>] {
        let written = self.start + self.len;
        assert!(written <= end, "an iterator yields no more items than it has indices");
        // SAFETY: what is written lies in the allocation.
        let next = unsafe { self.first.add(self.len) };
        // SAFETY: in the allocation, this lane's, and nothing was written there.
        unsafe { std::slice::from_raw_parts_mut(next.cast(), end - written) }
    }

    /// Writes an item behind the others.
    ///
    /// # Safety
    ///
    /// The place belongs to this lane alone.
    #[inline]
    pub(crate) unsafe fn push(&mut self, item: T) {
        // SAFETY: the place behind the items lies in the allocation, and is this lane's.
        let place = unsafe { self.first.add(self.len) };
        // SAFETY: nothing was written there.
        unsafe { place.write(item) };
        self.len += 1;
    }
}

impl<T> Drop for Written<T> {
    fn drop(&mut self) {
        // SAFETY: the items were written, and belong to this stretch until it is forgotten.
        unsafe { std::ptr::slice_from_raw_parts_mut(self.first, self.len).drop_in_place() };
    }
}

impl<T: Send> Consumer<T> for CollectExact<'_, T> {
    type Partial = Written<T>;
    type Output = ();

    fn begin(&self, start: usize) -> Written<T> {
        self.partial(start)
    }

    #[inline]
    fn feed<P: Producer<Item = T>>(
        &self,
        mut written: Written<T>,
        chunk: ChunkOf<'_, P>,
    ) -> ControlFlow<Written<T>, Written<T>> {
        let expected = chunk.len();
        let end = written.start + written.len + expected;
        // A producer that changes its mind about its length must not make anyone write past the
        // end.
        assert!(end <= self.len, "a chunk lies within the loop");
        // SAFETY: the chunk's indices lie in the allocation, as was just checked, and are this
        // lane's alone.
        let places = unsafe { written.places_before(end) };
        let before = written.len;
        let producer = chunk.producer();
        let mut items = chunk.into_iter();
        for (place, item) in places.iter_mut().zip(&mut items) {
            place.write(item);
            written.len += 1;
        }
        let found = written.len - before;
        assert!(
            found == expected && items.next().is_none() || producer.has_left(),
            "an exact iterator yields {expected} items for {expected} indices, not {found} or more"
        );
        ControlFlow::Continue(written)
    }

    fn finish(self, partials: impl Partials<Item = Written<T>>) {
        self.complete(partials);
    }
}

/// Writes items where there is one at most for each index: from the place of its partial's first
/// index on, so that partials do not meet, and moves the partials together once.
pub(crate) struct CollectBounded<'v, T> {
    all: CollectExact<'v, T>,
    /// What the vector had room for before.
    capacity: usize,
}

/// As much memory as is asked for beforehand, although most of it may never be written to.
const MOST_BYTES: usize = 1 << 30;

impl<'v, T: Send> CollectBounded<'v, T> {
    /// Fails where it would take too much memory to have room for all.
    pub(crate) fn new(items: &'v mut Vec<T>, len: usize) -> Result<Self, &'v mut Vec<T>> {
        let capacity = items.capacity();
        let affordable = len.checked_mul(size_of::<T>()).is_some_and(|bytes| bytes <= MOST_BYTES);
        if !affordable || items.try_reserve_exact(len).is_err() {
            return Err(items);
        }
        Ok(CollectBounded { all: CollectExact::new(items, len), capacity })
    }
}

impl<T: Send> Consumer<T> for CollectBounded<'_, T> {
    type Partial = Written<T>;
    type Output = ();

    fn begin(&self, start: usize) -> Written<T> {
        self.all.partial(start)
    }

    #[inline]
    fn feed<P: Producer<Item = T>>(
        &self,
        mut written: Written<T>,
        chunk: ChunkOf<'_, P>,
    ) -> ControlFlow<Written<T>, Written<T>> {
        // A tail has no indices, wherever they are said to end: what lies behind the partial is
        // another lane's.
        let end = if chunk.len() == 0 { written.start + written.len } else { chunk.indices().end };
        assert!(end <= self.all.len, "a chunk lies within the loop");
        // SAFETY: all indices of the partial lie in the allocation, as was just checked, and are
        // this lane's alone.
        let mut room = unsafe { written.places_before(end) }.len();
        chunk.into_iter().for_each(|item| {
            room = room.checked_sub(1).expect("a bounded iterator yields no more items than it has indices");
            // SAFETY: there was room in front of the chunk's end.
            unsafe { written.push(item) };
        });
        ControlFlow::Continue(written)
    }

    fn finish(self, partials: impl Partials<Item = Written<T>>) {
        let CollectBounded { all: CollectExact { items, first, len: places }, capacity } = self;
        let before = items.len();
        let mut len = 0;
        for written in partials {
            // SAFETY: the partials before this one have at most as many items as indices, so this
            // is at most where it starts.
            let end = unsafe { first.add(len) };
            // SAFETY: from a stretch to its front, both in the allocation.
            unsafe { std::ptr::copy(written.first, end, written.len) };
            len += written.len;
            std::mem::forget(written);
            // SAFETY: `len` items behind the old ones are in place, and from here on they belong to
            // the vector.
            unsafe { items.set_len(before + len) };
        }
        if len < places / 2 {
            // Whoever has made room beforehand keeps it.
            items.shrink_to(capacity);
        }
    }
}

/// What can be put behind another one of its kind.
pub(crate) trait Append {
    fn append(&mut self, behind: Self);
}

impl<A: Append, B: Append> Append for (A, B) {
    fn append(&mut self, (a, b): Self) {
        self.0.append(a);
        self.1.append(b);
    }
}

/// Collects each partial by itself, with a closure that adds an item to it.
pub(crate) struct CollectPartials<S, A> {
    add: A,
    _partials: PhantomData<fn() -> S>,
}

impl<S, A> CollectPartials<S, A> {
    pub(crate) fn new(add: A) -> Self {
        CollectPartials { add, _partials: PhantomData }
    }
}

impl<T, S: Append + Default + Send, A: Fn(&mut S, T) + Sync> Consumer<T> for CollectPartials<S, A> {
    type Partial = S;
    type Output = Vec<S>;

    fn begin(&self, _: usize) -> S {
        S::default()
    }

    #[inline]
    fn feed<P: Producer<Item = T>>(&self, partial: S, chunk: ChunkOf<'_, P>) -> ControlFlow<S, S> {
        chunk.push_into(self, partial)
    }

    fn finish(self, partials: impl Partials<Item = S>) -> Vec<S> {
        partials.collect()
    }
}

impl<T, S: Append + Default + Send, A: Fn(&mut S, T) + Sync> Push<T> for CollectPartials<S, A> {
    #[inline]
    fn push<I: Iterator<Item = T>>(&self, mut partial: S, items: I) -> ControlFlow<S, S> {
        items.for_each(|item| (self.add)(&mut partial, item));
        ControlFlow::Continue(partial)
    }

    fn merge(&self, mut partial: S, behind: impl Partials<Item = S>) -> ControlFlow<S, S> {
        behind.for_each(|behind| partial.append(behind));
        ControlFlow::Continue(partial)
    }
}

/// Collects each partial with its own `extend`.
pub(crate) struct ExtendPartials<S>(pub(crate) PhantomData<fn() -> S>);

impl<T, S: Default + Extend<T> + Extend<S> + Send> Consumer<T> for ExtendPartials<S> {
    type Partial = S;
    type Output = Vec<S>;

    fn begin(&self, _: usize) -> S {
        S::default()
    }

    #[inline]
    fn feed<P: Producer<Item = T>>(&self, partial: S, chunk: ChunkOf<'_, P>) -> ControlFlow<S, S> {
        chunk.push_into(self, partial)
    }

    fn finish(self, partials: impl Partials<Item = S>) -> Vec<S> {
        partials.collect()
    }
}

impl<T, S: Default + Extend<T> + Extend<S> + Send> Push<T> for ExtendPartials<S> {
    #[inline]
    fn push<I: Iterator<Item = T>>(&self, mut partial: S, items: I) -> ControlFlow<S, S> {
        partial.extend(items);
        ControlFlow::Continue(partial)
    }

    fn merge(&self, mut partial: S, behind: impl Partials<Item = S>) -> ControlFlow<S, S> {
        partial.extend(behind);
        ControlFlow::Continue(partial)
    }
}

/// Writes both parts of each pair to their places, where the number of pairs is known beforehand.
pub(crate) struct UnzipExact<'v, A, B>(pub(crate) CollectExact<'v, A>, pub(crate) CollectExact<'v, B>);

impl<A: Send, B: Send> Consumer<(A, B)> for UnzipExact<'_, A, B> {
    type Partial = (Written<A>, Written<B>);
    type Output = ();

    fn begin(&self, start: usize) -> Self::Partial {
        (self.0.partial(start), self.1.partial(start))
    }

    #[inline]
    fn feed<P: Producer<Item = (A, B)>>(
        &self,
        (mut a, mut b): Self::Partial,
        chunk: ChunkOf<'_, P>,
    ) -> ControlFlow<Self::Partial, Self::Partial> {
        let (mut room, producer) = (chunk.len(), chunk.producer());
        assert!(a.start + a.len + room <= self.0.len.min(self.1.len), "a chunk lies within the loop");
        chunk.into_iter().for_each(|(left, right)| {
            room = room.checked_sub(1).expect("an exact iterator yields as many items as it has indices");
            // SAFETY: the chunk's places lie in the allocation, as was checked, and are this lane's
            // alone.
            unsafe { a.push(left) };
            // SAFETY: as above; both stretches began at the same index and grow together.
            unsafe { b.push(right) };
        });
        assert!(room == 0 || producer.has_left(), "an exact iterator yields as many items as it has indices");
        ControlFlow::Continue((a, b))
    }

    fn finish(self, partials: impl Partials<Item = Self::Partial>) {
        let (a, b): (Vec<_>, Vec<_>) = partials.unzip();
        self.0.complete(a.into_iter());
        self.1.complete(b.into_iter());
    }
}
