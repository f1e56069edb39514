//! Items that nobody gets are dropped by all workers if that is slow; each once.

use std::collections::{BTreeMap, VecDeque};
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use taskel::prelude::*;
use taskel::{CancelToken, ThreadPool};

/// What became of the items of one call.
struct Ends {
    /// How often each has ended.
    of: Vec<AtomicUsize>,
    /// An item was found that ends the loop.
    over: AtomicBool,
    /// How long a drop takes.
    drop: Duration,
    /// Who panics as it is dropped.
    panics: Option<usize>,
    panicked: AtomicBool,
    /// How many were dropped, and how long that took.
    dropped: AtomicUsize,
    busy_ns: AtomicU64,
}

impl Ends {
    fn new(items: usize, drop: Duration) -> Self {
        Ends {
            of: (0..items).map(|_| AtomicUsize::new(0)).collect(),
            over: AtomicBool::new(false),
            drop,
            panics: None,
            panicked: AtomicBool::new(false),
            dropped: AtomicUsize::new(0),
            busy_ns: AtomicU64::new(0),
        }
    }

    fn items(&self) -> Vec<Slow<'_>> {
        (0..self.of.len()).map(|number| Slow { number, ends: self }).collect()
    }

    #[track_caller]
    fn assert_once(&self, what: &str) {
        let wrong = self.of.iter().position(|ends| ends.load(Ordering::Relaxed) != 1);
        assert_eq!(wrong, None, "{what}: this item did not end once");
    }
}

/// An item whose drop takes time.
struct Slow<'e> {
    number: usize,
    ends: &'e Ends,
}

impl Slow<'_> {
    /// Whether the loop is to end with this item: the first that asks.
    fn is_last(&self) -> bool {
        !self.ends.over.swap(true, Ordering::Relaxed)
    }

    /// Ends in no time: only what is left over is of interest.
    fn consume(self) {
        self.ends.of[self.number].fetch_add(1, Ordering::Relaxed);
        mem::forget(self);
    }
}

impl Drop for Slow<'_> {
    fn drop(&mut self) {
        let start = Instant::now();
        thread::sleep(self.ends.drop);
        self.ends.of[self.number].fetch_add(1, Ordering::Relaxed);
        self.ends.dropped.fetch_add(1, Ordering::Relaxed);
        self.ends.busy_ns.fetch_add(start.elapsed().as_nanos() as u64, Ordering::Relaxed);
        if self.ends.panics == Some(self.number) {
            self.ends.panicked.store(true, Ordering::Relaxed);
            resume_unwind(Box::new("as it was dropped"));
        }
    }
}

type Items<'e> = Vec<Slow<'e>>;

/// A way to leave items over: its name, how many there are, and how many of them at least are left.
type Way<'w> = (&'w str, usize, usize, &'w (dyn Fn(Items<'_>) + Sync));

/// A loop that ends at its first item.
fn ends_at_once<'e>(items: impl ParallelIterator<Item = Slow<'e>>) {
    items.find_any(Slow::is_last).unwrap().consume();
}

const WAYS: &[Way<'_>] = &[
    ("skip", 97, 96, &|items| items.into_par_iter().skip(96).for_each(Slow::consume)),
    ("take", 97, 96, &|items| items.into_par_iter().take(1).for_each(Slow::consume)),
    ("take none", 96, 96, &|items| items.into_par_iter().take(0).for_each(Slow::consume)),
    ("skip and take", 98, 96, &|items| items.into_par_iter().skip(48).take(2).for_each(Slow::consume)),
    ("step_by 2", 192, 96, &|items| items.into_par_iter().step_by(2).for_each(Slow::consume)),
    ("step_by 3", 144, 96, &|items| items.into_par_iter().step_by(3).for_each(Slow::consume)),
    ("step_by 12", 96, 88, &|items| items.into_par_iter().step_by(12).for_each(Slow::consume)),
    ("step_by all", 97, 96, &|items| items.into_par_iter().step_by(97).for_each(Slow::consume)),
    ("rev step_by", 194, 192, &|items| items.into_par_iter().rev().step_by(97).for_each(Slow::consume)),
    ("zip, first longer", 97, 96, &|items| {
        items.into_par_iter().zip([0]).for_each(|(item, _)| item.consume())
    }),
    ("zip, second longer", 97, 96, &|items| {
        [0].into_par_iter().zip(items).for_each(|(_, item)| item.consume())
    }),
    ("find_any", 97, 96, &|items| ends_at_once(items.into_par_iter())),
    ("find_first", 97, 96, &|items| {
        items.into_par_iter().find_first(|item| item.number == 0).unwrap().consume()
    }),
    ("one chunk", 97, 96, &|items| ends_at_once(items.into_par_iter().with_min_len(97))),
    ("rev", 97, 96, &|items| ends_at_once(items.into_par_iter().rev())),
    ("map", 97, 96, &|items| ends_at_once(items.into_par_iter().map(|item| item))),
    ("take_any", 97, 96, &|items| items.into_par_iter().take_any(1).for_each(Slow::consume)),
    ("chunks", 96, 92, &|items| {
        items
            .into_par_iter()
            .chunks(4)
            .find_any(|chunk| chunk[0].is_last())
            .unwrap()
            .into_iter()
            .for_each(Slow::consume);
    }),
    ("chain", 97, 96, &|mut items| {
        let back = items.split_off(48);
        ends_at_once(items.into_par_iter().chain(back));
    }),
    ("interleave", 97, 96, &|mut items| {
        let back = items.split_off(48);
        ends_at_once(items.into_par_iter().interleave(back));
    }),
    ("flat_map", 97, 96, &|items| {
        ends_at_once([Some(items)].into_par_iter().flat_map(|mut items| mem::take(items.as_mut().unwrap())));
    }),
    ("VecDeque", 97, 96, &|items| ends_at_once(VecDeque::from(items).into_par_iter())),
    ("map by key", 97, 96, &|items| {
        let map: BTreeMap<_, _> = items.into_iter().map(|item| (item.number, item)).collect();
        ends_at_once(map.into_par_iter().map(|(_, item)| item));
    }),
    ("array", 97, 96, &|items| {
        let array: [Slow<'_>; 97] = items.try_into().ok().unwrap();
        array.into_par_iter().take(1).for_each(Slow::consume);
    }),
    ("try_for_each", 97, 96, &|items| {
        let first =
            items.into_par_iter().try_for_each(|item| if item.is_last() { Err(item) } else { Ok(()) });
        first.unwrap_err().consume();
    }),
    ("panic", 97, 80, &|items| {
        let op = |item: Slow<'_>| {
            item.consume();
            resume_unwind(Box::new(()));
        };
        catch_unwind(AssertUnwindSafe(|| items.into_par_iter().for_each(op))).unwrap_err();
    }),
    ("panic in a chunk", 97, 96, &|items| {
        let op = |item: Slow<'_>| {
            item.consume();
            resume_unwind(Box::new(()));
        };
        catch_unwind(AssertUnwindSafe(|| items.into_par_iter().with_min_len(97).for_each(op))).unwrap_err();
    }),
    ("cancelled before", 96, 96, &|items| {
        let token = CancelToken::new();
        token.cancel();
        catch_unwind(AssertUnwindSafe(|| {
            items.into_par_iter().with_cancel_token(&token).for_each(Slow::consume)
        }))
        .unwrap_err();
    }),
    ("cancelled", 97, 80, &|items| {
        let token = CancelToken::new();
        let op = |item: Slow<'_>| {
            token.cancel();
            item.consume();
        };
        catch_unwind(AssertUnwindSafe(|| items.into_par_iter().with_cancel_token(&token).for_each(op)))
            .unwrap_err();
    }),
];

fn pool(workers: usize) -> ThreadPool {
    ThreadPool::builder().num_threads(workers).build().unwrap()
}

#[test]
fn what_is_left_over_is_dropped_by_all_workers() {
    let pool = pool(8);
    for &(name, len, least, way) in WAYS {
        // A machine with other work may need more than one try.
        let speed_up = || {
            let ends = Ends::new(len, Duration::from_micros(2500));
            let items = ends.items();
            let start = Instant::now();
            pool.install(|| way(items));
            let took = start.elapsed();
            ends.assert_once(name);
            assert!(ends.dropped.load(Ordering::Relaxed) >= least, "{name}: it has not ended early");
            ends.busy_ns.load(Ordering::Relaxed) as f64 / took.as_nanos() as f64
        };
        let mut tries = Vec::new();
        while tries.last().is_none_or(|&speed_up| speed_up < 5.5) {
            tries.push(speed_up());
            assert!(tries.len() < 10, "{name}: so many drops at a time: {tries:.1?}");
        }
    }
}

#[test]
fn each_item_ends_once_with_any_number_of_workers() {
    for workers in [1, 2, 5, 16] {
        let pool = pool(workers);
        let check = |&(name, len, _, way): &Way<'_>| {
            for us in [0, 20] {
                let ends = Ends::new(len, Duration::from_micros(us));
                pool.install(|| way(ends.items()));
                ends.assert_once(name);
            }
        };
        WAYS.iter().for_each(check);
        pool.install(|| WAYS.par_iter().for_each(check));
    }
}

#[test]
fn a_drop_that_panics_takes_no_other_item_with_it_and_arrives() {
    let pool = pool(5);
    // Not those where it would be the second panic of a thread, which aborts, nor where an item is
    // on its way to the caller meanwhile, which is lost (rust-lang/rust#47949).
    let ways = WAYS.iter().filter(|(name, ..)| !name.contains("panic") && *name != "one chunk");
    for &(name, len, _, way) in ways {
        for panics in [0, 1, 20, len - 1] {
            let ends = Ends { panics: Some(panics), ..Ends::new(len, Duration::from_micros(100)) };
            let outcome = catch_unwind(AssertUnwindSafe(|| pool.install(|| way(ends.items()))));
            ends.assert_once(name);
            let arrives = ends.panicked.load(Ordering::Relaxed) && !name.starts_with("cancelled");
            assert_eq!(outcome.is_err(), arrives, "{name}, item {panics}");
        }
    }
}

#[test]
fn many_drops_that_panic_are_one_panic() {
    struct Panics<'c>(&'c AtomicUsize);
    impl Drop for Panics<'_> {
        fn drop(&mut self) {
            thread::sleep(Duration::from_micros(200));
            self.0.fetch_add(1, Ordering::Relaxed);
            resume_unwind(Box::new(()));
        }
    }
    let pool = pool(5);
    let dropped = AtomicUsize::new(0);
    for calls in 1..=3 {
        let items: Vec<Panics<'_>> = (0..20).map(|_| Panics(&dropped)).collect();
        let call = || items.into_par_iter().take(0).for_each(drop);
        assert!(catch_unwind(AssertUnwindSafe(|| pool.install(call))).is_err());
        assert_eq!(dropped.load(Ordering::Relaxed), 20 * calls);
    }
}

/// Remembers which threads drop it.
struct Noted<'n>(&'n Mutex<Vec<thread::ThreadId>>, Duration);

impl Drop for Noted<'_> {
    fn drop(&mut self) {
        if !self.1.is_zero() {
            thread::sleep(self.1);
        }
        self.0.lock().unwrap().push(thread::current().id());
    }
}

impl Noted<'_> {
    fn items(threads: &Mutex<Vec<thread::ThreadId>>, len: usize, drop: Duration) -> Vec<Noted<'_>> {
        (0..len).map(|_| Noted(threads, drop)).collect()
    }
}

#[test]
fn what_is_quick_to_drop_is_dropped_by_its_thread() {
    let pool = pool(4);
    let me = thread::current().id();
    let alone = (0..20).filter(|_| {
        let threads = Mutex::new(Vec::new());
        // Of another type, which is known to be quick.
        let items: Vec<_> = Noted::items(&threads, 2000, Duration::ZERO).into_iter().map(Some).collect();
        pool.install(|| items.into_par_iter().skip(2000).for_each(drop));
        let threads = threads.into_inner().unwrap();
        assert_eq!(threads.len(), 2000);
        threads.iter().all(|&thread| thread == me)
    });
    // An interrupt makes a drop slow.
    assert!(alone.count() >= 10);
}

#[test]
fn it_is_dropped_by_the_pool_of_the_loop() {
    let pool = pool(4);
    let mut members = pool.broadcast(|_| thread::current().id());
    members.push(thread::current().id());
    type Way<'w> = (&'w str, &'w dyn Fn(Vec<Noted<'_>>));
    let ways: [Way<'_>; 4] = [
        ("on and take", &|items| items.into_par_iter().on(&pool).take(0).for_each(drop)),
        ("take and on", &|items| items.into_par_iter().take(0).on(&pool).for_each(drop)),
        ("zip and on", &|items| items.into_par_iter().zip([0; 0]).on(&pool).for_each(drop)),
        ("on and zip", &|items| [0; 0].into_par_iter().on(&pool).zip(items).for_each(drop)),
    ];
    for (name, way) in ways {
        let threads = Mutex::new(Vec::new());
        way(Noted::items(&threads, 20, Duration::from_millis(1)));
        let threads = threads.into_inner().unwrap();
        assert_eq!(threads.len(), 20, "{name}");
        assert!(threads.iter().all(|thread| members.contains(thread)), "{name}");
        assert!(threads.iter().any(|thread| *thread != threads[0]), "{name}");
    }
}
