//! The traits that turn a collection into a parallel iterator.

use std::ops::RangeBounds;

use super::ParallelIterator;

/// Types that turn into a parallel iterator by value.
pub trait IntoParallelIterator {
    /// The iterator.
    type Iter: ParallelIterator<Item = Self::Item>;
    /// Its items.
    type Item: Send;

    /// Makes the iterator.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// assert_eq!((1..=4).into_par_iter().product::<i32>(), 24);
    /// ```
    fn into_par_iter(self) -> Self::Iter;
}

impl<I: ParallelIterator> IntoParallelIterator for I {
    type Iter = I;
    type Item = I::Item;

    fn into_par_iter(self) -> I {
        self
    }
}

/// Collections with a parallel iterator over references.
pub trait IntoParallelRefIterator<'data> {
    /// The iterator.
    type Iter: ParallelIterator<Item = Self::Item>;
    /// Its items, references.
    type Item: Send + 'data;

    /// Makes the iterator.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// let words = ["work", "stealing"];
    /// assert_eq!(words.par_iter().map(|word| word.len()).sum::<usize>(), 12);
    /// ```
    fn par_iter(&'data self) -> Self::Iter;
}

impl<'data, I: 'data + ?Sized> IntoParallelRefIterator<'data> for I
where
    &'data I: IntoParallelIterator,
{
    type Iter = <&'data I as IntoParallelIterator>::Iter;
    type Item = <&'data I as IntoParallelIterator>::Item;

    fn par_iter(&'data self) -> Self::Iter {
        self.into_par_iter()
    }
}

/// Collections with a parallel iterator over mutable references.
pub trait IntoParallelRefMutIterator<'data> {
    /// The iterator.
    type Iter: ParallelIterator<Item = Self::Item>;
    /// Its items, mutable references.
    type Item: Send + 'data;

    /// Makes the iterator.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// let mut numbers = [1, 2, 3];
    /// numbers.par_iter_mut().for_each(|n| *n *= 10);
    /// assert_eq!(numbers, [10, 20, 30]);
    /// ```
    fn par_iter_mut(&'data mut self) -> Self::Iter;
}

impl<'data, I: 'data + ?Sized> IntoParallelRefMutIterator<'data> for I
where
    &'data mut I: IntoParallelIterator,
{
    type Iter = <&'data mut I as IntoParallelIterator>::Iter;
    type Item = <&'data mut I as IntoParallelIterator>::Item;

    fn par_iter_mut(&'data mut self) -> Self::Iter {
        self.into_par_iter()
    }
}

/// Collections that can be drained: a parallel iterator takes all items out. The collection stays,
/// is then empty, and keeps its memory.
pub trait ParallelDrainFull {
    /// The iterator.
    type Iter: ParallelIterator<Item = Self::Item>;
    /// Its items, those of the collection.
    type Item: Send;

    /// Makes the iterator. The items are gone, even if it is not run.
    ///
    /// ```
    /// use std::collections::HashSet;
    /// use taskel::prelude::*;
    /// let mut seen = HashSet::from([1, 2, 3]);
    /// assert_eq!(seen.par_drain().sum::<i32>(), 6);
    /// assert!(seen.is_empty());
    /// ```
    fn par_drain(self) -> Self::Iter;
}

/// Collections of which a part can be drained: a parallel iterator takes the items of a range out.
/// The collection stays, without that range.
pub trait ParallelDrainRange<Idx = usize> {
    /// The iterator.
    type Iter: ParallelIterator<Item = Self::Item>;
    /// Its items, those of the collection.
    type Item: Send;

    /// Makes the iterator. The items are gone, even if it is not run.
    ///
    /// # Panics
    ///
    /// Panics when the range begins behind its end, or ends behind the end of the collection. For a
    /// string, also panics when the range begins or ends inside a character.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// let mut numbers = vec![0, 1, 2, 3, 4];
    /// assert_eq!(numbers.par_drain(1..3).map(|n| 10 * n).collect::<Vec<_>>(), [10, 20]);
    /// assert_eq!(numbers, [0, 3, 4]);
    /// ```
    fn par_drain<R: RangeBounds<Idx>>(self, range: R) -> Self::Iter;
}
