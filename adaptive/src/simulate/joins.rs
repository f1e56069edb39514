//! Fork and join: a tree of halves. Thieves take the oldest half.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use super::engine::{Claim, Deal, Effect, Taken, Turn};
use super::forks::{Division, Form, Piece};
use super::members::Members;
use super::nodes::Nodes;
use super::policy::{Costs, Publish, Wake};
use super::reserves::Reserves;
use super::rng::Rng;
use super::sleepers::Sleepers;
use super::waits::Waits;

/// The state of the second half of a join.
#[derive(Clone, Copy, PartialEq)]
enum State {
    /// Only its owner knows it.
    Private,
    Public,
    /// A worker that must not run it has taken it, and put it where all workers look.
    PutBack,
    Taken,
    Done,
}

struct Half {
    piece: Piece,
    owner: usize,
    /// The worker that has taken it.
    thief: usize,
    state: State,
}

/// An entry of a worker's stack. Joins are indices of `JoinTree::halves`.
#[derive(Clone, Copy)]
enum Frame {
    /// A join whose first half is running or done.
    Join(usize),
    /// The next piece, as its node in the form.
    Then(usize),
    /// A half that the worker has stolen.
    Stolen(usize),
}

/// A thief chooses among this many workers with public halves.
const LOOK_AT: usize = 32;

/// What a worker is about to run, and from whom it was stolen.
type Found = (Piece, Option<usize>);

/// `join(first half, second half)`, divided down to single taskels.
pub(crate) struct JoinTree {
    form: Form,
    halves: Vec<Half>,
    stacks: Vec<Vec<Frame>>,
    /// The public halves of each worker, oldest first.
    public: Vec<VecDeque<usize>>,
    /// The workers with public halves, and the number of all public halves, including those that
    /// were put back.
    offering: Members,
    offered: usize,
    put_back: VecDeque<usize>,
    /// How many halves the current worker has made public without telling others.
    untold: usize,
    /// What each worker has stolen and not opened yet, because it wakes others first.
    taken: Vec<Option<(Piece, usize)>>,
    waits: Waits,
    root: Option<Piece>,
    publish: Publish,
    /// `None` if no worker sleeps.
    sleepers: Option<Sleepers>,
    reserves: Reserves,
    workers: usize,
    costs: Costs,
    nodes: Nodes,
    rng: Rng,
    effects: Vec<Effect>,
    /// When the first worker finished the root.
    over_ns: f64,
}

impl JoinTree {
    pub(crate) fn new(
        (form, len): (Form, usize),
        workers: usize,
        (publish, wake, any_reserves): (Publish, Wake, bool),
        costs: Costs,
        nodes: Nodes,
        seed: u64,
    ) -> Self {
        let sleepers = Sleepers::new(workers, wake, costs, !seed);
        let reserves = Reserves::new(workers, any_reserves && sleepers.is_some());
        let threads = reserves.threads();
        JoinTree {
            root: form.root(len),
            form,
            halves: Vec::with_capacity(len),
            stacks: alloc::vec![Vec::new(); threads],
            public: alloc::vec![VecDeque::new(); threads],
            offering: Members::new(threads),
            offered: 0,
            put_back: VecDeque::new(),
            untold: 0,
            taken: alloc::vec![None; threads],
            waits: Waits::new(threads),
            publish,
            sleepers,
            reserves,
            workers,
            costs,
            nodes,
            rng: Rng::new(seed),
            effects: Vec::new(),
            over_ns: 0.0,
        }
    }

    /// Returns the number of threads: the workers, followed by the reserves.
    pub(crate) fn threads(&self) -> usize {
        self.reserves.threads()
    }

    /// Returns what the worker runs next, down to single taskels, and the steal that it comes from.
    fn next(&mut self, worker: usize, now_ns: f64) -> Option<Found> {
        if let Some(root) = self.root.take_if(|_| worker == 0) {
            return Some((root, None));
        }
        while let Some(&frame) = self.stacks[worker].last() {
            match frame {
                Frame::Stolen(half) => {
                    self.waits.end_work_for_another(worker, now_ns);
                    self.end(half, now_ns);
                }
                Frame::Then(node) => {
                    self.stacks[worker].pop();
                    return Some((self.form.piece(node), None));
                }
                Frame::Join(half) => match self.halves[half].state {
                    State::Private | State::Public | State::PutBack => {
                        self.stacks[worker].pop();
                        self.withdraw(half);
                        self.publish_oldest_if_none(worker, now_ns);
                        return Some((self.halves[half].piece.clone(), None));
                    }
                    State::Taken => {
                        self.publish_all(worker, now_ns);
                        return self.help(worker, half, now_ns);
                    }
                    State::Done => {
                        self.waits.end_wait(worker, half);
                        self.reserves.wait_is_over(worker);
                    }
                },
            }
            self.stacks[worker].pop();
        }
        if worker == 0 && self.over_ns == 0.0 {
            self.over_ns = now_ns;
        }
        if self.reserves.is_reserve(worker) && !self.reserves.may_begin(worker) {
            return None;
        }
        let Some(oldest) = self.oldest_of_many() else {
            if self.reserves.is_reserve(worker) {
                self.reserves.leave(worker);
            }
            return None;
        };
        Some(self.take(worker, oldest))
    }

    /// Returns what a thief takes: the oldest half of the worker with the most public halves,
    /// because its halves are larger, or a half that was put back.
    fn oldest_of_many(&mut self) -> Option<usize> {
        let offering: Vec<usize> = self.offering.some(LOOK_AT, &mut self.rng).collect();
        let most = offering.iter().map(|&worker| self.public[worker].len()).max();
        let victim =
            most.and_then(|most| offering.into_iter().find(|&worker| self.public[worker].len() == most));
        let oldest = victim.and_then(|victim| self.public[victim].front());
        oldest.or(self.put_back.front()).copied()
    }

    /// Ends a stolen half.
    fn end(&mut self, half: usize, now_ns: f64) {
        self.halves[half].state = State::Done;
        let owner = self.halves[half].owner;
        if let Some(was_asleep) = self.waits.call_for(owner, half) {
            match &self.sleepers {
                Some(sleepers) if was_asleep => {
                    sleepers.call(owner, now_ns, &mut self.effects);
                }
                _ => self.effects.push(Effect::Call { worker: owner, at_ns: now_ns }),
            }
        }
    }

    /// Lets a worker that waits for a half look for work. It runs only parts of that half, and
    /// finds them only where it looks.
    fn help(&mut self, worker: usize, half: usize, now_ns: f64) -> Option<Found> {
        self.waits.stir(worker);
        self.waits.wait(worker, half, self.halves[half].thief, now_ns);
        if let Some(found) = self.find(worker, half, now_ns) {
            self.reserves.wait_is_over(worker);
            return Some(self.take(worker, found));
        }
        self.waits.rest(worker, half, now_ns);
        None
    }

    fn find(&mut self, worker: usize, half: usize, now_ns: f64) -> Option<usize> {
        let near = self.waits.trail(worker);
        let is_part = |tree: &Self, &other: &usize| tree.is_part_of(other, half);
        near.into_iter()
            .find_map(|other| self.look_at(other, half, now_ns))
            .or_else(|| self.put_back.iter().copied().find(|other| is_part(self, other)))
            .or_else(|| {
                let may = self.sleepers.is_none() || now_ns >= self.waits.looks_far_from_ns(worker);
                let far = if may { self.waits.far(worker) } else { Vec::new() };
                far.into_iter().find_map(|other| self.look_at(other, half, now_ns))
            })
    }

    /// Takes the oldest half of another worker, and puts it back if it is not part of `half`.
    fn look_at(&mut self, other: usize, half: usize, now_ns: f64) -> Option<usize> {
        let oldest = *self.public[other].front()?;
        if self.is_part_of(oldest, half) {
            return Some(oldest);
        }
        let Some(sleepers) = &mut self.sleepers else { return None };
        sleepers.wake_for(1, now_ns, &mut self.effects);
        self.withdraw(oldest);
        self.halves[oldest].state = State::PutBack;
        self.put_back.push_back(oldest);
        self.offered += 1;
        // Only some workers may run it, so all waiting workers are called.
        let resting: Vec<usize> = self.waits.resting().map(|(worker, _)| worker).collect();
        for worker in resting {
            self.call_back(worker, now_ns);
        }
        None
    }

    /// Wakes a worker that rests in a wait, because there may be work for it.
    fn call_back(&mut self, worker: usize, now_ns: f64) {
        self.waits.stir(worker);
        match &self.sleepers {
            Some(sleepers) => {
                // It takes its seat back even if it comes in vain.
                self.reserves.wait_is_over(worker);
                sleepers.call(worker, now_ns, &mut self.effects);
            }
            None => self.effects.push(Effect::Call { worker, at_ns: now_ns }),
        }
    }

    fn is_part_of(&self, part: usize, whole: usize) -> bool {
        let (part, whole) = (&self.halves[part].piece.taskels, &self.halves[whole].piece.taskels);
        whole.start <= part.start && part.end <= whole.end
    }

    fn take(&mut self, worker: usize, half: usize) -> Found {
        self.withdraw(half);
        let Half { piece, owner, thief, state } = &mut self.halves[half];
        (*state, *thief) = (State::Taken, worker);
        self.waits.begin_work_for(worker, *owner);
        self.stacks[worker].push(Frame::Stolen(half));
        (piece.clone(), Some(*owner))
    }

    /// Removes the half, so it can no longer be taken.
    fn withdraw(&mut self, half: usize) {
        let Half { owner, state, .. } = self.halves[half];
        if state == State::Public {
            let public = &mut self.public[owner];
            let place = public.iter().rposition(|&other| other == half);
            place.and_then(|place| public.remove(place));
            self.offering.set(owner, !public.is_empty());
            self.offered -= 1;
        } else if state == State::PutBack {
            self.put_back.retain(|&other| other != half);
            self.offered -= 1;
        }
    }

    fn publish(&mut self, half: usize, now_ns: f64) {
        let owner = self.halves[half].owner;
        self.halves[half].state = State::Public;
        self.public[owner].push_back(half);
        self.offering.set(owner, true);
        self.offered += 1;
        self.untold += 1;
        if self.sleepers.is_some() {
            return;
        }
        // No worker sleeps: a worker that waits for an enclosing half sees it.
        let waiting: Vec<(usize, usize)> = self.waits.resting().collect();
        for (worker, whole) in waiting {
            if self.is_part_of(half, whole) {
                self.call_back(worker, now_ns);
            }
        }
    }

    /// Tells others about halves that the worker has made public. Wakes a sleeper or, if there is
    /// none, one waiting worker per half, which may be unable to run it. Returns when this is done.
    fn tell(&mut self, worker: usize, now_ns: f64) -> f64 {
        let untold = core::mem::take(&mut self.untold);
        let Some(sleepers) = &mut self.sleepers else { return now_ns };
        let offers = usize::from(!self.public[worker].is_empty());
        if sleepers.any_sleeps() || sleepers.any_comes() {
            // The first offer wakes one worker. Later offers find that worker on its way.
            return sleepers.wake_for(offers, now_ns, &mut self.effects);
        }
        let (mut now_ns, call_ns) = (now_ns, self.costs.call_ns);
        for _ in 0..untold {
            let Some(waiting) = self.waits.call_some(worker, &mut self.rng) else { break };
            self.call_back(waiting, now_ns);
            now_ns += call_ns;
        }
        now_ns
    }

    fn oldest_private(&self, worker: usize) -> Option<usize> {
        let halves = self.stacks[worker].iter().filter_map(|&frame| match frame {
            Frame::Join(half) => Some(half),
            Frame::Stolen(_) | Frame::Then(_) => None,
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

    /// Returns what a worker does that finds nothing.
    fn rest(&mut self, worker: usize, now_ns: f64) -> Turn {
        let now_ns = self.tell(worker, now_ns);
        if self.waits.rests(worker) {
            let far_ns = self.waits.looks_far_from_ns(worker);
            if self.sleepers.is_some() && now_ns < far_ns {
                return Turn::Look(far_ns);
            }
            let until_ns = self.reserves.wait(worker, now_ns);
            self.call_a_reserve(now_ns);
            return Turn::Look(until_ns.unwrap_or(f64::INFINITY));
        }
        match &mut self.sleepers {
            Some(_) if self.reserves.is_reserve(worker) => {}
            Some(sleepers) => sleepers.sleep(worker),
            None => return Turn::Idle,
        }
        Turn::Look(f64::INFINITY)
    }

    /// Calls a reserve if there is work, a free seat, and no worker on its way.
    fn call_a_reserve(&mut self, now_ns: f64) {
        let Some(sleepers) = &self.sleepers else { return };
        if self.offered > 0 && !sleepers.any_comes() {
            if let Some(reserve) = self.reserves.called() {
                sleepers.call(reserve, now_ns, &mut self.effects);
            }
        }
    }

    /// Enters joins down to a single taskel. Returns how many.
    fn descend(&mut self, worker: usize, mut piece: Piece, now_ns: f64) -> (usize, usize) {
        let mut joins = 0;
        loop {
            piece = match self.form.divide(&piece) {
                Division::Taskel => return (piece.taskels.start, joins),
                Division::Then(first, rest) => {
                    self.stacks[worker].push(Frame::Then(rest));
                    first
                }
                Division::Fork(first, second) => {
                    joins += 1;
                    let half = self.halves.len();
                    let state = State::Private;
                    self.halves.push(Half { piece: second, owner: worker, thief: worker, state });
                    self.stacks[worker].push(Frame::Join(half));
                    match self.publish {
                        Publish::Oldest => self.publish_oldest_if_none(worker, now_ns),
                        Publish::Each => self.publish(half, now_ns),
                    }
                    first
                }
            }
        }
    }
}

impl Deal for JoinTree {
    fn claim(&mut self, worker: usize, now_ns: f64) -> Turn {
        let (piece, victim) = match self.taken[worker].take() {
            Some((piece, victim)) => (piece, Some(victim)),
            None => {
                let is_worker = worker < self.workers;
                let arrives =
                    is_worker && self.sleepers.as_mut().is_some_and(|sleepers| sleepers.arrives(worker));
                let Some((piece, victim)) = self.next(worker, now_ns) else {
                    return self.rest(worker, now_ns);
                };
                if let (Some(sleepers), Some(victim), true) = (&mut self.sleepers, victim, arrives) {
                    let called_ns = sleepers.pass_on(self.offered, now_ns, &mut self.effects);
                    self.taken[worker] = Some((piece, victim));
                    return Turn::Look(called_ns);
                }
                (piece, victim)
            }
        };
        let mut from_ns = now_ns;
        let (taskel, joins) = self.descend(worker, piece, from_ns);
        from_ns += (joins + 1) as f64 * self.costs.claim_ns;
        from_ns = self.tell(worker, from_ns);
        self.call_a_reserve(from_ns);
        let mut taken = Taken::Own;
        if let Some(victim) = victim {
            let (thief, victim) = (worker % self.workers, victim % self.workers);
            from_ns += self.nodes.steal_ns(self.costs.steal_ns, thief, victim);
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

    fn over_ns(&self) -> f64 {
        self.over_ns
    }

    fn sleeps(&self) -> bool {
        self.sleepers.is_some()
    }

    fn waiting(&self) -> usize {
        self.offered
    }
}
