//! The only place that names synchronisation types: std's in a program, loom's in a model.
//!
//! Protocol files import from `crate::sync` and so can be compiled against either. `std_types.rs` and
//! `loom_types.rs` export the same names; the integration test `tests/loom.rs` compiles the protocol files a second
//! time on top of `loom_types.rs`. (In a user's model there are no protocols at work: see `sched/modelled.rs`.)

mod asymmetric;
mod per_thread;
mod std_types;

pub(crate) use per_thread::{PerThread, per_thread};
pub(crate) use std_types::*;

/// Calls `op`, code of the user's, under a lock.
pub(crate) fn with_lock<T, R>(mutex: &Mutex<T>, op: impl FnOnce(&T) -> R) -> R {
    #[cfg(all(loom, feature = "loom"))]
    if crate::sched::modelled::is_active() {
        return crate::sched::modelled::with_lock(mutex, op);
    }
    op(&mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
}

#[cfg(all(loom, feature = "loom"))]
pub(crate) type ModelledBool = loom::sync::atomic::AtomicBool;
