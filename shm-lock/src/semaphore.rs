//! Semaphores: permits that processes share.

use std::fmt;
use std::marker::PhantomData;
use std::time::{Duration, Instant};

use crate::layout::{Locks, ShmLayout};
use crate::lock_error::LockFailure;
use crate::protocol::mutex::Refused;
use crate::protocol::semaphore::Semaphore;
use crate::slots::{Row, Slot, set_usual, usual};
use crate::thread::{Thread, Ticker};

/// A semaphore between processes, in a [`ShmRegion`](crate::ShmRegion). Its permits come back when
/// their holders die.
///
/// There are up to `MOST` permits. Each belongs to the thread that took it. It comes back when its
/// [`Permit`] is dropped, also by a panic, and when the thread ends, is killed or calls `exec`. A
/// thread that tries to take a permit finds it at once. A waiter finds it within a tenth of a
/// second.
///
/// Waiters get permits in no particular order.
///
/// ```
/// use shm_lock::{ShmRegion, ShmSemaphore};
///
/// let downloads = ShmRegion::memfd("downloads", ShmSemaphore::new(2))?;
/// let (first, second) = (downloads.acquire().unwrap(), downloads.acquire().unwrap());
/// assert!(downloads.try_acquire().is_err());
/// drop(first);
/// assert_eq!(downloads.available(), 1);
/// # drop(second);
/// # Ok::<(), shm_lock::OpenError>(())
/// ```
#[repr(C, align(64))]
pub struct ShmSemaphore<const MOST: usize = 64> {
    words: Semaphore,
    slots: [Slot; MOST],
}

// SAFETY: `repr(C)` and made of atomic words and locks, which are shown; their number is told.
unsafe impl<const MOST: usize> ShmLayout for ShmSemaphore<MOST> {
    fn describe(text: &mut String) {
        text.push_str(&format!("ShmSemaphore<{MOST}>"));
    }

    fn visit_locks(&self, locks: &mut Locks<'_>) {
        Slot::show(&self.slots, locks);
    }
}

impl ShmSemaphore {
    /// Creates a semaphore with `permits` permits, at most 64.
    pub fn new(permits: u32) -> Self {
        ShmSemaphore::with_permits(permits)
    }
}

impl<const MOST: usize> ShmSemaphore<MOST> {
    /// The largest number of permits.
    pub const MAX_PERMITS: u32 = MOST as u32;

    /// Creates a semaphore with `permits` permits, at most `MOST`. Each of the `MOST` slots takes a
    /// cache line. If `MOST` is 0, this does not compile.
    ///
    /// ```
    /// use shm_lock::{ShmRegion, ShmSemaphore};
    ///
    /// let licences = ShmRegion::memfd("licences", ShmSemaphore::<500>::with_permits(400))?;
    /// assert_eq!(licences.available(), 400);
    /// # Ok::<(), shm_lock::OpenError>(())
    /// ```
    pub fn with_permits(permits: u32) -> Self {
        ShmSemaphore { words: Semaphore::new(permits.min(Self::MAX_PERMITS)), slots: Slot::row() }
    }

    /// Returns how many permits are free at the moment.
    pub fn available(&self) -> u32 {
        let permits = &self.slots[..self.words.limit().min(Self::MAX_PERMITS) as usize];
        permits.iter().filter(|slot| slot.raw().mutex().owner() == 0).count() as u32
    }

    /// Takes a permit. Blocks until one is free.
    ///
    /// It checks at most as many slots as there are permits, starting with the slot that the thread
    /// had last. A thread that holds all permits itself waits for ever.
    ///
    /// ```
    /// # use shm_lock::{ShmRegion, ShmSemaphore};
    /// let one = ShmRegion::memfd("one", ShmSemaphore::new(1))?;
    /// std::thread::scope(|scope| {
    ///     // A holder that dies, as in a killed process.
    ///     scope.spawn(|| std::mem::forget(one.acquire().unwrap()));
    /// });
    /// assert!(one.acquire().is_ok());
    /// # Ok::<(), shm_lock::OpenError>(())
    /// ```
    ///
    /// # Errors
    /// [`LockFailure::Unsupported`].
    pub fn acquire(&self) -> Result<Permit<'_>, LockFailure> {
        self.acquire_with(Some(Ticker::forever()))
    }

    /// Takes a permit if one is free.
    ///
    /// ```
    /// # use shm_lock::{LockFailure, ShmRegion, ShmSemaphore};
    /// let one = ShmRegion::memfd("one", ShmSemaphore::new(1))?;
    /// let permit = one.try_acquire().unwrap();
    /// assert_eq!(one.try_acquire().err(), Some(LockFailure::WouldBlock));
    /// # drop(permit);
    /// # Ok::<(), shm_lock::OpenError>(())
    /// ```
    ///
    /// # Errors
    /// [`LockFailure::WouldBlock`] and [`LockFailure::Unsupported`].
    pub fn try_acquire(&self) -> Result<Permit<'_>, LockFailure> {
        self.acquire_with(None).map_err(|failure| match failure {
            LockFailure::TimedOut => LockFailure::WouldBlock,
            failure => failure,
        })
    }

    /// Takes a permit. Blocks for at most `patience`.
    ///
    /// ```
    /// # use shm_lock::{LockFailure, ShmRegion, ShmSemaphore};
    /// let none = ShmRegion::memfd("none", ShmSemaphore::new(0))?;
    /// let outcome = none.acquire_timeout(std::time::Duration::from_millis(1));
    /// assert_eq!(outcome.err(), Some(LockFailure::TimedOut));
    /// # Ok::<(), shm_lock::OpenError>(())
    /// ```
    ///
    /// # Errors
    /// [`LockFailure::TimedOut`] and [`LockFailure::Unsupported`].
    pub fn acquire_timeout(&self, patience: Duration) -> Result<Permit<'_>, LockFailure> {
        self.acquire_with((!patience.is_zero()).then(|| Ticker::within(patience)))
    }

    /// Takes a permit. Blocks until `deadline` at most.
    ///
    /// # Errors
    /// The errors of [`acquire_timeout`](Self::acquire_timeout).
    pub fn acquire_deadline(&self, deadline: Instant) -> Result<Permit<'_>, LockFailure> {
        self.acquire_with(Some(Ticker::until(deadline)))
    }

    fn acquire_with(&self, ticker: Option<Ticker>) -> Result<Permit<'_>, LockFailure> {
        let thread = Thread::current().map_err(LockFailure::Unsupported)?;
        let row = self.row(thread);
        let outcome = match ticker {
            Some(ticker) => self.words.acquire(&row, usual(), &mut ticker.with_short_ticks()),
            None => self.words.try_acquire(&row, usual()),
        };
        let index = outcome.map_err(|refused: Refused| LockFailure::from(refused))?;
        set_usual(index);
        Ok(Permit {
            words: &self.words,
            slots: &self.slots,
            index,
            generation: Thread::generation(),
            not_send: PhantomData,
        })
    }

    fn row(&self, thread: Thread) -> Row<'_> {
        // SAFETY: slots that can be taken are placed, in a region that is mapped while it is
        // borrowed and, if a permit is leaked, for as long as this process has its thread
        // (`Place::drop`).
        unsafe { Row::new(&self.slots, thread) }
    }

    /// Adds permits. If there would be more than [`MAX_PERMITS`](Self::MAX_PERMITS), adds none and
    /// returns false.
    ///
    /// ```
    /// # use shm_lock::{ShmRegion, ShmSemaphore};
    /// let slots = ShmRegion::memfd("slots", ShmSemaphore::new(0))?;
    /// assert!(slots.try_acquire().is_err());
    /// assert!(slots.add_permits(1));
    /// assert!(slots.try_acquire().is_ok());
    /// # Ok::<(), shm_lock::OpenError>(())
    /// ```
    pub fn add_permits(&self, permits: u32) -> bool {
        self.words.add(Self::MAX_PERMITS, permits)
    }
}

impl<const MOST: usize> fmt::Debug for ShmSemaphore<MOST> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ShmSemaphore").field("available", &self.available()).finish()
    }
}

/// One permit of a [`ShmSemaphore`]. Dropping it gives the permit back.
///
/// It cannot be sent to another thread, because the kernel knows which thread has it. After a fork,
/// the parent has the permit, and the child's copy does nothing when it is dropped. A leaked permit
/// comes back when its thread ends.
#[must_use = "the permit is given back at once unless it is kept"]
pub struct Permit<'a> {
    words: &'a Semaphore,
    slots: &'a [Slot],
    index: u32,
    generation: u32,
    not_send: PhantomData<*mut ()>,
}

// SAFETY: a shared permit gives out nothing.
unsafe impl Sync for Permit<'_> {}

impl fmt::Debug for Permit<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Permit").field(&self.index).finish()
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        let Some(thread) = Thread::holding_since(self.generation) else { return };
        // SAFETY: the slot was taken by this thread (the permit is not `Send`) in this process (its
        // generation).
        let row = unsafe { Row::new(self.slots, thread) };
        self.words.release(&row, self.index);
    }
}
