//! What there is to do: items that sleep, and so keep any number of workers busy on a few cores,
//! and tiny ones that spin.

use crate::work::{Calibration, work};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;
use std::{hint::black_box, thread, time::Duration};

/// How long an item of the first loads sleeps.
const LONG: Item = Item::sleeping(16);
const MEDIUM: Item = Item::sleeping(8);
/// As long as four medium ones.
const LONGEST: Item = Item::sleeping(32);
/// Those among tiny ones.
const AMONG_TINY: Item = Item::sleeping(20);
const TINY: usize = 200_000;
const TINY_NS: f64 = 30.0;

/// One thing to do, small enough that a slice of many costs tiny items nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Item(u32);

impl Item {
    /// Set in items that sleep; the other bits are microseconds, or steps of work.
    const SLEEPS: u32 = 1 << 31;

    const fn sleeping(ms: u32) -> Self {
        Item((ms * 1000) | Self::SLEEPS)
    }

    fn sleep(self) -> Option<Duration> {
        (self.0 & Self::SLEEPS != 0).then(|| Duration::from_micros((self.0 & !Self::SLEEPS).into()))
    }

    pub(super) fn run(self) {
        match self.sleep() {
            Some(time) => thread::sleep(time),
            None => {
                black_box(work(self.0));
            }
        }
    }
}

/// What a load is made for.
#[derive(Clone, Copy, Debug)]
pub(super) struct For {
    pub(super) workers: usize,
    /// The steps of a tiny item.
    pub(super) tiny_steps: u32,
}

impl For {
    pub(super) fn new(workers: usize, calibration: &Calibration) -> Self {
        For { workers, tiny_steps: calibration.iterations(TINY_NS) }
    }
}

/// A load before it is made.
#[derive(Clone, Copy, Debug)]
pub(super) struct Load {
    pub(super) name: &'static str,
    /// Whether nobody does better who knows the future: every order that leaves no worker idle ends
    /// at the same time.
    pub(super) order_hides_nothing: bool,
    /// Whether there are many thousands of items.
    pub(super) is_tiny: bool,
    pub(super) items: fn(For) -> Vec<Item>,
}

/// All loads, in the order of the tables.
pub(super) const ALL: [Load; 9] = [
    equal("one each", |made| vec![LONG; made.workers]),
    equal("four each", |made| vec![MEDIUM; 4 * made.workers]),
    equal("P - 1", |made| vec![LONG; made.workers - 1]),
    equal("one long first", |made| [&[LONGEST], &*vec![MEDIUM; 4 * (made.workers - 1)]].concat()),
    unequal("one long last", |made| [&*vec![MEDIUM; 4 * (made.workers - 1)], &[LONGEST]].concat()),
    unequal("side by side", |made| amid(&vec![MEDIUM; 2 * made.workers], &vec![LONG; made.workers])),
    tiny("side by side amid tiny", |made| amid(&tiny_items(made), &vec![AMONG_TINY; made.workers])),
    tiny("side by side after tiny", |made| [tiny_items(made), vec![AMONG_TINY; made.workers]].concat()),
    unequal("random", |made| {
        let mut random = Pcg64Mcg::seed_from_u64(made.workers as u64);
        (0..4 * made.workers).map(|_| Item::sleeping(random.random_range(2..=16))).collect()
    }),
];

const fn equal(name: &'static str, items: fn(For) -> Vec<Item>) -> Load {
    Load { name, order_hides_nothing: true, is_tiny: false, items }
}

const fn unequal(name: &'static str, items: fn(For) -> Vec<Item>) -> Load {
    Load { order_hides_nothing: false, ..equal(name, items) }
}

const fn tiny(name: &'static str, items: fn(For) -> Vec<Item>) -> Load {
    Load { is_tiny: true, ..unequal(name, items) }
}

fn tiny_items(made: For) -> Vec<Item> {
    vec![Item(made.tiny_steps); TINY]
}

/// The second ones in the middle of the first.
fn amid(around: &[Item], inside: &[Item]) -> Vec<Item> {
    let (before, after) = around.split_at(around.len() / 2);
    [before, inside, after].concat()
}

/// What an item takes on this machine.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    pub(super) calibration: Calibration,
    /// By how much a sleeper oversleeps.
    pub(super) late_ns: f64,
    pub(super) cores: usize,
}

/// What is known about all orders in which P workers can do a load, in nanoseconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Work {
    /// The time of all items, by the number of workers that can do them at once.
    shared: f64,
    /// What follows one after the other in any order.
    longest: f64,
    workers: f64,
}

impl Work {
    pub(super) fn of(items: &[Item], workers: usize, clock: &Clock) -> Self {
        // Those that spin keep no more workers busy than there are cores.
        let at_once = |item: &Item| if item.sleep().is_some() { workers } else { workers.min(clock.cores) };
        let shared = items.iter().map(|item| clock.ns(*item) / at_once(item) as f64).sum();
        let longest = items.iter().map(|item| clock.ns(*item)).fold(0.0, f64::max);
        Work { shared, longest, workers: workers as f64 }
    }

    /// The same, and all items combined in pairs by an operator which sleeps.
    pub(super) fn combined(self, items: usize, operator: Duration, clock: &Clock) -> Self {
        let operator = operator.as_nanos() as f64 + clock.late_ns;
        let operators = items.saturating_sub(1) as f64;
        let deep = f64::from(items.next_power_of_two().ilog2());
        Work {
            shared: self.shared + operators * operator / self.workers,
            longest: self.longest + deep * operator,
            ..self
        }
    }

    /// The least that is possible.
    pub(super) fn bound(&self) -> f64 {
        self.shared.max(self.longest)
    }

    /// What no order exceeds that leaves nobody idle while there is something to do (Graham 1966;
    /// Brent 1974 for what is combined).
    pub(super) fn greedy_bound(&self) -> f64 {
        self.shared + (1.0 - 1.0 / self.workers) * self.longest
    }
}

impl Clock {
    fn ns(&self, item: Item) -> f64 {
        item.sleep().map_or_else(|| self.calibration.ns(item.0), |time| time.as_nanos() as f64 + self.late_ns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLOCK: Clock =
        Clock { calibration: Calibration { iteration_ns: 1.0, call_ns: 0.0 }, late_ns: 0.0, cores: 2 };

    fn work(load: &Load, workers: usize) -> Work {
        let items = (load.items)(For::new(workers, &CLOCK.calibration));
        Work::of(&items, workers, &CLOCK)
    }

    #[test]
    fn where_the_order_hides_nothing_whole_items_fill_the_bound() {
        for workers in [4, 8, 16, 32] {
            for load in ALL.iter().filter(|load| load.order_hides_nothing) {
                let work = work(load, workers);
                let rounds = work.bound() / 8e6;
                assert!((rounds - rounds.round()).abs() < 1e-9, "{}: {work:?}", load.name);
            }
        }
    }

    #[test]
    fn bounds_are_what_is_in_the_books() {
        let load = |name| ALL.iter().find(|load| load.name == name).expect("a load");
        let last = work(load("one long last"), 4);
        assert_eq!((last.bound(), last.greedy_bound()), (32e6, 32e6 + 24e6));
        let tiny = work(load("side by side after tiny"), 16);
        assert!((tiny.bound() - 20e6 - 100e3 * 30.0).abs() < 1.0, "tiny ones are for two cores: {tiny:?}");
        let combined = work(load("one each"), 8).combined(8, Duration::from_millis(8), &CLOCK);
        assert_eq!(combined.bound(), 16e6 + 3.0 * 8e6);
    }

    #[test]
    fn long_ones_stand_where_the_name_says() {
        let made = For::new(4, &CLOCK.calibration);
        for (load, first) in
            [("side by side", 4), ("side by side amid tiny", TINY / 2), ("side by side after tiny", TINY)]
        {
            let load = ALL.iter().find(|known| known.name == load).expect("a load");
            let items = (load.items)(made);
            let longest = items.iter().map(|item| item.sleep()).max().flatten();
            let found: Vec<usize> =
                (0..items.len()).filter(|&index| items[index].sleep() == longest).collect();
            assert_eq!(found, [first, first + 1, first + 2, first + 3], "{}", load.name);
        }
    }
}
