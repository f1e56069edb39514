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
    Around, enter, find_scope, inside_scope, lane_for_joins, look_whether_joins_are_recorded, this_thread,
    with_current_lane, with_lane, with_lane_to_wait, with_pool, with_surrounding, with_worker,
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

/// Worker threads that wait for parallel work, and do it together with the thread that asks for it.
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
/// thread that calls it is one of them: it starts at once, without handing anything over, and takes
/// the seat of one worker (the one whose core it is on, if each core has one). A pool of one thread
/// runs loops on the caller alone.
///
/// # In a forked child
///
/// A child process that is made by `fork` has none of its parent's threads but the one that called
/// it. There, whatever is called on a pool of the parent's runs on the calling thread alone, as if
/// no pool could be had, and dropping such a pool ends nothing. New pools can be made. What was
/// going on when `fork` was called (a scope or a loop around the call) cannot be completed in the
/// child; a [`Task`](crate::Task) that had been begun says so with a panic.
///
/// # Where there are no threads
///
/// In WebAssembly without atomics, a pool can be built all the same: of one lane, whatever was
/// asked for, and no worker. Everything runs on the thread that calls it, at once; handlers for
/// workers are not called.
///
/// # External callers
///
/// Any number of threads from outside can be inside loops, joins and scopes of one pool at a time.
/// Each takes the seat of a worker, several that of the same one if there are more of them than
/// workers; then nobody is left to help, and each does its own.
///
/// # Reserves
///
/// A wait runs nothing but what it waits for. While a worker sleeps in one, a thread of the pool
/// that is no worker may run halves of joins in its place: `taskel-reserve`, begun when first
/// needed, as many as there are workers at most, and ended when not needed for ten seconds. A pool
/// with a start, exit or spawn handler, or a memory guard, has none.
pub struct ThreadPool {
    state: Arc<PoolState>,
    threads: Threads,
}

impl ThreadPool {
    /// A pool with the [default number of workers](ThreadPoolBuilder::num_threads): one for each
    /// core that the process may use, or fewer under a quota. The same as
    /// `ThreadPoolBuilder::new().build()`.
    ///
    /// # Errors
    ///
    /// As [`ThreadPoolBuilder::build`].
    ///
    /// ```
    /// let pool = taskel::ThreadPool::new()?;
    /// assert!(pool.current_num_threads() >= 1);
    /// # Ok::<(), taskel::ThreadPoolBuildError>(())
    /// ```
    pub fn new() -> Result<ThreadPool, ThreadPoolBuildError> {
        ThreadPoolBuilder::new().build()
    }

    /// A builder with the default settings; the same as [`ThreadPoolBuilder::new`].
    ///
    /// ```
    /// let pool = taskel::ThreadPool::builder().num_threads(1).build()?;
    /// assert_eq!(pool.current_num_threads(), 1);
    /// # Ok::<(), taskel::ThreadPoolBuildError>(())
    /// ```
    pub fn builder() -> ThreadPoolBuilder {
        ThreadPoolBuilder::new()
    }

    /// The pool that serves all parallel calls outside of any other pool; it is made now if there
    /// is none yet.
    ///
    /// [`ThreadPoolBuilder::build_global`] makes it with settings of one's own. It lives until the
    /// process ends, which does not wait for what was [spawned](crate::spawn) on it.
    ///
    /// # Panics
    ///
    /// When it cannot be made. (Parallel calls then run on the calling thread.)
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

    /// Runs `op` on the calling thread; what it starts in parallel runs on this pool.
    ///
    /// Unlike rayon's, it does not move to a worker thread, so nothing need be `Send`, and it
    /// begins at once. What needs a worker's stack or thread-local values runs there by
    /// [`run_on_worker`](Self::run_on_worker).
    ///
    /// # Panics
    ///
    /// When `op` does.
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

    /// Ends the pool, as dropping it does, and returns when its threads have ended: after
    /// everything that was [spawned](crate::spawn) or [submitted](crate::submit) on it is done, and
    /// the [exit handlers](ThreadPoolBuilder::exit_handler) have run.
    ///
    /// For a pool in an [`Arc`], see [`Arc::into_inner`].
    ///
    /// # Panics
    ///
    /// On a thread in the middle of the pool's own work, which cannot wait for itself. The pool is
    /// then dropped, without waiting.
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

    /// Ends the pool, as dropping it does, and returns at once: its threads end by themselves, when
    /// everything that was [spawned](crate::spawn) or [submitted](crate::submit) on it is done.
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

    /// The most threads that a loop on this pool runs on: the number of workers.
    ///
    /// ```
    /// let pool = taskel::ThreadPool::builder().num_threads(3).build()?;
    /// assert_eq!(pool.current_num_threads(), 3);
    /// # Ok::<(), taskel::ThreadPoolBuildError>(())
    /// ```
    pub fn current_num_threads(&self) -> usize {
        self.state.num_threads()
    }

    /// The index of the calling thread among this pool's workers; `None` on any other thread. (And
    /// on a worker while it is inside [`install`](Self::install) of another pool.)
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
    /// Ends the workers, once they have done what was [spawned](crate::spawn) and
    /// [submitted](crate::submit) on the pool, and waits for their threads.
    ///
    /// A thread in the middle of the pool's own work, which owned the last reference, waits for
    /// none of them, since they may be waiting for it; they end when everything is done.
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

/// The most workers that a pool can have: to ask for more is an error of
/// [`build`](ThreadPoolBuilder::build).
///
/// ```
/// assert!(taskel::max_num_threads() >= taskel::current_num_threads());
/// ```
pub fn max_num_threads() -> usize {
    build::MOST_THREADS
}

/// The most threads that a loop started here would run on: those of the pool around the caller,
/// else of the global pool, which this starts if need be; 1 if that is impossible.
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

/// The index of the worker that calls this, in the pool it belongs to; `None` on a thread that is
/// no worker.
///
/// A thread that calls into a pool from outside stays what it is: inside
/// [`install`](ThreadPool::install), and in its share of a loop, scope or join, it has no index.
/// Nor has a worker of one pool inside `install` of another. For a value by thread, see
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
