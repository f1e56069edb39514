//! The event loop: whoever is free first asks for the next chunk.

use alloc::collections::BinaryHeap;
use alloc::vec::Vec;
use core::cmp::{Ordering, Reverse};
use core::ops::Range;

use super::schedule::{Span, WorkerSchedule};

/// Where a chunk comes from.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Taken {
    /// The worker's range or stack, or the queue of all.
    Own,
    /// What another worker had not claimed.
    Stolen,
    /// What another worker had claimed but not begun.
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
    /// What the chunk takes besides its taskels.
    pub(crate) blocks_ns: f64,
}

/// What a worker that is free does next.
pub(crate) enum Turn {
    Run(Claim),
    /// It looks again at this time, or when it is called; at infinity, only when it is called.
    Look(f64),
    /// There is nothing for it, until a piece waits.
    Idle,
}

impl From<Option<Claim>> for Turn {
    fn from(claim: Option<Claim>) -> Self {
        claim.map_or(Turn::Idle, Turn::Run)
    }
}

/// What a claim changes for other workers.
pub(crate) enum Effect {
    /// The worker's chunk ends before this taskel, and takes so long besides its taskels.
    Cut { worker: usize, end: usize, blocks_ns: f64 },
    /// The worker, which looks for work, does so at this time.
    Call { worker: usize, at_ns: f64 },
}

/// Hands out each taskel once. Calls come in the order of time.
pub(crate) trait Deal {
    /// What a worker does that is free at `now_ns`.
    fn claim(&mut self, worker: usize, now_ns: f64) -> Turn;

    /// A chunk of `taskels` taskels ended `elapsed_ns` after the time stamp before it.
    fn finish(&mut self, _worker: usize, _taskels: usize, _elapsed_ns: f64) {}

    /// One of the effects of the last claim, until there is none left.
    fn effect(&mut self) -> Option<Effect> {
        None
    }

    /// Whether a chunk of the worker took far longer than expected.
    fn met_outlier(&self, _worker: usize) -> bool {
        false
    }

    /// Whether all workers but the first sleep until an [`Effect`] calls them, instead of beginning
    /// one wake-up after the start.
    fn sleeps(&self) -> bool {
        false
    }

    /// When the first worker knows that all is over, if that is later than the last taskel.
    fn over_ns(&self) -> f64 {
        0.0
    }

    /// How many pieces wait to be claimed by workers that found none before.
    fn waiting(&self) -> usize {
        0
    }
}

/// A worker that is free from a moment on; ordered by time, then by worker.
#[derive(PartialEq)]
struct Free {
    at_ns: f64,
    worker: usize,
    /// Counts the worker's entries: only the latest holds.
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
    /// By worker.
    entries: Vec<u64>,
}

impl Calendar {
    fn new(workers: usize) -> Self {
        Calendar { heap: BinaryHeap::with_capacity(workers), entries: alloc::vec![0; workers] }
    }

    /// In place of what was set for the worker before.
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

/// What the event loop needs to know besides who deals.
pub(crate) struct Run<'a> {
    pub(crate) times_ns: &'a [f64],
    /// One per worker.
    pub(crate) speeds: &'a [f64],
    pub(crate) wake_ns: f64,
    pub(crate) record_spans: bool,
}

impl Run<'_> {
    /// Runs every taskel and says what each worker did.
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

    /// Adds a chunk that has ended to what its worker did.
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
