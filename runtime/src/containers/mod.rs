//! Containers that grow while other threads read them.

pub(crate) mod partials;
pub(crate) mod table;
#[cfg(test)]
mod table_tests;
