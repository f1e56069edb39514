//! Mutexes between threads of several processes.

use std::fmt;
use std::io;
use std::ops::Deref;
#[cfg(all(unix, not(loom)))]
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use crate::error::{OpenError, Unsupported};
use crate::guard::{RecoverGuard, ShmMutexGuard};
use crate::layout::{Locks, ShmLayout};
use crate::lock_error::{LockError, LockFailure};
use crate::name::RegionName;
use crate::pod::ShmPod;
use crate::protocol::mutex::{Acquired, Mutex, Refused};
use crate::region::ShmRegion;
use crate::sync::Cell;
use crate::thread::{Claim, RawLock, Thread, Ticker};

/// A mutex that is a part of a [`ShmRegion`].
///
/// It can be locked once it is in a region. Before that, [`lock`](Self::lock) returns
/// [`Unsupported`](crate::LockError::Unsupported). A mutex with a small value takes one cache line.
///
/// ```
/// use shm_lock::{RegionMutex, ShmRegion};
///
/// shm_lock::region! {
///     struct Accounts {
///         savings: RegionMutex<i64>,
///         giro: RegionMutex<i64>,
///     }
/// }
///
/// let accounts = ShmRegion::memfd(
///     "accounts",
///     Accounts { savings: RegionMutex::new(100), giro: RegionMutex::new(0) },
/// )?;
/// let (mut from, mut to) = (accounts.savings.lock().unwrap(), accounts.giro.lock().unwrap());
/// *from -= 30;
/// *to += 30;
/// # drop((from, to));
/// # Ok::<(), shm_lock::OpenError>(())
/// ```
#[repr(C, align(64))]
pub struct RegionMutex<T: ShmPod> {
    raw: RawLock,
    value: Cell<T>,
}

// SAFETY: a value that means the same in every thread (`ShmPod`), given to one thread at a time.
unsafe impl<T: ShmPod> Sync for RegionMutex<T> {}
// SAFETY: as above.
unsafe impl<T: ShmPod> Send for RegionMutex<T> {}

// SAFETY: `repr(C)` and made of a lock and a `ShmPod` value, which are described and shown.
unsafe impl<T: ShmPod> ShmLayout for RegionMutex<T> {
    fn describe(text: &mut String) {
        text.push_str("RegionMutex<");
        <T as ShmPod>::describe(text);
        text.push_str(&format!(">@{}", std::mem::offset_of!(Self, value)));
    }

    fn visit_locks(&self, locks: &mut Locks<'_>) {
        locks.see(&self.raw);
    }
}

impl<T: ShmPod> RegionMutex<T> {
    /// Creates a free mutex, to be put into a region.
    pub fn new(value: T) -> Self {
        RegionMutex { raw: RawLock::new(), value: Cell::new(value) }
    }

    /// Takes the lock. Blocks until it is free.
    ///
    /// Taking a free lock costs one atomic instruction and no system call. If the lock is held,
    /// this spins for up to 80 microseconds, if spinning helped lately, and then sleeps. Waiters
    /// get the lock in no particular order. Do not call this in a signal handler.
    ///
    /// ```
    /// let mutex = shm_lock::ShmMutex::memfd("a", 1_u64)?;
    /// *mutex.lock().unwrap() += 1;
    /// assert_eq!(*mutex.lock().unwrap(), 2);
    /// # Ok::<(), shm_lock::OpenError>(())
    /// ```
    ///
    /// # Errors
    /// Every [`LockError`] but `WouldBlock` and `TimedOut`.
    #[inline(always)]
    pub fn lock(&self) -> Result<ShmMutexGuard<'_, T>, LockError<'_, T>> {
        self.attempt(true, |mutex, claim| mutex.lock_slowly(claim, &mut Ticker::forever()).into())
    }

    /// Takes the lock if it is free.
    ///
    /// ```
    /// use shm_lock::{LockError, ShmMutex};
    ///
    /// let mutex = ShmMutex::memfd("a", 1_u64)?;
    /// let guard = mutex.try_lock().unwrap();
    /// assert!(matches!(mutex.try_lock(), Err(LockError::WouldBlock)));
    /// # drop(guard);
    /// # Ok::<(), shm_lock::OpenError>(())
    /// ```
    ///
    /// # Errors
    /// Every [`LockError`] but `TimedOut` and `Deadlock`.
    #[inline(always)]
    pub fn try_lock(&self) -> Result<ShmMutexGuard<'_, T>, LockError<'_, T>> {
        // An exchange that fails takes as long as one that succeeds.
        let may_be_free = self.raw.mutex().is_at_rest();
        self.attempt(may_be_free, Outcome::of_try)
    }

    /// Takes the lock. Blocks for at most `patience`.
    ///
    /// It tries at least once. Time while the system is suspended does not count.
    ///
    /// ```
    /// use shm_lock::{LockError, ShmMutex};
    /// use std::time::Duration;
    ///
    /// let mutex = ShmMutex::memfd("a", 1_u64)?;
    /// let guard = mutex.lock().unwrap();
    /// std::thread::scope(|scope| {
    ///     scope.spawn(|| {
    ///         let outcome = mutex.lock_timeout(Duration::from_millis(1));
    ///         assert!(matches!(outcome, Err(LockError::TimedOut)));
    ///     });
    /// });
    /// # drop(guard);
    /// # Ok::<(), shm_lock::OpenError>(())
    /// ```
    ///
    /// # Errors
    /// Every [`LockError`] but `WouldBlock`.
    #[inline(always)]
    pub fn lock_timeout(&self, patience: Duration) -> Result<ShmMutexGuard<'_, T>, LockError<'_, T>> {
        let may_be_free = !patience.is_zero() || self.raw.mutex().is_at_rest();
        self.attempt(may_be_free, |mutex, claim| {
            if patience.is_zero() {
                return match Outcome::of_try(mutex, claim) {
                    Outcome::WouldBlock if mutex.is_owned(claim) => Outcome::Deadlock,
                    Outcome::WouldBlock => Outcome::TimedOut,
                    outcome => outcome,
                };
            }
            mutex.lock_slowly(claim, &mut Ticker::within(patience)).into()
        })
    }

    /// Takes the lock. Blocks until `deadline` at most. See [`lock_timeout`](Self::lock_timeout).
    ///
    /// # Errors
    /// Every [`LockError`] but `WouldBlock`.
    #[inline(always)]
    pub fn lock_deadline(&self, deadline: Instant) -> Result<ShmMutexGuard<'_, T>, LockError<'_, T>> {
        // If the lock is free, the clock need not be read.
        match self.try_lock() {
            Err(LockError::WouldBlock) => {
                self.lock_timeout(deadline.saturating_duration_since(Instant::now()))
            }
            outcome => outcome,
        }
    }

    /// Takes the lock like [`lock`](Self::lock). If the last owner died, or released a value that
    /// may be torn, calls `repair` to make the value consistent.
    ///
    /// With a `repair` that does nothing, this is a lock without poison: every value counts as
    /// consistent.
    ///
    /// ```
    /// use shm_lock::ShmMutex;
    ///
    /// let pair = ShmMutex::memfd("pair", [1_u64, 1])?;
    /// std::thread::scope(|scope| {
    ///     // An owner that dies, as in a killed process.
    ///     scope.spawn(|| {
    ///         let mut guard = pair.lock().unwrap();
    ///         guard[0] += 1;
    ///         std::mem::forget(guard);
    ///     });
    /// });
    /// let guard = pair.lock_or_recover(|pair| pair[1] = pair[0])?;
    /// assert_eq!(*guard, [2, 2]);
    /// # drop(guard);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`LockFailure::Deadlock`], [`NotRecoverable`](LockFailure::NotRecoverable) and
    /// [`Unsupported`](LockFailure::Unsupported).
    ///
    /// # Panics
    /// Panics if `repair` does. The value then stays [`Poisoned`](crate::LockError::Poisoned).
    #[inline]
    pub fn lock_or_recover(&self, repair: impl FnOnce(&mut T)) -> Result<ShmMutexGuard<'_, T>, LockFailure> {
        self.lock().or_else(|error| error.recover(repair))
    }

    /// Calls `action` with the value while this thread holds the lock, and returns its result.
    ///
    /// ```
    /// let count = shm_lock::ShmMutex::memfd("count", 3_u64)?;
    /// count.with(|count| *count += 1)?;
    /// assert_eq!(count.with(|count| *count)?, 4);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// The errors of [`lock`](Self::lock), without the guard. A value that may be torn is not
    /// passed to `action`. It stays marked until [`lock_or_recover`](Self::lock_or_recover) or a
    /// similar call.
    ///
    /// # Panics
    /// Panics if `action` does. The value is then [`Poisoned`](crate::LockError::Poisoned).
    #[inline]
    pub fn with<R>(&self, action: impl FnOnce(&mut T) -> R) -> Result<R, LockFailure> {
        Ok(action(&mut *self.lock()?))
    }

    /// Takes the lock at once, or calls `slowly`. The slow path returns a number, because a
    /// structure would be returned through memory, which would slow the fast path down too.
    #[inline(always)]
    fn attempt(
        &self,
        may_be_free: bool,
        slowly: impl FnOnce(&Mutex, &Claim<'_>) -> Outcome,
    ) -> Result<ShmMutexGuard<'_, T>, LockError<'_, T>> {
        let outcome = match Thread::registered() {
            Some(thread) if may_be_free && self.lock_untouched(thread) => Outcome::Clean,
            _ => self.attempt_slowly(slowly),
        };
        match outcome {
            Outcome::Clean => Ok(ShmMutexGuard::new(self, Thread::generation())),
            other => Err(self.refusal(other)),
        }
    }

    #[inline(always)]
    fn lock_untouched(&self, thread: Thread) -> bool {
        // SAFETY: a lock that can be taken is placed, in a region that is mapped while it is
        // borrowed and, if the guard is leaked, for as long as this process has its thread
        // (`Place::drop`).
        let claim = unsafe { thread.claim(&self.raw) };
        self.raw.mutex().lock_untouched(&claim)
    }

    #[cold]
    #[inline(never)]
    fn attempt_slowly(&self, slowly: impl FnOnce(&Mutex, &Claim<'_>) -> Outcome) -> Outcome {
        let Ok(thread) = Thread::current() else { return Outcome::Unsupported };
        // SAFETY: as in `lock_untouched`.
        let claim = unsafe { thread.claim(&self.raw) };
        slowly(self.raw.mutex(), &claim)
    }

    #[cold]
    fn refusal(&self, outcome: Outcome) -> LockError<'_, T> {
        match outcome {
            Outcome::OwnerDied => LockError::OwnerDied(RecoverGuard::new(self, Thread::generation())),
            Outcome::Clean | Outcome::Poisoned => {
                LockError::Poisoned(RecoverGuard::new(self, Thread::generation()))
            }
            Outcome::WouldBlock => LockError::WouldBlock,
            Outcome::TimedOut => LockError::TimedOut,
            Outcome::Deadlock => LockError::Deadlock,
            Outcome::Lost => LockError::NotRecoverable,
            Outcome::Unplaced => LockError::Unsupported(Unsupported::NotInRegion),
            Outcome::CannotWait(errno) => {
                LockError::Unsupported(Unsupported::SystemCall { call: "futex", errno })
            }
            Outcome::Unsupported => {
                LockError::Unsupported(Thread::current().err().unwrap_or(Unsupported::NotInRegion))
            }
        }
    }

    #[inline(always)]
    pub(crate) fn raw(&self) -> &RawLock {
        &self.raw
    }

    #[inline(always)]
    pub(crate) fn value(&self) -> &Cell<T> {
        &self.value
    }
}

/// How an attempt to take the lock ended.
#[derive(Clone, Copy)]
enum Outcome {
    Clean,
    OwnerDied,
    Poisoned,
    WouldBlock,
    TimedOut,
    Deadlock,
    Lost,
    Unplaced,
    CannotWait(i32),
    Unsupported,
}

impl Outcome {
    fn of_try(mutex: &Mutex, claim: &Claim<'_>) -> Outcome {
        match mutex.try_slowly(claim) {
            Some(outcome) => outcome.into(),
            None if mutex.is_unplaced() => Outcome::Unplaced,
            None => Outcome::WouldBlock,
        }
    }
}

impl From<Result<Acquired, Refused>> for Outcome {
    fn from(outcome: Result<Acquired, Refused>) -> Self {
        match outcome {
            Ok(Acquired::Clean) => Outcome::Clean,
            Ok(Acquired::OwnerDied) => Outcome::OwnerDied,
            Ok(Acquired::Poisoned) => Outcome::Poisoned,
            Err(Refused::TimedOut) => Outcome::TimedOut,
            Err(Refused::Deadlock) => Outcome::Deadlock,
            Err(Refused::Lost) => Outcome::Lost,
            Err(Refused::Unplaced) => Outcome::Unplaced,
            Err(Refused::CannotWait(errno)) => Outcome::CannotWait(errno),
        }
    }
}

impl<T: ShmPod> fmt::Debug for RegionMutex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RegionMutex").field("owner", &self.raw.mutex().owner()).finish_non_exhaustive()
    }
}

/// A mutex between processes, in its own file or memory. It survives the death of its owner.
///
/// It is a [`ShmRegion`] with one [`RegionMutex`], to which it dereferences. [`RegionMutex`] has
/// [`lock`](RegionMutex::lock) and similar methods. [`ShmRegion`] explains names and paths.
///
/// ```
/// use shm_lock::ShmMutex;
///
/// // In each process:
/// let runs = ShmMutex::open_or_create("doc-runs", || 0_u64)?;
/// *runs.lock().unwrap() += 1;
/// # ShmMutex::<u64>::unlink("doc-runs").unwrap();
/// # Ok::<(), shm_lock::OpenError>(())
/// ```
pub struct ShmMutex<T: ShmPod>(ShmRegion<RegionMutex<T>>);

impl<T: ShmPod> ShmMutex<T> {
    /// Creates a mutex. Fails if a file with that name exists. See [`ShmRegion::create_new`].
    ///
    /// # Errors
    /// [`OpenError::Io`] with [`AlreadyExists`](io::ErrorKind::AlreadyExists), or with another
    /// error of the system; [`OpenError::Unsupported`].
    pub fn create_new(name: impl RegionName, value: T) -> Result<Self, OpenError> {
        ShmRegion::create_new(name, RegionMutex::new(value)).map(ShmMutex)
    }

    /// Opens an existing mutex. See [`ShmRegion::open`].
    ///
    /// # Errors
    /// Every [`OpenError`].
    pub fn open(name: impl RegionName) -> Result<Self, OpenError> {
        ShmRegion::open(name).map(ShmMutex)
    }

    /// Opens a mutex, or creates it with the value of `init` if there is none. See
    /// [`ShmRegion::open_or_create`].
    ///
    /// # Errors
    /// Every [`OpenError`].
    pub fn open_or_create(name: impl RegionName, init: impl FnOnce() -> T) -> Result<Self, OpenError> {
        ShmRegion::open_or_create(name, || RegionMutex::new(init())).map(ShmMutex)
    }

    /// Opens a mutex. If there is none, or one that no process can use any more, creates it with
    /// the value of `init`. See [`ShmRegion::open_or_replace_stale`].
    ///
    /// # Errors
    /// Every [`OpenError`].
    pub fn open_or_replace_stale(name: impl RegionName, init: impl FnOnce() -> T) -> Result<Self, OpenError> {
        ShmRegion::open_or_replace_stale(name, || RegionMutex::new(init())).map(ShmMutex)
    }

    /// Creates a mutex in memory without a path. See [`ShmRegion::memfd`].
    ///
    /// # Errors
    /// [`OpenError::Io`] or [`OpenError::Unsupported`].
    pub fn memfd(name: &str, value: T) -> Result<Self, OpenError> {
        ShmRegion::memfd(name, RegionMutex::new(value)).map(ShmMutex)
    }

    /// Opens the mutex behind a file descriptor. See [`ShmRegion::from_fd`].
    ///
    /// # Errors
    /// Every [`OpenError`].
    #[cfg(all(unix, not(loom)))]
    pub fn from_fd(fd: OwnedFd) -> Result<Self, OpenError> {
        ShmRegion::from_fd(fd).map(ShmMutex)
    }

    /// Returns whether the path with which the mutex was opened still leads to it. See
    /// [`ShmRegion::is_linked`].
    pub fn is_linked(&self) -> bool {
        self.0.is_linked()
    }

    /// Removes a mutex's name. See [`ShmRegion::unlink`].
    ///
    /// # Errors
    /// The error of the operating system.
    pub fn unlink(name: impl RegionName) -> io::Result<()> {
        ShmRegion::<RegionMutex<T>>::unlink(name)
    }

    /// Takes the lock. Blocks until it is free. See [`RegionMutex::lock`].
    ///
    /// # Errors
    /// Every [`LockError`] but `WouldBlock` and `TimedOut`.
    #[inline(always)]
    pub fn lock(&self) -> Result<ShmMutexGuard<'_, T>, LockError<'_, T>> {
        self.0.lock()
    }

    /// Takes the lock if it is free. See [`RegionMutex::try_lock`].
    ///
    /// # Errors
    /// Every [`LockError`] but `TimedOut` and `Deadlock`.
    #[inline(always)]
    pub fn try_lock(&self) -> Result<ShmMutexGuard<'_, T>, LockError<'_, T>> {
        self.0.try_lock()
    }

    /// Takes the lock. Blocks for at most `patience`. See [`RegionMutex::lock_timeout`].
    ///
    /// # Errors
    /// Every [`LockError`] but `WouldBlock`.
    #[inline(always)]
    pub fn lock_timeout(&self, patience: Duration) -> Result<ShmMutexGuard<'_, T>, LockError<'_, T>> {
        self.0.lock_timeout(patience)
    }

    /// Takes the lock. Blocks until `deadline` at most. See [`RegionMutex::lock_deadline`].
    ///
    /// # Errors
    /// Every [`LockError`] but `WouldBlock`.
    #[inline(always)]
    pub fn lock_deadline(&self, deadline: Instant) -> Result<ShmMutexGuard<'_, T>, LockError<'_, T>> {
        self.0.lock_deadline(deadline)
    }
}

impl<T: ShmPod> Deref for ShmMutex<T> {
    type Target = RegionMutex<T>;

    #[inline(always)]
    fn deref(&self) -> &RegionMutex<T> {
        &self.0
    }
}

#[cfg(all(unix, not(loom)))]
impl<T: ShmPod> AsFd for ShmMutex<T> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl<T: ShmPod> fmt::Debug for ShmMutex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ShmMutex").field(&**self).finish()
    }
}
