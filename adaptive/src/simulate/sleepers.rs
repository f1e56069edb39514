//! Which workers sleep, which were woken, and what they were invited to.

use alloc::vec::Vec;

use super::engine::Effect;
use super::members::Members;
use super::policy::{Costs, Wake};
use super::rng::Rng;

/// Workers that sleep until they are woken.
pub(crate) struct Sleepers {
    asleep: Members,
    /// Whether each worker was woken and has not arrived.
    woken: Vec<bool>,
    /// How many are on their way.
    coming: usize,
    wake: Wake,
    costs: Costs,
    rng: Rng,
}

impl Sleepers {
    /// All workers but the first sleep. Returns `None` if no worker needs to be woken.
    pub(crate) fn new(workers: usize, wake: Wake, costs: Costs, seed: u64) -> Option<Self> {
        if wake == Wake::Together {
            return None;
        }
        let mut asleep = Members::new(workers);
        (1..workers).for_each(|worker| asleep.set(worker, true));
        let woken = alloc::vec![false; workers];
        Some(Sleepers { asleep, woken, coming: 0, wake, costs, rng: Rng::new(seed) })
    }

    /// Wakes up to `count` sleepers, one after the other. Returns when this is done.
    pub(crate) fn wake(&mut self, count: usize, mut now_ns: f64, effects: &mut Vec<Effect>) -> f64 {
        for _ in 0..count {
            let Some(worker) = self.asleep.some(1, &mut self.rng).next() else { break };
            self.asleep.set(worker, false);
            self.woken[worker] = true;
            self.coming += 1;
            now_ns = self.call(worker, now_ns, effects);
        }
        now_ns
    }

    /// As `wake`, for `offers` new offers, minus those that workers on their way will take.
    pub(crate) fn wake_for(&mut self, offers: usize, now_ns: f64, effects: &mut Vec<Effect>) -> f64 {
        self.wake(offers.saturating_sub(self.coming), now_ns, effects)
    }

    /// Wakes a worker that does not sleep here but waits for something.
    pub(crate) fn call(&self, worker: usize, now_ns: f64, effects: &mut Vec<Effect>) -> f64 {
        let now_ns = now_ns + self.costs.call_ns;
        effects.push(Effect::Call { worker, at_ns: now_ns + self.costs.wake_ns });
        now_ns
    }

    /// Returns whether a sleeping worker could be woken.
    pub(crate) fn any_sleeps(&self) -> bool {
        self.asleep.any()
    }

    /// Returns whether a worker was woken and has not arrived.
    pub(crate) fn any_comes(&self) -> bool {
        self.coming > 0
    }

    /// Returns true if the worker was woken and arrives now.
    pub(crate) fn arrives(&mut self, worker: usize) -> bool {
        let woken = core::mem::take(&mut self.woken[worker]);
        self.coming -= usize::from(woken);
        woken
    }

    /// Wakes others for a worker that arrives and finds `more` offers than it takes. It does so
    /// before it works.
    pub(crate) fn pass_on(&mut self, more: usize, now_ns: f64, effects: &mut Vec<Effect>) -> f64 {
        let most = match self.wake {
            Wake::FanOut(most) => most,
            _ => usize::from(self.coming == 0),
        };
        self.wake(more.saturating_sub(self.coming).min(most), now_ns, effects)
    }

    pub(crate) fn sleep(&mut self, worker: usize) {
        self.asleep.set(worker, true);
    }
}

/// The invitations of one loop. Each admits one worker.
pub(crate) struct Offers {
    sleepers: Sleepers,
    /// How many open invitations each worker has.
    lying: Vec<usize>,
    inviting: Members,
    /// The number of open invitations, and the number of workers that have taken one and have not
    /// left.
    lie: usize,
    inside: usize,
    /// Whether the first worker, which needs no invitation, waits for the others.
    first_waits: bool,
    rng: Rng,
}

impl Offers {
    pub(crate) fn new(workers: usize, wake: Wake, costs: Costs, seed: u64) -> Option<Self> {
        Some(Offers {
            sleepers: Sleepers::new(workers, wake, costs, seed)?,
            lying: alloc::vec![0; workers],
            inviting: Members::new(workers),
            lie: 0,
            inside: 0,
            first_waits: false,
            rng: Rng::new(!seed),
        })
    }

    /// Records that a worker is free at `now_ns`. A woken worker takes an invitation. Returns
    /// `None` if none is left.
    pub(crate) fn enter(&mut self, worker: usize, now_ns: f64, effects: &mut Vec<Effect>) -> Option<f64> {
        if !self.sleepers.arrives(worker) {
            return Some(now_ns);
        }
        let Some(host) = self.inviting.some(1, &mut self.rng).next() else {
            self.sleepers.sleep(worker);
            return None;
        };
        self.withdraw(host, 1);
        self.inside += 1;
        Some(self.sleepers.pass_on(self.lie, now_ns, effects))
    }

    /// Returns how many workers are inside or invited, in addition to the first.
    pub(crate) fn out(&self) -> usize {
        self.lie + self.inside
    }

    /// Ensures that an invitation of the worker is open, as long as some workers have none. If none
    /// is open, creates up to `most` and wakes as many workers, minus those on their way if it is
    /// `relying` on them. Returns when this is done.
    pub(crate) fn offer(
        &mut self,
        worker: usize,
        (most, relying): (usize, bool),
        now_ns: f64,
        effects: &mut Vec<Effect>,
    ) -> f64 {
        if self.lying[worker] > 0 {
            return now_ns;
        }
        let new = most.min(self.lying.len() - 1 - self.out());
        self.lying[worker] = new;
        self.lie += new;
        self.inviting.set(worker, new > 0);
        match relying {
            true => self.sleepers.wake_for(new, now_ns, effects),
            false => self.sleepers.wake(new, now_ns, effects),
        }
    }

    /// Wakes the first worker, because there is something for it to steal.
    pub(crate) fn call_first(&mut self, now_ns: f64, effects: &mut Vec<Effect>) -> f64 {
        match core::mem::take(&mut self.first_waits) {
            true => self.sleepers.call(0, now_ns, effects),
            false => now_ns,
        }
    }

    /// Withdraws the worker's invitations, and lets it sleep.
    pub(crate) fn leave(&mut self, worker: usize) {
        self.withdraw(worker, self.lying[worker]);
        if worker == 0 {
            self.first_waits = true;
        } else {
            self.inside -= 1;
            self.sleepers.sleep(worker);
        }
    }

    fn withdraw(&mut self, host: usize, count: usize) {
        self.lying[host] -= count;
        self.lie -= count;
        self.inviting.set(host, self.lying[host] > 0);
    }
}
