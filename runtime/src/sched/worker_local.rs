//! A value for each worker.

use std::cell::UnsafeCell;
use std::collections::HashMap;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::Arc;
#[cfg(not(all(loom, feature = "loom")))]
use std::thread::{self, ThreadId as ThreadKey};

use crossbeam_utils::CachePadded;

use crate::containers::table::Table;
use crate::sched::lane::LaneContext;
#[cfg(all(loom, feature = "loom"))]
use crate::sched::modelled::{ThreadKey, this_thread};
use crate::sched::pool::{PoolState, ThreadPool, enter, with_lane, with_pool};
use crate::sync::{Mutex, MutexGuard};

/// A value for each thread that works in a pool, made when that thread first asks for it. Use it
/// for counters, buffers and caches that workers should not share.
///
/// Workers reach their values without a lock. So do threads from outside that take part in the pool
/// (*external callers*), and threads that stand in for waiting workers. The value of such a thread
/// may belong to another such thread at another time. There are at most as many values as workers
/// and such threads at the same time. After the work, the owner of the `WorkerLocal` sees all
/// values.
///
/// It belongs to the pool in which it was made. A thread of another pool counts as a thread from
/// outside.
///
/// ```
/// use std::cell::Cell;
/// use taskel::{WorkerLocal, prelude::*};
///
/// let mut evens = WorkerLocal::new(|| Cell::new(0_u32));
/// (0..1000).into_par_iter().for_each(|n| {
///     if n % 2 == 0 {
///         evens.with(|evens| evens.set(evens.get() + 1));
///     }
/// });
/// assert_eq!(evens.iter_mut().map(|evens| *evens.get_mut()).sum::<u32>(), 500);
/// ```
pub struct WorkerLocal<T> {
    init: Box<dyn Fn() -> T + Send + Sync>,
    /// None if no pool could be made.
    pool: Option<Arc<PoolState>>,
    /// By lane.
    slots: Table<CachePadded<Slot<T>>>,
    /// For threads that get no lane, without a pool or in a forked child. Boxed, so that they stay
    /// in their places.
    others: Mutex<HashMap<ThreadKey, Box<Slot<T>>>>,
}

/// Written once, by the lane or thread that it belongs to, which alone reads it until the
/// `WorkerLocal` is borrowed exclusively.
struct Slot<T>(UnsafeCell<Option<T>>);

// SAFETY: each slot is used by one thread at a time: the one that is its lane, or that it was made
// for. (`T` itself need not be `Sync`.)
unsafe impl<T: Send> Sync for WorkerLocal<T> {}

// SAFETY: as above.
unsafe impl<T: Send> Send for WorkerLocal<T> {}

// Its values are all that a panic may have left half done. (One that panics as it is made is not
// there.)
impl<T: UnwindSafe> UnwindSafe for WorkerLocal<T> {}
impl<T: RefUnwindSafe> RefUnwindSafe for WorkerLocal<T> {}

impl<T> Default for Slot<T> {
    fn default() -> Self {
        Slot(UnsafeCell::new(None))
    }
}

impl<T> Slot<T> {
    /// # Safety
    ///
    /// The calling thread is the only one that uses this slot while the reference lives.
    unsafe fn get_or_init(&self, init: &dyn Fn() -> T) -> &T {
        // SAFETY: nobody else is there; references that this thread has already are shared too.
        if let Some(value) = unsafe { &*self.0.get() } {
            return value;
        }
        let value = init();
        // SAFETY: as above, and no reference into an empty slot exists.
        let slot = unsafe { &mut *self.0.get() };
        match slot {
            // `init` has asked for the value itself, and so has made one.
            Some(_) => drop(value),
            None => *slot = Some(value),
        }
        // SAFETY: as above.
        let slot = unsafe { &*self.0.get() };
        slot.as_ref().expect("written just now")
    }
}

impl<T: Send> WorkerLocal<T> {
    /// Makes a `WorkerLocal` for the surrounding pool. `init` makes a value for each thread that
    /// asks for one.
    pub fn new(init: impl Fn() -> T + Send + Sync + 'static) -> Self {
        with_pool(None, |pool| Self::of(pool, Box::new(init)))
    }

    /// Does the same as [`new`](Self::new), for `pool`.
    ///
    /// ```
    /// let pool = taskel::ThreadPool::builder().num_threads(3).build()?;
    /// let mut ids = taskel::WorkerLocal::new_in(&pool, taskel::current_thread_index);
    /// pool.broadcast(|context| ids.with(|&id| assert_eq!(id, Some(context.index()))));
    /// assert_eq!(ids.iter_mut().count(), 3);
    /// # Ok::<(), taskel::ThreadPoolBuildError>(())
    /// ```
    pub fn new_in(pool: &ThreadPool, init: impl Fn() -> T + Send + Sync + 'static) -> Self {
        pool.install(|| Self::new(init))
    }

    fn of(pool: Option<&PoolState>, init: Box<dyn Fn() -> T + Send + Sync>) -> Self {
        WorkerLocal {
            init,
            pool: pool.map(PoolState::shared),
            slots: pool.map_or_else(Table::empty, |pool| pool.table_by_lane(|_| CachePadded::default())),
            others: Mutex::new(HashMap::new()),
        }
    }

    /// Calls `f` with the value of the calling thread. If there is none yet, it is made first.
    ///
    /// If `f` asks again, it gets the same value. The same holds for other work that this thread
    /// runs while `f` waits for something. So `f` gets a shared reference. To change the value, use
    /// a `Cell` or a `RefCell` that is not borrowed across a wait.
    ///
    /// # Panics
    ///
    /// Panics when `f` or the closure that makes values does. A value that was not made is made
    /// when it is next asked for.
    pub fn with<R>(&self, f: impl FnOnce(&T) -> R) -> R {
        let Some(pool) = self.pool.as_ref().filter(|pool| pool.is_usable()) else {
            let slot = self.other_slot();
            // SAFETY: the slot is this thread's, and stays in its place as long as `self` does.
            let slot = unsafe { &*slot };
            // SAFETY: as above.
            return f(unsafe { slot.get_or_init(&self.init) });
        };
        let on_lane = |lane: &LaneContext<'_>| {
            let slot = self.slots.get_or_make(lane.index(), |_| CachePadded::default());
            // SAFETY: the thread is this lane as long as `f` runs, and nobody else is.
            f(unsafe { slot.get_or_init(&self.init) })
        };
        enter(pool, || with_lane(pool, on_lane))
    }

    fn other_slot(&self) -> *const Slot<T> {
        let mut others = self.lock_others();
        let slot = others.entry(this_thread()).or_default();
        std::ptr::from_ref(&**slot)
    }

    fn lock_others(&self) -> MutexGuard<'_, HashMap<ThreadKey, Box<Slot<T>>>> {
        // No user code runs under it, so it is whole even if poisoned.
        self.others.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Returns all values that were made, in no particular order.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        let others = self.others.get_mut().unwrap_or_else(|poisoned| poisoned.into_inner());
        let lanes = self.slots.iter_mut().filter_map(|slot| slot.0.get_mut().as_mut());
        lanes.chain(others.values_mut().filter_map(|slot| slot.0.get_mut().as_mut()))
    }
}

impl<T: Send> IntoIterator for WorkerLocal<T> {
    type Item = T;
    type IntoIter = std::vec::IntoIter<T>;

    /// Returns all values that were made, in no particular order.
    fn into_iter(self) -> Self::IntoIter {
        let others = self.others.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner());
        let lanes = self.slots.into_iter().filter_map(|slot| slot.into_inner().0.into_inner());
        let values: Vec<T> =
            lanes.chain(others.into_values().filter_map(|slot| slot.0.into_inner())).collect();
        values.into_iter()
    }
}

impl<'a, T: Send> IntoIterator for &'a mut WorkerLocal<T> {
    type Item = &'a mut T;
    type IntoIter = std::vec::IntoIter<&'a mut T>;

    /// Returns all values that were made, in no particular order.
    /// [`iter_mut`](WorkerLocal::iter_mut) does without a list of them.
    fn into_iter(self) -> Self::IntoIter {
        self.iter_mut().collect::<Vec<_>>().into_iter()
    }
}

#[cfg(not(all(loom, feature = "loom")))]
fn this_thread() -> ThreadKey {
    thread::current().id()
}

impl<T: Default + Send + 'static> Default for WorkerLocal<T> {
    fn default() -> Self {
        WorkerLocal::new(T::default)
    }
}

impl<T> std::fmt::Debug for WorkerLocal<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WorkerLocal").finish_non_exhaustive()
    }
}
