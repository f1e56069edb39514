//! Yielding: lets other work run first.

use crate::sched::lane::LaneContext;
use crate::sched::pool::{ThreadPool, with_current_lane};
use crate::sched::reentrancy::Entered;
use crate::sched::scope::{has_own_task, run_own_task};

/// What came of a [`yield_now`] or [`yield_local`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Yield {
    /// Some other work was done.
    Executed,
    /// There was none, or yields that lie on top of each other use as much of the stack as they
    /// may.
    Idle,
}

/// Does one piece of other work, if there is some, before it returns: for code that polls for
/// something which that work may bring about.
///
/// What the calling thread has begun itself goes first: a task of a scope that it is inside of (the
/// innermost first), then the second closure of a [`join`](crate::join()) whose first it is inside
/// of. Else a worker takes anything that lies in its pool. A thread from outside, inside a scope,
/// join or loop, does nothing but what it has begun.
///
/// This is the one way to run *unrelated* work in the middle of one's own, which waits never do: do
/// not call it while holding a lock that other work may want. The work is done on top of the
/// caller's stack, and the caller goes on when it is over.
///
/// Where that work yields in turn, the next lies on top of it, and so on. When half a MiB of a
/// thread's stack, or a quarter of a smaller one, is used in this way, yields do nothing there:
/// pieces of work that all poll for one another need more threads than one, or less stack.
///
/// Items of a loop should not poll for other items of it: what is left of a loop is only taken here
/// if it still waits for a helper. (It then goes on in the midst of the item that yields, with a
/// state of its own for [`map_init`](crate::iter::ParallelIterator::map_init).)
///
/// The lanes of [streams](crate::stream) that it comes across here leave at once, since they might
/// wait for what yields; in the source of a [bridge](crate::iter::ParallelBridge), so do those of
/// loops.
///
/// `None` on a thread that is neither a worker nor inside a scope, join or loop; then nothing was
/// done. In a forked child, only tasks of scopes that were opened there are.
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

/// As [`yield_now`], but does only what the calling thread has begun itself, or is called for by a
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

/// Whether the calling thread has work of its own that nobody has begun, as
/// [`ThreadPool::current_thread_has_pending_tasks`] says it of one pool; `None` on a thread that is
/// neither a worker nor inside a scope, join or loop.
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

/// Which work a yield may do.
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
    /// As [`yield_now`](crate::yield_now()), on a thread that works for this pool; `None` on any
    /// other.
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

    /// As [`yield_local`](crate::yield_local()), on a thread that works for this pool; `None` on
    /// any other.
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

    /// Whether the calling thread has work of its own that nobody has begun: tasks of scopes that
    /// it is inside of, second closures of joins, invitations to its loop. `None` on a thread that
    /// does not work for this pool.
    ///
    /// It may help to decide whether to spawn more, or to go on alone. Other threads may take such
    /// work at any moment.
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
    // To whoever takes the time of the calling taskel, all of that was other work.
    private.waited_ns.set(waited_ns);
    private.helped_ns.set(helped_ns.saturating_add(clock.ns_between(began, clock.now())));
    Yield::Executed
}

/// Does one piece of work. False if there was none.
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
    // A loop has a slot for one external caller, which is to be its caller's or who waits for that.
    let may_look = lane.is_worker() && whose == Whose::Anybodys;
    let work = work.or_else(|| may_look.then(|| lane.take_open_scope().or_else(|| lane.find_work()))?);
    work.map(|work| lane.execute(work)).is_some()
}
