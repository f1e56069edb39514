//! The public type of a pool.

use std::fmt;
use std::sync::Arc;

use taskel::{BroadcastContext, Scope, ScopeFifo, Yield};

use crate::broadcast::broadcast_on;
use crate::spawned::Spawned;

/// A pool of workers. Dropping it returns at once. The workers end when they have run all spawned
/// work.
pub struct ThreadPool {
    /// `None` only while it is dropped.
    pool: Option<taskel::ThreadPool>,
    spawned: Arc<Spawned>,
}

impl ThreadPool {
    pub(crate) fn of(pool: taskel::ThreadPool, spawned: Arc<Spawned>) -> Self {
        ThreadPool { pool: Some(pool), spawned }
    }

    fn pool(&self) -> &taskel::ThreadPool {
        self.pool.as_ref().expect("the pool exists until it is dropped")
    }

    /// Builds a pool; see [`ThreadPoolBuilder::build`](crate::ThreadPoolBuilder::build).
    ///
    /// # Errors
    ///
    /// The same errors.
    #[deprecated(note = "use `ThreadPoolBuilder::build`")]
    #[allow(deprecated)]
    pub fn new(configuration: crate::Configuration) -> Result<ThreadPool, Box<dyn std::error::Error>> {
        configuration.build()
    }

    /// Runs `op` on a worker of this pool, and returns its result. Parallel calls in `op` run on
    /// this pool.
    ///
    /// ```
    /// let pool = rayon_core::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
    /// assert!(pool.install(rayon_core::current_thread_index).is_some());
    /// assert_eq!(pool.install(rayon_core::current_num_threads), 2);
    /// ```
    pub fn install<OP, R>(&self, op: OP) -> R
    where
        OP: FnOnce() -> R + Send,
        R: Send,
    {
        self.pool().run_on_worker(op)
    }

    /// See [`broadcast`](crate::broadcast). Runs on this pool.
    pub fn broadcast<OP, R>(&self, op: OP) -> Vec<R>
    where
        OP: Fn(BroadcastContext<'_>) -> R + Sync,
        R: Send,
    {
        broadcast_on(self.pool(), &op)
    }

    /// Returns the number of workers.
    pub fn current_num_threads(&self) -> usize {
        self.pool().current_num_threads()
    }

    /// Returns the index of the calling thread among this pool's workers, or `None` on all other
    /// threads.
    pub fn current_thread_index(&self) -> Option<usize> {
        self.pool().current_thread_index()
    }

    /// See [`current_thread_has_pending_tasks`](crate::current_thread_has_pending_tasks). Returns
    /// `None` if the calling thread is not a worker of this pool.
    pub fn current_thread_has_pending_tasks(&self) -> Option<bool> {
        self.current_thread_index()?;
        crate::current_thread_has_pending_tasks()
    }

    /// See [`join`](crate::join). Runs on this pool.
    pub fn join<A, B, RA, RB>(&self, oper_a: A, oper_b: B) -> (RA, RB)
    where
        A: FnOnce() -> RA + Send,
        B: FnOnce() -> RB + Send,
        RA: Send,
        RB: Send,
    {
        self.install(|| crate::join(oper_a, oper_b))
    }

    /// See [`scope`](crate::scope). Runs on this pool.
    pub fn scope<'scope, OP, R>(&self, op: OP) -> R
    where
        OP: FnOnce(&Scope<'scope>) -> R + Send,
        R: Send,
    {
        self.install(|| taskel::scope(op))
    }

    /// See [`scope_fifo`](crate::scope_fifo). Runs on this pool.
    pub fn scope_fifo<'scope, OP, R>(&self, op: OP) -> R
    where
        OP: FnOnce(&ScopeFifo<'scope>) -> R + Send,
        R: Send,
    {
        self.install(|| taskel::scope_fifo(op))
    }

    /// See [`in_place_scope`](crate::in_place_scope). The tasks run on this pool.
    pub fn in_place_scope<'scope, OP, R>(&self, op: OP) -> R
    where
        OP: FnOnce(&Scope<'scope>) -> R,
    {
        self.pool().in_place_scope(op)
    }

    /// See [`in_place_scope_fifo`](crate::in_place_scope_fifo). The tasks run on this pool.
    pub fn in_place_scope_fifo<'scope, OP, R>(&self, op: OP) -> R
    where
        OP: FnOnce(&ScopeFifo<'scope>) -> R,
    {
        self.pool().in_place_scope_fifo(op)
    }

    /// See [`spawn`](crate::spawn). Runs on this pool.
    pub fn spawn<OP>(&self, op: OP)
    where
        OP: FnOnce() + Send + 'static,
    {
        self.spawned.spawn(self.pool(), op, false);
    }

    /// See [`spawn_fifo`](crate::spawn_fifo). Runs on this pool.
    pub fn spawn_fifo<OP>(&self, op: OP)
    where
        OP: FnOnce() + Send + 'static,
    {
        self.spawned.spawn(self.pool(), op, true);
    }

    /// See [`spawn_broadcast`](crate::spawn_broadcast). Runs on this pool.
    pub fn spawn_broadcast<OP>(&self, op: OP)
    where
        OP: Fn(BroadcastContext<'_>) + Send + Sync + 'static,
    {
        self.pool().spawn_broadcast(op);
    }

    /// See [`yield_now`](crate::yield_now). Returns `None` if the calling thread is not a worker of
    /// this pool.
    pub fn yield_now(&self) -> Option<Yield> {
        self.current_thread_index()?;
        crate::yield_now()
    }

    /// See [`yield_local`](crate::yield_local). Returns `None` if the calling thread is not a
    /// worker of this pool.
    pub fn yield_local(&self) -> Option<Yield> {
        self.current_thread_index()?;
        crate::yield_local()
    }
}

impl Drop for ThreadPool {
    fn drop(&mut self) {
        if let Some(pool) = self.pool.take() {
            pool.shutdown_background();
        }
    }
}

impl fmt::Debug for ThreadPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ThreadPool").field("num_threads", &self.current_num_threads()).finish_non_exhaustive()
    }
}
