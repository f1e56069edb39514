//! Scopes whose owner may be a thread outside the pool that runs their tasks.

use std::panic::Location;

use super::{Order, Owner, Scope};
use crate::profile::calls::Caller;
use crate::sched::job::Origin;
use crate::sched::outside::Outsider;
use crate::sched::pool::{ThreadPool, with_current_lane, with_pool};

/// Opens a scope like [`scope`](crate::scope()), but a thread from outside the pool runs only `op`.
/// Workers run the tasks, while the thread runs `op` or waits. `op` may block until tasks have run.
///
/// A thread that already works for the pool (a worker, or a thread inside a scope, join or loop)
/// takes part in the tasks when `op` has returned, as in a [`scope`](crate::scope()).
///
/// # Panics
///
/// Panics like [`scope`](crate::scope()).
///
/// ```
/// let pool = taskel::ThreadPool::builder().num_threads(1).build()?;
/// let (sender, receiver) = std::sync::mpsc::channel();
/// pool.in_place_scope(|s| {
///     s.spawn(move |_| sender.send(taskel::current_thread_index()).unwrap());
///     assert_eq!(receiver.recv(), Ok(Some(0)));
/// });
/// # Ok::<(), taskel::ThreadPoolBuildError>(())
/// ```
#[track_caller]
pub fn in_place_scope<'scope, OP, R>(op: OP) -> R
where
    OP: FnOnce(&Scope<'scope>) -> R,
{
    in_place(Order::Lifo, Location::caller(), op)
}

pub(super) fn in_place<'scope, OP, R>(order: Order, caller: Caller, op: OP) -> R
where
    OP: FnOnce(&Scope<'scope>) -> R,
{
    with_pool(None, |pool| match pool {
        Some(pool) => with_current_lane(|lane| match lane {
            Some(lane) => Scope::of(lane, None, order).run(Some(lane), caller, op),
            None => {
                let owner = Owner::Outsider(Outsider::here());
                Scope::new(pool, owner, Origin::OUTSIDE, order).run(None, caller, op)
            }
        }),
        None => Scope::alone(None, order).run(None, caller, op),
    })
    .0
}

impl ThreadPool {
    /// As [`in_place_scope`](crate::in_place_scope), with tasks for this pool. What else `op` starts
    /// in parallel runs where it would run outside of the scope.
    ///
    /// # Panics
    ///
    /// As [`scope`](crate::scope()).
    ///
    /// ```
    /// let [here, there] = [2, 3].map(|threads| taskel::ThreadPool::builder().num_threads(threads).build().unwrap());
    /// here.install(|| {
    ///     there.in_place_scope(|s| {
    ///         s.spawn(|_| assert_eq!(taskel::current_num_threads(), 3));
    ///         assert_eq!(taskel::current_num_threads(), 2);
    ///     });
    /// });
    /// ```
    #[track_caller]
    pub fn in_place_scope<'scope, OP, R>(&self, op: OP) -> R
    where
        OP: FnOnce(&Scope<'scope>) -> R,
    {
        let caller = Location::caller();
        self.enter_with_way_back(|around| in_place(Order::Lifo, caller, |scope| around.run(|| op(scope))))
    }
}
