//! An action that is run once, by one of several processes.

use std::fmt;

use crate::layout::{Locks, ShmLayout};
use crate::lock_error::LockFailure;
use crate::protocol::once::{Done, Turn};
use crate::thread::{RawLock, Thread, Ticker};

/// An action that is run once, by the process that comes first. It is in a
/// [`ShmRegion`](crate::ShmRegion).
///
/// If the process that runs the action dies or panics, the next caller runs it again. So the action
/// must be able to start over. [`call_once_with`](Self::call_once_with) tells it whether it does.
///
/// ```
/// use shm_lock::{ShmOnce, ShmRegion};
///
/// let migrated = ShmRegion::memfd("migrated", ShmOnce::new())?;
/// let mut runs = 0;
/// migrated.call_once(|| runs += 1).unwrap();
/// migrated.call_once(|| runs += 1).unwrap();
/// assert!(migrated.is_completed());
/// assert_eq!(runs, 1);
/// # Ok::<(), shm_lock::OpenError>(())
/// ```
#[repr(C)]
pub struct ShmOnce {
    raw: RawLock,
    done: Done,
}

// SAFETY: `repr(C)` and made of a lock, which is shown, and an atomic word.
unsafe impl ShmLayout for ShmOnce {
    fn describe(text: &mut String) {
        text.push_str("ShmOnce");
    }

    fn visit_locks(&self, locks: &mut Locks<'_>) {
        locks.see(&self.raw);
    }
}

impl Default for ShmOnce {
    fn default() -> Self {
        ShmOnce::new()
    }
}

impl ShmOnce {
    /// Creates an action that has not run yet, to be put into a region.
    pub fn new() -> Self {
        ShmOnce { raw: RawLock::new(), done: Done::new() }
    }

    /// Returns whether the action has run. If so, all its effects are visible.
    #[inline]
    pub fn is_completed(&self) -> bool {
        self.done.is_done()
    }

    /// Runs the action, or waits until another thread has run it. When this returns, the action has
    /// run.
    ///
    /// # Errors
    /// [`LockFailure::Deadlock`] if `action` itself calls this, and [`LockFailure::Unsupported`].
    ///
    /// # Panics
    /// Panics if `action` does. The next caller then runs it again.
    #[inline]
    pub fn call_once(&self, action: impl FnOnce()) -> Result<(), LockFailure> {
        self.call_once_with(|_| action())
    }

    /// Does the same as [`call_once`](Self::call_once). `action` is told whether an earlier run
    /// died or panicked.
    ///
    /// ```
    /// # use shm_lock::{ShmOnce, ShmRegion};
    /// let once = ShmRegion::memfd("once", ShmOnce::new())?;
    /// std::thread::scope(|scope| {
    ///     let dies = scope.spawn(|| once.call_once(|| panic!("halfway")));
    ///     assert!(dies.join().is_err());
    /// });
    /// let mut begun_before = false;
    /// once.call_once_with(|again| begun_before = again).unwrap();
    /// assert!(begun_before);
    /// # Ok::<(), shm_lock::OpenError>(())
    /// ```
    ///
    /// # Errors
    /// The errors of [`call_once`](Self::call_once).
    ///
    /// # Panics
    /// Panics like [`call_once`](Self::call_once).
    #[inline]
    pub fn call_once_with(&self, action: impl FnOnce(bool)) -> Result<(), LockFailure> {
        if self.is_completed() { Ok(()) } else { self.do_once(action) }
    }

    #[cold]
    fn do_once(&self, action: impl FnOnce(bool)) -> Result<(), LockFailure> {
        let thread = Thread::current().map_err(LockFailure::Unsupported)?;
        // SAFETY: as in `RegionMutex::try_lock`: placed and mapped while the thread has it.
        let claim = unsafe { thread.claim(&self.raw) };
        match self.done.begin(self.raw.mutex(), &claim, Ticker::forever)? {
            Turn::Done => Ok(()),
            Turn::Mine { again } => {
                let turn = MyTurn { once: self, generation: Thread::generation() };
                action(again);
                turn.finish(again);
                Ok(())
            }
        }
    }
}

/// The calling thread's turn. If it is dropped without `finish`, the next thread tries.
struct MyTurn<'a> {
    once: &'a ShmOnce,
    generation: u32,
}

impl MyTurn<'_> {
    fn finish(self, again: bool) {
        let once = self.once;
        self.end(|claim| once.done.finish(once.raw.mutex(), claim, again));
        std::mem::forget(self);
    }

    /// Does nothing in a forked child.
    fn end(&self, end: impl FnOnce(&crate::thread::Claim<'_>)) {
        if let Some(thread) = Thread::holding_since(self.generation) {
            // SAFETY: as in `do_once`, by the same thread in the same process.
            let claim = unsafe { thread.claim(&self.once.raw) };
            end(&claim);
        }
    }
}

impl Drop for MyTurn<'_> {
    fn drop(&mut self) {
        self.end(|claim| self.once.done.give_up(self.once.raw.mutex(), claim));
    }
}

impl fmt::Debug for ShmOnce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ShmOnce").field("completed", &self.is_completed()).finish_non_exhaustive()
    }
}
