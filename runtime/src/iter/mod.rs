//! Parallel iterators.
//!
//! The traits have rayon's names and meanings: a program written for rayon's compiles for these, as
//! far as they go. How they differ inside: an iterator is turned into a [`Producer`], which makes a
//! sequential iterator of any run of indices, and the loop decides, chunk by chunk and by
//! measurement, how long those runs are.
//!
//! How a type of one's own becomes a parallel iterator is [a chapter of the
//! guide](crate::guide::own_types), beside rayon's `plumbing`.
//!
//! # Folder
//!
//! The folder holds the traits and, each in a folder: where items come from (`source`), what
//! happens to them on the way (`adapter`), and what becomes of them (`consumer`).

pub(crate) mod adapter;
mod bridge;
mod collect;
pub(crate) mod consumer;
mod convert;
mod indexed;
pub(crate) mod modules;
mod parallel;
pub mod producers;
pub(crate) mod sort;
pub(crate) mod source;
mod try_op;

/// The member [`opt_len`](ParallelIterator::opt_len) of iterators that always know it.
macro_rules! known_len {
    () => {
        fn opt_len(&self) -> Option<usize> {
            Some($crate::iter::IndexedParallelIterator::len(self))
        }
    };
}
pub(crate) use known_len;

pub use crate::engine::options::{Chunk, Options};
pub use crate::engine::producer::{IndexedProducer, Producer};
pub use adapter::*;
pub use bridge::{IterBridge, ParallelBridge};
pub use collect::{FromParallelIterator, ParallelExtend};
pub use convert::{
    IntoParallelIterator, IntoParallelRefIterator, IntoParallelRefMutIterator, ParallelDrainFull,
    ParallelDrainRange,
};
pub use either::Either;
pub use indexed::IndexedParallelIterator;
pub use parallel::ParallelIterator;
pub use source::*;
pub use try_op::Try;
