//! taskel, with workers that are placed, as they are by default, or pinned. All calls are made
//! inside one `install`.

use crate::{
    peer::{Peer, Timed, timed},
    work::work,
};
use ::taskel::{Pinning, ThreadPool, ThreadPoolBuilder, prelude::*};

pub(crate) struct Taskel {
    name: &'static str,
    pool: ThreadPool,
}

impl Taskel {
    pub(crate) fn all(threads: usize) -> [Self; 2] {
        [("taskel, pinned", Pinning::Cores), ("taskel", Pinning::Auto)].map(|(name, pinning)| {
            let builder = ThreadPoolBuilder::new().num_threads(threads).pinning(pinning);
            Self { name, pool: builder.build().expect("threads can be started") }
        })
    }
}

impl Peer for Taskel {
    fn name(&self) -> &'static str {
        self.name
    }

    fn sum_work(&mut self, weights: &[u32], calls: u32) -> Timed<u64> {
        self.pool
            .install(|| timed(weights, calls, |weights| weights.par_iter().map(|&weight| work(weight)).sum()))
    }

    fn sum_floats(&mut self, floats: &[f32], calls: u32) -> Timed<f32> {
        self.pool.install(|| timed(floats, calls, |floats| floats.par_iter().copied().sum()))
    }
}
