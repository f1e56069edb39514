//! Reductions that are put together in the same way whoever runs what: over blocks of indices that depend on the length alone.

use std::mem;
use std::ops::{ControlFlow, Range};

use super::combine::InBlocks;
use super::push::{INSIDE, InnerLoop};
use super::{ChunkOf, CollectExact, Consumer, Push, Segments};
use crate::drive::drive;
use crate::iter::options::{Chunk, Options};
use crate::iter::producer::{Claimed, Producer};
use crate::pool::with_pool;
use crate::sync::{AtomicU64, Ordering};
use crate::unwind::OnDrop;

/// A block has at most this many indices: 64 KiB of `f64`.
const LONGEST_BLOCK: usize = 8192;

/// As long as blocks can be longer, there are at most this many: enough for a few hundred workers to share.
const BLOCKS: usize = 1024;

/// As `drive`, for a consumer whose result depends on where segments begin: if the producer is to be deterministic, each
/// block is a segment.
pub(crate) fn drive_in_order<P, C>(producer: &P, consumer: C) -> C::Output
where
    P: Producer,
    C: Push<P::Item>,
{
    if !P::DETERMINISTIC {
        return drive(producer, consumer);
    }
    let results = drive_in_blocks(producer, Ordered { consumer: &consumer, is_inside: false });
    // What combines them in parallel does so on the same pool.
    with_pool(producer.options().pool, |_| consumer.finish(results))
}

fn drive_in_blocks<P, C>(producer: &P, consumer: Ordered<'_, C>) -> InBlocks<C::Segment>
where
    P: Producer,
    C: Push<P::Item>,
{
    let blocks = Blocks::new(producer, consumer);
    let mut results = Vec::new();
    drive(&blocks, CollectExact::new(&mut results, blocks.len()));
    InBlocks::new(results)
}

/// A consumer of blocks, which runs inner loops in blocks, too.
struct Ordered<'c, C> {
    consumer: &'c C,
    /// The blocks are of an inner loop.
    is_inside: bool,
}

impl<C> Clone for Ordered<'_, C> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<C> Copy for Ordered<'_, C> {}

impl<T, C: Push<T>> Consumer<T> for Ordered<'_, C> {
    type Segment = C::Segment;
    type Output = ();

    fn begin(&self, start: usize) -> C::Segment {
        self.consumer.begin(if self.is_inside { INSIDE } else { start })
    }

    #[inline]
    fn feed<P: Producer<Item = T>>(
        &self,
        segment: C::Segment,
        chunk: ChunkOf<'_, P>,
    ) -> ControlFlow<C::Segment, C::Segment> {
        if P::NESTS { chunk.push_into(self, segment) } else { self.consumer.feed(segment, chunk) }
    }

    /// Their results are put together by [`Push::merge`].
    fn finish(self, _: impl Segments<Item = C::Segment>) {}
}

impl<T, C: Push<T>> Push<T> for Ordered<'_, C> {
    #[inline]
    fn push<I: Iterator<Item = T>>(
        &self,
        segment: C::Segment,
        items: I,
    ) -> ControlFlow<C::Segment, C::Segment> {
        self.consumer.push(segment, items)
    }

    fn merge(
        &self,
        segment: C::Segment,
        behind: impl Segments<Item = C::Segment>,
    ) -> ControlFlow<C::Segment, C::Segment> {
        self.consumer.merge(segment, behind)
    }

    fn nest<Q: Producer<Item = T>>(
        &self,
        segment: C::Segment,
        inner: InnerLoop<'_, Q>,
    ) -> ControlFlow<C::Segment, C::Segment> {
        let results = drive_in_blocks(&inner.into_producer(), Ordered { is_inside: true, ..*self });
        self.consumer.merge(segment, results)
    }

    /// Never pushed: it must not depend on how long they take how the items are put together.
    fn site<Q: Producer<Item = T>>() -> Option<usize> {
        None
    }
}

/// The results of a consumer for each block of its producer.
struct Blocks<'p, P, C> {
    base: &'p P,
    base_len: usize,
    size: usize,
    consumer: Ordered<'p, C>,
    /// The first block that ended everything, as far as that is known: a bound that saves work, and orders nothing (Relaxed).
    last: AtomicU64,
}

impl<'p, P: Producer, C: Push<P::Item>> Blocks<'p, P, C> {
    fn new(base: &'p P, consumer: Ordered<'p, C>) -> Self {
        let base_len = base.len();
        let size = base_len.div_ceil(BLOCKS).next_power_of_two().min(LONGEST_BLOCK);
        Blocks { base, base_len, size, consumer, last: AtomicU64::new(u64::MAX) }
    }

    /// Whether an earlier block has ended everything.
    fn is_over(&self, block: u64) -> bool {
        block > self.last.load(Ordering::Relaxed)
    }

    fn indices(&self, blocks: Range<usize>) -> Range<usize> {
        (blocks.start * self.size).min(self.base_len)..(blocks.end * self.size).min(self.base_len)
    }
}

impl<P: Producer, C: Push<P::Item>> Producer for Blocks<'_, P, C> {
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

impl<P: Producer, C: Push<P::Item>> BlockResults<'_, P, C> {
    fn run(&mut self, index: u64, block: Claimed<'_, P>) -> ControlFlow<C::Segment, C::Segment> {
        let Range { start, end } = *block.indices();
        let consumer = self.all.consumer;
        let over = || self.all.is_over(index);
        let mut segment = consumer.begin(start);
        if block.len() > 0 {
            segment = consumer.feed(segment, ChunkOf::new(block, &mut *self.local).until(&over))?;
        }
        if P::HAS_TAIL {
            // SAFETY: there are no indices in it.
            let tail = unsafe { Claimed::new(self.all.base, end..end) };
            segment = consumer.feed(segment, ChunkOf::new(tail, &mut *self.local).until(&over))?;
        }
        ControlFlow::Continue(segment)
    }
}

impl<P: Producer, C: Push<P::Item>> Iterator for BlockResults<'_, P, C> {
    type Item = Option<C::Segment>;

    fn next(&mut self) -> Option<Option<C::Segment>> {
        let index = self.blocks.next()? as u64;
        let block = self.left.split_off(self.all.size);
        if self.all.is_over(index) || self.all.base.options().over.is_over() {
            return Some(None);
        }
        let last = &self.all.last;
        let panicked = OnDrop(|| last.store(0, Ordering::Relaxed));
        let flow = self.run(index, block);
        mem::forget(panicked);
        if flow.is_break() {
            last.fetch_min(index, Ordering::Relaxed);
        }
        let (ControlFlow::Continue(segment) | ControlFlow::Break(segment)) = flow;
        Some(Some(segment))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.blocks.size_hint()
    }
}
