//! The pending halves of a lane's joins, which their owner changes without a lock, and others under
//! one.
//!
//! A chain of frames on the owner's stack is changed with each join: far too often for a lock, or a
//! fence. Others seldom want to see it: when the owner has stood still for long, with halves in the
//! chain that nobody else knows of.
//!
//! # State
//!
//! | word | meaning | who writes |
//! |---|---|---|
//! | `newest` | the newest frame, through which all others are reached; null if there is none | the owner, in each [`set_newest`](Chain::set_newest) |
//! | `look_up` | the owner must take the lock before it goes on | raised by anybody, lowered by the owner under the lock |
//! | `newest_public` | the newest frame that others know of; a hint to whoever has not the lock | whoever has the lock |
//! | what the lock guards | which frames are public, and what helps to find them | whoever has the lock |
//!
//! The owner may change `newest` without the lock. Whoever else comes raises `look_up` under the
//! lock, by [`stop`](Chain::stop), and may then follow the chain from what it read as `newest`
//! until it gives the lock back.
//!
//! # Why the chain holds still for whoever stopped it
//!
//! The owner asks `look_up` after each change of `newest`, and if it is raised takes the lock
//! before the next change, and before the frame that it removed goes. The change and the question
//! are one half of Dekker's pair; `stop`, which raises the flag and then reads `newest`, the other.
//! So take the last change after which the owner did not see the flag: `stop` sees that change, or
//! the one that follows it, and no other change comes before the lock is given back. All frames
//! reached from either are in their places: the one that the last change removed goes only after
//! the lock.
//!
//! The owner lowers the flag only under the lock: nobody else is inside then.
//!
//! # Orderings
//!
//! * `set_newest`, a light fence between change and question; `stop`, a heavy one between flag and
//!   look. Without either, the chain is changed while it is followed.
//! * `set_newest`: Release, and the look of `stop`: Acquire. What the owner wrote into a frame
//!   happens before whoever stops the chain reads it.
//! * All else is Relaxed: the lock orders it, or it is a hint.
//!
//! # Progress
//!
//! The owner waits for the lock only while somebody has stopped it, which comes after the owner has
//! stood still for long; whoever stops it does not wait for the lock. The owner takes the lock by
//! itself when it makes something public.
//!
//! # Models
//!
//! `chain_models.rs`: an owner that pushes and pops against one and two that stop the chain and
//! take all of it: each frame is run once, by one that has seen what is in it.

use crate::sync::{AtomicBool, AtomicPtr, Fences, Mutex, MutexGuard, Ordering, heavy_fence, light_fence};

/// The words. They want a cache line of their own: the owner writes there with each join.
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

    /// The newest frame, as its owner knows it.
    #[inline]
    pub(crate) fn newest(&self) -> *mut T {
        self.newest.load(Ordering::Relaxed)
    }

    /// The owner has added or removed a frame. True if it must take the lock before it does
    /// anything else with the chain or that frame.
    #[inline]
    #[must_use]
    pub(crate) fn set_newest(&self, newest: *mut T, fences: Fences) -> bool {
        // Release: what is in the frame; pairs with `stop`.
        self.newest.store(newest, Ordering::Release);
        // Light: pairs with the heavy fence of `stop`.
        light_fence(fences);
        self.look_up.load(Ordering::Relaxed)
    }

    /// The owner, which has the lock, has removed a frame.
    pub(crate) fn set_newest_locked(&self, newest: *mut T, _: &MutexGuard<'_, G>) {
        self.newest.store(newest, Ordering::Relaxed);
    }

    /// Makes the owner take the lock when it next changes the chain.
    pub(crate) fn raise(&self) {
        self.look_up.store(true, Ordering::Relaxed);
    }

    /// Whether the owner will take the lock when it next changes the chain; a hint.
    pub(crate) fn is_raised(&self) -> bool {
        self.look_up.load(Ordering::Relaxed)
    }

    /// The owner, which has the lock, need not take it for what it does next.
    pub(crate) fn lower(&self, _: &MutexGuard<'_, G>) {
        self.look_up.store(false, Ordering::Relaxed);
    }

    pub(crate) fn set_newest_public(&self, frame: *mut T, _: &MutexGuard<'_, G>) {
        self.newest_public.store(frame, Ordering::Relaxed);
    }

    /// The newest frame, if nobody but its owner knows of it; a hint to anybody else.
    pub(crate) fn newest_private(&self) -> Option<*mut T> {
        let newest = self.newest();
        (newest != self.newest_public.load(Ordering::Relaxed)).then_some(newest)
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, G> {
        // No user code runs under it, so it is whole even if poisoned.
        self.guarded.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Makes the owner, which is another thread, hold still until the lock is given back, if nobody
    /// has it. The second is the newest frame.
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
