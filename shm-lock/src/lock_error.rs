//! Why a lock was not taken, or was taken with a value that may be torn.

use std::error::Error;
use std::fmt;
use std::io;

use crate::error::Unsupported;
use crate::guard::{RecoverGuard, ShmMutexGuard};
use crate::pod::ShmPod;
use crate::protocol::mutex::Refused;

/// Why [`lock`](crate::ShmMutex::lock) and similar methods return no plain guard.
///
/// Two of the variants contain a guard, because the lock *is* taken. Check the value, repair it,
/// and mark it as consistent.
///
/// `?` converts this into a [`LockFailure`], an [`io::Error`] or a `Box<dyn Error>`. All of them
/// drop the guard. This type does not implement [`Error`], because it borrows the lock.
///
/// ```
/// use shm_lock::{LockError, ShmMutex, ShmMutexGuard};
///
/// /// Locks whatever happened to the last owner: a count may be one behind, which is acceptable.
/// fn lock(count: &ShmMutex<u64>) -> ShmMutexGuard<'_, u64> {
///     match count.lock() {
///         Ok(guard) => guard,
///         Err(LockError::OwnerDied(guard) | LockError::Poisoned(guard)) => guard.mark_consistent(),
///         Err(error) => panic!("{error}"),
///     }
/// }
///
/// let count = ShmMutex::memfd("count", 0)?;
/// *lock(&count) += 1;
/// # Ok::<(), shm_lock::OpenError>(())
/// ```
#[non_exhaustive]
pub enum LockError<'a, T: ShmPod> {
    /// The last owner was killed, its thread ended, or its process called `exec`, while it held the
    /// lock. Exactly one locker gets this.
    OwnerDied(RecoverGuard<'a, T>),
    /// An owner panicked while it held the lock, or did not repair a value that was reported as
    /// torn.
    Poisoned(RecoverGuard<'a, T>),
    /// Another thread holds the lock. Only from `try_lock`.
    WouldBlock,
    /// The time is up, and another thread still holds the lock. Only from `lock_timeout` and
    /// `lock_deadline`.
    TimedOut,
    /// This thread already holds the lock, and would wait for itself for ever.
    Deadlock,
    /// The value was [given up](RecoverGuard::abandon). Unlink the region and create a new one.
    NotRecoverable,
    /// This thread cannot hold locks that survive it.
    Unsupported(Unsupported),
}

impl<'a, T: ShmPod> LockError<'a, T> {
    /// Converts the error into its reason, which has no lifetime.
    ///
    /// This drops the guard, if there is one, and so leaves the value
    /// [`Poisoned`](LockError::Poisoned). `?` does the same.
    ///
    /// ```
    /// use shm_lock::ShmMutex;
    ///
    /// fn next(ids: &ShmMutex<u64>) -> Result<u64, Box<dyn std::error::Error>> {
    ///     let mut id = ids.lock()?;
    ///     *id += 1;
    ///     Ok(*id)
    /// }
    ///
    /// let ids = ShmMutex::memfd("ids", 0)?;
    /// assert_eq!(next(&ids)?, 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn into_reason(self) -> LockFailure {
        match self {
            LockError::OwnerDied(_) => LockFailure::OwnerDied,
            LockError::Poisoned(_) => LockFailure::Poisoned,
            LockError::WouldBlock => LockFailure::WouldBlock,
            LockError::TimedOut => LockFailure::TimedOut,
            LockError::Deadlock => LockFailure::Deadlock,
            LockError::NotRecoverable => LockFailure::NotRecoverable,
            LockError::Unsupported(reason) => LockFailure::Unsupported(reason),
        }
    }

    /// If the lock was taken, calls `repair` to make the value consistent, and returns the lock.
    ///
    /// Use it with any method that takes a lock, such as [`try_lock`](crate::RegionMutex::try_lock)
    /// and the waits of a [`ShmCondvar`](crate::ShmCondvar).
    ///
    /// ```
    /// use shm_lock::ShmMutex;
    ///
    /// let count = ShmMutex::memfd("count", 3_u64)?;
    /// // A count may be one behind, which is acceptable.
    /// *count.try_lock().or_else(|error| error.recover(|_| ()))? += 1;
    /// assert_eq!(count.with(|count| *count)?, 4);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// All other reasons.
    ///
    /// # Panics
    /// Panics if `repair` does. The value then stays [`Poisoned`](LockError::Poisoned).
    pub fn recover(self, repair: impl FnOnce(&mut T)) -> Result<ShmMutexGuard<'a, T>, LockFailure> {
        match self {
            LockError::OwnerDied(mut guard) | LockError::Poisoned(mut guard) => {
                repair(&mut guard);
                Ok(guard.mark_consistent())
            }
            other => Err(other.into_reason()),
        }
    }

    fn reason(&self) -> LockFailure {
        match self {
            LockError::OwnerDied(_) => LockFailure::OwnerDied,
            LockError::Poisoned(_) => LockFailure::Poisoned,
            LockError::WouldBlock => LockFailure::WouldBlock,
            LockError::TimedOut => LockFailure::TimedOut,
            LockError::Deadlock => LockFailure::Deadlock,
            LockError::NotRecoverable => LockFailure::NotRecoverable,
            LockError::Unsupported(reason) => LockFailure::Unsupported(reason.clone()),
        }
    }
}

impl<T: ShmPod> fmt::Debug for LockError<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.reason().fmt(f)
    }
}

impl<T: ShmPod> fmt::Display for LockError<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.reason(), f)
    }
}

/// Conversions that `?` needs, for an error that has a guard.
macro_rules! goes_through_question_marks {
    ($($error:ident),+) => {$(
        /// Drops the guard.
        impl<T: $crate::pod::ShmPod> From<$error<'_, T>> for $crate::lock_error::LockFailure {
            fn from(error: $error<'_, T>) -> Self {
                error.into_reason()
            }
        }

        /// Drops the guard.
        impl<T: $crate::pod::ShmPod> From<$error<'_, T>> for std::io::Error {
            fn from(error: $error<'_, T>) -> Self {
                error.into_reason().into()
            }
        }

        /// Drops the guard.
        impl<T: $crate::pod::ShmPod> From<$error<'_, T>> for Box<dyn std::error::Error> {
            fn from(error: $error<'_, T>) -> Self {
                error.into_reason().into()
            }
        }

        /// Drops the guard.
        impl<T: $crate::pod::ShmPod> From<$error<'_, T>> for Box<dyn std::error::Error + Send + Sync> {
            fn from(error: $error<'_, T>) -> Self {
                error.into_reason().into()
            }
        }
    )+};
}

pub(crate) use goes_through_question_marks;

goes_through_question_marks!(LockError);

/// A [`LockError`] without its guard: see [`LockError::into_reason`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LockFailure {
    /// See [`LockError::OwnerDied`].
    OwnerDied,
    /// See [`LockError::Poisoned`].
    Poisoned,
    /// See [`LockError::WouldBlock`].
    WouldBlock,
    /// See [`LockError::TimedOut`].
    TimedOut,
    /// See [`LockError::Deadlock`].
    Deadlock,
    /// See [`LockError::NotRecoverable`].
    NotRecoverable,
    /// See [`LockError::Unsupported`].
    Unsupported(Unsupported),
}

impl fmt::Display for LockFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            LockFailure::OwnerDied => {
                "expected a whole value, found that the last owner of the lock died with it in hand; \
                 check and repair it, then call mark_consistent"
            }
            LockFailure::Poisoned => {
                "expected a whole value, found one that its last owner gave back torn; \
                 check and repair it, then call mark_consistent"
            }
            LockFailure::WouldBlock => {
                "expected a free lock, found that another thread has it; try again or wait with lock"
            }
            LockFailure::TimedOut => {
                "expected the lock in time, found that another thread has it; try again or wait longer"
            }
            LockFailure::Deadlock => {
                "expected a lock of another thread or none, found that this thread has it already; \
                 drop its guard first"
            }
            LockFailure::NotRecoverable => {
                "expected a value, found that it was given up; unlink the region and create a new one"
            }
            LockFailure::Unsupported(reason) => return reason.fmt(f),
        })
    }
}

impl Error for LockFailure {}

/// With the matching kind, if there is one.
impl From<LockFailure> for io::Error {
    fn from(failure: LockFailure) -> Self {
        let kind = match failure {
            LockFailure::WouldBlock => io::ErrorKind::WouldBlock,
            LockFailure::TimedOut => io::ErrorKind::TimedOut,
            LockFailure::Deadlock => io::ErrorKind::Deadlock,
            LockFailure::Unsupported(_) => io::ErrorKind::Unsupported,
            LockFailure::OwnerDied | LockFailure::Poisoned | LockFailure::NotRecoverable => {
                io::ErrorKind::Other
            }
        };
        io::Error::new(kind, failure)
    }
}

impl From<Refused> for LockFailure {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::TimedOut => LockFailure::TimedOut,
            Refused::Deadlock => LockFailure::Deadlock,
            Refused::Lost => LockFailure::NotRecoverable,
            Refused::Unplaced => LockFailure::Unsupported(Unsupported::NotInRegion),
            Refused::CannotWait(errno) => {
                LockFailure::Unsupported(Unsupported::SystemCall { call: "futex", errno })
            }
        }
    }
}
