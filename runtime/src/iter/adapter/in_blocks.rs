//! `by_uniform_blocks`, `by_exponential_blocks`: blocks that are separate loops, one after the
//! other.

use std::iter;
use std::ops::{ControlFlow, Range};

use super::forward_to_base;
use crate::engine::drive_inner;
use crate::engine::options::Options;
use crate::engine::producer::{Claimed, IndexedProducer, Producer, Receiver};
use crate::iter::{IndexedParallelIterator, ParallelIterator};
use crate::sched::pool::current_num_threads;

/// Made by [`by_uniform_blocks`](IndexedParallelIterator::by_uniform_blocks).
#[derive(Clone, Debug)]
#[must_use = "iterators do nothing until they are consumed"]
pub struct UniformBlocks<I> {
    pub(crate) base: I,
    /// At least 1.
    pub(crate) block_size: usize,
}

/// Made by [`by_exponential_blocks`](IndexedParallelIterator::by_exponential_blocks).
#[derive(Clone, Debug)]
#[must_use = "iterators do nothing until they are consumed"]
pub struct ExponentialBlocks<I> {
    pub(crate) base: I,
}

impl<I: IndexedParallelIterator> ParallelIterator for UniformBlocks<I> {
    type Item = I::Item;
    type Producer = BlocksProducer<I::Producer>;

    fn into_producer(self) -> Self::Producer {
        BlocksProducer::new(self.base.into_producer(), self.block_size, 1)
    }
}

impl<I: IndexedParallelIterator> ParallelIterator for ExponentialBlocks<I> {
    type Item = I::Item;
    type Producer = BlocksProducer<I::Producer>;

    fn into_producer(self) -> Self::Producer {
        let base = self.base.into_producer();
        let threads = base.options().install(current_num_threads);
        BlocksProducer::new(base, threads, 2)
    }
}

/// Hands out all blocks, one after the other, at a single index.
#[derive(Clone, Debug)]
pub struct BlocksProducer<P> {
    base: P,
    base_len: usize,
    first: usize,
    growth: usize,
}

impl<P: IndexedProducer> BlocksProducer<P> {
    fn new(base: P, first: usize, growth: usize) -> Self {
        BlocksProducer { base_len: base.len(), base, first, growth }
    }

    /// The base's, of all the indices here or of none.
    fn indices(&self, indices: Range<usize>) -> Range<usize> {
        if indices.is_empty() { 0..0 } else { 0..self.base_len }
    }
}

impl<P: IndexedProducer> Producer for BlocksProducer<P> {
    type Item = P::Item;
    type Local = P::Local;
    type Iter<'a>
        = P::IndexedIter<'a>
    where
        Self: 'a;
    const DETERMINISTIC: bool = P::DETERMINISTIC;
    const NESTS: bool = true;

    fn len(&self) -> usize {
        self.base_len.min(1)
    }

    /// What else is said of items, is said of those of a block.
    fn options(&self) -> Options<'_> {
        let Options { pool, cancel, over, .. } = self.base.options();
        Options { pool, cancel, over, ..Options::default() }
    }

    forward_to_base!(@state);

    unsafe fn chunk<'a>(&'a self, local: &'a mut Self::Local, indices: Range<usize>) -> Self::Iter<'a> {
        // SAFETY: all indices of the base belong to the single one here.
        unsafe { self.base.indexed_chunk(local, self.indices(indices)) }
    }

    unsafe fn feed<R: Receiver<P::Item>>(
        &self,
        _: &mut Self::Local,
        indices: Range<usize>,
        receiver: &mut R,
    ) -> ControlFlow<()> {
        // SAFETY: all indices of the base belong to the single one here.
        let mut rest = unsafe { Claimed::new(&self.base, self.indices(indices)) };
        let mut sizes = iter::successors(Some(self.first), |size| size.checked_mul(self.growth));
        while rest.len() > 0 {
            let block = rest.split_off(sizes.next().unwrap_or(usize::MAX));
            drive_inner(Block { base: &self.base, indices: block.release() }, receiver)?;
        }
        ControlFlow::Continue(())
    }

    unsafe fn discard(&self, indices: Range<usize>) {
        // SAFETY: all indices of the base belong to the single one here.
        unsafe { self.base.discard(self.indices(indices)) }
    }
}

/// Hands out the items of a block.
#[derive(Debug)]
pub struct Block<'a, P> {
    base: &'a P,
    /// Of the base, for this block alone.
    indices: Range<usize>,
}

impl<P> Block<'_, P> {
    fn shift(&self, indices: Range<usize>) -> Range<usize> {
        self.indices.start + indices.start..self.indices.start + indices.end
    }
}

impl<P: IndexedProducer> Producer for Block<'_, P> {
    type Item = P::Item;
    type Local = P::Local;
    type Iter<'b>
        = P::IndexedIter<'b>
    where
        Self: 'b;

    forward_to_base!(indexed, other places);

    fn len(&self) -> usize {
        self.indices.len()
    }

    #[inline]
    unsafe fn chunk<'b>(&'b self, local: &'b mut Self::Local, indices: Range<usize>) -> Self::Iter<'b> {
        // SAFETY: the same demands, moved.
        unsafe { self.base.indexed_chunk(local, self.shift(indices)) }
    }

    unsafe fn discard(&self, indices: Range<usize>) {
        // SAFETY: the same demands, moved.
        unsafe { self.base.discard(self.shift(indices)) }
    }
}
