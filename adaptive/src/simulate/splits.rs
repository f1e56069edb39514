//! Recursive halving with a stack of halves per worker, as in rayon.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::ops::Range;

use super::engine::{Claim, Deal, Taken, Turn};
use super::members::Members;
use super::nodes::Nodes;
use super::policy::Costs;
use super::rng::Rng;

/// A half that waits for its owner or a thief.
struct Half {
    taskels: Range<usize>,
    /// How often it may still be halved without being stolen: rayon's `Splitter`.
    splits: usize,
}

/// A stack of halves per worker. The owner works at the back, and thieves take from the front.
pub(crate) struct SplitStacks {
    stacks: Vec<VecDeque<Half>>,
    non_empty: Members,
    waiting: usize,
    costs: Costs,
    nodes: Nodes,
    rng: Rng,
}

impl SplitStacks {
    pub(crate) fn new(len: usize, workers: usize, costs: Costs, nodes: Nodes, rng: Rng) -> Self {
        let mut stacks: Vec<VecDeque<Half>> = Vec::new();
        stacks.resize_with(workers, VecDeque::new);
        let mut all = SplitStacks { stacks, non_empty: Members::new(workers), waiting: 0, costs, nodes, rng };
        if len > 0 {
            all.push(0, Half { taskels: 0..len, splits: workers });
        }
        all
    }

    fn push(&mut self, worker: usize, half: Half) {
        self.stacks[worker].push_back(half);
        self.waiting += 1;
        self.non_empty.set(worker, true);
    }

    fn took(&mut self, owner: usize, half: Option<Half>) -> Option<Half> {
        self.waiting -= usize::from(half.is_some());
        self.non_empty.set(owner, !self.stacks[owner].is_empty());
        half
    }

    fn pop(&mut self, worker: usize) -> Option<Half> {
        let half = self.stacks[worker].pop_back();
        self.took(worker, half)
    }

    /// Steals the front half of another worker's stack. Returns it and the victim.
    fn steal(&mut self) -> Option<(Half, usize)> {
        let victim = self.non_empty.some(1, &mut self.rng).next()?;
        let half = self.stacks[victim].pop_front();
        Some((self.took(victim, half)?, victim))
    }
}

impl Deal for SplitStacks {
    fn claim(&mut self, worker: usize, now_ns: f64) -> Turn {
        let mut start_ns = now_ns + self.costs.claim_ns;
        let (mut half, taken) = match self.pop(worker) {
            Some(half) => (half, Taken::Own),
            None => {
                let Some((mut half, victim)) = self.steal() else { return Turn::Idle };
                start_ns += self.nodes.steal_ns(self.costs.steal_ns, worker, victim);
                // A steal is a sign of idle workers, so the half may be split again. rayon resets
                // the count at the first split of the stolen half, and also counts this split;
                // hence twice the number of workers.
                half.splits = (2 * self.stacks.len()).max(half.splits);
                (half, Taken::Stolen)
            }
        };
        while half.splits > 0 && half.taskels.len() >= 2 {
            half.splits /= 2;
            let middle = half.taskels.start + half.taskels.len() / 2;
            self.push(worker, Half { taskels: middle..half.taskels.end, splits: half.splits });
            half.taskels.end = middle;
            start_ns += self.costs.claim_ns;
        }
        Turn::Run(Claim {
            taskels: half.taskels,
            start_ns,
            taken,
            measured_from_ns: start_ns,
            blocks_ns: 0.0,
        })
    }

    fn waiting(&self) -> usize {
        self.waiting
    }
}
