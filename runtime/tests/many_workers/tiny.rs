//! A long item for each worker, side by side among tiny ones that are claimed by the hundred.

use std::hint::black_box;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use taskel::prelude::*;

use crate::load::Done;
use crate::registered::have_registered;
use crate::watchdog::watch;
use crate::within::{WAKING, WORKERS, pool, take_cores};

/// Few enough that what a lane does between two of them, in a build without optimisation, is short
/// beside a long one.
const TINY: usize = 20_000;
const LONG: Duration = Duration::from_millis(30);

/// Whether the item is one of the long ones, which begin at `first`.
type Looping = fn(usize, usize, usize);

fn run(item: usize, first: usize, long: usize) {
    if (first..first + long).contains(&item) {
        thread::sleep(LONG);
    } else {
        black_box(item);
    }
}

fn each<const SITE: usize>(len: usize, first: usize, long: usize) {
    (0..len).into_par_iter().for_each(|item| run(item, first, long));
}

fn collect<const SITE: usize>(len: usize, first: usize, long: usize) {
    let numbers = (0..len).into_par_iter().map(|item| {
        run(item, first, long);
        item
    });
    assert!(numbers.collect::<Vec<_>>().into_iter().eq(0..len));
}

/// The time of the tiny ones alone, on one thread.
fn tiny_alone(looping: Looping) -> Duration {
    let start = Instant::now();
    pool(1).install(|| looping(TINY, TINY, 0));
    start.elapsed()
}

/// From here on, items that take longer than some 30 ns are not bundled where a long one may be
/// among them. A process that has just begun bundles more.
fn begin() {
    have_registered(&pool(2));
}

/// Asserts that each of three calls takes no longer than the tiny ones, on a single core, and then
/// the long ones in the worst order that leaves nobody idle.
#[track_caller]
fn assert_within(first: usize, sites: [Looping; 5]) {
    let _cores = take_cores();
    let _watchdog = watch("a loop of tiny and long items");
    begin();
    let [alone, sites @ ..] = sites;
    let tiny = tiny_alone(alone);
    let mut late = Vec::new();
    for (workers, looping) in WORKERS.into_iter().zip(sites) {
        let pool = pool(workers);
        let done = Done { workers: workers as u32, busy: LONG * workers as u32, longest: LONG };
        let bound = tiny + done.greedy();
        for call in 1..=3 {
            let start = Instant::now();
            pool.install(|| looping(TINY + workers, first, workers));
            let time = start.elapsed();
            if time > bound.mul_f64(1.05) + WAKING {
                late.push(format!("P = {workers}, call {call}: {time:.1?} where {bound:.1?} is enough"));
            }
        }
    }
    // The tiny ones need both cores, which the machine may have use for; a wrong rule shows with
    // each number of workers.
    assert!(late.len() <= 2, "{} calls of 12 took too long:\n{}", late.len(), late.join("\n"));
}

macro_rules! sites {
    ($looping:ident: $($site:literal)*) => {
        [$($looping::<$site> as Looping),*]
    };
}

#[test]
fn long_items_amid_tiny_ones_are_shared() {
    assert_within(TINY / 2, sites!(each: 0 1 2 3 4));
    assert_within(TINY / 2, sites!(collect: 0 1 2 3 4));
}

#[test]
fn long_items_after_tiny_ones_are_shared() {
    assert_within(TINY, sites!(each: 5 6 7 8 9));
    assert_within(TINY, sites!(collect: 5 6 7 8 9));
}

/// Loops inside of a loop: the first have tiny items only, and are over before the last begins,
/// which has all long ones.
fn in_parts<const SITE: usize>(len: usize, first: usize, long: usize) {
    let part = TINY / 4;
    let parts = if long == 0 { 0..4 } else { 0..len.div_ceil(part) };
    let over = AtomicUsize::new(0);
    parts.into_par_iter().with_max_len(1).for_each(|number| {
        // The others teach what is wrong.
        while number * part >= TINY && over.load(Ordering::Relaxed) < 4 {
            thread::sleep(Duration::from_micros(100));
        }
        let items = number * part..len.min((number + 1) * part);
        items.into_par_iter().for_each(|item| run(item, first, long));
        over.fetch_add(1, Ordering::Relaxed);
    });
}

/// The last lane to come back to a part may wait for one long item more.
#[test]
fn short_parts_do_not_hide_long_ones_in_the_next() {
    let _cores = take_cores();
    let _watchdog = watch("loops of tiny items, then one of long ones");
    begin();
    let [alone, sites @ ..]: [Looping; 5] = sites!(in_parts: 10 11 12 13 14);
    let tiny = tiny_alone(alone);
    let mut late = Vec::new();
    for (workers, looping) in WORKERS.into_iter().zip(sites) {
        let done = Done { workers: workers as u32, busy: LONG * workers as u32, longest: LONG };
        let bound = tiny + done.greedy() + LONG;
        let pool = pool(workers);
        let start = Instant::now();
        pool.install(|| looping(TINY + TINY / 4, TINY + TINY / 8, workers));
        let time = start.elapsed();
        if time > bound + WAKING {
            late.push(format!("P = {workers}: {time:.1?} where {bound:.1?} is enough"));
        }
    }
    assert!(late.is_empty(), "{late:?}");
}

/// When the last part begins, the others may be over.
#[test]
fn a_part_that_runs_by_itself_shares_its_long_items() {
    let _cores = take_cores();
    let _watchdog = watch("a loop of tiny items in a join, then one of long ones");
    begin();
    let [alone, sites @ ..]: [Looping; 5] = sites!(each: 15 16 17 18 19);
    let bound = tiny_alone(alone) + 2 * LONG;
    let mut late = Vec::new();
    for (workers, looping) in WORKERS.into_iter().zip(sites) {
        // No more than there are cores, or one might lose its core, which looks like a long item.
        pool(2).install(|| taskel::join(|| looping(TINY, TINY, 0), || ()));
        let pool = pool(workers);
        let start = Instant::now();
        pool.install(|| looping(TINY + workers, TINY, workers));
        let time = start.elapsed();
        if time > bound + WAKING {
            late.push(format!("P = {workers}: {time:.1?} where {bound:.1?} is enough"));
        }
    }
    assert!(late.len() <= 1, "{late:?}");
}

/// Loops inside of a loop, the last of which has all long items at its end.
fn in_loops<const SITE: usize>(len: usize, first: usize, long: usize) {
    let part = len.div_ceil(4);
    (0..4_usize).into_par_iter().with_max_len(1).for_each(|number| {
        let items = number * part..len.min((number + 1) * part);
        items.into_par_iter().for_each(|item| run(item, first, long));
    });
}

/// Those that come take what is in ranges, and somebody must be there for what is left in a chunk.
#[test]
fn long_items_in_a_chunk_are_shared_when_nothing_else_is_left() {
    let _cores = take_cores();
    let _watchdog = watch("loops of tiny items, one with long ones at its end");
    begin();
    let [alone, sites @ ..]: [Looping; 5] = sites!(in_loops: 20 21 22 23 24);
    let bound = tiny_alone(alone) + 3 * LONG / 2;
    let mut late = Vec::new();
    for (workers, looping) in WORKERS.into_iter().zip(sites) {
        let pool = pool(workers);
        for call in 1..=6 {
            // So that everybody sleeps.
            thread::sleep(Duration::from_millis(2));
            let start = Instant::now();
            pool.install(|| looping(TINY + workers, TINY, workers));
            let time = start.elapsed();
            if time > bound {
                late.push(format!("P = {workers}, call {call}: {time:.1?} where {bound:.1?} is enough"));
            }
        }
    }
    // The caller of a loop that waits for its last item does nothing else.
    assert!(late.len() <= 3, "{} calls of 24 took too long:\n{}", late.len(), late.join("\n"));
}
