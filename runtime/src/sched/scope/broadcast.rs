//! A task for each worker.

use std::panic::Location;
use std::sync::Arc;

use super::{Scope, TaskRef};
use crate::profile::calls::CallSite;
use crate::sched::broadcast::BroadcastContext;
use crate::sched::pool::{Detached, Work, with_current_lane};
use crate::sync::Mutex;

/// A task that one worker alone may run.
struct Posted(Mutex<Option<TaskRef>>);

impl Detached for Posted {
    fn run(self: Arc<Self>) {
        // No user code runs under it, so it is whole even if poisoned.
        let task = self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).take();
        with_current_lane(|lane| {
            let lane = lane.expect("workers are lanes");
            if let Some(task) = task {
                task.execute(Some(lane));
            }
            lane.pool().release();
        });
    }

    /// The scope's owner does, and may be the worker that it was posted to.
    fn is_waited_for(&self) -> bool {
        true
    }
}

impl<'scope> Scope<'scope> {
    /// Spawns a task for each worker of the pool, which runs it between two pieces of other work,
    /// or while it waits for anything inside the pool, before the scope is over.
    ///
    /// As with a [`broadcast`](crate::broadcast), the task must not want a lock that is held across
    /// a loop, join or scope elsewhere. Where no pool can be had, there is one task, for the
    /// calling thread. It costs three allocations for each worker.
    ///
    /// # Panics
    ///
    /// When 2³² - 1 tasks are pending.
    ///
    /// ```
    /// use std::sync::atomic::{AtomicUsize, Ordering};
    ///
    /// let pool = taskel::ThreadPool::builder().num_threads(3).build()?;
    /// let sum = AtomicUsize::new(0);
    /// pool.scope(|s| {
    ///     s.spawn_broadcast(|_, context| {
    ///         sum.fetch_add(context.index(), Ordering::Relaxed);
    ///     });
    /// });
    /// assert_eq!(sum.into_inner(), 0 + 1 + 2);
    /// # Ok::<(), taskel::ThreadPoolBuildError>(())
    /// ```
    #[track_caller]
    pub fn spawn_broadcast<BODY>(&self, body: BODY)
    where
        BODY: Fn(&Scope<'scope>, BroadcastContext<'_>) + Send + Sync + 'scope,
    {
        let Some((pool, _hold)) = self.pool().and_then(|pool| Some((pool, pool.hold()?))) else {
            return self.spawn(move |scope| body(scope, BroadcastContext::new(0, 1)));
        };
        // What the owner waits for is looked for there.
        self.queue();
        let workers = pool.num_threads();
        // A reference for each worker and none for this thread, which shall not be the one that
        // drops what the closure owns.
        let bodies = std::iter::repeat_n(Arc::new(body), workers);
        for (worker, body) in bodies.enumerate() {
            let task = move |scope: &Scope<'scope>| body(scope, BroadcastContext::new(worker, workers));
            assert!(
                self.tasks.invite(u32::MAX),
                "Scope::spawn_broadcast: a scope can have 2^32 - 1 pending tasks"
            );
            // SAFETY: the ticket was taken out just now, and `run` waits for all tickets.
            let mut task = unsafe { TaskRef::new(self, task) };
            if pool.profiling() {
                task.record(pool, CallSite::of::<BODY>(Location::caller()));
            }
            // It is released when the task is over.
            std::mem::forget(pool.hold().expect("held already"));
            pool.send(worker, Work::Detached(Arc::new(Posted(Mutex::new(Some(task))))));
        }
    }
}
