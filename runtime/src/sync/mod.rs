//! The only place that names synchronisation types: std's in a program, loom's in a model.
//!
//! Protocol files import from `crate::sync` and so can be compiled against either. `std_types.rs`
//! and `loom_types.rs` export the same names; the integration test `tests/loom.rs` compiles the
//! protocol files a second time on top of `loom_types.rs`. (In a user's model there are no
//! protocols at work: see `sched/modelled.rs`.)

mod asymmetric;
mod per_thread;
mod std_types;

pub(crate) use per_thread::{PerThread, per_thread};
pub(crate) use std_types::*;

#[cfg(all(loom, feature = "loom"))]
pub(crate) type ModelledBool = loom::sync::atomic::AtomicBool;

/// Whether the calling thread is in a user's model.
#[cfg(all(loom, feature = "loom"))]
pub(crate) fn is_modelled() -> bool {
    generator::is_generator()
}
