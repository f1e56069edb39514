//! The only place that names synchronisation types: the machine's in a program, loom's in a model.
//!
//! `tests/loom.rs` compiles the protocol files a second time with `loom_types.rs`.

mod fences;
mod std_types;
pub(crate) use std_types::*;
