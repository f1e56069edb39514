//! What the sources are while a loop runs.

pub use super::long_range::LongRangeProducer;
pub use super::parts::{
    ChunksExactMutProducer, ChunksMutProducer, RChunksExactMutProducer, RChunksMutProducer,
};
pub use super::range::RangeProducer;
pub use super::repeat::Clones;
pub use super::slice::SliceMutProducer;
pub use super::vec::VecProducer;
