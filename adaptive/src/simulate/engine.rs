//! The event loop: whoever is free first asks for the next chunk.

use alloc::collections::BinaryHeap;
use alloc::vec::Vec;
use core::cmp::{Ordering, Reverse};
use core::ops::Range;

use super::schedule::{Span, WorkerSchedule};

/// A chunk that a worker is about to run.
pub(crate) struct Claim {
    pub(crate) taskels: Range<usize>,
    /// When its first taskel starts.
    pub(crate) start_ns: f64,
    /// Steals that it took to get it.
    pub(crate) steals: usize,
    /// The time stamp that the end of the chunk is compared with.
    pub(crate) measured_from_ns: f64,
}

/// Hands out each taskel once. Calls come in the order of time.
pub(crate) trait Deal {
    /// The next chunk of a worker that is free at `now_ns`, or `None` if there is none to be had now.
    fn claim(&mut self, worker: usize, now_ns: f64) -> Option<Claim>;

    /// A chunk of `taskels` taskels ended `elapsed_ns` after the time stamp before it.
    fn finish(&mut self, _worker: usize, _taskels: usize, _elapsed_ns: f64) {}

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
}

impl Eq for Free {}

impl Ord for Free {
    fn cmp(&self, other: &Self) -> Ordering {
        self.at_ns.total_cmp(&other.at_ns).then(self.worker.cmp(&other.worker))
    }
}

impl PartialOrd for Free {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
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
        let mut done: Vec<WorkerSchedule> = Vec::new();
        done.resize_with(self.speeds.len(), WorkerSchedule::default);
        // What a worker reports when it is free again: taskels and the time since its last time stamp.
        let mut reports = alloc::vec![None; self.speeds.len()];
        let mut idle = Vec::new();
        let mut free: BinaryHeap<Reverse<Free>> = (0..self.speeds.len())
            .map(|worker| Reverse(Free { at_ns: if worker == 0 { 0.0 } else { self.wake_ns }, worker }))
            .collect();
        while let Some(Reverse(Free { at_ns, worker })) = free.pop() {
            if let Some((taskels, elapsed_ns)) = reports[worker].take() {
                deal.finish(worker, taskels, elapsed_ns);
            }
            let Some(claim) = deal.claim(worker, at_ns) else {
                idle.push(worker);
                continue;
            };
            let end_ns = self.perform(&claim, worker, &mut done[worker]);
            reports[worker] = Some((claim.taskels.len(), end_ns - claim.measured_from_ns));
            free.push(Reverse(Free { at_ns: end_ns, worker }));
            for _ in 0..deal.waiting().min(idle.len()) {
                let woken = idle.pop().expect("as many as there are idle workers");
                free.push(Reverse(Free { at_ns, worker: woken }));
            }
        }
        done
    }

    /// Adds a chunk to what its worker did; returns when it ends.
    fn perform(&self, claim: &Claim, worker: usize, done: &mut WorkerSchedule) -> f64 {
        let Claim { ref taskels, start_ns, steals, .. } = *claim;
        let busy_ns = self.times_ns[taskels.clone()].iter().sum::<f64>() / self.speeds[worker];
        let end_ns = start_ns + busy_ns;
        done.busy_ns += busy_ns;
        done.end_ns = end_ns;
        done.taskels += taskels.len();
        done.chunks += 1;
        done.steals += steals;
        if self.record_spans {
            done.spans.push(Span { taskels: taskels.clone(), start_ns, end_ns, stolen: steals > 0 });
        }
        end_ns
    }
}
