//! Loops of the engine itself: over numbers, with a closure for each range of them.

use std::iter;
use std::ops::{ControlFlow, Range};

use super::combine::Partials;
use super::consumer::{ChunkOf, Consumer};
use super::options::Options;
use super::producer::Producer;

/// The numbers from 0 on; a chunk of them, a range, is one item.
pub(super) struct Ranges {
    pub(super) len: usize,
    /// Of how many numbers a range is at most, as in [`Options`].
    pub(super) max_len: usize,
}

impl Producer for Ranges {
    type Item = Range<usize>;
    type Local = ();
    type Iter<'a> = iter::Once<Range<usize>>;

    fn len(&self) -> usize {
        self.len
    }

    fn options(&self) -> Options<'_> {
        Options { max_len: self.max_len, ..Options::default() }
    }

    fn local(&self) {}

    unsafe fn chunk<'a>(&'a self, (): &'a mut (), indices: Range<usize>) -> Self::Iter<'a> {
        iter::once(indices)
    }
}

/// One type for all closures: what a call costs does not matter for a range.
pub(super) struct EachRange<'f>(pub(super) &'f (dyn Fn(Range<usize>) + Sync));

impl Consumer<Range<usize>> for EachRange<'_> {
    type Partial = ();
    type Output = ();
    const KEEPS_PARTIALS: bool = false;

    fn begin(&self, _: usize) {}

    fn feed<P: Producer<Item = Range<usize>>>(&self, (): (), chunk: ChunkOf<'_, P>) -> ControlFlow<(), ()> {
        chunk.into_iter().for_each(self.0);
        ControlFlow::Continue(())
    }

    fn finish(self, _: impl Partials<Item = ()>) {}
}
