//! The event loop: the worker that is free first asks for the next chunk.

use alloc::collections::BinaryHeap;
use alloc::vec::Vec;
use core::cmp::{Ordering, Reverse};
use core::ops::Range;

use super::schedule::{Span, WorkerSchedule};

/// Where a chunk comes from.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Taken {
    /// From the worker's range or stack, or from the shared queue.
    Own,
    /// Unclaimed work of another worker.
    Stolen,
    /// Work that another worker had claimed and not begun.
    Revoked,
}

/// A chunk that a worker is about to run.
pub(crate) struct Claim {
    pub(crate) taskels: Range<usize>,
    /// When its first taskel starts.
    pub(crate) start_ns: f64,
    pub(crate) taken: Taken,
    /// The time stamp that the end of the chunk is compared with.
    pub(crate) measured_from_ns: f64,
    /// The time that the chunk takes in addition to its taskels.
    pub(crate) blocks_ns: f64,
}

/// What a free worker does next.
pub(crate) enum Turn {
    Run(Claim),
    /// It looks again at this time, or when it is called. At infinity, it looks only when called.
    Look(f64),
    /// It is idle until a piece of work is waiting.
    Idle,
}

impl From<Option<Claim>> for Turn {
    fn from(claim: Option<Claim>) -> Self {
        claim.map_or(Turn::Idle, Turn::Run)
    }
}

/// How a claim affects other workers.
pub(crate) enum Effect {
    /// The worker's chunk ends before taskel `end`, and takes `blocks_ns` in addition to its
    /// taskels.
    Cut { worker: usize, end: usize, blocks_ns: f64 },
    /// The worker, which is looking for work, looks at this time.
    Call { worker: usize, at_ns: f64 },
}

/// Hands out each taskel once. Calls are ordered by time.
pub(crate) trait Deal {
    /// Returns what a worker does that is free at `now_ns`.
    fn claim(&mut self, worker: usize, now_ns: f64) -> Turn;

    /// Records that a chunk of `taskels` taskels ended `elapsed_ns` after the previous time stamp.
    fn finish(&mut self, _worker: usize, _taskels: usize, _elapsed_ns: f64) {}

    /// Returns one effect of the last claim, until none is left.
    fn effect(&mut self) -> Option<Effect> {
        None
    }

    /// Returns whether a chunk of the worker took far longer than expected.
    fn met_outlier(&self, _worker: usize) -> bool {
        false
    }

    /// Returns whether all workers but the first sleep until an [`Effect`] calls them. Otherwise
    /// they begin one wake-up after the start.
    fn sleeps(&self) -> bool {
        false
    }

    /// Returns when the first worker knows that everything is done, if that is later than the last
    /// taskel.
    fn over_ns(&self) -> f64 {
        0.0
    }

    /// Returns how many pieces are waiting for workers that found none before.
    fn waiting(&self) -> usize {
        0
    }
}

/// A worker that is free from a time on. Ordered by time, then by worker.
#[derive(PartialEq)]
struct Free {
    at_ns: f64,
    worker: usize,
    /// The number of this entry among the worker's entries. Only the latest is valid.
    entry: u64,
}

impl Eq for Free {}

impl Ord for Free {
    fn cmp(&self, other: &Self) -> Ordering {
        let by_worker = || self.worker.cmp(&other.worker).then(self.entry.cmp(&other.entry));
        self.at_ns.total_cmp(&other.at_ns).then_with(by_worker)
    }
}

impl PartialOrd for Free {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// When each worker is free next.
struct Calendar {
    heap: BinaryHeap<Reverse<Free>>,
    /// The number of entries of each worker.
    entries: Vec<u64>,
}

impl Calendar {
    fn new(workers: usize) -> Self {
        Calendar { heap: BinaryHeap::with_capacity(workers), entries: alloc::vec![0; workers] }
    }

    /// Replaces the worker's earlier entry.
    fn set(&mut self, worker: usize, at_ns: f64) {
        self.entries[worker] += 1;
        self.heap.push(Reverse(Free { at_ns, worker, entry: self.entries[worker] }));
    }

    fn next(&mut self) -> Option<(usize, f64)> {
        loop {
            let Reverse(Free { at_ns, worker, entry }) = self.heap.pop()?;
            if entry == self.entries[worker] {
                return Some((worker, at_ns));
            }
        }
    }
}

/// A chunk that is being run.
struct Running {
    claim: Claim,
    busy_ns: f64,
    end_ns: f64,
}

/// The parameters of the event loop.
pub(crate) struct Run<'a> {
    pub(crate) times_ns: &'a [f64],
    /// One per worker.
    pub(crate) speeds: &'a [f64],
    pub(crate) wake_ns: f64,
    pub(crate) record_spans: bool,
}

impl Run<'_> {
    /// Runs every taskel. Returns what each worker did.
    pub(crate) fn run(&self, mut deal: impl Deal) -> Vec<WorkerSchedule> {
        let workers = self.speeds.len();
        let mut done: Vec<WorkerSchedule> = Vec::new();
        done.resize_with(workers, WorkerSchedule::default);
        let mut running: Vec<Option<Running>> = Vec::new();
        running.resize_with(workers, || None);
        let mut idle = Vec::new();
        let mut free = Calendar::new(workers);
        for worker in 0..if deal.sleeps() { 1 } else { workers } {
            free.set(worker, if worker == 0 { 0.0 } else { self.wake_ns });
        }
        while let Some((worker, now_ns)) = free.next() {
            if let Some(ended) = running[worker].take() {
                deal.finish(worker, ended.claim.taskels.len(), ended.end_ns - ended.claim.measured_from_ns);
                self.record(ended, &mut done[worker]);
            }
            match deal.claim(worker, now_ns) {
                Turn::Run(claim) => {
                    let begun = self.begin(claim, worker);
                    free.set(worker, begun.end_ns);
                    running[worker] = Some(begun);
                }
                Turn::Look(at_ns) if at_ns < f64::INFINITY => free.set(worker, at_ns),
                Turn::Look(_) => {}
                Turn::Idle => idle.push(worker),
            }
            while let Some(effect) = deal.effect() {
                match effect {
                    Effect::Call { worker, at_ns } => free.set(worker, at_ns),
                    Effect::Cut { worker, end, blocks_ns } => {
                        let Some(Running { mut claim, .. }) = running[worker].take() else { continue };
                        (claim.taskels.end, claim.blocks_ns) = (end, blocks_ns);
                        let shorter = self.begin(claim, worker);
                        free.set(worker, shorter.end_ns);
                        running[worker] = Some(shorter);
                    }
                }
            }
            for _ in 0..deal.waiting().min(idle.len()) {
                let woken = idle.pop().expect("as many as there are idle workers");
                free.set(woken, now_ns);
            }
        }
        done[0].end_ns = done[0].end_ns.max(deal.over_ns());
        for (worker, done) in done.iter_mut().enumerate() {
            done.met_outlier = deal.met_outlier(worker);
        }
        done
    }

    fn begin(&self, claim: Claim, worker: usize) -> Running {
        let busy_ns = self.times_ns[claim.taskels.clone()].iter().sum::<f64>() / self.speeds[worker];
        let end_ns = claim.start_ns + (busy_ns + claim.blocks_ns);
        Running { claim, busy_ns, end_ns }
    }

    /// Adds a finished chunk to the record of its worker.
    fn record(&self, ended: Running, done: &mut WorkerSchedule) {
        let Running { claim: Claim { taskels, start_ns, taken, .. }, busy_ns, end_ns } = ended;
        done.busy_ns += busy_ns;
        done.end_ns = end_ns;
        done.taskels += taskels.len();
        done.chunks += 1;
        done.steals += usize::from(taken != Taken::Own);
        done.revoked += usize::from(taken == Taken::Revoked);
        if self.record_spans {
            done.spans.push(Span { taskels, start_ns, end_ns, stolen: taken != Taken::Own });
        }
    }
}
