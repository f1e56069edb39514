//! What indexed parallel iterators can be made into.

use super::super::items::{Items, LEN};
use super::super::row::{PAIRS, Row, only, row};
use super::library::prelude::*;
use super::{asleep, awake};

/// An item that takes its time to be dropped.
struct SlowDrop<'a>(&'a Items, usize);

impl Drop for SlowDrop<'_> {
    fn drop(&mut self) {
        self.0.run(self.1);
    }
}

/// Eight quick ones, then all items.
fn behind_eight(items: &Items) -> Vec<Option<SlowDrop<'_>>> {
    let eight = (0..8).map(|_| None);
    eight.chain((0..LEN).map(|item| Some(SlowDrop(items, item)))).collect()
}

/// All items, then eight quick ones.
fn before_eight(items: &Items) -> Vec<Option<SlowDrop<'_>>> {
    let mut all = behind_eight(items);
    all.rotate_left(8);
    all
}

pub(super) const ROWS: &[Row] = &[
    row("IndexedParallelIterator::enumerate", |items, _| {
        asleep().enumerate().for_each(|(_, item)| items.run(item));
    }),
    row("IndexedParallelIterator::zip", |items, _| {
        asleep().zip(1..LEN + 1).for_each(|(item, _)| items.run(item));
    }),
    row("IndexedParallelIterator::zip / what is left over takes long to drop", |items, _| {
        behind_eight(items).into_par_iter().zip(0..8).for_each(drop);
    }),
    row("IndexedParallelIterator::zip_eq", |items, _| {
        asleep().zip_eq(0..LEN).for_each(|(item, _)| items.run(item));
    }),
    row("IndexedParallelIterator::rev", |items, _| asleep().rev().for_each(|item| items.run(item))),
    row("IndexedParallelIterator::take", |items, _| {
        (0..2 * LEN).into_par_iter().take(LEN).for_each(|item| items.run(item));
    }),
    row("IndexedParallelIterator::take / what is left over takes long to drop", |items, _| {
        behind_eight(items).into_par_iter().take(8).for_each(drop);
    }),
    row("IndexedParallelIterator::skip", |items, _| {
        (0..LEN + 8).into_par_iter().skip(8).for_each(|number| items.run(number - 8));
    }),
    row("IndexedParallelIterator::skip / what is left over takes long to drop", |items, _| {
        before_eight(items).into_par_iter().skip(LEN).for_each(drop);
    }),
    row("IndexedParallelIterator::step_by", |items, _| {
        (0..2 * LEN).into_par_iter().step_by(2).for_each(|number| items.run(number / 2));
    }),
    row("IndexedParallelIterator::step_by / what is left over takes long to drop", |items, _| {
        let every_other = (0..2 * LEN).map(|n| (n % 2 == 1).then(|| SlowDrop(items, n / 2)));
        every_other.collect::<Vec<_>>().into_par_iter().step_by(2).for_each(drop);
    }),
    row("IndexedParallelIterator::chunks", |items, _| {
        asleep().chunks(2).for_each(|pair| pair.into_iter().for_each(|item| items.run(item)));
    })
    .expect(PAIRS),
    row("IndexedParallelIterator::chunks / behind the slow part", |items, _| {
        awake(items).chunks(2).for_each(drop)
    })
    .expect(PAIRS),
    row("IndexedParallelIterator::fold_chunks", |items, _| {
        asleep().fold_chunks(2, || 0, |sum, item| sum + items.ran(item)).for_each(drop);
    })
    .expect(PAIRS),
    row("IndexedParallelIterator::interleave", |items, _| {
        let [left, right] = [0..LEN / 2, LEN / 2..LEN].map(|half| half.into_par_iter());
        left.interleave(right).for_each(|item| items.run(item));
    }),
    row("IndexedParallelIterator::interleave_shortest", |items, _| {
        let [left, right] = [0..LEN / 2, LEN / 2..LEN].map(|half| half.into_par_iter());
        left.interleave_shortest(right).for_each(|item| items.run(item));
    }),
    row("IndexedParallelIterator::fold_chunks_with", |items, _| {
        asleep().fold_chunks_with(2, 0, |sum, item| sum + items.ran(item)).for_each(drop);
    })
    .expect(PAIRS),
    row("IndexedParallelIterator::by_uniform_blocks", |items, _| {
        asleep().by_uniform_blocks(LEN / 2).for_each(|item| items.run(item));
    })
    .expect(only([6.5, 4.5, 4.5], "the last item of a block is waited for")),
    row("IndexedParallelIterator::by_exponential_blocks", |items, _| {
        asleep().by_exponential_blocks().for_each(|item| items.run(item));
    })
    .expect(only([6.0, 4.0, 2.8], "the last item of a block is waited for")),
    row("IndexedParallelIterator::positions", |items, _| {
        asleep().positions(|item| items.ran(item) % 2 == 0).for_each(drop);
    }),
    row("IndexedParallelIterator::with_min_len", |items, _| {
        asleep().with_min_len(2).for_each(|item| items.run(item));
    })
    .expect(PAIRS),
    row("IndexedParallelIterator::with_min_len / a chunk for each worker", |items, _| {
        asleep().with_min_len(LEN / 8).for_each(|item| items.run(item));
    })
    .expect(only([7.0, 2.8, 7.0], "eight neighbours belong together, also those with four long ones")),
    row("IndexedParallelIterator::with_max_len", |items, _| {
        asleep().with_max_len(2).for_each(|item| items.run(item));
    }),
];
