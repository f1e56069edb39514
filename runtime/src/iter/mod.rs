//! Parallel iterators.
//!
//! The traits have rayon's names and meanings. Most programs written for rayon's traits compile
//! with these. Inside, they differ: an iterator becomes a [`Producer`], which makes a sequential
//! iterator for any run of indices. The loop measures items, and decides chunk by chunk how long
//! these runs are.
//!
//! [A chapter of the guide](crate::guide::own_types) shows how to make a parallel iterator of your
//! own type, compared with rayon's `plumbing`.
//!
//! # Folder
//!
//! The folder holds the traits. Its subfolders hold the sources of items (`source`), the adapters
//! (`adapter`), and the consuming methods (`consumer`).

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
