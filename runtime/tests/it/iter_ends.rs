//! Items that are owned, and loops that end before all of them were processed.

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};

use taskel::ThreadPool;
use taskel::iter::Producer;
use taskel::prelude::*;

/// Drops are counted in the cell of their number.
struct Counted<'a>(usize, &'a [AtomicUsize]);

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.1[self.0].fetch_add(1, Ordering::Relaxed);
    }
}

type Items<'a> = Vec<Counted<'a>>;

/// A way to use items up, and its name.
type Way<'w> = (&'w str, &'w (dyn Fn(Items<'_>) + Sync));

/// Uses 2000 items up in each way, several times; each must have been dropped once.
fn check(ways: &[Way<'_>], panics: bool) {
    for threads in [1, 3] {
        let pool = ThreadPool::builder().num_threads(threads).build().unwrap();
        for (name, way) in ways {
            for run in 0..30 {
                let drops: Vec<AtomicUsize> = (0..2000).map(|_| AtomicUsize::new(0)).collect();
                let items = (0..2000).map(|n| Counted(n, &drops)).collect();
                let outcome = catch_unwind(AssertUnwindSafe(|| pool.install(|| way(items))));
                assert_eq!(outcome.is_err(), panics, "{name}");
                let wrong = drops.iter().position(|drops| drops.load(Ordering::Relaxed) != 1);
                assert_eq!(wrong, None, "{name}, {threads} threads, run {run}: drops of this item");
            }
        }
    }
}

#[test]
fn every_item_is_dropped_once_whichever_adapters_it_goes_through() {
    let ways: &[Way<'_>] = &[
        ("take", &|items| drop(items.into_par_iter().take(700).collect::<Vec<_>>())),
        ("skip and rev", &|items| drop(items.into_par_iter().skip(700).rev().collect::<Vec<_>>())),
        ("step_by", &|items| drop(items.into_par_iter().step_by(7).collect::<Vec<_>>())),
        ("chunks", &|items| drop(items.into_par_iter().chunks(7).find_first(|chunk| chunk[0].0 > 500))),
        ("chain", &|mut items| {
            let back = items.split_off(1200);
            drop(items.into_par_iter().chain(back).find_any(|item| item.0 == 1500));
        }),
        ("interleave", &|mut items| {
            let back = items.split_off(300);
            drop(items.into_par_iter().interleave_shortest(back).find_last(|item| item.0 % 5 == 0));
        }),
        ("zip", &|mut items| {
            let back = items.split_off(300);
            drop(items.into_par_iter().zip(back).collect::<Vec<_>>());
        }),
        ("filter", &|items| drop(items.into_par_iter().filter(|item| item.0 % 3 == 0).collect::<Vec<_>>())),
        ("fold", &|items| {
            let gather = |mut all: Vec<_>, item| {
                all.push(item);
                all
            };
            drop(items.into_par_iter().fold(Vec::new, gather).find_first(|all| all.len() > 10));
        }),
        ("while_some", &|items| {
            let some = items.into_par_iter().map(|item| (item.0 != 1000).then_some(item));
            drop(some.while_some().collect::<Vec<_>>());
        }),
        ("take_any", &|items| drop(items.into_par_iter().take_any(99).collect::<Vec<_>>())),
        ("result", &|items| {
            let results = items.into_par_iter().map(|item| if item.0 == 1000 { Err(item) } else { Ok(item) });
            assert!(results.collect::<Result<Vec<_>, _>>().is_err());
        }),
        ("partition and unzip", &|items| {
            let (a, b): (Vec<_>, Vec<_>) = items.into_par_iter().partition(|item| item.0 % 2 == 0);
            drop(a.into_par_iter().zip(b).unzip::<_, _, Vec<_>, Vec<_>>());
        }),
        ("min_by_key", &|items| drop(items.into_par_iter().min_by_key(|item| item.0 % 100))),
        ("bridge", &|items| drop(items.into_iter().par_bridge().find_any(|item| item.0 == 1000))),
    ];
    check(ways, false);
}

fn panics() -> bool {
    std::panic::resume_unwind(Box::new("on purpose"))
}

#[test]
fn every_item_is_dropped_once_when_a_closure_panics() {
    let ways: &[Way<'_>] = &[
        ("panic in filter", &|items| {
            drop(items.into_par_iter().filter(|item| item.0 != 900 || panics()).collect::<Vec<_>>());
        }),
        ("panic in unzip", &|items| {
            let pairs = items.into_par_iter().map(|item| (item.0 != 900 || panics(), item));
            drop(pairs.unzip::<_, _, Vec<_>, Vec<_>>());
        }),
        ("panic in flat_map_iter", &|items| {
            let all = items.into_par_iter().flat_map_iter(|item| (item.0 != 900 || panics()).then_some(item));
            drop(all.collect::<Vec<_>>());
        }),
        ("panic in chunks", &|items| {
            items.into_par_iter().chunks(10).rev().for_each(|chunk| assert!(chunk[0].0 != 900 || panics()));
        }),
    ];
    check(ways, true);
}

/// What lies behind the first match is not looked at for long: the match is in the first tenth of a
/// loop whose items take some time.
#[test]
fn searches_stop_early() {
    let pool = ThreadPool::builder().num_threads(4).build().unwrap();
    for _ in 0..20 {
        let looked_at = AtomicUsize::new(0);
        let look = |n: usize| {
            looked_at.fetch_add(1, Ordering::Relaxed);
            std::hint::black_box((0..200).fold(n, |a, b| a.rotate_left(3) ^ b));
            n
        };
        let len = 10_000_000;
        let items = || (0..len).into_par_iter().on(&pool).map(look);
        assert_eq!(items().find_first(|&n| n >= 5000 && n % 7 == 0), Some(5005));
        assert_eq!(items().position_first(|n| n == 5005), Some(5005));
        assert!(items().any(|n| n == 5005));
        assert!(
            items().map(|n| if n < 5005 { Ok(n) } else { Err(n) }).collect::<Result<Vec<_>, _>>().is_err()
        );
        assert!(looked_at.into_inner() < len / 2);
    }
}

/// Says that it yields at most one item for each index, and yields items where there is no index at
/// all.
struct OnlyInItsTail<'a>(&'a [AtomicUsize]);

impl<'c> Producer for OnlyInItsTail<'c> {
    type Item = Box<Counted<'c>>;
    type Local = ();
    type Iter<'a>
        = std::vec::IntoIter<Self::Item>
    where
        Self: 'a;
    const HAS_TAIL: bool = true;

    fn len(&self) -> usize {
        self.0.len()
    }

    fn is_bounded(&self) -> bool {
        true
    }

    fn local(&self) {}

    unsafe fn chunk<'a>(&'a self, _: &'a mut (), indices: Range<usize>) -> Self::Iter<'a> {
        if !indices.is_empty() {
            std::thread::sleep(std::time::Duration::from_micros(100));
            return Vec::new().into_iter();
        }
        let made = |n: usize| {
            self.0[n].fetch_add(1 << 16, Ordering::Relaxed);
            Box::new(Counted(n, self.0))
        };
        (0..self.0.len() / 2).map(made).collect::<Vec<_>>().into_iter()
    }
}

impl ParallelIterator for OnlyInItsTail<'_> {
    type Item = <Self as Producer>::Item;
    type Producer = Self;

    fn into_producer(self) -> Self {
        self
    }
}

#[test]
fn a_wrong_bound_of_a_tail_panics_and_drops_each_item_once() {
    let pool = ThreadPool::builder().num_threads(4).build().unwrap();
    for _ in 0..20 {
        let cells: Vec<AtomicUsize> = (0..400).map(|_| AtomicUsize::new(0)).collect();
        let collect = || pool.install(|| OnlyInItsTail(&cells).collect::<Vec<_>>());
        assert!(catch_unwind(AssertUnwindSafe(collect)).is_err(), "more items than indices");
        for (n, cell) in cells.into_iter().enumerate() {
            let (made, dropped) = (cell.load(Ordering::Relaxed) >> 16, cell.load(Ordering::Relaxed) & 0xFFFF);
            assert_eq!(made, dropped, "item {n}");
        }
    }
}
