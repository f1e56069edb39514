//! Scopes in which each lane runs its oldest task first.

use std::panic::Location;
use std::ptr;

use super::in_place::in_place;
use super::{Order, Scope, scope_with};
use crate::profile::calls::Caller;
use crate::sched::broadcast::BroadcastContext;
use crate::sched::pool::ThreadPool;

/// A [`Scope`] in which each worker runs first what it has spawned first; made by [`scope_fifo`].
#[repr(transparent)]
pub struct ScopeFifo<'scope>(Scope<'scope>);

/// As [`scope`](crate::scope()), but of its own tasks each worker runs the oldest first. A
/// [`scope`](crate::scope()) has fewer tasks pending at a time, if tasks spawn tasks.
///
/// # Panics
///
/// As [`scope`](crate::scope()).
///
/// ```
/// let pool = taskel::ThreadPool::builder().num_threads(1).build()?;
/// let order = std::sync::Mutex::new(vec![]);
/// pool.scope_fifo(|s| {
///     for n in 0..4 {
///         let order = &order;
///         s.spawn_fifo(move |_| order.lock().unwrap().push(n));
///     }
/// });
/// assert_eq!(order.into_inner().unwrap(), [0, 1, 2, 3]);
/// # Ok::<(), taskel::ThreadPoolBuildError>(())
/// ```
#[track_caller]
pub fn scope_fifo<'scope, OP, R>(op: OP) -> R
where
    OP: FnOnce(&ScopeFifo<'scope>) -> R,
{
    scope_fifo_at(Location::caller(), op)
}

/// As [`in_place_scope`](crate::in_place_scope), in the order of [`scope_fifo`].
///
/// # Panics
///
/// As [`scope`](crate::scope()).
///
/// ```
/// let mut n = 0;
/// taskel::in_place_scope_fifo(|s| s.spawn_fifo(|_| n = 2));
/// assert_eq!(n, 2);
/// ```
#[track_caller]
pub fn in_place_scope_fifo<'scope, OP, R>(op: OP) -> R
where
    OP: FnOnce(&ScopeFifo<'scope>) -> R,
{
    in_place(Order::Fifo, Location::caller(), |scope| op(ScopeFifo::of(scope)))
}

fn scope_fifo_at<'scope, OP, R>(caller: Caller, op: OP) -> R
where
    OP: FnOnce(&ScopeFifo<'scope>) -> R,
{
    scope_with(None, Order::Fifo, caller, |scope| op(ScopeFifo::of(scope))).0
}

impl ThreadPool {
    /// As [`scope_fifo`](crate::scope_fifo), on this pool.
    ///
    /// # Panics
    ///
    /// As [`scope`](crate::scope()).
    #[track_caller]
    pub fn scope_fifo<'scope, OP, R>(&self, op: OP) -> R
    where
        OP: FnOnce(&ScopeFifo<'scope>) -> R,
    {
        let caller = Location::caller();
        self.install(|| scope_fifo_at(caller, op))
    }

    /// As [`in_place_scope_fifo`](crate::in_place_scope_fifo), with tasks for this pool. What else
    /// `op` starts in parallel runs where it would run outside of the scope.
    ///
    /// # Panics
    ///
    /// As [`scope`](crate::scope()).
    #[track_caller]
    pub fn in_place_scope_fifo<'scope, OP, R>(&self, op: OP) -> R
    where
        OP: FnOnce(&ScopeFifo<'scope>) -> R,
    {
        let caller = Location::caller();
        self.enter_with_way_back(|around| {
            in_place(Order::Fifo, caller, |scope| around.run(|| op(ScopeFifo::of(scope))))
        })
    }
}

impl<'scope> ScopeFifo<'scope> {
    fn of<'s>(scope: &'s Scope<'scope>) -> &'s Self {
        // SAFETY: the representation is the same (`transparent`), and so is the lifetime.
        unsafe { &*ptr::from_ref(scope).cast() }
    }

    /// As [`Scope::spawn`].
    ///
    /// # Panics
    ///
    /// When 2³² - 1 tasks are pending.
    #[track_caller]
    pub fn spawn_fifo<BODY>(&self, body: BODY)
    where
        BODY: FnOnce(&ScopeFifo<'scope>) + Send + 'scope,
    {
        self.0.spawn(|scope| body(ScopeFifo::of(scope)));
    }

    /// As [`Scope::spawn_broadcast`].
    ///
    /// # Panics
    ///
    /// When 2³² - 1 tasks are pending.
    #[track_caller]
    pub fn spawn_broadcast<BODY>(&self, body: BODY)
    where
        BODY: Fn(&ScopeFifo<'scope>, BroadcastContext<'_>) + Send + Sync + 'scope,
    {
        self.0.spawn_broadcast(move |scope, context| body(ScopeFifo::of(scope), context));
    }
}

impl std::fmt::Debug for ScopeFifo<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ScopeFifo").finish_non_exhaustive()
    }
}
