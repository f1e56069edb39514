//! Mutable slices that are cut at items or between them: `par_split_mut`,
//! `par_split_inclusive_mut`, `par_chunk_by_mut`.
//!
//! No lane may look at an item that another lane changes. So all cuts are found before the first
//! part is handed out. During the search, each item belongs to one lane.

use std::fmt::{self, Debug, Formatter};
use std::ops::Range;

use super::slice::SliceMutProducer;
use crate::engine::producer::{IndexedProducer, Producer};
use crate::iter::{IndexedParallelIterator, IntoParallelIterator, ParallelIterator, ParallelSliceMut};

/// Where a mutable slice is cut.
pub trait FindCuts<T>: Send + Sync {
    /// How many items at the end of each part but the last do not belong to it: 1 if cuts are at
    /// separators.
    const SEPARATOR: usize;

    /// Whether there is a last part even if it is empty.
    const EMPTY_LAST: bool;

    /// Where parts begin that are not the first, in order.
    fn cuts(&self, slice: &mut [T]) -> Vec<usize>;
}

/// Parallel iterator over the parts of a mutable slice that is cut.
#[must_use = "iterators do nothing until they are consumed"]
pub struct SplitSliceMut<'data, T, C> {
    slice: &'data mut [T],
    cuts: C,
}

impl<T: Debug, C> Debug for SplitSliceMut<'_, T, C> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("SplitSliceMut").field("slice", &self.slice).finish_non_exhaustive()
    }
}

impl<'data, T, C> SplitSliceMut<'data, T, C> {
    pub(super) fn new(slice: &'data mut [T], cuts: C) -> Self {
        SplitSliceMut { slice, cuts }
    }
}

/// Made by [`par_split_mut`](ParallelSliceMut::par_split_mut).
pub type SplitMut<'data, T, F> = SplitSliceMut<'data, T, AtSeparators<F>>;
/// Made by [`par_split_inclusive_mut`](ParallelSliceMut::par_split_inclusive_mut).
pub type SplitInclusiveMut<'data, T, F> = SplitSliceMut<'data, T, BehindSeparators<F>>;
/// Made by [`par_chunk_by_mut`](ParallelSliceMut::par_chunk_by_mut).
pub type ChunkByMut<'data, T, F> = SplitSliceMut<'data, T, BetweenRuns<F>>;

/// Cuts separators out.
pub struct AtSeparators<F>(pub(super) F);
/// Leaves separators at the ends of parts.
pub struct BehindSeparators<F>(pub(super) F);
/// Cuts where neighbours do not belong together.
pub struct BetweenRuns<F>(pub(super) F);

fn behind_separators<T: Send>(
    slice: &mut [T],
    is_separator: impl Fn(&T) -> bool + Send + Sync,
) -> Vec<usize> {
    slice.into_par_iter().positions(|item| is_separator(item)).map(|place| place + 1).collect()
}

impl<T: Send, F: Fn(&T) -> bool + Send + Sync> FindCuts<T> for AtSeparators<F> {
    const SEPARATOR: usize = 1;
    const EMPTY_LAST: bool = true;

    fn cuts(&self, slice: &mut [T]) -> Vec<usize> {
        behind_separators(slice, &self.0)
    }
}

impl<T: Send, F: Fn(&T) -> bool + Send + Sync> FindCuts<T> for BehindSeparators<F> {
    const SEPARATOR: usize = 0;
    const EMPTY_LAST: bool = false;

    fn cuts(&self, slice: &mut [T]) -> Vec<usize> {
        behind_separators(slice, &self.0)
    }
}

impl<T: Send, F: Fn(&T, &T) -> bool + Send + Sync> FindCuts<T> for BetweenRuns<F> {
    const SEPARATOR: usize = 0;
    const EMPTY_LAST: bool = false;

    /// Every other pair of neighbours, and then the others: so no item is in two pairs at a time.
    fn cuts(&self, slice: &mut [T]) -> Vec<usize> {
        let cuts = |first: usize, slice: &mut [T]| -> Vec<usize> {
            let pairs = slice.par_chunks_exact_mut(2);
            let cut = pairs.positions(|pair| !(self.0)(&pair[0], &pair[1]));
            cut.map(|place| first + 2 * place + 1).collect()
        };
        let mut all = cuts(0, slice);
        if let Some((_, rest)) = slice.split_first_mut() {
            all.extend(cuts(1, rest));
        }
        // Two runs, which the standard library's sort merges.
        all.sort();
        all
    }
}

impl<'data, T: Send, C: FindCuts<T>> ParallelIterator for SplitSliceMut<'data, T, C> {
    type Item = &'data mut [T];
    type Producer = SplitSliceMutProducer<'data, T>;

    fn into_producer(self) -> Self::Producer {
        let mut ends = self.cuts.cuts(self.slice);
        let covered = ends.last().copied().unwrap_or(0);
        if C::EMPTY_LAST || covered < self.slice.len() {
            // As if a separator was behind the last part.
            ends.push(self.slice.len() + C::SEPARATOR);
        }
        let slice = self.slice.into_par_iter().into_producer();
        SplitSliceMutProducer { slice, ends, separator: C::SEPARATOR }
    }
}

/// Hands out the parts.
#[derive(Debug)]
pub struct SplitSliceMutProducer<'data, T> {
    slice: SliceMutProducer<'data, T>,
    /// Of each part, with the separator behind it: increasing, the last at most `separator` behind
    /// the slice's end.
    ends: Vec<usize>,
    separator: usize,
}

impl<'data, T: Send> Producer for SplitSliceMutProducer<'data, T> {
    type Item = &'data mut [T];
    type Local = ();
    type Iter<'a>
        = PartsMut<'data, 'a, T>
    where
        Self: 'a;
    const STEPS: bool = true;

    fn len(&self) -> usize {
        self.ends.len()
    }

    fn is_exact(&self) -> bool {
        true
    }

    fn local(&self) {}

    #[inline]
    unsafe fn chunk<'a>(&'a self, _: &'a mut (), indices: Range<usize>) -> Self::Iter<'a> {
        debug_assert!(indices.end <= self.ends.len());
        PartsMut { producer: self, parts: indices }
    }
}

impl<'data, T: Send> IndexedProducer for SplitSliceMutProducer<'data, T> {
    type IndexedIter<'a>
        = PartsMut<'data, 'a, T>
    where
        Self: 'a;

    #[inline]
    unsafe fn indexed_chunk<'a>(&'a self, _: &'a mut (), indices: Range<usize>) -> Self::IndexedIter<'a> {
        PartsMut { producer: self, parts: indices }
    }
}

/// The sequential iterator over parts that nobody else has.
#[derive(Debug)]
pub struct PartsMut<'data, 'a, T> {
    producer: &'a SplitSliceMutProducer<'data, T>,
    parts: Range<usize>,
}

impl<'data, T: Send> PartsMut<'data, '_, T> {
    /// # Safety
    ///
    /// No two calls get the same part.
    #[inline]
    unsafe fn part(&self, part: usize) -> &'data mut [T] {
        let SplitSliceMutProducer { slice, ends, separator } = self.producer;
        let start = part.checked_sub(1).map_or(0, |before| ends[before]);
        // SAFETY: ends increase, up to `separator` behind the slice, so different parts have
        // different items, within it.
        unsafe { slice.part(start..ends[part] - separator) }
    }
}

impl<'data, T: Send> Iterator for PartsMut<'data, '_, T> {
    type Item = &'data mut [T];

    #[inline]
    fn next(&mut self) -> Option<&'data mut [T]> {
        // SAFETY: the part was one of this chunk's, which has it no more.
        self.parts.next().map(|part| unsafe { self.part(part) })
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        self.parts.size_hint()
    }
}

impl<'data, T: Send> DoubleEndedIterator for PartsMut<'data, '_, T> {
    #[inline]
    fn next_back(&mut self) -> Option<&'data mut [T]> {
        // SAFETY: as in `next`.
        self.parts.next_back().map(|part| unsafe { self.part(part) })
    }
}

impl<T: Send> ExactSizeIterator for PartsMut<'_, '_, T> {}
