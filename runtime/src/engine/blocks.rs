//! Runs a claimed chunk block by block. Thieves can take the blocks that have not begun.
//!
//! A chunk that may turn out long is run in blocks of 125 ns, or of 30 ns with more than two
//! workers. Before each block, the lane publishes where the block ends. A thief that cuts the chunk
//! there uses `membarrier(2)` to make sure that it has read what the owner published last
//! ([`chunk_position`](crate::protocol::chunk_position)). Without `membarrier` (on systems other
//! than Linux, in containers that forbid it, in processes that have not
//! [registered](crate::sync::Heavy) yet), there is a full fence between two blocks. These blocks
//! are longer: half a microsecond, or 125 ns with more than two workers.
//!
//! `Chunker::block_len` decides which chunks may turn out long:
//!
//! - all chunks, at a site where a chunk did during the last 16 calls while other lanes ran out of
//!   work;
//! - a lane's first chunks, if nothing is known, for as many blocks as 1024 chunks of short items
//!   have;
//! - after a chunk that turned out long, the next ones, for as many blocks as 256 chunks have;
//! - no other chunks, and none with items below 2 ns, because a block costs several nanoseconds,
//!   and far more in vector code.
//!
//! Blocks are counted and not chunks, because blocks have the cost: a lane that loses its core at
//! the beginning then claims thousands of chunks of a few items.

use crate::engine::producer::{Claimed, Producer};
use crate::protocol::chunk_position::ChunkPosition;
use crate::protocol::range::Span;
use crate::sync::Fences;

/// What a lane still has of its chunk, unless a thief was faster.
///
/// Dropped early (a panic, a search that has found), it takes back what no thief has, and discards
/// it.
pub(super) struct Blocks<'a, P: Producer> {
    position: &'a ChunkPosition,
    fences: Fences,
    /// How long a block is.
    block: u32,
    granule: usize,
    /// Not begun; as long as it is not empty, the position is open.
    units: Span,
    /// The items of `units`.
    items: Claimed<'a, P>,
    cut: Option<u32>,
}

impl<'a, P: Producer> Blocks<'a, P> {
    /// Makes blocks of `block` units of a chunk, and yields the first.
    #[inline]
    pub(super) fn new(
        (position, fences): (&'a ChunkPosition, Fences),
        (block, granule): (u32, usize),
        chunk: Span,
        mut items: Claimed<'a, P>,
    ) -> (Claimed<'a, P>, Self) {
        let (first, rest) = chunk.split_at(block);
        let first = items.split_off(items_of(first, rest, granule));
        position.open(rest);
        (first, Blocks { position, fences, block, granule, units: rest, items, cut: None })
    }

    /// The next block; `None` when nothing is left. `local` is what the last block was produced
    /// with.
    #[inline]
    pub(super) fn next(&mut self, local: &P::Local) -> Option<Claimed<'a, P>> {
        if self.units.len() == 0 {
            return None;
        }
        let begin = self.items.indices().start;
        let barren = self.items.producer().next_item(local, begin).saturating_sub(begin);
        // Without this, a line would be searched through in blocks of its bytes, each a block's
        // cost for nothing.
        let barren =
            if barren == 0 { 0 } else { barren.div_ceil(self.granule).min(u32::MAX as usize) as u32 };
        let (block, rest) = self.units.split_at(self.block.saturating_add(barren));
        match self.position.advance(rest, self.fences) {
            None => {
                self.units = rest;
                Some(self.items.split_off(items_of(block, rest, self.granule)))
            }
            Some(end) => self.end_at(end),
        }
    }

    /// The first unit that is not begun; the end of all, if there is none.
    pub(super) fn unbegun(&self) -> Option<u32> {
        (self.units.len() > 0).then_some(self.units.lo)
    }

    /// The first unit that a thief has taken, if one has.
    pub(super) fn cut(&self) -> Option<u32> {
        self.cut
    }

    /// A thief has the units from `end` on; yields those before it.
    // Inline, so that all of this can be in registers.
    #[inline]
    fn end_at(&mut self, end: u32) -> Option<Claimed<'a, P>> {
        let units = (end - self.units.lo) as usize;
        // Not the last ones, which the thief has.
        let own = self.items.split_off(units * self.granule);
        self.items.split_off(usize::MAX).release();
        self.units = Span::EMPTY;
        self.cut = Some(end);
        (units > 0).then_some(own)
    }
}

/// How many items a block has, if `rest` comes behind it in its chunk: the last block of a loop has
/// more than its units say.
#[inline]
fn items_of(block: Span, rest: Span, granule: usize) -> usize {
    if rest.len() == 0 { usize::MAX } else { block.len() as usize * granule }
}

impl<P: Producer> Drop for Blocks<'_, P> {
    #[inline]
    fn drop(&mut self) {
        if self.units.len() > 0 {
            let (_, closed) = self.units.split_at(u32::MAX);
            if let Some(end) = self.position.advance(closed, self.fences) {
                drop(self.end_at(end));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::iter::ParallelIterator;
    use crate::iter::source::ParallelString;

    /// Runs a chunk of all units in blocks of three, and yields how many blocks those are, and
    /// their items.
    fn blocks_of(text: &str, granule: usize) -> (usize, Vec<&str>) {
        let producer = text.par_lines().into_producer();
        let mut local = producer.local();
        let chunk = Span { lo: 0, hi: producer.len().div_ceil(granule) as u32 };
        // SAFETY: nobody else has any of these.
        let all = unsafe { Claimed::new(&producer, 0..producer.len()) };
        let position = ChunkPosition::new();
        let (mut block, mut blocks) = Blocks::new((&position, Fences::Symmetric), (3, granule), chunk, all);
        let (mut count, mut items) = (0, Vec::new());
        loop {
            count += 1;
            items.extend(block.produce(&mut local));
            match blocks.next(&local) {
                Some(next) => block = next,
                None => return (count, items),
            }
        }
    }

    #[test]
    fn a_block_reaches_over_what_is_known_to_have_no_item() {
        let text = "a line of twenty-two.\n".repeat(10);
        let lines: Vec<&str> = text.lines().collect();
        // The first line begins in the first block, each other one in a block that reaches to it,
        // and the last one's rest has a block.
        assert_eq!(blocks_of(&text, 1), (11, lines.clone()));
        let (count, items) = blocks_of(&text, 4);
        assert!(count <= 11, "{count}");
        assert_eq!(items, lines);
    }
}
