//! Work for each worker of a pool.

use taskel::{BroadcastContext, Yield};

use crate::worker::{global, is_worker};

/// Calls `op` on every worker of the calling worker's pool, else of the global one, and returns the
/// results by worker.
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

/// As [`broadcast`], without waiting for it.
pub fn spawn_broadcast<OP>(op: OP)
where
    OP: Fn(BroadcastContext<'_>) + Send + Sync + 'static,
{
    if is_worker() { taskel::spawn_broadcast(op) } else { global().spawn_broadcast(op) }
}

/// The calling thread is no lane of `pool`, so that it waits for a worker, which takes part.
pub(crate) fn broadcast_on<OP, R>(pool: &taskel::ThreadPool, op: &OP) -> Vec<R>
where
    OP: Fn(BroadcastContext<'_>) -> R + Sync,
    R: Send,
{
    let moves = pool.current_thread_index().is_none();
    pool.run_on_worker(|| {
        // Broadcasts that began before go first.
        while moves && taskel::yield_local() == Some(Yield::Executed) {}
        taskel::broadcast(op)
    })
}
