//! What type erasure hides: parallel iterators inside of items, which go to the consumer as such;
//! and sources whose items come one by one.

use std::thread;
use std::time::Duration;

use taskel::prelude::*;

use super::Stage;
use super::consumers::{by_kind, collections, reductions, searches};
use super::erased::{Flat, flat};

/// Searches to which the order of the items does not matter.
const UNORDERED: [u64; 6] = [14, 15, 16, 19, 22, 23];

/// How many items become of one: mostly none to two, now and then enough for several lanes.
fn some(x: u64, n: u64) -> u64 {
    if x % 64 == n { 150 } else { (x ^ n) % 3 }
}

/// So slow now and then that others come.
fn linger(x: u64) -> u64 {
    if x % 32 == 5 {
        (0..500).for_each(|_| std::hint::spin_loop());
    }
    x
}

/// Consumes a pipeline in way `inside`, if there is such a way; else yields it.
///
/// Each way is a type of its own, which each consumer is compiled for: only the first has all
/// consumers.
pub(super) fn check(
    stage: Stage,
    expected: &[u64],
    inside: u64,
    (kind, n): (u64, u64),
    told: &str,
) -> Option<Stage> {
    let items: Flat = match stage {
        Stage::Indexed(items) => Flat::from(items),
        Stage::Flat(items) => items,
        tailed => return Some(tailed),
    };
    let inner = move |x| (0..some(x, n)).map(move |y| x + y);
    let old = expected.iter().copied().flat_map(inner);
    let inside_of = move |x| flat((0..some(x, n)).into_par_iter().map(move |y| linger(x + y)));
    match inside {
        3 => {
            let told = format!("{told}, behind a flat_map");
            by_kind(items.flat_map(inside_of), &old.collect::<Vec<_>>(), kind % 42, n, &told);
        }
        4 => {
            let again = move |x| (0..(x + n) % 3).map(move |_| x);
            let expected: Vec<u64> = old.filter(|x| x % 5 != 1).map(|x| x ^ n).flat_map(again).collect();
            let items = items.flat_map(inside_of).filter(|x| x % 5 != 1).map(move |x| linger(x ^ n));
            let items = items.flat_map(move |x| again(x).par_bridge());
            let told = format!("{told}, behind two flat_maps, the inner one of bridges");
            collections(items, &expected, 34 + kind % 8, n, &told);
        }
        5 => {
            let all: Vec<u64> = old.collect();
            let items = expected.iter().copied().inspect(wait(n)).par_bridge().flat_map(inside_of);
            let kind = UNORDERED[kind as usize % UNORDERED.len()];
            searches(items, &all, kind, n, &format!("{told}, through a bridge, as {kind}"));
        }
        6 => {
            let expected: Vec<u64> = old.map(|x| x / 2).filter(|x| x % 7 != n % 7).chain(0..n).collect();
            let halve = |calls: &mut u64, x| {
                *calls += 1;
                x / 2
            };
            let items = items.flat_map(inside_of).map_init(|| 0, halve).filter(move |x| x % 7 != n % 7);
            let items = items.chain((0..n).into_par_iter());
            reductions(items, &expected, kind % 14, n, &format!("{told}, in front of three adapters"));
        }
        7 => stream(expected, kind, n, &format!("{told}, as a stream, {kind}")),
        _ => return Some(Stage::Flat(items)),
    }
    None
}

/// Makes a source slow now and then.
fn wait(n: u64) -> impl FnMut(&u64) {
    move |x| {
        if x % 200 == n {
            thread::sleep(Duration::from_micros(20));
        }
    }
}

/// The items come from a slow source, and are seen in order, or in some order, within a window.
fn stream(expected: &[u64], kind: u64, n: u64, told: &str) {
    let mut seen = Vec::new();
    let stream = expected.iter().copied().inspect(wait(n)).par_stream();
    let stream = stream.map(|x| linger(x) / 2).max_in_flight(1 + (kind * n) as usize % 70);
    let mut expected: Vec<u64> = expected.iter().map(|x| x / 2).collect();
    if kind % 2 == 0 {
        stream.for_each_ordered(|x| seen.push(x));
    } else {
        stream.for_each_unordered(|x| seen.push(x));
        seen.sort();
        expected.sort();
    }
    assert_eq!(seen, expected, "{told}");
}
