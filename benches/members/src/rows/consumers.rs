//! What becomes of items.

use super::super::items::{Items, LEN};
use super::super::row::{Row, TREE, row};
use super::library::{iter::Either, prelude::*};
use super::{asleep, awake, ignore};
use std::cmp::Ordering;
use std::iter::{Product, Sum};

/// A number that takes its time to be compared and to be added.
#[derive(Clone, Copy)]
struct Slow<'a>(&'a Items, usize);

impl PartialEq for Slow<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.0.ran(self.1) == other.1
    }
}

impl Eq for Slow<'_> {}

impl PartialOrd for Slow<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Slow<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.ran(self.1).cmp(&other.1)
    }
}

/// What it takes to add.
struct Total;

impl<'a> Sum<Slow<'a>> for Total {
    fn sum<I: Iterator<Item = Slow<'a>>>(slow: I) -> Self {
        slow.for_each(|Slow(items, item)| items.run(item));
        Total
    }
}

impl Sum for Total {
    fn sum<I: Iterator<Item = Total>>(totals: I) -> Self {
        totals.for_each(drop);
        Total
    }
}

impl<'a> Product<Slow<'a>> for Total {
    fn product<I: Iterator<Item = Slow<'a>>>(slow: I) -> Self {
        slow.sum()
    }
}

impl Product for Total {
    fn product<I: Iterator<Item = Total>>(totals: I) -> Self {
        totals.sum()
    }
}

fn slow(items: &Items) -> impl IndexedParallelIterator<Item = Slow<'_>> {
    asleep().map(move |item| Slow(items, item))
}

/// The greater one; it takes as long as the smaller one to find it.
fn greater(items: &Items, a: usize, b: usize) -> usize {
    items.run(a.min(b));
    a.max(b)
}

/// Compares, which takes as long as the smaller one.
fn by_smaller(items: &Items, a: usize, b: usize) -> Ordering {
    items.run(a.min(b));
    a.cmp(&b)
}

pub(super) const ROWS: &[Row] = &[
    row("ParallelIterator::for_each", |items, _| asleep().for_each(|item| items.run(item))),
    row("ParallelIterator::for_each_init", |items, _| {
        asleep().for_each_init(|| 1, |one, item| *one = items.ran(item));
    }),
    row("ParallelIterator::for_each_with", |items, _| {
        asleep().for_each_with(1, |one, item| *one = items.ran(item));
    }),
    row("ParallelIterator::try_for_each", |items, _| {
        asleep().try_for_each(|item| (items.ran(item) < LEN).then_some(())).expect("nothing stops it");
    }),
    row("ParallelIterator::try_for_each_init", |items, _| {
        let all = asleep().try_for_each_init(|| LEN, |len, item| (items.ran(item) < *len).then_some(()));
        all.expect("nothing stops it");
    }),
    row("ParallelIterator::try_for_each_with", |items, _| {
        let all = asleep().try_for_each_with(LEN, |len, item| (items.ran(item) < *len).then_some(()));
        all.expect("nothing stops it");
    }),
    row("ParallelIterator::try_reduce", |items, _| {
        awake(items).map(Some).try_reduce(|| 0, |a, b| Some(a + b)).expect("nothing stops it");
    }),
    row("ParallelIterator::try_reduce_with", |items, _| {
        awake(items).map(Some).try_reduce_with(|a, b| Some(a + b)).flatten().expect("nothing stops it");
    }),
    row("ParallelIterator::reduce", |items, _| ignore(awake(items).reduce(|| 0, |a, b| a + b))),
    row("ParallelIterator::reduce_with", |items, _| ignore(awake(items).reduce_with(|a, b| a + b))),
    row("ParallelIterator::sum", |items, _| ignore(awake(items).sum::<usize>())),
    row("ParallelIterator::product", |items, _| ignore(awake(items).map(|_| 1_usize).product::<usize>())),
    row("ParallelIterator::sum / slow addition", |items, _| ignore(slow(items).sum::<Total>())),
    row("ParallelIterator::product / slow multiplication", |items, _| ignore(slow(items).product::<Total>())),
    row("ParallelIterator::count", |items, _| ignore(awake(items).count())),
    row("ParallelIterator::min", |items, _| ignore(awake(items).min())),
    row("ParallelIterator::max", |items, _| ignore(awake(items).max())),
    row("ParallelIterator::min_by", |items, _| ignore(awake(items).min_by(|a, b| b.cmp(a)))),
    row("ParallelIterator::max_by", |items, _| ignore(awake(items).max_by(|a, b| b.cmp(a)))),
    row("ParallelIterator::min_by_key", |items, _| ignore(asleep().min_by_key(|item| items.ran(*item)))),
    row("ParallelIterator::max_by_key", |items, _| ignore(asleep().max_by_key(|item| items.ran(*item)))),
    row("ParallelIterator::find_any", |items, _| {
        assert_eq!(asleep().find_any(|item| items.ran(*item) == LEN), None);
    }),
    row("ParallelIterator::find_first", |items, _| {
        assert_eq!(asleep().find_first(|item| items.ran(*item) == LEN), None);
    }),
    row("ParallelIterator::find_last", |items, _| {
        assert_eq!(asleep().find_last(|item| items.ran(*item) == LEN), None);
    }),
    row("ParallelIterator::find_map_any", |items, _| {
        assert_eq!(asleep().find_map_any(|item| (items.ran(item) == LEN).then_some(())), None);
    }),
    row("ParallelIterator::find_map_first", |items, _| {
        assert_eq!(asleep().find_map_first(|item| (items.ran(item) == LEN).then_some(())), None);
    }),
    row("ParallelIterator::find_map_last", |items, _| {
        assert_eq!(asleep().find_map_last(|item| (items.ran(item) == LEN).then_some(())), None);
    }),
    row("ParallelIterator::any", |items, _| assert!(!asleep().any(|item| items.ran(item) == LEN))),
    row("ParallelIterator::all", |items, _| assert!(asleep().all(|item| items.ran(item) < LEN))),
    row("ParallelIterator::unzip", |items, _| {
        let both: (Vec<_>, Vec<_>) = awake(items).map(|item| (item, item)).unzip();
        ignore(both);
    }),
    row("ParallelIterator::partition", |items, _| {
        let both: (Vec<_>, Vec<_>) = asleep().partition(|item| items.ran(*item) % 2 == 0);
        ignore(both);
    }),
    row("ParallelIterator::partition_map", |items, _| {
        let both: (Vec<_>, Vec<_>) = asleep().partition_map(|item| match items.ran(item) % 2 {
            0 => Either::Left(item),
            _ => Either::Right(item),
        });
        ignore(both);
    }),
    row("ParallelIterator::collect", |items, _| ignore(awake(items).collect::<Vec<_>>())),
    row("ParallelIterator::collect_vec_list", |items, _| ignore(awake(items).collect_vec_list())),
    row("IndexedParallelIterator::position_any", |items, _| {
        assert_eq!(asleep().position_any(|item| items.ran(item) == LEN), None);
    }),
    row("IndexedParallelIterator::position_first", |items, _| {
        assert_eq!(asleep().position_first(|item| items.ran(item) == LEN), None);
    }),
    row("IndexedParallelIterator::position_last", |items, _| {
        assert_eq!(asleep().position_last(|item| items.ran(item) == LEN), None);
    }),
    row("IndexedParallelIterator::collect_into_vec", |items, _| {
        awake(items).collect_into_vec(&mut Vec::new())
    }),
    row("IndexedParallelIterator::unzip_into_vecs", |items, _| {
        awake(items).map(|item| (item, item)).unzip_into_vecs(&mut Vec::new(), &mut Vec::new());
    }),
    row("IndexedParallelIterator::cmp", |items, _| assert!(slow(items).cmp(slow(items)).is_eq())),
    row("IndexedParallelIterator::partial_cmp", |items, _| {
        assert!(slow(items).partial_cmp(slow(items)).is_some_and(Ordering::is_eq));
    }),
    row("IndexedParallelIterator::eq", |items, _| assert!(slow(items).eq(slow(items)))),
    row("IndexedParallelIterator::ne", |items, _| assert!(!slow(items).ne(slow(items)))),
    row("IndexedParallelIterator::lt", |items, _| assert!(!slow(items).lt(slow(items)))),
    row("IndexedParallelIterator::le", |items, _| assert!(slow(items).le(slow(items)))),
    row("IndexedParallelIterator::gt", |items, _| assert!(!slow(items).gt(slow(items)))),
    row("IndexedParallelIterator::ge", |items, _| assert!(slow(items).ge(slow(items)))),
];

/// Where what is slow is how items are combined. One more item is combined, for there is one
/// operator less than there are items.
pub(super) const OPERATORS: &[Row] = &[
    row("ParallelIterator::reduce / slow operator", |items, _| {
        assert_eq!((0..=LEN).into_par_iter().reduce(|| 0, |a, b| greater(items, a, b)), LEN);
    })
    .expect(TREE),
    row("ParallelIterator::reduce_with / slow operator", |items, _| {
        assert_eq!((0..=LEN).into_par_iter().reduce_with(|a, b| greater(items, a, b)), Some(LEN));
    })
    .expect(TREE),
    row("ParallelIterator::min_by / slow comparison", |items, _| {
        ignore((0..=LEN).into_par_iter().min_by(|a, b| by_smaller(items, *a, *b).reverse()));
    })
    .expect(TREE),
    row("ParallelIterator::max_by / slow comparison", |items, _| {
        ignore((0..=LEN).into_par_iter().max_by(|a, b| by_smaller(items, *a, *b)));
    })
    .expect(TREE),
];
