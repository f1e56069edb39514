//! The policies that can be simulated, and the costs of their steps.

use super::error::{Kind, SimulateError};

/// How chunks are made and who gets them.
///
/// P is the number of workers, n the number of taskels. Except where noted, chunks are claimed in
/// order from one shared queue, and these claims happen one after another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Policy {
    /// One equal share per worker, fixed in advance (`schedule(static)` in OpenMP).
    Static,
    /// Chunks of n/(kP): k = 4 is the rule of Python's `Pool.map`.
    PerWorker(usize),
    /// One taskel at a time (Tang and Yew, 1986).
    SelfScheduling,
    /// Chunks of remaining/(2P), at least 1 (after Polychronopoulos and Kuck, 1987, who take
    /// remaining/P).
    Guided,
    /// Rounds of P equal chunks, each round half of what remains (FAC2; Hummel, Schonberg and
    /// Flynn, 1992).
    Factoring,
    /// Each worker has a stack of halves. Thieves take the largest half first. There are about P
    /// splits, and as many again after a steal. A running leaf cannot be split (rayon's `bridge`).
    RayonSplit,
    /// One batch size for all workers. It doubles as long as a batch takes less than 0.2 s, and
    /// halves when a batch takes more than 2 s (joblib's `batch_size="auto"`).
    JoblibAuto,
    /// Each worker has a [`Chunker`](crate::Chunker) and a range. An idle worker looks at up to
    /// four ranges, and steals the back half of the one that will take longest.
    Adaptive,
    /// Chunks of this many taskels.
    Fixed(usize),
    /// As [`Adaptive`](Policy::Adaptive), but work of a chunk that has not begun can be taken away.
    /// A worker runs a chunk in [blocks](crate::Chunker::block_len). A worker that finds all ranges
    /// empty watches the chunk of another. If the chunk has not ended after a while, the watcher
    /// cuts off all that follows the current block, which becomes its range. [`Cuts`] sets the
    /// costs.
    ///
    /// This is what the crate `taskel` does, together with [`Wake::FanOut`]: see
    /// [`Simulation::taskel`](super::Simulation::taskel).
    ///
    /// ```
    /// use taskel_adaptive::simulate::{Policy, Simulation, load};
    /// // Fourteen runs of 32 long taskels in 20 000 short ones. Several are claimed at once.
    /// let times_ns = load::clusters(20_000, 1000.0, 264_000.0, 14, 32, 237);
    /// let run = |policy| Simulation::new(policy, 1024).run(&times_ns).unwrap();
    /// assert!(run(Policy::Adaptive).ratio() > 3.0);
    /// let revocable = run(Policy::Revocable);
    /// assert!(revocable.ratio() < 1.4 && revocable.revoked > 0);
    /// ```
    Revocable,
    /// A [`Chunker`](crate::Chunker) for each worker and one counter for all, with claims limited
    /// by a [`Tail`](crate::Tail). The crate `taskel-team` does this with processes, where a claim
    /// costs more and nothing can be stolen.
    ///
    /// ```
    /// use taskel_adaptive::ChunkConfig;
    /// use taskel_adaptive::simulate::{Costs, Policy, Simulation, load};
    /// // Half a microsecond for each claim, and a thousand times that for a chunk.
    /// let costs = Costs { claim_ns: 500.0, ..Costs::default() };
    /// let config = ChunkConfig::default().with_target_ns(500_000);
    /// let times_ns = load::lognormal(200_000, 10_000.0, 1.5, 14);
    /// let run = |policy| {
    ///     let simulation = Simulation::new(policy, 64).with_costs(costs).with_chunk_config(config);
    ///     simulation.run(&times_ns).unwrap().ratio()
    /// };
    /// assert!(run(Policy::Counter) < 1.05);
    /// assert!(run(Policy::Static) > run(Policy::Counter));
    /// ```
    Counter,
    /// Not a loop, but a tree of joins: the taskels are [divided](super::Simulation::with_split) by
    /// `join(first half, second half)` down to one. A worker that waits for a stolen second half
    /// runs only what descends from it. An idle worker takes the oldest half of the worker that has
    /// most.
    ///
    /// ```
    /// use taskel_adaptive::simulate::{Policy, Publish, Simulation};
    /// // One taskel of 40 ms for each of 16 workers.
    /// let run = |publish| Simulation::new(Policy::Join(publish), 16).run(&[4e7; 16]).unwrap().ratio();
    /// assert!(run(Publish::Oldest) > 3.0);
    /// assert!(run(Publish::Each) < 1.01);
    /// ```
    Join(Publish),
}

/// Which of its pending halves a worker makes public, under [`Policy::Join`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Publish {
    /// Only the oldest. After it was taken, the next one becomes public when the worker enters or
    /// leaves a join. Before the worker waits, it makes all of them public.
    Oldest,
    /// Each half at once.
    Each,
}

impl Policy {
    pub(crate) fn check(self) -> Result<(), SimulateError> {
        match self {
            Policy::PerWorker(0) => Err(SimulateError(Kind::Policy { name: "PerWorker" })),
            Policy::Fixed(0) => Err(SimulateError(Kind::Policy { name: "Fixed" })),
            _ => Ok(()),
        }
    }
}

/// The costs of a scheduler's steps, in nanoseconds.
///
/// The defaults are those of a thread pool in one process: 10 ns per claim, 300 ns per steal, 25 ns
/// per read of the clock, 5 µs until a woken worker runs, and 5 µs for the system call that wakes
/// it.
///
/// ```
/// use taskel_adaptive::simulate::Costs;
/// let costs = Costs { claim_ns: 10.0, steal_ns: 300.0, timestamp_ns: 25.0, wake_ns: 5000.0, call_ns: 5000.0 };
/// assert_eq!(Costs::default(), costs);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Costs {
    /// Taking a chunk from a queue or from the worker's own range. For [`Policy::RayonSplit`], a
    /// split.
    pub claim_ns: f64,
    /// Taking work from another worker.
    pub steal_ns: f64,
    /// Reading the clock, once per chunk, for policies that measure.
    pub timestamp_ns: f64,
    /// The time from waking a worker until it begins. Under [`Wake::Together`], from the start.
    pub wake_ns: f64,
    /// The cost of waking a worker, for the waker. Not used under [`Wake::Together`].
    pub call_ns: f64,
}

impl Default for Costs {
    fn default() -> Self {
        Costs { claim_ns: 10.0, steal_ns: 300.0, timestamp_ns: 25.0, wake_ns: 5000.0, call_ns: 5000.0 }
    }
}

impl Costs {
    /// No costs: what remains is the balance of the policy.
    pub const FREE: Costs =
        Costs { claim_ns: 0.0, steal_ns: 0.0, timestamp_ns: 0.0, wake_ns: 0.0, call_ns: 0.0 };

    pub(crate) fn check(self) -> Result<(), SimulateError> {
        check_ns([
            ("claim", self.claim_ns),
            ("steal", self.steal_ns),
            ("timestamp", self.timestamp_ns),
            ("wake", self.wake_ns),
            ("call", self.call_ns),
        ])
    }
}

/// How sleeping workers are woken, under [`Policy::Revocable`] and [`Policy::Join`]. With all other
/// policies, the workers begin together.
///
/// ```
/// use taskel_adaptive::simulate::{Policy, Simulation, Wake};
/// // One taskel of 40 ms for each of 16 workers.
/// let run = |wake| Simulation::new(Policy::Revocable, 16).with_wake(wake).run(&[4e7; 16]).unwrap().ratio();
/// assert!(run(Wake::OneByOne) > 4.0);
/// assert!(run(Wake::FanOut(4)) < 1.01);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Wake {
    /// All begin one wake-up after the first worker, which wakes nobody. Each has a share, and
    /// finds new work at once.
    #[default]
    Together,
    /// A worker wakes one other before it claims from its own range, or makes a half of a join
    /// public, unless one is on its way. It begins a stolen range or half at once. So with long
    /// taskels, the number of busy workers doubles round by round.
    OneByOne,
    /// What the crate `taskel` does, with 4. As long as anything can be stolen, no chunk begins
    /// before all workers are inside the loop or have an invitation. A worker's first offer wakes
    /// up to this many workers, whoever is already on the way, but at most one per 10 µs of the
    /// loop. Further offers wake one if no worker is coming. The first worker begins with one as
    /// long as nothing is known. A loop that is known to take 50 µs is dealt out in advance if it
    /// has a taskel for each worker.
    FanOut(usize),
}

/// The costs of cutting a running chunk short under [`Policy::Revocable`], in nanoseconds.
///
/// The defaults are those of the crate `taskel`: 50 µs of watching; 10 µs for a fence on all cores
/// (the time of `membarrier` on a virtual machine), which saves the owner of the chunk a fence; 5
/// ns per block.
///
/// ```
/// use taskel_adaptive::simulate::{Cuts, Policy, Simulation};
/// assert_eq!(Cuts::default(), Cuts { watch_ns: 50_000.0, fence_ns: 10_000.0, block_ns: 5.0 });
///
/// // Some taskels are unexpectedly long.
/// let mut times_ns = [10.0; 4000];
/// times_ns[200..300].fill(1e5);
/// let run = |watch_ns| {
///     let cuts = Cuts { watch_ns, ..Cuts::default() };
///     Simulation::new(Policy::Revocable, 4).with_cuts(cuts).run(&times_ns).unwrap().makespan_ns
/// };
/// assert!(run(1000.0) < run(1e9));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cuts {
    /// How long a worker watches a chunk before it takes the rest. After this time, the chunk
    /// counts as [an outlier](crate::Chunker::on_outlier).
    pub watch_ns: f64,
    /// The time from then until it has the rest, if the chunk's owner does not begin another block
    /// meanwhile. The cost of a steal is added.
    pub fence_ns: f64,
    /// The cost of a block, in chunks of several blocks.
    pub block_ns: f64,
}

impl Default for Cuts {
    fn default() -> Self {
        Cuts { watch_ns: 50_000.0, fence_ns: 10_000.0, block_ns: 5.0 }
    }
}

impl Cuts {
    pub(crate) fn check(self) -> Result<(), SimulateError> {
        check_ns([("watch", self.watch_ns), ("fence", self.fence_ns), ("block", self.block_ns)])
    }
}

fn check_ns<const N: usize>(named: [(&'static str, f64); N]) -> Result<(), SimulateError> {
    match named.into_iter().find(|&(_, ns)| !(ns.is_finite() && ns >= 0.0)) {
        Some((name, ns)) => Err(SimulateError(Kind::Cost { name, ns })),
        None => Ok(()),
    }
}
