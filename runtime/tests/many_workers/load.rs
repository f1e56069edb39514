//! Items that sleep.

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// What the order of the items may cost.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// Nothing: they are alike, and whoever ends one at the same time as others finds as much as
    /// they do.
    Alike,
    /// Nothing, for the longest comes first.
    LongestFirst,
    /// As much as the longest.
    Any,
}

/// What there is to do, before it is known for how many.
pub(crate) struct Load {
    pub(crate) name: &'static str,
    pub(crate) order: Order,
    /// Milliseconds of each item.
    pub(crate) items: fn(usize) -> Vec<u64>,
}

/// All that a member is tried with.
pub(crate) const LOADS: [Load; 8] = [
    alike("one each", |workers| vec![20; workers]),
    alike("one less", |workers| vec![20; workers - 1]),
    alike("three", |_| vec![20; 3]),
    alike("four each", |workers| vec![12; 4 * workers]),
    unequal("one long first", Order::LongestFirst, |workers| {
        [vec![36], vec![12; 3 * (workers - 1)]].concat()
    }),
    unequal("one long last", Order::Any, |workers| [vec![12; 3 * (workers - 1)], vec![36]].concat()),
    unequal("side by side", Order::Any, |workers| {
        [vec![12; workers], vec![24; workers], vec![12; workers]].concat()
    }),
    unequal("random", Order::Any, |workers| {
        (0..3 * workers as u64).map(|item| 12 + item * 7919 % 13).collect()
    }),
];

/// Places of some of them.
pub(crate) const FOUR_EACH: usize = 3;
pub(crate) const SIDE_BY_SIDE: usize = 6;

const fn alike(name: &'static str, items: fn(usize) -> Vec<u64>) -> Load {
    Load { name, order: Order::Alike, items }
}

const fn unequal(name: &'static str, order: Order, items: fn(usize) -> Vec<u64>) -> Load {
    Load { name, order, items }
}

/// The items of one call, and how long they have taken.
pub(crate) struct Items {
    times: Vec<Duration>,
    count: AtomicU64,
    busy_ns: AtomicU64,
    longest_ns: AtomicU64,
}

impl Items {
    pub(crate) fn new(ms: &[u64]) -> Self {
        let times = ms.iter().map(|&ms| Duration::from_millis(ms)).collect();
        Items { times, count: AtomicU64::new(0), busy_ns: AtomicU64::new(0), longest_ns: AtomicU64::new(0) }
    }

    pub(crate) fn len(&self) -> usize {
        self.times.len()
    }

    pub(crate) fn run(&self, item: usize) {
        let start = Instant::now();
        match self.times[item].is_zero() {
            // Longer than what a loop may take that runs on its caller alone, divided by the number
            // of items.
            true => while start.elapsed() < Duration::from_micros(20) {},
            false => thread::sleep(self.times[item]),
        }
        let ns = start.elapsed().as_nanos() as u64;
        self.count.fetch_add(1, Ordering::Relaxed);
        self.busy_ns.fetch_add(ns, Ordering::Relaxed);
        self.longest_ns.fetch_max(ns, Ordering::Relaxed);
    }

    /// What `workers` have done.
    pub(crate) fn done(&self, workers: usize) -> Done {
        assert_eq!(self.count.load(Ordering::Relaxed), self.len() as u64, "each item runs once");
        Done {
            workers: workers as u32,
            busy: Duration::from_nanos(self.busy_ns.load(Ordering::Relaxed)),
            longest: Duration::from_nanos(self.longest_ns.load(Ordering::Relaxed)),
        }
    }
}

/// What was done by so many workers.
pub(crate) struct Done {
    pub(crate) workers: u32,
    /// By all together.
    pub(crate) busy: Duration,
    /// What follows one after the other in any order.
    pub(crate) longest: Duration,
}

impl Done {
    /// The least that is possible.
    pub(crate) fn best(&self) -> Duration {
        self.longest.max(self.busy / self.workers)
    }

    /// What no order exceeds that leaves nobody idle while there is something to do (Graham 1966).
    pub(crate) fn greedy(&self) -> Duration {
        self.busy / self.workers + self.longest * (self.workers - 1) / self.workers
    }
}
