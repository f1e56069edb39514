//! Ranges that may have more numbers than `usize` can count.
//!
//! Such a long range has few indices. Each index stands for a stretch of many numbers, which is run
//! as inner loops over blocks, one after the other. So long ranges are shared, searched and
//! cancelled like any other loop, and other ranges need no extra code.

use std::iter;
use std::ops::{ControlFlow, Range};

use super::range::{Integer, Numbers, RangeProducer, TOO_MANY};
use crate::engine::drive_inner;
use crate::engine::producer::{IndexedProducer, Producer, Receiver};

/// A block has two to this power numbers: a loop counts each of them.
const BLOCK_BITS: u32 = 31;

/// There are at most two to this power stretches.
const STRETCHES_BITS: u32 = 30;

/// Hands out parts of a range of integers that may be longer than `usize` can count.
#[derive(Clone, Debug)]
pub struct LongRangeProducer<T> {
    range: Counted<T>,
}

#[derive(Clone, Debug)]
enum Counted<T> {
    /// By its numbers.
    Short(RangeProducer<T>),
    /// By stretches of two to the power of `bits` numbers from `first` on; the last one ends
    /// `distance` places behind it.
    Long { first: T, distance: u128, bits: u32 },
}

impl<T: Integer> LongRangeProducer<T> {
    pub(super) fn new(ends: Option<(T, T)>) -> Self {
        let range = match ends {
            Some((first, last)) if first.count(last).is_none() => {
                let distance = first.distance(last);
                let bits = (distance.ilog2() + 1).saturating_sub(STRETCHES_BITS).max(BLOCK_BITS);
                Counted::Long { first, distance, bits }
            }
            _ => Counted::Short(RangeProducer::new(ends)),
        };
        LongRangeProducer { range }
    }

    /// The range whose positions are asked for.
    fn short(&self) -> &RangeProducer<T> {
        match &self.range {
            Counted::Short(range) => range,
            Counted::Long { .. } => panic!("{TOO_MANY}"),
        }
    }
}

/// The first and the last numbers of the blocks that make up some stretches, at least one.
fn blocks<T: Integer>(
    (first, distance, bits): (T, u128, u32),
    stretches: Range<usize>,
) -> impl Iterator<Item = (T, T)> {
    const BLOCK: u128 = 1 << BLOCK_BITS;
    // The end of the last stretch of all may be too far away for a `u128`.
    let last = distance.min((((stretches.end - 1) as u128) << bits) + ((1 << bits) - 1));
    let begin = (stretches.start as u128) << bits;
    let next = move |&begin: &u128| begin.checked_add(BLOCK).filter(|&next| next <= last);
    iter::successors(Some(begin), next)
        .map(move |begin| (first.after(begin), first.after(last.min(begin + (BLOCK - 1)))))
}

impl<T: Integer> Producer for LongRangeProducer<T> {
    type Item = T;
    type Local = ();
    type Iter<'a>
        = Numbers<T>
    where
        Self: 'a;
    const NESTS: bool = true;

    fn len(&self) -> usize {
        match &self.range {
            Counted::Short(range) => range.len(),
            Counted::Long { distance, bits, .. } => (distance >> bits) as usize + 1,
        }
    }

    fn is_exact(&self) -> bool {
        matches!(self.range, Counted::Short(_))
    }

    fn local(&self) {}

    /// # Panics
    ///
    /// When the range is long: only who counts positions does not ask for the blocks.
    #[inline]
    unsafe fn chunk<'a>(&'a self, local: &'a mut (), indices: Range<usize>) -> Self::Iter<'a> {
        // SAFETY: the same demands.
        unsafe { self.indexed_chunk(local, indices) }
    }

    #[inline]
    unsafe fn feed<R: Receiver<T>>(
        &self,
        local: &mut (),
        indices: Range<usize>,
        receiver: &mut R,
    ) -> ControlFlow<()> {
        match &self.range {
            Counted::Short(range) => {
                // SAFETY: the same demands.
                receiver.items(unsafe { range.chunk(local, indices) })
            }
            // The end of a partial.
            Counted::Long { .. } if indices.is_empty() => ControlFlow::Continue(()),
            &Counted::Long { first, distance, bits } => blocks((first, distance, bits), indices)
                .try_for_each(|ends| drive_inner(RangeProducer::new(Some(ends)), receiver)),
        }
    }
}

impl<T: Integer> IndexedProducer for LongRangeProducer<T> {
    type IndexedIter<'a>
        = Numbers<T>
    where
        Self: 'a;

    #[inline]
    unsafe fn indexed_chunk<'a>(&'a self, local: &'a mut (), indices: Range<usize>) -> Self::IndexedIter<'a> {
        // SAFETY: the same demands.
        unsafe { self.short().indexed_chunk(local, indices) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BLOCK: u128 = 1 << BLOCK_BITS;

    #[test]
    fn blocks_make_up_stretches_and_stretches_the_range() {
        for distance in [0, 1, BLOCK - 1, BLOCK, 2 * BLOCK - 1, 7 * BLOCK + 3, 8 * BLOCK - 1] {
            let bits = BLOCK_BITS + 1;
            let stretches = (distance >> bits) as usize + 1;
            let of = |stretches| blocks((-9_i128, distance, bits), stretches);
            let one_by_one: Vec<_> = (0..stretches).flat_map(|stretch| of(stretch..stretch + 1)).collect();
            assert!(of(0..stretches).eq(one_by_one.iter().copied()));
            let mut next = -9;
            for (first, last) in one_by_one {
                assert!(first == next && last.abs_diff(first) < BLOCK);
                next = last + 1;
            }
            assert_eq!(next.abs_diff(-9), distance + 1);
        }
    }

    #[test]
    fn there_are_few_stretches_and_the_last_one_has_the_last_number() {
        for distance in [usize::MAX as u128, 1 << 94, 10_u128.pow(27), u128::MAX - 1, u128::MAX] {
            let producer = LongRangeProducer::new(Some((0, distance)));
            let Counted::Long { bits, .. } = producer.range else { panic!("{distance} is long") };
            let last = producer.len() - 1;
            assert!(last < 1 << STRETCHES_BITS);
            assert_eq!(last as u128, distance >> bits);
            let begin = (last as u128) << bits;
            let block = (begin, distance.min(begin + (BLOCK - 1)));
            assert_eq!(blocks((0, distance, bits), last..last + 1).next(), Some(block));
        }
    }
}
