//! Locks that are held while user code runs.

use crate::sync::Mutex;

/// Calls `op`, code of the user's, under a lock.
pub(crate) fn with_lock<T, R>(mutex: &Mutex<T>, op: impl FnOnce(&T) -> R) -> R {
    #[cfg(all(loom, feature = "loom"))]
    if crate::sync::is_modelled() {
        return super::modelled::with_lock(mutex, op);
    }
    op(&mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
}
