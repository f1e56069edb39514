//! The methods of slices: `par_chunks` and similar ones.

use std::cmp::Ordering;

use super::chunk_by::{ChunkBy, Runs};
use super::parts::{
    ArrayWindows, Chunks, ChunksExact, ChunksExactMut, ChunksMut, RChunks, RChunksExact, RChunksExactMut,
    RChunksMut, Windows,
};
use super::split::Split;
use super::split_slice::{Between, EndingWith, SplitInclusiveSlice, SplitSlice};
use super::split_slice_mut::{
    AtSeparators, BehindSeparators, BetweenRuns, ChunkByMut, SplitInclusiveMut, SplitMut, SplitSliceMut,
};
use crate::iter::sort::{sort_by_cached_key, stable_sort_by, unstable_sort_by};

/// The `size` that was given to `method`.
#[track_caller]
fn positive(size: usize, method: &str) -> usize {
    assert!(size > 0, "{method}: `size` is 0, but each part has at least one item");
    size
}

/// Parallel iterators over parts of a slice.
pub trait ParallelSlice<T: Sync> {
    /// The slice itself.
    #[doc(hidden)]
    fn as_parallel_slice(&self) -> &[T];

    /// Splits the slice into parts of `size` items. The last part may be shorter.
    ///
    /// # Panics
    ///
    /// Panics when `size` is 0.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// let sums: Vec<i32> = [1, 2, 3, 4, 5].par_chunks(2).map(|part| part.iter().sum()).collect();
    /// assert_eq!(sums, [3, 7, 5]);
    /// ```
    #[track_caller]
    fn par_chunks(&self, size: usize) -> Chunks<'_, T> {
        Chunks { slice: self.as_parallel_slice(), size: positive(size, "par_chunks") }
    }

    /// Splits the slice into parts of exactly `size` items. [`remainder`](ChunksExact::remainder)
    /// returns the rest.
    ///
    /// # Panics
    ///
    /// Panics when `size` is 0.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// let parts = [1, 2, 3, 4, 5].par_chunks_exact(2).count();
    /// assert_eq!(parts, 2);
    /// assert_eq!([1, 2, 3].par_chunks_exact(2).remainder(), [3]);
    /// ```
    #[track_caller]
    fn par_chunks_exact(&self, size: usize) -> ChunksExact<'_, T> {
        ChunksExact { slice: self.as_parallel_slice(), size: positive(size, "par_chunks_exact") }
    }

    /// Splits the slice into parts of `size` items, from the back. The last part, at the front of
    /// the slice, may be shorter.
    ///
    /// # Panics
    ///
    /// Panics when `size` is 0.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// assert_eq!([1, 2, 3].par_rchunks(2).collect::<Vec<_>>(), [&[2, 3][..], &[1]]);
    /// ```
    #[track_caller]
    fn par_rchunks(&self, size: usize) -> RChunks<'_, T> {
        RChunks { slice: self.as_parallel_slice(), size: positive(size, "par_rchunks") }
    }

    /// Splits the slice into parts of exactly `size` items, from the back.
    ///
    /// # Panics
    ///
    /// Panics when `size` is 0.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// assert_eq!([1, 2, 3].par_rchunks_exact(2).collect::<Vec<_>>(), [&[2, 3]]);
    /// ```
    #[track_caller]
    fn par_rchunks_exact(&self, size: usize) -> RChunksExact<'_, T> {
        RChunksExact { slice: self.as_parallel_slice(), size: positive(size, "par_rchunks_exact") }
    }

    /// Yields all windows of `size` neighbouring items. They overlap.
    ///
    /// # Panics
    ///
    /// Panics when `size` is 0.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// assert!([1, 2, 4, 8].par_windows(2).all(|pair| 2 * pair[0] == pair[1]));
    /// ```
    #[track_caller]
    fn par_windows(&self, size: usize) -> Windows<'_, T> {
        Windows { slice: self.as_parallel_slice(), size: positive(size, "par_windows") }
    }

    /// Yields all windows of `N` neighbouring items, as arrays. They overlap.
    ///
    /// # Panics
    ///
    /// Panics when `N` is 0.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// assert!([1, 2, 4, 8].par_array_windows().all(|[a, b]| 2 * a == *b));
    /// ```
    #[track_caller]
    fn par_array_windows<const N: usize>(&self) -> ArrayWindows<'_, T, N> {
        ArrayWindows(Windows { slice: self.as_parallel_slice(), size: positive(N, "par_array_windows") })
    }

    /// Splits the slice into runs. A cut is between two neighbouring items for which
    /// `belong_together` does not hold.
    ///
    /// `belong_together` is called in parallel, like the closure of [`par_split`](Self::par_split).
    ///
    /// ```
    /// use taskel::prelude::*;
    /// let runs: Vec<_> = [1, 2, 4, 5, 5].par_chunk_by(|a, b| a + 1 == *b).collect();
    /// assert_eq!(runs, [&[1, 2][..], &[4, 5], &[5]]);
    /// ```
    fn par_chunk_by<F: Fn(&T, &T) -> bool + Sync + Send>(&self, belong_together: F) -> ChunkBy<'_, T, F> {
        Split(Runs::new(self.as_parallel_slice(), belong_together))
    }

    /// Splits the slice at items for which `separator` holds. Parts may be empty.
    ///
    /// `separator` is called in parallel. If it is slow, it is called once for each item, and a few
    /// times more. If it is quick, it is called again for some items, because that is cheaper than
    /// keeping its answers.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// assert_eq!([1, 0, 2, 3].par_split(|&n| n == 0).collect::<Vec<_>>(), [&[1][..], &[2, 3]]);
    /// ```
    fn par_split<F: Fn(&T) -> bool + Sync + Send>(&self, separator: F) -> SplitSlice<'_, T, F> {
        Split(Between::new(self.as_parallel_slice(), separator))
    }

    /// Splits the slice behind items for which `separator` holds; see
    /// [`par_split`](Self::par_split). If there are items behind the last separator, they are the
    /// last part.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// let parts: Vec<_> = [1, 0, 2, 3].par_split_inclusive(|&n| n == 0).collect();
    /// assert_eq!(parts, [&[1, 0][..], &[2, 3]]);
    /// ```
    fn par_split_inclusive<F: Fn(&T) -> bool + Sync + Send>(
        &self,
        separator: F,
    ) -> SplitInclusiveSlice<'_, T, F> {
        Split(EndingWith::new(self.as_parallel_slice(), separator))
    }
}

impl<T: Sync> ParallelSlice<T> for [T] {
    fn as_parallel_slice(&self) -> &[T] {
        self
    }
}

/// Parallel iterators over parts of a mutable slice, and parallel sorting.
///
/// # Orders that contradict themselves
///
/// A sort needs a total order. Floats with a NaN among them have no total order by `partial_cmp`;
/// use [`f64::total_cmp`]. If the order is not total, all items are there after the sort, in some
/// order. But the call may panic, like the standard library's sorts, which sort short pieces here.
/// Their message is "user-provided comparison function does not correctly implement a total order".
/// (rayon's sorts do not check this.)
pub trait ParallelSliceMut<T: Send> {
    /// The slice itself.
    #[doc(hidden)]
    fn as_parallel_slice_mut(&mut self) -> &mut [T];

    /// Splits the slice into parts of `size` items. The last part may be shorter.
    ///
    /// # Panics
    ///
    /// Panics when `size` is 0.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// let mut numbers = [1, 2, 3, 4, 5];
    /// numbers.par_chunks_mut(2).for_each(|part| part.reverse());
    /// assert_eq!(numbers, [2, 1, 4, 3, 5]);
    /// ```
    #[track_caller]
    fn par_chunks_mut(&mut self, size: usize) -> ChunksMut<'_, T> {
        ChunksMut { slice: self.as_parallel_slice_mut(), size: positive(size, "par_chunks_mut") }
    }

    /// Splits the slice into parts of exactly `size` items.
    /// [`take_remainder`](ChunksExactMut::take_remainder) returns the rest.
    ///
    /// # Panics
    ///
    /// Panics when `size` is 0.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// let mut numbers = [1, 2, 3];
    /// numbers.par_chunks_exact_mut(2).for_each(|part| part.reverse());
    /// assert_eq!(numbers, [2, 1, 3]);
    /// ```
    #[track_caller]
    fn par_chunks_exact_mut(&mut self, size: usize) -> ChunksExactMut<'_, T> {
        ChunksExactMut { slice: self.as_parallel_slice_mut(), size: positive(size, "par_chunks_exact_mut") }
    }

    /// Splits the slice into parts of `size` items, from the back. The last part, at the front of
    /// the slice, may be shorter.
    ///
    /// # Panics
    ///
    /// Panics when `size` is 0.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// let mut numbers = [1, 2, 3];
    /// numbers.par_rchunks_mut(2).for_each(|part| part.reverse());
    /// assert_eq!(numbers, [1, 3, 2]);
    /// ```
    #[track_caller]
    fn par_rchunks_mut(&mut self, size: usize) -> RChunksMut<'_, T> {
        RChunksMut { slice: self.as_parallel_slice_mut(), size: positive(size, "par_rchunks_mut") }
    }

    /// Splits the slice into parts of exactly `size` items, from the back.
    ///
    /// # Panics
    ///
    /// Panics when `size` is 0.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// let mut numbers = [1, 2, 3];
    /// numbers.par_rchunks_exact_mut(2).for_each(|part| part.reverse());
    /// assert_eq!(numbers, [1, 3, 2]);
    /// ```
    #[track_caller]
    fn par_rchunks_exact_mut(&mut self, size: usize) -> RChunksExactMut<'_, T> {
        RChunksExactMut { slice: self.as_parallel_slice_mut(), size: positive(size, "par_rchunks_exact_mut") }
    }

    /// Splits the slice at items for which `separator` holds. Parts may be empty. `separator` is
    /// called for each item, in parallel, before the first part is processed.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// let mut numbers = [1, 2, 0, 3, 4];
    /// numbers.par_split_mut(|&n| n == 0).for_each(|part| part.reverse());
    /// assert_eq!(numbers, [2, 1, 0, 4, 3]);
    /// ```
    fn par_split_mut<F: Fn(&T) -> bool + Sync + Send>(&mut self, separator: F) -> SplitMut<'_, T, F> {
        SplitSliceMut::new(self.as_parallel_slice_mut(), AtSeparators(separator))
    }

    /// Splits the slice behind items for which `separator` holds; see
    /// [`par_split_mut`](Self::par_split_mut). If there are items behind the last separator, they
    /// are the last part.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// let mut numbers = [1, 2, 0, 3, 4];
    /// numbers.par_split_inclusive_mut(|&n| n == 0).for_each(|part| part.reverse());
    /// assert_eq!(numbers, [0, 2, 1, 4, 3]);
    /// ```
    fn par_split_inclusive_mut<F: Fn(&T) -> bool + Sync + Send>(
        &mut self,
        separator: F,
    ) -> SplitInclusiveMut<'_, T, F> {
        SplitSliceMut::new(self.as_parallel_slice_mut(), BehindSeparators(separator))
    }

    /// Splits the slice into runs. A cut is between two neighbouring items for which
    /// `belong_together` does not hold. `belong_together` is called for all neighbours, in
    /// parallel, before the first run is processed.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// let mut numbers = [1, 2, 4, 5, 5];
    /// numbers.par_chunk_by_mut(|a, b| a + 1 == *b).for_each(|run| run.reverse());
    /// assert_eq!(numbers, [2, 1, 5, 4, 5]);
    /// ```
    fn par_chunk_by_mut<F: Fn(&T, &T) -> bool + Sync + Send>(
        &mut self,
        belong_together: F,
    ) -> ChunkByMut<'_, T, F> {
        SplitSliceMut::new(self.as_parallel_slice_mut(), BetweenRuns(belong_together))
    }

    /// Sorts the slice. Equal items keep their order.
    ///
    /// This is a merge sort with O(n log n) comparisons and a buffer of the slice's size. The
    /// calling thread sorts short slices alone. If comparisons are slow, which a few timed ones
    /// show beforehand, they run in parallel from a few dozen items on.
    ///
    /// After a comparison has panicked, no thread begins another comparison. If comparisons are
    /// very quick, a thread may finish its piece first.
    ///
    /// # Panics
    ///
    /// Panics when a comparison does, with its payload. May also panic if the order is not total
    /// (for example, numbers with a NaN that is equal to all), because the standard library's
    /// sorts, which sort short pieces, may notice that. In either case, all items are there, in
    /// some order.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// let mut words = ["rye", "oats", "corn"];
    /// words.par_sort();
    /// assert_eq!(words, ["corn", "oats", "rye"]);
    /// ```
    #[track_caller]
    fn par_sort(&mut self)
    where
        T: Ord,
    {
        stable_sort_by(self.as_parallel_slice_mut(), T::cmp);
    }

    /// Sorts the slice by `compare`. Equal items keep their order; see
    /// [`par_sort`](Self::par_sort).
    ///
    /// # Panics
    ///
    /// Panics like [`par_sort`](Self::par_sort): when `compare` does, and perhaps if the order is
    /// not total.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// let mut numbers = [2.5, -1.0, 0.5];
    /// numbers.par_sort_by(f64::total_cmp);
    /// assert_eq!(numbers, [-1.0, 0.5, 2.5]);
    /// ```
    #[track_caller]
    fn par_sort_by<F>(&mut self, compare: F)
    where
        F: Fn(&T, &T) -> Ordering + Sync,
    {
        stable_sort_by(self.as_parallel_slice_mut(), compare);
    }

    /// Sorts the slice by keys. Items with equal keys keep their order; see
    /// [`par_sort`](Self::par_sort). `key` is called in each comparison.
    ///
    /// # Panics
    ///
    /// Panics like [`par_sort`](Self::par_sort): when `key` or a comparison does, and perhaps if
    /// the order is not total.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// let mut numbers = [-3_i32, 1, 2];
    /// numbers.par_sort_by_key(|n| n.abs());
    /// assert_eq!(numbers, [1, 2, -3]);
    /// ```
    #[track_caller]
    fn par_sort_by_key<K, F>(&mut self, key: F)
    where
        K: Ord,
        F: Fn(&T) -> K + Sync,
    {
        stable_sort_by(self.as_parallel_slice_mut(), move |a, b| key(a).cmp(&key(b)));
    }

    /// Sorts the slice by keys that are computed once for each item, in parallel. Items with equal
    /// keys keep their order. The keys are in memory during the sort.
    ///
    /// # Panics
    ///
    /// Panics like [`par_sort_unstable`](Self::par_sort_unstable): when `key` or a comparison does,
    /// and perhaps if the order is not total.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// let mut numbers = [10, 9, 100];
    /// numbers.par_sort_by_cached_key(|n| n.to_string());
    /// assert_eq!(numbers, [10, 100, 9]);
    /// ```
    #[track_caller]
    fn par_sort_by_cached_key<K, F>(&mut self, key: F)
    where
        K: Ord + Send,
        F: Fn(&T) -> K + Sync,
    {
        sort_by_cached_key(self.as_parallel_slice_mut(), key);
    }

    /// Sorts the slice in place. Equal items may change their order.
    ///
    /// This is a quicksort with O(n log n) comparisons and no allocation. The calling thread sorts
    /// short slices alone. If comparisons are slow, which a few timed ones show beforehand, they
    /// run in parallel from a few dozen items on, in a merge sort with a buffer of the slice's
    /// size.
    ///
    /// After a comparison has panicked, no thread begins another comparison. If comparisons are
    /// very quick, a thread may finish its piece first.
    ///
    /// # Panics
    ///
    /// Panics when a comparison does, with its payload. May also panic if the order is not total
    /// (for example, numbers with a NaN that is equal to all), because the standard library's
    /// sorts, which sort short pieces, may notice that. In either case, all items are there, in
    /// some order.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// let mut numbers = [3, 1, 2];
    /// numbers.par_sort_unstable();
    /// assert_eq!(numbers, [1, 2, 3]);
    /// ```
    #[track_caller]
    fn par_sort_unstable(&mut self)
    where
        T: Ord,
    {
        unstable_sort_by(self.as_parallel_slice_mut(), T::cmp);
    }

    /// Sorts the slice in place by `compare`; see [`par_sort_unstable`](Self::par_sort_unstable).
    ///
    /// # Panics
    ///
    /// Panics like [`par_sort_unstable`](Self::par_sort_unstable): when `compare` does, and perhaps
    /// if the order is not total.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// let mut numbers = [1, 2, 3];
    /// numbers.par_sort_unstable_by(|a, b| b.cmp(a));
    /// assert_eq!(numbers, [3, 2, 1]);
    /// ```
    #[track_caller]
    fn par_sort_unstable_by<F>(&mut self, compare: F)
    where
        F: Fn(&T, &T) -> Ordering + Sync,
    {
        unstable_sort_by(self.as_parallel_slice_mut(), compare);
    }

    /// Sorts the slice in place by keys; see [`par_sort_unstable`](Self::par_sort_unstable). `key`
    /// is called in each comparison.
    ///
    /// # Panics
    ///
    /// Panics like [`par_sort_unstable`](Self::par_sort_unstable): when `key` or a comparison does,
    /// and perhaps if the order is not total.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// let mut numbers = [-3_i32, 1, 2];
    /// numbers.par_sort_unstable_by_key(|n| n.abs());
    /// assert_eq!(numbers, [1, 2, -3]);
    /// ```
    #[track_caller]
    fn par_sort_unstable_by_key<K, F>(&mut self, key: F)
    where
        K: Ord,
        F: Fn(&T) -> K + Sync,
    {
        unstable_sort_by(self.as_parallel_slice_mut(), move |a, b| key(a).cmp(&key(b)));
    }
}

impl<T: Send> ParallelSliceMut<T> for [T] {
    fn as_parallel_slice_mut(&mut self) -> &mut [T] {
        self
    }
}
