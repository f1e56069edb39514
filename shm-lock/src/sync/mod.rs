//! The only place that names synchronisation types: those of the machine and the kernel in a
//! program, those of loom in a model.
//!
//! `std_types.rs` and `loom_types.rs` export the same names. `tests/loom.rs` compiles the protocol
//! files a second time with `loom_types.rs`, and `--cfg loom` does the same for the whole crate.

#[cfg(not(loom))]
mod pair;
#[cfg(not(loom))]
mod std_types;
#[cfg(not(loom))]
pub(crate) use pair::{Pair, Seen};
#[cfg(not(loom))]
pub(crate) use std_types::*;

#[cfg(loom)]
mod loom_types;
#[cfg(loom)]
pub(crate) use loom_types::*;
