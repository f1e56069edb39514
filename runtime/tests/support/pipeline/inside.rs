//! What type erasure hides: parallel iterators inside of items, which go to the consumer as such; and sources whose items come one by one.

use std::thread;
use std::time::Duration;

use taskel::prelude::*;

use super::Stage;
use super::consumers::by_kind;
use super::erased::{Flat, flat};

/// Consumers to which the order of the items does not matter.
const UNORDERED: [u64; 14] = [0, 1, 2, 9, 14, 15, 16, 19, 22, 23, 27, 28, 32, 41];

/// The consumer that is.
const DETERMINISTIC: u64 = 13;

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
pub(super) fn check(
    stage: Stage,
    expected: &[u64],
    inside: u64,
    (kind, n): (u64, u64),
    told: &str,
) -> Option<Stage> {
    let items: Flat = match stage {
        Stage::Indexed(items) => flat(items),
        Stage::Flat(items) => items,
        tailed => return Some(tailed),
    };
    let kind = kind % 42;
    match inside {
        3 => {
            let inner = |x| (0..some(x, n)).map(move |y| x + y);
            let expected: Vec<u64> = expected.iter().copied().flat_map(inner).collect();
            let items = items.flat_map(move |x| (0..some(x, n)).into_par_iter().map(move |y| linger(x + y)));
            by_kind(items, &expected, kind, n, &format!("{told}, behind a flat_map"));
        }
        4 => {
            let outer = |x| vec![x / 2; some(x, n) as usize];
            let old = expected.iter().copied().flat_map(outer).filter(|x| x % 5 != 1).map(|x| x ^ n);
            let expected: Vec<u64> = old.flat_map(|x| (0..(x + n) % 3).map(move |_| x)).collect();
            // A bridge has far more indices than items, each block of them a result.
            let kind = if kind == DETERMINISTIC { 0 } else { kind };
            let items = items.flat_map(outer).filter(|x| x % 5 != 1).map(|x| linger(x ^ n));
            let items = items.flat_map(|x| (0..(x + n) % 3).map(move |_| x).par_bridge());
            by_kind(
                items,
                &expected,
                kind,
                n,
                &format!("{told}, behind two flat_maps, the inner one of bridges"),
            );
        }
        5 => {
            let inner = |x| (0..some(x, n)).map(move |y| x + y);
            let all: Vec<u64> = expected.iter().copied().flat_map(inner).collect();
            let wait = move |x: &u64| {
                if x % 200 == n {
                    thread::sleep(Duration::from_micros(20));
                }
            };
            let items = expected.iter().copied().inspect(wait).par_bridge();
            let items = items.flat_map(move |x| (0..some(x, n)).into_par_iter().map(move |y| linger(x + y)));
            let kind = UNORDERED[kind as usize % UNORDERED.len()];
            by_kind(items, &all, kind, n, &format!("{told}, through a bridge, as {kind}"));
        }
        6 => {
            let old = expected.iter().copied().flat_map(|x| (0..some(x, n)).map(move |y| x + y));
            let expected: Vec<u64> = old.map(|x| x / 2).filter(|x| x % 7 != n % 7).chain(0..n).collect();
            let items = items.flat_map(move |x| (0..some(x, n)).into_par_iter().map(move |y| linger(x + y)));
            let halve = |calls: &mut u64, x| {
                *calls += 1;
                x / 2
            };
            let items = items.map_init(|| 0, halve).filter(move |x| x % 7 != n % 7);
            let items = items.chain((0..n).into_par_iter());
            by_kind(items, &expected, kind, n, &format!("{told}, in front of three adapters"));
        }
        7 => stream(expected, kind, n, &format!("{told}, as a stream, {kind}")),
        _ => return Some(Stage::Flat(items)),
    }
    None
}

/// The items come from a slow source, and are seen in order, or in some order, within a window.
fn stream(expected: &[u64], kind: u64, n: u64, told: &str) {
    let wait = move |x: &u64| {
        if x % 200 == n {
            thread::sleep(Duration::from_micros(20));
        }
    };
    let mut seen = Vec::new();
    let stream = expected.iter().copied().inspect(wait).par_stream();
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
