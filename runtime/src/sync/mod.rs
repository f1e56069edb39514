//! The only place that names synchronisation types: std's in a program, loom's in a model.
//!
//! Protocol files import from `crate::sync` and so can be compiled against either. `std_types.rs` and
//! `loom_types.rs` export the same names; the integration test `tests/loom.rs` compiles the protocol files a second
//! time on top of `loom_types.rs`, and `--cfg loom` with the feature `loom` does the same inside the crate.

#[cfg(not(all(loom, feature = "loom")))]
mod asymmetric;
#[cfg(not(all(loom, feature = "loom")))]
mod std_types;
#[cfg(not(all(loom, feature = "loom")))]
pub(crate) use std_types::*;

#[cfg(all(loom, feature = "loom"))]
mod loom_types;
#[cfg(all(loom, feature = "loom"))]
pub(crate) use loom_types::*;
