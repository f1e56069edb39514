//! The pending halves of a lane's joins: when other lanes learn of them, and what their sites learn
//! from that.

use std::ptr::NonNull;

use super::LaneContext;
use crate::os::clock::Ticks;
use crate::policy::site::Site;
use crate::policy::steal_delay;
use crate::protocol::handover::Handover;
use crate::sched::job::Job;
use crate::sched::pending::{Offer, Pending, Shared};
use crate::sched::pool::Work;
use crate::sync::{Fences, Ordering, fence};

impl LaneContext<'_> {
    /// Notes `pending` as something that others could do, and sees to it that they can see it if it
    /// lasts long, and the oldest such thing always.
    ///
    /// # Safety
    ///
    /// It stays where it is until it is [taken back](Self::take_back_pending), or executed by who
    /// took it. The pointer may be used for all that its head's `execute` expects, from any thread.
    #[inline(always)]
    pub(crate) unsafe fn push_pending(&self, pending: NonNull<Pending>) {
        // SAFETY: it leaves the chain when it is taken back.
        if unsafe { self.lane.pending.push(pending) } {
            self.look_up(pending);
        }
    }

    /// Takes back `pending`, the newest half of this lane that is not taken back yet. False if
    /// another lane has it.
    #[inline(always)]
    pub(crate) fn take_back_pending(&self, pending: &Pending) -> bool {
        self.lane.pending.pop(pending) || self.settle(pending)
    }

    #[cold]
    #[inline(never)]
    fn settle(&self, pending: &Pending) -> bool {
        if self.lane.pending.settle(pending) {
            self.look_up(NonNull::from(pending));
            return true;
        }
        let is_back = self.take_back_public(pending);
        if !steal_delay::applies_to(pending.site()) {
            // A short join inside it may have made the lane keep halves private.
            self.lane.ask();
        }
        is_back
    }

    fn take_back_public(&self, pending: &Pending) -> bool {
        // SAFETY: it is public.
        let taken = unsafe { pending.shared() }.handover.thief().is_some();
        if taken {
            // A look at the deque would be a fence and a cache miss.
            return false;
        }
        // SAFETY: only compared with what was pushed.
        let job = unsafe { Job::new(NonNull::from(pending).cast()) };
        let is_back = self.take_back(job);
        if is_back {
            self.learn_from(pending);
        }
        is_back
    }

    /// Offers something, since nothing may be on offer: everything if halves like `pending` last
    /// long, else the oldest.
    #[cold]
    #[inline(never)]
    fn look_up(&self, pending: NonNull<Pending>) {
        if self.pool.num_threads() == 1 {
            // Raised by a lane that took a half of its own, or by an external caller that helped a
            // worker.
            self.lane.pending.lock().lower();
            return;
        }
        // SAFETY: it is in this lane's frame.
        let site = unsafe { pending.as_ref() }.site();
        if !steal_delay::applies_to(site) {
            self.publish(true);
        } else if self.nothing_pushed() {
            self.publish(false);
        } else {
            self.lane.pending.lock().lower();
            // SeqCst: a thief that has taken the last thing says so after that; if this lane
            // overwrote it, this look sees the theft.
            fence(Ordering::SeqCst);
            if self.nothing_pushed() {
                self.lane.ask();
            }
        }
    }

    /// Lets others have everything that is pending.
    pub(crate) fn publish_all(&self) {
        if !self.lane.pending.all_public() {
            self.publish(true);
        }
    }

    /// Makes private entries public, from the oldest on: the first, or all. False if there was
    /// none. The lane need not look up for others if only the oldest is wanted.
    fn publish(&self, all: bool) -> bool {
        if self.pool.num_threads() == 1 {
            return false;
        }
        let mut any = false;
        let mut pending = self.lane.pending.lock();
        while let Some(oldest) = pending.publish_oldest(|site| self.shared(site)) {
            if !all {
                // Before the push: a thief that takes just that raises it again.
                pending.lower();
            }
            // SAFETY: it stays until it is taken back or executed (`push_pending`), and its head is
            // its first field.
            self.push_job(unsafe { Job::new(oldest.cast()) });
            any = true;
            if !all {
                break;
            }
        }
        drop(pending);
        if any {
            self.pool.wake_one(self.index, self.random());
            self.pool.offer_to_reserves();
        }
        any
    }

    /// What is needed of a frame that this lane makes public.
    pub(super) fn shared(&self, site: Site) -> Shared {
        let offer = match steal_delay::applies_to(site) {
            true => {
                self.put_steal_delay();
                Offer::Short
            }
            false => {
                self.lane.steal_delay.put(0);
                Offer::Since(self.pool.clock.now())
            }
        };
        Shared { handover: Handover::new(), owner: self.index, offer }
    }

    fn put_steal_delay(&self) {
        let number = self.private.delayed.get().wrapping_add(1).max(1);
        self.private.delayed.set(number);
        self.lane.steal_delay.put(number);
    }

    /// `pending`, which was public, is over or taken back: its site learns from that.
    pub(crate) fn learn_from(&self, pending: &Pending) {
        // SAFETY: it was public.
        match unsafe { pending.shared() }.offer {
            // It was left alone for a moment, which says nothing of how long it lasts.
            Offer::Short => (),
            Offer::Since(then) => {
                let clock = self.pool.clock;
                steal_delay::learn(pending.site(), clock.ns_between(then, clock.now()));
            }
        }
    }

    /// `pending`, which was public, was taken from `owner`. If that has not come to another fork
    /// since, patience was in vain: it does not do many small ones.
    pub(crate) fn learn_from_wait_for(&self, owner: usize, pending: &Pending) {
        // SAFETY: it was public.
        let offer = unsafe { pending.shared() }.offer;
        if matches!(offer, Offer::Short) && self.pool.lane(owner).pending.is_newest(pending) {
            steal_delay::learn_in_vain(pending.site());
        }
    }

    /// Takes everything that only `victim` knows of, which has stood still since `since`, and
    /// leaves to others what is not the oldest.
    pub(crate) fn take_private(&self, victim: usize, since: Ticks) -> Option<Work> {
        if self.pool.num_threads() == 1 {
            return None;
        }
        let (mut first, mut others) = (None, false);
        {
            let lane = self.pool.lane(victim);
            let mut pending = lane.pending.stop(Fences::now())?;
            if lane.has_job() {
                // What is older comes first.
                return None;
            }
            let shared = |site| {
                steal_delay::learn_long(site);
                Shared { handover: Handover::new(), owner: victim, offer: Offer::Since(since) }
            };
            while let Some(oldest) = pending.publish_oldest(shared) {
                // SAFETY: it stays until it is executed (`push_pending`), and its head is its first
                // field.
                let job = unsafe { Job::new(oldest.cast()) };
                match first {
                    None => first = Some(job),
                    Some(_) => {
                        self.pool.lay_aside(job);
                        others = true;
                    }
                }
            }
        }
        if others {
            self.pool.tell_of_strays();
        }
        first.map(|job| Work::Stolen(job, victim))
    }
}
