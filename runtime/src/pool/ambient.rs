//! Which pool the current thread works for, and which lane of it it is.

use std::cell::Cell;
use std::ptr;
use std::sync::OnceLock;

use super::{PoolState, ThreadPool, ThreadPoolBuilder};
use crate::error::ThreadPoolBuildError;
use crate::lane::LaneContext;
use crate::sync::{AtomicBool, Ordering};

#[derive(Clone, Copy)]
struct Ambient {
    /// Null outside of every pool. Alive as long as it stands here: the thread is a worker of this pool, or is inside a
    /// call that borrows it.
    pool: *const PoolState,
    lane: Option<usize>,
}

thread_local! {
    static AMBIENT: Cell<Ambient> = const { Cell::new(Ambient { pool: ptr::null(), lane: None }) };
}

/// The pool that serves callers for whom no other was installed.
static GLOBAL: OnceLock<ThreadPool> = OnceLock::new();

/// It was needed and could not be made: no parallel call tries again, but `build_global` may.
static GLOBAL_FAILED: AtomicBool = AtomicBool::new(false);

/// Puts the former surroundings back, on return and on panic.
struct Restore(Ambient);

impl Drop for Restore {
    fn drop(&mut self) {
        AMBIENT.set(self.0);
    }
}

/// Runs `op` with `pool` as the surroundings. A thread that is a lane of `pool` already stays that lane.
pub(super) fn enter<R>(pool: &PoolState, op: impl FnOnce() -> R) -> R {
    let before = AMBIENT.get();
    if ptr::eq(before.pool, pool) {
        return op();
    }
    let _restore = Restore(before);
    AMBIENT.set(Ambient { pool, lane: None });
    op()
}

/// Runs `life` with the current thread as a lane of `pool`. Afterwards, when destructors of thread-locals run and the pool
/// may be gone, the thread is outside of it again.
pub(super) fn live_as_worker(pool: &PoolState, lane: usize, life: impl FnOnce()) {
    let _restore = Restore(AMBIENT.get());
    AMBIENT.set(Ambient { pool, lane: Some(lane) });
    life();
}

pub(super) fn worker_index() -> Option<usize> {
    let ambient = AMBIENT.get();
    // SAFETY: a pool in `AMBIENT` is alive.
    let pool = unsafe { ambient.pool.as_ref() }?;
    ambient.lane.filter(|&lane| lane < pool.num_threads())
}

/// Calls `op` with the pool that a parallel call here uses: `chosen`, else the surroundings, else the global
/// pool, which is started if need be; `None` if that cannot be.
pub(crate) fn with_pool<R>(chosen: Option<&ThreadPool>, op: impl FnOnce(Option<&PoolState>) -> R) -> R {
    if let Some(chosen) = chosen {
        return enter(&chosen.state, || op(Some(&chosen.state)));
    }
    // SAFETY: a pool in `AMBIENT` is alive, and stays there during `op`: whoever put it there is below us on the stack.
    if let Some(pool) = unsafe { AMBIENT.get().pool.as_ref() } {
        return op(Some(pool));
    }
    match global() {
        Some(pool) => enter(&pool.state, || op(Some(&pool.state))),
        None => op(None),
    }
}

/// Calls `op` with the lane that this thread is in `pool`, which is the surrounding one; a guest lane if it has none
/// yet, or nothing if those are all taken.
pub(crate) fn with_lane<R>(pool: &PoolState, op: impl FnOnce(Option<&LaneContext<'_>>) -> R) -> R {
    let before = AMBIENT.get();
    debug_assert!(ptr::eq(before.pool, pool));
    if let Some(lane) = before.lane {
        // SAFETY: the thread is this lane, as its worker or through a lease further down its stack.
        let context = unsafe { LaneContext::new(pool, lane) };
        return op(Some(&context));
    }
    let Some(guest) = pool.enter_guest() else {
        return op(None);
    };
    // Declared after `guest`, so dropped first: the thread forgets the lane before it gives it back.
    let _restore = Restore(before);
    AMBIENT.set(Ambient { pool, lane: Some(guest.lane) });
    // SAFETY: `guest` holds the lease until after the context's end.
    let context = unsafe { LaneContext::new(pool, guest.lane) };
    op(Some(&context))
}

/// The global pool, made now if there is none yet.
fn global() -> Option<&'static ThreadPool> {
    if GLOBAL.get().is_none() && !GLOBAL_FAILED.load(Ordering::Relaxed) {
        match ThreadPoolBuilder::new().build() {
            // If another thread was faster, its pool stays and this one is dropped.
            Ok(pool) => drop(GLOBAL.set(pool)),
            Err(_) => GLOBAL_FAILED.store(true, Ordering::Relaxed),
        }
    }
    GLOBAL.get()
}

/// Makes the global pool.
pub(super) fn build_global(builder: ThreadPoolBuilder) -> Result<(), ThreadPoolBuildError> {
    if GLOBAL.get().is_some() {
        return Err(ThreadPoolBuildError::global_exists());
    }
    GLOBAL.set(builder.build()?).map_err(|_| ThreadPoolBuildError::global_exists())
}
