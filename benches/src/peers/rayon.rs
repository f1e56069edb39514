//! rayon. All calls are made inside one `install`, which spares them the hand-over to the pool.

use crate::{
    peer::{FLOATS_PER_TASKEL, Peer, Timed, lane_sum, timed},
    work::work,
};
use ::rayon::{ThreadPool, ThreadPoolBuilder, prelude::*};

pub(crate) struct Rayon {
    pool: ThreadPool,
}

impl Rayon {
    pub(crate) fn new(threads: usize) -> Self {
        let pool = ThreadPoolBuilder::new().num_threads(threads).build().expect("threads can be started");
        Self { pool }
    }
}

impl Peer for Rayon {
    fn name(&self) -> &'static str {
        "rayon"
    }

    fn sum_work(&mut self, weights: &[u32], calls: u32) -> Timed<u64> {
        self.pool
            .install(|| timed(weights, calls, |weights| weights.par_iter().map(|&weight| work(weight)).sum()))
    }

    fn sum_floats(&mut self, floats: &[f32], calls: u32) -> Timed<f32> {
        self.pool.install(|| {
            timed(floats, calls, |floats| floats.par_chunks(FLOATS_PER_TASKEL).map(lane_sum).sum())
        })
    }
}
