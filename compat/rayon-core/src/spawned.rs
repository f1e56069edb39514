//! The order of tasks that workers spawn, which is rayon's: a worker runs its own newest task
//! first, and then the oldest task of another worker.
//!
//! taskel's `spawn` begins the oldest task first, of all threads. So the tasks that a worker spawns
//! are kept here, and the worker spawns *tickets* on taskel. A ticket that runs takes tasks from
//! here until there are none. Whenever a task is added, there is a ticket that has not begun and
//! that will find the task, unless another thread takes it first. There are never more such tickets
//! than workers. (Tickets that have begun do not count, because what they run may wait for the new
//! task.)

use std::cell::RefCell;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::worker::{global, is_worker};

type Work = Box<dyn FnOnce() + Send>;

/// After this many tasks, a ticket goes behind all other work of the pool.
const IN_A_ROW: usize = 32;

/// The spawned tasks of one pool.
pub(crate) struct Spawned {
    pending: Mutex<Pending>,
    /// Whether each worker runs its oldest task first.
    breadth_first: bool,
}

struct Pending {
    /// The queue of each worker.
    queues: Vec<Queue>,
    /// How many tickets have not begun.
    tickets: usize,
}

#[derive(Default)]
struct Queue {
    all: VecDeque<Entry>,
    /// The tasks that the entries `InOrder` stand for.
    in_order: VecDeque<Work>,
}

enum Entry {
    Work(Work),
    /// The oldest task in `in_order`.
    InOrder,
}

impl Queue {
    fn take(&mut self, oldest: bool) -> Option<Work> {
        match if oldest { self.all.pop_front() } else { self.all.pop_back() }? {
            Entry::Work(work) => Some(work),
            Entry::InOrder => self.in_order.pop_front(),
        }
    }
}

#[derive(Clone)]
struct Here {
    spawned: Arc<Spawned>,
    worker: usize,
}

thread_local! {
    /// The place of the calling thread. `None` if it is not a worker of a pool of this crate.
    static HERE: RefCell<Option<Here>> = const { RefCell::new(None) };
}

impl Spawned {
    pub(crate) fn new(workers: usize, breadth_first: bool) -> Arc<Self> {
        let queues = (0..workers).map(|_| Queue::default()).collect();
        Arc::new(Spawned { pending: Mutex::new(Pending { queues, tickets: 0 }), breadth_first })
    }

    /// Records that the calling thread is a worker of the pool.
    pub(crate) fn enter(self: &Arc<Self>, worker: usize) {
        HERE.set(Some(Here { spawned: Arc::clone(self), worker }));
    }

    /// Records that it is no longer a worker.
    pub(crate) fn leave() {
        HERE.set(None);
    }

    fn lock(&self) -> MutexGuard<'_, Pending> {
        // Nothing panics under the lock.
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take_own(&self, worker: usize) -> Option<Work> {
        self.lock().queues[worker].take(self.breadth_first)
    }

    /// Takes `worker`'s own work, if it is one of this pool, or otherwise work of others.
    fn take(&self, worker: Option<usize>) -> Option<Work> {
        let mut pending = self.lock();
        let own = worker.and_then(|worker| pending.queues[worker].take(self.breadth_first));
        let (before, from) = pending.queues.split_at_mut(worker.unwrap_or(0));
        own.or_else(|| from.iter_mut().chain(before).find_map(|queue| queue.take(true)))
    }

    /// Returns the index of the calling thread, if it is a worker of this pool.
    pub(crate) fn worker_here(self: &Arc<Self>) -> Option<usize> {
        here().filter(|here| Arc::ptr_eq(&here.spawned, self)).map(|here| here.worker)
    }

    fn push(self: &Arc<Self>, worker: usize, work: Work, fifo: bool) {
        let mut pending = self.lock();
        let queue = &mut pending.queues[worker];
        if fifo {
            queue.in_order.push_back(work);
            queue.all.push_back(Entry::InOrder);
        } else {
            queue.all.push_back(Entry::Work(work));
        }
        self.spawn_ticket(pending);
    }

    /// Spawns a ticket, unless there are enough.
    fn spawn_ticket(self: &Arc<Self>, mut pending: MutexGuard<'_, Pending>) {
        if pending.tickets == pending.queues.len() {
            return;
        }
        pending.tickets += 1;
        drop(pending);
        let spawned = Arc::clone(self);
        taskel::spawn(move || {
            spawned.lock().tickets -= 1;
            let worker = spawned.worker_here();
            for _ in 0..IN_A_ROW {
                let Some(work) = spawned.take(worker) else { return };
                run(work);
            }
            spawned.spawn_ticket(spawned.lock());
        });
    }

    /// Spawns `work` on `pool`, to which this belongs.
    pub(crate) fn spawn(
        self: &Arc<Self>,
        pool: &taskel::ThreadPool,
        work: impl FnOnce() + Send + 'static,
        fifo: bool,
    ) {
        match self.worker_here() {
            Some(worker) => self.push(worker, Box::new(work), fifo),
            None => pool.spawn(work),
        }
    }
}

/// Runs work that nobody waits for. A panic is handled as for spawned work.
fn run(work: Work) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(work)) {
        taskel::spawn(|| resume_unwind(payload));
    }
}

/// Returns `None` unless the thread is a worker that is running its own pool's work.
fn here() -> Option<Here> {
    if is_worker() { HERE.with_borrow(Option::clone) } else { None }
}

/// Returns whether the calling thread has spawned work that nobody has begun.
pub(crate) fn any_own() -> bool {
    here().is_some_and(|here| !here.spawned.lock().queues[here.worker].all.is_empty())
}

/// Runs the newest work that the calling thread has spawned and nobody has begun. Returns false if
/// there is none.
pub(crate) fn run_own() -> bool {
    let Some(work) = here().and_then(|here| here.spawned.take_own(here.worker)) else { return false };
    run(work);
    true
}

/// Makes a worker run `func` later. A worker that spawns several runs the newest first.
///
/// A panic of `func` goes to the pool's panic handler; without one it aborts the process.
pub fn spawn<F>(func: F)
where
    F: FnOnce() + Send + 'static,
{
    spawn_in_order(func, false);
}

/// Does the same as [`spawn`], but a worker that spawns several runs the oldest first.
pub fn spawn_fifo<F>(func: F)
where
    F: FnOnce() + Send + 'static,
{
    spawn_in_order(func, true);
}

fn spawn_in_order(func: impl FnOnce() + Send + 'static, fifo: bool) {
    match here() {
        Some(here) => here.spawned.push(here.worker, Box::new(func), fifo),
        None if is_worker() => taskel::spawn(func),
        None => global().spawn(func),
    }
}
