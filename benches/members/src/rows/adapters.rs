//! What every parallel iterator can be made into.

use super::super::items::{Items, LEN};
use super::super::row::{ANY_ORDER, NESTED, Row, row};
use super::library::prelude::*;
use super::{asleep, awake, ignore};
use std::sync::Arc;

/// An item that takes its time to be cloned.
struct Slow<'a>(&'a Items, usize);

impl Clone for Slow<'_> {
    fn clone(&self) -> Self {
        self.0.run(self.1);
        Slow(self.0, self.1)
    }
}

fn some(items: &Arc<Items>, item: usize) -> Option<usize> {
    Some(items.ran(item))
}

pub(super) const ROWS: &[Row] = &[
    row("ParallelIterator::panic_fuse", |items, _| asleep().panic_fuse().for_each(|item| items.run(item))),
    row("ParallelIterator::map", |items, _| asleep().map(|item| items.ran(item)).for_each(drop)),
    row("ParallelIterator::map_init", |items, _| {
        asleep().map_init(|| 1, |one, item| items.ran(item) + *one).for_each(drop);
    }),
    row("ParallelIterator::map_with", |items, _| {
        asleep().map_with(1, |one, item| items.ran(item) + *one).for_each(drop);
    }),
    row("ParallelIterator::filter", |items, _| {
        asleep().filter(|item| items.ran(*item) % 2 == 0).for_each(drop)
    }),
    row("ParallelIterator::filter / before the slow part", |items, _| {
        let twice = (0..2 * LEN).into_par_iter();
        twice.filter(|number| number % 2 == 0).for_each(|number| items.run(number / 2));
    }),
    row("ParallelIterator::filter_map", |items, _| {
        asleep().filter_map(|item| some(items, item)).for_each(drop)
    }),
    row("ParallelIterator::flat_map / a few outer items", |items, _| {
        let quarters = (0..4_usize).into_par_iter();
        quarters.flat_map(|n| n * LEN / 4..(n + 1) * LEN / 4).for_each(|item| items.run(item));
    })
    .expect(NESTED),
    row("ParallelIterator::flat_map / one outer item", |items, _| {
        (0..1_usize).into_par_iter().flat_map(|_| 0..LEN).for_each(|item| items.run(item));
    })
    .expect(NESTED),
    row("ParallelIterator::flat_map / many outer items", |items, _| {
        let pairs = (0..LEN / 2).into_par_iter();
        pairs.flat_map(|n| [2 * n, 2 * n + 1]).for_each(|item| items.run(item));
    })
    .expect(NESTED),
    row("ParallelIterator::flat_map / slow outer items", |items, _| {
        asleep().flat_map(|item| [items.ran(item), item]).for_each(drop);
    })
    .expect(NESTED),
    row("ParallelIterator::flat_map / then a map and a collect", |items, _| {
        let quarters = (0..4_usize).into_par_iter();
        let found: Vec<usize> =
            quarters.flat_map(|n| n * LEN / 4..(n + 1) * LEN / 4).map(|item| items.ran(item)).collect();
        assert!(found.into_iter().eq(0..LEN));
    })
    .expect(NESTED),
    row("ParallelIterator::flatten", |items, _| {
        let quarters: Vec<Vec<usize>> = (0..4).map(|n| (n * LEN / 4..(n + 1) * LEN / 4).collect()).collect();
        quarters.into_par_iter().flatten().for_each(|item| items.run(item));
    })
    .expect(NESTED),
    row("ParallelIterator::flat_map_iter", |items, _| {
        asleep().flat_map_iter(|item| [item]).for_each(|item| items.run(item));
    }),
    row("ParallelIterator::flatten_iter", |items, _| {
        asleep().map(|item| [item]).flatten_iter().for_each(|item| items.run(item));
    }),
    row("ParallelIterator::chain", |items, _| {
        (0..LEN / 2).into_par_iter().chain(LEN / 2..LEN).for_each(|item| items.run(item));
    }),
    row("ParallelIterator::update", |items, _| asleep().update(|item| items.run(*item)).for_each(drop)),
    row("ParallelIterator::while_some", |items, _| {
        asleep().map(|item| some(items, item)).while_some().for_each(drop);
    }),
    row("ParallelIterator::take_any", |items, _| asleep().take_any(LEN).for_each(|item| items.run(item))),
    row("ParallelIterator::skip_any", |items, _| {
        let more = (0..LEN + 8).into_par_iter();
        // Nobody knows which are left out: the number of those that run is what matters.
        let next = std::sync::atomic::AtomicUsize::new(0);
        more.skip_any(8).for_each(|_| {
            items.run(next.fetch_add(1, std::sync::atomic::Ordering::Relaxed));
        });
    })
    .expect(ANY_ORDER),
    row("ParallelIterator::take_any_while", |items, _| {
        asleep().take_any_while(|item| items.ran(*item) < LEN).for_each(drop);
    }),
    row("ParallelIterator::skip_any_while", |items, _| {
        asleep().skip_any_while(|item| *item >= LEN).for_each(|item| items.run(item));
    }),
    row("ParallelIterator::cloned", |items, _| {
        let slow: Vec<Slow<'_>> = (0..LEN).map(|item| Slow(items, item)).collect();
        slow.par_iter().cloned().for_each(drop);
    }),
    row("ParallelIterator::copied", |items, _| {
        let numbers: Vec<usize> = (0..LEN).collect();
        numbers.par_iter().copied().for_each(|item| items.run(item));
    }),
    row("ParallelIterator::inspect", |items, _| asleep().inspect(|item| items.run(*item)).for_each(drop)),
    row("ParallelIterator::fold", |items, _| {
        asleep().fold(|| 0, |sum, item| sum + items.ran(item)).for_each(drop);
    }),
    row("ParallelIterator::fold_with", |items, _| {
        asleep().fold_with(0, |sum, item| sum + items.ran(item)).for_each(drop);
    }),
    row("ParallelIterator::try_fold", |items, _| {
        asleep().try_fold(|| 0, |sum, item| Some(sum + items.ran(item))).for_each(drop);
    }),
    row("ParallelIterator::try_fold_with", |items, _| {
        asleep().try_fold_with(0, |sum, item| Some(sum + items.ran(item))).for_each(drop);
    }),
    row("ParallelIterator::fold / then a reduction", |items, _| {
        awake(items).fold(|| 0, |sum, item| sum + item).reduce(|| 0, |a, b| a + b);
    }),
    row("ParallelIterator::intersperse", |items, _| {
        asleep().map(Some).intersperse(None).for_each(|item| ignore(item.map(|item| items.ran(item))));
    }),
    row("ParallelIterator::intersperse / behind a filter", |items, _| {
        let some = asleep().filter(|_| true).map(Some).intersperse(None);
        some.for_each(|item| ignore(item.map(|item| items.ran(item))));
    }),
];
