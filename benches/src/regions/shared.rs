//! Two callers at once, a pool inside a pool, one core, and many more workers than cores.

use std::hint::black_box;
use std::thread;

use super::cost;
use crate::result::{Row, SERIAL};
use crate::suite::Context;
use crate::turns::{Sample, Turn};
use crate::work::work;

/// A pool, and what the rows do with it.
trait Library: Sync {
    /// A region on the pool.
    fn sum(&self, weights: &[u32]) -> u64;

    /// A region whose `times` taskels are regions on `inner`.
    fn sums_on(&self, inner: &dyn Library, weights: &[u32], times: usize) -> u64;
}

mod by_rayon {
    use super::{Library, work};
    use rayon::{ThreadPool, ThreadPoolBuilder, prelude::*};
    include!("by_library.rs");
}

mod by_taskel {
    use super::{Library, work};
    use taskel::{ThreadPool, ThreadPoolBuilder, prelude::*};
    include!("by_library.rs");
}

#[cfg(feature = "fork-union")]
mod by_fork_union;

/// No pool: every caller works for itself.
struct Alone;

impl Library for Alone {
    fn sum(&self, weights: &[u32]) -> u64 {
        weights.iter().map(|&weight| work(weight)).sum()
    }

    fn sums_on(&self, inner: &dyn Library, weights: &[u32], times: usize) -> u64 {
        (0..times).map(|_| inner.sum(weights)).sum()
    }
}

/// Starts a pool of as many threads.
type Start = fn(usize) -> Box<dyn Library>;

const PEERS: &[(&str, Start)] = &[
    (SERIAL, |_| Box::new(Alone)),
    ("rayon", by_rayon::Pool::start),
    ("taskel", by_taskel::Pool::start),
    #[cfg(feature = "fork-union")]
    (FORK_UNION, by_fork_union::Pool::start),
];

/// Where it has more threads than there are cores it is left out: each spins for its time slice
/// before the next one's turn.
const FORK_UNION: &str = "ForkUnion";

/// Regions, back to back.
struct Load {
    weights: Vec<u32>,
    regions: usize,
    answer: u64,
}

impl Load {
    fn new(regions: usize, taskels: usize, ns: f64, context: &Context) -> Self {
        let weights = vec![context.calibration.iterations(ns); taskels];
        Load { answer: weights.iter().map(|&weight| work(weight)).sum(), weights, regions }
    }

    fn run(&self, pool: &dyn Library) {
        for _ in 0..self.regions {
            assert_eq!(pool.sum(black_box(&self.weights)), self.answer);
        }
    }

    /// By two threads. There is only one without a pool.
    fn run_twice_at_once(&self, pool: &dyn Library) {
        thread::scope(|scope| {
            scope.spawn(|| self.run(pool));
            self.run(pool);
        });
    }

    fn run_inside(&self, outer: &dyn Library, inner: &dyn Library) {
        let sum = outer.sums_on(inner, black_box(&self.weights), self.regions);
        assert_eq!(sum, self.answer * self.regions as u64);
    }
}

/// A row for each way to share. Two callers are two threads even without a pool: that is the best
/// that they can have.
pub(super) fn rows(context: &Context) -> Vec<Row> {
    let long = &Load::new(1, 20_000, 1e3, context);
    let short = &Load::new(20, 20, 5e3, context);
    let nested = &Load::new(20, 1_000, 1e3, context);
    let cores = context.threads;
    let mut rows = Vec::new();
    let mut row = |name: &str, cores: usize, sample: &dyn Fn(Start) -> Sample| {
        rows.extend(row_of_pools(name, cores, context, sample));
    };
    row("two callers, 20 k x 1 µs each", 1, &|start| {
        on_pool(start, cores, |pool| long.run_twice_at_once(pool))
    });
    row("two callers, 20 times 20 x 5 µs each", 1, &|start| {
        on_pool(start, cores, |pool| short.run_twice_at_once(pool))
    });
    row("a pool in a pool, 20 regions of 1 k x 1 µs", cores, &|start| {
        let inner = start(cores);
        on_pool(start, cores, |outer| nested.run_inside(outer, &*inner))
    });
    row("64 workers, 20 k x 1 µs", cores, &|start| on_pool(start, 64, |pool| long.run(pool)));
    row("64 workers, 20 times 20 x 5 µs", cores, &|start| on_pool(start, 64, |pool| short.run(pool)));
    row("64 workers, 20 regions of 1 k x 1 µs inside one", cores, &|start| {
        on_pool(start, 64, |pool| nested.run_inside(pool, pool))
    });
    if PEERS.iter().any(|(peer, _)| *peer == FORK_UNION) {
        context.leave_out(
            "ForkUnion is left out where there are more workers than cores: a region takes seconds",
        );
    }
    rows
}

/// A row for each number of threads in a process that has one core.
pub(super) fn rows_on_one_core(context: &Context) -> Vec<Row> {
    let long = &Load::new(1, 20_000, 1e3, context);
    let short = &Load::new(20, 20, 5e3, context);
    let mut rows = Vec::new();
    for (threads, name) in [(0, "default pool"), (2, "2 workers")] {
        for (load, of) in [(long, "20 k x 1 µs"), (short, "20 times 20 x 5 µs")] {
            let sample = |start| on_pool(start, threads, |pool| load.run(pool));
            rows.extend(row_of_pools(&format!("one core, {name}, {of}"), 1, context, &sample));
        }
    }
    rows
}

/// The row, if it is wanted, in which `sample` uses each peer's pool.
fn row_of_pools(
    name: &str,
    cores: usize,
    context: &Context,
    sample: &dyn Fn(Start) -> Sample,
) -> Option<Row> {
    let crowded = name.contains("workers");
    let peers = PEERS.iter().filter(|(peer, _)| !(crowded && *peer == FORK_UNION));
    let turns = peers.map(|&(peer, start)| Turn::new(peer, move || sample(start)));
    context.wants_row(name).then(|| super::row(name, turns.collect(), cores, context))
}

/// What `run` costs on a pool of `threads` threads that was started just now, and has run it once.
fn on_pool(start: Start, threads: usize, run: impl Fn(&dyn Library)) -> Sample {
    let pool = start(threads);
    run(&*pool);
    cost(|| run(&*pool))
}
