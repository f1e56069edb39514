//! The types of sources while a loop runs.

pub use super::chunk_by::Runs;
pub use super::drain::{Drained, Memory};
pub use super::grow::{Entry, Grow, Grown, GrownProducer, Walk};
pub use super::long_range::LongRangeProducer;
pub use super::parts::{
    ChunksExactMutProducer, ChunksMutProducer, RChunksExactMutProducer, RChunksMutProducer,
};
pub use super::range::RangeProducer;
pub use super::repeat::Clones;
pub use super::slice::SliceMutProducer;
pub use super::split_slice_mut::{FindCuts, SplitSliceMut, SplitSliceMutProducer};
pub use super::tree::{Halve, Postfix, Prefix};
pub use super::vec::VecProducer;
