//! Policies whose workers have their own ranges: fixed shares, and adaptive chunks with stealing.

use alloc::vec::Vec;
use core::ops::Range;

use super::engine::{Claim, Deal, Taken, Turn};
use super::members::Members;
use super::nodes::Nodes;
use super::policy::Costs;
use super::rng::Rng;
use crate::{ChunkConfig, Chunker};

/// How many ranges a thief looks at before it steals half of one.
const LOOK_AT: usize = 4;

/// Returns the share of worker `k`. Shares differ by at most one taskel.
fn share(len: usize, workers: usize, k: usize) -> Range<usize> {
    let edge = |k: usize| (len as u128 * k as u128 / workers as u128) as usize;
    edge(k)..edge(k + 1)
}

/// One share per worker, run as one chunk.
pub(crate) struct Shares {
    shares: Vec<Range<usize>>,
    claim_ns: f64,
}

impl Shares {
    pub(crate) fn new(len: usize, workers: usize, costs: Costs) -> Self {
        Shares { shares: (0..workers).map(|k| share(len, workers, k)).collect(), claim_ns: costs.claim_ns }
    }
}

impl Deal for Shares {
    fn claim(&mut self, worker: usize, now_ns: f64) -> Turn {
        let taskels = core::mem::take(&mut self.shares[worker]);
        if taskels.is_empty() {
            return Turn::Idle;
        }
        let start_ns = now_ns + self.claim_ns;
        Turn::Run(Claim { taskels, start_ns, taken: Taken::Own, measured_from_ns: start_ns, blocks_ns: 0.0 })
    }
}

/// One range and one [`Chunker`] per worker.
pub(crate) struct StealableRanges {
    ranges: Vec<Range<usize>>,
    chunkers: Vec<Chunker>,
    /// The time of a taskel in the range that the worker has stolen, as the victim estimated it.
    taught_ns: Vec<Option<f64>>,
    non_empty: Members,
    all_left: usize,
    costs: Costs,
    nodes: Nodes,
    rng: Rng,
}

impl StealableRanges {
    /// Creates a share for each worker, or gives everything to the first worker if it is not
    /// `dealt`.
    pub(crate) fn new(
        (len, dealt): (usize, bool),
        workers: usize,
        costs: Costs,
        nodes: Nodes,
        config: ChunkConfig,
        rng: Rng,
    ) -> Self {
        let shares = if dealt { workers } else { 1 };
        let mut ranges: Vec<_> = (0..shares).map(|k| share(len, shares, k)).collect();
        ranges.resize(workers, 0..0);
        let mut non_empty = Members::new(workers);
        for (worker, range) in ranges.iter().enumerate() {
            non_empty.set(worker, !range.is_empty());
        }
        let chunkers = (0..workers).map(|_| Chunker::new(config)).collect();
        let taught_ns = alloc::vec![None; workers];
        StealableRanges { ranges, chunkers, taught_ns, non_empty, all_left: len, costs, nodes, rng }
    }

    /// Takes the next chunk from the front of the worker's range.
    fn take_chunk(&mut self, worker: usize) -> Range<usize> {
        let range = &mut self.ranges[worker];
        let size = self.chunkers[worker].next_chunk(range.len());
        let chunk = range.start..range.start + size;
        range.start = chunk.end;
        self.all_left -= size;
        self.non_empty.set(worker, !self.ranges[worker].is_empty());
        chunk
    }

    /// Steals the back half of another worker's range. Returns the victim.
    fn steal(&mut self, worker: usize) -> Option<usize> {
        let own_ns = self.chunkers[worker].estimate_ns().unwrap_or(1.0);
        let mut best = None;
        let mut longest_ns = -1.0;
        for victim in self.non_empty.some(LOOK_AT, &mut self.rng) {
            // For a worker that has run nothing yet, the thief's estimate is used.
            let taskel_ns = self.chunkers[victim].estimate_ns().unwrap_or(own_ns);
            let left_ns = self.ranges[victim].len() as f64 * taskel_ns;
            if left_ns > longest_ns {
                (best, longest_ns) = (Some(victim), left_ns);
            }
        }
        let victim = best?;
        let range = &mut self.ranges[victim];
        let middle = range.start + range.len() / 2;
        let stolen = middle..range.end;
        range.end = middle;
        self.non_empty.set(victim, middle > self.ranges[victim].start);
        self.acquire(worker, victim, stolen);
        Some(victim)
    }

    /// Sets the worker's range to what it has stolen.
    fn acquire(&mut self, worker: usize, victim: usize, taskels: Range<usize>) {
        self.taught_ns[worker] = self.chunkers[victim].estimate_ns();
        self.ranges[worker] = taskels;
        self.chunkers[worker].on_steal();
    }

    /// Returns the next chunk of a worker whose range is not empty.
    fn next_chunk(&mut self, worker: usize, measured_from_ns: f64, taken: Taken) -> Claim {
        // A thief claims the first chunk at once. Otherwise a single taskel could move from thief
        // to thief without running.
        let taskels = self.take_chunk(worker);
        // The clock is read once per chunk: the end of one chunk is the start of the next.
        let start_ns = measured_from_ns + self.costs.claim_ns + self.costs.timestamp_ns;
        Claim { taskels, start_ns, taken, measured_from_ns, blocks_ns: 0.0 }
    }

    /// Returns the next chunk of a worker that is free at `now_ns`, from its range or from half of
    /// another. Returns `None` if all are empty.
    pub(crate) fn claim_or_steal(&mut self, worker: usize, now_ns: f64) -> Option<Claim> {
        if !self.ranges[worker].is_empty() {
            return Some(self.next_chunk(worker, now_ns, Taken::Own));
        }
        let victim = self.steal(worker)?;
        let steal_ns = self.nodes.steal_ns(self.costs.steal_ns, worker, victim);
        Some(self.next_chunk(worker, now_ns + steal_ns, Taken::Stolen))
    }

    /// Makes the rest of another worker's chunk the worker's range. Returns its first chunk.
    pub(crate) fn revoke(&mut self, worker: usize, owner: usize, rest: Range<usize>, now_ns: f64) -> Claim {
        self.chunkers[worker].on_outlier();
        self.all_left += rest.len();
        self.acquire(worker, owner, rest);
        let steal_ns = self.nodes.steal_ns(self.costs.steal_ns, worker, owner);
        self.next_chunk(worker, now_ns + steal_ns, Taken::Revoked)
    }

    pub(crate) fn left(&self, worker: usize) -> usize {
        self.ranges[worker].len()
    }

    /// Returns the number of taskels in all ranges together.
    pub(crate) fn all_left(&self) -> usize {
        self.all_left
    }

    /// Returns the expected time of a taskel in the worker's range, if known.
    pub(crate) fn expected_ns(&self, worker: usize) -> Option<f64> {
        self.chunkers[worker].estimate_ns().or(self.taught_ns[worker])
    }

    pub(crate) fn chunker(&self, worker: usize) -> &Chunker {
        &self.chunkers[worker]
    }

    pub(crate) fn chunker_mut(&mut self, worker: usize) -> &mut Chunker {
        &mut self.chunkers[worker]
    }
}

impl Deal for StealableRanges {
    fn claim(&mut self, worker: usize, now_ns: f64) -> Turn {
        self.claim_or_steal(worker, now_ns).into()
    }

    fn finish(&mut self, worker: usize, taskels: usize, elapsed_ns: f64) {
        // A real clock counts whole nanoseconds, too.
        self.chunkers[worker].observe(taskels, elapsed_ns as u64);
    }
}
