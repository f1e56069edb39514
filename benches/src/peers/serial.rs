//! The plain loop.

use crate::{
    peer::{Peer, Timed, lane_sum, timed},
    result::SERIAL,
    work::work,
};

pub(crate) struct Serial;

impl Peer for Serial {
    fn name(&self) -> &'static str {
        SERIAL
    }

    fn sum_work(&mut self, weights: &[u32], calls: u32) -> Timed<u64> {
        timed(weights, calls, |weights| weights.iter().map(|&weight| work(weight)).sum())
    }

    fn sum_floats(&mut self, floats: &[f32], calls: u32) -> Timed<f32> {
        timed(floats, calls, lane_sum)
    }
}
