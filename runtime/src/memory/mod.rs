//! How much memory this process may use, and how a pool keeps to it.
//!
//! `system` reads what the system tells: limits, what is in use, how long tasks were stalled for
//! want of memory. [`MemoryBudget`] is a share of what is left. `guard` holds workers back when
//! memory is short; `governor` decides how many may be at work.

mod budget;
mod governor;
mod guard;
mod system;

#[cfg(test)]
mod tests;

pub use self::budget::{MemoryBudget, MemoryUnknown};
pub use self::guard::MemoryGuard;

pub(crate) use self::guard::Guard;
