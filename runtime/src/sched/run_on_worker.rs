//! Runs a closure on a worker's own thread.

use std::mem;

use crate::sched::pool::ThreadPool;
use crate::sched::task::call;

impl ThreadPool {
    /// Runs `op` on the thread of some worker, inside of the pool, and returns its result: for what
    /// needs the workers' [stack](crate::ThreadPoolBuilder::stack_size), or thread-local values
    /// that the [start handler](crate::ThreadPoolBuilder::start_handler) sets. All else begins
    /// sooner by [`install`](Self::install).
    ///
    /// On a worker of this pool, `op` runs at once, where it is. Any other thread blocks until a
    /// worker has come to it, between two pieces of other work, and has run it. A worker of another
    /// pool does meanwhile what its own pool is called for in the same way, so that pools may call
    /// each other in circles. In a forked child and where there are no threads, `op` runs on the
    /// calling thread.
    ///
    /// It costs three allocations, and the time to wake a worker if none is awake.
    ///
    /// # Panics
    ///
    /// When `op` does.
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
