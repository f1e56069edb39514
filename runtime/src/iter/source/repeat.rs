//! One item again and again, once, or not at all.

use std::ops::Range;

use super::vec::VecIter;
use crate::engine::producer::{IndexedProducer, Producer};
use crate::iter::{IndexedParallelIterator, IntoParallelIterator, ParallelIterator, known_len};

/// Made by [`repeat`] and [`repeat_n`].
#[derive(Clone, Debug)]
#[must_use = "iterators do nothing until they are consumed"]
pub struct Repeat<T> {
    item: T,
    len: usize,
}

/// Made by [`repeat_n`].
pub type RepeatN<T> = Repeat<T>;
/// Made by [`once`].
pub type Once<T> = VecIter<T>;
/// Made by [`empty`].
pub type Empty<T> = VecIter<T>;

/// `item`, for ever: more than any loop can get to the end of.
///
/// ```
/// use taskel::prelude::*;
/// let pairs: Vec<_> = (0..2).into_par_iter().zip(taskel::iter::repeat('x')).collect();
/// assert_eq!(pairs, [(0, 'x'), (1, 'x')]);
/// ```
pub fn repeat<T: Clone + Send + Sync>(item: T) -> Repeat<T> {
    Repeat { item, len: usize::MAX }
}

/// `item`, `len` times.
///
/// ```
/// use taskel::prelude::*;
/// assert_eq!(taskel::iter::repeat_n("na", 3).collect::<String>(), "nanana");
/// ```
pub fn repeat_n<T: Clone + Send + Sync>(item: T, len: usize) -> RepeatN<T> {
    Repeat { item, len }
}

/// A single item.
///
/// ```
/// use taskel::prelude::*;
/// assert_eq!(taskel::iter::once(1).chain(5..7).collect::<Vec<_>>(), [1, 5, 6]);
/// ```
pub fn once<T: Send>(item: T) -> Once<T> {
    vec![item].into_par_iter()
}

/// No items.
///
/// ```
/// use taskel::prelude::*;
/// assert_eq!(taskel::iter::empty::<u32>().max(), None);
/// ```
pub fn empty<T: Send>() -> Empty<T> {
    Vec::new().into_par_iter()
}

impl<T: Clone + Send + Sync> ParallelIterator for Repeat<T> {
    type Item = T;
    type Producer = Self;

    fn into_producer(self) -> Self {
        self
    }

    known_len!();
}

impl<T: Clone + Send + Sync> IndexedParallelIterator for Repeat<T> {
    fn len(&self) -> usize {
        self.len
    }
}

impl<T: Clone + Send + Sync> Producer for Repeat<T> {
    type Item = T;
    type Local = ();
    type Iter<'a>
        = Clones<'a, T>
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
        Clones { item: &self.item, indices }
    }
}

impl<T: Clone + Send + Sync> IndexedProducer for Repeat<T> {
    type IndexedIter<'a>
        = Clones<'a, T>
    where
        Self: 'a;

    #[inline]
    unsafe fn indexed_chunk<'a>(&'a self, _: &'a mut (), indices: Range<usize>) -> Self::IndexedIter<'a> {
        Clones { item: &self.item, indices }
    }
}

/// The sequential iterator of `repeat`.
#[derive(Clone, Debug)]
pub struct Clones<'a, T> {
    item: &'a T,
    indices: Range<usize>,
}

impl<T: Clone> Iterator for Clones<'_, T> {
    type Item = T;

    #[inline]
    fn next(&mut self) -> Option<T> {
        self.indices.next().map(|_| self.item.clone())
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        self.indices.size_hint()
    }
}

impl<T: Clone> DoubleEndedIterator for Clones<'_, T> {
    #[inline]
    fn next_back(&mut self) -> Option<T> {
        self.next()
    }
}

impl<T: Clone> ExactSizeIterator for Clones<'_, T> {}
