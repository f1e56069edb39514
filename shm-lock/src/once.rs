//! Something that is done once by one of many processes.

use std::fmt;

use crate::layout::{Locks, ShmLayout};
use crate::lock_error::LockFailure;
use crate::protocol::once::{Done, Turn};
use crate::thread::{RawLock, Thread, Ticker};

/// Something that is done once, by whichever process comes first, in a
/// [`ShmRegion`](crate::ShmRegion).
///
/// If the one who does it dies or panics, the next one does it: what was begun must be fit to be
/// begun again, and [`call_once_with`](Self::call_once_with) says when that is so.
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
    /// Something that has not been done yet, to be put into a region.
    pub fn new() -> Self {
        ShmOnce { raw: RawLock::new(), done: Done::new() }
    }

    /// Whether it is done. What was done happens before this returns true.
    #[inline]
    pub fn is_completed(&self) -> bool {
        self.done.is_done()
    }

    /// Does it, or waits until another one has done it; returns once it is done.
    ///
    /// # Errors
    /// [`LockFailure::Deadlock`] if `action` itself calls this, and [`LockFailure::Unsupported`].
    ///
    /// # Panics
    /// If `action` does. The next caller does it then.
    #[inline]
    pub fn call_once(&self, action: impl FnOnce()) -> Result<(), LockFailure> {
        self.call_once_with(|_| action())
    }

    /// [`call_once`](Self::call_once), but `action` is told whether one before has begun and died
    /// or panicked.
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
    /// As [`call_once`](Self::call_once).
    ///
    /// # Panics
    /// As [`call_once`](Self::call_once).
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

/// The turn of the calling thread; dropping it without `finish` lets the next one try.
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

    /// Does nothing in a child that was forked meanwhile.
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
