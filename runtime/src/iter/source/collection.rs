//! Collections that are not contiguous in memory. Their items, or references to them, are put into
//! a vector first.

use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap, HashSet, LinkedList, VecDeque};
use std::hash::{BuildHasher, Hash};

use super::slice::{SliceIter, SliceIterMut};
use super::vec::VecIter;
use crate::iter::{Chain, IntoParallelIterator, ParallelIterator};

macro_rules! through_a_vec {
    ($([$($generics:tt)*] $Collection:ty => $Item:ty;)*) => {$(
        impl<$($generics)*> IntoParallelIterator for $Collection {
            type Iter = VecIter<$Item>;
            type Item = $Item;

            /// Puts the items into a vector first, in the order of the sequential iterator.
            fn into_par_iter(self) -> Self::Iter {
                self.into_iter().collect::<Vec<_>>().into_par_iter()
            }
        }
    )*};
}

through_a_vec! {
    [T: Send] VecDeque<T> => T;
    [T: Send] LinkedList<T> => T;
    ['a, T: Sync] &'a LinkedList<T> => &'a T;
    ['a, T: Send] &'a mut LinkedList<T> => &'a mut T;
    [T: Send + Ord] BinaryHeap<T> => T;
    ['a, T: Sync + Ord] &'a BinaryHeap<T> => &'a T;
    [T: Send + Ord] BTreeSet<T> => T;
    ['a, T: Sync + Ord] &'a BTreeSet<T> => &'a T;
    [T: Send + Eq + Hash, S: BuildHasher] HashSet<T, S> => T;
    ['a, T: Sync + Eq + Hash, S: BuildHasher] &'a HashSet<T, S> => &'a T;
    [K: Send + Ord, V: Send] BTreeMap<K, V> => (K, V);
    ['a, K: Sync + Ord, V: Sync] &'a BTreeMap<K, V> => (&'a K, &'a V);
    ['a, K: Sync + Ord, V: Send] &'a mut BTreeMap<K, V> => (&'a K, &'a mut V);
    [K: Send + Eq + Hash, V: Send, S: BuildHasher] HashMap<K, V, S> => (K, V);
    ['a, K: Sync + Eq + Hash, V: Sync, S: BuildHasher] &'a HashMap<K, V, S> => (&'a K, &'a V);
    ['a, K: Sync + Eq + Hash, V: Send, S: BuildHasher] &'a mut HashMap<K, V, S> => (&'a K, &'a mut V);
    [T: Send] Option<T> => T;
    ['a, T: Sync] &'a Option<T> => &'a T;
    ['a, T: Send] &'a mut Option<T> => &'a mut T;
    [T: Send, E] Result<T, E> => T;
    ['a, T: Sync, E] &'a Result<T, E> => &'a T;
    ['a, T: Send, E] &'a mut Result<T, E> => &'a mut T;
}

impl<T: Send> IntoParallelIterator for Box<[T]> {
    type Iter = VecIter<T>;
    type Item = T;

    fn into_par_iter(self) -> Self::Iter {
        self.into_vec().into_par_iter()
    }
}

impl<'a, T: Sync> IntoParallelIterator for &'a Box<[T]> {
    type Iter = SliceIter<'a, T>;
    type Item = &'a T;

    fn into_par_iter(self) -> Self::Iter {
        (**self).into_par_iter()
    }
}

impl<'a, T: Send> IntoParallelIterator for &'a mut Box<[T]> {
    type Iter = SliceIterMut<'a, T>;
    type Item = &'a mut T;

    fn into_par_iter(self) -> Self::Iter {
        (**self).into_par_iter()
    }
}

impl<'a, T: Sync> IntoParallelIterator for &'a VecDeque<T> {
    type Iter = Chain<SliceIter<'a, T>, SliceIter<'a, T>>;
    type Item = &'a T;

    fn into_par_iter(self) -> Self::Iter {
        let (front, back) = self.as_slices();
        front.into_par_iter().chain(back)
    }
}

impl<'a, T: Send> IntoParallelIterator for &'a mut VecDeque<T> {
    type Iter = Chain<SliceIterMut<'a, T>, SliceIterMut<'a, T>>;
    type Item = &'a mut T;

    fn into_par_iter(self) -> Self::Iter {
        let (front, back) = self.as_mut_slices();
        front.into_par_iter().chain(back)
    }
}
