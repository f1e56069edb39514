//! What a program did in parallel and how long each part of it took, as a tree that can be replayed
//! on other numbers of workers.

#[cfg(feature = "record")]
mod file;
#[cfg(feature = "simulate")]
mod measure;
#[cfg(feature = "simulate")]
mod tree;

#[cfg(feature = "simulate")]
pub(crate) use self::measure::{Longest, Measures, Path};
#[cfg(feature = "simulate")]
pub use self::tree::{Call, Part, Recording, RecordingError};

/// How the parts of a `Call` relate to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CallKind {
    /// The whole program, with one part: the recorded thread.
    Program,
    /// A parallel loop. Its parts are runs of neighbouring items.
    Loop,
    /// The two closures of a join.
    Join,
    /// A scope, with one part. It ends when this part and all its tasks end.
    Scope,
    /// A task, with one part. It runs in parallel with the rest of its spawner.
    Task,
    /// Several threads from outside the pool, at the same time.
    Beside,
}

/// How long items waited for something other than a processor, in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Waited {
    /// The total time of items with known processor time.
    pub of_ns: u64,
    /// The part of it without a processor.
    pub ns: u64,
    /// The part of `ns` in which other threads had the processor, as far as the system reports it.
    pub preempted_ns: u64,
}

impl Waited {
    /// Creates the waiting time: of `of_ns`, `ns` were without a processor.
    #[must_use]
    pub fn new(of_ns: u64, ns: u64, preempted_ns: u64) -> Self {
        Waited { of_ns, ns, preempted_ns }
    }
}
