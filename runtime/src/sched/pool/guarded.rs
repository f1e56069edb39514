//! What a [memory guard](crate::memory) changes for the lanes of its pool. Without a guard, each
//! function here only reads a field that never changes.
//!
//! With a guard, a worker needs a permit to work for callers. Without a permit, it behaves like a
//! worker whose seat an external caller has: it holds no work, makes its calls of broadcasts, and
//! runs what was handed to the pool itself. If there is work that it may not run, it sleeps 50 ms
//! at a time and then looks at the memory, so nobody has to wake it. A worker that must go leaves
//! its loop between two chunks ([`fair`](crate::engine)).

use super::PoolState;
use crate::memory::Guard;
use crate::os::clock::Ticks;
use crate::protocol::sleep::MOST_WOKEN;
use crate::sched::lane::LaneContext;

impl PoolState {
    /// Whether workers may be held back at all.
    #[inline]
    pub(crate) fn is_guarded(&self) -> bool {
        self.guard.is_some()
    }

    /// Whether a worker that has no permit would get none now; a hint.
    pub(super) fn is_full(&self) -> bool {
        self.guard.as_ref().map(|guard| guard.permits.counts()).is_some_and(|now| now.inside >= now.allowed)
    }

    /// Called when a loop begins at an unknown site.
    pub(crate) fn begin_carefully(&self) {
        if let Some(guard) = &self.guard {
            guard.begin(self.ns_since_start(self.clock.now()), self.open_loops());
        }
    }
}

impl LaneContext<'_> {
    fn guard(&self) -> Option<&Guard> {
        self.pool().guard.as_ref()
    }

    /// Before this worker takes up work for a caller. False if it must leave that alone.
    pub(super) fn may_work(&self) -> bool {
        let permit = &self.private().permit;
        match self.guard() {
            Some(guard) if !permit.get() => {
                permit.set(guard.permits.try_enter());
                permit.get()
            }
            _ => true,
        }
    }

    /// After that work.
    pub(super) fn give_permit_back(&self) {
        if let (true, Some(guard)) = (self.private().permit.take(), self.guard()) {
            guard.permits.leave();
        }
    }

    /// Between two pieces of work: looks at the memory, if it is time to, and says whether that
    /// took time.
    pub(crate) fn look_at_memory(&self, now: Ticks) -> bool {
        let pool = self.pool();
        let look = |guard: &Guard| guard.look(pool.ns_since_start(now), pool.open_loops());
        let Some(more) = self.guard().and_then(look) else { return false };
        if more > 0 && pool.any_work() {
            pool.wake_several(self.index(), self.random(), more.min(MOST_WOKEN));
        }
        true
    }

    /// Between two tasks of a scope: looks, and answers as [`is_held_back`](Self::is_held_back)
    /// does.
    #[cold]
    pub(crate) fn is_held_back_between_tasks(&self) -> bool {
        self.look_at_memory(self.pool().clock.now());
        self.is_held_back()
    }

    /// Between two pieces of work, which others can go on with: whether this worker leaves it to
    /// them, because too many are at work.
    pub(crate) fn is_held_back(&self) -> bool {
        let Some(guard) = self.guard() else { return false };
        let leaves = self.is_otherwise_idle() && self.private().permit.get() && guard.permits.leave_if_over();
        if leaves {
            self.private().permit.set(false);
        }
        leaves
    }
}
