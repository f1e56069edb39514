//! Who sleeps, who has been woken, and what has been offered to them.

use alloc::vec::Vec;

use super::engine::Effect;
use super::members::Members;
use super::policy::{Costs, Wake};
use super::rng::Rng;

/// Workers that sleep until somebody wakes them.
pub(crate) struct Sleepers {
    asleep: Members,
    /// By worker: woken, but not there yet.
    woken: Vec<bool>,
    /// How many are.
    coming: usize,
    wake: Wake,
    costs: Costs,
    rng: Rng,
}

impl Sleepers {
    /// All workers but the first sleep. `None` if nobody is to be woken.
    pub(crate) fn new(workers: usize, wake: Wake, costs: Costs, seed: u64) -> Option<Self> {
        if wake == Wake::Together {
            return None;
        }
        let mut asleep = Members::new(workers);
        (1..workers).for_each(|worker| asleep.set(worker, true));
        let woken = alloc::vec![false; workers];
        Some(Sleepers { asleep, woken, coming: 0, wake, costs, rng: Rng::new(seed) })
    }

    /// Wakes up to `count` sleepers, one after the other, and returns when that is done.
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

    /// As `wake`, for `offers` new ones, less those that will be taken by workers that come anyway.
    pub(crate) fn wake_for(&mut self, offers: usize, now_ns: f64, effects: &mut Vec<Effect>) -> f64 {
        self.wake(offers.saturating_sub(self.coming), now_ns, effects)
    }

    /// Wakes one worker that does not sleep here, but waits for something.
    pub(crate) fn call(&self, worker: usize, now_ns: f64, effects: &mut Vec<Effect>) -> f64 {
        let now_ns = now_ns + self.costs.call_ns;
        effects.push(Effect::Call { worker, at_ns: now_ns + self.costs.wake_ns });
        now_ns
    }

    /// Whether a worker that sleeps could be woken.
    pub(crate) fn any_sleeps(&self) -> bool {
        self.asleep.any()
    }

    /// Whether somebody has been woken, and is not there yet.
    pub(crate) fn any_comes(&self) -> bool {
        self.coming > 0
    }

    /// True if the worker has been woken, and comes just now.
    pub(crate) fn arrives(&mut self, worker: usize) -> bool {
        let woken = core::mem::take(&mut self.woken[worker]);
        self.coming -= usize::from(woken);
        woken
    }

    /// What a worker does that comes and finds `more` offers than it takes, before it works: it
    /// wakes others.
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

/// The invitations of one loop. Each is good for one worker.
pub(crate) struct Offers {
    sleepers: Sleepers,
    /// By worker: how many of its invitations nobody has taken yet.
    lying: Vec<usize>,
    inviting: Members,
    /// How many lie, and how many workers have taken one and have not left.
    lie: usize,
    inside: usize,
    /// The first worker, which needs no invitation, waits for the others.
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

    /// A worker is free at `now_ns`. One that was woken takes an invitation; `None` if there is
    /// none left for it.
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

    /// How many workers are inside or invited, besides the first.
    pub(crate) fn out(&self) -> usize {
        self.lie + self.inside
    }

    /// Sees to it that some invitation of the worker's lies, as long as there are workers that have
    /// none: if there is none, puts down up to `most` and wakes as many, less those that come
    /// anyway if it is `relying` on them. Returns when that is done.
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

    /// Somebody has put down what the first worker could steal.
    pub(crate) fn call_first(&mut self, now_ns: f64, effects: &mut Vec<Effect>) -> f64 {
        match core::mem::take(&mut self.first_waits) {
            true => self.sleepers.call(0, now_ns, effects),
            false => now_ns,
        }
    }

    /// The worker takes its invitations back and goes to sleep.
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
