//! Ranges of integers.

use std::ops::{Range, RangeInclusive};

use crate::iter::producer::{IndexedProducer, Producer};
use crate::iter::{IndexedParallelIterator, IntoParallelIterator, ParallelIterator};

/// Parallel iterator over a range of integers, made by `into_par_iter()`.
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
    first: T,
    len: usize,
}

/// The sequential iterator over a part of a range of integers: indices, moved to where the range starts.
///
/// Counting in `usize` is what makes a part that ends at the largest number possible.
#[derive(Clone, Debug)]
pub struct Numbers<T> {
    first: T,
    indices: Range<usize>,
}

macro_rules! ranges_of {
    ($($integer:ty)*) => {$(
        impl Numbers<$integer> {
            #[inline]
            fn at(&self, index: usize) -> $integer {
                // An index is at most the distance between the range's ends, so that the sum in two's complement is right
                // whatever the sign.
                self.first.wrapping_add(index as $integer)
            }
        }

        impl Iterator for Numbers<$integer> {
            type Item = $integer;

            #[inline]
            fn next(&mut self) -> Option<$integer> {
                let index = self.indices.next()?;
                Some(self.at(index))
            }

            #[inline]
            fn size_hint(&self) -> (usize, Option<usize>) {
                self.indices.size_hint()
            }

            #[inline]
            fn fold<B, F: FnMut(B, $integer) -> B>(self, init: B, mut f: F) -> B {
                let first = self.first;
                self.indices.fold(init, |all, index| f(all, first.wrapping_add(index as $integer)))
            }
        }

        impl DoubleEndedIterator for Numbers<$integer> {
            #[inline]
            fn next_back(&mut self) -> Option<$integer> {
                let index = self.indices.next_back()?;
                Some(self.at(index))
            }
        }

        impl ExactSizeIterator for Numbers<$integer> {}

        impl RangeIter<$integer> {
            fn checked_len(&self) -> Option<usize> {
                let Some((first, last)) = self.ends else { return Some(0) };
                let distance = last.abs_diff(first);
                usize::try_from(distance).ok()?.checked_add(1)
            }
        }

        impl ParallelIterator for RangeIter<$integer> {
            type Item = $integer;
            type Producer = RangeProducer<$integer>;

            fn into_producer(self) -> Self::Producer {
                RangeProducer { first: self.ends.map_or(0, |(first, _)| first), len: self.len() }
            }
        }

        impl IndexedParallelIterator for RangeIter<$integer> {
            /// # Panics
            ///
            /// When there are more than `usize::MAX` numbers.
            fn len(&self) -> usize {
                self.checked_len().expect("a parallel loop over a range has at most usize::MAX items")
            }
        }

        impl Producer for RangeProducer<$integer> {
            type Item = $integer;
            type Local = ();
            type Iter<'a> = Numbers<$integer>;

            fn len(&self) -> usize {
                self.len
            }

            fn is_exact(&self) -> bool {
                true
            }

            fn local(&self) {}

            #[inline]
            unsafe fn chunk<'a>(&'a self, _: &'a mut (), indices: Range<usize>) -> Self::Iter<'a> {
                Numbers { first: self.first, indices }
            }
        }

        impl IndexedProducer for RangeProducer<$integer> {
            type IndexedIter<'a> = Numbers<$integer>;

            #[inline]
            unsafe fn indexed_chunk<'a>(&'a self, _: &'a mut (), indices: Range<usize>) -> Self::IndexedIter<'a> {
                Numbers { first: self.first, indices }
            }
        }

        impl IntoParallelIterator for Range<$integer> {
            type Iter = RangeIter<$integer>;
            type Item = $integer;

            fn into_par_iter(self) -> Self::Iter {
                RangeIter { ends: (self.start < self.end).then(|| (self.start, self.end - 1)) }
            }
        }

        impl IntoParallelIterator for RangeInclusive<$integer> {
            type Iter = RangeIter<$integer>;
            type Item = $integer;

            fn into_par_iter(self) -> Self::Iter {
                RangeIter { ends: (!self.is_empty()).then(|| self.into_inner()) }
            }
        }
    )*};
}

ranges_of!(u8 u16 u32 u64 u128 usize i8 i16 i32 i64 i128 isize);
