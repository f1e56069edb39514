//! The frame of a pending half of a join, on the stack of the lane that joins.

use std::cell::UnsafeCell;
use std::mem::{ManuallyDrop, MaybeUninit};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::NonNull;
use std::thread;

use super::JoinRegion;
use crate::sched::job::{Job, JobHead};
use crate::sched::lane::LaneContext;
use crate::sched::pending::Pending;
use crate::sched::wait::wait;

/// The list's entry comes first, and its head first in that: a [`Job`] points to it.
///
/// The closure and the result belong to the owner before the frame is published and after the
/// hand-over is done. In between they belong to the lane that took the job.
#[repr(C)]
pub(super) struct Half<B, R> {
    pending: Pending,
    closure: UnsafeCell<ManuallyDrop<B>>,
    result: UnsafeCell<MaybeUninit<thread::Result<R>>>,
}

impl<B, R> Half<B, R>
where
    B: FnOnce() -> R + Send,
    R: Send,
{
    #[inline(always)]
    pub(super) fn new(closure: B) -> Self {
        Half {
            // SAFETY: `execute` expects a `Half<B, R>`, whose first field this is the first field
            // of; it does not unwind.
            pending: Pending::new(unsafe { JobHead::new(execute::<B, R>) }),
            closure: UnsafeCell::new(ManuallyDrop::new(closure)),
            result: UnsafeCell::new(MaybeUninit::uninit()),
        }
    }

    /// Lets others have the half.
    ///
    /// # Safety
    ///
    /// The half stays where it is until [`take_back`](Self::take_back) has answered and, if it
    /// answered `None`, [`wait`](Self::wait) has returned. The lane is the calling thread's.
    #[inline(always)]
    pub(super) unsafe fn offer(&self, lane: &LaneContext<'_>) {
        // SAFETY: passed on to the caller; the pointer is to the whole half.
        unsafe { lane.push_pending(NonNull::from(self).cast()) };
    }

    /// The closure, unless it was taken. Asked once.
    #[inline(always)]
    pub(super) fn take_back(&self, lane: &LaneContext<'_>) -> Option<B> {
        if !lane.take_back_pending(&self.pending) {
            return None;
        }
        let closure = self.closure.get();
        // SAFETY: nobody else has the job, nor will have it: the closure is this lane's alone.
        let closure = unsafe { &mut *closure };
        // SAFETY: it is taken out only here, since this method is called once, or in `execute`, by
        // who took the job.
        Some(unsafe { ManuallyDrop::take(closure) })
    }

    /// The result of the half, which was taken. Asked once.
    #[cold]
    #[inline(never)]
    pub(super) fn wait(&self, lane: &LaneContext<'_>, region: JoinRegion) -> thread::Result<R> {
        // SAFETY: only its address is used.
        let ancestor = unsafe { Job::new(NonNull::from(self).cast()) }.ancestor();
        // SAFETY: it was taken, so it is public.
        let handover = &unsafe { self.pending.shared() }.handover;
        let ready = || handover.is_done();
        match region.ancestor(lane) {
            None => wait(lane, ancestor, &|look| handover.thief().is_some_and(look), &ready),
            Some(region) => {
                let pool = lane.pool();
                let suspects = |look: &mut dyn FnMut(usize) -> bool| {
                    let mut others = pool.others_in_use(lane.index(), lane.random());
                    handover.thief().is_some_and(&mut *look)
                        || others.any(|other| pool.lane(other).offers_work_of(region) && look(other))
                };
                wait(lane, region, &suspects, &ready);
            }
        }
        lane.learn_from(&self.pending);
        let result = self.result.get();
        // SAFETY: the thief is done with the frame.
        let result = unsafe { &mut *result };
        // SAFETY: `execute` has written it before it was done; this method is called once.
        unsafe { result.assume_init_read() }
    }
}

/// Another lane runs the half, or its owner in the middle of the other one.
///
/// # Safety
///
/// `head` is the head of a `Half<B, R>` whose job this lane has taken off a deque, or out of the
/// chain of a lane that held still.
unsafe fn execute<B, R>(head: NonNull<JobHead>, lane: &LaneContext<'_>)
where
    B: FnOnce() -> R + Send,
    R: Send,
{
    let half = head.cast::<Half<B, R>>();
    // SAFETY: its owner keeps the half alive until the hand-over is done, and does not write to it
    // before.
    let this = unsafe { half.as_ref() };
    // SAFETY: it was taken, so it is public.
    let shared = unsafe { this.pending.shared() };
    let owner = shared.owner;
    shared.handover.begin(lane.index());
    lane.learn_from_wait_for(owner, &this.pending);
    let closure = this.closure.get();
    // SAFETY: the job was given to this lane alone.
    let closure = unsafe { &mut *closure };
    // SAFETY: as above: nobody else takes the closure out.
    let closure = unsafe { ManuallyDrop::take(closure) };
    let works_for_before = lane.lane().set_works_for(Some(owner));
    let result = catch_unwind(AssertUnwindSafe(closure));
    lane.lane().set_works_for(works_for_before);
    let place = this.result.get();
    // SAFETY: as above.
    unsafe { &mut *place }.write(result);
    shared.handover.finish();
    // The half may be gone by now; the pool is not, since this lane belongs to it.
    lane.pool().sleep.wake_waiting(owner);
}
