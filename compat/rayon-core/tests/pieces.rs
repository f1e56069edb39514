//! How far rayon's own loops are split here.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rayon::prelude::*;
use rayon_core::{ThreadPool, ThreadPoolBuilder};

#[path = "../../../runtime/tests/support/watchdog.rs"]
mod watchdog;

const LONG: Duration = Duration::from_millis(20);

fn pool(threads: usize) -> ThreadPool {
    ThreadPoolBuilder::new().num_threads(threads).build().unwrap()
}

/// A loop of 64 items, of which some, side by side, last long.
fn side_by_side(long: usize) {
    (0..64).into_par_iter().for_each(|n| {
        if (16..16 + long).contains(&n) {
            sleep(LONG);
        }
    });
}

/// After the first call, which teaches how long such loops take, nobody is idle while a long item
/// waits. rayon has both of two in one piece.
#[test]
fn long_items_side_by_side_are_shared() {
    let _watchdog = watchdog::watch("long items side by side");
    for workers in [2, 4, 8] {
        let pool = pool(workers);
        let call = || {
            let start = Instant::now();
            pool.install(|| side_by_side(workers));
            start.elapsed()
        };
        // In the first tenth of a second of a process, halves that a worker keeps to itself stay there.
        let took: Vec<Duration> = (0..12).map(|_| call()).collect();
        let later = took[1..].iter().min().unwrap();
        assert!(*later < LONG.mul_f64(1.6), "{workers} workers: {took:?}");
    }
}

/// In how many pieces a loop is run.
fn pieces<const KIND: usize>(len: usize, item: Duration) -> usize {
    let pieces = AtomicUsize::new(0);
    let count = || {
        pieces.fetch_add(1, Ordering::Relaxed);
    };
    (0..len).into_par_iter().for_each_init(count, |(), _| {
        if !item.is_zero() {
            sleep(item);
        }
    });
    pieces.into_inner()
}

#[test]
fn loops_are_split_as_far_as_their_time_is_worth() {
    let _watchdog = watchdog::watch("pieces of loops");
    pool(2).install(|| {
        // Whoever steals a piece splits it further, with rayon, too; and a preempted thread takes
        // its pieces for long ones, for some loops.
        let short: Vec<usize> = (0..60).map(|_| pieces::<0>(100, Duration::ZERO)).collect();
        let few = short.iter().filter(|&&pieces| pieces <= 32).count();
        assert!(few >= 30, "{short:?}");
        let long: Vec<usize> = (0..3).map(|_| pieces::<1>(40, Duration::from_millis(1))).collect();
        assert_eq!(long[1..], [40, 40]);
        // Short loops of the same kind are split as far, until they have been learned from.
        assert!(pieces::<1>(100, Duration::ZERO) > 40);
        let last = (0..60).map(|_| pieces::<1>(100, Duration::ZERO)).min();
        assert!(last.is_some_and(|last| last <= 32), "{last:?}");
    });
    pool(1).install(|| {
        let alone: Vec<usize> = (0..3).map(|_| pieces::<2>(40, Duration::from_millis(1))).collect();
        assert_eq!(alone, [2; 3], "nobody else is there");
    });
}

/// Short loops are measured seldom, and those of each kind sometimes.
#[test]
fn kinds_that_take_turns_are_all_learned_from() {
    let _watchdog = watchdog::watch("kinds that take turns");
    pool(2).install(|| {
        let both = |item| [pieces::<3>(40, item), pieces::<4>(40, item)];
        (0..100).for_each(|_| _ = both(Duration::ZERO));
        let mut are_split = [false; 2];
        for _ in 0..500 {
            let now = both(Duration::from_micros(100));
            (0..2).for_each(|kind| are_split[kind] |= now[kind] == 40);
            if are_split == [true; 2] {
                return;
            }
        }
        panic!("learned from: {are_split:?}");
    });
}
