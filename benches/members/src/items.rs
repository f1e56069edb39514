//! Items that sleep, and so keep any number of workers busy on few cores.

use std::cmp::Ordering;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

pub(crate) const WORKERS: usize = 8;

/// How many items there are in each layout.
pub(crate) const LEN: usize = 64;

/// A comparison sleeps for an eighth of an item's time: there are that many more of them.
const COMPARISONS: u32 = 8;

/// Which items are long.
#[derive(Clone, Copy)]
pub(crate) struct Layout {
    pub(crate) name: &'static str,
    /// Milliseconds of an item.
    ms: fn(usize) -> u64,
}

/// Some 32 ms for eight workers, each. No order that leaves nobody idle takes longer than 47
/// (Graham 1966).
pub(crate) const LAYOUTS: [Layout; 3] = [
    Layout { name: "even", ms: |_| 4 },
    Layout { name: "a few long", ms: |item| if (16..20).contains(&item) { 18 } else { 3 } },
    Layout { name: "every 8th long", ms: |item| if item % 8 == 0 { 16 } else { 2 } },
];

/// The items of one call, and how long they have taken.
pub(crate) struct Items {
    layout: Layout,
    has_run: [AtomicBool; LEN],
    busy_ns: AtomicU64,
    /// Of a call of a member that compares: how many comparisons there were, and how many are
    /// needed.
    compared: AtomicU64,
    needed: AtomicU64,
}

impl Items {
    pub(crate) fn new(layout: Layout) -> Self {
        Items {
            layout,
            has_run: [const { AtomicBool::new(false) }; LEN],
            busy_ns: AtomicU64::new(0),
            compared: AtomicU64::new(0),
            needed: AtomicU64::new(0),
        }
    }

    fn time(&self, item: usize) -> Duration {
        Duration::from_millis((self.layout.ms)(item % LEN))
    }

    /// Sleeps for the time of that item. Only the first time counts.
    pub(crate) fn run(&self, item: usize) {
        let slept = sleep(self.time(item));
        if !self.has_run[item % LEN].swap(true, Relaxed) {
            self.busy_ns.fetch_add(slept, Relaxed);
        }
    }

    /// The same, and returns the item.
    pub(crate) fn ran(&self, item: usize) -> usize {
        self.run(item);
        item
    }

    /// Compares two items, which takes an eighth of the time of the first.
    pub(crate) fn compare(&self, a: usize, b: usize) -> Ordering {
        self.busy_ns.fetch_add(sleep(self.time(a) / COMPARISONS), Relaxed);
        self.compared.fetch_add(1, Relaxed);
        a.cmp(&b)
    }

    /// How many comparisons one thread would need.
    pub(crate) fn needs(&self, comparisons: usize) {
        self.needed.store(comparisons as u64, Relaxed);
    }

    /// On average, how many workers were doing what must be done, of a call that took so long;
    /// `None` if an item has not run.
    pub(crate) fn busy(&self, call: Duration) -> Option<f64> {
        let busy = self.busy_ns.load(Relaxed) as f64 / call.as_nanos() as f64;
        match self.compared.load(Relaxed) {
            0 => self.has_run.iter().all(|has_run| has_run.load(Relaxed)).then_some(busy),
            compared => Some(busy * self.needed.load(Relaxed) as f64 / compared as f64),
        }
    }
}

/// Sleeps, and says for how many nanoseconds.
fn sleep(time: Duration) -> u64 {
    let start = Instant::now();
    thread::sleep(time);
    start.elapsed().as_nanos() as u64
}

/// Runs the next item, as long as there is one.
pub(crate) fn take_turns(items: &Items, next: &AtomicUsize) {
    while let item @ 0..LEN = next.fetch_add(1, Relaxed) {
        items.run(item);
    }
}

/// Hands out something that must be dropped before this returns.
pub(crate) fn until_dropped(op: impl FnOnce(mpsc::Sender<()>)) {
    let (sender, dropped) = mpsc::channel();
    op(sender);
    assert!(dropped.recv().is_err());
}
