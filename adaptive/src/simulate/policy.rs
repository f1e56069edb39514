//! The policies that can be simulated, and what their moves cost.

use super::error::{Kind, SimulateError};

/// How chunks are made and who gets them.
///
/// P is the number of workers, n the number of taskels. Except where said otherwise chunks are
/// claimed from one queue that all workers share, in order; claims from it happen one after
/// another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Policy {
    /// One equal share per worker, fixed beforehand (`schedule(static)` in OpenMP).
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
    /// Halves on a stack of its own per worker, the largest stolen first, about P splits and as
    /// many again after a steal; a running leaf cannot be split (rayon's `bridge`).
    RayonSplit,
    /// A batch size for all that doubles as long as a batch takes less than 0.2 s and halves when
    /// one takes more than 2 s (joblib's `batch_size="auto"`).
    JoblibAuto,
    /// A [`Chunker`](crate::Chunker) and a range of its own per worker; a worker without work looks
    /// at up to four ranges and steals the back half of the one that will take longest.
    Adaptive,
    /// Chunks of this many taskels.
    Fixed(usize),
    /// As [`Adaptive`](Policy::Adaptive), but what is not begun of a chunk can be taken away: a
    /// worker runs a chunk in [blocks](crate::Chunker::block_len), and one that finds all ranges
    /// empty watches the chunk of another; if that is not over after a while, it cuts off what lies
    /// behind the present block, which becomes its range. What that costs are [`Cuts`].
    ///
    /// This is what the crate `taskel` does, together with [`Wake::FanOut`]:
    /// [`Simulation::taskel`](super::Simulation::taskel).
    ///
    /// ```
    /// use taskel_adaptive::simulate::{Policy, Simulation, load};
    /// // Fourteen runs of 32 long taskels each in 20 000 short ones, several of which are claimed at once.
    /// let times_ns = load::clusters(20_000, 1000.0, 264_000.0, 14, 32, 237);
    /// let run = |policy| Simulation::new(policy, 1024).run(&times_ns).unwrap();
    /// assert!(run(Policy::Adaptive).ratio() > 3.0);
    /// let revocable = run(Policy::Revocable);
    /// assert!(revocable.ratio() < 1.4 && revocable.revoked > 0);
    /// ```
    Revocable,
    /// A [`Chunker`](crate::Chunker) for each worker and one counter for all, from which nobody
    /// takes more than a [`Tail`](crate::Tail) says: what the crate `taskel-team` does with
    /// processes, where a claim costs more and nothing can be stolen.
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
    /// No loop, but a tree of joins: the taskels are [divided](super::Simulation::with_split),
    /// `join(first half, second half)`, down to one. Who waits for a second half that another
    /// worker has taken runs only what descends from that; who has nothing takes the oldest half of
    /// the worker that offers most.
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

/// Which of its pending halves a worker lets others see, under [`Policy::Join`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Publish {
    /// Only the oldest; the next one when the worker enters or leaves a join after that has been
    /// taken. Before it waits, all.
    Oldest,
    /// Each as soon as there is one.
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

/// What the moves of a scheduler cost, in nanoseconds.
///
/// The default is what a pool of threads in one process pays: 10 ns per claim, 300 ns per steal, 25
/// ns per look at the clock, 5 µs until a woken worker runs, and 5 µs for the system call that
/// wakes it.
///
/// ```
/// use taskel_adaptive::simulate::Costs;
/// let costs = Costs { claim_ns: 10.0, steal_ns: 300.0, timestamp_ns: 25.0, wake_ns: 5000.0, call_ns: 5000.0 };
/// assert_eq!(Costs::default(), costs);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Costs {
    /// Taking a chunk from a queue or from the worker's own range; for [`Policy::RayonSplit`], a
    /// split.
    pub claim_ns: f64,
    /// Taking work from another worker.
    pub steal_ns: f64,
    /// Looking at the clock: once per chunk, for policies that measure.
    pub timestamp_ns: f64,
    /// From when a worker has been woken until it begins; under [`Wake::Together`], from the start.
    pub wake_ns: f64,
    /// What waking a worker costs the one that does it; nothing under [`Wake::Together`].
    pub call_ns: f64,
}

impl Default for Costs {
    fn default() -> Self {
        Costs { claim_ns: 10.0, steal_ns: 300.0, timestamp_ns: 25.0, wake_ns: 5000.0, call_ns: 5000.0 }
    }
}

impl Costs {
    /// Nothing costs anything: what is left is the policy's balance.
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

/// Who wakes the workers that sleep, and when: under [`Policy::Revocable`] and [`Policy::Join`].
/// The workers of all other policies begin together.
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
    /// All begin one wake-up after the first, which wakes nobody. Each has a share, and finds at
    /// once what comes up later.
    #[default]
    Together,
    /// A worker wakes one other before it claims from its own range, or lets others see a half of a
    /// join, unless one is on its way. What it has just stolen it begins at once: long taskels
    /// double the number of busy workers one round after the other.
    OneByOne,
    /// What the crate `taskel` does, with 4. No chunk is begun before all workers are inside of the
    /// loop, or an invitation lies for them, as long as anything can be stolen. A worker's first
    /// offer wakes up to so many, whoever is on their way, but no more than one for each 10 µs of
    /// the loop; further offers wake one, if nobody comes. The first worker begins with one as long
    /// as nothing is known. A loop that is known to take 50 µs is dealt out beforehand, if it has a
    /// taskel for each worker.
    FanOut(usize),
}

/// What it takes to cut a running chunk short under [`Policy::Revocable`], in nanoseconds.
///
/// The default is what the crate `taskel` waits and pays: 50 µs of watching; 10 µs for a fence on
/// all cores (what `membarrier` takes on a virtual machine), which lets the owner of the chunk do
/// without one; 5 ns per block.
///
/// ```
/// use taskel_adaptive::simulate::{Cuts, Policy, Simulation};
/// assert_eq!(Cuts::default(), Cuts { watch_ns: 50_000.0, fence_ns: 10_000.0, block_ns: 5.0 });
///
/// // Some taskels are long, which nobody expects.
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
    /// How long a worker watches a chunk before it wants the rest; also, from when on a chunk
    /// counts as [an outlier](crate::Chunker::on_outlier).
    pub watch_ns: f64,
    /// From then until it has the rest, if the chunk's owner does not begin another block
    /// meanwhile. A steal is paid on top.
    pub fence_ns: f64,
    /// What a block costs, for chunks of several.
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
