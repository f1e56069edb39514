//! Scopes: tasks that may borrow from outside. They have all ended when the scope returns.

mod broadcast;
mod fifo;
mod in_place;
mod open;
mod queue;
mod task;

use std::marker::PhantomData;
use std::panic::Location;
use std::ptr;
use std::sync::{Arc, OnceLock};

use taskel_adaptive::recording::CallKind;

pub(crate) use self::open::{has_own_task, run_own_task};
pub(crate) use self::queue::{Glimpse, ScopeQueue};
pub(crate) use self::task::TaskRef;
pub use self::{
    fifo::{ScopeFifo, in_place_scope_fifo, scope_fifo},
    in_place::in_place_scope,
};

use self::queue::Order;

use crate::profile::calls::{CallSite, Caller};
use crate::protocol::panic_slot::PanicSlot;
use crate::protocol::tickets::Tickets;
use crate::sched::cancel::CancelToken;
use crate::sched::job::{Ancestor, Origin};
use crate::sched::lane::LaneContext;
use crate::sched::outside::Outsider;
use crate::sched::pool::{PoolState, ThreadPool, inside_scope, with_current_lane, with_lane, with_pool};
use crate::sched::recorded::{OpenPart, scope_of_outsider};
use crate::sched::unwind::{self, Payload, drop_quietly};
use crate::sched::wait::wait;
use crate::sync::{AtomicBool, Ordering};

/// A scope in which tasks can be spawned. Tasks may borrow what outlives the scope. [`scope`] makes
/// one.
///
/// The scope lives on the stack of the thread that opened it, its *owner*.
pub struct Scope<'scope> {
    /// One ticket for each task that is not over.
    tasks: Tickets,
    panic: PanicSlot<Payload>,
    /// Null if there is no pool: then the thread that opened the scope runs the tasks, alone.
    pool: *const PoolState,
    owner: Owner,
    order: Order,
    /// The run in which the scope was opened.
    born_in: Origin,
    /// In a user's model, what stands for `born_in`.
    #[cfg(all(loom, feature = "loom"))]
    inside_of: Vec<usize>,
    /// Tasks are dropped instead of begun when this is cancelled.
    cancel: Option<CancelToken>,
    /// Profiles see it.
    is_recorded: bool,
    /// A task was dropped. Read when all tickets are in, which orders it.
    dropped: AtomicBool,
    /// Made for the first task.
    queue: OnceLock<Arc<ScopeQueue>>,
    /// Tasks borrow for `'scope`, which is thereby invariant.
    _bodies: PhantomData<fn(&Scope<'scope>) -> &'scope ()>,
}

/// The thread that waits for the tasks.
#[derive(Clone)]
enum Owner {
    /// A lane, which runs tasks, too.
    Lane(usize),
    Outsider(Outsider),
}

impl Owner {
    fn lane(&self) -> Option<usize> {
        match self {
            Owner::Lane(lane) => Some(*lane),
            Owner::Outsider(_) => None,
        }
    }

    /// All tasks are over. The scope may be gone by now.
    fn wake(&self, pool: &PoolState) {
        match self {
            Owner::Lane(lane) => pool.sleep.wake_waiting(*lane),
            Owner::Outsider(outsider) => outsider.wake(),
        }
    }
}

// SAFETY: `pool` is shared between threads anyway; `born_in` is only followed by who holds a task
// of this scope.
unsafe impl Sync for Scope<'_> {}

/// Calls `op` with a scope, and returns when `op` and all tasks of the scope have ended. Tasks may
/// borrow from outside the scope.
///
/// `op` runs on the calling thread, which then runs tasks that are left. Tasks may spawn further
/// tasks in the same scope. Each worker runs its own youngest task first, and steals the oldest
/// task of another worker.
///
/// While the calling thread waits for the last tasks, it runs only work that descends from them,
/// never unrelated work.
///
/// A spawn costs one allocation and a few tens of nanoseconds. The first spawn of a scope costs six
/// more allocations, and a few more for each further worker that spawns in it. If work splits in
/// two, [`join`](crate::join()) is cheaper. For items of a collection, use a parallel iterator.
///
/// # Panics
///
/// Panics when `op` or a task panics, with the first payload, after everything that was spawned has
/// ended.
///
/// # Examples
///
/// ```
/// let mut left = vec![1, 2, 3];
/// let mut right = vec![4, 5];
/// taskel::scope(|s| {
///     s.spawn(|_| left.push(0));
///     s.spawn(|s| {
///         right.clear();
///         s.spawn(|_| println!("a task of a task"));
///     });
/// });
/// assert_eq!((left.len(), right.len()), (4, 0));
/// ```
#[track_caller]
pub fn scope<'scope, OP, R>(op: OP) -> R
where
    OP: FnOnce(&Scope<'scope>) -> R,
{
    scope_with(None, Order::Lifo, Location::caller(), op).0
}

/// Opens a scope that begins no further tasks once `cancel` is cancelled. Also returns whether
/// tasks were dropped for that.
#[track_caller]
pub(crate) fn scope_with_cancel<'scope, OP, R>(cancel: &CancelToken, op: OP) -> (R, bool)
where
    OP: FnOnce(&Scope<'scope>) -> R,
{
    scope_with(Some(cancel), Order::Lifo, Location::caller(), op)
}

fn scope_with<'scope, OP, R>(cancel: Option<&CancelToken>, order: Order, caller: Caller, op: OP) -> (R, bool)
where
    OP: FnOnce(&Scope<'scope>) -> R,
{
    with_pool(None, |pool| match pool {
        Some(pool) => with_lane(pool, |lane| Scope::of(lane, cancel, order).run(Some(lane), caller, op)),
        None => Scope::alone(cancel, order).run(None, caller, op),
    })
}

/// Opens a scope that profiles do not record, because its tasks are recorded in another way.
pub(crate) fn unrecorded_scope<'scope, OP, R>(op: OP) -> R
where
    OP: FnOnce(&Scope<'scope>) -> R,
{
    let caller = Location::caller();
    let unrecorded = |scope: Scope<'scope>| Scope { is_recorded: false, ..scope };
    with_pool(None, |pool| match pool {
        Some(pool) => {
            with_lane(pool, |lane| unrecorded(Scope::of(lane, None, Order::Lifo)).run(Some(lane), caller, op))
        }
        None => unrecorded(Scope::alone(None, Order::Lifo)).run(None, caller, op),
    })
    .0
}

impl ThreadPool {
    /// Opens a scope like [`scope`](crate::scope()), on this pool.
    ///
    /// # Panics
    ///
    /// Panics like [`scope`](crate::scope()).
    ///
    /// ```
    /// let pool = taskel::ThreadPool::new()?;
    /// let mut text = String::new();
    /// pool.scope(|s| s.spawn(|_| text.push('x')));
    /// assert_eq!(text, "x");
    /// # Ok::<(), taskel::ThreadPoolBuildError>(())
    /// ```
    #[track_caller]
    pub fn scope<'scope, OP, R>(&self, op: OP) -> R
    where
        OP: FnOnce(&Scope<'scope>) -> R,
    {
        let caller = Location::caller();
        self.install(|| scope_with(None, Order::Lifo, caller, op).0)
    }
}

impl<'scope> Scope<'scope> {
    fn of(lane: &LaneContext<'_>, cancel: Option<&CancelToken>, order: Order) -> Self {
        let owner = Owner::Lane(lane.index());
        Scope { cancel: cancel.cloned(), ..Scope::new(lane.pool(), owner, lane.run(), order) }
    }

    fn alone(cancel: Option<&CancelToken>, order: Order) -> Self {
        let owner = Owner::Lane(0);
        Scope { cancel: cancel.cloned(), ..Scope::new(ptr::null(), owner, Origin::OUTSIDE, order) }
    }

    fn new(pool: *const PoolState, owner: Owner, born_in: Origin, order: Order) -> Self {
        Scope {
            cancel: None,
            is_recorded: true,
            dropped: AtomicBool::new(false),
            tasks: Tickets::new(),
            panic: PanicSlot::new(),
            pool,
            owner,
            order,
            born_in,
            #[cfg(all(loom, feature = "loom"))]
            inside_of: crate::sched::modelled::current_ancestors(),
            queue: OnceLock::new(),
            _bodies: PhantomData,
        }
    }

    /// Spawns a task. Some thread of the pool runs it before the scope ends; it may begin at once.
    ///
    /// The task gets the scope as its argument, to spawn further tasks. No order of tasks is
    /// promised. [`scope_fifo`](crate::scope_fifo) promises one.
    ///
    /// # Panics
    ///
    /// Panics when 2³² - 1 tasks are pending.
    ///
    /// ```
    /// use std::sync::atomic::{AtomicU64, Ordering};
    ///
    /// fn visit<'s>(s: &taskel::Scope<'s>, n: u64, sum: &'s AtomicU64) {
    ///     sum.fetch_add(n, Ordering::Relaxed);
    ///     for child in 0..n {
    ///         s.spawn(move |s| visit(s, child, sum));
    ///     }
    /// }
    ///
    /// let sum = AtomicU64::new(0);
    /// taskel::scope(|s| visit(s, 4, &sum));
    /// assert_eq!(sum.into_inner(), 4 + 3 + 2 * 2 + 4 * 1);
    /// ```
    #[track_caller]
    pub fn spawn<BODY>(&self, body: BODY)
    where
        BODY: FnOnce(&Scope<'scope>) + Send + 'scope,
    {
        #[cfg(all(loom, feature = "loom"))]
        if crate::sync::is_modelled() {
            assert!(self.tasks.invite(u32::MAX), "Scope::spawn: a scope can have 2^32 - 1 pending tasks");
            // SAFETY: the ticket was taken out just now, and `run` waits for all tickets.
            let task = unsafe { TaskRef::new(self, body) };
            let job = Box::new(|| task.execute(None));
            return crate::sched::modelled::post_inside(&self.inside_of, self.ancestor().addr(), job);
        }
        let (pool, queue) = (self.pool(), self.queue());
        assert!(self.tasks.invite(u32::MAX), "Scope::spawn: a scope can have 2^32 - 1 pending tasks");
        // SAFETY: the ticket was taken out just now, and `run` waits for all tickets.
        let mut task = unsafe { TaskRef::new(self, body) };
        if let Some(pool) = pool.filter(|pool| self.is_recorded && pool.profiling()) {
            task.record(pool, CallSite::of::<BODY>(Location::caller()));
        }
        with_current_lane(|lane| {
            let lane = lane.filter(|lane| ptr::eq(lane.pool(), self.pool));
            queue.push(lane, task);
            let Some(pool) = pool else { return };
            if queue.invite() {
                match lane {
                    Some(lane) => lane.offer_scope(Arc::clone(queue)),
                    None if self.is_a_worker_outside() => pool.call(Arc::clone(queue) as _),
                    None => pool.inject(Arc::clone(queue) as _),
                }
            }
            // `invite` has fenced.
            self.owner.lane().into_iter().for_each(|owner| pool.sleep.wake_waiting_fenced(owner));
        });
    }

    fn pool(&self) -> Option<&PoolState> {
        // SAFETY: a pool that stands here is alive as long as the scope: its owner is a lane of it,
        // or inside a call that borrows it.
        unsafe { self.pool.as_ref() }
    }

    fn queue(&self) -> &Arc<ScopeQueue> {
        self.queue.get_or_init(|| Arc::new(ScopeQueue::new(self.pool(), self.owner.lane(), self.order)))
    }

    /// Whether a worker of another pool waits for the tasks.
    fn is_a_worker_outside(&self) -> bool {
        matches!(&self.owner, Owner::Outsider(outsider) if outsider.is_worker())
    }

    /// What waits for this scope waits for this.
    fn ancestor(&self) -> Ancestor {
        ptr::from_ref(self).cast()
    }

    /// Runs a task's body, or drops it.
    fn enter(&self, body: impl FnOnce(&Scope<'scope>)) {
        match &self.cancel {
            Some(token) if token.is_cancelled() => self.dropped.store(true, Ordering::Relaxed),
            _ => body(self),
        }
    }

    /// Reports the end of a task. The caller must not touch the scope after that.
    ///
    /// # Safety
    ///
    /// The task's ticket is out, and keeps the scope alive until it is returned here.
    unsafe fn leave(this: *const Self) {
        let (pool, owner) = {
            // SAFETY: this function's contract; the reference ends here.
            let scope = unsafe { &*this };
            (scope.pool, scope.owner.clone())
        };
        // SAFETY: as above. The reference is to the tickets alone, which are all atomic, so that
        // the scope may be gone while `leave` returns.
        let tasks = unsafe { &(*this).tasks };
        if tasks.leave() {
            // SAFETY: the calling thread is a lane of the pool, if there is one, so that the pool
            // is alive.
            if let Some(pool) = unsafe { pool.as_ref() } {
                owner.wake(pool);
            }
        }
    }

    fn run<R, OP>(self, lane: Option<&LaneContext<'_>>, caller: Caller, op: OP) -> (R, bool)
    where
        OP: FnOnce(&Scope<'scope>) -> R,
    {
        let result = inside_scope(&self, || {
            let recorded_by = lane.filter(|lane| self.is_recorded && lane.pool().profiling());
            let site = CallSite::of::<OP>(caller);
            let call = recorded_by.and_then(|lane| lane.begin_call(CallKind::Scope, site, None));
            let part = recorded_by.zip(call).map(|(lane, call)| (lane, OpenPart::only(lane, call.id())));
            let outside = self.pool().filter(|pool| lane.is_none() && pool.profiling());
            let began_ns = outside.map_or(0, PoolState::now_ns);
            let result = unwind::catch(|| op(&self));
            if let Some((lane, part)) = part {
                part.end(lane);
            }
            let closure_ns = outside.map_or(0, PoolState::now_ns);
            self.complete(lane);
            if let Some(pool) = outside {
                scope_of_outsider(pool, site, (began_ns, closure_ns));
            }
            if let (Some(lane), Some(call)) = (recorded_by, call) {
                lane.end_call(call);
            }
            result
        });
        match (self.panic.take(), result) {
            (None, Ok(result)) => (result, self.dropped.load(Ordering::Relaxed)),
            (None, Err(payload)) => unwind::resume(payload),
            (Some(payload), result) => {
                drop_quietly(result);
                unwind::resume(payload)
            }
        }
    }

    /// Works until every task is over.
    fn complete(&self, lane: Option<&LaneContext<'_>>) {
        #[cfg(all(loom, feature = "loom"))]
        crate::sched::modelled::finish(self.ancestor().addr());
        if let Owner::Outsider(outsider) = &self.owner {
            return outsider.wait(&|| self.tasks.settled());
        }
        let Some(queue) = self.queue.get() else { return };
        loop {
            while let Some(task) = queue.take(lane) {
                task.execute(lane);
            }
            if self.tasks.settled() {
                if let Some(lane) = lane {
                    queue.stand_down(lane);
                }
                return;
            }
            let lane = lane.expect("without a lane nobody else has tasks");
            let ready = || self.tasks.settled() || !queue.is_empty();
            wait(lane, self.ancestor(), &|look| queue.lanes_inside().any(look), &ready);
        }
    }
}

impl std::fmt::Debug for Scope<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scope").finish_non_exhaustive()
    }
}
