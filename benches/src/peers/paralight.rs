//! paralight, with work stealing and pinned threads as in its own benchmarks.

use crate::{
    peer::{FLOATS_PER_TASKEL, Peer, Timed, lane_sum, timed},
    work::work,
};
use ::paralight::prelude::*;

pub(crate) struct Paralight {
    pool: ThreadPool,
}

impl Paralight {
    pub(crate) fn new(threads: usize) -> Self {
        let num_threads = ThreadCount::try_from(threads).expect("there is at least one thread");
        let range_strategy = RangeStrategy::WorkStealing;
        let cpu_pinning = CpuPinningPolicy::IfSupported;
        Self { pool: ThreadPoolBuilder { num_threads, range_strategy, cpu_pinning }.build() }
    }
}

impl Peer for Paralight {
    fn name(&self) -> &'static str {
        "paralight"
    }

    fn sum_work(&mut self, weights: &[u32], calls: u32) -> Timed<u64> {
        timed(weights, calls, |weights| {
            weights.par_iter().with_thread_pool(&mut self.pool).map(|&weight| work(weight)).sum()
        })
    }

    fn sum_floats(&mut self, floats: &[f32], calls: u32) -> Timed<f32> {
        timed(floats, calls, |floats| {
            // It has no parallel chunks of a slice.
            let starts = (0..floats.len().div_ceil(FLOATS_PER_TASKEL)).into_par_iter();
            let blocks = starts.with_thread_pool(&mut self.pool).map(|block| {
                let start = block * FLOATS_PER_TASKEL;
                lane_sum(&floats[start..floats.len().min(start + FLOATS_PER_TASKEL)])
            });
            blocks.sum()
        })
    }
}
