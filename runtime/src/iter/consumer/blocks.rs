//! Deterministic reductions, which combine results in the same way on any threads: over blocks of
//! indices that depend only on the length.
//!
//! Whether a reduction is deterministic is a constant of the producer (`DETERMINISTIC`). If it is
//! not, this code is not even compiled. Each block is a partial of its own. The blocks are combined
//! by a tree whose form depends only on their number, on one thread or on all. A block that ends
//! everything (`try_reduce`) causes later blocks to be skipped, not earlier ones. So the result is
//! the same in every run.

use std::mem;
use std::ops::{ControlFlow, Range};
use std::panic::Location;

use super::push::{INSIDE, InnerLoop};
use super::{CollectExact, Push};
use crate::engine::around::{Around, InChunk, Over};
use crate::engine::combine::InBlocks;
use crate::engine::combine::Partials;
use crate::engine::consumer::{ChunkOf, Consumer};
use crate::engine::drive_at;
use crate::engine::feeder::Feeder;
use crate::engine::options::{Chunk, Options};
use crate::engine::producer::{Claimed, Producer};
use crate::profile::calls::Caller;
use crate::sched::cancel::CancelToken;
use crate::sched::pool::with_pool;
use crate::sched::unwind::{self, OnDrop};
use crate::sync::{AtomicBool, AtomicU64, Ordering};

/// A block has at most this many indices: 64 KiB of `f64`.
const LONGEST_BLOCK: usize = 8192;

/// As long as blocks can be longer, there are at most this many: enough for a few hundred workers
/// to share.
const BLOCKS: usize = 1024;

/// As `drive`, for a consumer whose result depends on where partials begin: if the producer is to
/// be deterministic, each block is a partial.
#[track_caller]
pub(crate) fn drive_in_order<P, C>(producer: &P, consumer: C) -> C::Output
where
    P: Producer,
    C: Push<P::Item>,
{
    drive_in_order_at(Location::caller(), producer, consumer)
}

/// The same, for a loop that is called there.
pub(crate) fn drive_in_order_at<P, C>(caller: Caller, producer: &P, consumer: C) -> C::Output
where
    P: Producer,
    C: Push<P::Item>,
{
    if !P::DETERMINISTIC {
        return drive_at(caller, producer, consumer);
    }
    let results = drive_in_blocks(caller, producer, Ordered { consumer: &consumer, is_inside: false });
    // What combines them in parallel does so on the same pool.
    with_pool(producer.options().pool, |_| consumer.finish(results))
}

fn drive_in_blocks<P, C>(caller: Caller, producer: &P, consumer: Ordered<'_, C>) -> InBlocks<C::Partial>
where
    P: Producer,
    C: Push<P::Item>,
{
    let blocks = BlocksOf::new(producer, consumer);
    let mut results = Vec::new();
    drive_at(caller, &blocks, CollectExact::new(&mut results, blocks.len()));
    if blocks.cut_short.load(Ordering::Relaxed) {
        drop(results);
        unwind::cancelled();
    }
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
    type Partial = C::Partial;
    type Output = ();

    fn begin(&self, start: usize) -> C::Partial {
        self.consumer.begin(if self.is_inside { INSIDE } else { start })
    }

    #[inline]
    fn feed<P: Producer<Item = T>>(
        &self,
        partial: C::Partial,
        chunk: ChunkOf<'_, P>,
    ) -> ControlFlow<C::Partial, C::Partial> {
        if P::NESTS { chunk.push_into(self, partial) } else { self.consumer.feed(partial, chunk) }
    }

    /// Their results are put together by [`Push::merge`].
    fn finish(self, _: impl Partials<Item = C::Partial>) {}
}

impl<T, C: Push<T>> Push<T> for Ordered<'_, C> {
    #[inline]
    fn push<I: Iterator<Item = T>>(
        &self,
        partial: C::Partial,
        items: I,
    ) -> ControlFlow<C::Partial, C::Partial> {
        self.consumer.push(partial, items)
    }

    fn merge(
        &self,
        partial: C::Partial,
        behind: impl Partials<Item = C::Partial>,
    ) -> ControlFlow<C::Partial, C::Partial> {
        self.consumer.merge(partial, behind)
    }

    fn nest<Q: Producer<Item = T>>(
        &self,
        partial: C::Partial,
        inner: InnerLoop<'_, Q>,
    ) -> ControlFlow<C::Partial, C::Partial> {
        let results =
            drive_in_blocks(Location::caller(), &inner.into_producer(), Ordered { is_inside: true, ..*self });
        self.consumer.merge(partial, results)
    }

    /// Never pushed: it must not depend on how long they take how the items are put together.
    fn site<Q: Producer<Item = T>>() -> Option<usize> {
        None
    }
}

/// The results of a consumer for each block of its producer.
struct BlocksOf<'p, P, C> {
    base: &'p P,
    base_len: usize,
    size: usize,
    consumer: Ordered<'p, C>,
    /// The first block that does not matter, as far as that is known: a bound that saves work, and
    /// orders nothing (Relaxed).
    end: AtomicU64,
    cancel: Option<&'p CancelToken>,
    over: Over<'p>,
    /// Something was left because of the token. Read when all lanes are out (Relaxed).
    cut_short: AtomicBool,
}

impl<'p, P: Producer, C: Push<P::Item>> BlocksOf<'p, P, C> {
    fn new(base: &'p P, consumer: Ordered<'p, C>) -> Self {
        let base_len = base.len();
        let size = base_len.div_ceil(BLOCKS).next_power_of_two().min(LONGEST_BLOCK);
        let Options { cancel, over, .. } = base.options();
        let (end, cut_short) = (AtomicU64::new(u64::MAX), AtomicBool::new(false));
        BlocksOf { base, base_len, size, consumer, end, cancel, over, cut_short }
    }

    /// Whether a block does not matter: an earlier one has ended everything, or all is of no use.
    #[inline]
    fn is_over(&self, block: u64) -> bool {
        block >= self.end.load(Ordering::Relaxed) || self.over.is_over() || self.is_cancelled()
    }

    fn is_cancelled(&self) -> bool {
        self.cancel.is_some_and(CancelToken::is_flagged)
    }

    /// Notes that something was left of a block, or all of it.
    #[cold]
    fn leave(&self) {
        if self.is_cancelled() {
            self.cut_short.store(true, Ordering::Relaxed);
        }
    }

    fn feeder(&self, index_ns: f64) -> Feeder {
        Feeder::new(self.base, Some(index_ns))
    }

    fn indices(&self, blocks: Range<usize>) -> Range<usize> {
        (blocks.start * self.size).min(self.base_len)..(blocks.end * self.size).min(self.base_len)
    }
}

impl<P: Producer, C: Push<P::Item>> Producer for BlocksOf<'_, P, C> {
    /// `None` if it does not matter, for an earlier block has ended everything.
    type Item = Option<C::Partial>;
    type Local = BlockLocal<P::Local>;
    type Iter<'a>
        = BlockResults<'a, P, C>
    where
        Self: 'a;
    const LOOKS: bool = true;
    const STATELESS: bool = P::STATELESS;

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
        BlockLocal { base: self.base.local(), feeder: self.feeder(0.0) }
    }

    fn expect(&self, local: &mut Self::Local, block_ns: f64) {
        local.feeder = self.feeder(block_ns / self.size as f64);
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

/// What is around the items of a block.
struct InBlock<'a, P, C> {
    all: &'a BlocksOf<'a, P, C>,
    index: u64,
}

impl<P: Producer, C: Push<P::Item>> Around for InBlock<'_, P, C> {
    #[inline]
    fn is_over(&self) -> bool {
        self.all.is_over(self.index)
    }

    fn found(&self) {
        self.all.end.fetch_min(self.index + 1, Ordering::Relaxed);
        self.all.over.found();
    }

    fn panicked(&self) {
        self.all.end.store(0, Ordering::Relaxed);
        self.all.over.panicked();
    }
}

/// What a lane keeps.
struct BlockLocal<L> {
    base: L,
    /// Of the base, whose indices take nothing where nobody can end the loop meanwhile.
    feeder: Feeder,
}

/// Runs one block after the other.
struct BlockResults<'a, P: Producer, C> {
    blocks: Range<usize>,
    left: Claimed<'a, P>,
    local: &'a mut BlockLocal<P::Local>,
    all: &'a BlocksOf<'a, P, C>,
}

impl<P: Producer, C: Push<P::Item>> BlockResults<'_, P, C> {
    fn run(&mut self, index: u64, block: Claimed<'_, P>) -> ControlFlow<C::Partial, C::Partial> {
        let Range { start, end } = *block.indices();
        let BlocksOf { base, consumer, .. } = *self.all;
        let block_around = InBlock { all: self.all, index };
        let around = InChunk::alone(Over(Some(&block_around)), None);
        let BlockLocal { base: local, feeder } = &mut *self.local;
        let mut partial = consumer.begin(start);
        if block.len() > 0 {
            let flow = feeder.feed_whole(&mut &consumer, partial, (block, &mut *local), &around);
            if feeder.ended() {
                self.all.leave();
            }
            partial = flow?;
        }
        if P::HAS_TAIL {
            // SAFETY: there are no indices in it.
            let tail = unsafe { Claimed::new(base, end..end) };
            partial = consumer.feed(partial, ChunkOf::new(tail, local).until(&around))?;
        }
        ControlFlow::Continue(partial)
    }
}

impl<P: Producer, C: Push<P::Item>> Iterator for BlockResults<'_, P, C> {
    type Item = Option<C::Partial>;

    fn next(&mut self) -> Option<Option<C::Partial>> {
        let index = self.blocks.next()? as u64;
        let block = self.left.split_off(self.all.size);
        if self.all.is_over(index) {
            self.all.leave();
            return Some(None);
        }
        let all = self.all;
        let panicked = OnDrop(|| all.end.store(0, Ordering::Relaxed));
        let flow = self.run(index, block);
        mem::forget(panicked);
        if flow.is_break() {
            InBlock { all, index }.found();
            if P::HAS_TAIL {
                // What was gathered is not the next block's.
                self.local.base = all.base.local();
            }
        }
        let (ControlFlow::Continue(partial) | ControlFlow::Break(partial)) = flow;
        Some(Some(partial))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.blocks.size_hint()
    }
}
