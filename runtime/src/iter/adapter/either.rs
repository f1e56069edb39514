//! One of two parallel iterators.

use std::ops::{ControlFlow, Range};

use either::for_both;

use crate::engine::options::Options;
use crate::engine::producer::{IndexedProducer, Producer, Receiver};
use crate::engine::watched::Lookout;
use crate::iter::{Either, IndexedParallelIterator, ParallelIterator};

/// Which of two iterators it is, is known when it is run.
///
/// ```
/// use taskel::{iter::Either, prelude::*};
/// let numbers = |backwards| {
///     let numbers = (0..3).into_par_iter();
///     if backwards { Either::Left(numbers.rev()) } else { Either::Right(numbers) }
/// };
/// assert_eq!(numbers(true).collect::<Vec<_>>(), [2, 1, 0]);
/// assert_eq!(numbers(false).collect::<Vec<_>>(), [0, 1, 2]);
/// ```
impl<L, R> ParallelIterator for Either<L, R>
where
    L: ParallelIterator,
    R: ParallelIterator<Item = L::Item>,
{
    type Item = L::Item;
    type Producer = Either<L::Producer, R::Producer>;

    fn into_producer(self) -> Self::Producer {
        self.map_either(L::into_producer, R::into_producer)
    }

    fn opt_len(&self) -> Option<usize> {
        for_both!(self, items => items.opt_len())
    }
}

impl<L, R> IndexedParallelIterator for Either<L, R>
where
    L: IndexedParallelIterator,
    R: IndexedParallelIterator<Item = L::Item>,
{
    fn len(&self) -> usize {
        for_both!(self, items => items.len())
    }
}

/// A side and what a lane keeps for it.
macro_rules! with_local {
    ($this:expr, $local:expr, |$side:ident, $of_side:ident| $call:expr) => {
        match ($this, $local) {
            (Either::Left($side), Either::Left($of_side)) => Either::Left($call),
            (Either::Right($side), Either::Right($of_side)) => Either::Right($call),
            _ => unreachable!("made by the same side"),
        }
    };
}

/// A constant is one for both: what asks more of the loop counts.
impl<L: Producer, R: Producer<Item = L::Item>> Producer for Either<L, R> {
    type Item = L::Item;
    type Local = Either<L::Local, R::Local>;
    type Iter<'a>
        = Either<L::Iter<'a>, R::Iter<'a>>
    where
        Self: 'a;
    const HAS_TAIL: bool = L::HAS_TAIL || R::HAS_TAIL;
    const DETERMINISTIC: bool = L::DETERMINISTIC || R::DETERMINISTIC;
    const NESTS: bool = L::NESTS || R::NESTS;
    const STEPS: bool = L::STEPS && R::STEPS;
    const ENDS_EARLY: bool = L::ENDS_EARLY || R::ENDS_EARLY;
    const STATELESS: bool = L::STATELESS && R::STATELESS;

    fn len(&self) -> usize {
        for_both!(self, side => side.len())
    }

    fn options(&self) -> Options<'_> {
        for_both!(self, side => side.options())
    }

    fn is_exact(&self) -> bool {
        for_both!(self, side => side.is_exact())
    }

    fn is_bounded(&self) -> bool {
        for_both!(self, side => side.is_bounded())
    }

    fn is_full(&self) -> bool {
        for_both!(self, side => side.is_full())
    }

    fn local(&self) -> Self::Local {
        self.as_ref().map_either(L::local, R::local)
    }

    #[inline]
    unsafe fn chunk<'a>(&'a self, local: &'a mut Self::Local, indices: Range<usize>) -> Self::Iter<'a> {
        // SAFETY: the same demands.
        with_local!(self, local, |side, local| unsafe { side.chunk(local, indices) })
    }

    #[inline]
    unsafe fn chunk_until<'a>(
        &'a self,
        local: &'a mut Self::Local,
        indices: Range<usize>,
        lookout: &'a Lookout<'a>,
    ) -> Self::Iter<'a> {
        // SAFETY: the same demands.
        with_local!(self, local, |side, local| unsafe { side.chunk_until(local, indices, lookout) })
    }

    #[inline]
    unsafe fn feed<S: Receiver<L::Item>>(
        &self,
        local: &mut Self::Local,
        indices: Range<usize>,
        receiver: &mut S,
    ) -> ControlFlow<()> {
        // SAFETY: the same demands.
        with_local!(self, local, |side, local| unsafe { side.feed(local, indices, receiver) }).into_inner()
    }

    #[inline]
    fn next_item(&self, local: &Self::Local, index: usize) -> usize {
        with_local!(self, local, |side, local| side.next_item(local, index)).into_inner()
    }

    unsafe fn discard(&self, indices: Range<usize>) {
        // SAFETY: the same demands.
        for_both!(self, side => unsafe { side.discard(indices) })
    }
}

impl<L: IndexedProducer, R: IndexedProducer<Item = L::Item>> IndexedProducer for Either<L, R> {
    type IndexedIter<'a>
        = Either<L::IndexedIter<'a>, R::IndexedIter<'a>>
    where
        Self: 'a;

    #[inline]
    unsafe fn indexed_chunk<'a>(
        &'a self,
        local: &'a mut Self::Local,
        indices: Range<usize>,
    ) -> Self::IndexedIter<'a> {
        // SAFETY: the same demands.
        with_local!(self, local, |side, local| unsafe { side.indexed_chunk(local, indices) })
    }
}
