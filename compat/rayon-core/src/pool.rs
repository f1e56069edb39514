//! The pool that users hold.

use std::fmt;
use std::sync::Arc;

use taskel::{BroadcastContext, Scope, ScopeFifo, Yield};

use crate::broadcast::broadcast_on;
use crate::spawned::Spawned;

/// Workers of one's own. Dropping it returns at once; the workers end when they have done what was
/// spawned.
pub struct ThreadPool {
    /// Until it is dropped.
    pool: Option<taskel::ThreadPool>,
    spawned: Arc<Spawned>,
}

impl ThreadPool {
    pub(crate) fn of(pool: taskel::ThreadPool, spawned: Arc<Spawned>) -> Self {
        ThreadPool { pool: Some(pool), spawned }
    }

    fn pool(&self) -> &taskel::ThreadPool {
        self.pool.as_ref().expect("it is there until the drop")
    }

    /// As [`ThreadPoolBuilder::build`](crate::ThreadPoolBuilder::build).
    ///
    /// # Errors
    ///
    /// As that.
    #[deprecated(note = "use `ThreadPoolBuilder::build`")]
    #[allow(deprecated)]
    pub fn new(configuration: crate::Configuration) -> Result<ThreadPool, Box<dyn std::error::Error>> {
        configuration.build()
    }

    /// Runs `op` on a worker of this pool, and returns its result; what it calls in parallel runs
    /// on this pool.
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

    /// As [`broadcast`](crate::broadcast), on this pool.
    pub fn broadcast<OP, R>(&self, op: OP) -> Vec<R>
    where
        OP: Fn(BroadcastContext<'_>) -> R + Sync,
        R: Send,
    {
        broadcast_on(self.pool(), &op)
    }

    /// How many workers there are.
    pub fn current_num_threads(&self) -> usize {
        self.pool().current_num_threads()
    }

    /// The index of the calling thread among this pool's workers; `None` on all other threads.
    pub fn current_thread_index(&self) -> Option<usize> {
        self.pool().current_thread_index()
    }

    /// As [`current_thread_has_pending_tasks`](crate::current_thread_has_pending_tasks), on a
    /// worker of this pool; `None` on all other threads.
    pub fn current_thread_has_pending_tasks(&self) -> Option<bool> {
        self.current_thread_index()?;
        crate::current_thread_has_pending_tasks()
    }

    /// As [`join`](crate::join), on this pool.
    pub fn join<A, B, RA, RB>(&self, oper_a: A, oper_b: B) -> (RA, RB)
    where
        A: FnOnce() -> RA + Send,
        B: FnOnce() -> RB + Send,
        RA: Send,
        RB: Send,
    {
        self.install(|| crate::join(oper_a, oper_b))
    }

    /// As [`scope`](crate::scope), on this pool.
    pub fn scope<'scope, OP, R>(&self, op: OP) -> R
    where
        OP: FnOnce(&Scope<'scope>) -> R + Send,
        R: Send,
    {
        self.install(|| taskel::scope(op))
    }

    /// As [`scope_fifo`](crate::scope_fifo), on this pool.
    pub fn scope_fifo<'scope, OP, R>(&self, op: OP) -> R
    where
        OP: FnOnce(&ScopeFifo<'scope>) -> R + Send,
        R: Send,
    {
        self.install(|| taskel::scope_fifo(op))
    }

    /// As [`in_place_scope`](crate::in_place_scope), with tasks for this pool.
    pub fn in_place_scope<'scope, OP, R>(&self, op: OP) -> R
    where
        OP: FnOnce(&Scope<'scope>) -> R,
    {
        self.pool().in_place_scope(op)
    }

    /// As [`in_place_scope_fifo`](crate::in_place_scope_fifo), with tasks for this pool.
    pub fn in_place_scope_fifo<'scope, OP, R>(&self, op: OP) -> R
    where
        OP: FnOnce(&ScopeFifo<'scope>) -> R,
    {
        self.pool().in_place_scope_fifo(op)
    }

    /// As [`spawn`](crate::spawn), on this pool.
    pub fn spawn<OP>(&self, op: OP)
    where
        OP: FnOnce() + Send + 'static,
    {
        self.spawned.spawn(self.pool(), op, false);
    }

    /// As [`spawn_fifo`](crate::spawn_fifo), on this pool.
    pub fn spawn_fifo<OP>(&self, op: OP)
    where
        OP: FnOnce() + Send + 'static,
    {
        self.spawned.spawn(self.pool(), op, true);
    }

    /// As [`spawn_broadcast`](crate::spawn_broadcast), on this pool.
    pub fn spawn_broadcast<OP>(&self, op: OP)
    where
        OP: Fn(BroadcastContext<'_>) + Send + Sync + 'static,
    {
        self.pool().spawn_broadcast(op);
    }

    /// As [`yield_now`](crate::yield_now), on a worker of this pool; `None` on all other threads.
    pub fn yield_now(&self) -> Option<Yield> {
        self.current_thread_index()?;
        crate::yield_now()
    }

    /// As [`yield_local`](crate::yield_local), on a worker of this pool; `None` on all other
    /// threads.
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
