//! Calls on every worker of a pool.

use taskel::{BroadcastContext, Yield};

use crate::worker::{global, is_worker};

/// Calls `op` on every worker of the calling worker's pool, or of the global pool on other threads.
/// Returns the results in the order of workers.
///
/// ```
/// let indices = rayon_core::broadcast(|context| context.index());
/// assert!(indices.into_iter().eq(0..rayon_core::current_num_threads()));
/// ```
pub fn broadcast<OP, R>(op: OP) -> Vec<R>
where
    OP: Fn(BroadcastContext<'_>) -> R + Sync,
    R: Send,
{
    if is_worker() { taskel::broadcast(op) } else { broadcast_on(global(), &op) }
}

/// Does the same as [`broadcast`] without waiting for the end.
pub fn spawn_broadcast<OP>(op: OP)
where
    OP: Fn(BroadcastContext<'_>) + Send + Sync + 'static,
{
    if is_worker() { taskel::spawn_broadcast(op) } else { global().spawn_broadcast(op) }
}

/// The calling thread is not a lane of `pool`, so it waits for a worker, which takes part.
pub(crate) fn broadcast_on<OP, R>(pool: &taskel::ThreadPool, op: &OP) -> Vec<R>
where
    OP: Fn(BroadcastContext<'_>) -> R + Sync,
    R: Send,
{
    let moves = pool.current_thread_index().is_none();
    pool.run_on_worker(|| {
        // Earlier broadcasts go first.
        while moves && taskel::yield_local() == Some(Yield::Executed) {}
        taskel::broadcast(op)
    })
}
