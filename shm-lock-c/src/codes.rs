//! What functions return, as `shm_lock.h` names it.

use std::ffi::c_int;

use shm_lock::{LockFailure, OpenError};

pub(crate) const OK: c_int = 0;
pub(crate) const OWNER_DIED: c_int = 1;
pub(crate) const POISONED: c_int = 2;
pub(crate) const WOULD_BLOCK: c_int = -1;
pub(crate) const TIMED_OUT: c_int = -2;
pub(crate) const DEADLOCK: c_int = -3;
pub(crate) const NOT_RECOVERABLE: c_int = -4;
pub(crate) const NOT_HELD: c_int = -5;
pub(crate) const UNSUPPORTED: c_int = -6;
pub(crate) const INVALID: c_int = -7;
pub(crate) const IO: c_int = -8;
pub(crate) const DAMAGED: c_int = -9;
pub(crate) const MISMATCH: c_int = -10;
pub(crate) const STALE: c_int = -11;
pub(crate) const UNTRUSTED: c_int = -12;
pub(crate) const OTHER_PID_NAMESPACE: c_int = -13;

pub(crate) fn of_open(error: &OpenError) -> c_int {
    match error {
        OpenError::Io { .. } => IO,
        OpenError::Damaged { .. } => DAMAGED,
        OpenError::Mismatch { .. } => MISMATCH,
        OpenError::Stale { .. } => STALE,
        OpenError::Untrusted { .. } => UNTRUSTED,
        OpenError::OtherPidNamespace { .. } => OTHER_PID_NAMESPACE,
        _ => UNSUPPORTED,
    }
}

pub(crate) fn of_lock(failure: &LockFailure) -> c_int {
    match failure {
        LockFailure::OwnerDied => OWNER_DIED,
        LockFailure::Poisoned => POISONED,
        LockFailure::WouldBlock => WOULD_BLOCK,
        LockFailure::TimedOut => TIMED_OUT,
        LockFailure::Deadlock => DEADLOCK,
        LockFailure::NotRecoverable => NOT_RECOVERABLE,
        _ => UNSUPPORTED,
    }
}
