//! Slices that are cut between items: `par_chunk_by`.

use std::ops::Range;
use std::slice;

use either::Either;

use super::separators::Separators;
use super::split::{Cut, Split};
use crate::iter::adapter::debug_without_closures;

/// Made by [`par_chunk_by`](super::ParallelSlice::par_chunk_by).
pub type ChunkBy<'data, T, F> = Split<Runs<'data, T, F>>;

/// A slice, and which neighbours belong together. A place whose item does not belong together with
/// the next one is a separator.
#[derive(Clone)]
pub struct Runs<'data, T, F> {
    slice: &'data [T],
    separators: Separators<F>,
}

debug_without_closures! { [T: std::fmt::Debug, F] Runs<'_, T, F> { slice }; }

impl<'data, T, F: Fn(&T, &T) -> bool> Runs<'data, T, F> {
    pub(super) fn new(slice: &'data [T], belong_together: F) -> Self {
        Runs { slice, separators: Separators::new(belong_together) }
    }

    /// Where the run ends that the item at this place is in.
    #[inline]
    fn end(&self, place: usize, end: usize) -> usize {
        let belong_together = &self.separators.is_separator;
        let is_last = |place: usize| !belong_together(&self.slice[place], &self.slice[place + 1]);
        let quick = |mut places: Range<usize>| places.find(|&place| is_last(place));
        self.separators.first(place..end - 1, quick, is_last).map_or(end, |last| last + 1)
    }
}

impl<'data, T: Sync, F: Fn(&T, &T) -> bool + Send + Sync> Cut for Runs<'data, T, F> {
    type Part = &'data [T];
    type Parts<'a>
        = Either<slice::ChunkBy<'data, T, &'a F>, SlowRuns<'data, 'a, T, F>>
    where
        Self: 'a;

    fn indices(&self) -> usize {
        self.slice.len()
    }

    fn prepare(&mut self) {
        let slice = self.slice;
        let ask = |belong_together: &F, place: usize| !belong_together(&slice[place], &slice[place + 1]);
        let neighbours = slice.len().saturating_sub(1);
        self.separators.prepare(Self::next_cut as *const () as usize, neighbours, ask);
    }

    fn next_cut(&self, index: usize) -> usize {
        match index.checked_sub(1) {
            None => 0,
            Some(before) if before >= self.slice.len() => self.slice.len(),
            Some(before) => self.end(before, self.slice.len()),
        }
    }

    fn parts<'a>(&'a self, piece: Range<usize>) -> Self::Parts<'a> {
        match self.separators.is_quick() {
            true => Either::Left(self.slice[piece].chunk_by(&self.separators.is_separator)),
            false => Either::Right(SlowRuns { source: self, rest: piece }),
        }
    }
}

/// The sequential iterator of `par_chunk_by` with a slow predicate.
#[derive(Clone, Debug)]
pub struct SlowRuns<'data, 'a, T, F> {
    source: &'a Runs<'data, T, F>,
    rest: Range<usize>,
}

impl<'data, T, F: Fn(&T, &T) -> bool> Iterator for SlowRuns<'data, '_, T, F> {
    type Item = &'data [T];

    #[inline]
    fn next(&mut self) -> Option<&'data [T]> {
        if self.rest.is_empty() {
            return None;
        }
        let end = self.source.end(self.rest.start, self.rest.end);
        let part = self.rest.start..end;
        self.rest.start = end;
        Some(&self.source.slice[part])
    }
}
