//! Sources: where items come from.

mod chunk_by;
mod collection;
mod drain;
mod grow;
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
mod split_slice_mut;
pub(crate) mod text;
pub(crate) mod text_matches;
mod tree;
mod tuple;
mod vec;

pub use chunk_by::ChunkBy;
pub use drain::VecDrain;
pub use parallel_slice::{ParallelSlice, ParallelSliceMut};
pub use parts::{
    ArrayWindows, Chunks as SliceChunks, ChunksExact as SliceChunksExact, ChunksExactMut, ChunksMut, RChunks,
    RChunksExact, RChunksExactMut, RChunksMut, Windows,
};
pub use range::RangeIter;
pub use repeat::{Empty, Once, Repeat, RepeatN, empty, once, repeat, repeat_n};
pub use slice::{SliceIter, SliceIterMut};
pub use split::Split;
pub use split_slice::{SplitInclusiveSlice, SplitSlice};
pub use split_slice_mut::{ChunkByMut, SplitInclusiveMut, SplitMut};
pub use text::{ParallelString, Pattern};
pub use tree::{
    SplitData, WalkTree, WalkTreePostfix, WalkTreePrefix, split, walk_tree, walk_tree_postfix,
    walk_tree_prefix,
};
pub use tuple::MultiZip;
pub(crate) use vec::Drain;
pub use vec::VecIter;
