//! orx-parallel, with its default pool and its default, adaptive runner.

use crate::{
    peer::{FLOATS_PER_TASKEL, Peer, Timed, lane_sum, timed},
    work::work,
};
use orx_parallel::*;

pub(crate) struct Orx {
    threads: usize,
}

impl Orx {
    pub(crate) fn new(threads: usize) -> Self {
        Self { threads }
    }
}

impl Peer for Orx {
    fn name(&self) -> &'static str {
        "orx-parallel"
    }

    fn sum_work(&mut self, weights: &[u32], calls: u32) -> Timed<u64> {
        timed(weights, calls, |weights| {
            weights.par().num_threads(self.threads).map(|&weight| work(weight)).sum()
        })
    }

    fn sum_floats(&mut self, floats: &[f32], calls: u32) -> Timed<f32> {
        timed(floats, calls, |floats| {
            // It has no parallel chunks of a slice.
            let blocks = (0..floats.len().div_ceil(FLOATS_PER_TASKEL)).par().num_threads(self.threads);
            let sums = blocks.map(|block| {
                let start = block * FLOATS_PER_TASKEL;
                lane_sum(&floats[start..floats.len().min(start + FLOATS_PER_TASKEL)])
            });
            sums.sum()
        })
    }
}
