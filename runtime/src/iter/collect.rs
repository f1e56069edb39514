//! Collections that can be made of a parallel iterator.

use super::consumer::{CollectExact, CollectSegments};
use super::producer::Producer;
use super::{IntoParallelIterator, ParallelIterator};
use crate::drive::drive;

/// What [`collect`](ParallelIterator::collect) can make.
pub trait FromParallelIterator<T: Send> {
    /// Makes the collection, in the order of the items.
    fn from_par_iter<I: IntoParallelIterator<Item = T>>(items: I) -> Self;
}

impl<T: Send> FromParallelIterator<T> for Vec<T> {
    /// Where the number of items is known, each is written to its place at once; elsewhere each lane collects what it
    /// processes, and the pieces are put together at the end.
    fn from_par_iter<I: IntoParallelIterator<Item = T>>(items: I) -> Self {
        let producer = items.into_par_iter().into_producer();
        if producer.is_exact() {
            drive(&producer, CollectExact::new(producer.len()))
        } else {
            drive(&producer, CollectSegments)
        }
    }
}
