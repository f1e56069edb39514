//! Slices that are cut at items: `par_split`, `par_split_inclusive`.

use std::iter::Flatten;
use std::ops::Range;
use std::{option, slice};

use super::split::{Cut, Split};

/// Made by [`par_split`](super::ParallelSlice::par_split).
pub type SplitSlice<'data, T, F> = Split<Between<'data, T, F>>;
/// Made by [`par_split_inclusive`](super::ParallelSlice::par_split_inclusive).
pub type SplitInclusiveSlice<'data, T, F> = Split<EndingWith<'data, T, F>>;

/// The place behind the first separator at `index - 1` or later.
fn behind_separator<T>(slice: &[T], separator: impl Fn(&T) -> bool, index: usize) -> Option<usize> {
    let Some(before) = index.checked_sub(1) else { return Some(0) };
    slice.get(before..)?.iter().position(separator).map(|place| index + place)
}

/// A slice and the separators between its parts.
#[derive(Clone, Debug)]
pub struct Between<'data, T, F> {
    pub(super) slice: &'data [T],
    pub(super) separator: F,
}

impl<'data, T: Sync, F: Fn(&T) -> bool + Send + Sync> Cut for Between<'data, T, F> {
    type Part = &'data [T];
    type Parts<'a>
        = Flatten<option::IntoIter<slice::Split<'data, T, &'a F>>>
    where
        Self: 'a;

    /// The last part may begin at the end, behind a separator.
    fn indices(&self) -> usize {
        self.slice.len() + 1
    }

    fn next_cut(&self, index: usize) -> usize {
        behind_separator(self.slice, &self.separator, index).unwrap_or(self.indices())
    }

    fn parts<'a>(&'a self, piece: Range<usize>) -> Self::Parts<'a> {
        // What lies in front of a cut is a separator, or the end.
        let parts = |last| self.slice[piece.start..last].split(&self.separator);
        let last = piece.end.checked_sub(1).filter(|&last| piece.start <= last);
        last.map(parts).into_iter().flatten()
    }
}

/// A slice and the separators at the ends of its parts.
#[derive(Clone, Debug)]
pub struct EndingWith<'data, T, F> {
    pub(super) slice: &'data [T],
    pub(super) separator: F,
}

impl<'data, T: Sync, F: Fn(&T) -> bool + Send + Sync> Cut for EndingWith<'data, T, F> {
    type Part = &'data [T];
    type Parts<'a>
        = slice::SplitInclusive<'data, T, &'a F>
    where
        Self: 'a;

    fn indices(&self) -> usize {
        self.slice.len()
    }

    fn next_cut(&self, index: usize) -> usize {
        behind_separator(self.slice, &self.separator, index).unwrap_or(self.indices())
    }

    fn parts<'a>(&'a self, piece: Range<usize>) -> Self::Parts<'a> {
        self.slice[piece].split_inclusive(&self.separator)
    }
}
