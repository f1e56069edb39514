//! A lane: a seat in the pool with a deque. Each worker thread has one for life; a calling thread from outside leases one.

use std::cell::{Cell, RefCell, UnsafeCell};

use crossbeam_deque::{Steal, Stealer, Worker};

use crate::counter::Counter;
use crate::job::Job;
use crate::pool::PoolState;
use crate::slab::Slab;
use crate::sync::Mutex;

use crate::profile::recorder::Recorder;

/// One lane as the whole pool sees it.
pub(crate) struct Lane {
    private: UnsafeCell<Private>,
    stealer: Stealer<Job>,
    pub(crate) counters: Counters,
    /// One entry for each profile that is being taken.
    pub(crate) recorders: Mutex<Vec<(u64, Recorder)>>,
}

// SAFETY: `private` is reached only through a `LaneContext`, of which there is one at a time per lane, on one thread.
unsafe impl Sync for Lane {}

/// What only the lane's own thread touches.
pub(crate) struct Private {
    deque: Worker<Job>,
    /// Memory for loops, the last one used on top: one slab for each level of nesting that was ever reached.
    slabs: RefCell<Vec<Slab>>,
    /// State of a xorshift generator.
    random: Cell<u32>,
    /// How many loops this lane is inside of.
    pub(crate) depth: Cell<u32>,
    /// Nanoseconds spent waiting for other lanes; only differences matter.
    pub(crate) waited_ns: Cell<u64>,
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
        Lane {
            stealer: deque.stealer(),
            private: UnsafeCell::new(Private {
                deque,
                slabs: RefCell::new(Vec::new()),
                random: Cell::new(seed.wrapping_mul(0x9E37_79B9) | 1),
                depth: Cell::new(0),
                waited_ns: Cell::new(0),
            }),
            counters: Counters::default(),
            recorders: Mutex::new(Vec::new()),
        }
    }

    /// Whether a job could be stolen from this lane.
    pub(crate) fn has_job(&self) -> bool {
        !self.stealer.is_empty()
    }

    /// Takes the oldest job.
    pub(crate) fn steal_job(&self) -> Option<Job> {
        loop {
            match self.stealer.steal() {
                Steal::Success(job) => return Some(job),
                Steal::Empty => return None,
                Steal::Retry => std::hint::spin_loop(),
            }
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

    pub(crate) fn lane(&self) -> &'p Lane {
        self.pool.lane(self.index)
    }

    pub(crate) fn private(&self) -> &'p Private {
        self.private
    }

    /// Offers a job to whoever looks for one.
    pub(crate) fn push(&self, job: Job) {
        self.private.deque.push(job);
    }

    /// Whether nothing of this lane's is on offer.
    pub(crate) fn nothing_pushed(&self) -> bool {
        self.private.deque.is_empty()
    }

    /// Takes `job` back if it is still on top of the deque.
    pub(crate) fn take_back(&self, job: Job) -> bool {
        match self.private.deque.pop() {
            Some(top) if top == job => true,
            Some(other) => {
                // An older one, from a loop around this one: `job` was stolen.
                self.private.deque.push(other);
                // For a moment it was not there to be seen by a worker that went to sleep: a push like any other.
                self.pool.wake_one(self.index, self.random());
                false
            }
            None => false,
        }
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
