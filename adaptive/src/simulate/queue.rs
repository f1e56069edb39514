//! Policies whose workers claim from one shared queue.

use super::engine::{Claim, Deal, Taken, Turn};
use super::policy::{Costs, Policy};

/// joblib doubles the size if a batch takes less than this.
const JOBLIB_SHORT_NS: f64 = 0.2e9;
/// joblib halves the size if a batch takes more than this.
const JOBLIB_LONG_NS: f64 = 2e9;

/// How the size of the next chunk depends on what is left.
enum Rule {
    Fixed(usize),
    /// The first `longer` chunks have one more taskel.
    Even {
        size: usize,
        longer: usize,
    },
    Guided,
    Factoring {
        size: usize,
        left_in_round: usize,
    },
    Joblib {
        size: usize,
    },
}

/// A counter of claimed taskels. Claims happen one after another, because the counter's cache line,
/// or the lock of the queue, has one owner at a time.
pub(crate) struct SharedQueue {
    rule: Rule,
    next: usize,
    len: usize,
    workers: usize,
    claim_ns: f64,
    timestamp_ns: f64,
    free_at_ns: f64,
}

impl SharedQueue {
    /// `None` for a policy without a shared queue.
    pub(crate) fn new(policy: Policy, len: usize, workers: usize, costs: Costs) -> Option<Self> {
        let mut timestamp_ns = 0.0;
        let rule = match policy {
            Policy::PerWorker(k) => {
                let chunks = workers.saturating_mul(k).min(len).max(1);
                Rule::Even { size: len / chunks, longer: len % chunks }
            }
            Policy::SelfScheduling => Rule::Fixed(1),
            Policy::Guided => Rule::Guided,
            Policy::Factoring => Rule::Factoring { size: 0, left_in_round: 0 },
            Policy::JoblibAuto => {
                timestamp_ns = costs.timestamp_ns;
                Rule::Joblib { size: 1 }
            }
            Policy::Fixed(size) => Rule::Fixed(size),
            Policy::Static
            | Policy::RayonSplit
            | Policy::Adaptive
            | Policy::Revocable
            | Policy::Counter
            | Policy::Join(_) => return None,
        };
        Some(SharedQueue {
            rule,
            next: 0,
            len,
            workers,
            claim_ns: costs.claim_ns,
            timestamp_ns,
            free_at_ns: 0.0,
        })
    }

    fn size(&mut self) -> usize {
        let remaining = self.len - self.next;
        match &mut self.rule {
            Rule::Fixed(size) | Rule::Joblib { size } => *size,
            Rule::Even { size, longer } => {
                let one_more = *longer > 0;
                *longer -= usize::from(one_more);
                *size + usize::from(one_more)
            }
            Rule::Guided => remaining.div_ceil(2 * self.workers),
            Rule::Factoring { size, left_in_round } => {
                if *left_in_round == 0 {
                    *size = remaining.div_ceil(2 * self.workers);
                    *left_in_round = self.workers;
                }
                *left_in_round -= 1;
                *size
            }
        }
        .min(remaining)
    }
}

impl Deal for SharedQueue {
    fn claim(&mut self, _worker: usize, now_ns: f64) -> Turn {
        if self.next == self.len {
            return Turn::Idle;
        }
        let size = self.size();
        let taskels = self.next..self.next + size;
        self.next += size;
        self.free_at_ns = self.free_at_ns.max(now_ns) + self.claim_ns;
        let start_ns = self.free_at_ns + self.timestamp_ns;
        Turn::Run(Claim { taskels, start_ns, taken: Taken::Own, measured_from_ns: start_ns, blocks_ns: 0.0 })
    }

    fn finish(&mut self, _worker: usize, taskels: usize, elapsed_ns: f64) {
        if let Rule::Joblib { size } = &mut self.rule {
            // Only batches of the current size are relevant for it.
            if taskels == *size {
                if elapsed_ns < JOBLIB_SHORT_NS {
                    *size = size.saturating_mul(2);
                } else if elapsed_ns > JOBLIB_LONG_NS {
                    *size = (*size / 2).max(1);
                }
            }
        }
    }
}
