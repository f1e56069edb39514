//! What a profiled stretch of work did, per worker and as a whole.
//!
//! While profiling, each lane writes to its own [`recorder::Recorder`]; afterwards
//! [`Profile::assemble`] puts the lanes side by side. `timeline` keeps the recorded events within a
//! bounded memory, `report` prints a profile as text, `svg` draws it, `html` makes a page of it,
//! `trace` writes it for Perfetto; `calls` keeps which parallel calls lay in which, of which `recording` makes a tree.

#![cfg_attr(
    not(all(feature = "svg", feature = "scaling")),
    allow(dead_code, reason = "some of it only pictures and predictions show")
)]

pub(crate) mod calls;
#[cfg(test)]
mod calls_tests;
#[cfg(feature = "svg")]
mod colours;
#[cfg(feature = "html")]
mod html;
#[cfg(all(test, feature = "html"))]
mod html_tests;
mod loops;
#[cfg(feature = "trace")]
mod nesting;
pub(crate) mod recorder;
#[cfg(feature = "scaling")]
mod recording;
mod report;
mod sites;
mod sorted;
#[cfg(feature = "svg")]
mod svg;
mod timeline;
#[cfg(feature = "trace")]
mod trace;

#[cfg(test)]
mod tests;
#[cfg(all(test, feature = "trace"))]
mod trace_tests;

use std::time::Duration;

use taskel_adaptive::recording::Waited;

use calls::Calls;
pub use loops::{LoopProfile, WhyAlone};
use recorder::{Costs, Counts, Recorder};

/// What the workers of a pool did while a piece of code ran.
///
/// [`ThreadPool::profile`](crate::ThreadPool::profile) returns one. Print it for a table; draw it
/// by `to_svg`, with the feature `svg`; open the page that `to_html` makes, with the feature `html`, in
/// a browser; or what `write_trace` writes, with the feature `trace`, in
/// [Perfetto](https://ui.perfetto.dev).
///
/// ```
/// use taskel::prelude::*;
///
/// let pool = taskel::ThreadPool::new()?;
/// let (sum, profile) = pool.profile(|| (0..1000_u64).into_par_iter().sum::<u64>());
/// assert_eq!(sum, 499_500);
/// assert_eq!(profile.taskels(), 1000);
/// println!("{profile}");
/// # Ok::<(), taskel::ThreadPoolBuildError>(())
/// ```
///
/// # What is counted
///
/// A *taskel* is one item of a parallel loop, a *chunk* the run of taskels that a worker takes at a
/// time and that is timed as one. A loop inside a taskel of another loop is part of that taskel's
/// time: its taskels and chunks are counted, its time is not added a second time.
#[derive(Clone, Debug)]
pub struct Profile {
    start_ns: u64,
    wall_ns: u64,
    threads: usize,
    workers: Vec<WorkerProfile>,
    chunk_sizes: ChunkSizes,
    /// Of the recorder itself.
    costs: Costs,
}

/// What one worker did during a [`Profile`].
///
/// A thread from outside the pool that took part in its own loop did so in the place of a worker, and
/// is in that one's `WorkerProfile`; or it has one of its own.
///
/// ```
/// use taskel::prelude::*;
///
/// let pool = taskel::ThreadPool::new()?;
/// let ((), profile) = pool.profile(|| (0..1000).into_par_iter().for_each(|_| ()));
/// let taskels: u64 = profile.workers().iter().map(|worker| worker.taskels()).sum();
/// assert_eq!(taskels, 1000);
/// # Ok::<(), taskel::ThreadPoolBuildError>(())
/// ```
#[derive(Clone, Debug)]
pub struct WorkerProfile {
    lane: usize,
    label: String,
    record: Recorder,
    counters: Counts,
    guest: Option<Guest>,
    /// How long the profile is; 0 of a thread that has not been in a worker's place alone.
    wall_ns: u64,
    is_outsider: bool,
}

/// A thread from outside that worked in the worker's place.
#[derive(Clone, Debug)]
struct Guest {
    lane: usize,
    calls: Calls,
}

impl Profile {
    /// Puts the lanes of a profiled stretch of time together. The clock is the recorders'.
    ///
    /// `threads` is how many of the lanes can be busy at once.
    pub(crate) fn assemble(
        start_ns: u64,
        end_ns: u64,
        threads: usize,
        mut workers: Vec<WorkerProfile>,
    ) -> Profile {
        let mut chunk_sizes = ChunkSizes::default();
        let wall_ns = end_ns.saturating_sub(start_ns);
        for worker in &mut workers {
            worker.wall_ns = if worker.is_outsider { 0 } else { wall_ns };
            chunk_sizes.absorb(&worker.record.chunk_sizes);
        }
        Profile { start_ns, wall_ns, threads, workers, chunk_sizes, costs: Costs::default() }
    }

    /// Says what it took to write down a call, which is none of the program's time.
    pub(crate) fn with_costs(self, costs: Costs) -> Self {
        Profile { costs, ..self }
    }

    /// How long the profiled code took, by the clock on the wall.
    pub fn wall_time(&self) -> Duration {
        Duration::from_nanos(self.wall_ns)
    }

    /// The time spent in taskels, in closures of joins and in scopes and their tasks, summed over all
    /// workers.
    ///
    /// It includes what chunks cost beside their taskels, a few nanoseconds each. What is inside of
    /// something else that the same worker does is counted once.
    pub fn taskel_time(&self) -> Duration {
        Duration::from_nanos(self.busy_ns())
    }

    /// The share of the available time that was spent in taskels:
    /// [`taskel_time`](Self::taskel_time) / ([`threads`](Self::threads) ×
    /// [`wall_time`](Self::wall_time)).
    ///
    /// It is 0 when no time passed. It can exceed 1 when several threads from outside the pool run
    /// loops at the same time, since each of them takes part in its own.
    pub fn utilisation(&self) -> f64 {
        share(self.busy_ns(), self.wall_ns.saturating_mul(self.threads as u64))
    }

    /// How many threads' worth of taskels ran at a time, on average:
    /// [`taskel_time`](Self::taskel_time) / [`wall_time`](Self::wall_time). It is below 1 where
    /// much is in no parallel call, and 0 when no time passed.
    pub fn speed_up(&self) -> f64 {
        share(self.busy_ns(), self.wall_ns)
    }

    /// The longest taskel, as far as chunks tell: the largest mean time per taskel of any chunk.
    ///
    /// This is exact for a taskel that is a chunk by itself, as any taskel of more than about 8 µs
    /// soon is, and a lower bound otherwise.
    pub fn longest_taskel(&self) -> Duration {
        Duration::from_nanos(
            self.workers.iter().map(|worker| worker.record.longest_taskel_ns).max().unwrap_or(0),
        )
    }

    /// How many threads a loop of the pool can run on at once.
    pub fn threads(&self) -> usize {
        self.threads
    }

    /// How many taskels ran, those of nested loops included.
    pub fn taskels(&self) -> u64 {
        self.total(WorkerProfile::taskels)
    }

    /// How many chunks the taskels were grouped into, those of nested loops included.
    pub fn chunks(&self) -> u64 {
        self.total(WorkerProfile::chunks)
    }

    /// The workers, in the order of their index, followed by threads from outside the pool that
    /// took part. A thread that worked in the place of one worker, which did nothing meanwhile, has
    /// one row with that, unless others have had that place as well.
    pub fn workers(&self) -> &[WorkerProfile] {
        &self.workers
    }

    /// How many chunks there were of each size: pairs of the smallest size of a bucket and its
    /// number of chunks.
    ///
    /// A bucket reaches up to twice its smallest size, exclusive. Buckets come in ascending order;
    /// empty ones are left out. The numbers add up to [`chunks`](Self::chunks).
    ///
    /// ```
    /// use taskel::prelude::*;
    ///
    /// let pool = taskel::ThreadPool::builder().num_threads(1).build()?;
    /// let exactly_12 = taskel::Chunk::Exact(12);
    /// let ((), profile) = pool.profile(|| (0..120).into_par_iter().chunk(exactly_12).for_each(|_| ()));
    /// assert_eq!(profile.chunk_sizes().collect::<Vec<_>>(), [(8, 10)]); // ten chunks of 8..16 taskels
    /// # Ok::<(), taskel::ThreadPoolBuildError>(())
    /// ```
    pub fn chunk_sizes(&self) -> impl Iterator<Item = (usize, u64)> + '_ {
        self.chunk_sizes.buckets()
    }

    /// What items waited for anything but a processor.
    fn waited(&self) -> Waited {
        let of_ns = self.total(|worker| worker.record.waits.of_ns);
        let ns = self.total(|worker| worker.record.waits.ns);
        Waited::new(of_ns, ns, self.total(|worker| worker.record.waits.preempted_ns))
    }

    fn busy_ns(&self) -> u64 {
        self.total(|worker| worker.record.busy_ns)
    }

    fn total(&self, of: impl Fn(&WorkerProfile) -> u64) -> u64 {
        self.workers.iter().map(of).fold(0, u64::saturating_add)
    }
}

impl WorkerProfile {
    /// Adds what a thread from outside did that worked in this worker's place.
    pub(crate) fn absorb(&mut self, caller: WorkerProfile) {
        self.label = format!("{} + {}", self.label, caller.label);
        self.record.absorb(&caller.record);
        self.counters.absorb(caller.counters);
        self.guest = Some(Guest { lane: caller.lane, calls: caller.record.calls });
    }

    /// Says that this is no worker.
    pub(crate) fn of_outsider(self) -> Self {
        WorkerProfile { is_outsider: true, ..self }
    }

    /// Whether other lanes know it by this number.
    fn is_lane(&self, lane: usize) -> bool {
        self.lane == lane || self.guest.as_ref().is_some_and(|guest| guest.lane == lane)
    }

    /// The calls that were made here, by each thread.
    fn logs(&self) -> impl Iterator<Item = &Calls> + Clone {
        std::iter::once(&self.record.calls).chain(self.guest.iter().map(|guest| &guest.calls))
    }

    /// Who this is: `worker` and its index; `caller`, for a thread from outside the pool; or
    /// `worker 1 + caller`, for both.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// The time spent in chunks, closures of joins, scopes and their tasks. What is inside of
    /// another one on this worker lies within that.
    pub fn busy_time(&self) -> Duration {
        Duration::from_nanos(self.record.busy_ns)
    }

    /// How long taskels here had no processor: they waited for a lock, for input or output, or slept,
    /// or others [had it](Self::preempted). Up to [`busy_time`](Self::busy_time); 0 where the system
    /// does not tell, and of chunks below 200 µs only what adds up to more.
    pub fn without_processor(&self) -> Duration {
        Duration::from_nanos(self.record.waits.ns)
    }

    /// As much of [`without_processor`](Self::without_processor) as others had the processor for:
    /// much, and the machine is busy with something else. Linux tells; elsewhere, it is 0.
    pub fn preempted(&self) -> Duration {
        Duration::from_nanos(self.record.waits.preempted_ns)
    }

    /// How long this worker slept for want of work. A thread from outside that worked in its place
    /// sleeps here only while it waits for other workers.
    pub fn parked(&self) -> Duration {
        Duration::from_nanos(self.record.parked_ns.min(self.wall_ns.saturating_sub(self.record.busy_ns)))
    }

    /// How long it was awake and had no item: it looked for work, or waited with open eyes. Where a
    /// thread from outside worked in its place, what that did between parallel calls is in here as
    /// well, unless the worker slept. A thread from outside that has a row of its own neither
    /// searches nor is parked.
    pub fn searching(&self) -> Duration {
        Duration::from_nanos(self.wall_ns).saturating_sub(self.busy_time()).saturating_sub(self.parked())
    }

    /// How many taskels ran here, those of nested loops included.
    pub fn taskels(&self) -> u64 {
        self.record.taskels
    }

    /// How many chunks ran here, those of nested loops included.
    pub fn chunks(&self) -> u64 {
        self.record.chunks
    }

    /// How often this worker looked for work with another one.
    pub fn steals_tried(&self) -> u64 {
        self.counters.steals_tried
    }

    /// How often it found some.
    pub fn steals_won(&self) -> u64 {
        self.counters.steals_won
    }

    /// How often this worker was woken from its sleep.
    pub fn wakeups(&self) -> u64 {
        self.counters.wakeups
    }

    /// How often it went to sleep for want of work.
    pub fn parks(&self) -> u64 {
        self.counters.parks
    }

    /// How long a [memory guard](crate::ThreadPoolBuilder::memory_guard) kept this worker from work
    /// that there was.
    pub fn held_back(&self) -> Duration {
        self.counters.held_back
    }
}

/// `part / whole`, and 0 when there is no whole.
fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// Number of chunks by size: bucket `i` counts sizes in `2^i .. 2^(i+1)`.
#[derive(Clone, Debug)]
struct ChunkSizes([u64; usize::BITS as usize]);

impl Default for ChunkSizes {
    fn default() -> Self {
        ChunkSizes([0; usize::BITS as usize])
    }
}

impl ChunkSizes {
    /// Counts a chunk of `taskels`, of which there is at least one.
    fn count(&mut self, taskels: usize) {
        self.add(taskels, 1);
    }

    fn add(&mut self, taskels: usize, chunks: u64) {
        self.0[taskels.ilog2() as usize] += chunks;
    }

    fn absorb(&mut self, other: &ChunkSizes) {
        for (mine, theirs) in self.0.iter_mut().zip(other.0) {
            *mine += theirs;
        }
    }

    fn buckets(&self) -> impl Iterator<Item = (usize, u64)> + '_ {
        self.0.iter().enumerate().filter(|&(_, &n)| n > 0).map(|(power, &n)| (1 << power, n))
    }
}
