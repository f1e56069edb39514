//! Why a thread was not let in, or was let in to a value that may be torn.

use std::fmt;

use super::{RwRecoverGuard, ShmWriteGuard};
use crate::error::Unsupported;
use crate::lock_error::{LockFailure, goes_through_question_marks};
use crate::pod::ShmPod;

/// Why [`read`](crate::RegionRwLock::read), [`write`](crate::RegionRwLock::write) and their
/// relatives return no plain guard.
///
/// Two of the reasons come with a guard, since the lock *is* taken, as a writer takes it, also by
/// `read`: look at the value, repair it, and say so.
///
/// `?` makes a [`LockFailure`] of it, an [`io::Error`](std::io::Error), or a `Box<dyn Error>`.
#[non_exhaustive]
pub enum RwLockError<'a, T: ShmPod> {
    /// A writer was killed, or its thread ended, or its process called `exec`, while it was in.
    /// Exactly one is told.
    OwnerDied(RwRecoverGuard<'a, T>),
    /// A writer panicked while it was in, or did not repair a value that it was told was torn.
    Poisoned(RwRecoverGuard<'a, T>),
    /// Others are in or wait. Only from `try_read` and `try_write`.
    WouldBlock,
    /// The time is up. Only from methods that take one.
    TimedOut,
    /// This thread is in already and would wait for itself for ever.
    Deadlock,
    /// The value was [given up](RwRecoverGuard::abandon). Unlink the region and make a new one.
    NotRecoverable,
    /// This thread cannot hold locks that survive it.
    Unsupported(Unsupported),
}

impl<'a, T: ShmPod> RwLockError<'a, T> {
    /// The reason without the guard, if there is one: to be kept or passed on, for which a guard
    /// lives too short.
    ///
    /// Dropping the guard leaves the value [`Poisoned`](RwLockError::Poisoned).
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

    /// The lock, as a writer has it, with a value that `repair` has made whole, if it was taken at
    /// all.
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
    /// What else the attempt said.
    ///
    /// # Panics
    /// If `repair` does. The value stays [`Poisoned`](RwLockError::Poisoned) then.
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

    /// Without a guard. No refusal comes with one.
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

    /// What one is told that waits for no time because it said so.
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
