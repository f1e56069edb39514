//! Many readers or one writer, threads of any processes.

use std::fmt;
use std::time::{Duration, Instant};

use crate::layout::{Locks, ShmLayout};
use crate::pod::ShmPod;
use crate::protocol::mutex::{Acquired, Mutex, Refused};
use crate::protocol::rwlock::{Begun, Entered, Parts, RwLock};
use crate::protocol::slots::Slots;
use crate::slots::{Row, Slot, set_usual, usual};
use crate::sync::Cell;
use crate::thread::{Claim, RawLock, Thread, Ticker};

mod error;
mod guard;
mod named;

pub use error::RwLockError;
pub use guard::{RwRecoverGuard, ShmReadGuard, ShmWriteGuard};
pub use named::ShmRwLock;

type ReadResult<'a, T> = Result<ShmReadGuard<'a, T>, RwLockError<'a, T>>;
type WriteResult<'a, T> = Result<ShmWriteGuard<'a, T>, RwLockError<'a, T>>;

/// A lock for many readers or one writer, as a part of a [`ShmRegion`](crate::ShmRegion).
///
/// Readers and writers may die at any instruction. What a dead reader had is free at once; a writer
/// that died while it was in is told to one of those who come next, reader or writer, as
/// [`RegionMutex`](crate::RegionMutex) does. One that dies while it waits is told to nobody.
///
/// Up to `READERS` readers are in at a time, each in a cache line of its own, so that they do not
/// slow each other down; more of them wait for one that is in. A writer takes one lock, and looks at
/// as many cache lines as readers have ever been in at a time.
///
/// A writer that waits comes before readers that come later. Those who wait get in in about the
/// order of their coming, so that readers do not keep writers out for ever, nor writers readers.
///
/// ```
/// use shm_lock::{RegionRwLock, ShmRegion};
///
/// shm_lock::region! {
///     struct Settings {
///         limits: RegionRwLock<[u64; 2]>,
///         colours: RegionRwLock<u32, 8>,
///     }
/// }
///
/// let settings = ShmRegion::memfd(
///     "settings",
///     Settings { limits: RegionRwLock::new([1, 2]), colours: RegionRwLock::with_readers(256) },
/// )?;
/// let (one, other) = (settings.limits.read().unwrap(), settings.colours.read().unwrap());
/// assert_eq!((one[1], *other), (2, 256));
/// # drop((one, other));
/// # Ok::<(), shm_lock::OpenError>(())
/// ```
#[repr(C, align(64))]
pub struct RegionRwLock<T: ShmPod, const READERS: usize = 128> {
    shared: Shared<T>,
    slots: [Slot; READERS],
}

/// What all readers look at.
#[repr(C)]
struct Shared<T> {
    lock: RawLock,
    words: RwLock,
    value: Cell<T>,
}

// SAFETY: a value that means the same in every thread (`ShmPod`), given to one thread at a time, or
// as `&T` to many, for which it is `Sync`.
unsafe impl<T: ShmPod + Sync, const READERS: usize> Sync for RegionRwLock<T, READERS> {}
// SAFETY: as above.
unsafe impl<T: ShmPod + Sync, const READERS: usize> Send for RegionRwLock<T, READERS> {}

// SAFETY: `repr(C)` and made of locks that are shown, an atomic word and a `ShmPod` value, which is
// described; `READERS` is told.
unsafe impl<T: ShmPod + Sync, const READERS: usize> ShmLayout for RegionRwLock<T, READERS> {
    fn describe(text: &mut String) {
        text.push_str(&format!("RegionRwLock<{READERS}, "));
        <T as ShmPod>::describe(text);
        text.push_str(&format!(
            "@{}>@{}",
            std::mem::offset_of!(Shared<T>, value),
            std::mem::offset_of!(Self, slots)
        ));
    }

    fn visit_locks(&self, locks: &mut Locks<'_>) {
        locks.see(&self.shared.lock);
        Slot::show(&self.slots, locks);
    }
}

impl<T: ShmPod> RegionRwLock<T> {
    /// A lock that nobody has, for up to 128 readers at a time, to be put into a region.
    pub fn new(value: T) -> Self {
        RegionRwLock::with_readers(value)
    }
}

impl<T: ShmPod, const READERS: usize> RegionRwLock<T, READERS> {
    /// A lock that nobody has, for up to `READERS` readers at a time, to be put into a region. It
    /// does not compile with 0 of them.
    pub fn with_readers(value: T) -> Self {
        let lock = RawLock::new();
        lock.mutex().rest();
        RegionRwLock {
            shared: Shared { lock, words: RwLock::new(), value: Cell::new(value) },
            slots: Slot::row(),
        }
    }

    /// Lets the calling thread read, as soon as no writer is in or waits.
    ///
    /// Where that is so at once, it costs one atomic instruction and no system call, whatever other
    /// readers do. A thread that reads already may be let in a second time, and is told
    /// [`Deadlock`](RwLockError::Deadlock) where it would have to wait. A panic of a reader poisons
    /// nothing.
    ///
    /// ```
    /// let lock = shm_lock::ShmRwLock::memfd("a", 7_u64)?;
    /// let guard = lock.read().unwrap();
    /// std::thread::scope(|scope| {
    ///     scope.spawn(|| assert_eq!(*lock.read().unwrap(), 7));
    /// });
    /// # drop(guard);
    /// # Ok::<(), shm_lock::OpenError>(())
    /// ```
    ///
    /// # Errors
    /// Every [`RwLockError`] but `WouldBlock` and `TimedOut`. `OwnerDied` and `Poisoned` come with
    /// the lock as a writer has it, for the repair.
    #[inline(always)]
    pub fn read(&self) -> Result<ShmReadGuard<'_, T>, RwLockError<'_, T>> {
        self.read_with(|| Some(Ticker::forever()))
    }

    /// Lets the calling thread read if no writer is in or waits.
    ///
    /// It may also be refused while another one that waited is let in.
    ///
    /// ```
    /// use shm_lock::{RwLockError, ShmRwLock};
    ///
    /// let lock = ShmRwLock::memfd("a", 7_u64)?;
    /// assert_eq!(*lock.try_read().unwrap(), 7);
    /// let guard = lock.write().unwrap();
    /// assert!(matches!(lock.try_read(), Err(RwLockError::WouldBlock)));
    /// # drop(guard);
    /// # Ok::<(), shm_lock::OpenError>(())
    /// ```
    ///
    /// # Errors
    /// Every [`RwLockError`] but `TimedOut` and `Deadlock`.
    #[inline(always)]
    pub fn try_read(&self) -> Result<ShmReadGuard<'_, T>, RwLockError<'_, T>> {
        self.read_with(|| None).map_err(RwLockError::of_try)
    }

    /// Lets the calling thread read, after waiting no longer than `patience`.
    ///
    /// It tries at least once. Time while the system is suspended does not count.
    ///
    /// ```
    /// use shm_lock::{RwLockError, ShmRwLock};
    /// use std::time::Duration;
    ///
    /// let lock = ShmRwLock::memfd("a", 7_u64)?;
    /// let guard = lock.write().unwrap();
    /// std::thread::scope(|scope| {
    ///     scope.spawn(|| {
    ///         let outcome = lock.read_timeout(Duration::from_millis(1));
    ///         assert!(matches!(outcome, Err(RwLockError::TimedOut)));
    ///     });
    /// });
    /// # drop(guard);
    /// # Ok::<(), shm_lock::OpenError>(())
    /// ```
    ///
    /// # Errors
    /// Every [`RwLockError`] but `WouldBlock`.
    pub fn read_timeout(&self, patience: Duration) -> Result<ShmReadGuard<'_, T>, RwLockError<'_, T>> {
        self.read_with(|| (!patience.is_zero()).then(|| Ticker::within(patience)))
    }

    /// Lets the calling thread read, after waiting no longer than until `deadline`. See
    /// [`read_timeout`](Self::read_timeout).
    ///
    /// # Errors
    /// Every [`RwLockError`] but `WouldBlock`.
    pub fn read_deadline(&self, deadline: Instant) -> Result<ShmReadGuard<'_, T>, RwLockError<'_, T>> {
        self.read_with(|| Some(Ticker::until(deadline)))
    }

    /// Lets the calling thread in alone, as soon as nobody else is in.
    ///
    /// Where that is so at once, it costs one atomic instruction and no system call, and a look at as
    /// many cache lines as readers have ever been in at a time. Else it waits for the readers who are
    /// in, and for no others.
    ///
    /// ```
    /// let lock = shm_lock::ShmRwLock::memfd("a", 7_u64)?;
    /// *lock.write().unwrap() += 1;
    /// assert_eq!(*lock.read().unwrap(), 8);
    /// # Ok::<(), shm_lock::OpenError>(())
    /// ```
    ///
    /// # Errors
    /// Every [`RwLockError`] but `WouldBlock` and `TimedOut`; `Deadlock` also if this thread reads.
    #[inline(always)]
    pub fn write(&self) -> Result<ShmWriteGuard<'_, T>, RwLockError<'_, T>> {
        self.write_with(|| Some(Ticker::forever()))
    }

    /// Lets the calling thread in alone if nobody else is in or waits to be in alone.
    ///
    /// ```
    /// use shm_lock::{RwLockError, ShmRwLock};
    ///
    /// let lock = ShmRwLock::memfd("a", 7_u64)?;
    /// let guard = lock.read().unwrap();
    /// assert!(matches!(lock.try_write(), Err(RwLockError::WouldBlock)));
    /// drop(guard);
    /// assert!(lock.try_write().is_ok());
    /// # Ok::<(), shm_lock::OpenError>(())
    /// ```
    ///
    /// # Errors
    /// Every [`RwLockError`] but `TimedOut` and `Deadlock`.
    #[inline(always)]
    pub fn try_write(&self) -> Result<ShmWriteGuard<'_, T>, RwLockError<'_, T>> {
        self.write_with(|| None).map_err(RwLockError::of_try)
    }

    /// Lets the calling thread in alone, after waiting no longer than `patience`.
    ///
    /// It tries at least once. Time while the system is suspended does not count.
    ///
    /// ```
    /// use shm_lock::{RwLockError, ShmRwLock};
    /// use std::time::Duration;
    ///
    /// let lock = ShmRwLock::memfd("a", 7_u64)?;
    /// let guard = lock.read().unwrap();
    /// std::thread::scope(|scope| {
    ///     scope.spawn(|| {
    ///         let outcome = lock.write_timeout(Duration::from_millis(1));
    ///         assert!(matches!(outcome, Err(RwLockError::TimedOut)));
    ///     });
    /// });
    /// # drop(guard);
    /// # Ok::<(), shm_lock::OpenError>(())
    /// ```
    ///
    /// # Errors
    /// Every [`RwLockError`] but `WouldBlock`.
    pub fn write_timeout(&self, patience: Duration) -> Result<ShmWriteGuard<'_, T>, RwLockError<'_, T>> {
        self.write_with(|| (!patience.is_zero()).then(|| Ticker::within(patience)))
    }

    /// Lets the calling thread in alone, after waiting no longer than until `deadline`. See
    /// [`write_timeout`](Self::write_timeout).
    ///
    /// # Errors
    /// Every [`RwLockError`] but `WouldBlock`.
    pub fn write_deadline(&self, deadline: Instant) -> Result<ShmWriteGuard<'_, T>, RwLockError<'_, T>> {
        self.write_with(|| Some(Ticker::until(deadline)))
    }

    #[inline(always)]
    fn read_with(&self, ticker: impl FnOnce() -> Option<Ticker>) -> ReadResult<'_, T> {
        if let Some(thread) = Thread::registered() {
            let all = self.all();
            if let Some(index) = all.words.read_untouched(&all.for_thread(thread), usual()) {
                return Ok(self.reader(index));
            }
        }
        self.read_slowly(ticker())
    }

    #[cold]
    #[inline(never)]
    fn read_slowly(&self, mut ticker: Option<Ticker>) -> ReadResult<'_, T> {
        let thread = Thread::current().map_err(RwLockError::Unsupported)?;
        let all = self.all();
        match all.words.read(&all.for_thread(thread), usual(), &mut ticker.as_mut())? {
            Entered::Shared(index) => {
                set_usual(index);
                Ok(self.reader(index))
            }
            Entered::Alone(had) => Err(self.torn(had)),
        }
    }

    #[inline(always)]
    fn write_with(&self, ticker: impl FnOnce() -> Option<Ticker>) -> WriteResult<'_, T> {
        let all = self.all();
        let begun = Thread::registered()
            .map_or(Begun::Nothing, |thread| all.words.write_untouched(&all.for_thread(thread)));
        if begun == Begun::In {
            return Ok(ShmWriteGuard::new(all, &self.shared, Thread::generation()));
        }
        self.write_slowly(begun, ticker())
    }

    #[cold]
    #[inline(never)]
    fn write_slowly(&self, begun: Begun, mut ticker: Option<Ticker>) -> WriteResult<'_, T> {
        let thread = Thread::current().map_err(RwLockError::Unsupported)?;
        let all = self.all();
        match all.words.write(&all.for_thread(thread), begun, &mut ticker.as_mut())? {
            Acquired::Clean => Ok(ShmWriteGuard::new(all, &self.shared, Thread::generation())),
            torn => Err(self.torn(torn)),
        }
    }

    #[inline(always)]
    fn reader(&self, index: u32) -> ShmReadGuard<'_, T> {
        ShmReadGuard::new(self.slots[index as usize].raw(), &self.shared.value, Thread::generation())
    }

    #[cold]
    fn torn(&self, had: Acquired) -> RwLockError<'_, T> {
        let guard = RwRecoverGuard::new(self.all(), &self.shared);
        if had == Acquired::OwnerDied { RwLockError::OwnerDied(guard) } else { RwLockError::Poisoned(guard) }
    }

    #[inline(always)]
    fn all(&self) -> All<'_> {
        All { words: &self.shared.words, value: &self.shared.lock, slots: &self.slots }
    }
}

impl<T: ShmPod, const READERS: usize> fmt::Debug for RegionRwLock<T, READERS> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let readers = self.slots.iter().filter(|slot| slot.raw().mutex().owner() != 0).count();
        let writer = self.shared.lock.mutex().changer();
        f.debug_struct("RegionRwLock")
            .field("slots", &readers)
            .field("writer", &writer)
            .finish_non_exhaustive()
    }
}

/// Words and locks of a lock that lies in a region.
#[derive(Clone, Copy, Debug)]
struct All<'a> {
    words: &'a RwLock,
    value: &'a RawLock,
    slots: &'a [Slot],
}

impl<'a> All<'a> {
    #[inline(always)]
    fn for_thread(self, thread: Thread) -> ForThread<'a> {
        // SAFETY: slots that can be taken are placed, in a region that is mapped while it is
        // borrowed and, if a guard is leaked, for as long as this process has its thread
        // (`Place::drop`).
        ForThread { row: unsafe { Row::new(self.slots, thread) }, all: self, thread }
    }
}

/// The same for the calling thread.
struct ForThread<'a> {
    row: Row<'a>,
    all: All<'a>,
    thread: Thread,
}

impl Slots for ForThread<'_> {
    type Me<'b>
        = Claim<'b>
    where
        Self: 'b;

    fn count(&self) -> u32 {
        self.row.count()
    }

    #[inline(always)]
    fn slot(&self, index: u32) -> (&Mutex, Claim<'_>) {
        self.row.slot(index)
    }
}

impl Parts for ForThread<'_> {
    #[inline(always)]
    fn value(&self) -> (&Mutex, Claim<'_>) {
        let lock = self.all.value;
        // SAFETY: as in `for_thread`.
        (lock.mutex(), unsafe { self.thread.claim(lock) })
    }
}

impl<T: ShmPod> From<Refused> for RwLockError<'_, T> {
    fn from(refused: Refused) -> Self {
        RwLockError::refused(refused.into())
    }
}
