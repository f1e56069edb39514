//! The types of adapters while a loop runs.

pub use super::behind::{Behind, State};
pub use super::chain::{ChainIter, ChainProducer};
pub use super::chunks::{ChunksProducer, Grouped};
pub use super::filter::{FilterMapOp, FilterOp, Places, PositionsOp};
pub use super::flat_map::{FlatMapIterOp, FlatMapProducer, FlattenIterOp, Inner};
pub use super::fold::{FoldProducer, TryFoldProducer};
pub use super::fold_chunks::{FoldChunksOp, FoldedChunks};
pub use super::identity::{Cloner, FoldOps, Identity};
pub use super::in_blocks::{Block, BlocksProducer};
pub use super::interleave::{InterleaveProducer, Interleaved};
pub use super::intersperse::{IntersperseProducer, Interspersed};
pub use super::map::{ClonedOp, CopiedOp, InspectOp, MapOp, UpdateOp, Updated};
pub use super::map_init::{MapInitOp, WithState};
pub use super::progress::{Counted, ProgressOp};
pub use super::skip_take_rev::{RevProducer, Subrange};
pub use super::step_by::StepByProducer;
pub use super::until::{
    SkipAnyOp, SkipAnyWhileOp, SkipCounted, SkipWhileFlag, TakeAnyOp, TakeAnyWhileOp, TakeCounted,
    TakeWhileFlag, While, WhileOp,
};
pub use super::zip::ZipProducer;
