//! Decides how much work is taken at a time, and when it is shared: the estimates of call sites,
//! and all other decisions from measured times.

pub(crate) mod batch;
pub(crate) mod look;
pub(crate) mod pace;
#[cfg(test)]
mod pace_tests;
pub(crate) mod site;
pub(crate) mod steal_delay;
pub(crate) mod times;
