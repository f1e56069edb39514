//! How a loop comes by its workers, one waking the other.

use alloc::vec::Vec;

use super::engine::Effect;
use super::policy::{Costs, Wake};
use super::ranges::StealableRanges;
use super::sleepers::Offers;

/// Less than this is over before another worker could be of use.
const WORTH_SHARING_NS: f64 = 10_000.0;

/// A loop that is known to take this long is dealt out to all workers beforehand.
const WORTH_DEALING_NS: f64 = 50_000.0;

/// Whether each worker has a share when a loop begins that is known to take so long.
pub(crate) fn is_dealt(wake: Wake, known_ns: Option<f64>) -> bool {
    wake == Wake::Together || known_ns.is_some_and(|ns| ns >= WORTH_DEALING_NS)
}

/// When to invite whom.
pub(crate) struct Ramp {
    offers: Offers,
    /// `None` for one at a time, by who claims from its own range.
    fan_out: Option<usize>,
    known: bool,
    /// By worker: it has offered something since it came.
    has_offered: Vec<bool>,
}

impl Ramp {
    /// `None` if nobody sleeps.
    pub(crate) fn new(
        wake: Wake,
        workers: usize,
        known_ns: Option<f64>,
        costs: Costs,
        seed: u64,
    ) -> Option<Self> {
        let fan_out = match wake {
            Wake::Together => return None,
            Wake::OneByOne => None,
            Wake::FanOut(most) => Some(most),
        };
        let limit = match (fan_out, known_ns) {
            // As a cast rounds towards 0 and saturates.
            (Some(_), Some(ns)) => ((ns / WORTH_SHARING_NS) as usize).saturating_add(1),
            _ => usize::MAX,
        };
        Some(Ramp {
            offers: Offers::new(workers, limit, costs, seed),
            fan_out,
            known: known_ns.is_some(),
            has_offered: alloc::vec![false; workers],
        })
    }

    /// See [`Offers::enter`].
    pub(crate) fn enter(&mut self, worker: usize, now_ns: f64, effects: &mut Vec<Effect>) -> Option<f64> {
        self.offers.enter(worker, now_ns, effects)
    }

    pub(crate) fn leave(&mut self, worker: usize) {
        self.has_offered[worker] = false;
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
        let worth_it = worth_ns(worker, ranges).is_none_or(|ns| ns >= WORTH_SHARING_NS);
        if self.fan_out.is_some() || ranges.left(worker) == 0 || !worth_it {
            return now_ns;
        }
        self.offers.offer(worker, (1, true), now_ns, effects)
    }

    /// What the worker does before it runs what it has claimed; returns when that is done.
    pub(crate) fn before_run(
        &mut self,
        worker: usize,
        ranges: &StealableRanges,
        now_ns: f64,
        effects: &mut Vec<Effect>,
    ) -> f64 {
        let Some(fan_out) = self.fan_out else { return now_ns };
        if ranges.all_empty() {
            return now_ns;
        }
        let first = !core::mem::replace(&mut self.has_offered[worker], true);
        let mut most = if first && (worker > 0 || self.known) { fan_out } else { 1 };
        if !(first && self.known)
            && let Some(ns) = worth_ns(worker, ranges)
        {
            most = most.min((ns / WORTH_SHARING_NS) as usize);
        }
        // Who comes was called by others for their own sake: if they were counted here, no more than `fan_out` would ever be on their way.
        self.offers.offer(worker, (most, !first), now_ns, effects)
    }
}

/// The time that is left in the worker's range, if there is a range and anything is known.
fn worth_ns(worker: usize, ranges: &StealableRanges) -> Option<f64> {
    let left = ranges.left(worker);
    if left == 0 { None } else { ranges.expected_ns(worker).map(|ns| ns * left as f64) }
}
