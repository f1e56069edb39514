//! The rows of the members that rayon has, too: compiled for taskel, and for rayon where the feature
//! says so.

mod adapters;
mod collections;
mod consumers;
mod forks;
mod indexed;
mod slices;
mod sources;
mod texts;

use super::items::{Items, LEN};
use super::library;
use super::row::Row;
use library::prelude::*;

/// All of them.
pub(crate) fn all() -> impl Iterator<Item = &'static Row> {
    let parts = [
        sources::ROWS,
        adapters::ROWS,
        indexed::ROWS,
        consumers::ROWS,
        consumers::OPERATORS,
        collections::ROWS,
        slices::ROWS,
        texts::ROWS,
        forks::ROWS,
    ];
    parts.into_iter().flatten()
}

/// Items that have not run yet.
fn asleep() -> impl IndexedParallelIterator<Item = usize> + Clone {
    (0..LEN).into_par_iter()
}

/// Items as they run.
fn awake(items: &Items) -> impl IndexedParallelIterator<Item = usize> {
    asleep().map(|item| items.ran(item))
}

/// Where a result is of no interest.
fn ignore<T>(_: T) {}
