//! Ranges of integers and characters.

use std::ops::{Range, RangeInclusive};

use crate::iter::producer::{IndexedProducer, Producer};
use crate::iter::{IndexedParallelIterator, IntoParallelIterator, ParallelIterator};

/// What a parallel range can be made of: all primitive integers, and `char`. Sealed.
pub trait Integer: Copy + PartialOrd + Send + Sync + sealed::Steps {}

mod sealed {
    pub trait Steps: Sized {
        /// The number before this one, which is not the least.
        fn before(self) -> Self;
        /// How many numbers there are from `first` to `last`, both included; `None` if that is more than `usize::MAX`.
        fn count(first: Self, last: Self) -> Option<usize>;
        /// The number `index` places after this one, which exists.
        fn plus(self, index: usize) -> Self;
    }
}

macro_rules! integers {
    ($($integer:ty)*) => {$(
        impl Integer for $integer {}

        impl sealed::Steps for $integer {
            fn before(self) -> Self {
                self - 1
            }

            fn count(first: Self, last: Self) -> Option<usize> {
                usize::try_from(last.abs_diff(first)).ok()?.checked_add(1)
            }

            #[inline]
            fn plus(self, index: usize) -> Self {
                // In two's complement the sum is right even where `index` has more bits than the type.
                self.wrapping_add(index as Self)
            }
        }
    )*};
}

integers!(u8 u16 u32 u64 u128 usize i8 i16 i32 i64 i128 isize);

/// The surrogates, which are no characters.
const GAP: Range<u32> = 0xD800..0xE000;

/// How many characters there are in front of this one.
fn rank(c: char) -> u32 {
    let code = u32::from(c);
    if code < GAP.start { code } else { code - (GAP.end - GAP.start) }
}

/// The character that has so many in front of it.
fn with_rank(rank: u32) -> char {
    let code = if rank < GAP.start { rank } else { rank + (GAP.end - GAP.start) };
    char::from_u32(code).expect("there are as many characters")
}

impl Integer for char {}

impl sealed::Steps for char {
    fn before(self) -> Self {
        with_rank(rank(self) - 1)
    }

    fn count(first: Self, last: Self) -> Option<usize> {
        u32::count(rank(first), rank(last))
    }

    #[inline]
    fn plus(self, index: usize) -> Self {
        with_rank(rank(self) + index as u32)
    }
}

/// Parallel iterator over a range of integers or characters, made by `into_par_iter()`.
///
/// A range of more than `usize::MAX` numbers panics when it is run.
#[derive(Clone, Debug)]
pub struct RangeIter<T> {
    /// Both ends are included, so that a range may end at the largest number there is.
    ends: Option<(T, T)>,
}

/// Hands out parts of a range of integers.
#[derive(Clone, Debug)]
pub struct RangeProducer<T> {
    ends: Option<(T, T)>,
    len: usize,
}

impl<T: Integer> ParallelIterator for RangeIter<T> {
    type Item = T;
    type Producer = RangeProducer<T>;

    fn into_producer(self) -> Self::Producer {
        RangeProducer { len: self.len(), ends: self.ends }
    }
}

impl<T: Integer> IndexedParallelIterator for RangeIter<T> {
    /// # Panics
    ///
    /// When there are more than `usize::MAX` numbers.
    fn len(&self) -> usize {
        let count = |(first, last)| {
            T::count(first, last).expect("a parallel loop over a range has at most usize::MAX numbers")
        };
        self.ends.map_or(0, count)
    }
}

impl<T: Integer> Producer for RangeProducer<T> {
    type Item = T;
    type Local = ();
    type Iter<'a>
        = Numbers<T>
    where
        Self: 'a;

    fn len(&self) -> usize {
        self.len
    }

    fn is_exact(&self) -> bool {
        true
    }

    fn local(&self) {}

    #[inline]
    unsafe fn chunk<'a>(&'a self, _: &'a mut (), indices: Range<usize>) -> Self::Iter<'a> {
        Numbers { first: self.ends.map(|(first, _)| first), indices }
    }
}

impl<T: Integer> IndexedProducer for RangeProducer<T> {
    type IndexedIter<'a>
        = Numbers<T>
    where
        Self: 'a;

    #[inline]
    unsafe fn indexed_chunk<'a>(&'a self, _: &'a mut (), indices: Range<usize>) -> Self::IndexedIter<'a> {
        Numbers { first: self.ends.map(|(first, _)| first), indices }
    }
}

/// The sequential iterator over a part of a range of integers: indices, moved to where the range starts.
///
/// Counting in `usize` is what makes a part that ends at the largest number possible.
#[derive(Clone, Debug)]
pub struct Numbers<T> {
    /// `None` for an empty range, which has no indices either.
    first: Option<T>,
    indices: Range<usize>,
}

impl<T: Integer> Iterator for Numbers<T> {
    type Item = T;

    #[inline]
    fn next(&mut self) -> Option<T> {
        let first = self.first?;
        self.indices.next().map(|index| first.plus(index))
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        self.indices.size_hint()
    }

    #[inline]
    fn fold<B, F: FnMut(B, T) -> B>(self, init: B, mut f: F) -> B {
        let Some(first) = self.first else { return init };
        self.indices.fold(init, |all, index| f(all, first.plus(index)))
    }
}

impl<T: Integer> DoubleEndedIterator for Numbers<T> {
    #[inline]
    fn next_back(&mut self) -> Option<T> {
        let first = self.first?;
        self.indices.next_back().map(|index| first.plus(index))
    }
}

impl<T: Integer> ExactSizeIterator for Numbers<T> {}

impl<T: Integer> IntoParallelIterator for Range<T> {
    type Iter = RangeIter<T>;
    type Item = T;

    fn into_par_iter(self) -> Self::Iter {
        RangeIter { ends: (self.start < self.end).then(|| (self.start, self.end.before())) }
    }
}

impl<T: Integer> IntoParallelIterator for RangeInclusive<T> {
    type Iter = RangeIter<T>;
    type Item = T;

    fn into_par_iter(self) -> Self::Iter {
        RangeIter { ends: (!self.is_empty()).then(|| self.into_inner()) }
    }
}
