//! The current context of a thread: the pool that it works for, its lane there, and the scopes that
//! it is inside.

use std::ptr;
use std::sync::{Arc, OnceLock};

use super::{PoolState, ThreadPool, ThreadPoolBuilder, environment};
use crate::os::affinity;
use crate::sched::error::ThreadPoolBuildError;
use crate::sched::lane::{LaneContext, Seat};
use crate::sched::scope::Scope;
use crate::sched::unwind::{self, Heard};
use crate::sync::{AtomicBool, Ordering, per_thread};

/// What a thread that is no worker comes for.
#[derive(Clone, Copy)]
pub(super) enum Visit {
    ToCompute,
    /// It takes no worker's seat.
    ToWait,
    /// It has a seat.
    OfReserve,
}

#[derive(Clone, Copy)]
struct Current {
    /// Null outside of every pool. Alive as long as it stands here: the thread is a worker of this
    /// pool, or is inside a call that borrows it.
    pool: *const PoolState,
    /// This thread's lane of that pool; null if it has none yet. Alive as long as it stands here.
    lane: *const LaneContext<'static>,
    /// The same, or null where joins may have to be recorded: so they need not ask.
    joins: *const LaneContext<'static>,
    /// A scope that the thread has opened here, or of which it runs a task; null if there is none.
    /// Its lifetime is of no account: only its tasks are looked for. Alive as long as it stands
    /// here: the thread is inside.
    scope: *const Scope<'static>,
    /// What the thread was in before, further down the stack; null outside of every pool. Alive as
    /// long as it stands here.
    outer: *const Current,
}

const OUTSIDE: Current = Current {
    pool: ptr::null(),
    lane: ptr::null(),
    joins: ptr::null(),
    scope: ptr::null(),
    outer: ptr::null(),
};

per_thread! {
    static CURRENT: Current = OUTSIDE;
    /// Each thread's has an address of its own.
    static HERE: u8 = 0;
}

/// The pool that serves callers for whom no other was installed.
static GLOBAL: OnceLock<ThreadPool> = OnceLock::new();

/// It was needed and could not be made: no parallel call tries again, but `build_global` may.
static GLOBAL_FAILED: AtomicBool = AtomicBool::new(false);

/// Puts the former surroundings back, on return and on panic.
struct Restore(Current);

impl Drop for Restore {
    fn drop(&mut self) {
        CURRENT.set(self.0);
    }
}

/// Leaves nothing on a lane that its holder leaves.
struct HandOn<'c, 'p>(&'c LaneContext<'p>);

impl Drop for HandOn<'_, '_> {
    fn drop(&mut self) {
        self.0.hand_on_invitations();
    }
}

/// Runs `op` with `pool` as the surroundings. A thread that is a lane of `pool` already stays that
/// lane.
#[inline]
pub(crate) fn enter<R>(pool: &PoolState, op: impl FnOnce() -> R) -> R {
    let mut before = None;
    let _restore = surround(pool, &mut before);
    op()
}

/// As `enter`, with a way back to what surrounds the caller.
pub(super) fn enter_with_way_back<R>(pool: &PoolState, op: impl FnOnce(&Around) -> R) -> R {
    let around = Around(CURRENT.get());
    enter(pool, || op(&around))
}

/// The surroundings of a call further down the stack.
pub(crate) struct Around(Current);

impl Around {
    /// Runs `op` in them.
    pub(crate) fn run<R>(&self, op: impl FnOnce() -> R) -> R {
        let current = CURRENT.get();
        if ptr::eq(current.pool, self.0.pool) {
            return op();
        }
        let restore = Restore(current);
        CURRENT.set(Current { outer: &raw const restore.0, ..self.0 });
        op()
    }
}

/// Makes `pool` the surroundings for as long as what this yields lives. What they were is put into
/// `before`.
fn surround<'b>(pool: &PoolState, before: &'b mut Option<Current>) -> Option<Restored<'b>> {
    let around = CURRENT.get();
    if ptr::eq(around.pool, pool) {
        return None;
    }
    let before = before.insert(around);
    let lane = lane_further_out(before, pool);
    CURRENT.set(Current { pool, lane, joins: for_joins(pool, lane), scope: ptr::null(), outer: before });
    Some(Restored(before))
}

/// As [`Restore`], of surroundings that lie elsewhere.
struct Restored<'b>(&'b Current);

impl Drop for Restored<'_> {
    fn drop(&mut self) {
        CURRENT.set(*self.0);
    }
}

/// What joins find: the lane, unless a profile is being taken.
#[inline]
fn for_joins(pool: &PoolState, lane: *const LaneContext<'static>) -> *const LaneContext<'static> {
    if pool.profiling() { ptr::null() } else { lane }
}

/// Says to joins of this thread whether they are recorded, if that has changed.
pub(crate) fn look_whether_joins_are_recorded() {
    let current = CURRENT.get();
    // SAFETY: a pool in `CURRENT` is alive, and stays there during this call: whoever put it there
    // is below us on the stack.
    let Some(pool) = (unsafe { current.pool.as_ref() }) else { return };
    let joins = for_joins(pool, current.lane);
    if joins != current.joins {
        CURRENT.set(Current { joins, ..current });
    }
}

/// Calls `op`, whose joins profiles do not record.
pub(crate) fn without_recording_joins<R>(op: impl FnOnce() -> R) -> R {
    let current = CURRENT.get();
    let _restore = Restore(current);
    CURRENT.set(Current { joins: current.lane, ..current });
    op()
}

/// Calls `op` as something that happens inside `scope`.
pub(crate) fn inside_scope<R>(scope: &Scope<'_>, op: impl FnOnce() -> R) -> R {
    let restore = Restore(CURRENT.get());
    let scope = ptr::from_ref(scope).cast();
    CURRENT.set(Current { scope, outer: &raw const restore.0, ..restore.0 });
    op()
}

/// Calls `look` with the scopes that this thread is inside, innermost first, until it finds
/// something.
pub(crate) fn find_scope<R>(look: impl FnMut(&Scope<'static>) -> Option<R>) -> Option<R> {
    let innermost = CURRENT.get();
    // SAFETY: the thread is inside it, so it is not over.
    let scopes = from_inside_out(&innermost).filter_map(|around| unsafe { around.scope.as_ref() });
    { scopes }.find_map(look)
}

/// The lane that this thread has in `pool` because of a call further down its stack; else null.
fn lane_further_out(around: &Current, pool: &PoolState) -> *const LaneContext<'static> {
    let in_pool = |around: &&Current| ptr::eq(around.pool, pool) && !around.lane.is_null();
    from_inside_out(around).find(in_pool).map_or(ptr::null(), |around| around.lane)
}

/// `innermost`, and what surrounds it.
fn from_inside_out(innermost: &Current) -> impl Iterator<Item = &Current> {
    // SAFETY: it is alive as long as it stands there, which is as long as the surroundings in which
    // it does.
    std::iter::successors(Some(innermost), |around| unsafe { around.outer.as_ref() })
}

/// Whether this thread is in the middle of work of `pool`, or of a call on it.
pub(super) fn is_inside(pool: &PoolState) -> bool {
    from_inside_out(&CURRENT.get()).any(|around| ptr::eq(around.pool, pool))
}

/// Runs `life` with the current thread as `lane`. Afterwards, when destructors of thread-locals run
/// and the pool may be gone, the thread is outside of it again.
pub(super) fn live_as_worker(lane: &LaneContext<'_>, life: impl FnOnce()) {
    let _restore = Restore(CURRENT.get());
    // Everything that a worker runs has an owner, which gets its panics.
    let _heard = Heard::here();
    let pool = lane.pool();
    let lane = ptr::from_ref(lane).cast();
    CURRENT.set(Current { pool, lane, joins: for_joins(pool, lane), ..OUTSIDE });
    life();
}

pub(super) fn worker_index() -> Option<usize> {
    #[cfg(all(loom, feature = "loom"))]
    if crate::sync::is_modelled() {
        return crate::sched::modelled::worker_index();
    }
    with_current_lane(|lane| lane.filter(|lane| lane.is_worker()).map(LaneContext::index))
}

/// Calls `op` with the lane that this thread is already in the surrounding pool, if it is one.
pub(crate) fn with_current_lane<R>(op: impl FnOnce(Option<&LaneContext<'_>>) -> R) -> R {
    // SAFETY: the reference ends with this call.
    op(unsafe { current_lane() })
}

/// Calls `op` with the lane of the worker that the calling thread is, even if another pool was
/// installed since.
pub(crate) fn with_worker<R>(op: impl FnOnce(Option<&LaneContext<'_>>) -> R) -> R {
    let innermost = CURRENT.get();
    // SAFETY: a lane in `CURRENT`, or around that, is alive, and stays there during `op`: whoever
    // put it there is below us on the stack.
    let lanes = from_inside_out(&innermost).filter_map(|around| unsafe { around.lane.as_ref() });
    op({ lanes }.find(|lane| lane.is_worker()))
}

/// Tells the calling thread from all others that run.
#[cfg(not(all(loom, feature = "loom")))]
#[inline]
pub(crate) fn this_thread() -> usize {
    HERE.with(|here| ptr::from_ref(here).addr())
}

#[cfg(all(loom, feature = "loom"))]
pub(crate) fn this_thread() -> usize {
    let key =
        if crate::sync::is_modelled() { HERE.in_model.with(address) } else { HERE.outside.with(address) };
    return key;

    fn address(here: &std::cell::Cell<u8>) -> usize {
        ptr::from_ref(here).addr()
    }
}

/// As [`with_current_lane`], for where a closure would have to be put together in memory first.
///
/// # Safety
///
/// The reference is not used after the calling function has returned.
#[inline(always)]
pub(crate) unsafe fn current_lane<'a>() -> Option<&'a LaneContext<'a>> {
    // SAFETY: a lane in `CURRENT` is alive, and stays there until the caller returns: whoever put
    // it there is below it on the stack.
    unsafe { CURRENT.get().lane.cast::<LaneContext<'a>>().as_ref() }
}

/// As `current_lane`, for a join; `None` as well where that may have to be recorded.
///
/// # Safety
///
/// The reference is not used after the calling function has returned.
#[inline(always)]
pub(crate) unsafe fn lane_for_joins<'a>() -> Option<&'a LaneContext<'a>> {
    // SAFETY: as in `current_lane`.
    unsafe { CURRENT.get().joins.cast::<LaneContext<'a>>().as_ref() }
}

/// Calls `op` with the pool that a parallel call here uses: `chosen`, else the surroundings, else
/// the global pool, which is started if need be; `None` if that cannot be, or if the pool was left
/// behind by a `fork`.
pub(crate) fn with_pool<R>(chosen: Option<&ThreadPool>, op: impl FnOnce(Option<&PoolState>) -> R) -> R {
    // SAFETY: a pool in `CURRENT` is alive, and stays there during `op`: whoever put it there is
    // below us on the stack.
    let surrounding = unsafe { CURRENT.get().pool.as_ref() };
    if let (None, Some(pool)) = (chosen, surrounding) {
        return op(usable(pool));
    }
    match chosen.map(|pool| &*pool.state).or_else(global_state) {
        Some(pool) => enter(pool, || op(usable(pool))),
        None => op(None),
    }
}

/// The pool, unless its threads are in another process.
#[inline]
fn usable(pool: &PoolState) -> Option<&PoolState> {
    pool.is_usable().then_some(pool)
}

/// The pool of a thread that is inside no pool.
#[cold]
fn global_state<'a>() -> Option<&'a PoolState> {
    // In a user's model, what has no pool has the usual lanes.
    let global = if cfg!(all(loom, feature = "loom")) { GLOBAL.get() } else { global() };
    global.map(|pool| &*pool.state)
}

/// Calls `op` with the pool that was chosen or surrounds the caller, even if it was left behind by
/// a `fork`.
pub(crate) fn with_surrounding<R>(op: impl FnOnce(Option<&PoolState>) -> R) -> R {
    // SAFETY: a pool in `CURRENT` is alive, and stays there during `op`: whoever put it there is
    // below us on the stack.
    op(unsafe { CURRENT.get().pool.as_ref() })
}

/// Calls `op` with the lane that this thread is in `pool`, which is the surrounding one; an
/// external lane if it has none yet.
pub(crate) fn with_lane<R>(pool: &PoolState, op: impl FnOnce(&LaneContext<'_>) -> R) -> R {
    with_lane_for(pool, Visit::ToCompute, op)
}

/// As `with_lane`, for a caller that only waits: as an external caller it takes no worker's seat.
pub(crate) fn with_lane_to_wait<R>(pool: &PoolState, op: impl FnOnce(&LaneContext<'_>) -> R) -> R {
    with_lane_for(pool, Visit::ToWait, op)
}

/// As `with_lane`, for a [reserve](super::reserve), which has a seat.
pub(super) fn with_lane_of_reserve<R>(pool: &PoolState, op: impl FnOnce(&LaneContext<'_>) -> R) -> R {
    with_lane_for(pool, Visit::OfReserve, op)
}

fn with_lane_for<R>(pool: &PoolState, visit: Visit, op: impl FnOnce(&LaneContext<'_>) -> R) -> R {
    let before = CURRENT.get();
    debug_assert!(ptr::eq(before.pool, pool));
    // SAFETY: a lane in `CURRENT` is alive, and stays there during `op`: whoever put it there is
    // below us on the stack.
    if let Some(lane) = unsafe { before.lane.as_ref() } {
        return op(lane);
    }
    let (mut op, mut result) = (Some(op), None);
    as_external(pool, visit, before, &mut |lane| result = op.take().map(|op| op(lane)));
    result.expect("it is called once")
}

/// Calls `op` with a lane that the thread has for this call.
#[inline(never)]
fn as_external(pool: &PoolState, visit: Visit, before: Current, op: &mut dyn FnMut(&LaneContext<'_>)) {
    let visit = || {
        let external = pool.enter_external(visit);
        // SAFETY: `external` holds the lease until after the context's end.
        let context = unsafe { LaneContext::new(pool, external.lane, external.seat) };
        let _hand_on = HandOn(&context);
        // Declared after `external`, so dropped first: the thread forgets the lane before it gives
        // it back.
        let _restore = Restore(before);
        let lane = ptr::from_ref(&context).cast();
        CURRENT.set(Current { lane, joins: for_joins(pool, lane), ..before });
        op(&context);
    };
    unwind::catch(visit).unwrap_or_else(|payload| unwind::resume(payload));
}

/// The global pool, made now if there is none yet.
pub(super) fn global() -> Option<&'static ThreadPool> {
    if GLOBAL.get().is_none() && !GLOBAL_FAILED.load(Ordering::Relaxed) {
        // Nobody asked for this pool, so nobody could be told of a bad setting.
        let num_threads = environment::num_threads().unwrap_or_else(|_| affinity::default_parallelism());
        match ThreadPoolBuilder::new().num_threads(num_threads).build() {
            // If another thread was faster, its pool stays and this one is dropped.
            Ok(pool) => drop(GLOBAL.set(pool)),
            Err(_) => GLOBAL_FAILED.store(true, Ordering::Relaxed),
        }
    }
    GLOBAL.get()
}

/// Makes the global pool.
pub(super) fn build_global(
    build: impl FnOnce() -> Result<ThreadPool, ThreadPoolBuildError>,
) -> Result<(), ThreadPoolBuildError> {
    if GLOBAL.get().is_some() {
        return Err(ThreadPoolBuildError::global_exists());
    }
    GLOBAL.set(build()?).map_err(|_| ThreadPoolBuildError::global_exists())
}

/// Whether the calling thread is a worker, or in the middle of a call on a pool, or of a scope.
pub(super) fn is_inside_any() -> bool {
    let innermost = CURRENT.get();
    from_inside_out(&innermost).any(|around| !around.pool.is_null() || !around.scope.is_null())
}

/// Makes the calling thread, which is inside no pool, worker `index` until it ends.
///
/// # Safety
///
/// Nobody else is that worker, nor will be.
pub(super) unsafe fn become_worker(pool: Arc<PoolState>, index: usize) {
    // Both stay for ever: there is no moment at which the thread could leave.
    let pool: &'static Arc<PoolState> = Box::leak(Box::new(pool));
    // SAFETY: passed on to the caller; the context lives for ever, and so does the pool.
    let lane = Box::leak(Box::new(unsafe { LaneContext::new(pool, index, Seat::Own) }));
    CURRENT.set(Current { pool: Arc::as_ptr(pool), lane, joins: for_joins(pool, lane), ..OUTSIDE });
}
