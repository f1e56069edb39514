//! Parallel iterators that know the place of each item.

use super::adapter::{Enumerate, Tuned, Zip};
use super::options::Options;
use super::{IndexedProducer, IntoParallelIterator, ParallelIterator};

/// A parallel iterator with a known number of items that can be reached by index.
#[expect(clippy::len_without_is_empty, reason = "rayon's trait has none, and `len() == 0` says the same")]
pub trait IndexedParallelIterator: ParallelIterator<Producer: IndexedProducer> {
    /// The number of items.
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

    /// Pairs each item with the other iterator's item of the same index, as far as both go. Items of the longer one beyond that
    /// are dropped.
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

    /// Keeps at least `min` neighbouring items together, but for the last few. Rarely of use: chunks are sized by measurement.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// let sum: i32 = (0..1000).into_par_iter().with_min_len(100).sum();
    /// assert_eq!(sum, 499_500);
    /// ```
    fn with_min_len(self, min: usize) -> Tuned<'static, Self> {
        Tuned { base: self, options: Options { min_len: min, ..Options::default() } }
    }

    /// Claims at most `max` neighbouring items at once, or as many as [`with_min_len`](Self::with_min_len) keeps together if
    /// that is more; 0 counts as 1.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// let sum: i32 = (0..1000).into_par_iter().with_max_len(8).sum();
    /// assert_eq!(sum, 499_500);
    /// ```
    fn with_max_len(self, max: usize) -> Tuned<'static, Self> {
        Tuned { base: self, options: Options { max_len: max.max(1), ..Options::default() } }
    }
}
