//! Where items come from.

mod range;
mod slice;
mod vec;

pub use range::{RangeIter, RangeProducer};
pub use slice::{SliceIter, SliceIterMut, SliceMutProducer};
pub use vec::{VecIter, VecProducer};
