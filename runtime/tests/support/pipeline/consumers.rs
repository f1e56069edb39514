//! The ends of pipelines, compared with the standard library's.

use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap, HashSet, LinkedList, VecDeque};
use std::num::Wrapping;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use taskel::iter::Either;
use taskel::prelude::*;

use super::erased::{Flat, Indexed};
#[cfg(not(fuzzing))]
use super::inside;
use super::{Choices, Pipeline, Stage};

/// Consumes the pipeline in one of all ways, and compares.
pub(crate) fn check(pipeline: Pipeline, choices: &mut Choices<'_>, told: &str) {
    let Pipeline { stage, expected, .. } = pipeline;
    let kind = choices.below(60);
    let n = choices.below(20);
    let told = format!("{told}, consumer {kind}, n = {n}");
    let inside = choices.below(10);
    // Each is a type of its own for every consumer: with a sanitizer, minutes of compiling.
    let stage = match inside {
        #[cfg(not(fuzzing))]
        3.. => inside::check(stage, &expected, inside, (kind, n), &told),
        _ => Some(stage),
    };
    let Some(stage) = stage else { return };
    match stage {
        Stage::Indexed(items) if kind >= 42 => places(items, &expected, kind, n, &told),
        Stage::Indexed(items) => by_kind(Flat::from(items), &expected, kind, n, &told),
        Stage::Flat(items) => by_kind(items, &expected, kind % 42, n, &told),
        Stage::Tailed(items) => by_kind(items, &expected, kind % 42, n, &told),
    }
}

pub(super) fn by_kind(
    items: impl ParallelIterator<Item = u64>,
    expected: &[u64],
    kind: u64,
    n: u64,
    told: &str,
) {
    match kind {
        0..14 => reductions(items, expected, kind, n, told),
        14..25 => searches(items, expected, kind, n, told),
        25 | 34.. => collections(items, expected, kind, n, told),
        _ => standard_collections(items, expected, kind, told),
    }
}

/// Composition of `x -> m * x + a`: associative, and does not commute.
fn then((m, a): (u64, u64), (n, b): (u64, u64)) -> (u64, u64) {
    (m.wrapping_mul(n), a.wrapping_mul(n).wrapping_add(b))
}

fn affine(x: u64) -> (u64, u64) {
    (2 * x + 1, x)
}

pub(super) fn reductions(
    items: impl ParallelIterator<Item = u64>,
    expected: &[u64],
    kind: u64,
    n: u64,
    told: &str,
) {
    let old = expected.iter().copied();
    let composed = old.clone().map(affine).fold((1, 0), then);
    match kind {
        0 => assert_eq!(
            items.map(Wrapping).sum::<Wrapping<u64>>(),
            old.map(Wrapping).sum::<Wrapping<u64>>(),
            "{told}"
        ),
        1 => assert_eq!(
            items.map(|x| Wrapping(x | 1)).product::<Wrapping<u64>>(),
            old.map(|x| Wrapping(x | 1)).product::<Wrapping<u64>>(),
            "{told}"
        ),
        2 => assert_eq!(items.count(), expected.len(), "{told}"),
        3 => assert_eq!(items.map(affine).reduce(|| (1, 0), then), composed, "{told}"),
        4 => assert_eq!(items.map(affine).reduce_with(then).unwrap_or((1, 0)), composed, "{told}"),
        5 => {
            let folds = items.fold(|| (1, 0), |all, x| then(all, affine(x)));
            assert_eq!(folds.reduce(|| (1, 0), then), composed, "{told}");
        }
        6 => {
            let folds = items.try_fold(|| (1, 0), |all, x| Some(then(all, affine(x))));
            assert_eq!(folds.try_reduce(|| (1, 0), |a, b| Some(then(a, b))), Some(composed), "{told}");
        }
        7 => {
            let limited = |x| if x % 20 == n { Err(x) } else { Ok(affine(x)) };
            let result = items.map(limited).try_reduce(|| (1, 0), |a, b| Ok(then(a, b)));
            match result {
                Ok(all) => assert!(all == composed && old.clone().all(|x| x % 20 != n), "{told}"),
                Err(x) => assert!(x % 20 == n && expected.contains(&x), "{told}"),
            }
        }
        8 => {
            let result = items.map(|x| Some(affine(x))).try_reduce_with(|a, b| Some(then(a, b)));
            assert_eq!(result, (!expected.is_empty()).then_some(Some(composed)), "{told}");
        }
        9 => {
            let minima = (items.min(), old.min());
            assert_eq!(minima.0, minima.1, "{told}");
        }
        10 => assert_eq!(items.max_by_key(|x| x % 7), old.max_by_key(|x| x % 7), "{told}"),
        11 => assert_eq!(items.min_by_key(|x| x % 7), old.min_by_key(|x| x % 7), "{told}"),
        12 => {
            let by = |a: &u64, b: &u64| (a % 5).cmp(&(b % 5));
            assert_eq!(items.max_by(by), old.max_by(by), "{told}");
        }
        _ => {
            // Sums of whole numbers are exact in any order; the bits of others are compared between
            // runs elsewhere.
            let sum = items.map(|x| (x % 1000) as f64).deterministic().sum::<f64>();
            assert_eq!(sum, old.map(|x| (x % 1000) as f64).sum::<f64>(), "{told}");
        }
    }
}

pub(super) fn searches(
    items: impl ParallelIterator<Item = u64>,
    expected: &[u64],
    kind: u64,
    n: u64,
    told: &str,
) {
    let old = || expected.iter().copied();
    let wanted = |x: &u64| x % 20 == n;
    let half = |x: u64| (x % 20 == n).then_some(x / 2);
    match kind {
        14 => assert_eq!(items.any(|x| wanted(&x)), old().any(|x| wanted(&x)), "{told}"),
        15 => assert_eq!(items.all(|x| !wanted(&x)), old().all(|x| !wanted(&x)), "{told}"),
        16 => {
            let found = items.find_any(wanted);
            assert_eq!(found.is_some(), old().any(|x| wanted(&x)), "{told}");
            assert!(found.is_none_or(|x| wanted(&x) && expected.contains(&x)), "{told}");
        }
        17 => assert_eq!(items.find_first(wanted), old().find(wanted), "{told}"),
        18 => assert_eq!(items.find_last(wanted), old().rfind(wanted), "{told}"),
        19 => assert_eq!(items.find_map_any(half).is_some(), old().any(|x| wanted(&x)), "{told}"),
        20 => assert_eq!(items.find_map_first(half), old().find_map(half), "{told}"),
        21 => assert_eq!(items.find_map_last(half), old().filter_map(half).next_back(), "{told}"),
        22 => {
            let result = items.try_for_each(|x| if wanted(&x) { Err(x) } else { Ok(()) });
            assert_eq!(result.is_err(), old().any(|x| wanted(&x)), "{told}");
        }
        23 => {
            let count = items.map(|x| (!wanted(&x)).then_some(x)).while_some().count();
            assert!(count <= old().filter(|x| !wanted(x)).count(), "{told}");
        }
        _ => {
            let taken: Vec<u64> = items.take_any(n as usize * 3).collect();
            assert_eq!(taken.len(), expected.len().min(n as usize * 3), "{told}");
            let mut rest = old();
            assert!(taken.iter().all(|x| rest.any(|y| *x == y)), "{told}: a subsequence");
        }
    }
}

fn standard_collections(items: impl ParallelIterator<Item = u64>, expected: &[u64], kind: u64, told: &str) {
    let old = || expected.iter().copied();
    match kind {
        26 => assert_eq!(items.collect::<VecDeque<_>>(), old().collect::<VecDeque<_>>(), "{told}"),
        27 => assert_eq!(items.collect::<BTreeSet<_>>(), old().collect::<BTreeSet<_>>(), "{told}"),
        28 => assert_eq!(items.collect::<HashSet<_>>(), old().collect::<HashSet<_>>(), "{told}"),
        29 => assert_eq!(
            items.map(|x| (x % 10, x)).collect::<BTreeMap<_, _>>(),
            old().map(|x| (x % 10, x)).collect::<BTreeMap<_, _>>(),
            "{told}"
        ),
        30 => assert_eq!(
            items.map(|x| (x % 10, x)).collect::<HashMap<_, _>>(),
            old().map(|x| (x % 10, x)).collect::<HashMap<_, _>>(),
            "{told}"
        ),
        31 => assert_eq!(items.collect::<LinkedList<_>>(), old().collect::<LinkedList<_>>(), "{told}"),
        32 => assert_eq!(
            items.collect::<BinaryHeap<_>>().into_sorted_vec(),
            old().collect::<BinaryHeap<_>>().into_sorted_vec(),
            "{told}"
        ),
        _ => assert_eq!(
            items.map(|x| x.to_string()).collect::<String>(),
            old().map(|x| x.to_string()).collect::<String>(),
            "{told}"
        ),
    }
}

pub(super) fn collections(
    items: impl ParallelIterator<Item = u64>,
    expected: &[u64],
    kind: u64,
    n: u64,
    told: &str,
) {
    let old = || expected.iter().copied();
    match kind {
        25 => assert_eq!(items.collect::<Vec<_>>(), expected, "{told}"),
        34 => {
            let even = items.map(|x| (x % 20 != n).then_some(x)).collect::<Option<Vec<_>>>();
            assert_eq!(even, old().map(|x| (x % 20 != n).then_some(x)).collect::<Option<Vec<_>>>(), "{told}");
        }
        35 => {
            match items.map(|x| if x % 20 == n { Err(x) } else { Ok(x) }).collect::<Result<Box<[_]>, _>>() {
                Ok(all) => assert_eq!(*all, *expected, "{told}"),
                Err(x) => assert!(x % 20 == n && expected.contains(&x), "{told}"),
            }
        }
        36 => {
            let parts: (Vec<_>, VecDeque<_>) = items.partition(|x| x % 3 == 0);
            assert_eq!(parts, old().partition_in(|x| x % 3 == 0), "{told}");
        }
        37 => {
            let parts: (Vec<_>, Vec<_>) =
                items.partition_map(|x| if x % 3 == 0 { Either::Left(x) } else { Either::Right(x / 2) });
            let (left, right): (Vec<_>, Vec<_>) = old().partition(|x| x % 3 == 0);
            assert_eq!(parts, (left, right.iter().map(|x| x / 2).collect()), "{told}");
        }
        38 => {
            let parts: (Vec<_>, Vec<_>) = items.map(|x| (x, x / 2)).unzip();
            assert_eq!(parts, old().map(|x| (x, x / 2)).unzip(), "{told}");
        }
        39 => {
            let mut extended = vec![1, 2, 3];
            extended.par_extend(items);
            assert_eq!(extended[..3], [1, 2, 3], "{told}");
            assert_eq!(extended[3..], *expected, "{told}");
        }
        40 => {
            let list = items.collect_vec_list();
            assert_eq!(list.into_iter().flatten().collect::<Vec<_>>(), expected, "{told}");
        }
        _ => {
            let total = AtomicU64::new(0);
            let add = |x: u64| {
                total.fetch_add(x, Relaxed);
            };
            match n % 3 {
                0 => items.for_each(add),
                1 => items.for_each_init(|| (), |(), x| add(x)),
                _ => items.for_each_with((), |(), x| add(x)),
            }
            assert_eq!(total.into_inner(), old().fold(0, u64::wrapping_add), "{told}");
        }
    }
}

/// `Iterator::partition` into two types.
trait PartitionIn: Iterator<Item = u64> + Sized {
    fn partition_in(self, predicate: impl Fn(&u64) -> bool) -> (Vec<u64>, VecDeque<u64>) {
        let (left, right): (Vec<_>, Vec<_>) = self.partition(predicate);
        (left, right.into())
    }
}
impl<I: Iterator<Item = u64>> PartitionIn for I {}

fn places(items: Indexed, expected: &[u64], kind: u64, n: u64, told: &str) {
    let old = || expected.iter().copied();
    let wanted = |x: u64| x % 20 == n;
    // The same, longer, or different in one place.
    let mut other = expected.to_vec();
    match n % 4 {
        0 => other.push(n),
        1 => drop(other.pop()),
        2 if !other.is_empty() => {
            let place = n as usize * 1000 % other.len();
            other[place] ^= 1;
        }
        _ => {}
    }
    let them = || other.iter().copied();
    match kind {
        42 => assert_eq!(items.len(), expected.len(), "{told}"),
        43 => assert_eq!(items.position_first(wanted), old().position(wanted), "{told}"),
        44 => {
            let last = old().rposition(wanted);
            assert_eq!(items.position_last(wanted), last, "{told}");
        }
        45 => {
            let found = items.position_any(wanted);
            assert_eq!(found.is_some(), old().any(wanted), "{told}");
            assert!(found.is_none_or(|i| wanted(expected[i])), "{told}");
        }
        46 => assert_eq!(items.cmp(other.clone()), old().cmp(them()), "{told}"),
        47 => assert_eq!(items.partial_cmp(other.clone()), old().partial_cmp(them()), "{told}"),
        48 => assert_eq!(items.eq(other.clone()), old().eq(them()), "{told}"),
        49 => assert_eq!(items.ne(other.clone()), old().ne(them()), "{told}"),
        50 => assert_eq!(items.lt(other.clone()), old().lt(them()), "{told}"),
        51 => assert_eq!(items.le(other.clone()), old().le(them()), "{told}"),
        52 => assert_eq!(items.gt(other.clone()), old().gt(them()), "{told}"),
        53 => assert_eq!(items.ge(other.clone()), old().ge(them()), "{told}"),
        54 => {
            let mut target = vec![9; n as usize];
            items.collect_into_vec(&mut target);
            assert_eq!(target, expected, "{told}");
        }
        55 => {
            let (mut left, mut right) = (vec![1], vec![2, 3]);
            items.map(|x| (x / 2, x)).unzip_into_vecs(&mut left, &mut right);
            assert_eq!((left, right), old().map(|x| (x / 2, x)).unzip(), "{told}");
        }
        56 => {
            let items = items.zip_eq(expected.to_vec()).map(|(x, y)| x ^ y);
            assert!(items.all(|difference| difference == 0), "{told}");
        }
        57 => {
            let first = items.enumerate().find_first(|&(_, x)| wanted(x));
            assert_eq!(first, old().enumerate().find(|&(_, x)| wanted(x)), "{told}");
        }
        58 => {
            let least = items.enumerate().min_by(|a, b| (a.1 % 5).cmp(&(b.1 % 5)));
            assert_eq!(least, old().enumerate().min_by(|a, b| (a.1 % 5).cmp(&(b.1 % 5))), "{told}");
        }
        _ => assert_eq!(items.collect::<Vec<_>>(), expected, "{told}"),
    }
}
