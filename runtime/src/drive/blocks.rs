//! A claimed chunk as its lane runs it: block by block, what is not begun open to thieves.

use crate::iter::producer::{Claimed, Producer};
use crate::protocol::chunk_position::ChunkPosition;
use crate::protocol::range::Span;
use crate::sync::Fences;

/// What a lane still has of its chunk, unless a thief was faster.
///
/// Dropped early (a panic, a search that has found), it takes back what no thief has, and discards it.
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

    /// The next block; `None` when nothing is left.
    #[inline]
    pub(super) fn next(&mut self) -> Option<Claimed<'a, P>> {
        if self.units.len() == 0 {
            return None;
        }
        let (block, rest) = self.units.split_at(self.block);
        match self.position.advance(rest, self.fences) {
            None => {
                self.units = rest;
                Some(self.items.split_off(items_of(block, rest, self.granule)))
            }
            Some(end) => self.end_at(end),
        }
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

/// How many items a block has, if `rest` comes behind it in its chunk: the last block of a loop has more than its units say.
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
