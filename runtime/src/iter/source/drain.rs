//! `par_drain`: takes the items out of a collection, which stays.

use std::collections::{BinaryHeap, HashMap, HashSet, VecDeque};
use std::fmt::{self, Debug, Formatter};
use std::hash::{BuildHasher, Hash};
use std::ops::{Bound, Range, RangeBounds};
use std::ptr;
use std::str;

use super::split::{Cut, Split};
use super::text;
use super::vec::{VecIter, VecProducer};
use crate::iter::{
    IndexedParallelIterator, IntoParallelIterator, ParallelDrainFull, ParallelDrainRange, ParallelIterator,
    known_len,
};
use crate::sched::unwind::OnDrop;

/// Parallel iterator over items that a vector gives away, made by
/// [`par_drain`](ParallelDrainRange::par_drain).
///
/// The vector closes the gap when the iterator has been run, or is dropped. Where one is forgotten,
/// the items from the range's first on are, too.
#[must_use = "the items are dropped if the iterator is not consumed"]
pub struct VecDrain<'data, T> {
    gap: Gap<'data, T>,
}

impl<T> Debug for VecDrain<'_, T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("VecDrain").field("range", &self.gap.range).finish_non_exhaustive()
    }
}

/// A vector without the items from the range's first on.
struct Gap<'data, T> {
    /// It has the items in front of the range.
    vec: &'data mut Vec<T>,
    range: Range<usize>,
    /// How many items there were.
    len: usize,
    /// Whether nobody else has the items in the range.
    is_full: bool,
}

impl<T> Gap<'_, T> {
    fn first(&mut self) -> *mut T {
        // SAFETY: the range lies within the items that there were, and so within the allocation.
        unsafe { self.vec.as_mut_ptr().add(self.range.start) }
    }

    /// Puts the items behind the range where it began.
    fn close(&mut self) {
        let Range { start, end } = self.range;
        let behind = self.len - end;
        let first = self.first();
        // SAFETY: as in `first`.
        let rest = unsafe { first.add(end - start) };
        // SAFETY: those from `rest` on are items that the vector does not count; in front of them,
        // nothing lives any more.
        unsafe { rest.copy_to(first, behind) };
        // SAFETY: up to here, items live: those in front of the range, and those behind it.
        unsafe { self.vec.set_len(start + behind) };
    }
}

impl<T> Drop for Gap<'_, T> {
    fn drop(&mut self) {
        let (first, len, is_full) = (self.first(), self.range.len(), self.is_full);
        let _gap = OnDrop(|| self.close());
        if is_full {
            // SAFETY: nobody was given these.
            unsafe { ptr::slice_from_raw_parts_mut(first, len).drop_in_place() };
        }
    }
}

impl<'data, T: Send> ParallelIterator for VecDrain<'data, T> {
    type Item = T;
    type Producer = VecProducer<T, Memory<'data, T>>;

    fn into_producer(self) -> Self::Producer {
        let mut gap = self.gap;
        gap.is_full = false;
        let (first, len) = (gap.first(), gap.range.len());
        // SAFETY: so many items live there, and the gap has given them away.
        unsafe { VecProducer::new(first, len, Memory { _gap: gap }) }
    }

    known_len!();
}

impl<T: Send> IndexedParallelIterator for VecDrain<'_, T> {
    fn len(&self) -> usize {
        self.gap.range.len()
    }
}

/// A vector some of whose items somebody has; they are gone when this is dropped.
pub struct Memory<'data, T> {
    _gap: Gap<'data, T>,
}

impl<T> Debug for Memory<'_, T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memory").finish_non_exhaustive()
    }
}

/// The places that a range of a collection of `len` items means.
///
/// # Panics
///
/// Where a slice of the standard library's does.
fn places(range: &impl RangeBounds<usize>, len: usize) -> Range<usize> {
    let start = match range.start_bound() {
        Bound::Included(&start) => start,
        Bound::Excluded(&before) => before.checked_add(1).expect("a range begins at usize::MAX, or before"),
        Bound::Unbounded => 0,
    };
    let end = match range.end_bound() {
        Bound::Included(&last) => last.checked_add(1).expect("a range ends at usize::MAX, or before"),
        Bound::Excluded(&end) => end,
        Bound::Unbounded => len,
    };
    assert!(start <= end, "a range that begins at {start} ends there or behind, not at {end}");
    assert!(end <= len, "a range of {len} items ends at {len} or before, not at {end}");
    start..end
}

impl<'data, T: Send> ParallelDrainRange for &'data mut Vec<T> {
    type Iter = VecDrain<'data, T>;
    type Item = T;

    fn par_drain<R: RangeBounds<usize>>(self, range: R) -> Self::Iter {
        let len = self.len();
        let range = places(&range, len);
        // SAFETY: no more than there are. What lies behind is the gap's.
        unsafe { self.set_len(range.start) };
        VecDrain { gap: Gap { vec: self, range, len, is_full: true } }
    }
}

impl<T: Send> ParallelDrainRange for &mut VecDeque<T> {
    type Iter = VecIter<T>;
    type Item = T;

    /// Moves the items into a vector first.
    fn par_drain<R: RangeBounds<usize>>(self, range: R) -> Self::Iter {
        self.drain(range).collect::<Vec<_>>().into_par_iter()
    }
}

impl ParallelDrainRange for &mut String {
    type Iter = Split<Drained>;
    type Item = char;

    /// Copies the text first.
    fn par_drain<R: RangeBounds<usize>>(self, range: R) -> Self::Iter {
        Split(Drained(self.drain(range).collect()))
    }
}

/// Text that is cut anywhere.
#[derive(Clone, Debug)]
pub struct Drained(String);

impl Cut for Drained {
    type Part = char;
    type Parts<'a> = str::Chars<'a>;

    fn indices(&self) -> usize {
        self.0.len()
    }

    fn next_cut(&self, index: usize) -> usize {
        text::ceil_char_boundary(&self.0, index)
    }

    fn parts<'a>(&'a self, piece: Range<usize>) -> str::Chars<'a> {
        self.0[piece].chars()
    }
}

macro_rules! drained_through_a_vec {
    ($([$($generics:tt)*] $Collection:ty => $Item:ty;)*) => {$(
        impl<$($generics)*> ParallelDrainFull for &mut $Collection {
            type Iter = VecIter<$Item>;
            type Item = $Item;

            /// Moves the items into a vector first.
            fn par_drain(self) -> Self::Iter {
                self.drain().collect::<Vec<_>>().into_par_iter()
            }
        }
    )*};
}

drained_through_a_vec! {
    [T: Send + Ord] BinaryHeap<T> => T;
    [T: Send + Eq + Hash, S: BuildHasher] HashSet<T, S> => T;
    [K: Send + Eq + Hash, V: Send, S: BuildHasher] HashMap<K, V, S> => (K, V);
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;
    use crate::iter::ParallelIterator;
    use crate::sync::{AtomicU64, Ordering};

    /// Counts how often one is dropped.
    struct Counted<'a>(usize, &'a AtomicU64);

    impl Drop for Counted<'_> {
        fn drop(&mut self) {
            self.1.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn a_drained_vector_has_the_rest_whatever_becomes_of_the_items() {
        type Use = fn(VecDrain<'_, Counted<'_>>);
        let uses: [Use; 5] = [
            |drain| drain.for_each(drop),
            |drain| drop(drain),
            |drain| assert!(drain.any(|item| item.0 == 4)),
            |drain| assert_eq!(drain.rev().take(2).count(), 2),
            |drain| drain.for_each(|item| assert_ne!(item.0, 5, "fails for the sixth")),
        ];
        for (of_use, range) in uses.iter().zip([3..7, 0..10, 2..9, 4..4, 5..10]).chain([(&uses[4], 0..6)]) {
            let dropped = AtomicU64::new(0);
            let mut items: Vec<_> = (0..10).map(|n| Counted(n, &dropped)).collect();
            let _perhaps = catch_unwind(AssertUnwindSafe(|| of_use(items.par_drain(range.clone()))));
            assert_eq!(dropped.load(Ordering::Relaxed), range.len() as u64);
            let left: Vec<usize> = items.iter().map(|item| item.0).collect();
            assert_eq!(left, (0..range.start).chain(range.end..10).collect::<Vec<_>>());
            drop(items);
            assert_eq!(dropped.load(Ordering::Relaxed), 10);
        }
    }

    #[test]
    fn what_is_forgotten_leaves_the_items_in_front() {
        let mut items: Vec<String> = (0..10).map(|n| n.to_string()).collect();
        std::mem::forget(items.par_drain(4..6));
        assert_eq!(items, ["0", "1", "2", "3"]);
    }

    #[test]
    fn an_item_that_fails_to_be_dropped_does_not_keep_the_vector_from_closing() {
        struct Fails(usize);
        impl Drop for Fails {
            fn drop(&mut self) {
                assert_ne!(self.0, 5, "fails for the sixth");
            }
        }
        let mut items: Vec<_> = (0..10).map(Fails).collect();
        catch_unwind(AssertUnwindSafe(|| drop(items.par_drain(4..8)))).expect_err("one fails");
        assert!(items.iter().map(|item| item.0).eq([0, 1, 2, 3, 8, 9]));
    }
}
