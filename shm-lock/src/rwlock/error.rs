//! Why a thread did not get the lock, or got it with a value that may be torn.

use std::fmt;

use super::{RwRecoverGuard, ShmWriteGuard};
use crate::error::Unsupported;
use crate::lock_error::{LockFailure, goes_through_question_marks};
use crate::pod::ShmPod;

/// Why [`read`](crate::RegionRwLock::read), [`write`](crate::RegionRwLock::write) and similar
/// methods return no plain guard.
///
/// Two of the variants contain a guard, because the lock *is* taken for writing, even by `read`.
/// Check the value, repair it, and mark it as consistent.
///
/// `?` converts this into a [`LockFailure`], an [`io::Error`](std::io::Error) or a
/// `Box<dyn Error>`. All of them drop the guard.
#[non_exhaustive]
pub enum RwLockError<'a, T: ShmPod> {
    /// A writer was killed, its thread ended, or its process called `exec`, while it held the lock.
    /// Exactly one locker gets this.
    OwnerDied(RwRecoverGuard<'a, T>),
    /// A writer panicked while it held the lock, or did not repair a value that was reported as
    /// torn.
    Poisoned(RwRecoverGuard<'a, T>),
    /// Other threads hold the lock or wait for it. Only from `try_read` and `try_write`.
    WouldBlock,
    /// The time is up. Only from methods with a time limit.
    TimedOut,
    /// This thread already holds the lock, and would wait for itself for ever.
    Deadlock,
    /// The value was [given up](RwRecoverGuard::abandon). Unlink the region and create a new one.
    NotRecoverable,
    /// This thread cannot hold locks that survive it.
    Unsupported(Unsupported),
}

impl<'a, T: ShmPod> RwLockError<'a, T> {
    /// Converts the error into its reason, which has no lifetime.
    ///
    /// This drops the guard, if there is one, and so leaves the value
    /// [`Poisoned`](RwLockError::Poisoned).
    ///
    /// ```
    /// use shm_lock::ShmRwLock;
    ///
    /// fn limit(limit: &ShmRwLock<u64>) -> Result<u64, Box<dyn std::error::Error>> {
    ///     Ok(*limit.read()?)
    /// }
    ///
    /// assert_eq!(limit(&ShmRwLock::memfd("limit", 7)?)?, 7);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn into_reason(self) -> LockFailure {
        self.reason()
    }

    /// If the lock was taken, calls `repair` to make the value consistent, and returns the lock for
    /// writing.
    ///
    /// ```
    /// use shm_lock::{ShmRwLock, ShmWriteGuard};
    ///
    /// let limit = ShmRwLock::memfd("limit", 7_u64)?;
    /// let repaired = limit.read().or_else(|error| {
    ///     error.recover(|limit| *limit = (*limit).min(10)).map(ShmWriteGuard::downgrade)
    /// });
    /// assert_eq!(*repaired?, 7);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// All other reasons.
    ///
    /// # Panics
    /// Panics if `repair` does. The value then stays [`Poisoned`](RwLockError::Poisoned).
    pub fn recover(self, repair: impl FnOnce(&mut T)) -> Result<ShmWriteGuard<'a, T>, LockFailure> {
        match self {
            RwLockError::OwnerDied(mut guard) | RwLockError::Poisoned(mut guard) => {
                repair(&mut guard);
                Ok(guard.mark_consistent())
            }
            other => Err(other.into_reason()),
        }
    }

    fn reason(&self) -> LockFailure {
        match self {
            RwLockError::OwnerDied(_) => LockFailure::OwnerDied,
            RwLockError::Poisoned(_) => LockFailure::Poisoned,
            RwLockError::WouldBlock => LockFailure::WouldBlock,
            RwLockError::TimedOut => LockFailure::TimedOut,
            RwLockError::Deadlock => LockFailure::Deadlock,
            RwLockError::NotRecoverable => LockFailure::NotRecoverable,
            RwLockError::Unsupported(reason) => LockFailure::Unsupported(reason.clone()),
        }
    }

    /// Converts a refusal, which never has a guard.
    pub(super) fn refused(failure: LockFailure) -> Self {
        match failure {
            LockFailure::Deadlock => RwLockError::Deadlock,
            LockFailure::NotRecoverable => RwLockError::NotRecoverable,
            LockFailure::Unsupported(reason) => RwLockError::Unsupported(reason),
            LockFailure::TimedOut
            | LockFailure::WouldBlock
            | LockFailure::OwnerDied
            | LockFailure::Poisoned => RwLockError::TimedOut,
        }
    }

    /// The error of a call that does not wait: a timeout becomes `WouldBlock`.
    pub(super) fn of_try(self) -> Self {
        if let RwLockError::TimedOut = self { RwLockError::WouldBlock } else { self }
    }
}

impl<T: ShmPod> fmt::Debug for RwLockError<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.reason().fmt(f)
    }
}

impl<T: ShmPod> fmt::Display for RwLockError<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.reason(), f)
    }
}

goes_through_question_marks!(RwLockError);
