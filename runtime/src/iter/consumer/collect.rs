//! `collect` into a `Vec`.

use std::mem::MaybeUninit;
use std::ops::ControlFlow;

use super::{ChunkOf, Consumer};
use crate::iter::producer::Producer;

/// Writes each item to its place, where the number of items is known beforehand.
pub(crate) struct CollectExact<T> {
    items: Vec<T>,
    first: *mut T,
    len: usize,
}

// SAFETY: lanes share the collection only to write `T`s to different places of it.
unsafe impl<T: Send> Sync for CollectExact<T> {}

impl<T: Send> CollectExact<T> {
    /// # Panics
    ///
    /// When `len` items do not fit into memory.
    pub(crate) fn new(len: usize) -> Self {
        let mut items = Vec::with_capacity(len);
        CollectExact { first: items.as_mut_ptr(), items, len }
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

impl<T> Drop for Written<T> {
    fn drop(&mut self) {
        // SAFETY: the items were written, and belong to this stretch until it is forgotten.
        unsafe { std::ptr::slice_from_raw_parts_mut(self.first, self.len).drop_in_place() };
    }
}

impl<T: Send> Consumer<T> for CollectExact<T> {
    type Segment = Written<T>;
    type Output = Vec<T>;

    fn begin(&self, start: usize) -> Written<T> {
        assert!(start <= self.len, "a segment starts within the loop");
        // SAFETY: within the allocation or at its end.
        Written { first: unsafe { self.first.add(start) }, start, len: 0 }
    }

    #[inline]
    fn feed<P: Producer<Item = T>>(
        &self,
        mut written: Written<T>,
        chunk: ChunkOf<'_, P>,
    ) -> ControlFlow<Written<T>, Written<T>> {
        let expected = chunk.len();
        // A producer that changes its mind about its length must not make anyone write past the end.
        assert!(written.start + written.len + expected <= self.len, "a chunk lies within the loop");
        // SAFETY: what was written, and the chunk after it, lie within the allocation, as was just checked.
        let next = unsafe { written.first.add(written.len) };
        // SAFETY: these places belong to the chunk's indices, which are this lane's alone; nothing was written to them.
        let places = unsafe { std::slice::from_raw_parts_mut(next.cast::<MaybeUninit<T>>(), expected) };
        let before = written.len;
        let mut items = chunk.into_iter();
        for (place, item) in places.iter_mut().zip(&mut items) {
            place.write(item);
            written.len += 1;
        }
        let found = written.len - before;
        assert!(
            found == expected && items.next().is_none(),
            "an exact iterator yields {expected} items for {expected} indices, not {found} or more"
        );
        ControlFlow::Continue(written)
    }

    fn finish(mut self, segments: impl Iterator<Item = Written<T>>) -> Vec<T> {
        let mut len = 0;
        for written in segments {
            // SAFETY: `len` is at most the capacity.
            let expected = unsafe { self.first.add(len) };
            assert!(std::ptr::eq(written.first, expected), "segments are adjacent");
            len += written.len;
            // SAFETY: the first `len` items are written, and from here on they belong to the vector.
            unsafe { self.items.set_len(len) };
            std::mem::forget(written);
        }
        assert_eq!(len, self.len, "every item was collected");
        self.items
    }
}

/// Collects each segment into a vector of its own, where nobody knows how many items there will be, and moves them
/// together once.
pub(crate) struct CollectSegments;

impl<T: Send> Consumer<T> for CollectSegments {
    type Segment = Vec<T>;
    type Output = Vec<T>;

    fn begin(&self, _: usize) -> Vec<T> {
        Vec::new()
    }

    #[inline]
    fn feed<P: Producer<Item = T>>(
        &self,
        mut segment: Vec<T>,
        chunk: ChunkOf<'_, P>,
    ) -> ControlFlow<Vec<T>, Vec<T>> {
        segment.extend(chunk.into_iter());
        ControlFlow::Continue(segment)
    }

    fn finish(self, segments: impl Iterator<Item = Vec<T>>) -> Vec<T> {
        segments
            .reduce(|mut all, mut segment| {
                all.append(&mut segment);
                all
            })
            .unwrap_or_default()
    }
}
