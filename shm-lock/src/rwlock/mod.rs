//! Read-write locks: many readers or one writer, in threads of several processes.

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

/// A lock for many readers or one writer that is a part of a [`ShmRegion`](crate::ShmRegion).
///
/// Readers and writers may die at any instruction. The lock of a dead reader is free at once. If a
/// writer dies while it holds the lock, one later reader or writer learns it, as with
/// [`RegionMutex`](crate::RegionMutex). The death of a waiter is not reported.
///
/// Up to `READERS` readers hold the lock at a time. Each has its own cache line, so readers do not
/// slow each other down. Further readers wait until one leaves. A writer takes one lock, and reads
/// one cache line for each reader that was ever in at the same time as others.
///
/// A waiting writer goes before readers that come later. Waiters get the lock approximately in the
/// order in which they came. So neither side can starve the other.
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

/// The part that all readers use.
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
    /// Creates a free lock for up to 128 readers at a time, to be put into a region.
    pub fn new(value: T) -> Self {
        RegionRwLock::with_readers(value)
    }
}

impl<T: ShmPod, const READERS: usize> RegionRwLock<T, READERS> {
    /// Creates a free lock for up to `READERS` readers at a time, to be put into a region. If
    /// `READERS` is 0, this does not compile.
    pub fn with_readers(value: T) -> Self {
        let lock = RawLock::new();
        lock.mutex().rest();
        RegionRwLock {
            shared: Shared { lock, words: RwLock::new(), value: Cell::new(value) },
            slots: Slot::row(),
        }
    }

    /// Takes the lock for reading, as soon as no writer holds it or waits for it.
    ///
    /// Without a writer, this costs one atomic instruction and no system call, whatever other
    /// readers do. A thread that already reads may get the lock a second time. If it would have to
    /// wait, it gets [`Deadlock`](RwLockError::Deadlock). A panic of a reader poisons nothing.
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
    /// Every [`RwLockError`] but `WouldBlock` and `TimedOut`. `OwnerDied` and `Poisoned` hold the
    /// lock for writing, for the repair.
    #[inline(always)]
    pub fn read(&self) -> Result<ShmReadGuard<'_, T>, RwLockError<'_, T>> {
        self.read_with(|| Some(Ticker::forever()))
    }

    /// Takes the lock for reading if no writer holds it or waits for it.
    ///
    /// It may also fail while another waiter is getting the lock.
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

    /// Takes the lock for reading. Blocks for at most `patience`.
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

    /// Takes the lock for reading. Blocks until `deadline` at most. See
    /// [`read_timeout`](Self::read_timeout).
    ///
    /// # Errors
    /// Every [`RwLockError`] but `WouldBlock`.
    pub fn read_deadline(&self, deadline: Instant) -> Result<ShmReadGuard<'_, T>, RwLockError<'_, T>> {
        self.read_with(|| Some(Ticker::until(deadline)))
    }

    /// Takes the lock for writing, as soon as no other thread holds it.
    ///
    /// If no thread holds the lock, this costs one atomic instruction, no system call, and a look
    /// at as many cache lines as there have ever been readers at the same time. Otherwise it waits
    /// for the current readers, and for no later ones.
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

    /// Takes the lock for writing if no other thread holds it or waits to write.
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

    /// Takes the lock for writing. Blocks for at most `patience`.
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

    /// Takes the lock for writing. Blocks until `deadline` at most. See
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

/// The words and locks of a read-write lock in a region.
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
