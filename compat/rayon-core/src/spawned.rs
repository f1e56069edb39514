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

/// After so many, a ticket goes behind what else was handed to the pool.
const IN_A_ROW: usize = 32;

/// Of one pool.
pub(crate) struct Spawned {
    pending: Mutex<Pending>,
    /// Each worker begins its oldest first.
    breadth_first: bool,
}

struct Pending {
    /// By worker.
    queues: Vec<Queue>,
    /// How many nobody has begun.
    tickets: usize,
}

#[derive(Default)]
struct Queue {
    all: VecDeque<Entry>,
    /// What the entries `InOrder` stand for.
    in_order: VecDeque<Work>,
}

enum Entry {
    Work(Work),
    /// The oldest in `in_order`.
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
    /// What the calling thread is; none if it is no worker of a pool that was made here.
    static HERE: RefCell<Option<Here>> = const { RefCell::new(None) };
}

impl Spawned {
    pub(crate) fn new(workers: usize, breadth_first: bool) -> Arc<Self> {
        let queues = (0..workers).map(|_| Queue::default()).collect();
        Arc::new(Spawned { pending: Mutex::new(Pending { queues, tickets: 0 }), breadth_first })
    }

    /// Says that the calling thread is a worker of the pool.
    pub(crate) fn enter(self: &Arc<Self>, worker: usize) {
        HERE.set(Some(Here { spawned: Arc::clone(self), worker }));
    }

    /// Says that it is one no longer.
    pub(crate) fn leave() {
        HERE.set(None);
    }

    fn lock(&self) -> MutexGuard<'_, Pending> {
        // Nobody panics under it.
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take_own(&self, worker: usize) -> Option<Work> {
        self.lock().queues[worker].take(self.breadth_first)
    }

    /// Own work of `worker`, if that is one of this pool, or else that of others.
    fn take(&self, worker: Option<usize>) -> Option<Work> {
        let mut pending = self.lock();
        let own = worker.and_then(|worker| pending.queues[worker].take(self.breadth_first));
        let (before, from) = pending.queues.split_at_mut(worker.unwrap_or(0));
        own.or_else(|| from.iter_mut().chain(before).find_map(|queue| queue.take(true)))
    }

    /// The worker of this pool that the calling thread is.
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

    /// Unless there are enough.
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

/// Nobody waits for it: its panic goes where those of spawned work go.
fn run(work: Work) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(work)) {
        taskel::spawn(|| resume_unwind(payload));
    }
}

/// `None` where the thread is a worker, but is in the midst of other things.
fn here() -> Option<Here> {
    if is_worker() { HERE.with_borrow(Option::clone) } else { None }
}

/// Whether the calling thread has spawned something that nobody has begun.
pub(crate) fn any_own() -> bool {
    here().is_some_and(|here| !here.spawned.lock().queues[here.worker].all.is_empty())
}

/// Does what the calling thread has spawned last, if nobody has begun it. False if there is
/// nothing.
pub(crate) fn run_own() -> bool {
    let Some(work) = here().and_then(|here| here.spawned.take_own(here.worker)) else { return false };
    run(work);
    true
}

/// Has a worker run `func` some time. A worker that spawns several begins the newest first.
///
/// A panic of `func` goes to the pool's panic handler; without one it aborts the process.
pub fn spawn<F>(func: F)
where
    F: FnOnce() + Send + 'static,
{
    spawn_in_order(func, false);
}

/// As [`spawn`], but a worker that spawns several begins the oldest first.
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
