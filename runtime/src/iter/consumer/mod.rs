//! Consumers: each chunk is folded into the result of a partial, and the results of all partials,
//! in order, make the result of the loop.

mod blocks;
mod collect;
mod count;
mod for_each;
mod product;
mod push;
mod reduce;
mod search;
mod sum;
mod try_for_each;

pub(crate) use blocks::{drive_in_order, drive_in_order_at};
pub(crate) use collect::{Append, CollectBounded, CollectExact, CollectPartials, ExtendPartials, UnzipExact};
pub(crate) use count::Count;
pub(crate) use for_each::ForEach;
pub(crate) use product::product;
pub(crate) use push::Push;
pub(crate) use reduce::{best, reduce, reduce_with, try_reduce, try_reduce_with};
pub(crate) use search::{FindAny, FindFirst, FindLast};
pub(crate) use sum::sum;
pub(crate) use try_for_each::{try_for_each, unless_cancelled};
