//! Tuples of up to twelve iterators.

use std::marker::PhantomData;
use std::ops::Range;

use crate::engine::options::Options;
use crate::engine::producer::{IndexedProducer, Producer};
use crate::iter::{IndexedParallelIterator, IntoParallelIterator, ParallelIterator, Zip, known_len};

/// Several iterators at once, made of a tuple of them.
///
/// ```
/// use taskel::prelude::*;
/// let sums: Vec<i32> = ([1, 2], [10, 20], [100, 200]).into_par_iter().map(|(a, b, c)| a + b + c).collect();
/// assert_eq!(sums, [111, 222]);
///
/// // By reference, too.
/// let (lengths, mut areas) = ([3, 4, 5], [0, 0, 0]);
/// (&lengths, &mut areas).into_par_iter().for_each(|(length, area)| *area = length * length);
/// let both = (lengths, areas);
/// assert!(both.par_iter().all(|(length, area)| area % length == 0));
/// ```
#[derive(Clone, Debug)]
#[must_use = "iterators do nothing until they are consumed"]
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

    known_len!();
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
    const STEPS: bool = Z::STEPS;

    fn len(&self) -> usize {
        self.zipped.len()
    }

    fn options(&self) -> Options<'_> {
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

/// Pairs of pairs that stand for a tuple. Nobody else can implement it, since it has no path from
/// outside.
#[allow(unreachable_pub, reason = "Rust 1.85 does not see that a bound reaches it")]
pub trait Flat<T> {
    /// Makes the tuple.
    fn flat(self) -> T;
}

/// A tuple of iterators, and references to tuples of collections: pairs in pairs, made flat.
macro_rules! tuple {
    ($A:ident $($More:ident)*; $nested:tt, $Zip:ty) => {
        impl<$A, $($More,)*> Flat<($A, $($More,)*)> for $nested {
            #[inline]
            #[expect(non_snake_case, reason = "a value has the name of its type here")]
            fn flat(self) -> ($A, $($More,)*) {
                let $nested = self;
                ($A, $($More,)*)
            }
        }

        impl<$A, $($More,)*> IntoParallelIterator for ($A, $($More,)*)
        where
            $A: IntoParallelIterator<Iter: IndexedParallelIterator>,
            $($More: IntoParallelIterator<Iter: IndexedParallelIterator>,)*
        {
            type Iter = MultiZip<Self::Item, $Zip>;
            type Item = ($A::Item, $($More::Item,)*);

            #[expect(non_snake_case, reason = "a value has the name of its type here")]
            fn into_par_iter(self) -> Self::Iter {
                let ($A, $($More,)*) = self;
                let zipped = $A.into_par_iter()$(.zip($More))*;
                MultiZip { zipped, _items: PhantomData }
            }
        }

        tuple! { @by_reference &'a ($A, $($More,)*), 'a: $A &'a $A, $($More &'a $More,)* }
        tuple! { @by_reference &'a mut ($A, $($More,)*), 'a: $A &'a mut $A, $($More &'a mut $More,)* }
    };
    (@by_reference $Tuple:ty, $a:lifetime: $($A:ident $Reference:ty,)*) => {
        impl<$a, $($A,)*> IntoParallelIterator for $Tuple
        where
            $($Reference: IntoParallelIterator<Iter: IndexedParallelIterator>,)*
        {
            type Iter = <($($Reference,)*) as IntoParallelIterator>::Iter;
            type Item = <($($Reference,)*) as IntoParallelIterator>::Item;

            #[expect(non_snake_case, reason = "a value has the name of its type here")]
            fn into_par_iter(self) -> Self::Iter {
                let ($($A,)*) = self;
                ($($A,)*).into_par_iter()
            }
        }
    };
}

/// Tuples of any length up to all of the names.
macro_rules! tuples {
    ($($A:ident)*; $nested:tt, $Zip:ty;) => {
        tuple! { $($A)*; $nested, $Zip }
    };
    ($($A:ident)*; $nested:tt, $Zip:ty; $Next:ident $($Later:ident)*) => {
        tuple! { $($A)*; $nested, $Zip }
        tuples! { $($A)* $Next; ($nested, $Next), Pair<$Zip, $Next>; $($Later)* }
    };
}

type Pair<A, B> = Zip<A, <B as IntoParallelIterator>::Iter>;
type First<A> = <A as IntoParallelIterator>::Iter;

tuples! { A; A, First<A>; B C D E F G H I J K L }
