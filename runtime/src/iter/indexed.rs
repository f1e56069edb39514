//! The trait [`IndexedParallelIterator`], for parallel iterators that know the index of each item.

use std::cmp::Ordering;

use super::adapter::producers::*;
use super::adapter::*;
use super::collect::{extend_exact, unzip_exact};
use super::{IntoParallelIterator, ParallelIterator};
use crate::engine::options::Options;
use crate::engine::producer::IndexedProducer;

/// A parallel iterator with a known number of items that can be reached by index.
#[expect(clippy::len_without_is_empty, reason = "rayon's trait has none, and `len() == 0` says the same")]
pub trait IndexedParallelIterator: ParallelIterator<Producer: IndexedProducer> {
    /// Returns the number of items.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// assert_eq!((10..20).into_par_iter().len(), 10);
    /// ```
    fn len(&self) -> usize;

    /// Pairs each item with its index.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// let pairs: Vec<_> = ["a", "b"].par_iter().enumerate().collect();
    /// assert_eq!(pairs, [(0, &"a"), (1, &"b")]);
    /// ```
    fn enumerate(self) -> Enumerate<Self> {
        Enumerate { base: self }
    }

    /// Pairs each item with the item of the other iterator at the same index. The further items of
    /// the longer iterator are dropped.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// let dot: i32 = [1, 2, 3].par_iter().zip(&[4, 5, 6]).map(|(a, b)| a * b).sum();
    /// assert_eq!(dot, 32);
    /// ```
    fn zip<Z>(self, other: Z) -> Zip<Self, Z::Iter>
    where
        Z: IntoParallelIterator<Iter: IndexedParallelIterator>,
    {
        Zip { a: self, b: other.into_par_iter() }
    }

    /// Pairs items like [`zip`](Self::zip), and requires that both iterators have the same length.
    ///
    /// # Panics
    ///
    /// Panics when the lengths differ.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// assert_eq!([1, 2].par_iter().zip_eq(&[3, 4]).count(), 2);
    /// ```
    #[track_caller]
    fn zip_eq<Z>(self, other: Z) -> ZipEq<Self, Z::Iter>
    where
        Z: IntoParallelIterator<Iter: IndexedParallelIterator>,
    {
        let zip = self.zip(other);
        let (a, b) = (zip.a.len(), zip.b.len());
        assert!(a == b, "zip_eq: the iterators have {a} and {b} items, but must have equally many");
        zip
    }

    /// Reverses the order of the items.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// assert_eq!((0..3).into_par_iter().rev().collect::<Vec<_>>(), [2, 1, 0]);
    /// ```
    fn rev(self) -> Rev<Self> {
        Rev { base: self }
    }

    /// Yields the first `n` items, or all if there are fewer. The other items are dropped.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// assert_eq!((0..10).into_par_iter().take(2).collect::<Vec<_>>(), [0, 1]);
    /// ```
    fn take(self, n: usize) -> Take<Self> {
        Take { base: self, n }
    }

    /// Yields all items except the first `n`, which are dropped.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// assert_eq!((0..10).into_par_iter().skip(8).collect::<Vec<_>>(), [8, 9]);
    /// ```
    fn skip(self, n: usize) -> Skip<Self> {
        Skip { base: self, n }
    }

    /// Yields the first item and every `step`-th item after it. The items in between are produced
    /// and dropped.
    ///
    /// # Panics
    ///
    /// Panics when `step` is 0.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// assert_eq!((0..10).into_par_iter().step_by(4).collect::<Vec<_>>(), [0, 4, 8]);
    /// ```
    #[track_caller]
    fn step_by(self, step: usize) -> StepBy<Self> {
        assert!(step > 0, "step_by: `step` is 0, but a step goes at least one item on");
        StepBy { base: self, step }
    }

    /// Yields vectors of `size` neighbouring items. The last one may be shorter. For slices,
    /// [`par_chunks`](super::ParallelSlice::par_chunks) does the same without an allocation.
    ///
    /// # Panics
    ///
    /// Panics when `size` is 0.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// assert_eq!((0..5).into_par_iter().chunks(2).collect::<Vec<_>>(), [vec![0, 1], vec![2, 3], vec![4]]);
    /// ```
    #[track_caller]
    fn chunks(self, size: usize) -> Chunks<Self> {
        assert!(size > 0, "chunks: `size` is 0, but a chunk has at least one item");
        Chunks { base: self, size }
    }

    /// Folds each run of `size` neighbouring items, and yields the results. The last run may be
    /// shorter.
    ///
    /// # Panics
    ///
    /// Panics when `size` is 0.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// assert_eq!((1..6).into_par_iter().fold_chunks(2, || 0, |sum, n| sum + n).collect::<Vec<_>>(), [3, 7, 5]);
    /// ```
    #[track_caller]
    fn fold_chunks<T, ID, F>(self, size: usize, identity: ID, fold_op: F) -> FoldChunks<Self, ID, F>
    where
        ID: Fn() -> T + Sync + Send,
        F: Fn(T, Self::Item) -> T + Sync + Send,
        T: Send,
    {
        assert!(size > 0, "fold_chunks: `size` is 0, but a chunk has at least one item");
        self.chunks(size).adapt(FoldChunksOp { identity, fold_op })
    }

    /// Folds like [`fold_chunks`](Self::fold_chunks). Each run starts from a clone of `init`.
    ///
    /// # Panics
    ///
    /// Panics when `size` is 0.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// let words: Vec<String> = ["to", "be", "or"]
    ///     .par_iter()
    ///     .fold_chunks_with(2, String::from("-"), |text, word| text + word)
    ///     .collect();
    /// assert_eq!(words, ["-tobe", "-or"]);
    /// ```
    #[track_caller]
    fn fold_chunks_with<T, F>(self, size: usize, init: T, fold_op: F) -> FoldChunksWith<Self, T, F>
    where
        T: Send + Clone,
        F: Fn(T, Self::Item) -> T + Sync + Send,
    {
        assert!(size > 0, "fold_chunks_with: `size` is 0, but a chunk has at least one item");
        self.chunks(size).adapt(FoldChunksOp { identity: Cloner::new(init), fold_op })
    }

    /// Processes the items in blocks of `block_size` neighbouring items, one block after the other.
    /// All workers share a block, and it ends before the next block begins. The last block may be
    /// shorter.
    ///
    /// This helps if a search is likely to end early, or if the memory of one block fits into a
    /// cache. Each block is a separate loop, with a wait at its end.
    ///
    /// # Panics
    ///
    /// Panics when `block_size` is 0.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// let found = (0..1000).into_par_iter().by_uniform_blocks(100).find_any(|n| n % 7 == 3);
    /// assert!(found.is_some_and(|n| n < 100));
    /// ```
    #[track_caller]
    fn by_uniform_blocks(self, block_size: usize) -> UniformBlocks<Self> {
        assert!(block_size > 0, "by_uniform_blocks: `block_size` is 0, but a block has at least one item");
        UniformBlocks { base: self, block_size }
    }

    /// Processes the items in blocks like [`by_uniform_blocks`](Self::by_uniform_blocks), with
    /// blocks that grow. The first block has one item for each thread of the pool. Each further
    /// block has twice as many items as the one before. So the grouping of floats depends on the
    /// number of threads, even with [`deterministic`](ParallelIterator::deterministic).
    ///
    /// ```
    /// use taskel::prelude::*;
    /// let found = (0..1_000_000_000).into_par_iter().by_exponential_blocks().find_first(|&n| n > 20);
    /// assert_eq!(found, Some(21));
    /// ```
    fn by_exponential_blocks(self) -> ExponentialBlocks<Self> {
        ExponentialBlocks { base: self }
    }

    /// Yields an item of this iterator, an item of the other one, and so on; then the rest of the
    /// longer one.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// assert_eq!([1, 2, 3].into_par_iter().interleave([7]).collect::<Vec<_>>(), [1, 7, 2, 3]);
    /// ```
    fn interleave<B>(self, other: B) -> Interleave<Self, B::Iter>
    where
        B: IntoParallelIterator<Item = Self::Item, Iter: IndexedParallelIterator>,
    {
        Interleave { a: self, b: other.into_par_iter() }
    }

    /// Yields an item of this iterator, an item of the other one, and so on, until one of them has
    /// no more items.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// assert_eq!([1, 2, 3].into_par_iter().interleave_shortest([7]).collect::<Vec<_>>(), [1, 7, 2]);
    /// ```
    fn interleave_shortest<B>(self, other: B) -> InterleaveShortest<Self, B::Iter>
    where
        B: IntoParallelIterator<Item = Self::Item, Iter: IndexedParallelIterator>,
    {
        Interleave::shortest(self, other.into_par_iter())
    }

    /// Yields the indices of the items for which `predicate` holds.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// assert_eq!([3, 4, 5].par_iter().positions(|n| n % 2 == 1).collect::<Vec<_>>(), [0, 2]);
    /// ```
    fn positions<P>(self, predicate: P) -> Positions<Self, P>
    where
        P: Fn(Self::Item) -> bool + Sync + Send,
    {
        self.enumerate().adapt(PositionsOp(predicate))
    }

    /// Calls `report(done, total)` from time to time. `done` is the number of items that are done,
    /// `total` the number of all items. The call is made by a worker that has just ended a chunk.
    ///
    /// `report` is called at most some 20 times a second, one call at a time, and `done` never
    /// decreases. When the last item is done, and not earlier, there is one more call with `done ==
    /// total`. A loop without items makes no call. A loop that ends early (by a search, an error, a
    /// cancel or a panic) does not make the last call. The time in `report` does not count as time
    /// of the items. If `report` panics, the loop panics.
    ///
    /// This costs one atomic addition and one look at the clock for each chunk. (A `sum` of floats
    /// runs a chunk in pieces of 32 items, and pays for each piece.)
    ///
    /// ```
    /// use std::sync::Mutex;
    /// use taskel::prelude::*;
    /// let reports = Mutex::new(vec![]);
    /// let report = |done, total| reports.lock().unwrap().push((done, total));
    /// (0..1000).into_par_iter().progress_with(report).for_each(|_| ());
    /// assert_eq!(reports.into_inner().unwrap().last(), Some(&(1000, 1000)));
    /// ```
    fn progress_with<F>(self, report: F) -> Progress<Self, F>
    where
        F: Fn(usize, usize) + Sync + Send,
    {
        let total = self.len();
        self.adapt(ProgressOp::new(total, report))
    }

    /// Returns the index of some item for which `predicate` holds. The loop ends when there is one.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// assert_eq!([3, 4, 5].par_iter().position_any(|&n| n == 4), Some(1));
    /// ```
    #[track_caller]
    fn position_any<P>(self, predicate: P) -> Option<usize>
    where
        P: Fn(Self::Item) -> bool + Sync + Send,
    {
        self.positions(predicate).find_any(|_| true)
    }

    /// Returns the index of the first item for which `predicate` holds. Items behind one that was
    /// found are skipped.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// assert_eq!([3, 4, 4].par_iter().position_first(|&n| n == 4), Some(1));
    /// ```
    #[track_caller]
    fn position_first<P>(self, predicate: P) -> Option<usize>
    where
        P: Fn(Self::Item) -> bool + Sync + Send,
    {
        self.positions(predicate).find_first(|_| true)
    }

    /// Returns the index of the last item for which `predicate` holds.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// assert_eq!([3, 4, 4].par_iter().position_last(|&n| n == 4), Some(2));
    /// ```
    #[track_caller]
    fn position_last<P>(self, predicate: P) -> Option<usize>
    where
        P: Fn(Self::Item) -> bool + Sync + Send,
    {
        self.positions(predicate).find_last(|_| true)
    }

    /// Collects the items into `target`. Its former items are dropped. Its memory is reused if
    /// there is enough of it.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// let mut target = vec![7];
    /// (0..3).into_par_iter().collect_into_vec(&mut target);
    /// assert_eq!(target, [0, 1, 2]);
    /// ```
    #[track_caller]
    fn collect_into_vec(self, target: &mut Vec<Self::Item>) {
        target.clear();
        extend_exact(target, &self.into_producer());
    }

    /// Collects the first and the second parts of the pairs into two vectors, as
    /// [`collect_into_vec`](Self::collect_into_vec) does.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// let (mut a, mut b) = (Vec::new(), Vec::new());
    /// ["x", "y"].par_iter().enumerate().unzip_into_vecs(&mut a, &mut b);
    /// assert_eq!((a, b), (vec![0, 1], vec![&"x", &"y"]));
    /// ```
    #[track_caller]
    fn unzip_into_vecs<A, B>(self, left: &mut Vec<A>, right: &mut Vec<B>)
    where
        Self: IndexedParallelIterator<Item = (A, B)>,
        A: Send,
        B: Send,
    {
        left.clear();
        right.clear();
        unzip_exact(&self.into_producer(), left, right);
    }

    /// Compares the items with those of `other`, like [`Iterator::cmp`]. The loop ends when the
    /// result is known.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// assert!([1, 2].par_iter().cmp(&[1, 3]).is_lt());
    /// ```
    #[track_caller]
    fn cmp<I>(self, other: I) -> Ordering
    where
        I: IntoParallelIterator<Item = Self::Item, Iter: IndexedParallelIterator>,
        Self::Item: Ord,
    {
        let zip = self.zip(other);
        let lengths = zip.a.len().cmp(&zip.b.len());
        zip.map(|(a, b)| a.cmp(&b)).find_first(|order| order.is_ne()).unwrap_or(lengths)
    }

    /// Compares the items with those of `other`, like [`Iterator::partial_cmp`].
    ///
    /// ```
    /// use taskel::prelude::*;
    /// assert_eq!([1.0, f64::NAN].par_iter().partial_cmp(&[1.0, 0.0]), None);
    /// ```
    #[track_caller]
    fn partial_cmp<I>(self, other: I) -> Option<Ordering>
    where
        I: IntoParallelIterator<Iter: IndexedParallelIterator>,
        Self::Item: PartialOrd<I::Item>,
    {
        let zip = self.zip(other);
        let lengths = zip.a.len().cmp(&zip.b.len());
        let orders = zip.map(|(a, b)| a.partial_cmp(&b));
        orders.find_first(|&order| order != Some(Ordering::Equal)).unwrap_or(Some(lengths))
    }

    /// Tests whether the items equal those of `other`.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// assert!([1, 2].par_iter().eq(&[1, 2]));
    /// ```
    #[track_caller]
    fn eq<I>(self, other: I) -> bool
    where
        I: IntoParallelIterator<Iter: IndexedParallelIterator>,
        Self::Item: PartialEq<I::Item>,
    {
        let zip = self.zip(other);
        zip.a.len() == zip.b.len() && zip.all(|(a, b)| a.eq(&b))
    }

    /// Tests whether the items do not equal those of `other`.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// assert!([1, 2].par_iter().ne(&[1]));
    /// ```
    #[track_caller]
    fn ne<I>(self, other: I) -> bool
    where
        I: IntoParallelIterator<Iter: IndexedParallelIterator>,
        Self::Item: PartialEq<I::Item>,
    {
        !self.eq(other)
    }

    /// Tests whether the items are less than those of `other`, in lexicographic order.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// assert!([1, 2].par_iter().lt(&[1, 3]));
    /// ```
    #[track_caller]
    fn lt<I>(self, other: I) -> bool
    where
        I: IntoParallelIterator<Iter: IndexedParallelIterator>,
        Self::Item: PartialOrd<I::Item>,
    {
        self.partial_cmp(other).is_some_and(Ordering::is_lt)
    }

    /// Tests whether the items are less than or equal to those of `other`, in lexicographic order.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// assert!([1, 2].par_iter().le(&[1, 2]));
    /// ```
    #[track_caller]
    fn le<I>(self, other: I) -> bool
    where
        I: IntoParallelIterator<Iter: IndexedParallelIterator>,
        Self::Item: PartialOrd<I::Item>,
    {
        self.partial_cmp(other).is_some_and(Ordering::is_le)
    }

    /// Tests whether the items are greater than those of `other`, in lexicographic order.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// assert!([2].par_iter().gt(&[1, 3]));
    /// ```
    #[track_caller]
    fn gt<I>(self, other: I) -> bool
    where
        I: IntoParallelIterator<Iter: IndexedParallelIterator>,
        Self::Item: PartialOrd<I::Item>,
    {
        self.partial_cmp(other).is_some_and(Ordering::is_gt)
    }

    /// Tests whether the items are greater than or equal to those of `other`, in lexicographic
    /// order.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// assert!([2].par_iter().ge(&[2]));
    /// ```
    #[track_caller]
    fn ge<I>(self, other: I) -> bool
    where
        I: IntoParallelIterator<Iter: IndexedParallelIterator>,
        Self::Item: PartialOrd<I::Item>,
    {
        self.partial_cmp(other).is_some_and(Ordering::is_ge)
    }

    /// Keeps at least `min` neighbouring items together, if there are as many. This is rarely
    /// useful, because chunks are sized by measurement.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// let sum: i32 = (0..1000).into_par_iter().with_min_len(100).sum();
    /// assert_eq!(sum, 499_500);
    /// ```
    fn with_min_len(self, min: usize) -> MinLen<Self> {
        Tuned { base: self, options: Options { min_len: min, ..Options::default() } }
    }

    /// Claims at most `max` neighbouring items at once. 0 counts as 1. If
    /// [`with_min_len`](Self::with_min_len) keeps more items together, that counts.
    /// [`fold`](ParallelIterator::fold) puts at most as many items into one result, unless it is
    /// [`deterministic`](ParallelIterator::deterministic).
    ///
    /// ```
    /// use taskel::prelude::*;
    /// let sum: i32 = (0..1000).into_par_iter().with_max_len(8).sum();
    /// assert_eq!(sum, 499_500);
    /// ```
    fn with_max_len(self, max: usize) -> MaxLen<Self> {
        Tuned { base: self, options: Options { max_len: max.max(1), ..Options::default() } }
    }
}
