//! `std::thread::scope`: one equal share per thread, no pool.

use crate::{
    peer::{Peer, Timed, lane_sum, timed},
    work::work,
};
use std::{iter::Sum, thread};

pub(crate) struct StdScope {
    threads: usize,
}

impl StdScope {
    pub(crate) fn new(threads: usize) -> Self {
        Self { threads }
    }

    /// Sums equal shares of `items`, the first on the calling thread.
    fn sum<T: Sync, S: Send + Sum>(&self, items: &[T], sum: impl Fn(&[T]) -> S + Sync) -> S {
        let mut shares = items.chunks(items.len().div_ceil(self.threads));
        let own = shares.next().unwrap_or_default();
        thread::scope(|scope| {
            let others: Vec<_> = shares.map(|share| scope.spawn(|| sum(share))).collect();
            let own = sum(own);
            let others = others.into_iter().map(|other| other.join().expect("sums do not panic"));
            [own].into_iter().chain(others).sum()
        })
    }
}

impl Peer for StdScope {
    fn name(&self) -> &'static str {
        "std::thread::scope"
    }

    fn sum_work(&mut self, weights: &[u32], calls: u32) -> Timed<u64> {
        timed(weights, calls, |weights| {
            self.sum(weights, |share| share.iter().map(|&weight| work(weight)).sum::<u64>())
        })
    }

    fn sum_floats(&mut self, floats: &[f32], calls: u32) -> Timed<f32> {
        timed(floats, calls, |floats| self.sum(floats, lane_sum))
    }
}
