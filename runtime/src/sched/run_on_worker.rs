//! Runs a closure on a worker's own thread.

use std::mem;

use crate::sched::pool::ThreadPool;
use crate::sched::task::call;

impl ThreadPool {
    /// Runs `op` on the thread of some worker of the pool, and returns its result.
    ///
    /// This is for code that needs the workers' [stack](crate::ThreadPoolBuilder::stack_size), or
    /// thread-local values that the [start handler](crate::ThreadPoolBuilder::start_handler) sets.
    /// For all other code, [`install`](Self::install) is faster.
    ///
    /// On a worker of this pool, `op` runs at once on that worker. Any other thread blocks until a
    /// worker has run `op`, between two pieces of other work. Meanwhile, a worker of another pool
    /// runs calls of this kind to its own pool. So pools may call each other in circles. In a
    /// forked child, and on systems without threads, `op` runs on the calling thread.
    ///
    /// A call costs three allocations, and the time to wake a worker if none is awake.
    ///
    /// # Panics
    ///
    /// Panics when `op` does.
    ///
    /// ```
    /// let pool = taskel::ThreadPool::builder().num_threads(2).stack_size(64 << 20).build()?;
    /// let mut word = String::from("on");
    /// let index = pool.run_on_worker(|| {
    ///     word += " a worker";
    ///     taskel::current_thread_index()
    /// });
    /// assert!(index.is_some());
    /// assert_eq!(word, "on a worker");
    /// # Ok::<(), taskel::ThreadPoolBuildError>(())
    /// ```
    pub fn run_on_worker<OP, R>(&self, op: OP) -> R
    where
        OP: FnOnce() -> R + Send,
        R: Send,
    {
        if self.is_worker_here() || !self.has_workers() {
            return self.install(op);
        }
        let mut result = None;
        let place = &mut result;
        let work: Box<dyn FnOnce() + Send + '_> = Box::new(move || *place = Some(op()));
        // SAFETY: only the lifetime changes. `join_elsewhere` returns, or unwinds, when the work is
        // over and its closure dropped; nothing between here and there unwinds, and what is left of
        // the task then borrows nothing.
        let work = unsafe { mem::transmute::<Box<dyn FnOnce() + Send + '_>, Box<dyn FnOnce() + Send>>(work) };
        self.install(|| call(work)).join_elsewhere();
        result.expect("the work is over, and did not unwind")
    }
}
