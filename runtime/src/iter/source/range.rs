//! Ranges of integers and characters.

use std::ops::{Range, RangeInclusive};

use super::long_range::LongRangeProducer;
use crate::engine::producer::{IndexedProducer, Producer};
use crate::iter::{IndexedParallelIterator, IntoParallelIterator, ParallelIterator};

/// What a parallel range can be made of: all primitive integers, and `char`. Sealed.
pub trait Integer: Copy + PartialOrd + Send + Sync + sealed::Steps {}

pub(super) mod sealed {
    use crate::engine::producer::IndexedProducer;

    pub trait Steps: Sized {
        /// What hands out a range of these.
        type Producer: IndexedProducer<Item = Self>;
        /// The producer of the numbers between `ends`, which are included.
        fn producer(ends: Option<(Self, Self)>) -> Self::Producer;
        /// The number before this one, which is not the least.
        fn before(self) -> Self;
        /// How many places this one lies in front of `last`.
        fn distance(self, last: Self) -> u128;
        /// How many numbers there are from this one to `last`, both included; `None` if that is
        /// more than `usize::MAX`.
        fn count(self, last: Self) -> Option<usize> {
            usize::try_from(self.distance(last)).ok()?.checked_add(1)
        }
        /// The number `index` places after this one, which exists.
        fn plus(self, index: usize) -> Self;
        /// The number `distance` places after this one, which exists.
        fn after(self, distance: u128) -> Self;
    }
}

macro_rules! integers {
    ($Producer:ident: $($integer:ty)*) => {$(
        impl Integer for $integer {}

        impl sealed::Steps for $integer {
            type Producer = $Producer<Self>;

            fn producer(ends: Option<(Self, Self)>) -> Self::Producer {
                $Producer::new(ends)
            }

            fn before(self) -> Self {
                self - 1
            }

            fn distance(self, last: Self) -> u128 {
                last.abs_diff(self) as u128
            }

            #[inline]
            fn plus(self, index: usize) -> Self {
                // In two's complement the sum is right even where `index` has more bits than the
                // type.
                self.wrapping_add(index as Self)
            }

            fn after(self, distance: u128) -> Self {
                self.wrapping_add(distance as Self)
            }
        }
    )*};
}

integers!(RangeProducer: u8 u16 u32 usize i8 i16 i32 isize);
integers!(LongRangeProducer: u128 i128);
#[cfg(target_pointer_width = "64")]
integers!(RangeProducer: u64 i64);
#[cfg(not(target_pointer_width = "64"))]
integers!(LongRangeProducer: u64 i64);

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
    type Producer = RangeProducer<Self>;

    fn producer(ends: Option<(Self, Self)>) -> Self::Producer {
        RangeProducer::new(ends)
    }

    fn before(self) -> Self {
        with_rank(rank(self) - 1)
    }

    fn distance(self, last: Self) -> u128 {
        rank(self).distance(rank(last))
    }

    #[inline]
    fn plus(self, index: usize) -> Self {
        with_rank(rank(self) + index as u32)
    }

    fn after(self, distance: u128) -> Self {
        with_rank(rank(self).after(distance))
    }
}

/// Parallel iterator over a range of integers or characters, made by `into_par_iter()`.
///
/// A range of `u128` or `i128` (on 32-bit systems, of `u64` or `i64`, too) may be of any length.
/// Where positions count, as they do to the methods of [`IndexedParallelIterator`], and for all
/// other types, one of more than `usize::MAX` numbers panics when it is run.
///
/// ```
/// use taskel::prelude::*;
///
/// let octillion = 10_u128.pow(27);
/// let found = (0..octillion).into_par_iter().find_any(|n| n % 1_000_003 == 1);
/// assert_eq!(found.map(|n| n % 1_000_003), Some(1));
/// ```
#[derive(Clone, Debug)]
#[must_use = "iterators do nothing until they are consumed"]
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
    type Producer = T::Producer;

    fn into_producer(self) -> Self::Producer {
        T::producer(self.ends)
    }

    fn opt_len(&self) -> Option<usize> {
        self.ends.map_or(Some(0), |(first, last)| first.count(last))
    }
}

impl<T: Integer> IndexedParallelIterator for RangeIter<T> {
    /// # Panics
    ///
    /// When there are more than `usize::MAX` numbers.
    fn len(&self) -> usize {
        self.ends.map_or(0, |(first, last)| first.count(last).expect(TOO_MANY))
    }
}

/// What positions are asked of, has no more than there are numbers to count with.
pub(super) const TOO_MANY: &str =
    "a range whose positions count, or that is not of 128-bit integers, has at most usize::MAX numbers";

impl<T: Integer> RangeProducer<T> {
    /// # Panics
    ///
    /// When there are more than `usize::MAX` numbers.
    pub(super) fn new(ends: Option<(T, T)>) -> Self {
        RangeProducer { len: RangeIter { ends }.len(), ends }
    }
}

impl<T: Integer> Producer for RangeProducer<T> {
    type Item = T;
    type Local = ();
    type Iter<'a>
        = Numbers<T>
    where
        Self: 'a;
    const STEPS: bool = true;

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

/// The sequential iterator over a part of a range of integers: indices, moved to where the range
/// starts.
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
