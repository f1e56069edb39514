//! Reductions that are put together in the same way whoever runs what: over blocks of indices that depend on the length alone.

use std::ops::{ControlFlow, Range};

use super::{ChunkOf, CollectExact, Consumer};
use crate::drive::drive;
use crate::iter::options::{Chunk, Options};
use crate::iter::producer::{Claimed, Producer};

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
    consumer.finish(results.into_iter())
}

/// The results of a consumer for each block of its producer.
struct Blocks<'p, P, C> {
    base: &'p P,
    base_len: usize,
    size: usize,
    consumer: &'p C,
}

impl<'p, P: Producer, C: Consumer<P::Item>> Blocks<'p, P, C> {
    fn new(base: &'p P, consumer: &'p C) -> Self {
        let base_len = base.len();
        let size = base_len.div_ceil(BLOCKS).next_power_of_two().min(LONGEST_BLOCK);
        Blocks { base, base_len, size, consumer }
    }

    fn indices(&self, blocks: Range<usize>) -> Range<usize> {
        (blocks.start * self.size).min(self.base_len)..(blocks.end * self.size).min(self.base_len)
    }
}

impl<P: Producer, C: Consumer<P::Item>> Producer for Blocks<'_, P, C> {
    type Item = C::Segment;
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
        BlockResults { blocks: indices, left, size: self.size, local, consumer: self.consumer }
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
    size: usize,
    local: &'a mut P::Local,
    consumer: &'a C,
}

impl<P: Producer, C: Consumer<P::Item>> Iterator for BlockResults<'_, P, C> {
    type Item = C::Segment;

    fn next(&mut self) -> Option<C::Segment> {
        self.blocks.next()?;
        let block = self.left.split_off(self.size);
        let Range { start, end } = *block.indices();
        let mut flow = ControlFlow::Continue(self.consumer.begin(start));
        let mut feed = |flow, claimed| match flow {
            ControlFlow::Continue(segment) => {
                self.consumer.feed(segment, ChunkOf::new(claimed, &mut *self.local))
            }
            stopped => stopped,
        };
        if block.len() > 0 {
            flow = feed(flow, block);
        }
        if P::HAS_TAIL {
            // SAFETY: there are no indices in it.
            flow = feed(flow, unsafe { Claimed::new(self.left.producer(), end..end) });
        }
        let (ControlFlow::Continue(segment) | ControlFlow::Break(segment)) = flow;
        Some(segment)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.blocks.size_hint()
    }
}
