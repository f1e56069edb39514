//! Adapters, and what the standard library's iterators make of the same items.

use taskel::Chunk;
use taskel::prelude::*;

use super::erased::{Flat, flat, indexed, tailed};
use super::{Choices, Pipeline, Stage};

/// Above this, members that make more of the items are left out.
const MANY: usize = 10_000;

/// Members that yield one item for each, whatever they are applied to.
macro_rules! same_places {
    ($items:expr, $kind:expr, $n:expr, $erase:ident) => {{
        let (items, n) = ($items, $n);
        match $kind {
            0 => ("map", $erase(items.map(move |x| x ^ n))),
            1 => ("inspect", $erase(items.inspect(|x| assert!(*x < u64::MAX)))),
            2 => ("update", $erase(items.update(move |x| *x += n))),
            3 => (
                "map_init",
                $erase(items.map_init(
                    || 0_u64,
                    move |calls, x| {
                        *calls += 1;
                        x + 2 * n
                    },
                )),
            ),
            4 => (
                "map_with",
                $erase(items.map_with(vec![n], |kept, x| {
                    kept.truncate(1);
                    kept.push(x);
                    x * 3 + kept[0]
                })),
            ),
            5 => ("chunk", $erase(items.chunk(Chunk::Exact(n as usize + 1)))),
            _ => ("panic_fuse", $erase(items.panic_fuse())),
        }
    }};
}
/// Members that change the number of items, or are for unindexed ones only.
macro_rules! any_member {
    ($items:expr, $kind:expr, $n:expr, $len:expr, $erase:ident, $Stage:path) => {{
        let (items, n) = ($items, $n);
        match $kind % 11 {
            0 => ("filter", $Stage($erase(items.filter(move |x| x % 7 != n % 7)))),
            1 => ("filter_map", $Stage($erase(items.filter_map(move |x| (x % 3 != n % 3).then_some(x / 2))))),
            2 => ("flat_map_iter", $Stage($erase(items.flat_map_iter(move |x| 0..few(x, n))))),
            3 => ("flat_map", $Stage($erase(items.flat_map(move |x| (0..few(x, n)).into_par_iter())))),
            4 => ("flatten", $Stage($erase(items.map(move |x| vec![x; few(x, n) as usize]).flatten()))),
            5 => {
                ("flatten_iter", $Stage($erase(items.map(move |x| (x % 2 == 0).then_some(x)).flatten_iter())))
            }
            6 => ("chain", $Stage($erase(items.chain((0..n).into_par_iter().filter(|x| x % 2 == 0))))),
            7 => ("while_some", $Stage($erase(items.map(Some).while_some()))),
            8 => ("take_any", $Stage($erase(items.take_any(usize::MAX).skip_any(0)))),
            9 => (
                "fold",
                Stage::Tailed(tailed(items.fold(Vec::new, gather).flat_map_iter(|gathered| gathered))),
            ),
            _ => (
                "try_fold",
                Stage::Tailed(tailed(
                    items
                        .try_fold(Vec::new, |gathered, x| Some(gather(gathered, x)))
                        .flat_map_iter(|gathered| gathered.expect("nothing stops it"))
                        .chain(vec![n]),
                )),
            ),
        }
    }};
}
/// Has every loop shared, and gives other lanes time to come: an item takes some microseconds now
/// and then.
pub(crate) fn slow_chunks(pipeline: Pipeline, choices: &mut Choices<'_>) -> Pipeline {
    let Pipeline { stage, expected, mut told } = pipeline;
    let size = 1 + choices.below(20) as usize;
    let n = choices.below(32);
    let slow = move |x: &u64| {
        if x % 32 == n {
            (0..500).for_each(|_| std::hint::spin_loop());
        }
    };
    let stage = match stage {
        Stage::Indexed(items) => Stage::Indexed(indexed(items.inspect(slow).chunk(Chunk::Exact(size)))),
        Stage::Flat(items) => Stage::Flat(flat(items.inspect(slow).chunk(Chunk::Exact(size)))),
        Stage::Tailed(items) => Stage::Tailed(tailed(items.inspect(slow).chunk(Chunk::Exact(size)))),
    };
    told.push("slow_chunks");
    Pipeline { stage, expected, told }
}

/// Adds a member, one that every parallel iterator has or one for indexed ones.
pub(crate) fn member(pipeline: Pipeline, choices: &mut Choices<'_>) -> Pipeline {
    let Pipeline { stage, expected, mut told } = pipeline;
    let n = choices.below(50);
    let kind = choices.below(42);
    let (name, stage, expected) = match stage {
        Stage::Indexed(items) if kind >= 18 => indexed_member(items, expected, kind, n),
        Stage::Indexed(items) if kind < 7 => {
            let (name, items) = same_places!(items, kind, n, indexed);
            (name, Stage::Indexed(items), of_same_places(expected, kind, n))
        }
        Stage::Indexed(items) => any_flat_member(items.into(), expected, kind, n),
        Stage::Flat(items) if kind % 25 < 7 => {
            let (name, items) = same_places!(items, kind % 25, n, flat);
            (name, Stage::Flat(items), of_same_places(expected, kind % 25, n))
        }
        Stage::Flat(items) => any_flat_member(items, expected, kind, n),
        Stage::Tailed(items) if kind % 25 < 7 => {
            let (name, items) = same_places!(items, kind % 25, n, tailed);
            (name, Stage::Tailed(items), of_same_places(expected, kind % 25, n))
        }
        Stage::Tailed(items) => {
            let (name, stage) = any_member!(items, kind, n, expected.len(), tailed, Stage::Tailed);
            (name, stage, of_any(expected, kind, n))
        }
    };
    told.push(name);
    Pipeline { stage, expected, told }
}

fn any_flat_member(items: Flat, expected: Vec<u64>, kind: u64, n: u64) -> (&'static str, Stage, Vec<u64>) {
    let (name, stage) = any_member!(items, kind, n, expected.len(), flat, Stage::Flat);
    (name, stage, of_any(expected, kind, n))
}

fn of_same_places(items: Vec<u64>, kind: u64, n: u64) -> Vec<u64> {
    let items = items.into_iter();
    match kind {
        0 => items.map(|x| x ^ n).collect(),
        2 => items.map(|x| x + n).collect(),
        3 => items.map(|x| x + 2 * n).collect(),
        4 => items.map(|x| x * 3 + n).collect(),
        _ => items.collect(),
    }
}

fn of_any(items: Vec<u64>, kind: u64, n: u64) -> Vec<u64> {
    let items = items.into_iter();
    match kind % 11 {
        0 => items.filter(|x| x % 7 != n % 7).collect(),
        1 => items.filter_map(|x| (x % 3 != n % 3).then_some(x / 2)).collect(),
        2 | 3 => items.flat_map(|x| 0..few(x, n)).collect(),
        4 => items.flat_map(|x| vec![x; few(x, n) as usize]).collect(),
        5 => items.filter(|x| x % 2 == 0).collect(),
        6 => items.chain((0..n).filter(|x| x % 2 == 0)).collect(),
        7..=9 => items.collect(),
        _ => items.chain([n]).collect(),
    }
}

fn gather(mut gathered: Vec<u64>, x: u64) -> Vec<u64> {
    gathered.push(x);
    gathered
}

/// How many items become of one: from 0 to 3, on average a little more than one.
fn few(x: u64, n: u64) -> u64 {
    [0, 2, 1, 1, 0, 3, 0][((x ^ n) % 7) as usize]
}

/// Members that only indexed parallel iterators have.
fn indexed_member(
    items: super::Indexed,
    expected: Vec<u64>,
    kind: u64,
    n: u64,
) -> (&'static str, Stage, Vec<u64>) {
    let size = n as usize + 1;
    let sum =
        |part: Vec<u64>| part.iter().fold(part.len() as u64, |all, x| all.wrapping_mul(31) % 1_000_003 + x);
    let old = expected.clone().into_iter();
    let few = expected.len() < MANY;
    let (name, items, expected): (_, _, Vec<u64>) = match kind {
        18 => ("rev", indexed(items.rev()), old.rev().collect()),
        19 => ("take", indexed(items.take(size * 7)), old.take(size * 7).collect()),
        20 => ("skip", indexed(items.skip(n as usize)), old.skip(n as usize).collect()),
        21 => ("step_by", indexed(items.step_by(size)), old.step_by(size).collect()),
        22 => (
            "chunks",
            indexed(items.chunks(size).map(sum)),
            expected.chunks(size).map(|c| sum(c.to_vec())).collect(),
        ),
        23 => (
            "enumerate",
            indexed(items.enumerate().map(|(i, x)| x + i as u64)),
            old.enumerate().map(|(i, x)| x + i as u64).collect(),
        ),
        24 => (
            "zip",
            indexed(items.zip(vec![n; 2000]).map(|(x, y)| x * 2 + y)),
            old.zip(vec![n; 2000]).map(|(x, y)| x * 2 + y).collect(),
        ),
        25 => ("interleave", indexed(items.interleave(0..n)), interleaved(&expected, n)),
        26 => {
            let whole = interleaved(&expected, n);
            let len = if expected.len() <= n as usize { 2 * expected.len() } else { 2 * n as usize + 1 };
            ("interleave_shortest", indexed(items.interleave_shortest(0..n)), whole[..len].to_vec())
        }
        27 if few => {
            let between = |(i, x)| if i == 0 { vec![x] } else { vec![n, x] };
            ("intersperse", indexed(items.intersperse(n)), old.enumerate().flat_map(between).collect())
        }
        28 => {
            let places = old.enumerate().filter(|(_, x)| x % 3 == 1).map(|(i, _)| i as u64).collect();
            let items = flat(items.positions(|x| x % 3 == 1).map(|i| i as u64));
            return ("positions", Stage::Flat(items), places);
        }
        29 => ("with_min_len", indexed(items.with_min_len(size)), expected),
        30 => ("with_max_len", indexed(items.with_max_len(size)), expected),
        31 => (
            "fold_chunks",
            indexed(items.fold_chunks(size, || 5, |all: u64, x| (all * 7 + x) % 1_000_003)),
            expected
                .chunks(size)
                .map(|c| c.iter().fold(5, |all: u64, x| (all * 7 + x) % 1_000_003))
                .collect(),
        ),
        32 => ("chain", indexed(items.chain(0..n)), old.chain(0..n).collect()),
        33 => ("progress_with", indexed(items.progress_with(|done, total| assert!(done <= total))), expected),
        _ => ("map", indexed(items.map(move |x| x / (n + 1))), old.map(|x| x / (n + 1)).collect()),
    };
    (name, Stage::Indexed(items), expected)
}

fn interleaved(items: &[u64], n: u64) -> Vec<u64> {
    let (mut a, mut b) = (items.iter().copied(), 0..n);
    let mut all = Vec::new();
    loop {
        let (x, y) = (a.next(), b.next());
        if x.is_none() && y.is_none() {
            return all;
        }
        all.extend(x);
        all.extend(y);
    }
}
