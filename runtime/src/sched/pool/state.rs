//! The state that the lanes of a pool share.
//!
//! # External callers
//!
//! A loop runs on at most as many threads as the pool has workers, and its caller is one of them.
//! So a caller from outside takes the seat of a worker: of the worker that belongs to the caller's
//! core (`sched_getcpu`), or else of any worker that has its seat. That worker is *displaced*: it
//! is not woken for loops, and does not look for work until the external caller is gone. So the two
//! do not share a core while another core is idle. When the external caller leaves and an
//! invitation is there, it wakes the worker. If there are more external callers than workers,
//! several have the seat of one worker, which gets it back when the last of them leaves.
//!
//! Eight external lanes are made with the pool. Further ones are made when all are in use, in
//! blocks that double and never move ([`Table`]).

use std::cmp::Reverse;
use std::sync::{Arc, Weak};
use std::thread;

use crossbeam_utils::CachePadded;

use super::builder::{IdlePolicy, PanicHandler};
use super::current::Visit;
use super::injector::{Detached, Queues, Work};
use super::places::Places;
use super::profiling::Profiling;
use super::reserve::Reserves;
use super::threads::Ended;
use crate::containers::table::Table;
use crate::memory::Guard;
use crate::os::affinity;
use crate::os::clock::{Clock, Ticks};
use crate::os::fork::Generation;
use crate::os::topology::{StealOrder, Topology, steal_orders};
use crate::protocol::lease::Lease;
use crate::protocol::shutdown::Shutdown;
use crate::protocol::sleep::Sleep;
use crate::sched::job::{Ancestor, Job};
use crate::sched::lane::{Lane, LaneContext, Seat};
use crate::sched::loop_slots::SlotIndex;
use crate::sched::scope::ScopeQueue;
use crate::sched::unwind::{self, Payload};
use crate::sync::{AtomicU32, Fences, Ordering};

/// How many external lanes a pool is made with. Searching workers look at those of them that were
/// leased once, and at those of all others that are leased now.
const FIRST_EXTERNAL: usize = 8;
const _: () = assert!(FIRST_EXTERNAL <= Lease::MOST_FIRST);

/// What is on offer on a lane.
enum Offer {
    Job(usize),
    Scope(usize),
}

/// So that one look, which each chunk is preceded by anyway, tells of several loops or of a guard.
const GUARDED: u32 = 1 << 31;

/// How many lanes with jobs a thief compares before it chooses one.
const LOOKED_AT: usize = 32;

/// Lanes `0..num_threads` belong to the workers, those behind to external callers.
pub(crate) struct PoolState {
    this: Weak<PoolState>,
    panic_handler: Option<PanicHandler>,
    /// Holds workers back when memory is short.
    pub(super) guard: Option<Guard>,
    /// The process in which the threads are.
    generation: Generation,
    /// How many loops are open that are inside no other on their callers' lanes; a hint. With a
    /// guard, [`GUARDED`] more.
    pub(crate) open_loops: CachePadded<AtomicU32>,
    /// How many want a worker to keep looking for work.
    pub(super) hot: AtomicU32,
    num_threads: usize,
    lanes: Table<CachePadded<Lane>>,
    /// By lane. The last one is that of the lanes that were not made with the pool, which are in
    /// none.
    steal_orders: Vec<StealOrder>,
    pub(super) places: Places,
    /// There are more workers than cores, so a waiting thread gives its core away instead of
    /// spinning.
    pub(super) oversubscribed: bool,
    pub(super) idle: IdlePolicy,
    pub(crate) clock: Clock,
    /// The origin of the times in profiles.
    start: Ticks,
    pub(crate) sleep: Sleep,
    queues: Queues,
    pub(super) shutdown: Shutdown,
    lease: Lease,
    pub(super) reserves: Reserves,
    pub(super) ended: Ended,
    pub(super) profiling: Profiling,
}

impl PoolState {
    /// A pool of `cores.len()` workers, where worker `i` belongs to `cores[i]`, or to nothing:
    /// pinned, or `placed`.
    pub(super) fn new(
        cores: &[Option<usize>],
        placed: bool,
        idle: IdlePolicy,
        panic_handler: Option<PanicHandler>,
        guard: Option<Guard>,
        reserves: Reserves,
    ) -> Arc<Self> {
        let num_threads = cores.len();
        let num_lanes = num_threads + FIRST_EXTERNAL;
        let mut lane_cores = cores.to_vec();
        lane_cores.resize(num_lanes, None);
        /// How many pools there were.
        static POOLS: AtomicU32 = AtomicU32::new(0);
        let number = POOLS.fetch_add(1, Ordering::Relaxed) as usize;
        let oversubscribed = affinity::are_more_than_cores(num_threads);
        // As early as can be: the process may have no other threads yet.
        Fences::now();
        let lanes = Table::new((0..num_lanes).map(new_lane), Lease::BLOCK);
        let steal_orders = steal_orders(&lane_cores, &Topology::of_this_machine(&lane_cores));
        // As late as can be: it may have to wait.
        let clock = Clock::new();
        Arc::new_cyclic(|this| PoolState {
            this: Weak::clone(this),
            panic_handler,
            generation: Generation::watched(),
            open_loops: CachePadded::new(AtomicU32::new(if guard.is_some() { GUARDED } else { 0 })),
            guard,
            hot: AtomicU32::new(0),
            num_threads,
            lanes,
            steal_orders,
            places: Places::new(cores, placed, number),
            oversubscribed,
            idle,
            clock,
            start: clock.now(),
            sleep: Sleep::new(num_lanes),
            queues: Queues::new(num_threads),
            shutdown: Shutdown::new(),
            lease: Lease::new(FIRST_EXTERNAL),
            reserves,
            ended: Ended::default(),
            profiling: Profiling::new(),
        })
    }

    /// Whether the pool has threads, and they are in this process. (They may have ended. Then a
    /// thread that comes is alone, and must [hold](Self::hold) the pool for what it cannot do
    /// alone.)
    #[inline]
    pub(crate) fn is_usable(&self) -> bool {
        super::threads::EXIST && self.generation.is_current()
    }

    /// One reference more.
    pub(crate) fn shared(&self) -> Arc<Self> {
        self.this.upgrade().expect("whoever borrows the pool holds a reference")
    }

    /// What becomes of a panic that nobody can be told of.
    pub(crate) fn handle_panic(pool: Option<&Self>, payload: Payload) {
        let Some(handler) = pool.and_then(|pool| pool.panic_handler.as_ref()) else {
            // Of any other, the panic hook has told.
            unwind::tell_if_cancelled(&payload);
            std::process::abort();
        };
        if let Err(payload) = unwind::catch(|| handler(payload)) {
            unwind::tell_if_cancelled(&payload);
            std::process::abort();
        }
    }

    pub(crate) fn num_threads(&self) -> usize {
        self.num_threads
    }

    pub(crate) fn lane(&self, index: usize) -> &Lane {
        &self.lanes[index]
    }

    /// Lane `index`. This thread may know the index from a hint that came before the lane was
    /// there.
    pub(crate) fn find_lane(&self, index: usize) -> Option<&Lane> {
        self.lanes.get(index).map(|lane| &**lane)
    }

    /// All lanes that there are by now.
    pub(super) fn lanes(&self) -> impl Iterator<Item = &Lane> {
        self.lanes.iter().map(|lane| &**lane)
    }

    /// One entry for each lane, in which further ones can be made.
    pub(crate) fn table_by_lane<T>(&self, make: impl FnMut(usize) -> T) -> Table<T> {
        Table::new((0..self.num_threads + FIRST_EXTERNAL).map(make), Lease::BLOCK)
    }

    /// How many slots a loop has: one per worker, and one for [an external
    /// caller](crate::protocol::external_slot).
    pub(crate) fn slots(&self) -> usize {
        self.num_threads + 1
    }

    /// The slot of `lane` in any loop.
    pub(crate) fn slot_of(&self, lane: usize) -> SlotIndex {
        SlotIndex(lane.min(self.num_threads))
    }

    /// Which of the `num_threads` shares of a loop is `lane`'s: its own, or that of a worker whose
    /// seat it took.
    pub(crate) fn seat_of(&self, lane: usize) -> usize {
        if lane < self.num_threads {
            return lane;
        }
        (0..self.num_threads).find(|&worker| self.sleep.is_displaced(worker)).unwrap_or(0)
    }

    /// How many outermost loops are open; a hint.
    #[inline]
    pub(crate) fn open_loops(&self) -> u32 {
        self.open_loops.load(Ordering::Relaxed) & !GUARDED
    }

    /// Whether lanes are to be asked between two chunks if they leave: there are several loops, or
    /// there is a guard.
    #[inline]
    pub(crate) fn may_call_lanes_away(&self) -> bool {
        self.open_loops.load(Ordering::Relaxed) > 1
    }

    /// Passes a moment without work: some 40 ns.
    pub(crate) fn pause(&self) {
        if self.oversubscribed {
            thread::yield_now();
        } else {
            std::hint::spin_loop();
        }
    }

    /// The slots of a loop in the order in which `lane` should look for victims: in the place of
    /// the first external lane comes that of the external caller.
    pub(crate) fn victims(&self, lane: usize, random: usize) -> impl Iterator<Item = SlotIndex> {
        self.order(lane, random).filter(|&victim| victim <= self.num_threads).map(SlotIndex)
    }

    /// Looks for work everywhere except on `lane`. Work that callers wait for comes first, and of
    /// that, the work of least depth. Jobs of lanes that `may_steal_from` excludes are left alone.
    ///
    /// A lane that has opened deep work waits for its end, and can do little else then. So as long
    /// as there is other work, that lane should do all of it itself.
    pub(crate) fn find_work(
        &self,
        lane: usize,
        random: usize,
        may_steal_from: impl Fn(usize) -> bool,
    ) -> Option<Work> {
        while let Some(offer) = self.choose_offer(lane, random, &may_steal_from) {
            let work = match offer {
                Offer::Job(victim) => self.lane(victim).steal_job().map(|job| Work::Stolen(job, victim)),
                Offer::Scope(victim) => self.steal_scope(victim).map(|scope| Work::Detached(scope)),
            };
            if work.is_some() {
                return work;
            }
        }
        self.queues.take_stray().map(Work::Job).or_else(|| self.find_detached())
    }

    /// The oldest half of a join on some lane that `may_steal_from` does not rule out, or among
    /// what was put back.
    pub(crate) fn find_half(&self, lane: usize, may_steal_from: impl Fn(usize) -> bool) -> Option<Work> {
        let offers =
            |&other: &usize| other != lane && self.lanes[other].offers_half() && may_steal_from(other);
        let rank = |&other: &usize| (self.lanes[other].front_depth(), Reverse(self.lanes[other].jobs()));
        while let Some(victim) = self.all_lanes_in_use().filter(offers).min_by_key(rank) {
            let Some(job) = self.lanes[victim].steal_job() else { continue };
            // SAFETY: the job came off a deque just now.
            if unsafe { job.rank() }.is_half() {
                return Some(Work::Stolen(job, victim));
            }
            self.lanes[victim].note_stolen();
            // The loop's caller may sleep until all its invitations have come back, and no worker
            // be idle.
            self.put_back(job);
        }
        self.queues.take_stray_half().map(Work::Job)
    }

    /// Whether a half of a join lies somewhere; a hint.
    pub(super) fn any_half(&self) -> bool {
        self.all_lanes_in_use().any(|lane| self.lanes[lane].offers_half()) || self.queues.has_stray_half()
    }

    fn choose_offer(
        &self,
        lane: usize,
        random: usize,
        may_steal_from: impl Fn(usize) -> bool,
    ) -> Option<Offer> {
        let (mut best, mut looked_at) = (None, 0);
        for index in self.others_in_use(lane, random) {
            let victim = &self.lanes[index];
            if victim.has_job() && may_steal_from(index) {
                let rank = (victim.front_depth(), Reverse(victim.jobs()));
                if best.is_none_or(|(least, _)| rank < least) {
                    best = Some((rank, index));
                }
                looked_at += 1;
                if looked_at == LOOKED_AT {
                    break;
                }
            }
            if victim.has_open_scope() {
                return Some(Offer::Scope(index));
            }
        }
        best.map(|(_, victim)| Offer::Job(victim))
    }

    /// The oldest work that was handed to the pool itself.
    pub(crate) fn find_detached(&self) -> Option<Work> {
        self.queues.take_detached().map(Work::Detached)
    }

    /// Looks on `victim` for a job that `lane`, which waits for `ancestor`, may run. Other jobs
    /// that it finds there go to lanes that may run them.
    pub(crate) fn steal_for(&self, ancestor: Ancestor, lane: &LaneContext<'_>, victim: usize) -> Option<Job> {
        let victim = &self.lanes[victim];
        let job = victim.has_job().then(|| victim.steal_job())??;
        victim.note_stolen();
        // SAFETY: the job came off a deque just now.
        if unsafe { job.is_for(ancestor, lane) } {
            return Some(job);
        }
        self.put_back(job);
        None
    }

    /// As `steal_for`, for scopes that have tasks for others.
    pub(crate) fn steal_scope(&self, victim: usize) -> Option<Arc<ScopeQueue>> {
        let victim = &self.lanes[victim];
        victim.has_open_scope().then(|| victim.steal_open_scope())?
    }

    /// A job that was put back, and that `lane`, which waits for `ancestor`, may run.
    pub(crate) fn take_stray_for(&self, ancestor: Ancestor, lane: &LaneContext<'_>) -> Option<Job> {
        self.queues.take_stray_for(ancestor, lane)
    }

    pub(crate) fn put_back(&self, job: Job) {
        self.lay_aside(job);
        self.tell_of_strays();
    }

    /// Puts a job where any lane that may run it finds it, once it is [told](Self::tell_of_strays)
    /// of it.
    pub(crate) fn lay_aside(&self, job: Job) {
        self.queues.push_stray(job);
    }

    /// Makes sure that a lane looks for the work that was put back.
    pub(crate) fn tell_of_strays(&self) {
        self.wake_any();
        self.sleep.wake_all_waiting(self.all_lanes_in_use());
    }

    /// Leaves a job that its lane could run to a lane that is idle, or becomes idle.
    pub(crate) fn hand_on(&self, job: Job) {
        self.queues.push_stray(job);
        self.wake_any();
    }

    /// Hands work to the pool: some worker will do it, even if all seats are taken by external
    /// callers, unless the pool ends first, from which a [hold](Self::hold) keeps it.
    pub(crate) fn inject(&self, work: Arc<dyn Detached>) {
        self.queues.push_detached(work);
        self.wake_any();
    }

    /// As `inject`, for what a worker of another pool waits for: workers that wait
    /// [outside](crate::sched::outside) come to it as well.
    pub(crate) fn call(&self, work: Arc<dyn Detached>) {
        self.queues.push_call(work);
        self.wake_any();
        self.sleep.wake_all_waiting(self.all_lanes_in_use());
    }

    pub(crate) fn has_call(&self) -> bool {
        self.queues.has_call()
    }

    pub(crate) fn find_call(&self) -> Option<Work> {
        self.queues.take_call().map(Work::Detached)
    }

    /// Hands work to one worker, which runs it between two pieces of other work, or while it waits.
    /// The pool is held meanwhile.
    pub(crate) fn send(&self, worker: usize, work: Work) {
        self.lanes[worker].post(work);
        self.sleep.wake(worker);
    }

    /// Makes sure that some worker looks for detached work, unless all are at work.
    pub(super) fn wake_any(&self) {
        self.sleep.wake_any(self.places.all());
    }

    pub(super) fn any_work(&self) -> bool {
        self.any_work_beside(None)
    }

    /// Whether there is work that does not lie on the lane `this`.
    fn any_work_beside(&self, this: Option<usize>) -> bool {
        self.all_lanes_in_use().any(|lane| Some(lane) != this && self.lanes[lane].has_work())
            || self.queues.has_stray()
            || self.queues.has_detached()
    }

    /// How many pieces of work lie somewhere; a hint, and no less than 1 if there are any.
    pub(super) fn amount_of_work(&self) -> usize {
        let on_lanes: usize = self.all_lanes_in_use().map(|lane| self.lanes[lane].amount_of_work()).sum();
        on_lanes + usize::from(self.queues.has_stray()) + usize::from(self.queues.has_detached())
    }

    pub(super) fn any_detached(&self) -> bool {
        self.queues.has_detached()
    }

    /// Whether there is such a job.
    pub(crate) fn has_stray_for(&self, ancestor: Ancestor, lane: &LaneContext<'_>) -> bool {
        self.queues.has_stray_for(ancestor, lane)
    }

    /// Those of `first`, lanes that were made with the pool, which work may lie on; and all such
    /// further lanes, as often before as after them.
    fn lanes_in_use(&self, first: impl Iterator<Item = usize>, random: usize) -> impl Iterator<Item = usize> {
        let may_have_work =
            |&lane: &usize| lane < self.num_threads || self.lease.is_known(lane - self.num_threads);
        let first = first.filter(may_have_work);
        let later = move |now: bool| {
            let held = now.then(|| self.lease.later_held(random));
            held.into_iter().flatten().map(|external| self.num_threads + external)
        };
        // Another bit than those that choose among few.
        let before = random & 1 << 20 != 0;
        later(before).chain(first).chain(later(!before))
    }

    pub(crate) fn all_lanes_in_use(&self) -> impl Iterator<Item = usize> {
        self.lanes_in_use(0..self.num_threads + FIRST_EXTERNAL, 0)
    }

    /// All other lanes in use, in the order in which `lane` looks there.
    pub(crate) fn others_in_use(&self, lane: usize, random: usize) -> impl Iterator<Item = usize> {
        self.lanes_in_use(self.order(lane, random), random)
    }

    /// The other lanes that were made with the pool, in the order in which `lane` looks there.
    fn order(&self, lane: usize, random: usize) -> impl Iterator<Item = usize> + Clone {
        self.steal_orders[lane.min(self.steal_orders.len() - 1)].starting_at(random)
    }

    /// Makes sure that some worker looks for the job that `lane` has just pushed, unless all are at
    /// work.
    pub(crate) fn wake_one(&self, lane: usize, random: usize) {
        let order = self.places.quiet_first(self.order(lane, random));
        self.sleep.wake_one(order, self.waiting(lane, random));
    }

    /// Wakes workers like `wake_one`, for `count` jobs, even if lanes are already searching.
    pub(crate) fn wake_several(&self, lane: usize, random: usize, count: u32) {
        let order = self.places.quiet_first(self.order(lane, random));
        self.sleep.wake_several(order, self.waiting(lane, random), count);
    }

    /// The lanes in the order in which they are called back from their waits for what `lane` has
    /// pushed: those first that wait for a lane for which this one works, from which that descends.
    fn waiting(&self, lane: usize, random: usize) -> impl Iterator<Item = usize> {
        let works_for = |&other: &usize| self.find_lane(other)?.works_for();
        let above = std::iter::successors(Some(lane), works_for).take(self.num_threads + FIRST_EXTERNAL);
        let waits_for_one = move |&other: &usize| {
            self.lanes[other].waits_for().is_some_and(|lane| above.clone().any(|above| above == lane))
        };
        let order = self.order(lane, random);
        order.clone().filter(waits_for_one).chain(order)
    }

    pub(crate) fn ns_since_start(&self, ticks: Ticks) -> u64 {
        self.clock.ns_between(self.start, ticks)
    }

    /// Ends a hold that was [forgotten](std::mem::forget), or that of the handle.
    pub(crate) fn release(&self) {
        self.shutdown.release(&self.sleep, self.num_threads);
        if self.is_over() {
            self.reserves.end();
        }
    }

    pub(super) fn is_over(&self) -> bool {
        self.shutdown.over()
    }

    /// Leases a lane to the calling thread, which is no worker.
    pub(super) fn enter_external(&self, visit: Visit) -> ExternalCaller<'_> {
        let external = self.lease.acquire(|externals| self.make_lanes(self.num_threads + externals));
        let seat = match visit {
            Visit::ToCompute => {
                let worker = self.worker_to_displace(external);
                self.sleep.displace(worker);
                Seat::OfWorker(worker)
            }
            Visit::ToWait => Seat::None,
            Visit::OfReserve => Seat::Lent,
        };
        ExternalCaller { pool: self, lane: self.num_threads + external, seat }
    }

    /// Makes sure that there are at least that many lanes.
    #[cold]
    fn make_lanes(&self, lanes: usize) {
        self.sleep.make(lanes);
        self.profiling.make_lanes(|add_recorders| {
            let make = |lane| {
                let lane = new_lane(lane);
                add_recorders(&lane);
                lane
            };
            self.lanes.get_or_make(lanes - 1, make);
        });
    }

    /// The worker whose seat an external caller takes: the one that belongs to the external
    /// caller's core; if there is none, any. A worker's seat may be taken by several, since there
    /// may be more external callers than workers.
    fn worker_to_displace(&self, external: usize) -> usize {
        let any = || (0..self.num_threads).find(|&worker| !self.sleep.is_displaced(worker));
        let free = if self.places.are_known() { self.places.worker_here().or_else(any) } else { any() };
        free.unwrap_or(external % self.num_threads)
    }
}

fn new_lane(index: usize) -> CachePadded<Lane> {
    CachePadded::new(Lane::new(index as u32 + 1))
}

/// A lease; the lane is given back when it drops.
pub(super) struct ExternalCaller<'p> {
    pool: &'p PoolState,
    pub(super) lane: usize,
    pub(super) seat: Seat,
}

impl Drop for ExternalCaller<'_> {
    fn drop(&mut self) {
        let ExternalCaller { pool, lane, seat } = *self;
        // The seat first: the next thread that gets this lane sees it free, and so wakes the worker
        // for the work that it pushes there.
        let is_free = matches!(seat, Seat::OfWorker(worker) if pool.sleep.give_seat_back(worker));
        pool.lease.release(lane - pool.num_threads);
        // Another external caller's invitation may lie on another lane since before, when this
        // worker could not be woken for it. (On this lane nothing does: its cache line, which the
        // last thief has, need not be waited for.)
        if is_free && pool.any_work_beside(Some(lane)) {
            pool.wake_one(lane, 0);
        }
    }
}
