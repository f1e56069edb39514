//! What parallel iterators are while a loop runs: producers, the sequential iterators that they
//! make of chunks, and what adapters do to these.
//!
//! Nobody has to name these types. They are here because the associated types of public traits are
//! public.

pub use super::adapter::producers::*;
pub use super::bridge::{BridgeProducer, Pulled};
pub use super::source::producers::*;
