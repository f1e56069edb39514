//! How a loop gets its workers: they wake each other.

use alloc::vec::Vec;

use super::engine::Effect;
use super::policy::{Costs, Wake};
use super::ranges::StealableRanges;
use super::sleepers::Offers;

/// Shorter work ends before another worker could help.
const WORTH_SHARING_NS: f64 = 10_000.0;

/// A loop that is known to take this long is dealt out to all workers in advance.
const WORTH_DEALING_NS: f64 = 50_000.0;

/// Returns whether each worker has a share when a loop of `len` taskels begins. `known_ns` is the
/// known time of a taskel.
pub(crate) fn is_dealt(wake: Wake, len: usize, workers: usize, known_ns: Option<f64>) -> bool {
    let worth_it = WORTH_DEALING_NS.max(WORTH_SHARING_NS * workers as f64);
    let is_long = known_ns.is_some_and(|ns| ns * len as f64 >= worth_it);
    wake == Wake::Together || is_long && len >= workers
}

/// Decides when to invite workers.
pub(crate) struct Ramp {
    offers: Offers,
    wake: Wake,
    len: usize,
    /// Whether each worker has offered something since it came.
    has_offered: Vec<bool>,
}

impl Ramp {
    /// `None` if no worker sleeps.
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

    /// Wakes others before the worker claims. Returns when this is done.
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

    /// Wakes others before the worker runs its claim. Returns when this is done.
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
        // Workers that are coming were called by others for their own work. If they counted here,
        // at most `fan_out` workers would ever be on their way.
        let relying = worker == 0 || !first;
        self.offers.offer(worker, (most.min(ranges.all_left()), relying), now_ns, effects)
    }
}

fn is_worth_sharing(worker: usize, taskels: usize, ranges: &StealableRanges) -> bool {
    ranges.expected_ns(worker).is_none_or(|ns| ns * taskels as f64 >= WORTH_SHARING_NS)
}
