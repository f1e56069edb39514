//! `on`, `chunk`, `with_cancel_token`, `with_min_len`, `with_max_len`: these change how a loop
//! runs, not what it computes.

use std::ops::{ControlFlow, Range};

use crate::engine::around::Around;
use crate::engine::options::Options;
use crate::engine::producer::{IndexedProducer, Producer, Receiver};
use crate::engine::watched::Lookout;
use crate::iter::{IndexedParallelIterator, ParallelIterator};

/// Made by [`on`](ParallelIterator::on), [`chunk`](ParallelIterator::chunk),
/// [`with_cancel_token`](ParallelIterator::with_cancel_token),
/// [`with_min_len`](IndexedParallelIterator::with_min_len) and
/// [`with_max_len`](IndexedParallelIterator::with_max_len).
#[derive(Clone, Debug)]
#[must_use = "iterators do nothing until they are consumed"]
pub struct Tuned<'p, I> {
    pub(crate) base: I,
    pub(crate) options: Options<'p>,
}

/// Made by [`with_min_len`](IndexedParallelIterator::with_min_len).
pub type MinLen<I> = Tuned<'static, I>;
/// Made by [`with_max_len`](IndexedParallelIterator::with_max_len).
pub type MaxLen<I> = Tuned<'static, I>;
/// Made by [`panic_fuse`](ParallelIterator::panic_fuse).
pub type PanicFuse<I> = Tuned<'static, I>;

impl<'p, I: ParallelIterator> ParallelIterator for Tuned<'p, I> {
    type Item = I::Item;
    type Producer = Tuned<'p, I::Producer>;

    fn into_producer(self) -> Self::Producer {
        // What the base drops already, it drops on that pool.
        let base = self.options.install(|| self.base.into_producer());
        Tuned { base, options: self.options }
    }

    fn opt_len(&self) -> Option<usize> {
        self.base.opt_len()
    }
}

impl<I: IndexedParallelIterator> IndexedParallelIterator for Tuned<'_, I> {
    fn len(&self) -> usize {
        self.base.len()
    }
}

impl<P: Producer> Producer for Tuned<'_, P> {
    type Item = P::Item;
    type Local = P::Local;
    type Iter<'a>
        = P::Iter<'a>
    where
        Self: 'a;
    const HAS_TAIL: bool = P::HAS_TAIL;
    const DETERMINISTIC: bool = P::DETERMINISTIC;
    const NESTS: bool = P::NESTS;
    const STEPS: bool = P::STEPS;
    const ENDS_EARLY: bool = P::ENDS_EARLY;
    const STATELESS: bool = P::STATELESS;

    fn len(&self) -> usize {
        self.base.len()
    }

    /// What was said last counts most.
    fn options(&self) -> Options<'_> {
        self.options.and(self.base.options())
    }

    fn is_exact(&self) -> bool {
        self.base.is_exact()
    }

    fn is_bounded(&self) -> bool {
        self.base.is_bounded()
    }

    fn is_full(&self) -> bool {
        self.options.over.is_over() || self.base.is_full()
    }

    fn local(&self) -> Self::Local {
        self.base.local()
    }

    #[inline]
    unsafe fn chunk<'a>(&'a self, local: &'a mut Self::Local, indices: Range<usize>) -> Self::Iter<'a> {
        // SAFETY: the same demands.
        unsafe { self.base.chunk(local, indices) }
    }

    #[inline]
    unsafe fn chunk_until<'a>(
        &'a self,
        local: &'a mut Self::Local,
        indices: Range<usize>,
        lookout: &'a Lookout<'a>,
    ) -> Self::Iter<'a> {
        // SAFETY: the same demands.
        unsafe { self.base.chunk_until(local, indices, lookout) }
    }

    unsafe fn feed<R: Receiver<P::Item>>(
        &self,
        local: &mut Self::Local,
        indices: Range<usize>,
        receiver: &mut R,
    ) -> ControlFlow<()> {
        // SAFETY: the same demands.
        unsafe { self.base.feed(local, indices, receiver) }
    }

    #[inline]
    fn next_item(&self, local: &Self::Local, index: usize) -> usize {
        self.base.next_item(local, index)
    }

    unsafe fn discard(&self, indices: Range<usize>) {
        // SAFETY: the same demands.
        unsafe { self.base.discard(indices) }
    }
}

impl<P: IndexedProducer> IndexedProducer for Tuned<'_, P> {
    type IndexedIter<'a>
        = P::IndexedIter<'a>
    where
        Self: 'a;

    #[inline]
    unsafe fn indexed_chunk<'a>(
        &'a self,
        local: &'a mut Self::Local,
        indices: Range<usize>,
    ) -> Self::IndexedIter<'a> {
        // SAFETY: the same demands.
        unsafe { self.base.indexed_chunk(local, indices) }
    }
}
