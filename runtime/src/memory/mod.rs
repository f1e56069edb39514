//! How much memory this process may use, and how a pool stays within it.
//!
//! `system` reads limits, the memory in use, and how long tasks were stalled for lack of memory.
//! [`MemoryBudget`] is a share of what is left. `guard` holds workers back when memory is short.
//! `governor` decides how many workers may run.

mod budget;
mod governor;
mod guard;
mod system;

#[cfg(test)]
mod tests;

pub use self::budget::{MemoryBudget, MemoryUnknown};
pub use self::guard::MemoryGuard;

pub(crate) use self::guard::Guard;
