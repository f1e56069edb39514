//! taskel. All calls are made inside one `install`.

use crate::{
    peer::{Peer, Timed, timed},
    work::work,
};
use ::taskel::{ThreadPool, ThreadPoolBuilder, prelude::*};

pub(crate) struct Taskel {
    pool: ThreadPool,
}

impl Taskel {
    pub(crate) fn new(threads: usize) -> Self {
        let pool = ThreadPoolBuilder::new().num_threads(threads).build().expect("threads can be started");
        Self { pool }
    }
}

impl Peer for Taskel {
    fn name(&self) -> &'static str {
        "taskel"
    }

    fn sum_work(&mut self, weights: &[u32], calls: u32) -> Timed<u64> {
        self.pool
            .install(|| timed(weights, calls, |weights| weights.par_iter().map(|&weight| work(weight)).sum()))
    }

    fn sum_floats(&mut self, floats: &[f32], calls: u32) -> Timed<f32> {
        self.pool.install(|| timed(floats, calls, |floats| floats.par_iter().copied().sum()))
    }
}
