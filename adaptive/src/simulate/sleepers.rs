//! Who sleeps, who has been woken, and what has been offered to them.

use alloc::vec::Vec;

use super::engine::Effect;
use super::members::Members;
use super::policy::Costs;
use super::rng::Rng;

/// Workers that sleep until somebody wakes them.
pub(crate) struct Sleepers {
    asleep: Members,
    /// By worker: woken, but not there yet.
    woken: Vec<bool>,
    /// How many are.
    coming: usize,
    costs: Costs,
    rng: Rng,
}

impl Sleepers {
    /// All workers but the first sleep.
    pub(crate) fn new(workers: usize, costs: Costs, seed: u64) -> Self {
        let mut asleep = Members::new(workers);
        (1..workers).for_each(|worker| asleep.set(worker, true));
        Sleepers { asleep, woken: alloc::vec![false; workers], coming: 0, costs, rng: Rng::new(seed) }
    }

    /// Wakes up to `count` sleepers, one after the other, and returns when that is done.
    pub(crate) fn wake(&mut self, count: usize, mut now_ns: f64, effects: &mut Vec<Effect>) -> f64 {
        for _ in 0..count {
            let Some(worker) = self.asleep.some(1, &mut self.rng).next() else { break };
            self.asleep.set(worker, false);
            self.woken[worker] = true;
            self.coming += 1;
            now_ns += self.costs.call_ns;
            effects.push(Effect::Call { worker, at_ns: now_ns + self.costs.wake_ns });
        }
        now_ns
    }

    pub(crate) fn coming(&self) -> usize {
        self.coming
    }

    /// True if the worker has been woken, and comes just now.
    pub(crate) fn arrives(&mut self, worker: usize) -> bool {
        let woken = core::mem::take(&mut self.woken[worker]);
        self.coming -= usize::from(woken);
        woken
    }

    pub(crate) fn sleep(&mut self, worker: usize) {
        self.asleep.set(worker, true);
    }
}

/// The invitations of one loop. Each is good for one worker.
pub(crate) struct Offers {
    sleepers: Sleepers,
    /// By worker: how many of its invitations nobody has taken yet.
    lying: Vec<usize>,
    inviting: Members,
    /// By worker: it has taken one and has not left.
    inside: Vec<bool>,
    /// All that lie, and workers inside.
    out: usize,
    lie: usize,
    /// The most that may be out.
    limit: usize,
    rng: Rng,
}

impl Offers {
    pub(crate) fn new(workers: usize, limit: usize, costs: Costs, seed: u64) -> Self {
        Offers {
            sleepers: Sleepers::new(workers, costs, seed),
            lying: alloc::vec![0; workers],
            inviting: Members::new(workers),
            inside: alloc::vec![false; workers],
            out: 0,
            lie: 0,
            limit: limit.min(workers - 1),
            rng: Rng::new(!seed),
        }
    }

    /// A worker is free at `now_ns`. One that was woken takes an invitation, and wakes another if more lie than workers come for
    /// them; `None` if there is none left for it.
    pub(crate) fn enter(&mut self, worker: usize, now_ns: f64, effects: &mut Vec<Effect>) -> Option<f64> {
        if !self.sleepers.arrives(worker) {
            return Some(now_ns);
        }
        let Some(host) = self.inviting.some(1, &mut self.rng).next() else {
            self.sleepers.sleep(worker);
            return None;
        };
        self.withdraw(host, 1);
        self.inside[worker] = true;
        let pass_on = self.lie > 0 && self.sleepers.coming() == 0;
        Some(self.sleepers.wake(usize::from(pass_on), now_ns, effects))
    }

    /// Makes sure that `most` invitations of the worker's lie, as far as the limit allows, and wakes as many for the new ones, less
    /// those that come anyway if `relying`. Returns when that is done.
    pub(crate) fn offer(
        &mut self,
        worker: usize,
        (most, relying): (usize, bool),
        now_ns: f64,
        effects: &mut Vec<Effect>,
    ) -> f64 {
        let new = most.saturating_sub(self.lying[worker]).min(self.limit.saturating_sub(self.out));
        if new == 0 {
            return now_ns;
        }
        self.lying[worker] += new;
        self.lie += new;
        self.out += new;
        self.inviting.set(worker, true);
        let others = if relying { self.sleepers.coming() } else { 0 };
        self.sleepers.wake(new.saturating_sub(others), now_ns, effects)
    }

    /// The worker takes its invitations back and goes to sleep.
    pub(crate) fn leave(&mut self, worker: usize) {
        let lying = self.lying[worker];
        self.withdraw(worker, lying);
        self.out -= lying + usize::from(core::mem::take(&mut self.inside[worker]));
        self.sleepers.sleep(worker);
    }

    fn withdraw(&mut self, host: usize, count: usize) {
        self.lying[host] -= count;
        self.lie -= count;
        self.inviting.set(host, self.lying[host] > 0);
    }
}
