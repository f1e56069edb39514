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

pub use long_range::LongRangeProducer;
pub use parallel_slice::{ParallelSlice, ParallelSliceMut};
pub use parts::{
    Chunks as SliceChunks, ChunksExact as SliceChunksExact, ChunksExactMut, ChunksExactMutProducer,
    ChunksMut, ChunksMutProducer, RChunks, RChunksExact, RChunksExactMut, RChunksExactMutProducer,
    RChunksMut, RChunksMutProducer, Windows,
};
pub use range::{RangeIter, RangeProducer};
pub use repeat::{Clones, Repeat, empty, once, repeat, repeat_n};
pub use slice::{SliceIter, SliceIterMut, SliceMutProducer};
pub use split::{Cut, Split};
pub use split_slice::{SplitInclusiveSlice, SplitSlice};
pub use text::{ParallelString, Pattern};
pub use tuple::{Flat, MultiZip};
pub use vec::{VecIter, VecProducer};
