//! Fork and join: a tree of halves, of which others take the oldest.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::ops::Range;

use super::engine::{Claim, Deal, Effect, Taken, Turn};
use super::members::Members;
use super::nodes::Nodes;
use super::policy::{Costs, Publish, Wake};
use super::rng::Rng;
use super::sleepers::Sleepers;

/// What has become of the second half of a join.
#[derive(Clone, Copy, PartialEq)]
enum State {
    /// Only its owner knows of it.
    Private,
    Public,
    Taken,
    Done,
}

struct Half {
    taskels: Range<usize>,
    owner: usize,
    state: State,
}

/// What lies on a worker's stack, by its index in `JoinTree::halves`.
#[derive(Clone, Copy)]
enum Frame {
    /// A join whose first half is being run, or is over.
    Join(usize),
    /// A half that the worker has taken from another one.
    Stolen(usize),
}

/// `join(first half, second half)` down to single taskels.
pub(crate) struct JoinTree {
    halves: Vec<Half>,
    stacks: Vec<Vec<Frame>>,
    /// By worker: its public halves, the oldest first.
    public: Vec<VecDeque<usize>>,
    /// Workers that have some, and how many there are in all.
    offering: Members,
    offered: usize,
    /// By worker: the half that it waits for.
    waits_for: Vec<Option<usize>>,
    waiting: Members,
    root: Option<Range<usize>>,
    publish: Publish,
    /// `None` if nobody sleeps.
    sleepers: Option<Sleepers>,
    costs: Costs,
    nodes: Nodes,
    rng: Rng,
    effects: Vec<Effect>,
}

impl JoinTree {
    pub(crate) fn new(
        len: usize,
        workers: usize,
        (publish, wake): (Publish, Wake),
        costs: Costs,
        nodes: Nodes,
        seed: u64,
    ) -> Self {
        JoinTree {
            halves: Vec::with_capacity(len),
            stacks: alloc::vec![Vec::new(); workers],
            public: alloc::vec![VecDeque::new(); workers],
            offering: Members::new(workers),
            offered: 0,
            waits_for: alloc::vec![None; workers],
            waiting: Members::new(workers),
            root: (len > 0).then_some(0..len),
            publish,
            sleepers: Sleepers::new(workers, wake, costs, !seed),
            costs,
            nodes,
            rng: Rng::new(seed),
            effects: Vec::new(),
        }
    }

    /// What the worker runs next, down to single taskels; and by which steal, if it has taken that from another.
    fn next(&mut self, worker: usize, now_ns: f64) -> Option<(Range<usize>, Option<usize>)> {
        if let Some(root) = self.root.take_if(|_| worker == 0) {
            return Some((root, None));
        }
        while let Some(&frame) = self.stacks[worker].last() {
            match frame {
                Frame::Stolen(half) => self.end(half, now_ns),
                Frame::Join(half) => match self.halves[half].state {
                    State::Private | State::Public => {
                        self.stacks[worker].pop();
                        self.withdraw(half);
                        self.publish_oldest_if_none(worker, now_ns);
                        return Some((self.halves[half].taskels.clone(), None));
                    }
                    State::Taken => {
                        self.publish_all(worker, now_ns);
                        return self.help(worker, half);
                    }
                    State::Done => {}
                },
            }
            self.stacks[worker].pop();
        }
        let victim = self.offering.some(1, &mut self.rng).next()?;
        let oldest = *self.public[victim].front()?;
        Some(self.take(worker, oldest))
    }

    /// The half that another has taken is over.
    fn end(&mut self, half: usize, now_ns: f64) {
        self.halves[half].state = State::Done;
        let owner = self.halves[half].owner;
        if self.waits_for[owner] == Some(half) {
            self.waits_for[owner] = None;
            self.waiting.set(owner, false);
            self.effects.push(Effect::Call { worker: owner, at_ns: now_ns });
        }
    }

    /// A worker waits for a half: it runs only what descends from that.
    fn help(&mut self, worker: usize, half: usize) -> Option<(Range<usize>, Option<usize>)> {
        let all = self.offering.some(usize::MAX, &mut self.rng);
        let found = all.flat_map(|owner| &self.public[owner]).find(|&&public| self.is_part_of(public, half));
        let Some(&found) = found else {
            self.waits_for[worker] = Some(half);
            self.waiting.set(worker, true);
            return None;
        };
        Some(self.take(worker, found))
    }

    fn is_part_of(&self, part: usize, whole: usize) -> bool {
        let (part, whole) = (&self.halves[part].taskels, &self.halves[whole].taskels);
        whole.start <= part.start && part.end <= whole.end
    }

    fn take(&mut self, worker: usize, half: usize) -> (Range<usize>, Option<usize>) {
        self.withdraw(half);
        let Half { taskels, owner, state } = &mut self.halves[half];
        *state = State::Taken;
        self.stacks[worker].push(Frame::Stolen(half));
        (taskels.clone(), Some(*owner))
    }

    /// The half can be taken no more.
    fn withdraw(&mut self, half: usize) {
        let Half { owner, state, .. } = self.halves[half];
        if state == State::Public {
            let public = &mut self.public[owner];
            public.retain(|&other| other != half);
            self.offering.set(owner, !public.is_empty());
            self.offered -= 1;
        }
    }

    fn publish(&mut self, half: usize, now_ns: f64) {
        let owner = self.halves[half].owner;
        self.halves[half].state = State::Public;
        self.public[owner].push_back(half);
        self.offering.set(owner, true);
        self.offered += 1;
        // Who waits for a part of itself comes, but only to see: it may be too late.
        let waiting: Vec<usize> = self.waiting.some(usize::MAX, &mut self.rng).collect();
        for worker in waiting {
            if self.waits_for[worker].is_some_and(|whole| self.is_part_of(half, whole)) {
                self.waits_for[worker] = None;
                self.waiting.set(worker, false);
                self.effects.push(Effect::Call { worker, at_ns: now_ns });
            }
        }
    }

    fn oldest_private(&self, worker: usize) -> Option<usize> {
        let halves = self.stacks[worker].iter().filter_map(|&frame| match frame {
            Frame::Join(half) => Some(half),
            Frame::Stolen(_) => None,
        });
        halves.into_iter().find(|&half| self.halves[half].state == State::Private)
    }

    fn publish_oldest_if_none(&mut self, worker: usize, now_ns: f64) {
        if !self.public[worker].is_empty() {
            return;
        }
        if let Some(half) = self.oldest_private(worker) {
            self.publish(half, now_ns);
        }
    }

    fn publish_all(&mut self, worker: usize, now_ns: f64) {
        while let Some(half) = self.oldest_private(worker) {
            self.publish(half, now_ns);
        }
    }

    /// Enters joins down to a single taskel.
    fn descend(&mut self, worker: usize, mut taskels: Range<usize>, now_ns: f64) -> usize {
        while taskels.len() > 1 {
            let middle = taskels.start + taskels.len() / 2;
            let half = self.halves.len();
            let second = middle..taskels.end;
            self.halves.push(Half { taskels: second, owner: worker, state: State::Private });
            self.stacks[worker].push(Frame::Join(half));
            match self.publish {
                Publish::Oldest => self.publish_oldest_if_none(worker, now_ns),
                Publish::Each => self.publish(half, now_ns),
            }
            taskels.end = middle;
        }
        taskels.start
    }
}

impl Deal for JoinTree {
    fn claim(&mut self, worker: usize, now_ns: f64) -> Turn {
        let mut from_ns = now_ns;
        let arrives = self.sleepers.as_mut().is_some_and(|sleepers| sleepers.arrives(worker));
        if let Some(sleepers) = self.sleepers.as_mut().filter(|_| arrives) {
            from_ns = sleepers.pass_on(self.offered.saturating_sub(1), now_ns, &mut self.effects);
        }
        let Some((taskels, victim)) = self.next(worker, from_ns) else {
            if self.waits_for[worker].is_some() {
                return Turn::Look(f64::INFINITY);
            }
            let Some(sleepers) = &mut self.sleepers else { return Turn::Idle };
            sleepers.sleep(worker);
            return Turn::Look(f64::INFINITY);
        };
        let joins = taskels.len().ilog2() + 1;
        let taskel = self.descend(worker, taskels, from_ns);
        from_ns += f64::from(joins) * self.costs.claim_ns;
        if let Some(sleepers) = &mut self.sleepers {
            // The first half that it offers wakes one, and the next find that one on its way.
            let offers = usize::from(!self.public[worker].is_empty());
            from_ns = sleepers.wake_for(offers, from_ns, &mut self.effects);
        }
        let mut taken = Taken::Own;
        if let Some(victim) = victim {
            from_ns += self.nodes.steal_ns(self.costs.steal_ns, worker, victim);
            taken = Taken::Stolen;
        }
        Turn::Run(Claim {
            taskels: taskel..taskel + 1,
            start_ns: from_ns,
            taken,
            measured_from_ns: from_ns,
            blocks_ns: 0.0,
        })
    }

    fn effect(&mut self) -> Option<Effect> {
        self.effects.pop()
    }

    fn sleeps(&self) -> bool {
        self.sleepers.is_some()
    }

    fn waiting(&self) -> usize {
        self.offered
    }
}
