//! Reductions that are put together in the same way whoever runs what: over blocks of indices that depend on the length alone.

use std::ops::{ControlFlow, Range};

use super::combine::InBlocks;
use super::{ChunkOf, CollectExact, Consumer};
use crate::drive::drive;
use crate::iter::options::{Chunk, Options};
use crate::iter::producer::{Claimed, Producer};
use crate::pool::with_pool;
use crate::sync::{AtomicU64, Ordering};

/// A block has at most this many indices: 64 KiB of `f64`.
const LONGEST_BLOCK: usize = 8192;

/// As long as blocks can be longer, there are at most this many: enough for a few hundred workers to share.
const BLOCKS: usize = 1024;

/// As `drive`, for a consumer whose result depends on where segments begin: if the producer is to be deterministic, each
/// block is a segment.
pub(crate) fn drive_in_order<P, C>(producer: &P, consumer: C) -> C::Output
where
    P: Producer,
    C: Consumer<P::Item>,
{
    if !P::DETERMINISTIC {
        return drive(producer, consumer);
    }
    let blocks = Blocks::new(producer, &consumer);
    let mut results = Vec::new();
    drive(&blocks, CollectExact::new(&mut results, blocks.len()));
    // What combines them in parallel does so on the same pool.
    with_pool(producer.options().pool, |_| consumer.finish(InBlocks::new(results)))
}

/// The results of a consumer for each block of its producer.
struct Blocks<'p, P, C> {
    base: &'p P,
    base_len: usize,
    size: usize,
    consumer: &'p C,
    /// The first block that ended everything, as far as that is known: a bound that saves work, and orders nothing (Relaxed).
    last: AtomicU64,
}

impl<'p, P: Producer, C: Consumer<P::Item>> Blocks<'p, P, C> {
    fn new(base: &'p P, consumer: &'p C) -> Self {
        let base_len = base.len();
        let size = base_len.div_ceil(BLOCKS).next_power_of_two().min(LONGEST_BLOCK);
        Blocks { base, base_len, size, consumer, last: AtomicU64::new(u64::MAX) }
    }

    fn indices(&self, blocks: Range<usize>) -> Range<usize> {
        (blocks.start * self.size).min(self.base_len)..(blocks.end * self.size).min(self.base_len)
    }
}

impl<P: Producer, C: Consumer<P::Item>> Producer for Blocks<'_, P, C> {
    /// `None` if it does not matter, for an earlier block has ended everything.
    type Item = Option<C::Segment>;
    type Local = P::Local;
    type Iter<'a>
        = BlockResults<'a, P, C>
    where
        Self: 'a;

    /// At least one, in which the tail of an empty loop is.
    fn len(&self) -> usize {
        self.base_len.div_ceil(self.size).max(1)
    }

    /// What was said about chunks was said about items.
    fn options(&self) -> Options<'_> {
        Options { chunk: Chunk::Auto, min_len: 0, max_len: 0, ..self.base.options() }
    }

    fn is_exact(&self) -> bool {
        true
    }

    fn local(&self) -> Self::Local {
        self.base.local()
    }

    unsafe fn chunk<'a>(&'a self, local: &'a mut Self::Local, indices: Range<usize>) -> Self::Iter<'a> {
        // SAFETY: different blocks have different indices of the base, within its length.
        let left = unsafe { Claimed::new(self.base, self.indices(indices.clone())) };
        BlockResults { blocks: indices, left, local, all: self }
    }

    unsafe fn discard(&self, indices: Range<usize>) {
        // SAFETY: different blocks have different indices of the base, within its length.
        unsafe { self.base.discard(self.indices(indices)) }
    }
}

/// Runs one block after the other.
struct BlockResults<'a, P: Producer, C> {
    blocks: Range<usize>,
    left: Claimed<'a, P>,
    local: &'a mut P::Local,
    all: &'a Blocks<'a, P, C>,
}

impl<P: Producer, C: Consumer<P::Item>> BlockResults<'_, P, C> {
    fn run(&mut self, block: Claimed<'_, P>) -> ControlFlow<C::Segment, C::Segment> {
        let Range { start, end } = *block.indices();
        let consumer = self.all.consumer;
        let mut segment = consumer.begin(start);
        if block.len() > 0 {
            segment = consumer.feed(segment, ChunkOf::new(block, &mut *self.local))?;
        }
        if P::HAS_TAIL {
            // SAFETY: there are no indices in it.
            let tail = unsafe { Claimed::new(self.all.base, end..end) };
            segment = consumer.feed(segment, ChunkOf::new(tail, &mut *self.local))?;
        }
        ControlFlow::Continue(segment)
    }
}

impl<P: Producer, C: Consumer<P::Item>> Iterator for BlockResults<'_, P, C> {
    type Item = Option<C::Segment>;

    fn next(&mut self) -> Option<Option<C::Segment>> {
        let index = self.blocks.next()? as u64;
        let block = self.left.split_off(self.all.size);
        if index > self.all.last.load(Ordering::Relaxed) {
            return Some(None);
        }
        let flow = self.run(block);
        if flow.is_break() {
            self.all.last.fetch_min(index, Ordering::Relaxed);
        }
        let (ControlFlow::Continue(segment) | ControlFlow::Break(segment)) = flow;
        Some(Some(segment))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.blocks.size_hint()
    }
}
