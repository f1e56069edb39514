//! Random loads: is every result that of the sequential loop, and is every item dropped once?

use std::hint::black_box;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::thread;
use std::time::{Duration, Instant};

use taskel::prelude::*;
use taskel::{Chunk, ThreadPool};

#[path = "support/ledger.rs"]
mod ledger;
#[path = "support/random.rs"]
mod random;

use ledger::{Ledger, Thing};
use random::Random;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Shape {
    Collect,
    Zip,
    Reduce,
    Fold,
    InPlace,
    MapInit,
    Any { target: usize },
}

/// A loop to be run: what it does, to how many items, how heavy they are, and where it goes wrong.
#[derive(Debug)]
struct Load {
    shape: Shape,
    len: usize,
    salt: u64,
    /// One item in `rare` takes `heavy` rounds of work, the others `light`.
    light: usize,
    heavy: usize,
    rare: usize,
    min_len: usize,
    max_len: usize,
    chunk: Chunk,
    panics_at: Option<usize>,
    /// Every so many items run a loop of their own.
    inner: Option<(usize, Box<Load>)>,
}

impl Load {
    fn random(random: &mut Random, depth: usize, may_panic: bool) -> Load {
        let most = [4000, 300, 40][depth];
        let len = random.pick(&[1, 2, 3, 10, most / 4, most]);
        let len = random.below(len + 1);
        let shapes = [Shape::Collect, Shape::Zip, Shape::Reduce, Shape::Fold, Shape::InPlace, Shape::MapInit];
        let any = Shape::Any { target: random.below(len + 2) };
        let shape = if random.one_in(6) { any } else { random.pick(&shapes) };
        // Whether an early end forestalls a panic is a matter of luck.
        let may_panic = may_panic && shape != any;
        let inner = (depth < 2 && random.one_in(3)).then(|| {
            let may_panic = may_panic && random.one_in(4);
            let inner = Load::random(random, depth + 1, may_panic);
            (1 + random.below(len / 4 + 1), Box::new(inner))
        });
        Load {
            shape,
            len,
            salt: random.next(),
            light: random.pick(&[0, 0, 3, 30]),
            heavy: random.pick(&[0, 1000, 5000]),
            rare: random.pick(&[2, 50, 1000]),
            min_len: if random.one_in(4) { random.below(20) } else { 0 },
            max_len: if random.one_in(4) { random.below(20) } else { usize::MAX },
            chunk: if random.one_in(6) { Chunk::Exact(1 + random.below(50)) } else { Chunk::Auto },
            panics_at: (may_panic && random.one_in(4)).then(|| random.below(len + 1)),
            inner,
        }
    }

    /// The value of item `i`, where `run` runs inner loops; `None` where a loop panics.
    fn item(&self, i: usize, run: impl Fn(&Load) -> Option<u64>) -> Option<u64> {
        let mixed = Random(self.salt ^ i as u64).next();
        let rounds = if mixed.is_multiple_of(self.rare as u64) { self.heavy } else { self.light };
        let worked = (0..rounds).fold(mixed, |x, n| black_box(x.rotate_left(5) ^ n as u64));
        match &self.inner {
            _ if self.panics_at == Some(i) => None,
            Some((every, inner)) if i.is_multiple_of(*every) => Some(worked ^ run(inner)?),
            _ => Some(worked),
        }
    }

    fn sequential(&self) -> Option<u64> {
        if let Shape::Any { target } = self.shape {
            return Some(u64::from(target < self.len));
        }
        let items = (0..self.len).map(|i| self.item(i, Load::sequential).map(Text::of));
        Some(items.sum::<Option<Text>>()?.hash)
    }

    fn parallel(&self, ledger: &Ledger) -> u64 {
        let item = |i| {
            let value = self.item(i, |inner| Some(inner.parallel(ledger)));
            value.unwrap_or_else(|| resume_unwind(Box::new(Stop)))
        };
        let of_thing = |thing: Thing<'_>| item(thing.value);
        let indices = || self.tune((0..self.len).into_par_iter());
        let things = || self.tune(ledger.things(self.len).into_par_iter());
        let text = |values: Vec<u64>| values.into_iter().map(Text::of).sum::<Text>().hash;
        match self.shape {
            Shape::Collect => text(things().map(of_thing).collect()),
            Shape::Zip => {
                let pairs = things().zip(ledger.things(self.len + 5));
                let pairs: Vec<_> = pairs.map(|(a, b)| (item(a.value), a, b)).collect();
                assert!(pairs.iter().enumerate().all(|(i, (_, a, b))| a.value == i && b.value == i));
                text(pairs.into_iter().map(|(value, _, _)| value).collect())
            }
            Shape::Reduce => indices().map(|i| Text::of(item(i))).reduce(Text::default, Text::then).hash,
            Shape::Fold => {
                let texts = indices().fold(Text::default, |text, i| text.then(Text::of(item(i))));
                texts.sum::<Text>().hash
            }
            Shape::InPlace => {
                let mut values = vec![0; self.len];
                self.tune(values.par_iter_mut()).enumerate().for_each(|(i, value)| *value = item(i));
                text(values)
            }
            Shape::MapInit => {
                let init = || ledger.thing(0);
                let values = things().map_init(init, |state, thing| {
                    state.value += 1;
                    of_thing(thing)
                });
                text(values.collect())
            }
            Shape::Any { target } => u64::from(things().any(|thing| {
                let i = thing.value;
                black_box(of_thing(thing));
                i == target
            })),
        }
    }

    fn tune<I: IndexedParallelIterator>(&self, items: I) -> impl IndexedParallelIterator<Item = I::Item> {
        items.with_min_len(self.min_len).with_max_len(self.max_len).chunk(self.chunk)
    }
}

/// The payload of a panic that a load asked for.
struct Stop;

/// The hash of a text whose letters are numbers: hashes of two texts make that of their
/// concatenation, in this order only.
#[derive(Clone, Copy)]
struct Text {
    hash: u64,
    shift: u64,
}

impl Default for Text {
    fn default() -> Self {
        Text { hash: 0, shift: 1 }
    }
}

impl Text {
    fn of(letter: u64) -> Text {
        Text { hash: letter, shift: 0x2545_F491_4F6C_DD1D }
    }

    fn then(self, next: Text) -> Text {
        let hash = self.hash.wrapping_mul(next.shift).wrapping_add(next.hash);
        Text { hash, shift: self.shift.wrapping_mul(next.shift) }
    }
}

impl std::iter::Sum for Text {
    fn sum<I: Iterator<Item = Text>>(texts: I) -> Text {
        texts.fold(Text::default(), Text::then)
    }
}

#[test]
fn random_loads() {
    const LOADS: u64 = 1500;
    let pools =
        [1, 2, 2, 3, 5, 8, 16].map(|threads| ThreadPool::builder().num_threads(threads).build().unwrap());
    // Two callers, who often meet on a pool.
    thread::scope(|scope| {
        for caller in 0..2 {
            let pools = &pools;
            scope.spawn(move || {
                for seed in (0..LOADS).map(|n| 2 * n + caller) {
                    let mut random = Random(seed);
                    let load = Load::random(&mut random, 0, true);
                    let expected = load.sequential();
                    let pool = &pools[random.below(pools.len())];
                    let ledger = Ledger::default();
                    let run = AssertUnwindSafe(|| pool.install(|| load.parallel(&ledger)));
                    let found = match catch_unwind(run) {
                        Ok(found) => Some(found),
                        Err(payload) if payload.is::<Stop>() => None,
                        Err(payload) => resume_unwind(payload),
                    };
                    assert_eq!(found, expected, "seed {seed}: {load:?}");
                    ledger.assert_balanced(&format!("seed {seed}"));
                }
            });
        }
    });
}

/// A call site that was taught that its items are cheap meets an expensive one, and shares the
/// rest.
#[test]
fn a_first_item_that_takes_longer_than_taught() {
    let pool = ThreadPool::builder().num_threads(2).build().unwrap();
    for min_len in [1, 2, 7, 10, 39] {
        let run = |slow: bool| {
            let ledger = Ledger::default();
            let things = ledger.things(40).into_par_iter().with_min_len(min_len).on(&pool);
            let values: Vec<usize> = things
                .map(|thing| {
                    let until = Instant::now() + Duration::from_micros(200);
                    while slow && thing.value == 0 && Instant::now() < until {}
                    thing.value
                })
                .collect();
            assert_eq!(values, (0..40).collect::<Vec<_>>());
            ledger.assert_balanced("an expensive first item");
        };
        for _ in 0..20 {
            (0..5).for_each(|_| run(false));
            run(true);
        }
    }
}
