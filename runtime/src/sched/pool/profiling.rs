//! Takes a profile: gives every lane a recorder, runs the code, and collects them.

use super::metrics::WorkerMetrics;
use super::{PoolState, ThreadPool, current};
use crate::profile::calls::CallId;
use crate::profile::recorder::{Costs, Counts, Place, Recorder};
use crate::profile::{Profile, WorkerProfile};
use crate::sched::lane::{Lane, LaneContext, Seat};
use crate::sched::recorded;
use crate::sync::{AtomicU32, AtomicU64, Mutex, Ordering};

impl ThreadPool {
    /// Runs `op` like [`install`](ThreadPool::install), and returns what the workers did meanwhile.
    ///
    /// Profiles may be taken inside each other and from several threads at once; each sees
    /// everything that happens on the pool during its time. While no profile is being taken,
    /// profiling costs a load per loop, scope and piece of work that a worker takes up. While one
    /// is, even loops too small to share run in timed chunks.
    ///
    /// ```
    /// use taskel::prelude::*;
    ///
    /// let pool = taskel::ThreadPool::new()?;
    /// let (sum, profile) = pool.profile(|| (0..10_000_u64).into_par_iter().map(|n| n * n).sum::<u64>());
    /// assert_eq!(sum, 333_283_335_000);
    /// assert_eq!(profile.taskels(), 10_000);
    /// println!("{profile}");
    /// # Ok::<(), taskel::ThreadPoolBuildError>(())
    /// ```
    ///
    /// # Panics
    ///
    /// When `op` does; the profile is then lost.
    pub fn profile<R>(&self, op: impl FnOnce() -> R) -> (R, Profile) {
        if !self.state.is_usable() {
            // Left behind by a fork, perhaps in the middle of something, and nobody works for it
            // any more.
            return (op(), Profile::assemble(0, 0, 1, Vec::new()));
        }
        let costs = self.state.costs_of_a_call();
        let recording = Recording::start(&self.state);
        current::look_whether_joins_are_recorded();
        let start = self.state.now_ns();
        let result = current::enter(&self.state, op);
        let end = self.state.now_ns();
        (result, recording.finish(start, end).with_costs(costs))
    }
}

/// The profiles that are being taken.
pub(super) struct Profiling {
    /// How many; a hint.
    count: AtomicU32,
    /// How many calls have been recorded, of all profiles.
    calls: AtomicU64,
    /// The profiles. A thread that adds or removes one, or makes lanes, holds the lock. So each
    /// lane has a recorder for each profile.
    ids: Mutex<Ids>,
}

struct Ids {
    next: u64,
    now: Vec<u64>,
}

impl Profiling {
    pub(super) fn new() -> Self {
        Profiling {
            count: AtomicU32::new(0),
            calls: AtomicU64::new(0),
            ids: Mutex::new(Ids { next: 0, now: Vec::new() }),
        }
    }

    /// Calls `make`, which adds recorders to lanes before anyone else knows of them.
    pub(super) fn make_lanes(&self, make: impl FnOnce(&dyn Fn(&Lane))) {
        let ids = lock(&self.ids);
        make(&|lane| lock(&lane.recorders).extend(ids.now.iter().map(|&id| (id, Recorder::new()))));
    }
}

impl PoolState {
    /// Whether loops write down what they do.
    #[inline]
    pub(crate) fn profiling(&self) -> bool {
        self.profiling.count.load(Ordering::Relaxed) > 0
    }

    pub(crate) fn now_ns(&self) -> u64 {
        self.ns_since_start(self.clock.now())
    }

    /// What it takes to tell a profile of a call; nothing where others are being taken, which would
    /// hear of it.
    fn costs_of_a_call(&self) -> Costs {
        if self.profiling() {
            return Costs::default();
        }
        let _nobodys = Recording::start(self);
        recorded::costs(self)
    }

    /// A name for a call that a profile sees; never 0.
    pub(crate) fn next_call(&self) -> CallId {
        self.profiling.calls.fetch_add(1, Ordering::Relaxed) + 1
    }
}

/// A profile being taken; ends when dropped.
struct Recording<'p> {
    pool: &'p PoolState,
    id: u64,
    before: Vec<WorkerMetrics>,
}

impl<'p> Recording<'p> {
    fn start(pool: &'p PoolState) -> Self {
        let mut ids = lock(&pool.profiling.ids);
        let id = ids.next;
        ids.next += 1;
        ids.now.push(id);
        let before: Vec<WorkerMetrics> = pool.lanes().map(WorkerMetrics::of).collect();
        for (lane, before) in pool.lanes().zip(&before) {
            let mut recorder = Recorder::new();
            if before.parks() > before.wakeups() {
                recorder.parked(pool.now_ns());
            }
            lock(&lane.recorders).push((id, recorder));
        }
        pool.profiling.count.fetch_add(1, Ordering::Relaxed);
        Recording { pool, id, before }
    }

    fn finish(mut self, start_ns: u64, end_ns: u64) -> Profile {
        let threads = self.pool.num_threads();
        // Lanes that were made since had counted nothing.
        let before =
            std::mem::take(&mut self.before).into_iter().chain(std::iter::repeat(WorkerMetrics::default()));
        let mut workers: Vec<WorkerProfile> = Vec::new();
        let mut callers: Vec<(WorkerProfile, Place)> = Vec::new();
        for ((index, lane), before) in self.pool.lanes().enumerate().zip(before) {
            let Some(mut recorder) = self.take(lane) else { continue };
            recorder.stop(end_ns);
            let now = WorkerMetrics::of(lane);
            let counters = Counts {
                steals_tried: now.steals_tried() - before.steals_tried(),
                steals_won: now.steals_won() - before.steals_won(),
                wakeups: now.wakeups() - before.wakeups(),
                parks: now.parks() - before.parks(),
                held_back: now.held_back().saturating_sub(before.held_back()),
            };
            let external = index.checked_sub(threads);
            if external.is_some() && recorder.is_empty() {
                continue;
            }
            let label = match external {
                None => format!("worker {index}"),
                Some(0) => "caller".to_owned(),
                Some(external) => format!("caller {}", external + 1),
            };
            let place = recorder.place();
            let row = recorder.into_worker(self.pool.slot_of(index).0, label, counters);
            match external {
                None => workers.push(row),
                Some(_) => callers.push((row, place)),
            }
        }
        let places: Vec<Place> = callers.iter().map(|&(_, place)| place).collect();
        for (row, place) in callers {
            let is_alone = places.iter().filter(|&&other| may_meet(other, place)).count() == 1;
            match place {
                Place::OfWorker(worker) if is_alone => workers[worker].absorb(row),
                _ => workers.push(row.of_outsider()),
            }
        }
        Profile::assemble(start_ns, end_ns, threads, workers)
    }

    fn take(&self, lane: &Lane) -> Option<Recorder> {
        let mut recorders = lock(&lane.recorders);
        let index = recorders.iter().position(|&(id, _)| id == self.id)?;
        Some(recorders.swap_remove(index).1)
    }
}

impl Drop for Recording<'_> {
    fn drop(&mut self) {
        let profiling = &self.pool.profiling;
        profiling.count.fetch_sub(1, Ordering::Relaxed);
        let mut ids = lock(&profiling.ids);
        ids.now.retain(|&id| id != self.id);
        for lane in self.pool.lanes() {
            self.take(lane);
        }
    }
}

impl LaneContext<'_> {
    /// Lets every profile that is being taken see what this lane does.
    pub(crate) fn record(&self, mut what: impl FnMut(&mut Recorder)) {
        for (_, recorder) in lock(&self.lane().recorders).iter_mut() {
            if let Seat::OfWorker(worker) = self.seat() {
                recorder.in_place_of(worker);
            }
            what(recorder);
        }
    }

    /// Sleeps by `park`, and counts that.
    pub(crate) fn sleep(&self, park: impl FnOnce()) {
        let counters = &self.lane().counters;
        counters.parks.add(1);
        if self.pool().profiling() {
            self.tell(Recorder::parked);
        }
        park();
        counters.wakeups.add(1);
        if self.pool().profiling() {
            self.tell(Recorder::woke_up);
        }
    }

    #[cold]
    fn tell(&self, what: fn(&mut Recorder, u64)) {
        let now_ns = self.pool().now_ns();
        self.record(|recorder| what(recorder, now_ns));
    }
}

/// Whether two lanes may have had the place of a worker at the same time.
fn may_meet(one: Place, other: Place) -> bool {
    one == other || one == Place::OfSeveral
}

/// What is inside is whole whenever the lock is free, poisoned or not: no user code runs under it.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}
