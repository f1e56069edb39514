//! Broadcasts: one call on every worker of a pool.

#[cfg(all(loom, feature = "loom"))]
mod modelled;

use std::cell::UnsafeCell;
use std::marker::PhantomData;
use std::panic::{self, AssertUnwindSafe, Location, catch_unwind};
use std::ptr::NonNull;
use std::sync::Arc;

use taskel_adaptive::recording::CallKind;

#[cfg(all(loom, feature = "loom"))]
use self::modelled::{call_detached_without_pool, call_without_pool};
#[cfg(not(all(loom, feature = "loom")))]
use self::{call_detached_here as call_detached_without_pool, call_here as call_without_pool};
use crate::profile::calls::{CallId, CallSite, Caller};
use crate::protocol::panic_slot::PanicSlot;
use crate::protocol::tickets::Tickets;
use crate::sched::carried::Carried;
use crate::sched::job::{Job, JobHead};
use crate::sched::lane::LaneContext;
use crate::sched::pool::{
    Detached, PoolState, ThreadPool, Work, with_current_lane, with_lane_to_wait, with_pool, with_surrounding,
};
use crate::sched::recorded::{OpenPart, tell_from_here};
use crate::sched::unwind::{self, Payload, drop_quietly};
use crate::sched::wait::wait;

/// The worker on which a call of a broadcast runs.
#[derive(Clone, Debug)]
pub struct BroadcastContext<'a> {
    index: usize,
    num_threads: usize,
    _call: PhantomData<&'a ()>,
}

impl BroadcastContext<'_> {
    pub(crate) fn new(index: usize, num_threads: usize) -> Self {
        BroadcastContext { index, num_threads, _call: PhantomData }
    }

    /// Returns the index of this worker, which is less than [`num_threads`](Self::num_threads).
    pub fn index(&self) -> usize {
        self.index
    }

    /// Returns the number of workers that make the call.
    pub fn num_threads(&self) -> usize {
        self.num_threads
    }
}

/// Calls `op` once on every worker of the surrounding pool, and returns the results in the order of
/// the workers.
///
/// This waits until each worker has made its call. A worker makes it between two pieces of work, or
/// while it waits for something inside the pool. This is the only exception to the rule that a
/// waiting worker runs only what it waits for. So `op` must not take a lock that is held across a
/// loop, join or scope elsewhere. If the calling thread is a worker, it makes its own call at once.
/// If no pool can be made, there is one call, on the calling thread.
///
/// A worker that waits inside *another* pool makes no calls meanwhile.
///
/// # Panics
///
/// Panics when a call does, with the first payload, after all calls have ended.
///
/// ```
/// let pool = taskel::ThreadPool::builder().num_threads(3).build()?;
/// let indices = pool.install(|| taskel::broadcast(|context| context.index()));
/// assert_eq!(indices, [0, 1, 2]);
/// # Ok::<(), taskel::ThreadPoolBuildError>(())
/// ```
#[track_caller]
pub fn broadcast<OP, R>(op: OP) -> Vec<R>
where
    OP: Fn(BroadcastContext<'_>) -> R + Sync,
    R: Send,
{
    broadcast_at(Location::caller(), op)
}

fn broadcast_at<OP, R>(caller: Caller, op: OP) -> Vec<R>
where
    OP: Fn(BroadcastContext<'_>) -> R + Sync,
    R: Send,
{
    with_pool(None, |pool| match pool.and_then(|pool| pool.hold().map(|hold| (pool, hold))) {
        // Held until the workers have made their calls.
        Some((pool, _hold)) => {
            let carried = Carried::from_here();
            let op = |context: BroadcastContext<'_>| carried.inside(|| op(context));
            with_lane_to_wait(pool, |lane| broadcast_on(pool, lane, &op, caller))
        }
        None => call_without_pool(&op),
    })
}

/// Lets every worker of the surrounding pool call `op` once, later, and returns at once.
///
/// A worker makes its call between two pieces of work. If no pool can be made, there is one call,
/// at once, on the calling thread. A panic of a call is handled like a panic in
/// [`spawn`](crate::spawn).
///
/// This costs one allocation, and a wake-up for each sleeping worker. The caller spends some
/// microseconds on each wake-up.
///
/// ```
/// let pool = taskel::ThreadPool::builder().num_threads(2).build()?;
/// let (sender, receiver) = std::sync::mpsc::channel();
/// pool.install(|| taskel::spawn_broadcast(move |context| sender.send(context.index()).unwrap()));
/// let mut indices: Vec<usize> = receiver.iter().collect();
/// indices.sort();
/// assert_eq!(indices, [0, 1]);
/// # Ok::<(), taskel::ThreadPoolBuildError>(())
/// ```
#[track_caller]
pub fn spawn_broadcast<OP>(op: OP)
where
    OP: Fn(BroadcastContext<'_>) + Send + Sync + 'static,
{
    spawn_broadcast_at(Location::caller(), op);
}

fn spawn_broadcast_at<OP>(caller: Caller, op: OP)
where
    OP: Fn(BroadcastContext<'_>) + Send + Sync + 'static,
{
    with_pool(None, |pool| match pool.and_then(|pool| pool.hold().map(|hold| (pool, hold))) {
        Some((pool, _hold)) => {
            let carried = Carried::from_here();
            let op = move |context: BroadcastContext<'_>| carried.inside(|| op(context));
            let spawned = |_| tell_from_here(pool, |lane| lane.spawned(CallSite::of::<OP>(caller)));
            let recorded = (0..if pool.profiling() { pool.num_threads() } else { 0 }).map(spawned).collect();
            let call: Arc<dyn Detached> = Arc::new(Call { op, recorded });
            // A reference for each worker and none for this thread, which shall not be the one that
            // drops what the closure owns.
            let calls = std::iter::repeat_n(call, pool.num_threads());
            for (worker, call) in calls.enumerate() {
                // Each call releases the pool when it is over.
                std::mem::forget(pool.hold().expect("held already"));
                pool.send(worker, Work::Detached(call));
            }
        }
        None => call_detached_without_pool(op),
    });
}

impl ThreadPool {
    /// Calls `op` once on every worker of this pool, like [`broadcast`](crate::broadcast).
    ///
    /// # Panics
    ///
    /// Panics like [`broadcast`](crate::broadcast).
    ///
    /// ```
    /// let pool = taskel::ThreadPool::builder().num_threads(2).build()?;
    /// assert_eq!(pool.broadcast(|context| context.index() * 10), [0, 10]);
    /// # Ok::<(), taskel::ThreadPoolBuildError>(())
    /// ```
    #[track_caller]
    pub fn broadcast<OP, R>(&self, op: OP) -> Vec<R>
    where
        OP: Fn(BroadcastContext<'_>) -> R + Sync,
        R: Send,
    {
        let caller = Location::caller();
        self.install(|| broadcast_at(caller, op))
    }

    /// Lets every worker of this pool call `op` once, like
    /// [`spawn_broadcast`](crate::spawn_broadcast).
    #[track_caller]
    pub fn spawn_broadcast<OP>(&self, op: OP)
    where
        OP: Fn(BroadcastContext<'_>) + Send + Sync + 'static,
    {
        let caller = Location::caller();
        self.install(|| spawn_broadcast_at(caller, op));
    }
}

/// The calls that nobody waits for.
fn call_here<OP, R>(op: &OP) -> Vec<R>
where
    OP: Fn(BroadcastContext<'_>) -> R,
{
    vec![op(BroadcastContext::new(0, 1))]
}

fn call_detached_here(op: impl Fn(BroadcastContext<'_>)) {
    with_surrounding(|pool| {
        nobody_waits_for(pool, || op(BroadcastContext::new(0, 1)));
        nobody_waits_for(pool, || drop(op));
    });
}

struct Call<OP> {
    op: OP,
    /// By worker: the call's name in profiles. None are there if none is being taken.
    recorded: Box<[CallId]>,
}

impl<OP: Fn(BroadcastContext<'_>) + Send + Sync> Detached for Call<OP> {
    fn run(self: Arc<Self>) {
        with_current_lane(|lane| {
            let lane = lane.expect("workers are lanes");
            let context = BroadcastContext::new(lane.index(), lane.pool().num_threads());
            let pool = Some(lane.pool());
            nobody_waits_for(pool, || {
                let part = self.recorded.get(lane.index()).map(|&of| OpenPart::only(lane, of));
                (self.op)(context);
                part.into_iter().for_each(|part| part.end(lane));
            });
            // The last worker drops what the closure owns.
            nobody_waits_for(pool, || drop(self));
            lane.pool().release();
        });
    }
}

/// Runs a user's code, whose panic is `pool`'s.
fn nobody_waits_for(pool: Option<&PoolState>, code: impl FnOnce()) {
    if let Err(payload) = unwind::catch(code) {
        PoolState::handle_panic(pool, payload);
    }
}

/// A broadcast, on its caller's stack. The head comes first: a [`Job`] points to it.
#[repr(C)]
struct Broadcast<'a, OP, R> {
    head: JobHead,
    op: &'a OP,
    /// One ticket for each call that is not over.
    calls: Tickets,
    panic: PanicSlot<Payload>,
    /// The lane that waits.
    caller: usize,
    /// Its name in profiles; 0 if none is being taken.
    recorded: CallId,
    /// One for each worker, which writes it.
    results: Box<[UnsafeCell<Option<R>>]>,
}

fn broadcast_on<OP, R>(pool: &PoolState, lane: &LaneContext<'_>, op: &OP, caller: Caller) -> Vec<R>
where
    OP: Fn(BroadcastContext<'_>) -> R + Sync,
    R: Send,
{
    // SAFETY: `execute` expects a `Broadcast<OP, R>`, whose first field this becomes; it does not
    // unwind.
    let head = unsafe { JobHead::new(execute::<OP, R>) };
    head.set_born_in(lane.run());
    let call = if pool.profiling() {
        lane.begin_call(CallKind::Beside, CallSite::of::<OP>(caller), None)
    } else {
        None
    };
    let this = Broadcast {
        head,
        op,
        calls: Tickets::new(),
        panic: PanicSlot::new(),
        caller: lane.index(),
        recorded: call.map_or(0, |call| call.id()),
        results: (0..pool.num_threads()).map(|_| UnsafeCell::new(None)).collect(),
    };
    // SAFETY: workers only share the broadcast, and it stays until all tickets are in.
    let job = unsafe { Job::new(NonNull::from(&this).cast()) };
    let workers = 0..pool.num_threads();
    for _ in workers.clone() {
        assert!(this.calls.invite(u32::MAX), "there are fewer workers than that");
    }
    for worker in workers.filter(|&worker| worker != this.caller) {
        pool.send(worker, Work::Job(job));
    }
    if lane.is_worker() {
        // SAFETY: this worker was left out above, so that it makes its call here, once.
        unsafe { job.execute(lane) };
    }
    wait(lane, job.ancestor(), &|_| false, &|| this.calls.settled());
    call.into_iter().for_each(|call| lane.end_call(call));
    match this.panic.take() {
        None => this.results.into_iter().filter_map(UnsafeCell::into_inner).collect(),
        Some(payload) => {
            // One by one: each may panic.
            this.results.into_iter().for_each(drop_quietly);
            panic::resume_unwind(payload)
        }
    }
}

/// A worker makes its call.
///
/// # Safety
///
/// `head` is the head of a `Broadcast<OP, R>`, and the lane is a worker that got the job, once.
unsafe fn execute<OP, R>(head: NonNull<JobHead>, lane: &LaneContext<'_>)
where
    OP: Fn(BroadcastContext<'_>) -> R + Sync,
    R: Send,
{
    let this = head.cast::<Broadcast<'_, OP, R>>();
    let caller = {
        // SAFETY: this call's ticket keeps the broadcast alive until `leave`; workers share it.
        let this = unsafe { this.as_ref() };
        let context = BroadcastContext::new(lane.index(), lane.pool().num_threads());
        let part = (this.recorded != 0).then(|| OpenPart::one(lane, this.recorded, lane.index()));
        match catch_unwind(AssertUnwindSafe(|| (this.op)(context))) {
            Ok(result) => {
                part.into_iter().for_each(|part| part.end(lane));
                let place = this.results[lane.index()].get();
                // SAFETY: only this worker writes here, once, and the caller reads when all tickets
                // are in.
                unsafe { *place = Some(result) };
            }
            Err(payload) => {
                if let Some(late) = this.panic.panicked(payload) {
                    drop_quietly(late);
                }
            }
        }
        this.caller
    };
    // SAFETY: the ticket is still out. The reference is to the tickets alone, which are all atomic,
    // so that the broadcast may be freed while `leave` returns.
    let calls = unsafe { &(*this.as_ptr()).calls };
    if calls.leave() {
        // The broadcast may be gone by now; the pool is not, since this worker belongs to it.
        lane.pool().sleep.wake_waiting(caller);
    }
}
