//! Locks in shared memory, between processes, that survive the death of their owner.
//!
//! **This version holds no lock yet.** It fixes the errors that opening a lock can report, so that what a caller has
//! to handle is settled before the rest. Do not depend on it for anything else.

mod error;

pub use error::{OpenError, Unsupported};
