//! The types of parallel iterators while a loop runs: producers, the sequential iterators that they
//! make of chunks, and what adapters make of these.
//!
//! You need not name these types. They are public because the associated types of public traits are
//! public.

pub use super::adapter::producers::*;
pub use super::bridge::{BridgeProducer, Pulled};
pub use super::source::producers::*;
