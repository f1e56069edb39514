//! Where items come from.

mod collection;
mod long_range;
mod parallel_slice;
mod parts;
pub(crate) mod producers;
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
