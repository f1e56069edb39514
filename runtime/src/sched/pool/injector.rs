//! Work that belongs to the pool and not to a caller, and work that was put back.

use std::sync::Arc;

use crossbeam_deque::Injector;

use crate::sched::job::{Ancestor, Job};
use crate::sched::lane::{LaneContext, persist};
use crate::sync::{AtomicU32, Mutex, Ordering};

/// Work without a caller: some worker does it when it has nothing else to do.
pub(crate) trait Detached: Send + Sync {
    /// Does the work, if it is not done already. Does not unwind.
    fn run(self: Arc<Self>);

    /// Whether a thread waits for it. Every wait must look for such mail.
    fn is_waited_for(&self) -> bool {
        false
    }
}

/// What a worker finds.
pub(crate) enum Work {
    /// A job from the deque of a lane, which is [told](crate::sched::lane::Lane::note_stolen) as
    /// the job is executed.
    Stolen(Job, usize),
    /// A job from elsewhere.
    Job(Job),
    Detached(Arc<dyn Detached>),
}

impl Work {
    /// For mail: whether a thread waits for it. Mail is calls of broadcasts.
    pub(crate) fn is_waited_for(&self) -> bool {
        match self {
            Work::Detached(work) => work.is_waited_for(),
            Work::Stolen(..) | Work::Job(_) => true,
        }
    }
}

/// The queues of a pool, first in, first out.
pub(super) struct Queues {
    detached: Injector<Arc<dyn Detached>>,
    /// What workers of other pools wait for.
    calls: Injector<Arc<dyn Detached>>,
    /// Jobs that a waiting lane has taken and may not run, which happens when a victim turns to
    /// other work at that very moment.
    strays: Mutex<Vec<Job>>,
    /// The length of `strays`; written under its lock, read without: the sleep protocol's fences
    /// order it.
    stray_count: AtomicU32,
}

impl Queues {
    /// With room for as many strays as there usually are, so that nothing allocates for them: what
    /// a lane has not offered can be a tree's depth.
    pub(super) fn new(num_threads: usize) -> Self {
        Queues {
            detached: Injector::new(),
            calls: Injector::new(),
            strays: Mutex::new(Vec::with_capacity(2 * num_threads + 64)),
            stray_count: AtomicU32::new(0),
        }
    }

    pub(super) fn has_detached(&self) -> bool {
        !self.detached.is_empty() || self.has_call()
    }

    pub(super) fn has_call(&self) -> bool {
        !self.calls.is_empty()
    }

    pub(super) fn has_stray(&self) -> bool {
        self.stray_count.load(Ordering::Relaxed) > 0
    }

    pub(super) fn has_stray_for(&self, ancestor: Ancestor, lane: &LaneContext<'_>) -> bool {
        // SAFETY: as in `take_stray_for`.
        self.has_stray() && self.lock().iter().any(|job| unsafe { job.is_for(ancestor, lane) })
    }

    pub(super) fn push_detached(&self, work: Arc<dyn Detached>) {
        self.detached.push(work);
    }

    pub(super) fn push_call(&self, work: Arc<dyn Detached>) {
        self.calls.push(work);
    }

    /// A call, or what was pushed first of the rest.
    pub(super) fn take_detached(&self) -> Option<Arc<dyn Detached>> {
        self.take_call().or_else(|| persist(|| self.detached.steal()))
    }

    pub(super) fn take_call(&self) -> Option<Arc<dyn Detached>> {
        if self.has_call() { persist(|| self.calls.steal()) } else { None }
    }

    pub(super) fn push_stray(&self, job: Job) {
        let mut strays = self.lock();
        strays.push(job);
        self.stray_count.store(strays.len() as u32, Ordering::Relaxed);
    }

    /// Takes any stray.
    pub(super) fn take_stray(&self) -> Option<Job> {
        self.take_stray_that(|_| true)
    }

    /// Takes a stray that `lane`, which waits for `ancestor`, may run.
    pub(super) fn take_stray_for(&self, ancestor: Ancestor, lane: &LaneContext<'_>) -> Option<Job> {
        // SAFETY: what lies here was taken off a deque and not executed.
        self.take_stray_that(|job| unsafe { job.is_for(ancestor, lane) })
    }

    fn take_stray_that(&self, fits: impl Fn(&Job) -> bool) -> Option<Job> {
        if !self.has_stray() {
            return None;
        }
        let mut strays = self.lock();
        let found = strays.iter().position(fits)?;
        let job = strays.swap_remove(found);
        self.stray_count.store(strays.len() as u32, Ordering::Relaxed);
        Some(job)
    }

    /// A stray that is a half of a join.
    pub(super) fn take_stray_half(&self) -> Option<Job> {
        self.take_stray_that(is_half)
    }

    pub(super) fn has_stray_half(&self) -> bool {
        self.has_stray() && self.lock().iter().any(is_half)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Job>> {
        // No user code runs under it, so it is whole even if poisoned.
        self.strays.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

/// Of a stray.
fn is_half(job: &Job) -> bool {
    // SAFETY: it was taken off a deque and not executed.
    unsafe { job.rank() }.is_half()
}
