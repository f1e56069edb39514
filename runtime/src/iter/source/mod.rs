//! Where items come from.

mod collection;
mod long_range;
mod parallel_slice;
mod parts;
mod range;
mod repeat;
mod separators;
mod slice;
mod split;
mod split_slice;
mod text;
mod tuple;
mod vec;

pub use parallel_slice::{ParallelSlice, ParallelSliceMut};
pub use parts::{
    Chunks as SliceChunks, ChunksExact as SliceChunksExact, ChunksExactMut, ChunksMut, RChunks, RChunksExact,
    RChunksExactMut, RChunksMut, Windows,
};
pub use range::RangeIter;
pub use repeat::{Repeat, empty, once, repeat, repeat_n};
pub use slice::{SliceIter, SliceIterMut};
pub use split::Split;
pub use split_slice::{SplitInclusiveSlice, SplitSlice};
pub use text::{ParallelString, Pattern};
pub use tuple::MultiZip;
pub use vec::VecIter;

/// What the sources are while a loop runs.
pub(crate) mod producers {
    pub use super::long_range::LongRangeProducer;
    pub use super::parts::{
        ChunksExactMutProducer, ChunksMutProducer, RChunksExactMutProducer, RChunksMutProducer,
    };
    pub use super::range::RangeProducer;
    pub use super::repeat::Clones;
    pub use super::slice::SliceMutProducer;
    pub use super::vec::VecProducer;
}
