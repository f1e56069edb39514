//! Parts of slices, and sorts.

use super::super::items::{Items, LEN};
use super::super::row::{Expected, PAIRS, Row, only, row};
use super::library::prelude::*;
use std::cell::Cell;
use std::cmp::Ordering;

fn numbers() -> Vec<usize> {
    (0..LEN).collect()
}

fn run_all(items: &Items, part: &[usize]) {
    part.iter().for_each(|item| items.run(*item));
}

/// Separators between all items.
fn separated() -> Vec<Option<usize>> {
    (0..LEN).flat_map(|item| [Some(item), None]).take(2 * LEN - 1).collect()
}

fn run_first(items: &Items, part: &[Option<usize>]) {
    items.run(part[0].expect("a separator comes last"));
}

/// All items in an order of no use, noting how many comparisons the standard library's sort needs
/// for them.
fn shuffled(items: &Items) -> Vec<usize> {
    let shuffled: Vec<usize> = (0..LEN).map(|item| item * 37 % LEN).collect();
    let comparisons = Cell::new(0);
    shuffled.clone().sort_by(|a, b| {
        comparisons.set(comparisons.get() + 1);
        a.cmp(b)
    });
    items.needs(comparisons.get());
    shuffled
}

/// Is compared by taking its time.
#[derive(Clone, Copy)]
struct Slow<'a>(&'a Items, usize);

impl PartialEq for Slow<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
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
        self.0.compare(self.1, other.1)
    }
}

fn slow(items: &Items) -> Vec<Slow<'_>> {
    shuffled(items).into_iter().map(|item| Slow(items, item)).collect()
}

/// Merging and partitioning are parallel, too, down to a few dozen items, but not all the time.
const SORT: Expected = only([3.0, 2.0, 3.0], "the last merges, or the first partitions, keep fewer busy");

pub(super) const ROWS: &[Row] = &[
    row("ParallelSlice::par_chunks", |items, _| {
        numbers().par_chunks(2).for_each(|part| run_all(items, part))
    })
    .expect(PAIRS),
    row("ParallelSlice::par_chunks_exact", |items, _| {
        numbers().par_chunks_exact(2).for_each(|part| run_all(items, part));
    })
    .expect(PAIRS),
    row("ParallelSlice::par_rchunks", |items, _| {
        numbers().par_rchunks(2).for_each(|part| run_all(items, part))
    })
    .expect(PAIRS),
    row("ParallelSlice::par_rchunks_exact", |items, _| {
        numbers().par_rchunks_exact(2).for_each(|part| run_all(items, part));
    })
    .expect(PAIRS),
    row("ParallelSlice::par_windows", |items, _| {
        (0..=LEN).collect::<Vec<_>>().par_windows(2).for_each(|part| run_all(items, &part[..1]));
    }),
    row("ParallelSlice::par_split", |items, _| {
        separated().par_split(|item| item.is_none()).for_each(|part| run_first(items, part));
    }),
    row("ParallelSlice::par_split / slow separator", |items, _| {
        numbers().par_split(|item| items.ran(*item) % 8 == 0).for_each(|_| ());
    }),
    row("ParallelSlice::par_split_inclusive", |items, _| {
        separated().par_split_inclusive(|item| item.is_none()).for_each(|part| run_first(items, part));
    }),
    row("ParallelSlice::par_split_inclusive / slow separator", |items, _| {
        numbers().par_split_inclusive(|item| items.ran(*item) % 8 == 0).for_each(|_| ());
    }),
    row("ParallelSlice::par_array_windows", |items, _| {
        (0..=LEN).collect::<Vec<_>>().par_array_windows::<2>().for_each(|part| run_all(items, &part[..1]));
    }),
    row("ParallelSlice::par_chunk_by", |items, _| {
        numbers().par_chunk_by(|a, b| a / 2 == b / 2).for_each(|part| run_all(items, part));
    })
    .expect(PAIRS),
    row("ParallelSliceMut::par_chunk_by_mut", |items, _| {
        numbers().par_chunk_by_mut(|a, b| a / 2 == b / 2).for_each(|part| run_all(items, part));
    })
    .expect(PAIRS),
    row("ParallelSliceMut::par_split_mut", |items, _| {
        separated().par_split_mut(|item| item.is_none()).for_each(|part| run_first(items, part));
    }),
    row("ParallelSliceMut::par_split_mut / slow separator", |items, _| {
        numbers().par_split_mut(|item| items.ran(*item) % 8 == 0).for_each(|_| ());
    }),
    row("ParallelSliceMut::par_split_inclusive_mut", |items, _| {
        separated().par_split_inclusive_mut(|item| item.is_none()).for_each(|part| run_first(items, part));
    }),
    row("ParallelSliceMut::par_chunks_mut", |items, _| {
        numbers().par_chunks_mut(2).for_each(|part| run_all(items, part));
    })
    .expect(PAIRS),
    row("ParallelSliceMut::par_chunks_exact_mut", |items, _| {
        numbers().par_chunks_exact_mut(2).for_each(|part| run_all(items, part));
    })
    .expect(PAIRS),
    row("ParallelSliceMut::par_rchunks_mut", |items, _| {
        numbers().par_rchunks_mut(2).for_each(|part| run_all(items, part));
    })
    .expect(PAIRS),
    row("ParallelSliceMut::par_rchunks_exact_mut", |items, _| {
        numbers().par_rchunks_exact_mut(2).for_each(|part| run_all(items, part));
    })
    .expect(PAIRS),
    row("ParallelSliceMut::par_sort", |items, _| slow(items).par_sort()).expect(SORT),
    row("ParallelSliceMut::par_sort_by", |items, _| {
        shuffled(items).par_sort_by(|a, b| items.compare(*a, *b))
    })
    .expect(SORT),
    row("ParallelSliceMut::par_sort_by_key", |items, _| {
        shuffled(items).par_sort_by_key(|item| Slow(items, *item));
    })
    .expect(SORT),
    row("ParallelSliceMut::par_sort_by_cached_key", |items, _| {
        numbers().par_sort_by_cached_key(|item| items.ran(*item));
    }),
    row("ParallelSliceMut::par_sort_unstable", |items, _| slow(items).par_sort_unstable()).expect(SORT),
    row("ParallelSliceMut::par_sort_unstable_by", |items, _| {
        shuffled(items).par_sort_unstable_by(|a, b| items.compare(*a, *b));
    })
    .expect(SORT),
    row("ParallelSliceMut::par_sort_unstable_by_key", |items, _| {
        shuffled(items).par_sort_unstable_by_key(|item| Slow(items, *item));
    })
    .expect(SORT),
];
