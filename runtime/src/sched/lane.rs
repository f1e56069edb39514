//! Lanes. A lane is a place in the pool with a deque. Each worker thread has one for life. A
//! calling thread from outside leases one.

mod front;
mod halves;
mod runs;

use std::cell::{Cell, RefCell, UnsafeCell};
use std::collections::VecDeque;
use std::ptr;
use std::sync::Arc;

use crossbeam_deque::{Steal, Stealer, Worker};
use crossbeam_utils::CachePadded;

use self::front::Front;
use crate::os::clock::Ticks;
use crate::policy::steal_delay::{Patience, StealDelay};
use crate::profile::recorder::Recorder;
use crate::sched::counter::Counter;
use crate::sched::job::{Ancestor, Job, Origin, Run};
use crate::sched::loop_slots::LoopSlots;
use crate::sched::pending::PendingChain;
use crate::sched::pool::{PoolState, Work, look_whether_joins_are_recorded};
use crate::sched::scope::ScopeQueue;
use crate::sync::{AtomicU32, Mutex, MutexGuard, Ordering};

/// One lane as the whole pool sees it.
pub(crate) struct Lane {
    private: UnsafeCell<Private>,
    stealer: Stealer<Job>,
    /// Scopes in which there is work for others.
    open_scopes: Stealer<Arc<ScopeQueue>>,
    /// Work that only this worker can do.
    mail: Mutex<VecDeque<Work>>,
    /// The length of `mail`; written under its lock, read without: the sleep protocol's fences
    /// order it.
    mail_count: AtomicU32,
    /// The pending halves of joins, on cache lines of their own: the lane writes there all the
    /// time.
    ///
    /// The lane looks up there when nothing of its own may be on offer any more: it says so as it
    /// takes the last thing back, and thieves say so after they have stolen something. A lane that
    /// offers a short half lowers that before. So a thief that takes just that raises it again,
    /// since the deque orders the two; and raised too late, it costs the lane a look. Where halves
    /// last long, it stays raised.
    pending: CachePadded<PendingChain>,
    /// Whether what is on offer should be left alone for a moment.
    steal_delay: StealDelay,
    front: Front,
    /// The lane that this one waits for, plus one; a hint.
    waits_for: AtomicU32,
    /// The lane whose half of a join this one runs, or whose loop it helps with, plus one; a hint.
    works_for: AtomicU32,
    /// How many loops this lane is inside, if there is more than one; a hint for others.
    inner_depth: AtomicU32,
    pub(crate) counters: Counters,
    /// One entry for each profile that is being taken.
    pub(crate) recorders: Mutex<Vec<(u64, Recorder)>>,
}

// SAFETY: `private` is reached only through a `LaneContext`, of which there is one at a time per
// lane, on one thread.
unsafe impl Sync for Lane {}

// SAFETY: the pointers in `private` are null while no context of the lane exists, and are not
// followed by anyone else.
unsafe impl Send for Lane {}

/// What only the lane's own thread touches.
pub(crate) struct Private {
    /// Invitations to loops, and halves of joins: what is on top was opened last and is over first.
    deque: Worker<Job>,
    open_scopes: Worker<Arc<ScopeQueue>>,
    /// Memory for loops, the last one used on top: one set of loop slots for each level of nesting
    /// that was ever reached.
    spare_slots: RefCell<Vec<LoopSlots>>,
    /// State of a xorshift generator.
    random: Cell<u32>,
    /// How many jobs of this lane have carried a steal delay.
    delayed: Cell<u32>,
    /// When this lane last left alone what no other had seen.
    left_alone: Cell<Ticks>,
    /// How many pieces of work that this lane took from elsewhere it is running now.
    taken: Cell<u32>,
    /// What this worker has found, and does next.
    next: Cell<Option<Work>>,
    /// What this worker does was kept for it, it has left something else for that, and has done
    /// nothing yet.
    has_left: Cell<bool>,
    /// A [memory guard](crate::memory) knows that this worker is at work.
    pub(crate) permit: Cell<bool>,
    /// How many loops this lane is inside.
    depth: Cell<u32>,
    /// Nanoseconds spent waiting for other lanes, and nanoseconds spent on their work meanwhile;
    /// only differences matter.
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
    pub(crate) revoked: Counter,
    pub(crate) wakeups: Counter,
    pub(crate) parks: Counter,
    pub(crate) held_ns: Counter,
}

impl Lane {
    pub(crate) fn new(seed: u32) -> Self {
        let deque = Worker::new_lifo();
        let open_scopes = Worker::new_lifo();
        Lane {
            stealer: deque.stealer(),
            open_scopes: open_scopes.stealer(),
            mail: Mutex::new(VecDeque::new()),
            mail_count: AtomicU32::new(0),
            pending: CachePadded::new(PendingChain::new()),
            steal_delay: StealDelay::new(),
            front: Front::new(),
            waits_for: AtomicU32::new(0),
            works_for: AtomicU32::new(0),
            inner_depth: AtomicU32::new(0),
            private: UnsafeCell::new(Private {
                deque,
                open_scopes,
                spare_slots: RefCell::new(Vec::new()),
                random: Cell::new(seed.wrapping_mul(0x9E37_79B9) | 1),
                delayed: Cell::new(0),
                left_alone: Cell::new(Ticks::default()),
                taken: Cell::new(0),
                next: Cell::new(None),
                has_left: Cell::new(false),
                permit: Cell::new(false),
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

    /// How many things could be stolen from this lane.
    pub(crate) fn amount_of_work(&self) -> usize {
        self.jobs() + self.open_scopes.len()
    }

    pub(crate) fn has_job(&self) -> bool {
        !self.stealer.is_empty()
    }

    /// How many jobs could be stolen.
    pub(crate) fn jobs(&self) -> usize {
        self.stealer.len()
    }

    pub(crate) fn has_open_scope(&self) -> bool {
        !self.open_scopes.is_empty()
    }

    /// Takes the oldest job.
    pub(crate) fn steal_job(&self) -> Option<Job> {
        let job = steal_from(&self.stealer)?;
        // SAFETY: the job came off the deque just now.
        self.front.taken(unsafe { job.rank() });
        Some(job)
    }

    /// The depth of the work that can be stolen from this lane, or less; a hint.
    pub(crate) fn front_depth(&self) -> u32 {
        self.front.get().0.depth()
    }

    /// Whether the half of a join could be stolen; a hint.
    pub(crate) fn offers_half(&self) -> bool {
        self.has_job() && self.front.get().0.is_half()
    }

    /// Called after each steal. Not part of it, because a worker has fences to go through first,
    /// which would wait for this store.
    pub(crate) fn note_stolen(&self) {
        self.pending.raise();
    }

    /// Known by its address: the newest half of a join that only this lane knows of. A hint.
    pub(crate) fn newest_private(&self) -> Option<*const ()> {
        self.pending.newest_private()
    }

    /// Makes the lane offer something when it next forks or joins, if it has anything.
    pub(crate) fn ask(&self) {
        if !self.pending.is_raised() {
            self.pending.raise();
        }
    }

    /// Takes the oldest invitation of a scope with work for others.
    pub(crate) fn steal_open_scope(&self) -> Option<Arc<ScopeQueue>> {
        steal_from(&self.open_scopes)
    }

    /// Leaves work that only this lane can do.
    pub(crate) fn post(&self, work: Work) {
        let mut mail = self.lock_mail();
        mail.push_back(work);
        self.mail_count.store(mail.len() as u32, Ordering::Relaxed);
    }

    fn lock_mail(&self) -> MutexGuard<'_, VecDeque<Work>> {
        // No user code runs under it, so it is whole even if poisoned.
        self.mail.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    pub(crate) fn has_mail(&self) -> bool {
        self.mail_count.load(Ordering::Relaxed) > 0
    }

    /// The lane that this one waits for, if any; a hint.
    pub(crate) fn waits_for(&self) -> Option<usize> {
        self.waits_for.load(Ordering::Relaxed).checked_sub(1).map(|lane| lane as usize)
    }

    /// The lane whose half of a join this one runs, or whose loop it helps with, if any; a hint.
    pub(crate) fn works_for(&self) -> Option<usize> {
        self.works_for.load(Ordering::Relaxed).checked_sub(1).map(|lane| lane as usize)
    }

    /// How many loops this lane is inside, or less if that is one; a hint.
    pub(crate) fn inner_depth(&self) -> u32 {
        self.inner_depth.load(Ordering::Relaxed)
    }

    /// Says whose half this lane runs, or whose loop it helps with, and returns what was said
    /// before. Only the lane itself says so.
    pub(crate) fn set_works_for(&self, lane: Option<usize>) -> Option<usize> {
        let before = self.works_for();
        self.works_for.store(lane.map_or(0, |lane| lane as u32 + 1), Ordering::Relaxed);
        before
    }

    /// Says which lane this one waits for, and returns what was said before. Only the lane itself
    /// says so.
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
    private: &'p Private,
    lane: &'p Lane,
    pool: &'p PoolState,
    index: usize,
    seat: Seat,
}

/// The place on a core that a lane has while it is at work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seat {
    /// A worker's.
    Own,
    /// That of a worker that is displaced.
    OfWorker(usize),
    /// That of a lane asleep in a wait.
    Lent,
    /// The lane only waits.
    None,
}

impl<'p> LaneContext<'p> {
    /// # Safety
    ///
    /// The calling thread owns lane `index` of `pool`, as its worker or as the holder of its lease,
    /// for as long as the context lives, and this is its only context of the lane.
    pub(crate) unsafe fn new(pool: &'p PoolState, index: usize, seat: Seat) -> Self {
        let lane = pool.lane(index);
        let private = lane.private.get();
        // SAFETY: this is the lane's only context, and it only shares the private part.
        let private = unsafe { &*private };
        // In a pool of one thread nobody may help: halves of joins stay private for ever.
        if pool.num_threads() > 1 {
            lane.pending.raise();
        }
        LaneContext { private, lane, pool, index, seat }
    }

    pub(crate) fn pool(&self) -> &'p PoolState {
        self.pool
    }

    pub(crate) fn index(&self) -> usize {
        self.index
    }

    pub(crate) fn seat(&self) -> Seat {
        self.seat
    }

    /// Whether this is one of the pool's workers.
    pub(crate) fn is_worker(&self) -> bool {
        self.index < self.pool.num_threads()
    }

    pub(crate) fn lane(&self) -> &'p Lane {
        self.lane
    }

    pub(crate) fn private(&self) -> &'p Private {
        self.private
    }

    /// When this lane, being idle, last left alone what no other had seen.
    pub(crate) fn last_left_alone(&self) -> Ticks {
        self.private.left_alone.get()
    }

    fn leaves_alone(&self, victim: usize) -> bool {
        let now = self.pool.clock.now();
        match self.pool.lane(victim).steal_delay.look(self.pool.ns_since_start(now)) {
            Patience::Over => false,
            Patience::Lasts => true,
            Patience::Begins => {
                self.private.left_alone.set(now);
                true
            }
        }
    }

    /// Looks for work of anything but `ancestor` everywhere but in this lane's deque. Offers of
    /// that ancestor are used up by `decline`.
    pub(crate) fn find_other_work(&self, ancestor: Ancestor, decline: impl Fn()) -> Option<Work> {
        loop {
            match self.find_work()? {
                Work::Stolen(job, victim) if job.ancestor() == ancestor => {
                    self.pool.lane(victim).note_stolen()
                }
                Work::Job(job) if job.ancestor() == ancestor => (),
                other => return Some(other),
            }
            decline();
        }
    }

    /// Looks for work everywhere but in this lane's deque.
    pub(crate) fn find_work(&self) -> Option<Work> {
        let found = self.pool.find_work(self.index, self.random(), |victim| !self.leaves_alone(victim));
        // Left by work of this lane that had spawned into another lane's scope.
        found.or_else(|| self.take_open_scope())
    }

    /// Looks for the half of a join.
    pub(crate) fn find_half(&self) -> Option<Work> {
        self.pool.find_half(self.index, |victim| !self.leaves_alone(victim))
    }

    /// Offers a job to lanes that look for one, after the older halves of joins.
    pub(crate) fn push(&self, job: Job) {
        self.publish_all();
        self.lane.steal_delay.put(0);
        self.push_job(job);
    }

    fn push_job(&self, job: Job) {
        // SAFETY: the job is about to be pushed.
        let rank = unsafe { job.rank() };
        self.lane.front.pushed(rank, self.private.deque.len(), self.region());
        self.private.deque.push(job);
    }

    /// Whether nothing of this lane's is on offer.
    #[inline]
    pub(crate) fn nothing_pushed(&self) -> bool {
        self.private.deque.is_empty()
    }

    /// Takes `job` back if nobody else has it. It was pushed last of what is not taken back yet.
    pub(crate) fn take_back(&self, job: Job) -> bool {
        let top = self.private.deque.pop();
        if self.nothing_pushed() {
            self.lane.ask();
        }
        // Thieves take the oldest: with `job` gone, everything below it is gone too.
        debug_assert!(top.is_none_or(|top| top == job), "jobs are taken back in the reverse order");
        top.is_some()
    }

    /// Takes the oldest that this lane has on offer, or could offer, as a thief would: from below,
    /// so that what is newer can be taken back in the reverse order still. The owner of a half
    /// finds it done when it comes back to it.
    pub(crate) fn take_own(&self) -> Option<Work> {
        if let Some(job) = self.lane.steal_job() {
            return Some(Work::Stolen(job, self.index));
        }
        let oldest = self.lane.pending.lock().publish_oldest(|site| self.shared(site))?;
        // Nothing is left in the deque: everything that is older was taken, and nobody has seen
        // this one. SAFETY: it stays until it is executed (`push_pending`), and its head is its
        // first field.
        Some(Work::Job(unsafe { Job::new(oldest.cast()) }))
    }

    /// Whether this lane has something that it, or others, could do: a half of a join, an
    /// invitation to a loop.
    pub(crate) fn has_own(&self) -> bool {
        !self.lane.pending.all_public() || !self.nothing_pushed()
    }

    /// Whether there is mail that `fits`.
    pub(crate) fn has_mail_that(&self, fits: impl Fn(&Work) -> bool) -> bool {
        self.lane.has_mail() && self.lane.lock_mail().iter().any(fits)
    }

    /// The oldest mail that `fits`.
    pub(crate) fn take_mail(&self, fits: impl Fn(&Work) -> bool) -> Option<Work> {
        if !self.lane.has_mail() {
            return None;
        }
        let mut mail = self.lane.lock_mail();
        let work = mail.iter().position(fits).and_then(|found| mail.remove(found));
        self.lane.mail_count.store(mail.len() as u32, Ordering::Relaxed);
        work
    }

    /// Does what it found.
    pub(crate) fn execute(&self, work: Work) {
        if self.pool.profiling() {
            look_whether_joins_are_recorded();
        }
        match work {
            Work::Stolen(job, victim) => {
                self.pool.lane(victim).note_stolen();
                // SAFETY: as below.
                unsafe { job.execute(self) }
            }
            // SAFETY: found work was taken off a deque, and `work` is its only copy.
            Work::Job(job) => unsafe { job.execute(self) },
            Work::Detached(work) => {
                // SAFETY: it was born in no run.
                let run = unsafe { Run::new(ptr::null(), Origin::OUTSIDE) };
                self.in_run(&run, || work.run());
            }
        }
    }

    /// Whether this worker may leave what it does for other work: it [took that when it was
    /// idle](Self::is_otherwise_idle), and has [done something](Self::has_done_something) if it has
    /// left something for it. (Two workers could leave two things for each other for ever.)
    pub(crate) fn may_leave(&self) -> bool {
        self.is_otherwise_idle() && !self.private.has_left.get()
    }

    /// Whether this is a worker that was idle when it took its current work, and runs nothing else.
    pub(crate) fn is_otherwise_idle(&self) -> bool {
        self.is_worker() && self.private.taken.get() == 1
    }

    /// This worker has run a chunk of what it does.
    #[inline]
    pub(crate) fn has_done_something(&self) {
        self.private.has_left.set(false);
    }

    /// Keeps what this worker has found until it is idle again.
    pub(crate) fn do_next(&self, work: Work) {
        let before = self.private.next.replace(Some(work));
        debug_assert!(before.is_none(), "one at a time");
    }

    /// What this worker has found when it was not idle yet.
    pub(crate) fn take_next(&self) -> Option<Work> {
        let next = self.private.next.take();
        self.private.has_left.set(next.is_some());
        next
    }

    /// How many loops this lane is inside.
    pub(crate) fn depth(&self) -> u32 {
        self.private.depth.get()
    }

    /// Says so. Others hear of inner loops only: one that is inside nothing shares no cache line
    /// for that.
    pub(crate) fn set_depth(&self, depth: u32) {
        let before = self.private.depth.replace(depth);
        if depth.max(before) > 1 {
            self.lane.inner_depth.store(depth, Ordering::Relaxed);
        }
    }

    /// Whether what this lane does is a part of a join, whose other part others may have, or be.
    pub(crate) fn is_in_join(&self) -> bool {
        !self.lane.pending.is_empty() || !self.lane.pending.run().is_null()
    }

    /// Leaves an invitation of the scope's work for others.
    pub(crate) fn offer_scope(&self, scope: Arc<ScopeQueue>) {
        self.private.open_scopes.push(scope);
        self.pool.wake_one(self.index, self.random());
    }

    /// Takes this lane's invitations of `scope` back, and says how many nobody has taken.
    pub(crate) fn take_back_invitations(&self, scope: &Arc<ScopeQueue>) -> usize {
        let mut others = Vec::new();
        let mut taken_back = 0;
        while let Some(invitation) = self.private.open_scopes.pop() {
            match Arc::ptr_eq(&invitation, scope) {
                true => taken_back += 1,
                false => others.push(invitation),
            }
        }
        // Lanes that looked for these meanwhile have missed them.
        others.into_iter().rev().for_each(|invitation| self.offer_scope(invitation));
        taken_back
    }

    /// Leaves the invitations to the pool, where displaced workers look, too.
    pub(crate) fn hand_on_invitations(&self) {
        while let Some(invitation) = self.private.open_scopes.pop() {
            self.pool.inject(invitation);
        }
    }

    /// Takes back the oldest such offer.
    pub(crate) fn take_open_scope(&self) -> Option<Work> {
        self.lane.steal_open_scope().map(|scope| Work::Detached(scope))
    }

    /// Memory for a loop. Give it back with [`put_slots`](Self::put_slots).
    pub(crate) fn take_slots(&self) -> LoopSlots {
        let spare = self.private.spare_slots.borrow_mut().pop();
        spare.unwrap_or_else(|| LoopSlots::new(self.pool.slots()))
    }

    /// Keeps the memory, which has no partials and no units left in it, for the next loop.
    pub(crate) fn put_slots(&self, slots: LoopSlots) {
        self.private.spare_slots.borrow_mut().push(slots);
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
