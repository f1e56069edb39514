//! Permits that processes share.

use std::fmt;
use std::time::{Duration, Instant};

use crate::layout::{Locks, ShmLayout};
use crate::protocol::semaphore::{COUNT, Semaphore};
use crate::thread::Ticker;

/// A counting semaphore between processes, in a [`ShmRegion`](crate::ShmRegion).
///
/// # Death of a holder
///
/// A semaphore counts permits and does not know who has them. A [`Permit`] goes back when it is
/// dropped, also by a panic. It does **not** go back when its process is killed, calls `exec` or
/// `_exit`, or leaks it: there is one permit less until somebody calls
/// [`add_permits`](Self::add_permits). Where that matters, use an array of
/// [`RegionMutex`](crate::RegionMutex), one for each slot, and `try_lock`: the lock of a dead
/// process is given to the next one.
///
/// What is never lost is a permit that was given back: whoever sleeps looks again at least four
/// times a second, even if the one who should have woken it died just then.
///
/// ```
/// use shm_lock::{ShmRegion, ShmSemaphore};
///
/// let downloads = ShmRegion::memfd("downloads", ShmSemaphore::new(2))?;
/// let (first, second) = (downloads.acquire(), downloads.acquire());
/// assert!(downloads.try_acquire().is_none());
/// drop(first);
/// assert_eq!(downloads.available(), 1);
/// # drop(second);
/// # Ok::<(), shm_lock::OpenError>(())
/// ```
#[repr(transparent)]
pub struct ShmSemaphore(Semaphore);

// SAFETY: one atomic word; it holds no lock.
unsafe impl ShmLayout for ShmSemaphore {
    fn describe(text: &mut String) {
        text.push_str("ShmSemaphore");
    }

    fn visit_locks(&self, _: &mut Locks<'_>) {}
}

impl ShmSemaphore {
    /// The largest number of permits, 2³¹ − 1.
    pub const MAX_PERMITS: u32 = COUNT;

    /// A semaphore with that many permits, at most [`MAX_PERMITS`](Self::MAX_PERMITS).
    pub fn new(permits: u32) -> Self {
        ShmSemaphore(Semaphore::new(permits.min(COUNT)))
    }

    /// How many permits are left at the moment.
    pub fn available(&self) -> u32 {
        self.0.available()
    }

    /// Takes a permit, waiting for one as long as it takes.
    ///
    /// There is no order among those who wait.
    pub fn acquire(&self) -> Permit<'_> {
        loop {
            if let Some(permit) = self.acquire_with(Ticker::forever()) {
                return permit;
            }
            // The system lets nobody wait for a word.
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Takes a permit if there is one.
    pub fn try_acquire(&self) -> Option<Permit<'_>> {
        self.0.try_acquire().then(|| Permit(self))
    }

    /// Takes a permit, waiting for one no longer than `patience`.
    ///
    /// ```
    /// # use shm_lock::{ShmRegion, ShmSemaphore};
    /// let none = ShmRegion::memfd("none", ShmSemaphore::new(0))?;
    /// assert!(none.acquire_timeout(std::time::Duration::from_millis(1)).is_none());
    /// # Ok::<(), shm_lock::OpenError>(())
    /// ```
    pub fn acquire_timeout(&self, patience: Duration) -> Option<Permit<'_>> {
        self.acquire_with(Ticker::within(patience))
    }

    /// Takes a permit, waiting for one no longer than until `deadline`.
    pub fn acquire_deadline(&self, deadline: Instant) -> Option<Permit<'_>> {
        self.acquire_with(Ticker::until(deadline))
    }

    fn acquire_with(&self, ticker: Ticker) -> Option<Permit<'_>> {
        self.0.acquire(&mut ticker.with_long_ticks()).then(|| Permit(self))
    }

    /// Adds permits: more of them, or those of a process that died. False, and none are added, if
    /// there would be more than [`MAX_PERMITS`](Self::MAX_PERMITS).
    ///
    /// ```
    /// # use shm_lock::{ShmRegion, ShmSemaphore};
    /// let slots = ShmRegion::memfd("slots", ShmSemaphore::new(1))?;
    /// std::mem::forget(slots.acquire());
    /// assert!(slots.try_acquire().is_none());
    /// assert!(slots.add_permits(1));
    /// assert!(slots.try_acquire().is_some());
    /// # Ok::<(), shm_lock::OpenError>(())
    /// ```
    pub fn add_permits(&self, permits: u32) -> bool {
        self.0.release(permits)
    }
}

impl fmt::Debug for ShmSemaphore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ShmSemaphore").field("available", &self.available()).finish()
    }
}

/// One permit of a [`ShmSemaphore`]; dropping it gives it back. It may be sent to another thread.
///
/// After a fork both parent and child have it, and both give it back: let the child leak it.
#[derive(Debug)]
#[must_use = "the permit is given back at once unless it is kept"]
pub struct Permit<'a>(&'a ShmSemaphore);

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        // There cannot be too many, unless somebody has added some that nobody had lost.
        self.0.add_permits(1);
    }
}
