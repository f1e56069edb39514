//! What there is to iterate over.

use super::super::items::LEN;
use super::super::row::{ANY_ORDER, Expected, Row, only, row};
use super::library::{self, prelude::*};
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap, HashSet, LinkedList, VecDeque};

/// A collection of all items.
fn all<C: FromIterator<usize>>() -> C {
    (0..LEN).collect()
}

/// A map whose keys are all items.
fn keyed<C: FromIterator<(usize, usize)>>() -> C {
    (0..LEN).map(|item| (item, item)).collect()
}

fn array() -> [usize; LEN] {
    std::array::from_fn(|item| item)
}

macro_rules! over {
    (keys by reference $source:expr) => {
        |items, _| $source.into_par_iter().for_each(|(item, _)| items.run(*item))
    };
    (keys $source:expr) => {
        |items, _| $source.into_par_iter().for_each(|(item, _)| items.run(item))
    };
    (by reference $source:expr) => {
        |items, _| $source.into_par_iter().for_each(|item| items.run(*item))
    };
    ($source:expr) => {
        |items, _| $source.into_par_iter().for_each(|item| items.run(item))
    };
}

/// Items with up to eight others below them.
fn below(item: &usize) -> std::ops::Range<usize> {
    8 * item + 1..(8 * item + 9).clamp(8 * item + 1, LEN.max(8 * item + 1))
}

fn halves(range: std::ops::Range<usize>) -> (std::ops::Range<usize>, Option<std::ops::Range<usize>>) {
    match range.len() {
        0 | 1 => (range, None),
        len => (range.start..range.start + len / 2, Some(range.start + len / 2..range.end)),
    }
}

/// Groups in groups.
const TREES: Expected = only([4.0, 3.0, 3.0], "who waits for the last item of a group does nothing else");

pub(super) const ROWS: &[Row] = &[
    row("IntoParallelIterator::into_par_iter", over!(0..LEN)),
    row("IntoParallelRefIterator::par_iter", |items, _| {
        all::<Vec<_>>().par_iter().for_each(|item| items.run(*item));
    }),
    row("IntoParallelRefMutIterator::par_iter_mut", |items, _| {
        all::<Vec<_>>().par_iter_mut().for_each(|item| *item = items.ran(*item));
    }),
    row("IntoParallelIterator for I", over!((0..LEN).into_par_iter())),
    row("IntoParallelIterator for Range<T>", over!(0..LEN)),
    row("IntoParallelIterator for RangeInclusive<T>", over!(0..=LEN - 1)),
    row("IntoParallelIterator for Vec<T>", over!(all::<Vec<_>>())),
    row("IntoParallelIterator for &Vec<T>", over!(by reference &all::<Vec<_>>())),
    row("IntoParallelIterator for &mut Vec<T>", over!(by reference &mut all::<Vec<_>>())),
    row("IntoParallelIterator for &[T]", over!(by reference &*all::<Vec<_>>())),
    row("IntoParallelIterator for &mut [T]", over!(by reference &mut *all::<Vec<_>>())),
    row("IntoParallelIterator for [T;N]", over!(array())),
    row("IntoParallelIterator for &[T;N]", over!(by reference &array())),
    row("IntoParallelIterator for &mut [T;N]", over!(by reference &mut array())),
    row("IntoParallelIterator for Box<[T]>", over!(all::<Box<[_]>>())),
    row("IntoParallelIterator for &Box<[T]>", over!(by reference &all::<Box<[_]>>())),
    row("IntoParallelIterator for &mut Box<[T]>", over!(by reference &mut all::<Box<[_]>>())),
    row("IntoParallelIterator for VecDeque<T>", over!(all::<VecDeque<_>>())),
    row("IntoParallelIterator for &VecDeque<T>", over!(by reference &all::<VecDeque<_>>())),
    row("IntoParallelIterator for &mut VecDeque<T>", over!(by reference &mut all::<VecDeque<_>>())),
    row("IntoParallelIterator for &VecDeque<T> / in two halves", |items, _| {
        let mut halves = all::<VecDeque<_>>();
        halves.rotate_left(LEN / 2);
        halves.par_iter().for_each(|item| items.run(*item));
    }),
    row("IntoParallelIterator for LinkedList<T>", over!(all::<LinkedList<_>>())),
    row("IntoParallelIterator for &LinkedList<T>", over!(by reference &all::<LinkedList<_>>())),
    row("IntoParallelIterator for &mut LinkedList<T>", over!(by reference &mut all::<LinkedList<_>>())),
    row("IntoParallelIterator for BinaryHeap<T>", over!(all::<BinaryHeap<_>>())).expect(ANY_ORDER),
    row("IntoParallelIterator for &BinaryHeap<T>", over!(by reference &all::<BinaryHeap<_>>()))
        .expect(ANY_ORDER),
    row("IntoParallelIterator for BTreeSet<T>", over!(all::<BTreeSet<_>>())),
    row("IntoParallelIterator for &BTreeSet<T>", over!(by reference &all::<BTreeSet<_>>())),
    row("IntoParallelIterator for HashSet<T, S>", over!(all::<HashSet<_>>())).expect(ANY_ORDER),
    row("IntoParallelIterator for &HashSet<T, S>", over!(by reference &all::<HashSet<_>>()))
        .expect(ANY_ORDER),
    row("IntoParallelIterator for BTreeMap<K, V>", over!(keys keyed::<BTreeMap<_, _>>())),
    row("IntoParallelIterator for &BTreeMap<K, V>", over!(keys by reference &keyed::<BTreeMap<_, _>>())),
    row(
        "IntoParallelIterator for &mut BTreeMap<K, V>",
        over!(keys by reference &mut keyed::<BTreeMap<_, _>>()),
    ),
    row("IntoParallelIterator for HashMap<K, V, S>", over!(keys keyed::<HashMap<_, _>>())).expect(ANY_ORDER),
    row("IntoParallelIterator for &HashMap<K, V, S>", over!(keys by reference &keyed::<HashMap<_, _>>()))
        .expect(ANY_ORDER),
    row(
        "IntoParallelIterator for &mut HashMap<K, V, S>",
        over!(keys by reference &mut keyed::<HashMap<_, _>>()),
    )
    .expect(ANY_ORDER),
    row("IntoParallelIterator for tuples", over!(keys(0..LEN, all::<Vec<_>>()))),
    row("IntoParallelIterator for &tuples", over!(keys by reference &(all::<Vec<_>>(), array()))),
    row("IntoParallelIterator for &mut tuples", over!(keys by reference &mut (all::<Vec<_>>(), array()))),
    row("repeat", |items, _| {
        library::iter::repeat(7).zip(0..LEN).for_each(|(_, item)| items.run(item));
    }),
    row("repeat_n", |items, _| {
        library::iter::repeat_n(7, LEN).enumerate().for_each(|(item, _)| items.run(item));
    }),
    row("ParallelBridge::par_bridge", |items, _| {
        (0..LEN).par_bridge().for_each(|item| items.run(item));
    })
    .expect(ANY_ORDER),
    row("ParallelDrainFull::par_drain", |items, _| {
        all::<HashSet<_>>().par_drain().for_each(|item| items.run(item));
    })
    .expect(ANY_ORDER),
    row("ParallelDrainRange::par_drain", |items, _| {
        all::<Vec<_>>().par_drain(..).for_each(|item| items.run(item));
    }),
    row("ParallelDrainRange::par_drain / of a queue", |items, _| {
        all::<VecDeque<_>>().par_drain(..).for_each(|item| items.run(item));
    }),
    row("walk_tree", |items, _| {
        library::iter::walk_tree(0, below).for_each(|item| items.run(item));
    })
    .expect(TREES),
    row("walk_tree_prefix", |items, _| {
        library::iter::walk_tree_prefix(0, below).for_each(|item| items.run(item));
    })
    .expect(TREES),
    row("walk_tree_prefix / finding what is below takes long", |items, _| {
        library::iter::walk_tree_prefix(0, |item| below(&items.ran(*item))).for_each(drop);
    })
    .expect(TREES),
    row("walk_tree_postfix", |items, _| {
        library::iter::walk_tree_postfix(0, below).for_each(|item| items.run(item));
    })
    .expect(TREES),
    row("split", |items, _| {
        library::iter::split(0..LEN, halves).for_each(|piece| piece.for_each(|item| items.run(item)));
    })
    .expect(TREES),
];
