//! The calling thread's place, and the global pool.

use std::sync::{Mutex, OnceLock, PoisonError};

use taskel::Yield;

use crate::builder::ThreadPoolBuilder;
use crate::error::ThreadPoolBuildError;
use crate::spawned;

static GLOBAL: OnceLock<&'static taskel::ThreadPool> = OnceLock::new();

/// Held while the global pool is created.
static MAKING: Mutex<()> = Mutex::new(());

/// Returns the pool for calls outside of every pool.
pub(crate) fn global() -> &'static taskel::ThreadPool {
    let make = || {
        // If this fails, there already is a pool, or taskel says why there cannot be one.
        let _ = make_global(|| ThreadPoolBuilder::new().build_global_pool());
        GLOBAL.get().copied().unwrap_or_else(taskel::ThreadPool::global)
    };
    GLOBAL.get().copied().unwrap_or_else(make)
}

pub(crate) fn make_global(
    make: impl FnOnce() -> Result<(), ThreadPoolBuildError>,
) -> Result<(), ThreadPoolBuildError> {
    let _making = MAKING.lock().unwrap_or_else(PoisonError::into_inner);
    if GLOBAL.get().is_some() {
        return Err(ThreadPoolBuildError::global_exists());
    }
    make()?;
    GLOBAL.get_or_init(taskel::ThreadPool::global);
    Ok(())
}

/// Returns whether the calling thread is a worker that is running its own pool's work.
#[inline]
pub(crate) fn is_worker() -> bool {
    taskel::current_thread_index().is_some()
}

/// Runs `op` on the calling thread if it is a worker, and otherwise on a worker of the global pool.
/// `op` is told whether it has moved.
#[inline]
pub(crate) fn in_worker<R: Send>(op: impl FnOnce(bool) -> R + Send) -> R {
    if is_worker() { op(false) } else { in_global(op) }
}

#[cold]
#[inline(never)]
fn in_global<R: Send>(op: impl FnOnce(bool) -> R + Send) -> R {
    global().run_on_worker(|| op(true))
}

/// Returns the number of workers of the calling worker's pool, or of the global pool on other
/// threads.
#[inline]
pub fn current_num_threads() -> usize {
    if is_worker() { taskel::current_num_threads() } else { global().current_num_threads() }
}

/// Returns the index of the calling worker, or `None` on all other threads.
///
/// At any time, no two threads have the same index in the same pool.
#[inline]
pub fn current_thread_index() -> Option<usize> {
    taskel::current_thread_index()
}

/// Returns whether the calling worker has spawned or forked work that no thread has taken. Returns
/// `None` on all other threads.
pub fn current_thread_has_pending_tasks() -> Option<bool> {
    current_thread_index()?;
    Some(spawned::any_own() || taskel::current_thread_has_pending_tasks()?)
}

/// Runs one piece of any work of the calling worker's pool, if there is some. Returns `None` on all
/// other threads.
pub fn yield_now() -> Option<Yield> {
    yield_by(taskel::yield_now)
}

/// Runs one piece of the calling worker's own work, if there is some. Returns `None` on all other
/// threads.
pub fn yield_local() -> Option<Yield> {
    yield_by(taskel::yield_local)
}

fn yield_by(yield_otherwise: fn() -> Option<Yield>) -> Option<Yield> {
    current_thread_index()?;
    if spawned::run_own() { Some(Yield::Executed) } else { yield_otherwise() }
}
