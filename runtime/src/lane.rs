//! A lane: a seat in the pool with a deque. Each worker thread has one for life; a calling thread from outside leases one.

use std::cell::{Cell, RefCell, UnsafeCell};
use std::ptr::{self, NonNull};
use std::sync::Arc;

use crossbeam_deque::{Steal, Stealer, Worker};

use crate::counter::Counter;
use crate::job::{Job, Run};
use crate::pending::{Pending, PendingList};
use crate::pool::{PoolState, Work};
use crate::profile::recorder::Recorder;
use crate::scope::Bag;
use crate::slab::Slab;
use crate::sync::{AtomicU32, Mutex, Ordering};

/// One lane as the whole pool sees it.
pub(crate) struct Lane {
    private: UnsafeCell<Private>,
    stealer: Stealer<Job>,
    /// Scopes in which there is work for others.
    open_scopes: Stealer<Arc<Bag>>,
    /// The lane that this one waits for, plus one; a hint.
    waits_for: AtomicU32,
    pub(crate) counters: Counters,
    /// One entry for each profile that is being taken.
    pub(crate) recorders: Mutex<Vec<(u64, Recorder)>>,
}

// SAFETY: `private` is reached only through a `LaneContext`, of which there is one at a time per lane, on one thread.
unsafe impl Sync for Lane {}

// SAFETY: the pointers in `private` are null while no context of the lane exists, and are not followed by anyone else.
unsafe impl Send for Lane {}

/// What only the lane's own thread touches.
pub(crate) struct Private {
    /// Invitations to loops, and halves of joins: what is on top was opened last and is over first.
    deque: Worker<Job>,
    open_scopes: Worker<Arc<Bag>>,
    pending: PendingList,
    /// The innermost work that this lane took from somewhere; null while it works on its own behalf.
    run: Cell<*const Run>,
    /// Do not wake anyone for the halves of joins: the outermost one is expected to be over before a sleeper has come.
    quiet: Cell<bool>,
    /// Memory for loops, the last one used on top: one slab for each level of nesting that was ever reached.
    slabs: RefCell<Vec<Slab>>,
    /// State of a xorshift generator.
    random: Cell<u32>,
    /// How many loops this lane is inside of.
    pub(crate) depth: Cell<u32>,
    /// Nanoseconds spent waiting for other lanes, and nanoseconds spent on their work meanwhile; only differences matter.
    pub(crate) waited_ns: Cell<u64>,
    pub(crate) helped_ns: Cell<u64>,
}

/// What a lane counts, always.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) loops: Counter,
    pub(crate) chunks: Counter,
    pub(crate) taskels: Counter,
    pub(crate) steals_tried: Counter,
    pub(crate) steals_won: Counter,
    pub(crate) wakeups: Counter,
    pub(crate) parks: Counter,
}

impl Lane {
    pub(crate) fn new(seed: u32) -> Self {
        let deque = Worker::new_lifo();
        let open_scopes = Worker::new_fifo();
        Lane {
            stealer: deque.stealer(),
            open_scopes: open_scopes.stealer(),
            waits_for: AtomicU32::new(0),
            private: UnsafeCell::new(Private {
                deque,
                open_scopes,
                pending: PendingList::new(),
                run: Cell::new(ptr::null()),
                quiet: Cell::new(false),
                slabs: RefCell::new(Vec::new()),
                random: Cell::new(seed.wrapping_mul(0x9E37_79B9) | 1),
                depth: Cell::new(0),
                waited_ns: Cell::new(0),
                helped_ns: Cell::new(0),
            }),
            counters: Counters::default(),
            recorders: Mutex::new(Vec::new()),
        }
    }

    /// Whether something could be stolen from this lane.
    pub(crate) fn has_work(&self) -> bool {
        self.has_job() || self.has_open_scope()
    }

    pub(crate) fn has_job(&self) -> bool {
        !self.stealer.is_empty()
    }

    pub(crate) fn has_open_scope(&self) -> bool {
        !self.open_scopes.is_empty()
    }

    /// Takes the oldest job.
    pub(crate) fn steal_job(&self) -> Option<Job> {
        steal_from(&self.stealer)
    }

    /// Takes the oldest notice of a scope with work for others.
    pub(crate) fn steal_open_scope(&self) -> Option<Arc<Bag>> {
        steal_from(&self.open_scopes)
    }

    /// The lane that this one waits for, if any; a hint.
    pub(crate) fn waits_for(&self) -> Option<usize> {
        self.waits_for.load(Ordering::Relaxed).checked_sub(1).map(|lane| lane as usize)
    }

    /// Says which lane this one waits for, and returns what was said before. Only the lane itself says so.
    pub(crate) fn set_waits_for(&self, lane: Option<usize>) -> Option<usize> {
        let before = self.waits_for();
        self.waits_for.store(lane.map_or(0, |lane| lane as u32 + 1), Ordering::Relaxed);
        before
    }
}

/// Takes the oldest entry.
fn steal_from<T>(stealer: &Stealer<T>) -> Option<T> {
    persist(|| stealer.steal())
}

/// Takes until the answer is yes or no.
pub(crate) fn persist<T>(mut take: impl FnMut() -> Steal<T>) -> Option<T> {
    loop {
        match take() {
            Steal::Success(entry) => return Some(entry),
            Steal::Empty => return None,
            Steal::Retry => std::hint::spin_loop(),
        }
    }
}

/// The right to be a lane: proof that this thread owns its private part.
pub(crate) struct LaneContext<'p> {
    pool: &'p PoolState,
    index: usize,
    private: &'p Private,
}

impl<'p> LaneContext<'p> {
    /// # Safety
    ///
    /// The calling thread owns lane `index` of `pool`, as its worker or as the holder of its lease, for as long as the context
    /// lives.
    pub(crate) unsafe fn new(pool: &'p PoolState, index: usize) -> Self {
        let private = pool.lane(index).private.get();
        // SAFETY: every other context of this lane is on this thread, and they all only share the private part.
        LaneContext { pool, index, private: unsafe { &*private } }
    }

    pub(crate) fn pool(&self) -> &'p PoolState {
        self.pool
    }

    pub(crate) fn index(&self) -> usize {
        self.index
    }

    /// Whether this is one of the pool's own threads.
    pub(crate) fn is_worker(&self) -> bool {
        self.index < self.pool.num_threads()
    }

    pub(crate) fn lane(&self) -> &'p Lane {
        self.pool.lane(self.index)
    }

    pub(crate) fn private(&self) -> &'p Private {
        self.private
    }

    /// Offers a job to whoever looks for one. All halves of joins that are older are public already.
    pub(crate) fn push(&self, job: Job) {
        debug_assert!(self.private.pending.is_empty(), "what is older is pushed first");
        self.private.deque.push(job);
    }

    /// Whether nothing of this lane's is on offer.
    #[inline]
    pub(crate) fn nothing_pushed(&self) -> bool {
        self.private.deque.is_empty()
    }

    /// Whether a loop may offer itself to others: nothing that is older is left to be offered. Offers it if there is.
    pub(crate) fn may_invite(&self) -> bool {
        if !self.nothing_pushed() {
            return false;
        }
        !self.publish_oldest()
    }

    /// Takes `job` back if nobody else has it. It was pushed last of what is not taken back yet.
    pub(crate) fn take_back(&self, job: Job) -> bool {
        let top = self.private.deque.pop();
        // Thieves take the oldest: with `job` gone, everything below it is gone too.
        debug_assert!(top.is_none_or(|top| top == job), "jobs are taken back in the reverse order");
        top.is_some()
    }

    /// Notes `pending` as something that others could do, and sees to it that the oldest such thing can be seen by them.
    ///
    /// # Safety
    ///
    /// It stays where it is until it is [taken back](Self::take_back_pending), or executed by who took it. The pointer may be
    /// used for all that its head's `execute` expects, from any thread.
    #[inline]
    pub(crate) unsafe fn push_pending(&self, pending: NonNull<Pending>) {
        // SAFETY: it leaves the list when it is taken back or made public.
        unsafe { self.private.pending.push(pending) };
        self.offer_oldest_if_none();
    }

    /// Takes `pending`, the newest of this lane's that is not taken back yet. False if somebody else has it.
    #[inline]
    pub(crate) fn take_back_pending(&self, pending: NonNull<Pending>) -> bool {
        if !self.private.pending.pop(pending) {
            return self.take_back_public(pending);
        }
        self.offer_oldest_if_none();
        true
    }

    #[cold]
    #[inline(never)]
    fn take_back_public(&self, pending: NonNull<Pending>) -> bool {
        // SAFETY: only compared with what was pushed.
        let job = unsafe { Job::new(pending.cast()) };
        self.take_back(job)
    }

    #[inline]
    fn offer_oldest_if_none(&self) {
        if self.nothing_pushed() {
            self.publish_oldest();
        }
    }

    /// Makes the oldest private entry public, if there is one.
    #[cold]
    #[inline(never)]
    fn publish_oldest(&self) -> bool {
        let Some(oldest) = self.private.pending.take_oldest() else { return false };
        self.publish(oldest);
        if !self.private.quiet.get() {
            self.pool.wake_one(self.index, self.random());
        }
        true
    }

    fn publish(&self, pending: NonNull<Pending>) {
        // SAFETY: it was in the list, where everything is alive.
        unsafe { pending.as_ref() }.head.set_born_in(self.private.run.get());
        // SAFETY: it stays until it is taken back or executed (`push_pending`), and its head is its first field.
        self.private.deque.push(unsafe { Job::new(pending.cast()) });
    }

    /// Does what it found.
    pub(crate) fn execute(&self, work: Work) {
        match work {
            // SAFETY: found work was taken off a deque, and `work` is its only copy.
            Work::Job(job) => unsafe { job.execute(self) },
            Work::Detached(work) => self.in_run(&Run::new(ptr::null(), ptr::null()), || work.run()),
        }
    }

    /// Runs `work` of a frame that is not this lane's own. What is pending belongs to other runs and is made public first.
    pub(crate) fn in_run(&self, run: &Run, work: impl FnOnce()) {
        while self.publish_oldest() {}
        let before = self.private.run.replace(run);
        let quiet = self.private.quiet.replace(false);
        work();
        self.private.run.set(before);
        self.private.quiet.set(quiet);
    }

    /// The innermost work that this lane took from somewhere.
    pub(crate) fn run(&self) -> *const Run {
        self.private.run.get()
    }

    /// Whether halves of joins may be offered without waking anyone for them; returns what was said before.
    pub(crate) fn set_quiet(&self, quiet: bool) -> bool {
        self.private.quiet.replace(quiet)
    }

    /// Offers the scope's work to others.
    pub(crate) fn offer_scope(&self, scope: Arc<Bag>) {
        self.private.open_scopes.push(scope);
        self.pool.wake_one(self.index, self.random());
    }

    /// Memory for a loop. Give it back with [`put_slab`](Self::put_slab).
    pub(crate) fn take_slab(&self) -> Slab {
        let spare = self.private.slabs.borrow_mut().pop();
        spare.unwrap_or_else(|| Slab::new(self.pool.slots()))
    }

    /// Keeps the memory, which has no segments and no units left in it, for the next loop.
    pub(crate) fn put_slab(&self, slab: Slab) {
        self.private.slabs.borrow_mut().push(slab);
    }

    /// A number to start looking for victims from.
    pub(crate) fn random(&self) -> usize {
        // xorshift32 (Marsaglia 2003).
        let mut x = self.private.random.get();
        x ^= x << 13;
        x ^= x >> 17;
        x ^= x << 5;
        self.private.random.set(x);
        x as usize
    }
}
