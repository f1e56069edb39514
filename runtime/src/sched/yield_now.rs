//! Yielding: lets other work run first.

use crate::sched::lane::LaneContext;
use crate::sched::pool::{ThreadPool, with_current_lane};
use crate::sched::reentrancy::Entered;
use crate::sched::scope::{has_own_task, run_own_task};

/// The result of a [`yield_now`] or [`yield_local`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Yield {
    /// Some other work was done.
    Executed,
    /// There was none, or nested yields already use as much of the stack as they may.
    Idle,
}

/// Runs one piece of other work, if there is any, and returns. This is for code that polls for
/// something which other work may bring about.
///
/// The calling thread's own work goes first: a task of a scope that it is inside (the innermost
/// scope first), then the second closure of a [`join`](crate::join()) whose first closure it is
/// running. If there is none, a worker takes any work in its pool. A thread from outside the pool,
/// inside a scope, join or loop, runs only its own work.
///
/// This is the only way to run *unrelated* work in the middle of other work; waits never do so. Do
/// not call it while you hold a lock that other work may take. The work runs on top of the caller's
/// stack, and the caller goes on when it has ended.
///
/// If that work also yields, the next piece runs on top of it, and so on. When half a MiB of a
/// thread's stack, or a quarter of a smaller stack, is used in this way, yields on that thread do
/// nothing. So pieces of work that all poll for one another need more threads than one, or less
/// stack.
///
/// Items of a loop should not poll for other items of the same loop: a yield takes part in a loop
/// only if the loop still has an invitation for a helper. (It then runs in the middle of the item
/// that yields, with its own state for [`map_init`](crate::iter::ParallelIterator::map_init).)
///
/// A yield never helps a [stream](crate::stream), because it might then wait for the work that
/// yields. In the source of a [bridge](crate::iter::ParallelBridge), a yield also never helps a
/// loop.
///
/// Returns `None` on a thread that is neither a worker nor inside a scope, join or loop. Then
/// nothing was done. In a forked child, only tasks of scopes that were opened there are run.
///
/// ```
/// use std::sync::atomic::{AtomicBool, Ordering};
///
/// assert_eq!(taskel::yield_now(), None);
/// let pool = taskel::ThreadPool::builder().num_threads(1).build()?;
/// let done = AtomicBool::new(false);
/// pool.scope(|s| {
///     s.spawn(|_| done.store(true, Ordering::Relaxed));
///     while !done.load(Ordering::Relaxed) {
///         taskel::yield_now();
///     }
/// });
/// # Ok::<(), taskel::ThreadPoolBuildError>(())
/// ```
pub fn yield_now() -> Option<Yield> {
    yield_to(Whose::Anybodys)
}

/// Yields like [`yield_now`], but runs only the calling thread's own work, and calls of a
/// [broadcast](crate::broadcast).
///
/// ```
/// use taskel::Yield;
///
/// let pool = taskel::ThreadPool::builder().num_threads(1).build()?;
/// pool.scope(|s| {
///     s.spawn(|_| ());
///     assert_eq!(taskel::yield_local(), Some(Yield::Executed));
///     assert_eq!(taskel::yield_local(), Some(Yield::Idle));
/// });
/// # Ok::<(), taskel::ThreadPoolBuildError>(())
/// ```
pub fn yield_local() -> Option<Yield> {
    yield_to(Whose::Own)
}

/// Tests whether the calling thread has own work that nobody has begun, like
/// [`ThreadPool::current_thread_has_pending_tasks`] for one pool. Returns `None` on a thread that
/// is neither a worker nor inside a scope, join or loop.
///
/// ```
/// assert_eq!(taskel::current_thread_has_pending_tasks(), None);
/// let pool = taskel::ThreadPool::builder().num_threads(1).build()?;
/// pool.scope(|s| {
///     s.spawn(|_| ());
///     assert_eq!(taskel::current_thread_has_pending_tasks(), Some(true));
/// });
/// # Ok::<(), taskel::ThreadPoolBuildError>(())
/// ```
pub fn current_thread_has_pending_tasks() -> Option<bool> {
    with_current_lane(|lane| lane.filter(|lane| lane.pool().is_usable()).map(has_pending_tasks))
}

fn has_pending_tasks(lane: &LaneContext<'_>) -> bool {
    lane.has_own() || has_own_task(lane)
}

/// Which work a yield may run.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Whose {
    Own,
    Anybodys,
}

fn yield_to(whose: Whose) -> Option<Yield> {
    with_current_lane(|lane| match lane.filter(|lane| lane.pool().is_usable()) {
        Some(lane) => Some(yield_on(lane, whose)),
        // There is no pool: the thread may be alone with a scope.
        None => {
            let _inside = Entered::yielded()?;
            #[cfg(all(loom, feature = "loom"))]
            if crate::sync::is_modelled() {
                return Some(if crate::sched::modelled::do_something() {
                    Yield::Executed
                } else {
                    Yield::Idle
                });
            }
            run_own_task(None).then_some(Yield::Executed)
        }
    })
}

impl ThreadPool {
    /// Yields like [`yield_now`](crate::yield_now()), on a thread that works for this pool. Returns
    /// `None` on any other thread.
    ///
    /// ```
    /// let pool = taskel::ThreadPool::builder().num_threads(2).build()?;
    /// assert_eq!(pool.yield_now(), None);
    /// assert!(pool.broadcast(|_| pool.yield_now().is_some()).into_iter().all(|inside| inside));
    /// # Ok::<(), taskel::ThreadPoolBuildError>(())
    /// ```
    pub fn yield_now(&self) -> Option<Yield> {
        self.on_current_lane(|lane| yield_on(lane, Whose::Anybodys))
    }

    /// Yields like [`yield_local`](crate::yield_local()), on a thread that works for this pool.
    /// Returns `None` on any other thread.
    ///
    /// ```
    /// let pool = taskel::ThreadPool::builder().num_threads(2).build()?;
    /// assert_eq!(pool.yield_local(), None);
    /// assert!(pool.broadcast(|_| pool.yield_local().is_some()).into_iter().all(|inside| inside));
    /// # Ok::<(), taskel::ThreadPoolBuildError>(())
    /// ```
    pub fn yield_local(&self) -> Option<Yield> {
        self.on_current_lane(|lane| yield_on(lane, Whose::Own))
    }

    /// Tests whether the calling thread has own work that nobody has begun: tasks of scopes that it
    /// is inside, second closures of joins, invitations to its loop. Returns `None` on a thread
    /// that does not work for this pool.
    ///
    /// This can help to decide whether to spawn more tasks. Other threads may take such work at any
    /// moment.
    ///
    /// ```
    /// let pool = taskel::ThreadPool::builder().num_threads(1).build()?;
    /// assert_eq!(pool.current_thread_has_pending_tasks(), None);
    /// pool.scope(|s| {
    ///     assert_eq!(pool.current_thread_has_pending_tasks(), Some(false));
    ///     s.spawn(|_| ());
    ///     assert_eq!(pool.current_thread_has_pending_tasks(), Some(true));
    /// });
    /// # Ok::<(), taskel::ThreadPoolBuildError>(())
    /// ```
    pub fn current_thread_has_pending_tasks(&self) -> Option<bool> {
        self.on_current_lane(has_pending_tasks)
    }
}

fn yield_on(lane: &LaneContext<'_>, whose: Whose) -> Yield {
    let clock = lane.pool().clock;
    let private = lane.private();
    let (began, waited_ns, helped_ns) = (clock.now(), private.waited_ns.get(), private.helped_ns.get());
    if !do_something(lane, whose) {
        return Yield::Idle;
    }
    // For the measurement of the calling taskel, all of that was other work.
    private.waited_ns.set(waited_ns);
    private.helped_ns.set(helped_ns.saturating_add(clock.ns_between(began, clock.now())));
    Yield::Executed
}

/// Runs one piece of work. Returns false if there was none.
fn do_something(lane: &LaneContext<'_>, whose: Whose) -> bool {
    let Some(_inside) = Entered::yielded() else {
        // Others have to go on with it, perhaps on this core.
        std::thread::yield_now();
        return false;
    };
    let work = match lane.take_mail(|_| true) {
        Some(mail) => Some(mail),
        None if run_own_task(Some(lane)) => return true,
        None => lane.take_own(),
    };
    // A loop has a slot for one external caller, which must be its own caller or a lane that waits
    // for the loop.
    let may_look = lane.is_worker() && whose == Whose::Anybodys;
    let work = work.or_else(|| may_look.then(|| lane.take_open_scope().or_else(|| lane.find_work()))?);
    work.map(|work| lane.execute(work)).is_some()
}
