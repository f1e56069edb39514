//! What the operating system gives: cores and their topology, clocks, forks.

pub(crate) mod affinity;
pub(crate) mod clock;
pub(crate) mod fork;
pub(crate) mod thread_clock;
pub(crate) mod topology;
