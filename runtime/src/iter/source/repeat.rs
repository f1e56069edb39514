//! The same item again and again, once, or not at all.

use std::marker::PhantomData;
use std::ops::Range;

use super::vec::VecIter;
use crate::iter::producer::{IndexedProducer, Producer};
use crate::iter::{IndexedParallelIterator, IntoParallelIterator, ParallelIterator};

/// Made by [`repeat`] and [`repeat_n`].
#[derive(Clone, Debug)]
pub struct Repeat<T> {
    item: T,
    len: usize,
}

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
pub fn repeat_n<T: Clone + Send + Sync>(item: T, len: usize) -> Repeat<T> {
    Repeat { item, len }
}

/// A single item.
///
/// ```
/// use taskel::prelude::*;
/// assert_eq!(taskel::iter::once(1).chain(5..7).collect::<Vec<_>>(), [1, 5, 6]);
/// ```
pub fn once<T: Send>(item: T) -> VecIter<T> {
    vec![item].into_par_iter()
}

/// No items.
///
/// ```
/// use taskel::prelude::*;
/// assert_eq!(taskel::iter::empty::<u32>().max(), None);
/// ```
pub fn empty<T: Send>() -> VecIter<T> {
    Vec::new().into_par_iter()
}

impl<T: Clone + Send + Sync> ParallelIterator for Repeat<T> {
    type Item = T;
    type Producer = Self;

    fn into_producer(self) -> Self {
        self
    }
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

/// Several iterators at once, made of a tuple of them.
///
/// ```
/// use taskel::prelude::*;
/// let sums: Vec<i32> = ([1, 2], [10, 20], [100, 200]).into_par_iter().map(|(a, b, c)| a + b + c).collect();
/// assert_eq!(sums, [111, 222]);
/// ```
#[derive(Clone, Debug)]
pub struct MultiZip<T, Z> {
    zipped: Z,
    _items: PhantomData<fn() -> T>,
}

impl<T, Z: IndexedParallelIterator<Item: Flat<T>>> ParallelIterator for MultiZip<T, Z>
where
    T: Send,
{
    type Item = T;
    type Producer = MultiZip<T, Z::Producer>;

    fn into_producer(self) -> Self::Producer {
        MultiZip { zipped: self.zipped.into_producer(), _items: PhantomData }
    }
}

impl<T: Send, Z: IndexedParallelIterator<Item: Flat<T>>> IndexedParallelIterator for MultiZip<T, Z> {
    fn len(&self) -> usize {
        self.zipped.len()
    }
}

impl<T: Send, Z: IndexedProducer<Item: Flat<T>>> Producer for MultiZip<T, Z> {
    type Item = T;
    type Local = Z::Local;
    type Iter<'a>
        = std::iter::Map<Z::IndexedIter<'a>, fn(Z::Item) -> T>
    where
        Self: 'a;
    const DETERMINISTIC: bool = Z::DETERMINISTIC;

    fn len(&self) -> usize {
        self.zipped.len()
    }

    fn options(&self) -> crate::iter::Options<'_> {
        self.zipped.options()
    }

    fn is_exact(&self) -> bool {
        true
    }

    fn is_full(&self) -> bool {
        self.zipped.is_full()
    }

    fn local(&self) -> Self::Local {
        self.zipped.local()
    }

    #[inline]
    unsafe fn chunk<'a>(&'a self, local: &'a mut Self::Local, indices: Range<usize>) -> Self::Iter<'a> {
        // SAFETY: the same demands.
        unsafe { self.indexed_chunk(local, indices) }
    }

    unsafe fn discard(&self, indices: Range<usize>) {
        // SAFETY: the same demands.
        unsafe { self.zipped.discard(indices) }
    }
}

impl<T: Send, Z: IndexedProducer<Item: Flat<T>>> IndexedProducer for MultiZip<T, Z> {
    type IndexedIter<'a>
        = std::iter::Map<Z::IndexedIter<'a>, fn(Z::Item) -> T>
    where
        Self: 'a;

    #[inline]
    unsafe fn indexed_chunk<'a>(
        &'a self,
        local: &'a mut Self::Local,
        indices: Range<usize>,
    ) -> Self::IndexedIter<'a> {
        // SAFETY: the same demands.
        unsafe { self.zipped.indexed_chunk(local, indices) }.map(Flat::flat)
    }
}

/// Pairs of pairs that stand for a tuple.
pub trait Flat<T> {
    /// Makes the tuple.
    fn flat(self) -> T;
}

/// Tuples of up to five iterators: pairs in pairs, made flat.
macro_rules! tuples {
    ($(($A:ident $B:ident $($More:ident)*) $nested:ty, $names:pat, $Zip:ty;)*) => {$(
        impl<$A, $B, $($More),*> Flat<($A, $B, $($More),*)> for $nested {
            #[inline]
            #[expect(non_snake_case, reason = "a value has the name of its type here")]
            fn flat(self) -> ($A, $B, $($More),*) {
                let $names = self;
                ($A, $B, $($More),*)
            }
        }

        impl<$A, $B, $($More),*> IntoParallelIterator for ($A, $B, $($More),*)
        where
            $A: IntoParallelIterator<Iter: IndexedParallelIterator>,
            $B: IntoParallelIterator<Iter: IndexedParallelIterator>,
            $($More: IntoParallelIterator<Iter: IndexedParallelIterator>,)*
        {
            type Iter = MultiZip<Self::Item, $Zip>;
            type Item = ($A::Item, $B::Item, $($More::Item),*);

            #[expect(non_snake_case, reason = "a value has the name of its type here")]
            fn into_par_iter(self) -> Self::Iter {
                let ($A, $B, $($More),*) = self;
                let zipped = $A.into_par_iter().zip($B)$(.zip($More))*;
                MultiZip { zipped, _items: PhantomData }
            }
        }
    )*};
}

type Pair<A, B> = crate::iter::Zip<A, <B as IntoParallelIterator>::Iter>;
type First<A> = <A as IntoParallelIterator>::Iter;

tuples! {
    (A B) (A, B), (A, B), Pair<First<A>, B>;
    (A B C) ((A, B), C), ((A, B), C), Pair<Pair<First<A>, B>, C>;
    (A B C D) (((A, B), C), D), (((A, B), C), D), Pair<Pair<Pair<First<A>, B>, C>, D>;
    (A B C D E) ((((A, B), C), D), E), ((((A, B), C), D), E), Pair<Pair<Pair<Pair<First<A>, B>, C>, D>, E>;
}
