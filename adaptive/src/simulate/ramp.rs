//! How a loop comes by its workers, one waking the other.

use alloc::vec::Vec;

use super::engine::Effect;
use super::policy::{Costs, Wake};
use super::ranges::StealableRanges;
use super::sleepers::Offers;

/// What takes less is over before another worker could be of use.
const WORTH_SHARING_NS: f64 = 10_000.0;

/// A loop that is known to take this long is dealt out to all workers beforehand.
const WORTH_DEALING_NS: f64 = 50_000.0;

/// Whether each of the workers has a share when a loop of `len` taskels begins, each of which is
/// known to take so long.
pub(crate) fn is_dealt(wake: Wake, len: usize, workers: usize, known_ns: Option<f64>) -> bool {
    let worth_it = WORTH_DEALING_NS.max(WORTH_SHARING_NS * workers as f64);
    let is_long = known_ns.is_some_and(|ns| ns * len as f64 >= worth_it);
    wake == Wake::Together || is_long && len >= workers
}

/// When to invite whom.
pub(crate) struct Ramp {
    offers: Offers,
    wake: Wake,
    len: usize,
    /// By worker: it has offered something since it came.
    has_offered: Vec<bool>,
}

impl Ramp {
    /// `None` if nobody sleeps.
    pub(crate) fn new(len: usize, workers: usize, wake: Wake, costs: Costs, seed: u64) -> Option<Self> {
        let offers = Offers::new(workers, wake, costs, seed)?;
        Some(Ramp { offers, wake, len, has_offered: alloc::vec![false; workers] })
    }

    /// See [`Offers::enter`].
    pub(crate) fn enter(&mut self, worker: usize, now_ns: f64, effects: &mut Vec<Effect>) -> Option<f64> {
        self.offers.enter(worker, now_ns, effects)
    }

    pub(crate) fn leave(&mut self, worker: usize) {
        self.has_offered[worker] = worker == 0;
        self.offers.leave(worker);
    }

    /// What the worker does before it claims; returns when that is done.
    pub(crate) fn before_claim(
        &mut self,
        worker: usize,
        ranges: &StealableRanges,
        now_ns: f64,
        effects: &mut Vec<Effect>,
    ) -> f64 {
        let left = ranges.left(worker);
        if self.wake != Wake::OneByOne || left == 0 || !is_worth_sharing(worker, left, ranges) {
            return now_ns;
        }
        self.offers.offer(worker, (1, true), now_ns, effects)
    }

    /// What the worker does before it runs what it has claimed; returns when that is done.
    pub(crate) fn before_run(
        &mut self,
        worker: usize,
        ranges: &StealableRanges,
        stolen: bool,
        mut now_ns: f64,
        effects: &mut Vec<Effect>,
    ) -> f64 {
        let Wake::FanOut(fan_out) = self.wake else { return now_ns };
        let left = ranges.left(worker);
        if stolen && left > 0 {
            now_ns = self.offers.call_first(now_ns, effects);
        }
        let open = if left > 0 { left } else { ranges.all_left() };
        if open == 0 {
            return now_ns;
        }
        let first = !core::mem::replace(&mut self.has_offered[worker], true);
        let most = match ranges.expected_ns(worker) {
            _ if !first => 1,
            None if worker == 0 => 1,
            None => fan_out,
            Some(ns) => {
                // As a cast rounds towards 0 and saturates.
                let useful = ((ns * self.len as f64 / WORTH_SHARING_NS) as usize).saturating_add(1);
                useful.saturating_sub(self.offers.out()).max(1).min(fan_out)
            }
        };
        if !is_worth_sharing(worker, open, ranges) && !ranges.chunker(worker).is_cautious() {
            return now_ns;
        }
        // Who comes was called by others for their own sake: if they were counted here, no more
        // than `fan_out` would ever be on their way.
        let relying = worker == 0 || !first;
        self.offers.offer(worker, (most.min(ranges.all_left()), relying), now_ns, effects)
    }
}

fn is_worth_sharing(worker: usize, taskels: usize, ranges: &StealableRanges) -> bool {
    ranges.expected_ns(worker).is_none_or(|ns| ns * taskels as f64 >= WORTH_SHARING_NS)
}
