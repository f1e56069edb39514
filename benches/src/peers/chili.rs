//! chili, which has joins and no loops: the range is halved down to single taskels, as its
//! documentation does with trees; a join that nobody takes costs it 1 to 2 ns.

use crate::{
    peer::{FLOATS_PER_TASKEL, Peer, Timed, lane_sum, timed},
    work::work,
};
use ::chili::{Config, Scope, ThreadPool};
use std::{num::NonZero, ops::Add};

pub(crate) struct Chili {
    pool: ThreadPool,
}

impl Chili {
    pub(crate) fn new(threads: usize) -> Self {
        Self {
            pool: ThreadPool::with_config(Config {
                thread_count: NonZero::new(threads),
                ..Default::default()
            }),
        }
    }
}

/// Sums `items`, of which there is at least one, in halves of at least `grain`.
fn sum<T: Sync, S: Add<Output = S> + Send>(
    scope: &mut Scope<'_>,
    items: &[T],
    grain: usize,
    leaf: &(impl Fn(&[T]) -> S + Sync),
) -> S {
    if items.len() <= grain {
        return leaf(items);
    }
    let (left, right) = items.split_at(items.len() / 2);
    let (left, right) =
        scope.join(|scope| sum(scope, left, grain, leaf), |scope| sum(scope, right, grain, leaf));
    left + right
}

impl Peer for Chili {
    fn name(&self) -> &'static str {
        "chili"
    }

    fn sum_work(&mut self, weights: &[u32], calls: u32) -> Timed<u64> {
        let mut scope = self.pool.scope();
        timed(weights, calls, |weights| sum(&mut scope, weights, 1, &|leaf: &[u32]| work(leaf[0])))
    }

    fn sum_floats(&mut self, floats: &[f32], calls: u32) -> Timed<f32> {
        let mut scope = self.pool.scope();
        timed(floats, calls, |floats| sum(&mut scope, floats, FLOATS_PER_TASKEL, &lane_sum))
    }
}
