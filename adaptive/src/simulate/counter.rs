//! The chunk policy on one counter that all workers share, as processes do.

use alloc::vec::Vec;

use super::engine::{Claim, Deal, Taken, Turn};
use super::policy::Costs;
use crate::{ChunkConfig, Chunker, Tail};

/// Each worker has a [`Chunker`], and asks it with the number of taskels left in the counter. A
/// [`Tail`] limits the result.
pub(crate) struct SharedCounter {
    next: usize,
    len: usize,
    chunkers: Vec<Chunker>,
    tail: Tail,
    costs: Costs,
    /// When the counter is free again: additions to it happen one after another.
    free_at_ns: f64,
}

impl SharedCounter {
    pub(crate) fn new(
        len: usize,
        workers: usize,
        costs: Costs,
        (config, tail): (ChunkConfig, Option<Tail>),
    ) -> Self {
        let chunkers = alloc::vec![Chunker::new(config); workers];
        let tail = tail.unwrap_or(Tail::new(workers, costs.claim_ns));
        SharedCounter { next: 0, len, chunkers, tail, costs, free_at_ns: 0.0 }
    }
}

impl Deal for SharedCounter {
    fn claim(&mut self, worker: usize, now_ns: f64) -> Turn {
        let remaining = self.len - self.next;
        if remaining == 0 {
            return Turn::Idle;
        }
        let chunker = &mut self.chunkers[worker];
        let fits = chunker.next_chunk(remaining);
        let size = self.tail.limit(fits, remaining, chunker.estimate_ns());
        let taskels = self.next..self.next + size;
        self.next += size;
        self.free_at_ns = self.free_at_ns.max(now_ns) + self.costs.claim_ns;
        let start_ns = self.free_at_ns + self.costs.timestamp_ns;
        Turn::Run(Claim { taskels, start_ns, taken: Taken::Own, measured_from_ns: start_ns, blocks_ns: 0.0 })
    }

    fn finish(&mut self, worker: usize, taskels: usize, elapsed_ns: f64) {
        self.chunkers[worker].observe(taskels, elapsed_ns as u64);
    }
}
