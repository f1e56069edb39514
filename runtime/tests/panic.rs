//! A panic in any place of a loop: does it arrive once, does every item get dropped once, does the
//! pool live on?

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use taskel::ThreadPool;
use taskel::prelude::*;

#[path = "support/ledger.rs"]
mod ledger;
#[path = "support/threads.rs"]
mod threads;
#[path = "support/trap.rs"]
mod trap;

use ledger::{Ledger, Thing};
use trap::Trap;

const LENGTHS: [usize; 5] = [1, 2, 6, 300, 5000];

/// A pool, and what the names of its threads begin with.
fn pool(threads: usize) -> (ThreadPool, String) {
    static POOLS: AtomicUsize = AtomicUsize::new(0);
    let prefix = format!("pool{}-", POOLS.fetch_add(1, Ordering::Relaxed));
    let name = prefix.clone();
    let builder = ThreadPool::builder().num_threads(threads);
    (builder.thread_name(move |worker| format!("{name}{worker}")).build().unwrap(), prefix)
}

/// Runs `looping` with a trap at the first, a middle and the last item, on first and later calls of
/// its site, for several lengths and numbers of threads.
#[track_caller]
fn check(name: &str, looping: impl Fn(usize, &Ledger, &'static Trap)) {
    let mut sprung = 0;
    for threads in [2, 1, 4, 8] {
        let (pool, prefix) = pool(threads);
        for len in LENGTHS {
            for at in [0, len / 2, len - 1] {
                let what = format!("{name}: {threads} threads, {len} items, panic at {at}");
                let run = |trap: &'static Trap| {
                    let ledger = Ledger::default();
                    let outcome =
                        catch_unwind(AssertUnwindSafe(|| pool.install(|| looping(len, &ledger, trap))));
                    trap.assert_arrived(outcome, &what);
                    ledger.assert_balanced(&what);
                    trap.sprung.load(Ordering::Relaxed)
                };
                sprung += run(Trap::new(at));
                // Later calls know how long an item takes: short loops run alone, long ones are
                // dealt out beforehand.
                assert_eq!(run(Trap::new(usize::MAX)), 0);
                sprung += run(Trap::new(at));
                assert_eq!(pool.install(|| (0..500_usize).into_par_iter().sum::<usize>()), 124_750, "{what}");
            }
        }
        threads::await_count(&prefix, threads);
        drop(pool);
        threads::await_count(&prefix, 0);
    }
    assert!(sprung > 0, "{name}: the trap was never sprung");
}

#[test]
fn closures_that_see_items() {
    check("for_each", |len, ledger, trap| {
        ledger.things(len).into_par_iter().for_each(|thing| trap.pass(thing.value));
    });
    check("map", |len, ledger, trap| {
        let passed = ledger.things(len).into_par_iter().map(|thing| {
            trap.pass(thing.value);
            1
        });
        assert_eq!(passed.sum::<usize>(), len);
    });
    check("map, floats", |len, ledger, trap| {
        let passed = ledger.things(len).into_par_iter().map(|thing| {
            trap.pass(thing.value);
            1.0
        });
        assert_eq!(passed.sum::<f32>(), len as f32);
    });
    check("inspect", |len, ledger, trap| {
        let passed = ledger.things(len).into_par_iter().inspect(|thing| trap.pass(thing.value));
        assert_eq!(passed.count(), len);
    });
    check("any", |len, ledger, trap| {
        let found = ledger.things(len).into_par_iter().any(|thing| {
            trap.pass(thing.value);
            thing.value == len
        });
        assert!(!found);
    });
    check("all", |len, ledger, trap| {
        let all = ledger.things(len).into_par_iter().all(|thing| {
            trap.pass(thing.value);
            thing.value < len
        });
        assert!(all);
    });
}

#[test]
fn closures_of_folds_and_reductions() {
    check("fold", |len, ledger, trap| {
        let folds = ledger.things(len).into_par_iter().fold(Vec::new, |mut all, thing| {
            trap.pass(thing.value);
            all.push(thing);
            all
        });
        assert_eq!(folds.map(|all| all.len()).sum::<usize>(), len);
    });
    check("reduce", |len, ledger, trap| {
        let all =
            ledger.things(len).into_par_iter().map(|thing| vec![thing]).reduce(Vec::new, |mut all, more| {
                more.iter().for_each(|thing| trap.pass(thing.value));
                all.extend(more);
                all
            });
        assert_eq!(all.len(), len);
    });
    check("reduce_with", |len, ledger, trap| {
        let last = ledger.things(len).into_par_iter().reduce_with(|_, next| {
            trap.pass(next.value);
            next
        });
        assert_eq!(last.unwrap().value, len - 1);
    });
    check("min", |len, ledger, trap| {
        let guarded = |thing| Guarded { thing, trap };
        let least = ledger.things(len).into_par_iter().map(guarded).min();
        assert_eq!(least.unwrap().thing.value, 0);
    });
}

/// Panics when it is compared with the value that the trap waits for.
struct Guarded<'l> {
    thing: Thing<'l>,
    trap: &'static Trap,
}

impl PartialEq for Guarded<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Guarded<'_> {}

impl PartialOrd for Guarded<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Guarded<'_> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.trap.pass(other.thing.value);
        self.thing.value.cmp(&other.thing.value)
    }
}

/// What makes a lane's state or a partial's start is called a few times a loop at most; each of
/// those calls may panic.
#[test]
fn closures_that_see_no_items() {
    let call = |calls: &AtomicUsize, trap: &'static Trap| trap.pass(calls.fetch_add(1, Ordering::Relaxed));
    check("fold, start", |len, ledger, trap| {
        let calls = AtomicUsize::new(0);
        let start = || {
            call(&calls, trap);
            Vec::new()
        };
        let push = |mut all: Vec<_>, thing| {
            all.push(thing);
            all
        };
        let folds = ledger.things(len).into_par_iter().fold(start, push);
        assert_eq!(folds.map(|all| all.len()).sum::<usize>(), len);
    });
    check("reduce, start", |len, ledger, trap| {
        let calls = AtomicUsize::new(0);
        let start = || {
            call(&calls, trap);
            0
        };
        let ones = ledger.things(len).into_par_iter().map(|_| 1);
        assert_eq!(ones.reduce(start, |a, b| a + b), len);
    });
    check("init", |len, ledger, trap| {
        let calls = AtomicUsize::new(0);
        let init = || {
            call(&calls, trap);
            ledger.thing(0)
        };
        ledger.things(len).into_par_iter().for_each_init(init, |_, thing| drop(thing));
    });
    check("init of both", |len, ledger, trap| {
        let calls = AtomicUsize::new(0);
        let init = || {
            call(&calls, trap);
            ledger.thing(0)
        };
        let a = ledger.things(len).into_par_iter().map_init(init, |_, thing| thing);
        let b = ledger.things(len + 5).into_par_iter().map_init(init, |_, thing| thing);
        assert_eq!(a.zip(b).count(), len);
    });
}

#[test]
fn closures_of_states() {
    check("map_init", |len, ledger, trap| {
        let pass = |_: &mut Thing<'_>, thing: Thing<'_>| trap.pass(thing.value);
        let passed = ledger.things(len).into_par_iter().map_init(|| ledger.thing(0), pass);
        assert_eq!(passed.count(), len);
    });
    check("state's drop", |len, ledger, trap| {
        /// Gathers a sum, and passes a trap at the end of its life.
        struct State<'l>(usize, &'static Trap, #[expect(dead_code, reason = "counts itself")] Thing<'l>);
        impl Drop for State<'_> {
            fn drop(&mut self) {
                // Exactly one lane has seen the item.
                if self.0 == 1 {
                    self.1.spring();
                }
            }
        }
        let init = || State(0, trap, ledger.thing(0));
        let passed = ledger.things(len).into_par_iter().map_init(init, |state, thing| {
            state.0 += usize::from(thing.value == trap.at);
            thing
        });
        assert_eq!(passed.collect::<Vec<_>>().len(), len);
    });
}

/// Passes a trap when it is dropped.
struct Fuse<'l>(Thing<'l>, &'static Trap);

impl Drop for Fuse<'_> {
    fn drop(&mut self) {
        self.1.pass(self.0.value);
    }
}

fn fuses<'l>(ledger: &'l Ledger, len: usize, trap: &'static Trap) -> Vec<Fuse<'l>> {
    ledger.things(len).into_iter().map(|thing| Fuse(thing, trap)).collect()
}

#[test]
fn drops_of_items() {
    check("processed", |len, ledger, trap| fuses(ledger, len, trap).into_par_iter().for_each(drop));
    check("discarded", |len, ledger, trap| {
        assert!(fuses(ledger, len, trap).into_par_iter().any(|fuse| fuse.0.value == len / 3));
    });
    check("beyond the zip", |len, ledger, trap| {
        let (short, long) = (ledger.things(len / 2), fuses(ledger, len, trap));
        assert_eq!(long.into_par_iter().zip(short).count(), len / 2);
    });
    check("beyond the zipped", |len, ledger, trap| {
        let (short, long) = (ledger.things(len / 2), fuses(ledger, len, trap));
        assert_eq!(short.into_par_iter().zip(long).count(), len / 2);
    });
    check("reduced away", |len, ledger, trap| {
        let last = fuses(ledger, len, trap).into_par_iter().reduce_with(|last, next| {
            drop(last);
            next
        });
        drop(last);
    });
}

#[test]
fn clones_and_collected_items() {
    /// Passes a trap when it is cloned.
    struct Cloner<'l>(Thing<'l>, &'static Trap);
    impl Clone for Cloner<'_> {
        fn clone(&self) -> Self {
            self.1.pass(self.0.value);
            Cloner(self.0.clone(), self.1)
        }
    }
    check("cloned", |len, ledger, trap| {
        let things: Vec<_> = ledger.things(len).into_iter().map(|thing| Cloner(thing, trap)).collect();
        assert_eq!(things.par_iter().cloned().collect::<Vec<_>>().len(), len);
    });
    check("collect", |len, ledger, trap| {
        let pairs = ledger.things(len).into_par_iter().map(|thing| {
            trap.pass(thing.value);
            (thing.clone(), thing)
        });
        let all: Vec<_> = pairs.collect();
        assert!(all.iter().enumerate().all(|(i, (a, b))| a.value == i && b.value == i));
    });
    check("collect, unequal", |len, ledger, trap| {
        let zipped = ledger.things(len).into_par_iter().zip(ledger.things(len + 100));
        let all: Vec<_> = zipped.map(|(a, b)| (trap.pass(a.value), b)).collect();
        assert_eq!(all.len(), len);
    });
    check("collect folds", |len, ledger, trap| {
        let folds = ledger.things(len).into_par_iter().fold(Vec::new, |mut all, thing| {
            trap.pass(thing.value);
            all.push(thing);
            all
        });
        assert_eq!(folds.collect::<Vec<_>>().concat().len(), len);
    });
}

/// A loop of two items that wait for each other, so that two lanes have one each. Its call sites
/// learn that items are slow: a loop that is known to be short is not shared, and its items would
/// wait for ever.
fn on_two_lanes<T: Send>(item: impl Fn(usize) -> T + Sync + Send) -> impl ParallelIterator<Item = T> {
    let both = Barrier::new(2);
    (0..2).into_par_iter().map(move |i| {
        thread::sleep(Duration::from_micros(50));
        both.wait();
        item(i)
    })
}

#[test]
fn the_step_that_combines_two_lanes() {
    for threads in [2, 4, 8] {
        let (pool, prefix) = pool(threads);
        for _ in 0..50 {
            let (ledger, trap) = (Ledger::default(), Trap::new(0));
            let outcome = catch_unwind(AssertUnwindSafe(|| {
                pool.install(|| on_two_lanes(|i| ledger.thing(i)).reduce_with(|_, _| trap.spring()))
            }));
            assert!(outcome.is_err());
            trap.assert_arrived(outcome, "reduce_with");
            ledger.assert_balanced("reduce_with");
            assert_eq!(pool.install(|| (0..500).into_par_iter().count()), 500);
        }
        threads::await_count(&prefix, threads);
    }
}

/// One lane has kept a result whose drop panics when another lane's item panics: the first panic is
/// the one that counts.
#[test]
fn a_collected_item_that_panics_as_it_is_dropped() {
    struct Grudge<'l>(usize, #[expect(dead_code, reason = "counts itself")] Thing<'l>);
    impl Drop for Grudge<'_> {
        fn drop(&mut self) {
            if self.0 == 0 {
                std::panic::resume_unwind(Box::new("dropped"));
            }
        }
    }
    let (pool, _) = pool(2);
    for _ in 0..50 {
        let (ledger, trap) = (Ledger::default(), Trap::new(1));
        let grudges = on_two_lanes(|i| {
            trap.pass(i);
            Grudge(i, ledger.thing(i))
        });
        let outcome = catch_unwind(AssertUnwindSafe(|| pool.install(|| grudges.collect::<Vec<_>>())));
        assert!(outcome.is_err());
        trap.assert_arrived(outcome, "a result that panics, too");
        ledger.assert_balanced("a result that panics, too");
    }
}

#[test]
fn payloads_that_panic_as_they_are_dropped() {
    static DROPPED: AtomicUsize = AtomicUsize::new(0);
    /// Panics with the next one when it is dropped, for ever.
    struct Hydra;
    impl Drop for Hydra {
        fn drop(&mut self) {
            DROPPED.fetch_add(1, Ordering::Relaxed);
            std::panic::resume_unwind(Box::new(Hydra));
        }
    }
    let (pool, prefix) = pool(2);
    for _ in 0..50 {
        let before = DROPPED.load(Ordering::Relaxed);
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            pool.install(|| {
                on_two_lanes::<()>(|_| std::panic::resume_unwind(Box::new(Hydra))).count();
            });
        }));
        let payload = outcome.unwrap_err().downcast::<Hydra>().expect("the payload of an item");
        assert_eq!(DROPPED.load(Ordering::Relaxed), before + 1, "the other item's payload was dropped");
        std::mem::forget(payload);
        assert_eq!(pool.install(|| (0..500).into_par_iter().count()), 500);
    }
    threads::await_count(&prefix, 2);
}
