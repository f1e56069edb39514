//! Slices that are cut at items: `par_split`, `par_split_inclusive`.

use std::iter::Flatten;
use std::ops::Range;
use std::{fmt, option, slice};

use either::Either;

use super::separators::Separators;
use super::split::{Cut, Split};
use crate::iter::adapter::debug_without_closures;

/// Made by [`par_split`](super::ParallelSlice::par_split).
pub type SplitSlice<'data, T, F> = Split<Between<'data, T, F>>;
/// Made by [`par_split_inclusive`](super::ParallelSlice::par_split_inclusive).
pub type SplitInclusiveSlice<'data, T, F> = Split<EndingWith<'data, T, F>>;

/// A slice, and where it is cut.
#[derive(Clone)]
struct Source<'data, T, F> {
    slice: &'data [T],
    separators: Separators<F>,
}

debug_without_closures! {
    [T: fmt::Debug, F] Source<'_, T, F> { slice };
    [T: fmt::Debug, F] Between<'_, T, F> { 0 };
    [T: fmt::Debug, F] EndingWith<'_, T, F> { 0 };
}

impl<'data, T, F: Fn(&T) -> bool> Source<'data, T, F> {
    fn new(slice: &'data [T], is_separator: F) -> Self {
        Source { slice, separators: Separators::new(is_separator) }
    }

    /// `address` stands for the predicate.
    fn prepare(&mut self, address: usize) {
        let slice = self.slice;
        self.separators.prepare(address, slice.len(), |is_separator, index| is_separator(&slice[index]));
    }

    #[inline]
    fn first_separator(&self, range: Range<usize>) -> Option<usize> {
        let is_separator = &self.separators.is_separator;
        let quick = |range: Range<usize>| {
            let start = range.start;
            self.slice[range].iter().position(is_separator).map(|place| start + place)
        };
        self.separators.first(range, quick, |index| is_separator(&self.slice[index]))
    }

    /// The place behind the first separator at `index - 1` or later.
    fn behind_separator(&self, index: usize) -> Option<usize> {
        let Some(before) = index.checked_sub(1) else { return Some(0) };
        if before > self.slice.len() {
            return None;
        }
        self.first_separator(before..self.slice.len()).map(|place| place + 1)
    }
}

/// A slice and the separators between its parts.
#[derive(Clone)]
pub struct Between<'data, T, F>(Source<'data, T, F>);

impl<'data, T, F: Fn(&T) -> bool> Between<'data, T, F> {
    pub(super) fn new(slice: &'data [T], separator: F) -> Self {
        Between(Source::new(slice, separator))
    }
}

impl<'data, T: Sync, F: Fn(&T) -> bool + Send + Sync> Cut for Between<'data, T, F> {
    type Part = &'data [T];
    type Parts<'a>
        = Either<Flatten<option::IntoIter<slice::Split<'data, T, &'a F>>>, SlicesBetween<'data, 'a, T, F>>
    where
        Self: 'a;

    /// The last part may begin at the end, behind a separator.
    fn indices(&self) -> usize {
        self.0.slice.len() + 1
    }

    fn prepare(&mut self) {
        self.0.prepare(Self::next_cut as *const () as usize);
    }

    fn next_cut(&self, index: usize) -> usize {
        self.0.behind_separator(index).unwrap_or(self.indices())
    }

    fn parts<'a>(&'a self, piece: Range<usize>) -> Self::Parts<'a> {
        // What lies in front of a cut is a separator, or the end.
        let rest = (!piece.is_empty()).then(|| piece.start..piece.end - 1);
        if !self.0.separators.is_quick() {
            return Either::Right(SlicesBetween { source: &self.0, rest });
        }
        let parts = |rest: Range<usize>| self.0.slice[rest].split(&self.0.separators.is_separator);
        Either::Left(rest.map(parts).into_iter().flatten())
    }
}

/// The sequential iterator of `par_split` with a slow predicate.
#[derive(Clone, Debug)]
pub struct SlicesBetween<'data, 'a, T, F> {
    source: &'a Source<'data, T, F>,
    rest: Option<Range<usize>>,
}

impl<'data, T, F: Fn(&T) -> bool> Iterator for SlicesBetween<'data, '_, T, F> {
    type Item = &'data [T];

    #[inline]
    fn next(&mut self) -> Option<&'data [T]> {
        let mut part = self.rest.take()?;
        if let Some(place) = self.source.first_separator(part.clone()) {
            self.rest = Some(place + 1..part.end);
            part.end = place;
        }
        Some(&self.source.slice[part])
    }
}

/// A slice and the separators at the ends of its parts.
#[derive(Clone)]
pub struct EndingWith<'data, T, F>(Source<'data, T, F>);

impl<'data, T, F: Fn(&T) -> bool> EndingWith<'data, T, F> {
    pub(super) fn new(slice: &'data [T], separator: F) -> Self {
        EndingWith(Source::new(slice, separator))
    }
}

impl<'data, T: Sync, F: Fn(&T) -> bool + Send + Sync> Cut for EndingWith<'data, T, F> {
    type Part = &'data [T];
    type Parts<'a>
        = Either<slice::SplitInclusive<'data, T, &'a F>, SlicesEndingWith<'data, 'a, T, F>>
    where
        Self: 'a;

    fn indices(&self) -> usize {
        self.0.slice.len()
    }

    fn prepare(&mut self) {
        self.0.prepare(Self::next_cut as *const () as usize);
    }

    fn next_cut(&self, index: usize) -> usize {
        self.0.behind_separator(index).unwrap_or(self.indices())
    }

    fn parts<'a>(&'a self, piece: Range<usize>) -> Self::Parts<'a> {
        match self.0.separators.is_quick() {
            true => Either::Left(self.0.slice[piece].split_inclusive(&self.0.separators.is_separator)),
            false => Either::Right(SlicesEndingWith { source: &self.0, rest: piece }),
        }
    }
}

/// The sequential iterator of `par_split_inclusive` with a slow predicate.
#[derive(Clone, Debug)]
pub struct SlicesEndingWith<'data, 'a, T, F> {
    source: &'a Source<'data, T, F>,
    rest: Range<usize>,
}

impl<'data, T, F: Fn(&T) -> bool> Iterator for SlicesEndingWith<'data, '_, T, F> {
    type Item = &'data [T];

    #[inline]
    fn next(&mut self) -> Option<&'data [T]> {
        if self.rest.is_empty() {
            return None;
        }
        let end = self.source.first_separator(self.rest.clone()).map_or(self.rest.end, |place| place + 1);
        let part = self.rest.start..end;
        self.rest.start = end;
        Some(&self.source.slice[part])
    }
}
