//! The threads of a pool: how they are started, and how they are joined at the end.

use std::io;
use std::thread::{self, JoinHandle};

use crossbeam_utils::sync::WaitGroup;

use super::PoolState;
use crate::sched::outside::Outsider;
use crate::sync::{Mutex, MutexGuard};

/// Whether a program for this target can have more than one thread at all.
pub(super) const EXIST: bool =
    cfg!(not(any(all(target_family = "wasm", not(target_feature = "atomics")), all(loom, feature = "loom"))));

/// The thread of a worker, which a [spawn handler](crate::ThreadPoolBuilder::spawn_handler) has to
/// start.
///
/// If it is dropped without [`run`](Self::run), building the pool fails.
#[must_use = "a worker begins when `run` is called"]
pub struct ThreadBuilder {
    pub(super) index: usize,
    pub(super) name: String,
    pub(super) stack_size: Option<usize>,
    pub(super) body: Box<dyn FnOnce() + Send>,
}

impl ThreadBuilder {
    /// Returns the index of the worker.
    pub fn index(&self) -> usize {
        self.index
    }

    /// Returns the name that the thread should have.
    pub fn name(&self) -> Option<&str> {
        Some(&self.name)
    }

    /// Returns the stack size that was asked for, in bytes.
    pub fn stack_size(&self) -> Option<usize> {
        self.stack_size
    }

    /// Runs the worker on the calling thread, until the pool ends.
    pub fn run(self) {
        (self.body)();
    }

    fn spawn(self) -> io::Result<JoinHandle<()>> {
        let mut thread = thread::Builder::new().name(self.name);
        if let Some(bytes) = self.stack_size {
            thread = thread.stack_size(bytes);
        }
        thread.spawn(self.body)
    }
}

impl std::fmt::Debug for ThreadBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ThreadBuilder")
            .field("index", &self.index)
            .field("name", &self.name)
            .field("stack_size", &self.stack_size)
            .finish_non_exhaustive()
    }
}

pub(super) type SpawnHandler<'a> = dyn FnMut(ThreadBuilder) -> io::Result<()> + 'a;

/// The threads that were started so far.
pub(super) enum Threads {
    Own(Vec<JoinHandle<()>>),
    /// By a spawn handler: each is in the group until it ends, or will not begin. `None` when nobody
    /// waits for them any more.
    Foreign {
        started: usize,
        group: Option<WaitGroup>,
    },
}

impl Threads {
    pub(super) fn own() -> Self {
        Threads::Own(Vec::new())
    }

    pub(super) fn foreign() -> Self {
        Threads::Foreign { started: 0, group: Some(WaitGroup::new()) }
    }

    /// Starts one more, by `handler` if they are foreign.
    pub(super) fn start(
        &mut self,
        mut thread: ThreadBuilder,
        handler: Option<&mut SpawnHandler<'_>>,
    ) -> io::Result<()> {
        match (self, handler) {
            (Threads::Foreign { started, group }, Some(handler)) => {
                let (group, body) = (group.clone(), thread.body);
                thread.body = Box::new(move || {
                    let _until_the_end = group;
                    body();
                });
                *started += 1;
                handler(thread)
            }
            (Threads::Own(handles), _) => {
                handles.push(thread.spawn()?);
                Ok(())
            }
            (Threads::Foreign { .. }, None) => unreachable!("foreign threads have a handler"),
        }
    }

    /// Waits for all of them.
    pub(super) fn join(&mut self) {
        match self {
            Threads::Own(handles) => {
                for thread in handles.drain(..) {
                    let _nothing_unwinds_out_of_a_worker = thread.join();
                }
            }
            Threads::Foreign { group, .. } => group.take().into_iter().for_each(WaitGroup::wait),
        }
    }

    /// How many there are to wait for.
    pub(super) fn len(&self) -> usize {
        match self {
            Threads::Own(handles) => handles.len(),
            Threads::Foreign { started, .. } => *started,
        }
    }

    /// Leaves them to themselves: nobody waits for them any more.
    pub(super) fn detach(&mut self) {
        match self {
            Threads::Own(handles) => handles.clear(),
            Threads::Foreign { started, group } => {
                *started = 0;
                drop(group.take());
            }
        }
    }

    /// Forgets threads that are in another process.
    pub(super) fn forget(&mut self) {
        match self {
            Threads::Own(handles) => handles.drain(..).for_each(std::mem::forget),
            // Its lock may have been held there.
            Threads::Foreign { group, .. } => std::mem::forget(group.take()),
        }
    }
}

/// How many workers have ended, and who waits for them: a worker of another pool, which they may call
/// before they end.
#[derive(Default)]
pub(super) struct Ended(Mutex<Ends>);

#[derive(Default)]
struct Ends {
    workers: usize,
    waits: Option<Outsider>,
}

impl Ended {
    fn ends(&self) -> MutexGuard<'_, Ends> {
        // It is whole even if poisoned.
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// A worker has ended, or will not begin.
    pub(super) fn tell(&self) {
        let mut ends = self.ends();
        ends.workers += 1;
        let waits = ends.waits.clone();
        drop(ends);
        waits.inspect(Outsider::wake);
    }

    /// Waits for so many workers, if the calling thread is a worker itself.
    pub(super) fn wait_for(&self, workers: usize) {
        let here = Outsider::here();
        if here.is_worker() {
            self.ends().waits = Some(here.clone());
            here.wait(&|| self.ends().workers >= workers);
            self.ends().waits = None;
        }
    }
}

impl PoolState {
    /// Keeps the workers from ending, until released; `None` if the pool is over.
    pub(crate) fn hold(&self) -> Option<Hold<'_>> {
        self.shutdown.hold().then(|| Hold(self))
    }
}

/// Keeps the workers of a pool while it lives.
#[must_use]
pub(crate) struct Hold<'p>(&'p PoolState);

impl Drop for Hold<'_> {
    fn drop(&mut self) {
        self.0.release();
    }
}
