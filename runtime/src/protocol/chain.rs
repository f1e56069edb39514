//! The pending halves of a lane's joins. The owner changes them without a lock, all others under
//! one.
//!
//! A chain of frames on the owner's stack changes with each join. That is too often for a lock or a
//! full fence. Other lanes rarely look at it: only when the owner has not moved for a long time and
//! its chain contains halves that are not public.
//!
//! # State
//!
//! | word | meaning | who writes |
//! |---|---|---|
//! | `newest` | the newest frame, which leads to all others; null if there is none | the owner, in each [`set_newest`](Chain::set_newest) |
//! | `look_up` | the owner must take the lock before it goes on | raised by any lane, lowered by the owner under the lock |
//! | `newest_public` | the newest public frame; a hint without the lock | the holder of the lock |
//! | the guarded data | which frames are public, and how to find them | the holder of the lock |
//!
//! The owner may change `newest` without the lock. Another lane raises `look_up` under the lock, by
//! [`stop`](Chain::stop). It may then follow the chain from the value it read from `newest` until
//! it releases the lock.
//!
//! # Why a stopped chain does not change
//!
//! The owner reads `look_up` after each change of `newest`. If the flag is raised, the owner takes
//! the lock before it makes the next change, and before it frees the frame that it removed. Change
//! and read are one half of Dekker's pattern. The other half is `stop`, which raises the flag and
//! then reads `newest`. Consider the last change after which the owner did not see the flag. `stop`
//! sees this change or the next one, and no further change happens before the lock is released. All
//! frames reachable from either are still alive, because the frame that the last change removed is
//! freed only under the lock.
//!
//! The owner lowers the flag only under the lock, when no other lane follows the chain.
//!
//! # Orderings
//!
//! * A light fence in `set_newest` between the change and the read; a heavy fence in `stop` between
//!   the flag and the read. Without either, the chain changes while another lane follows it.
//! * Release in `set_newest`, Acquire in the read of `stop`. What the owner wrote into a frame
//!   happens before the stopping lane reads it.
//! * All else is Relaxed: the lock orders it, or it is a hint.
//!
//! # Progress
//!
//! The owner waits for the lock only while another lane has stopped the chain. This happens only
//! after the owner has not moved for a long time. `stop` does not wait for the lock. The owner also
//! takes the lock when it makes a frame public.
//!
//! # Models
//!
//! `chain_models.rs`: an owner that pushes and pops against one and two lanes that stop the chain
//! and take everything. Each frame runs once, in a lane that sees its contents.

use crate::sync::{AtomicBool, AtomicPtr, Fences, Mutex, MutexGuard, Ordering, heavy_fence, light_fence};

/// The words. Keep them on a cache line of their own: the owner writes them in each join.
#[derive(Debug)]
pub(crate) struct Chain<T, G> {
    newest: AtomicPtr<T>,
    look_up: AtomicBool,
    newest_public: AtomicPtr<T>,
    guarded: Mutex<G>,
}

impl<T, G> Chain<T, G> {
    pub(crate) fn new(guarded: G) -> Self {
        let null = std::ptr::null_mut;
        Chain {
            newest: AtomicPtr::new(null()),
            look_up: AtomicBool::new(false),
            newest_public: AtomicPtr::new(null()),
            guarded: Mutex::new(guarded),
        }
    }

    /// Returns the newest frame, as the owner knows it.
    #[inline]
    pub(crate) fn newest(&self) -> *mut T {
        self.newest.load(Ordering::Relaxed)
    }

    /// Records that the owner has added or removed a frame. Returns true if the owner must take the
    /// lock before it touches the chain or that frame again.
    #[inline]
    #[must_use]
    pub(crate) fn set_newest(&self, newest: *mut T, fences: Fences) -> bool {
        // Release: what is in the frame; pairs with `stop`.
        self.newest.store(newest, Ordering::Release);
        // Light: pairs with the heavy fence of `stop`.
        light_fence(fences);
        self.look_up.load(Ordering::Relaxed)
    }

    /// Records that the owner, which holds the lock, has removed a frame.
    pub(crate) fn set_newest_locked(&self, newest: *mut T, _: &MutexGuard<'_, G>) {
        self.newest.store(newest, Ordering::Relaxed);
    }

    /// Makes the owner take the lock when it next changes the chain.
    pub(crate) fn raise(&self) {
        self.look_up.store(true, Ordering::Relaxed);
    }

    /// Returns whether the owner will take the lock at its next change. A hint.
    pub(crate) fn is_raised(&self) -> bool {
        self.look_up.load(Ordering::Relaxed)
    }

    /// Lets the owner, which holds the lock, work without it from now on.
    pub(crate) fn lower(&self, _: &MutexGuard<'_, G>) {
        self.look_up.store(false, Ordering::Relaxed);
    }

    pub(crate) fn set_newest_public(&self, frame: *mut T, _: &MutexGuard<'_, G>) {
        self.newest_public.store(frame, Ordering::Relaxed);
    }

    /// Returns the newest frame if it is not public. A hint for all but the owner.
    pub(crate) fn newest_private(&self) -> Option<*mut T> {
        let newest = self.newest();
        (newest != self.newest_public.load(Ordering::Relaxed)).then_some(newest)
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, G> {
        // No user code runs under the lock, so the data is consistent even if it is poisoned.
        self.guarded.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Stops the owner, which is another thread, until the lock is released. Returns the lock and
    /// the newest frame, or `None` if the lock is taken.
    pub(crate) fn stop(&self, fences: Fences) -> Option<(MutexGuard<'_, G>, *mut T)> {
        let guard = self.guarded.try_lock().ok()?;
        self.raise();
        // Heavy: pairs with the light fence of `set_newest`.
        let ordered = heavy_fence(fences);
        // Acquire: what is in the frames; pairs with `set_newest`.
        let newest = self.newest.load(Ordering::Acquire);
        ordered.then_some((guard, newest))
    }
}
