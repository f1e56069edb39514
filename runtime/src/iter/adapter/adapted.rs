//! Adapters that wrap the sequential iterator of each chunk, which most do. The code that they
//! share is here.

use std::ops::{ControlFlow, Range};

use super::behind::Through;
use crate::engine::options::Options;
use crate::engine::producer::{IndexedProducer, Producer, Receiver};
use crate::engine::watched::Lookout;
use crate::iter::{IndexedParallelIterator, ParallelIterator};

/// How many items an adapter yields for each item that it gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outputs {
    /// Exactly one.
    One,
    /// None or one.
    AtMostOne,
    /// Any number.
    Any,
}

/// An adapter, which wraps the sequential iterator over the items of a chunk.
///
/// Implement this trait for your own adapters. [`ParallelIterator::adapt`] applies them.
///
/// ```
/// use taskel::iter::{Adapt, Outputs};
/// use taskel::prelude::*;
///
/// /// Keeps every item that is even.
/// struct Evens;
///
/// impl Adapt<u32> for Evens {
///     type Output = u32;
///     type Local = ();
///     type Iter<'a, I: Iterator<Item = u32> + 'a> = std::iter::Filter<I, fn(&u32) -> bool>;
///     const OUTPUTS: Outputs = Outputs::AtMostOne;
///
///     fn local(&self) {}
///     fn adapt<'a, I: Iterator<Item = u32> + 'a>(&'a self, _: &'a mut (), items: I) -> Self::Iter<'a, I> {
///         items.filter(|n| n % 2 == 0)
///     }
/// }
///
/// assert_eq!((0..7).into_par_iter().adapt(Evens).collect::<Vec<_>>(), [0, 2, 4, 6]);
/// ```
pub trait Adapt<T>: Send + Sync {
    /// The type of the items that the adapter yields.
    type Output: Send;

    /// The state that one lane keeps from chunk to chunk of one loop.
    type Local;

    /// The wrapped iterator.
    type Iter<'a, I: Iterator<Item = T> + 'a>: Iterator<Item = Self::Output>
    where
        Self: 'a;

    /// How many items come out for each item that goes in. If the answer is too small, the loop
    /// panics; there is never undefined behaviour.
    const OUTPUTS: Outputs = Outputs::Any;

    /// Whether the adapter should get separate chunks even if one thread could take everything at
    /// once.
    const IN_PIECES: bool = false;

    /// Whether the adapter may ever be [full](Adapt::is_full).
    #[doc(hidden)]
    const ENDS_EARLY: bool = false;

    /// Makes the state for a lane that enters the loop.
    fn local(&self) -> Self::Local;

    /// Wraps the items of a chunk.
    fn adapt<'a, I: Iterator<Item = T> + 'a>(
        &'a self,
        local: &'a mut Self::Local,
        items: I,
    ) -> Self::Iter<'a, I>;

    /// Wraps the items of a chunk like [`adapt`](Adapt::adapt), for an adapter that makes many
    /// items of one and checks for an early end between them.
    #[doc(hidden)]
    #[inline]
    fn adapt_until<'a, I: Iterator<Item = T> + 'a>(
        &'a self,
        local: &'a mut Self::Local,
        items: I,
        lookout: &'a Lookout<'a>,
    ) -> Self::Iter<'a, I> {
        let _ = lookout;
        self.adapt(local, items)
    }

    /// Tells whether nothing more need be produced. The loop asks between chunks.
    fn is_full(&self) -> bool {
        false
    }
}

/// An adapter that keeps items in their places: exactly one item comes out for each item that goes
/// in, from either end.
///
/// [`OUTPUTS`](Adapt::OUTPUTS) must be [`Outputs::One`].
pub trait AdaptIndexed<T>: Adapt<T> {
    /// Like [`Adapt::Iter`], with both ends and a known length.
    type IndexedIter<'a, I: DoubleEndedIterator<Item = T> + ExactSizeIterator + 'a>: DoubleEndedIterator<Item = Self::Output>
        + ExactSizeIterator
    where
        Self: 'a;

    /// Like [`Adapt::adapt`].
    fn adapt_indexed<'a, I: DoubleEndedIterator<Item = T> + ExactSizeIterator + 'a>(
        &'a self,
        local: &'a mut Self::Local,
        items: I,
    ) -> Self::IndexedIter<'a, I>;
}

/// A parallel iterator with an adapter, made by [`adapt`](ParallelIterator::adapt) and most other
/// adapting methods.
#[derive(Clone, Debug)]
#[must_use = "iterators do nothing until they are consumed"]
pub struct Adapted<I, A> {
    pub(crate) base: I,
    pub(crate) adapter: A,
}

impl<I: ParallelIterator, A: Adapt<I::Item>> ParallelIterator for Adapted<I, A> {
    type Item = A::Output;
    type Producer = Adapted<I::Producer, A>;

    fn into_producer(self) -> Self::Producer {
        Adapted { base: self.base.into_producer(), adapter: self.adapter }
    }

    fn opt_len(&self) -> Option<usize> {
        if A::OUTPUTS == Outputs::One { self.base.opt_len() } else { None }
    }
}

impl<I: IndexedParallelIterator, A: AdaptIndexed<I::Item>> IndexedParallelIterator for Adapted<I, A> {
    fn len(&self) -> usize {
        self.base.len()
    }
}

impl<P: Producer, A: Adapt<P::Item>> Producer for Adapted<P, A> {
    type Item = A::Output;
    type Local = (P::Local, A::Local);
    type Iter<'a>
        = A::Iter<'a, P::Iter<'a>>
    where
        Self: 'a;
    const HAS_TAIL: bool = P::HAS_TAIL;
    const DETERMINISTIC: bool = P::DETERMINISTIC;
    const NESTS: bool = P::NESTS;
    const STEPS: bool = P::STEPS && !A::IN_PIECES && !matches!(A::OUTPUTS, Outputs::Any);
    const ENDS_EARLY: bool = P::ENDS_EARLY || A::ENDS_EARLY;
    const STATELESS: bool = P::STATELESS && size_of::<A::Local>() == 0;

    fn len(&self) -> usize {
        self.base.len()
    }

    fn options(&self) -> Options<'_> {
        let options = self.base.options();
        Options { in_pieces: options.in_pieces || A::IN_PIECES, ..options }
    }

    fn is_exact(&self) -> bool {
        A::OUTPUTS == Outputs::One && self.base.is_exact()
    }

    fn is_bounded(&self) -> bool {
        A::OUTPUTS != Outputs::Any && self.base.is_bounded()
    }

    fn is_full(&self) -> bool {
        self.adapter.is_full() || self.base.is_full()
    }

    fn local(&self) -> Self::Local {
        (self.base.local(), self.adapter.local())
    }

    #[inline]
    unsafe fn chunk<'a>(
        &'a self,
        (local, state): &'a mut Self::Local,
        indices: Range<usize>,
    ) -> Self::Iter<'a> {
        // SAFETY: the same demands.
        let items = unsafe { self.base.chunk(local, indices) };
        self.adapter.adapt(state, items)
    }

    #[inline]
    unsafe fn chunk_until<'a>(
        &'a self,
        (local, state): &'a mut Self::Local,
        indices: Range<usize>,
        lookout: &'a Lookout<'a>,
    ) -> Self::Iter<'a> {
        // SAFETY: the same demands.
        let items = unsafe { self.base.chunk_until(local, indices, lookout) };
        self.adapter.adapt_until(state, items, lookout)
    }

    #[inline]
    unsafe fn feed<R: Receiver<A::Output>>(
        &self,
        (local, state): &mut Self::Local,
        indices: Range<usize>,
        receiver: &mut R,
    ) -> ControlFlow<()> {
        let through = Through { adapter: &self.adapter, state, receiver };
        // SAFETY: the same demands.
        through.run(|through| unsafe { self.base.feed(local, indices, through) })
    }

    #[inline]
    fn next_item(&self, (local, _): &Self::Local, index: usize) -> usize {
        self.base.next_item(local, index)
    }

    unsafe fn discard(&self, indices: Range<usize>) {
        // SAFETY: the same demands.
        unsafe { self.base.discard(indices) }
    }
}

impl<P: IndexedProducer, A: AdaptIndexed<P::Item>> IndexedProducer for Adapted<P, A> {
    type IndexedIter<'a>
        = A::IndexedIter<'a, P::IndexedIter<'a>>
    where
        Self: 'a;

    #[inline]
    unsafe fn indexed_chunk<'a>(
        &'a self,
        (local, state): &'a mut Self::Local,
        indices: Range<usize>,
    ) -> Self::IndexedIter<'a> {
        // SAFETY: the same demands.
        let items = unsafe { self.base.indexed_chunk(local, indices) };
        self.adapter.adapt_indexed(state, items)
    }
}

/// Implements [`Adapt`] for an adapter without state, whose wrapped iterator is one of the standard
/// library's, and [`AdaptIndexed`] if it yields one item for each.
macro_rules! adapt {
    (impl[$($generics:tt)*] $Adapter:ty, $T:ty => $Output:ty, yields One where[$($bounds:tt)*]
     $($Iter:ident)::*<I $(, $Rest:ty)*>: |$this:ident, $items:ident| $wrap:expr) => {
        $crate::iter::adapter::adapted::adapt! {
            @any [$($generics)*] $Adapter, $T => $Output, One [$($bounds)*]
            [$($Iter)::*] [$(, $Rest)*] |$this, $items| $wrap
        }

        impl<$($generics)*> $crate::iter::AdaptIndexed<$T> for $Adapter where $($bounds)* {
            type IndexedIter<'a, I: DoubleEndedIterator<Item = $T> + ExactSizeIterator + 'a>
                = $($Iter)::*<I $(, $Rest)*>
            where
                Self: 'a;

            #[inline]
            fn adapt_indexed<'a, I: DoubleEndedIterator<Item = $T> + ExactSizeIterator + 'a>(
                &'a self,
                _: &'a mut (),
                $items: I,
            ) -> Self::IndexedIter<'a, I> {
                let $this = self;
                $wrap
            }
        }
    };
    (impl[$($generics:tt)*] $Adapter:ty, $T:ty => $Output:ty, yields $Outputs:ident where[$($bounds:tt)*]
     $($Iter:ident)::*<I $(, $Rest:ty)*>: |$this:ident, $items:ident| $wrap:expr) => {
        $crate::iter::adapter::adapted::adapt! {
            @any [$($generics)*] $Adapter, $T => $Output, $Outputs [$($bounds)*]
            [$($Iter)::*] [$(, $Rest)*] |$this, $items| $wrap
        }
    };
    (@any [$($generics:tt)*] $Adapter:ty, $T:ty => $Output:ty, $Outputs:ident [$($bounds:tt)*]
     [$($Iter:tt)*] [$($rest:tt)*] |$this:ident, $items:ident| $wrap:expr) => {
        impl<$($generics)*> $crate::iter::Adapt<$T> for $Adapter where $($bounds)* {
            type Output = $Output;
            type Local = ();
            type Iter<'a, I: Iterator<Item = $T> + 'a>
                = $($Iter)*<I $($rest)*>
            where
                Self: 'a;
            const OUTPUTS: $crate::iter::Outputs = $crate::iter::Outputs::$Outputs;

            fn local(&self) {}

            #[inline]
            fn adapt<'a, I: Iterator<Item = $T> + 'a>(
                &'a self,
                _: &'a mut (),
                $items: I,
            ) -> Self::Iter<'a, I> {
                let $this = self;
                $wrap
            }
        }
    };
}
pub(crate) use adapt;
