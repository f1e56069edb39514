//! Collections that can be made from a parallel iterator, or extended by one.

mod pieces;
mod strings;
mod try_collect;
mod vec;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap, HashSet, LinkedList, VecDeque};
use std::hash::{BuildHasher, Hash};
use std::rc::Rc;
use std::sync::Arc;

use super::{Either, IntoParallelIterator, ParallelIterator};

pub(crate) use pieces::Pieces;
pub(crate) use vec::{collect_from, extend_exact, pieces, split, unzip_exact};

/// Collections that [`collect`](ParallelIterator::collect) can make.
///
/// ```
/// use taskel::iter::{FromParallelIterator, IntoParallelIterator, ParallelIterator};
///
/// struct Sorted(Vec<u32>);
///
/// impl FromParallelIterator<u32> for Sorted {
///     fn from_par_iter<I: IntoParallelIterator<Item = u32>>(items: I) -> Self {
///         let mut items: Vec<u32> = items.into_par_iter().collect();
///         items.sort_unstable();
///         Sorted(items)
///     }
/// }
///
/// let sorted: Sorted = [3, 1, 2].into_par_iter().collect();
/// assert_eq!(sorted.0, [1, 2, 3]);
/// ```
pub trait FromParallelIterator<T: Send> {
    /// Makes the collection, in the order of the items.
    #[track_caller]
    fn from_par_iter<I: IntoParallelIterator<Item = T>>(items: I) -> Self;
}

/// Collections that can be extended by the items of a parallel iterator.
/// [`unzip`](ParallelIterator::unzip) and [`partition`](ParallelIterator::partition) can make them,
/// too.
pub trait ParallelExtend<T: Send> {
    /// Adds the items, in their order.
    ///
    /// ```
    /// use taskel::prelude::*;
    ///
    /// let mut numbers = vec![1, 2];
    /// numbers.par_extend(3..6);
    /// assert_eq!(numbers, [1, 2, 3, 4, 5]);
    /// ```
    #[track_caller]
    fn par_extend<I: IntoParallelIterator<Item = T>>(&mut self, items: I);

    /// As `par_extend`, with items that are in a vector already.
    #[doc(hidden)]
    fn par_extend_vec(&mut self, items: Vec<T>) {
        self.par_extend(items);
    }
}

/// Implements both traits for collections that are extended item by item, which happens on one
/// thread at the end.
macro_rules! extended_in_sequence {
    ($([$($generics:tt)*] $Collection:ty, $Item:ty $(where [$($bounds:tt)*])?;)*) => {$(
        impl<$($generics)*> FromParallelIterator<$Item> for $Collection $(where $($bounds)*)? {
            /// Each lane gathers what it processes; all of it is put into the collection at the
            /// end, by the calling thread.
            #[track_caller]
            fn from_par_iter<I_: IntoParallelIterator<Item = $Item>>(items: I_) -> Self {
                let mut collection = <$Collection>::default();
                collection.par_extend(items);
                collection
            }
        }

        impl<$($generics)*> ParallelExtend<$Item> for $Collection $(where $($bounds)*)? {
            #[track_caller]
            fn par_extend<I_: IntoParallelIterator<Item = $Item>>(&mut self, items: I_) {
                pieces(items).into_iter().for_each(|piece| self.extend(piece));
            }

            fn par_extend_vec(&mut self, items: Vec<$Item>) {
                self.extend(items);
            }
        }
    )*};
}

extended_in_sequence! {
    [T: Send] LinkedList<T>, T;
    [T: Send + Ord] BTreeSet<T>, T;
    [T: Send + Eq + Hash, S: BuildHasher + Default] HashSet<T, S>, T;
    [K: Send + Ord, V: Send] BTreeMap<K, V>, (K, V);
    [K: Send + Eq + Hash, V: Send, S: BuildHasher + Default] HashMap<K, V, S>, (K, V);
    ['a, T: Copy + Send + Sync] LinkedList<T>, &'a T where [T: 'a];
    ['a, T: Copy + Send + Sync + Ord] BTreeSet<T>, &'a T where [T: 'a];
    ['a, T: Copy + Send + Sync + Eq + Hash, S: BuildHasher + Default] HashSet<T, S>, &'a T where [T: 'a];
    ['a, K: Copy + Send + Sync + Ord, V: Copy + Send + Sync] BTreeMap<K, V>, (&'a K, &'a V)
        where [K: 'a, V: 'a];
    ['a, K: Copy + Send + Sync + Eq + Hash, V: Copy + Send + Sync, S: BuildHasher + Default]
        HashMap<K, V, S>, (&'a K, &'a V) where [K: 'a, V: 'a];
    ['a, T: Copy + Send + Sync] VecDeque<T>, &'a T where [T: 'a];
    ['a, T: Copy + Send + Sync + Ord] BinaryHeap<T>, &'a T where [T: 'a];
}

/// Implements `FromParallelIterator` for what a vector turns into.
macro_rules! made_of_a_vec {
    ($([$($generics:tt)*] $Collection:ty, $Item:ty, $make:expr;)*) => {$(
        impl<$($generics)*> FromParallelIterator<$Item> for $Collection {
            /// Collects into a vector, and turns that into the collection.
            #[track_caller]
            fn from_par_iter<I_: IntoParallelIterator<Item = $Item>>(items: I_) -> Self {
                let make: fn(Vec<$Item>) -> Self = $make;
                make(Vec::from_par_iter(items))
            }
        }
    )*};
}

made_of_a_vec! {
    [T: Send] VecDeque<T>, T, VecDeque::from;
    [T: Send + Ord] BinaryHeap<T>, T, BinaryHeap::from;
    [T: Send] Box<[T]>, T, Vec::into_boxed_slice;
    [T: Send] Rc<[T]>, T, Rc::from;
    [T: Send] Arc<[T]>, T, Arc::from;
}

impl<'a, C, T> FromParallelIterator<T> for Cow<'a, C>
where
    C: ToOwned<Owned: FromParallelIterator<T>> + ?Sized,
    T: Send,
{
    /// Owned, whatever the items are.
    #[track_caller]
    fn from_par_iter<I: IntoParallelIterator<Item = T>>(items: I) -> Self {
        Cow::Owned(C::Owned::from_par_iter(items))
    }
}

impl<L, R, T> ParallelExtend<T> for Either<L, R>
where
    L: ParallelExtend<T>,
    R: ParallelExtend<T>,
    T: Send,
{
    /// Extends the collection that it is.
    #[track_caller]
    fn par_extend<I: IntoParallelIterator<Item = T>>(&mut self, items: I) {
        match self {
            Either::Left(left) => left.par_extend(items),
            Either::Right(right) => right.par_extend(items),
        }
    }
}

impl<T: Send> ParallelExtend<T> for VecDeque<T> {
    #[track_caller]
    fn par_extend<I: IntoParallelIterator<Item = T>>(&mut self, items: I) {
        self.par_extend_vec(Vec::from_par_iter(items));
    }

    fn par_extend_vec(&mut self, items: Vec<T>) {
        self.append(&mut VecDeque::from(items));
    }
}

impl<T: Send + Ord> ParallelExtend<T> for BinaryHeap<T> {
    #[track_caller]
    fn par_extend<I: IntoParallelIterator<Item = T>>(&mut self, items: I) {
        self.par_extend_vec(Vec::from_par_iter(items));
    }

    fn par_extend_vec(&mut self, items: Vec<T>) {
        self.append(&mut BinaryHeap::from(items));
    }
}

impl FromParallelIterator<()> for () {
    /// Runs the iterator; of use in a `Result<(), E>`.
    #[track_caller]
    fn from_par_iter<I: IntoParallelIterator<Item = ()>>(items: I) {
        items.into_par_iter().for_each(|()| ());
    }
}

impl ParallelExtend<()> for () {
    #[track_caller]
    fn par_extend<I: IntoParallelIterator<Item = ()>>(&mut self, items: I) {
        items.into_par_iter().for_each(|()| ());
    }
}

impl<A, B, FromA, FromB> FromParallelIterator<(A, B)> for (FromA, FromB)
where
    A: Send,
    B: Send,
    FromA: Send + Default + ParallelExtend<A>,
    FromB: Send + Default + ParallelExtend<B>,
{
    /// As [`unzip`](ParallelIterator::unzip).
    #[track_caller]
    fn from_par_iter<I: IntoParallelIterator<Item = (A, B)>>(items: I) -> Self {
        items.into_par_iter().unzip()
    }
}

impl<A, B, FromA, FromB> ParallelExtend<(A, B)> for (FromA, FromB)
where
    A: Send,
    B: Send,
    FromA: Send + ParallelExtend<A>,
    FromB: Send + ParallelExtend<B>,
{
    #[track_caller]
    fn par_extend<I: IntoParallelIterator<Item = (A, B)>>(&mut self, items: I) {
        let (a, b) = vec::unzip(items);
        self.0.par_extend_vec(a);
        self.1.par_extend_vec(b);
    }
}

impl<L, R, FromL, FromR> FromParallelIterator<Either<L, R>> for (FromL, FromR)
where
    L: Send,
    R: Send,
    FromL: Send + Default + ParallelExtend<L>,
    FromR: Send + Default + ParallelExtend<R>,
{
    /// As [`partition_map`](ParallelIterator::partition_map).
    #[track_caller]
    fn from_par_iter<I: IntoParallelIterator<Item = Either<L, R>>>(items: I) -> Self {
        items.into_par_iter().partition_map(|item| item)
    }
}

impl<L, R, FromL, FromR> ParallelExtend<Either<L, R>> for (FromL, FromR)
where
    L: Send,
    R: Send,
    FromL: Send + ParallelExtend<L>,
    FromR: Send + ParallelExtend<R>,
{
    /// So that pairs and `Either` can be nested.
    ///
    /// ```
    /// use taskel::{iter::Either, prelude::*};
    /// let parity = |n: i32| if n % 2 == 0 { Either::Left(n) } else { Either::Right(n) };
    /// let (squares, (even, odd)): (Vec<_>, (Vec<_>, Vec<_>)) =
    ///     (0..5).into_par_iter().map(|n| (n * n, parity(n))).collect();
    /// assert_eq!((squares, even, odd), (vec![0, 1, 4, 9, 16], vec![0, 2, 4], vec![1, 3]));
    /// ```
    #[track_caller]
    fn par_extend<I: IntoParallelIterator<Item = Either<L, R>>>(&mut self, items: I) {
        let (left, right) =
            split(items.into_par_iter(), |(left, right): &mut (Pieces<L>, Pieces<R>), item| match item {
                Either::Left(item) => left.push(item),
                Either::Right(item) => right.push(item),
            });
        self.0.par_extend_vec(left);
        self.1.par_extend_vec(right);
    }
}
