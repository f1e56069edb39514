//! Replays a loop under a scheduling policy: which worker runs what, and how long it takes.
//!
//! This is a discrete-event simulation of any list of taskel times, on 1 to 4096 workers of given
//! speeds, with the costs of claims, steals, time stamps and wake-ups. [`Policy::Adaptive`],
//! [`Policy::Revocable`] and [`Policy::Counter`] use the same [`Chunker`] as real loops. The same
//! input gives the same schedule on every platform.
//!
//! ```
//! use taskel_adaptive::simulate::{Policy, Simulation};
//!
//! // Eight experiments on four workers, in seconds: the two long ones side by side are bad luck for chunks of 2.
//! let seconds = [60, 60, 86400, 86400, 60, 60, 60, 84600];
//! let times_ns: Vec<f64> = seconds.iter().map(|&s| 1e9 * f64::from(s)).collect();
//!
//! let days = |policy| Simulation::new(policy, 4).run(&times_ns).unwrap().makespan_ns / 86400e9;
//! assert!((days(Policy::Fixed(2)) - 2.0).abs() < 0.01);
//! assert!((days(Policy::Adaptive) - 1.0).abs() < 0.01);
//! ```
//!
//! Not simulated: caches, memory bandwidth, taskels that slow each other down, and contention,
//! except that claims from a shared queue happen one after another. All workers but the first begin
//! together after one wake-up, unless [`Wake`] says otherwise, as in [`Simulation::taskel`].

mod counter;
mod engine;
mod error;
mod forks;
mod joins;
pub mod load;
mod members;
mod nodes;
mod policy;
mod queue;
mod ramp;
mod ranges;
mod reserves;
mod revocable;
mod rng;
mod schedule;
mod sleepers;
mod splits;
mod waits;

use alloc::vec::Vec;

use self::counter::SharedCounter;
use self::engine::Run;
use self::error::Kind;
use self::forks::Form;
use self::joins::JoinTree;
use self::nodes::Nodes;
use self::queue::SharedQueue;
use self::ramp::Ramp;
use self::ranges::{Shares, StealableRanges};
use self::revocable::RevocableChunks;
use self::rng::Rng;
use self::splits::SplitStacks;
use crate::{ChunkConfig, Chunker, History, Tail};

pub(crate) use self::error::MAX_WORKERS;
pub use self::error::SimulateError;
pub(crate) use self::forks::{Nodes as TreeNodes, TreeBuilder};
pub use self::policy::{Costs, Cuts, Policy, Publish, Wake};
pub use self::schedule::{Schedule, Span, WorkerSchedule};

/// A policy and the machine that it runs on.
///
/// ```
/// use taskel_adaptive::simulate::{Policy, Simulation, load};
///
/// let times_ns = load::linear(100_000, 500.0, 1500.0);
/// // 32 fast and 32 slow cores.
/// let speeds: Vec<f64> = (0..64).map(|worker| if worker < 32 { 1.0 } else { 0.4 }).collect();
/// let equal_shares = Simulation::new(Policy::Static, 64).with_speeds(&speeds).run(&times_ns).unwrap();
/// let adaptive = Simulation::new(Policy::Adaptive, 64).with_speeds(&speeds).run(&times_ns).unwrap();
/// assert!(equal_shares.ratio() > 1.7);
/// assert!(adaptive.ratio() < 1.1);
/// ```
#[derive(Clone, Debug)]
pub struct Simulation {
    policy: Policy,
    workers: usize,
    /// Empty if all are 1.
    speeds: Vec<f64>,
    costs: Costs,
    cuts: Cuts,
    wake: Wake,
    nodes: Nodes,
    chunk_config: ChunkConfig,
    tail: Option<Tail>,
    split: fn(usize) -> usize,
    reserves: bool,
    seed: u64,
    spans: bool,
}

impl Simulation {
    /// Creates a simulation of `workers` workers of speed 1 with the default [`Costs`].
    #[must_use]
    pub fn new(policy: Policy, workers: usize) -> Self {
        Simulation {
            policy,
            workers,
            speeds: Vec::new(),
            costs: Costs::default(),
            cuts: Cuts::default(),
            wake: Wake::default(),
            nodes: Nodes::ONE,
            chunk_config: ChunkConfig::default(),
            tail: None,
            split: |taskels| taskels / 2,
            reserves: false,
            seed: 1,
            spans: false,
        }
    }

    /// Sets the speed of each worker. At speed 2 a taskel takes half of its time.
    #[must_use]
    pub fn with_speeds(mut self, speeds: &[f64]) -> Self {
        self.speeds = speeds.to_vec();
        self
    }

    /// Sets the costs of the scheduler's steps.
    #[must_use]
    pub fn with_costs(mut self, costs: Costs) -> Self {
        self.costs = costs;
        self
    }

    /// Sets the cost of cutting a running chunk under [`Policy::Revocable`]. Other policies ignore
    /// it.
    #[must_use]
    pub fn with_cuts(mut self, cuts: Cuts) -> Self {
        self.cuts = cuts;
        self
    }

    /// Sets how sleeping workers are woken. The default is [`Wake::Together`].
    #[must_use]
    pub fn with_wake(mut self, wake: Wake) -> Self {
        self.wake = wake;
        self
    }

    /// Divides the workers into nodes of `workers` neighbours each, such as the cores of a socket.
    /// A steal from a worker of another node then costs `far_steal_ns` instead of
    /// [`Costs::steal_ns`]. The default is one node.
    ///
    /// Claims from a shared queue, and wake-ups, cost the same everywhere. Thieves choose victims
    /// without regard to nodes.
    ///
    /// ```
    /// use taskel_adaptive::simulate::{Policy, Simulation};
    /// let near = Simulation::new(Policy::Adaptive, 8);
    /// let far = near.clone().with_nodes(2, 3000.0);
    /// let makespan_ns = |simulation: Simulation| simulation.run(&[1000.0; 100]).unwrap().makespan_ns;
    /// assert!(makespan_ns(far) > makespan_ns(near));
    /// ```
    #[must_use]
    pub fn with_nodes(mut self, workers: usize, far_steal_ns: f64) -> Self {
        self.nodes = Nodes::new(workers, far_steal_ns);
        self
    }

    /// Sets the limits for claims of [`Policy::Counter`] near the end, and for short taskels. The
    /// default is `Tail::new(workers, costs.claim_ns)`.
    ///
    /// ```
    /// use taskel_adaptive::Tail;
    /// use taskel_adaptive::simulate::{Costs, Policy, Simulation};
    /// let costs = Costs { claim_ns: 1000.0, ..Costs::default() };
    /// let counter = || Simulation::new(Policy::Counter, 256).with_costs(costs);
    /// let run = |tail| counter().with_tail(tail).run(&[1000.0; 100_000]).unwrap().makespan_ns;
    /// // Without a smallest claim, 256 workers wait for each other at the counter.
    /// assert!(run(Tail::new(256, 0.0)) > 2.0 * run(Tail::new(256, 1000.0)));
    /// ```
    #[must_use]
    pub fn with_tail(mut self, tail: Tail) -> Self {
        self.tail = Some(tail);
        self
    }

    /// Sets the constants of [`Policy::Adaptive`], [`Policy::Revocable`] and [`Policy::Counter`].
    /// Other policies ignore them.
    #[must_use]
    pub fn with_chunk_config(mut self, chunk_config: ChunkConfig) -> Self {
        self.chunk_config = chunk_config;
        self
    }

    /// Sets the shape of the tree under [`Policy::Join`]: given the number of taskels of a join, at
    /// least two, `split` returns how many its first half has. Each half has at least one, whatever
    /// `split` returns. The default is half of them.
    ///
    /// ```
    /// use taskel_adaptive::simulate::{Policy, Publish, Simulation};
    /// // `join(|| first, || rest)` down a list of 16 taskels on 8 workers: each takes the rest of the one before.
    /// let list = Simulation::new(Policy::Join(Publish::Each), 8).with_split(|_| 1);
    /// assert!(list.run(&[4e7; 16]).unwrap().ratio() < 1.01);
    /// ```
    #[must_use]
    pub fn with_split(mut self, split: fn(usize) -> usize) -> Self {
        self.split = split;
        self
    }

    /// Lets reserve threads run halves that a waiting worker must not run, under [`Policy::Join`]
    /// if workers sleep. Off by default.
    ///
    /// A worker that has waited for 100 µs lends its seat to a reserve. When the worker goes on,
    /// the reserve finishes its current work, so for a while there are more threads than workers.
    /// The [bound](Schedule::bound) does not hold then, and chunks of a worker may overlap. The
    /// crate `taskel` does this. If there are several equal halves, it is chance which one a
    /// reserve finds. So the real time of a tree is this one, the one without reserves, or in
    /// between.
    ///
    /// ```
    /// use taskel_adaptive::simulate::{Policy, Publish, Simulation, Wake};
    /// // A list of 48 unequal taskels, each joined with the rest, on 16 workers.
    /// let times_ns: Vec<f64> = (0..48).map(|n| 1e6 * (1 + n * 7 % 11) as f64).collect();
    /// let list = Simulation::new(Policy::Join(Publish::Each), 16).with_split(|_| 1).with_wake(Wake::FanOut(4));
    /// let [without, with] = [false, true].map(|any| list.clone().with_reserves(any).run(&times_ns).unwrap());
    /// assert!(with.makespan_ns <= without.makespan_ns);
    /// ```
    #[must_use]
    pub fn with_reserves(mut self, any: bool) -> Self {
        self.reserves = any;
        self
    }

    /// Creates a simulation of a loop as the crate `taskel` runs it on equal cores:
    /// [`Policy::Revocable`], [`Wake::FanOut`] of 4, and its chunks and blocks. This is a first
    /// call. For a later call, use [`with_lesson`](Self::with_lesson).
    ///
    /// ```
    /// use taskel_adaptive::simulate::Simulation;
    /// // 7 taskels of 20 ms on 8 workers.
    /// let first = Simulation::taskel(8).run(&[2e7; 7]).unwrap();
    /// assert!(first.ratio() < 1.01);
    /// ```
    #[must_use]
    pub fn taskel(workers: usize) -> Self {
        let blocks = if workers > 2 { 256 } else { 64 };
        let config = ChunkConfig::default().with_target_ns(8_000).with_blocks(blocks);
        Simulation::new(Policy::Revocable, workers).with_wake(Wake::FanOut(4)).with_chunk_config(config)
    }

    /// The same with another number of workers of the same pool.
    pub(crate) fn with_workers(mut self, workers: usize) -> Self {
        self.workers = workers;
        self
    }

    /// Lets a loop start from an earlier estimate of the time per taskel.
    pub(crate) fn with_estimate_ns(mut self, ns: f64) -> Self {
        self.chunk_config = self.chunk_config.with_estimate_ns(ns);
        self
    }

    /// Lets a loop start from what an earlier loop at the same place has shown: the mean time of a
    /// taskel, and whether any chunk took far longer than expected.
    ///
    /// ```
    /// use taskel_adaptive::simulate::{Simulation, load};
    /// let times_ns = load::step(100_000, 20.0, 20_000.0, 0.01);
    /// let first = Simulation::taskel(64).run(&times_ns).unwrap();
    /// let second = Simulation::taskel(64).with_lesson(&first).run(&times_ns).unwrap();
    /// assert!(second.makespan_ns < first.makespan_ns);
    /// ```
    #[must_use]
    pub fn with_lesson(mut self, earlier: &Schedule) -> Self {
        let sums = |(ns, taskels), worker: &WorkerSchedule| (ns + worker.busy_ns, taskels + worker.taskels);
        let (busy_ns, taskels) = earlier.workers.iter().fold((0.0, 0), sums);
        let met_outlier = earlier.workers.iter().any(|worker| worker.met_outlier);
        let history = if met_outlier { History::Outliers } else { History::Even };
        self.chunk_config =
            self.chunk_config.with_estimate_ns(busy_ns / taskels as f64).with_history(history);
        self
    }

    /// Sets the seed for the choice of victims. The default is 1.
    #[must_use]
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Records each chunk in [`WorkerSchedule::spans`], for drawing the schedule. Off by default,
    /// because there may be as many chunks as taskels.
    ///
    /// ```
    /// use taskel_adaptive::simulate::{Policy, Simulation};
    /// let schedule = Simulation::new(Policy::Fixed(2), 1).with_spans(true).run(&[5.0; 4]).unwrap();
    /// assert_eq!(schedule.workers[0].spans[1].taskels, 2..4);
    /// ```
    #[must_use]
    pub fn with_spans(mut self, record: bool) -> Self {
        self.spans = record;
        self
    }

    /// Runs taskels with the given times, in nanoseconds on a worker of speed 1.
    ///
    /// Takes O(n + c log P) steps for n taskels in c chunks on P workers. A million chunks on 64
    /// workers take a fraction of a second.
    ///
    /// # Errors
    /// Returns an error if the number of workers is not in 1..=4096, if there is not one speed per
    /// worker, if a speed is not finite and above 0, if a time or a cost is not finite or below 0,
    /// if a policy has a parameter of 0, if nodes have no workers, or if the schedule would not end
    /// before `f64::MAX` nanoseconds.
    pub fn run(&self, times_ns: &[f64]) -> Result<Schedule, SimulateError> {
        let speeds = self.checked_speeds()?;
        self.policy.check()?;
        self.costs.check()?;
        self.cuts.check()?;
        self.nodes.check()?;
        if let Some(taskel) = times_ns.iter().position(|&ns| !(ns.is_finite() && ns >= 0.0)) {
            return Err(SimulateError(Kind::Time { taskel, ns: times_ns[taskel] }));
        }
        let run = Run { times_ns, speeds: &speeds, wake_ns: self.costs.wake_ns, record_spans: self.spans };
        let (len, workers, costs, rng) = (times_ns.len(), self.workers, self.costs, Rng::new(self.seed));
        let nodes = self.nodes;
        let done = match SharedQueue::new(self.policy, len, workers, costs) {
            Some(queue) => run.run(queue),
            None => match self.policy {
                Policy::Static => run.run(Shares::new(len, workers, costs)),
                Policy::RayonSplit => run.run(SplitStacks::new(len, workers, costs, nodes, rng)),
                Policy::Join(publish) => self.run_tree(run, Form::Split(self.split), publish),
                Policy::Revocable => {
                    let known_ns = Chunker::new(self.chunk_config).estimate_ns();
                    let dealt = (len, ramp::is_dealt(self.wake, len, workers, known_ns));
                    let ranges = StealableRanges::new(dealt, workers, costs, nodes, self.chunk_config, rng);
                    let ramp = Ramp::new(len, workers, self.wake, costs, self.seed);
                    run.run(RevocableChunks::new(ranges, &run, self.cuts, ramp, self.seed))
                }
                Policy::Counter => {
                    run.run(SharedCounter::new(len, workers, costs, (self.chunk_config, self.tail)))
                }
                _ => {
                    run.run(StealableRanges::new((len, true), workers, costs, nodes, self.chunk_config, rng))
                }
            },
        };
        summed_up(done, times_ns, &speeds)
    }

    /// As [`run`](Self::run), for recorded taskels of this shape, by [`Policy::Join`].
    pub(crate) fn run_nodes(&self, nodes: TreeNodes, times_ns: &[f64]) -> Result<Schedule, SimulateError> {
        let speeds = self.checked_speeds()?;
        let run = Run { times_ns, speeds: &speeds, wake_ns: self.costs.wake_ns, record_spans: self.spans };
        summed_up(self.run_tree(run, Form::Nodes(nodes), Publish::Each), times_ns, &speeds)
    }

    fn run_tree(&self, run: Run<'_>, form: Form, publish: Publish) -> Vec<WorkerSchedule> {
        let rules = (publish, self.wake, self.reserves);
        let form = (form, run.times_ns.len());
        let tree = JoinTree::new(form, self.workers, rules, self.costs, self.nodes, self.seed);
        let speeds: Vec<f64> = run.speeds.iter().cycle().take(tree.threads()).copied().collect();
        with_reserves(Run { speeds: &speeds, ..run }.run(tree), self.workers)
    }

    fn checked_speeds(&self) -> Result<Vec<f64>, SimulateError> {
        let workers = self.workers;
        if !(1..=MAX_WORKERS).contains(&workers) {
            return Err(SimulateError(Kind::Workers(workers)));
        }
        if self.speeds.is_empty() {
            return Ok(alloc::vec![1.0; workers]);
        }
        if self.speeds.len() != workers {
            return Err(SimulateError(Kind::SpeedCount { workers, speeds: self.speeds.len() }));
        }
        match self.speeds.iter().position(|&speed| !(speed.is_finite() && speed > 0.0)) {
            Some(worker) => Err(SimulateError(Kind::Speed { worker, speed: self.speeds[worker] })),
            None => Ok(self.speeds.clone()),
        }
    }
}

/// Adds what each reserve did to its worker.
fn with_reserves(mut done: Vec<WorkerSchedule>, workers: usize) -> Vec<WorkerSchedule> {
    let reserves = done.split_off(workers);
    for (worker, reserve) in done.iter_mut().zip(reserves) {
        worker.absorb(reserve);
    }
    done
}

fn summed_up(done: Vec<WorkerSchedule>, times_ns: &[f64], speeds: &[f64]) -> Result<Schedule, SimulateError> {
    let makespan_ns = done.iter().map(|worker| worker.end_ns).fold(0.0, f64::max);
    let longest_ns = times_ns.iter().copied().fold(0.0, f64::max);
    let fastest = speeds.iter().copied().fold(0.0, f64::max);
    let spread_ns = times_ns.iter().sum::<f64>() / speeds.iter().sum::<f64>();
    let bound = spread_ns.max(longest_ns / fastest);
    if !(makespan_ns.is_finite() && bound.is_finite()) {
        return Err(SimulateError(Kind::Endless));
    }
    // Divided one by one, because the sum of all workers' times may exceed the range of a float.
    let busy: f64 = done.iter().map(|worker| worker.busy_ns / makespan_ns).sum();
    let utilisation = if makespan_ns == 0.0 { 1.0 } else { (busy / speeds.len() as f64).min(1.0) };
    Ok(Schedule {
        makespan_ns,
        utilisation,
        bound,
        chunks: done.iter().map(|worker| worker.chunks).sum(),
        steals: done.iter().map(|worker| worker.steals).sum(),
        revoked: done.iter().map(|worker| worker.revoked).sum(),
        workers: done,
    })
}
