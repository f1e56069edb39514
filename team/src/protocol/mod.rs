//! The words that ranks share, with their loom models beside them.
//!
//! A protocol file has no unsafe code and knows nothing about files or mappings. It says which
//! states its words have, who may change them, and what each ordering publishes. For each ordering
//! stronger than Relaxed, `ORDERINGS.md` names a model that fails without it.

pub(crate) mod claims;
#[cfg(test)]
mod claims_tests;
