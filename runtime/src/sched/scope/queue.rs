//! The queue of a scope's tasks that nobody has begun: a deque for each worker and for one external
//! caller, and a stack for all other threads.
//!
//! The [external caller](crate::protocol::external_slot) is the scope's owner, or if a worker has
//! opened the scope, the first external caller that helps. Other external callers may also help or
//! add tasks, if they borrow the scope, or come across it while they wait for something else. They
//! use the stack.
//!
//! An owner that is not a lane runs no tasks. Then nobody is the external caller, and there may be
//! as many helpers as workers.
//!
//! A lane that brings in a helper leaves an invitation in its list of open scopes, and takes it
//! back when it is done with the scope. A scope queue is reference counted, because an invitation
//! that another lane has taken may outlive the scope. Nothing in the queue outlives the scope: each
//! task holds a ticket of its scope.

use std::cell::{Cell, UnsafeCell};
use std::collections::VecDeque;
use std::sync::{Arc, OnceLock};

use crossbeam_deque::{Stealer, Worker};
use crossbeam_utils::CachePadded;

use super::task::TaskRef;
use crate::protocol::external_slot::ExternalSlot;
use crate::protocol::helpers::Helpers;
use crate::sched::job::Ancestor;
use crate::sched::lane::{LaneContext, persist};
use crate::sched::pool::{Detached, PoolState, with_current_lane};
use crate::sync::{AtomicBool, AtomicU32, Mutex, Ordering};

pub(crate) struct ScopeQueue {
    /// By worker, and behind them that of the external caller.
    slots: Box<[CachePadded<TaskSlot>]>,
    external: ExternalSlot,
    elsewhere: Mutex<VecDeque<TaskRef>>,
    /// The length of `elsewhere`; written under its lock, read without: the fences of who adds a
    /// task order it.
    elsewhere_count: AtomicU32,
    helpers: Helpers,
    /// The most helpers; the scope's owner is not one of them.
    limit: u32,
    order: Order,
}

/// Which of its own tasks a lane runs first. Others take its oldest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    Lifo,
    Fifo,
}

/// What a worker, or the external caller, has in one scope.
#[derive(Default)]
struct TaskSlot {
    /// Made with the lane's first task.
    tasks: OnceLock<Tasks>,
    /// The lane is at work in the scope; a hint for those that wait for it.
    inside: AtomicBool,
}

struct Tasks {
    own: UnsafeCell<Worker<TaskRef>>,
    stealer: Stealer<TaskRef>,
}

// SAFETY: `own` is reached with the context of the slot's lane only (`ScopeQueue::slot`), of which
// there is one at a time, on one thread.
unsafe impl Sync for Tasks {}

/// What a waiting lane finds in a scope.
pub(crate) enum Glimpse {
    /// A task; the scope descends from the ancestor in question.
    Related(TaskRef),
    /// The scope does not descend from the ancestor.
    Unrelated,
    Empty,
}

impl ScopeQueue {
    /// Makes a scope queue for `pool`'s lanes. `owner` is the lane that has opened the scope, if a
    /// lane has. Without a pool, no lane helps.
    pub(super) fn new(pool: Option<&PoolState>, owner: Option<usize>, order: Order) -> Self {
        let helpers = |pool: &PoolState| pool.num_threads() as u32 - u32::from(owner.is_some());
        let (slots, limit) = pool.map_or((0, 0), |pool| (pool.slots(), helpers(pool)));
        let is_external = |owner: &usize| pool.is_some_and(|pool| *owner >= pool.num_threads());
        ScopeQueue {
            slots: (0..slots).map(|_| CachePadded::default()).collect(),
            external: ExternalSlot::new(owner.filter(is_external)),
            elsewhere: Mutex::new(VecDeque::new()),
            elsewhere_count: AtomicU32::new(0),
            helpers: Helpers::new(),
            limit,
            order,
        }
    }

    /// What is `lane`'s alone, if it has something here. It is a lane of the queue's pool.
    fn slot(&self, lane: &LaneContext<'_>) -> Option<&TaskSlot> {
        let slot = match lane.is_worker() {
            true => lane.index(),
            false if self.external.holder() == Some(lane.index()) => self.slots.len() - 1,
            false => return None,
        };
        Some(&self.slots[slot])
    }

    /// Adds a task. `lane` is the calling thread's lane of the queue's pool, if it has one.
    pub(super) fn push(&self, lane: Option<&LaneContext<'_>>, task: TaskRef) {
        let Some(slot) = lane.and_then(|lane| self.slot(lane)) else {
            return self.with_elsewhere(|tasks| tasks.push_back(task));
        };
        let tasks = slot.tasks.get_or_init(|| {
            let own = match self.order {
                Order::Lifo => Worker::new_lifo(),
                Order::Fifo => Worker::new_fifo(),
            };
            Tasks { stealer: own.stealer(), own: UnsafeCell::new(own) }
        });
        // SAFETY: the calling thread is the slot's lane, and the reference ends here.
        unsafe { &*tasks.own.get() }.push(task);
    }

    /// The youngest task of this lane (the oldest, if such is the order), else the oldest of
    /// another.
    pub(super) fn take(&self, lane: Option<&LaneContext<'_>>) -> Option<TaskRef> {
        let Some(lane) = lane else { return self.take_elsewhere() };
        let own = match self.slot(lane) {
            // SAFETY: the calling thread is the slot's lane, and the reference ends here.
            Some(slot) => slot.tasks.get().and_then(|tasks| unsafe { &*tasks.own.get() }.pop()),
            None => self.take_elsewhere(),
        };
        if own.is_some() {
            return own;
        }
        let start = lane.random() % self.slots.len().max(1);
        let (before, from) = self.slots.split_at(start);
        let stolen = from.iter().chain(before).find_map(|slot| {
            let tasks = slot.tasks.get()?;
            if tasks.stealer.is_empty() { None } else { persist(|| tasks.stealer.steal()) }
        });
        stolen.or_else(|| self.take_elsewhere())
    }

    fn take_elsewhere(&self) -> Option<TaskRef> {
        let next = match self.order {
            Order::Lifo => VecDeque::pop_back,
            Order::Fifo => VecDeque::pop_front,
        };
        if self.none_elsewhere() { None } else { self.with_elsewhere(next) }
    }

    fn none_elsewhere(&self) -> bool {
        self.elsewhere_count.load(Ordering::Relaxed) == 0
    }

    fn with_elsewhere<R>(&self, change: impl FnOnce(&mut VecDeque<TaskRef>) -> R) -> R {
        // No user code runs under it, so it is whole even if poisoned.
        let mut tasks = self.elsewhere.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let result = change(&mut tasks);
        self.elsewhere_count.store(tasks.len() as u32, Ordering::Relaxed);
        result
    }

    pub(super) fn is_empty(&self) -> bool {
        let empty =
            |slot: &CachePadded<TaskSlot>| slot.tasks.get().is_none_or(|tasks| tasks.stealer.is_empty());
        self.none_elsewhere() && self.slots.iter().all(empty)
    }

    /// Asked after a task was added: whether one helper more should be brought in.
    pub(super) fn invite(&self) -> bool {
        self.helpers.invite(self.limit)
    }

    /// The lanes at work in the scope.
    pub(super) fn lanes_inside(&self) -> impl Iterator<Item = usize> {
        let inside = |(_, slot): &(usize, &CachePadded<TaskSlot>)| slot.inside.load(Ordering::Relaxed);
        let workers = self.slots.len() - 1;
        let lane = move |(slot, _)| if slot < workers { Some(slot) } else { self.external.holder() };
        self.slots.iter().enumerate().filter(inside).filter_map(lane)
    }

    fn set_inside(&self, lane: &LaneContext<'_>, inside: bool) -> bool {
        self.slot(lane).is_some_and(|slot| slot.inside.swap(inside, Ordering::Relaxed))
    }

    /// A look on behalf of a wait for `ancestor`, by a lane that is counted as a helper.
    pub(crate) fn glimpse(&self, lane: &LaneContext<'_>, ancestor: Ancestor) -> Glimpse {
        let Some(task) = self.take(Some(lane)) else { return Glimpse::Empty };
        if task.descends_from(ancestor) {
            return Glimpse::Related(task);
        }
        let owner = task.owner();
        self.push(Some(lane), task);
        // It may have looked for the task meanwhile, and found nothing.
        owner.into_iter().for_each(|owner| lane.pool().sleep.wake_waiting(owner));
        Glimpse::Unrelated
    }

    /// A lane that is counted as a helper has found nothing that it may do.
    pub(crate) fn leave(self: &Arc<Self>, lane: &LaneContext<'_>) {
        self.helpers.leave();
        if !self.is_empty() && self.invite() {
            lane.offer_scope(Arc::clone(self));
        }
    }

    /// A lane is done with the scope, for now: it takes its invitations back.
    pub(super) fn stand_down(self: &Arc<Self>, lane: &LaneContext<'_>) {
        for _ in 0..lane.take_back_invitations(self) {
            self.helpers.leave();
        }
        // There may be a task that a helper was to come for.
        if !self.is_empty() && self.invite() {
            lane.offer_scope(Arc::clone(self));
        }
    }

    /// Helps until there is no task left, or `enough`. The lane is counted as a helper, and leaves
    /// or passes that on.
    pub(crate) fn help(
        self: &Arc<Self>,
        lane: &LaneContext<'_>,
        mut first: Option<TaskRef>,
        enough: &dyn Fn() -> bool,
    ) {
        let _has_slot = lane.is_worker() || self.external.claim(lane.index());
        loop {
            let was_inside = self.set_inside(lane, true);
            while let Some(task) = first.take().or_else(|| self.take(Some(lane))) {
                task.execute(Some(lane));
                if enough() {
                    break;
                }
            }
            self.set_inside(lane, was_inside);
            if enough() && !self.is_empty() {
                return lane.offer_scope(Arc::clone(self));
            }
            self.helpers.leave();
            if self.is_empty() || !self.invite() {
                return self.stand_down(lane);
            }
        }
    }
}

impl Detached for ScopeQueue {
    fn run(self: Arc<Self>) {
        with_current_lane(|lane| {
            let lane = lane.expect("workers are lanes");
            // Held back, it leaves what is there to others, as one does that has waited for
            // something.
            let is_held_back = Cell::new(false);
            self.help(lane, None, &|| {
                if lane.pool().is_guarded() && !is_held_back.get() {
                    is_held_back.set(lane.is_held_back_between_tasks());
                }
                is_held_back.get()
            });
        });
    }
}
