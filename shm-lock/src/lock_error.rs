//! Why a lock was not taken, or was taken with a value that may be torn.

use std::error::Error;
use std::fmt;

use crate::error::Unsupported;
use crate::guard::RecoverGuard;
use crate::pod::ShmPod;
use crate::protocol::mutex::Refused;

/// Why [`lock`](crate::ShmMutex::lock) and its relatives return no plain guard.
///
/// Two of the reasons come with a guard, since the lock *is* taken: look at the value, repair it,
/// and say so.
///
/// ```
/// use shm_lock::{LockError, ShmMutex, ShmMutexGuard};
///
/// /// The lock, whatever happened to its last owner: a count is right or one behind, and both will do.
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
    /// The last owner was killed, or its thread ended, or its process called `exec`, while it had
    /// the lock. Exactly one locker is told.
    OwnerDied(RecoverGuard<'a, T>),
    /// An owner panicked while it had the lock, or did not repair a value that it was told was
    /// torn.
    Poisoned(RecoverGuard<'a, T>),
    /// Another thread has the lock. Only from `try_lock`.
    WouldBlock,
    /// The time is up and another thread still has the lock. Only from `lock_timeout` and
    /// `lock_deadline`.
    TimedOut,
    /// This thread has the lock already and would wait for itself for ever.
    Deadlock,
    /// The value was [given up](RecoverGuard::abandon). Unlink the region and make a new one.
    NotRecoverable,
    /// This thread cannot hold locks that survive it.
    Unsupported(Unsupported),
}

impl<T: ShmPod> LockError<'_, T> {
    /// The reason without the guard, if there is one: to be kept or passed on, for which a guard
    /// lives too short.
    ///
    /// Dropping the guard leaves the value [`Poisoned`](LockError::Poisoned).
    ///
    /// ```
    /// use shm_lock::ShmMutex;
    ///
    /// fn next(ids: &ShmMutex<u64>) -> Result<u64, Box<dyn std::error::Error>> {
    ///     let mut id = ids.lock().map_err(|error| error.into_reason())?;
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

impl<T: ShmPod> Error for LockError<'_, T> {}

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
                "expected a value, found that it was given up; unlink the region and make a new one"
            }
            LockFailure::Unsupported(reason) => return reason.fmt(f),
        })
    }
}

impl Error for LockFailure {}

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
