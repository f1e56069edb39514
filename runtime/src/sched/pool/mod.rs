//! The pool: what its lanes share ([`PoolState`]), and the handle that users hold ([`ThreadPool`]).

mod build;
mod builder;
mod current;
mod environment;
mod guarded;
#[cfg(test)]
mod guarded_tests;
mod hot;
mod injector;
mod metrics;
mod places;
mod profiling;
mod reserve;
mod standing;
mod state;
mod threads;
mod worker;

use std::panic::{RefUnwindSafe, UnwindSafe};
use std::ptr;
use std::sync::Arc;

#[cfg(all(loom, feature = "loom"))]
pub(crate) use build::USUAL_LANES_OF_MODEL;
pub(crate) use current::{
    Around, current_lane, enter, find_scope, inside_scope, lane_for_joins, look_whether_joins_are_recorded,
    this_thread, with_current_lane, with_lane, with_lane_to_wait, with_pool, with_surrounding, with_worker,
    without_recording_joins,
};
pub(crate) use injector::{Detached, Work};
pub(crate) use reserve::BEFORE_LENDING;
pub(crate) use state::PoolState;

pub use builder::{Cores, IdlePolicy, Pinning, ThreadPoolBuilder};
pub use hot::HotGuard;
pub use metrics::{PoolMetrics, WorkerMetrics};
pub use threads::ThreadBuilder;

use self::threads::Threads;
use crate::sched::error::ThreadPoolBuildError;
use crate::sched::lane::LaneContext;

/// A pool of worker threads. They run parallel work together with the thread that calls it.
///
/// Dropping a pool ends and joins its threads. Share it by reference or in an [`Arc`].
///
/// ```
/// use taskel::prelude::*;
///
/// let pool = taskel::ThreadPoolBuilder::new().num_threads(2).build()?;
/// let sum: u64 = pool.install(|| (1..=1000_u64).into_par_iter().sum());
/// assert_eq!(sum, 500_500);
/// # Ok::<(), taskel::ThreadPoolBuildError>(())
/// ```
///
/// # The calling thread takes part
///
/// A loop runs on at most [`current_num_threads`](ThreadPool::current_num_threads) threads, and the
/// calling thread is one of them. It starts at once, and takes the seat of one worker (if each core
/// has a worker, the one on the caller's core). In a pool of one thread, loops run on the calling
/// thread alone.
///
/// # In a forked child
///
/// A child process that `fork` makes has only one thread: the copy of the thread that called
/// `fork`. In the child, calls on a pool of the parent run on the calling thread alone, as if no
/// pool could be made. Dropping such a pool ends nothing. The child can make new pools. It cannot
/// complete what was going on when `fork` was called, such as a scope or a loop around the call.
/// Joining a [`Task`](crate::Task) that the parent had begun panics.
///
/// # Where there are no threads
///
/// In WebAssembly without atomics, a pool can be built, too. It has no workers, whatever was asked
/// for, and everything runs at once on the calling thread. Handlers for workers are not called.
///
/// # External callers
///
/// Any number of threads from outside can be inside loops, joins and scopes of one pool at the same
/// time. Each takes the seat of a worker. If there are more of them than workers, several take the
/// seat of the same worker. Then no worker is left to help, and each thread does its own work.
///
/// # Reserves
///
/// A waiting worker runs only the work that it waits for. While it sleeps, an additional thread of
/// the pool may run closures of joins in its place. Such a *reserve* is named `taskel-reserve`. It
/// starts when it is first needed, and ends when it was not needed for ten seconds. There are at
/// most as many reserves as workers. A pool with a start, exit or spawn handler, or a memory guard,
/// has no reserves.
pub struct ThreadPool {
    state: Arc<PoolState>,
    threads: Threads,
}

impl ThreadPool {
    /// Builds a pool with the [default number of workers](ThreadPoolBuilder::num_threads): one for
    /// each core that the process may use, or fewer under a quota. This is the same as
    /// `ThreadPoolBuilder::new().build()`.
    ///
    /// # Errors
    ///
    /// The errors are those of [`ThreadPoolBuilder::build`].
    ///
    /// ```
    /// let pool = taskel::ThreadPool::new()?;
    /// assert!(pool.current_num_threads() >= 1);
    /// # Ok::<(), taskel::ThreadPoolBuildError>(())
    /// ```
    pub fn new() -> Result<ThreadPool, ThreadPoolBuildError> {
        ThreadPoolBuilder::new().build()
    }

    /// Returns a builder with the default settings, like [`ThreadPoolBuilder::new`].
    ///
    /// ```
    /// let pool = taskel::ThreadPool::builder().num_threads(1).build()?;
    /// assert_eq!(pool.current_num_threads(), 1);
    /// # Ok::<(), taskel::ThreadPoolBuildError>(())
    /// ```
    pub fn builder() -> ThreadPoolBuilder {
        ThreadPoolBuilder::new()
    }

    /// Returns the global pool, which serves all parallel calls outside any other pool. If there is
    /// none yet, this call makes it.
    ///
    /// [`ThreadPoolBuilder::build_global`] makes it with other settings. It lives until the process
    /// ends. The process does not wait for tasks that were [spawned](crate::spawn) on it.
    ///
    /// # Panics
    ///
    /// Panics when it cannot be made. (Parallel calls then run on the calling thread.)
    ///
    /// ```
    /// use taskel::{ThreadPool, prelude::*};
    ///
    /// let (sum, profile) = ThreadPool::global().profile(|| (1..=1000_u64).into_par_iter().sum::<u64>());
    /// assert_eq!((sum, profile.taskels()), (500_500, 1000));
    /// ```
    #[track_caller]
    pub fn global() -> &'static ThreadPool {
        current::global()
            .expect("ThreadPool::global: the global pool could not be started; `ThreadPoolBuilder::build_global` tells why")
    }

    /// Runs `op` on the calling thread. Parallel calls inside `op` run on this pool.
    ///
    /// Unlike rayon's `install`, this does not move to a worker thread. So `op` need not be `Send`,
    /// and it begins at once. If `op` needs a worker's stack or thread-local values, use
    /// [`run_on_worker`](Self::run_on_worker).
    ///
    /// # Panics
    ///
    /// Panics when `op` does.
    ///
    /// ```
    /// use taskel::prelude::*;
    ///
    /// let pool = taskel::ThreadPool::new()?;
    /// let not_send = std::rc::Rc::new(2);
    /// let doubled: Vec<i32> = pool.install(|| {
    ///     let factor = *not_send;
    ///     vec![1, 2, 3].into_par_iter().map(|n| n * factor).collect()
    /// });
    /// assert_eq!(doubled, [2, 4, 6]);
    /// # Ok::<(), taskel::ThreadPoolBuildError>(())
    /// ```
    pub fn install<R>(&self, op: impl FnOnce() -> R) -> R {
        current::enter(&self.state, op)
    }

    /// Ends the pool, as dropping it does, and returns when its threads have ended. Before that,
    /// the pool runs everything that was [spawned](crate::spawn) or [submitted](crate::submit) on
    /// it, and the [exit handlers](ThreadPoolBuilder::exit_handler).
    ///
    /// For a pool in an [`Arc`], see [`Arc::into_inner`].
    ///
    /// # Panics
    ///
    /// Panics on a thread that is running work of this pool, because it cannot wait for itself. The
    /// pool is then dropped without waiting.
    ///
    /// ```
    /// let pool = taskel::ThreadPool::new()?;
    /// let (sender, receiver) = std::sync::mpsc::channel();
    /// pool.spawn(move || sender.send(1).unwrap());
    /// pool.shutdown();
    /// assert_eq!(receiver.try_recv(), Ok(1));
    /// # Ok::<(), taskel::ThreadPoolBuildError>(())
    /// ```
    #[track_caller]
    pub fn shutdown(self) {
        assert!(
            !current::is_inside(&self.state),
            "ThreadPool::shutdown: it waits for all work of the pool, so work of the pool cannot call it; drop the pool instead"
        );
    }

    /// Ends the pool, and returns at once. Its threads end by themselves, when everything that was
    /// [spawned](crate::spawn) or [submitted](crate::submit) on the pool is done.
    ///
    /// ```
    /// let pool = taskel::ThreadPool::new()?;
    /// let (sender, receiver) = std::sync::mpsc::channel();
    /// pool.spawn(move || sender.send(1).unwrap());
    /// pool.shutdown_background();
    /// assert_eq!(receiver.recv(), Ok(1));
    /// # Ok::<(), taskel::ThreadPoolBuildError>(())
    /// ```
    pub fn shutdown_background(mut self) {
        if self.state.is_usable() {
            self.threads.detach();
        }
    }

    /// Returns the number of workers. A loop on this pool runs on at most this many threads.
    ///
    /// ```
    /// let pool = taskel::ThreadPool::builder().num_threads(3).build()?;
    /// assert_eq!(pool.current_num_threads(), 3);
    /// # Ok::<(), taskel::ThreadPoolBuildError>(())
    /// ```
    pub fn current_num_threads(&self) -> usize {
        self.state.num_threads()
    }

    /// Returns the index of the calling thread among this pool's workers, or `None` on any other
    /// thread. (A worker inside [`install`](Self::install) of another pool also gets `None`.)
    ///
    /// ```
    /// let pool = taskel::ThreadPool::builder().num_threads(2).build()?;
    /// assert_eq!(pool.broadcast(|_| pool.current_thread_index()), [Some(0), Some(1)]);
    /// assert_eq!(pool.install(|| pool.current_thread_index()), None, "the calling thread is an external caller");
    /// # Ok::<(), taskel::ThreadPoolBuildError>(())
    /// ```
    pub fn current_thread_index(&self) -> Option<usize> {
        self.on_current_lane(|lane| lane.is_worker().then(|| lane.index()))?
    }

    /// As [`install`](Self::install), with a way back to what surrounds the caller.
    pub(crate) fn enter_with_way_back<R>(&self, op: impl FnOnce(&Around) -> R) -> R {
        current::enter_with_way_back(&self.state, op)
    }

    /// Whether the calling thread is a worker of this pool, whatever was installed since.
    pub(crate) fn is_worker_here(&self) -> bool {
        self.install(|| self.current_thread_index().is_some())
    }

    /// Whether there are threads in this process that work for the pool.
    pub(crate) fn has_workers(&self) -> bool {
        self.state.is_usable()
    }

    /// Calls `op` with the lane that the calling thread is in this pool, if it is one and no other
    /// pool was installed since. Never in a forked child.
    pub(crate) fn on_current_lane<R>(&self, op: impl FnOnce(&LaneContext<'_>) -> R) -> Option<R> {
        let is_ours = |lane: &&LaneContext<'_>| ptr::eq(lane.pool(), &*self.state) && self.state.is_usable();
        with_current_lane(|lane| lane.filter(is_ours).map(op))
    }
}

// A panic that crosses the pool arrives when everything around it is over, and leaves nothing half
// done.
impl UnwindSafe for ThreadPool {}
impl RefUnwindSafe for ThreadPool {}

impl Drop for ThreadPool {
    /// Lets the workers run what was [spawned](crate::spawn) and [submitted](crate::submit) on the
    /// pool, then ends them and waits for their threads.
    ///
    /// A thread that is running work of this pool may drop the last reference. It does not wait for
    /// the workers, because they may be waiting for it. They end when everything is done. A worker
    /// of another pool waits, and meanwhile runs calls from this pool to its own pool.
    fn drop(&mut self) {
        #[cfg(all(loom, feature = "loom"))]
        crate::sched::modelled::finish_pool(&self.state);
        if !self.state.is_usable() {
            // In a forked child, there are no threads to end.
            self.state.reserves.forget();
            return self.threads.forget();
        }
        self.state.release();
        if !current::is_inside(&self.state) {
            self.state.ended.wait_for(self.threads.len());
            self.threads.join();
            self.state.reserves.join();
        }
    }
}

impl std::fmt::Debug for ThreadPool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ThreadPool").field("num_threads", &self.current_num_threads()).finish_non_exhaustive()
    }
}

/// Returns the largest number of workers that a pool can have. If a builder asks for more,
/// [`build`](ThreadPoolBuilder::build) returns an error.
///
/// ```
/// assert!(taskel::max_num_threads() >= taskel::current_num_threads());
/// ```
pub fn max_num_threads() -> usize {
    build::MOST_THREADS
}

/// Returns the largest number of threads on which a loop that is called here would run. This is the
/// number of threads of the surrounding pool, or else of the global pool, which this call starts if
/// necessary. It is 1 if that is impossible.
///
/// ```
/// let pool = taskel::ThreadPool::builder().num_threads(2).build()?;
/// assert_eq!(pool.install(taskel::current_num_threads), 2);
/// # Ok::<(), taskel::ThreadPoolBuildError>(())
/// ```
pub fn current_num_threads() -> usize {
    #[cfg(all(loom, feature = "loom"))]
    if crate::sync::is_modelled() {
        return with_pool(None, |_| crate::sched::modelled::lanes());
    }
    with_pool(None, |pool| pool.map_or(1, PoolState::num_threads))
}

/// Returns the index of the calling worker in its pool, or `None` on a thread that is not a worker.
///
/// A thread from outside the pool does not become a worker: it has no index inside
/// [`install`](ThreadPool::install), nor in its share of a loop, scope or join. A worker of one
/// pool has no index inside `install` of another pool. For a value per thread, see
/// [`WorkerLocal`](crate::WorkerLocal).
///
/// ```
/// assert_eq!(taskel::current_thread_index(), None);
/// let pool = taskel::ThreadPool::builder().num_threads(2).build()?;
/// assert_eq!(pool.install(taskel::current_thread_index), None);
/// assert_eq!(pool.broadcast(|_| taskel::current_thread_index()), [Some(0), Some(1)]);
/// # Ok::<(), taskel::ThreadPoolBuildError>(())
/// ```
pub fn current_thread_index() -> Option<usize> {
    current::worker_index()
}
