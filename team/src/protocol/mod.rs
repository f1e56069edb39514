//! The words that ranks share, with their loom models beside them.
//!
//! A protocol file has no unsafe code and knows nothing of files or mappings: it says which states
//! its words have, who may move them from one to the next, and which ordering carries what.
//! `ORDERINGS.md` names, for every ordering stronger than Relaxed, a model that fails without it.

pub(crate) mod claims;
#[cfg(test)]
mod claims_tests;
