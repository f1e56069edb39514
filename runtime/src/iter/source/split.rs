//! Slices and texts that are cut at separators: lines, words, …
//!
//! The indices are those of items or bytes. A run of indices stands for the parts that begin there.
//! These make up one piece of the whole: from the first cut at or behind the start of the run to
//! the first cut at or behind its end. So neighbouring runs share a cut, and nothing is lost or
//! found twice.

use std::ops::Range;

use crate::engine::producer::Producer;
use crate::iter::ParallelIterator;

/// What can be cut. Nobody else can implement it, since it has no path from outside.
#[allow(unreachable_pub, reason = "Rust 1.85 does not see that a bound reaches it")]
pub trait Cut: Send + Sync {
    /// A part.
    type Part: Send;
    /// The sequential iterator over the parts of a piece.
    type Parts<'a>: Iterator<Item = Self::Part>
    where
        Self: 'a;

    /// The number of indices: one for each place where a part may begin.
    fn indices(&self) -> usize;

    /// Called before a loop begins.
    fn prepare(&mut self) {}

    /// The first place at `index` or behind it where a part begins; `indices()` if there is none.
    fn next_cut(&self, index: usize) -> usize;

    /// The parts of the piece between two cuts.
    fn parts<'a>(&'a self, piece: Range<usize>) -> Self::Parts<'a>;
}

/// Parallel iterator over the parts of something that is cut at separators.
#[derive(Clone, Debug)]
#[must_use = "iterators do nothing until they are consumed"]
pub struct Split<C>(pub(super) C);

impl<C: Cut> ParallelIterator for Split<C> {
    type Item = C::Part;
    type Producer = Self;

    fn into_producer(mut self) -> Self {
        self.0.prepare();
        self
    }
}

impl<C: Cut> Producer for Split<C> {
    type Item = C::Part;
    /// The last search that was long: indices without a cut, and the cut behind them. Without it, a
    /// part of a gigabyte would be searched through once for each chunk in it.
    type Local = Range<usize>;
    type Iter<'a>
        = C::Parts<'a>
    where
        Self: 'a;

    fn len(&self) -> usize {
        self.0.indices()
    }

    fn local(&self) -> Range<usize> {
        0..0
    }

    #[inline]
    unsafe fn chunk<'a>(&'a self, gap: &'a mut Range<usize>, indices: Range<usize>) -> Self::Iter<'a> {
        let mut cut = |index| {
            if gap.contains(&index) {
                return gap.end;
            }
            let cut = self.0.next_cut(index);
            *gap = index..cut;
            cut
        };
        let start = cut(indices.start);
        let end = cut(indices.end).max(start);
        self.0.parts(start..end)
    }

    #[inline]
    fn next_item(&self, gap: &Range<usize>, index: usize) -> usize {
        if gap.contains(&index) { gap.end } else { index }
    }
}
