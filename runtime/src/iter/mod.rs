//! Parallel iterators.
//!
//! The traits have rayon's names and meanings: a program written for rayon's compiles for these, as
//! far as they go. How they differ inside: an iterator is turned into a [`Producer`], which makes a
//! sequential iterator of any run of indices, and the loop decides, chunk by chunk and by
//! measurement, how long those runs are.
//!
//! # Own types, beside rayon's `plumbing`
//!
//! Who has implemented rayon's traits for a type of their own writes less here: nothing is split,
//! since loops ask for runs of indices, and there is one trait for all ends of pipelines.
//!
//! | rayon | here |
//! |---|---|
//! | `drive_unindexed`, `drive`, `with_producer` | [`into_producer`](ParallelIterator::into_producer), of a type that wraps others the [producer of these](ParallelIterator#implementing-it) |
//! | `Producer`: `split_at`, then `into_iter` | [`IndexedProducer::indexed_chunk`]: the items of these indices, from either end |
//! | `UnindexedProducer`: `split`, then `fold_with` | [`Producer::chunk`]: what begins at these indices, any number of items; or [`split`], or [`walk_tree`] |
//! | `opt_len` | [`Producer::is_exact`] |
//! | `Consumer`, `Folder`, `Reducer` of an adapter | [`Adapt`], which wraps a sequential iterator |
//! | the same of a collection | [`FromParallelIterator`], [`ParallelExtend`], with [`fold`](ParallelIterator::fold) and [`reduce`](ParallelIterator::reduce) |
//!
//! This one is indexed, and can so be zipped, enumerated, turned around and collected without a
//! detour:
//!
//! ```
//! use std::ops::Range;
//!
//! use taskel::iter::{IndexedProducer, Producer};
//! use taskel::prelude::*;
//!
//! /// The columns of a table that is stored row by row.
//! #[derive(Clone)]
//! struct Columns<'data> {
//!     cells: &'data [f64],
//!     width: usize,
//! }
//!
//! struct Column<'data>(&'data [f64], usize);
//!
//! impl Column<'_> {
//!     fn sum(self) -> f64 {
//!         self.0.iter().step_by(self.1).sum()
//!     }
//! }
//!
//! impl<'data> ParallelIterator for Columns<'data> {
//!     type Item = Column<'data>;
//!     type Producer = Self;
//!
//!     fn into_producer(self) -> Self {
//!         self
//!     }
//! }
//!
//! impl IndexedParallelIterator for Columns<'_> {
//!     fn len(&self) -> usize {
//!         self.width
//!     }
//! }
//!
//! impl<'data> Producer for Columns<'data> {
//!     type Item = Column<'data>;
//!     type Local = (); // a lane keeps nothing from one run of indices to the next
//!     type Iter<'a> = OfIndices<'data, 'a> where Self: 'a;
//!
//!     fn len(&self) -> usize {
//!         self.width
//!     }
//!     fn is_exact(&self) -> bool {
//!         true
//!     }
//!     fn local(&self) {}
//!     unsafe fn chunk<'a>(&'a self, local: &'a mut (), indices: Range<usize>) -> Self::Iter<'a> {
//!         // SAFETY: the same demands. (Nothing here relies on them.)
//!         unsafe { self.indexed_chunk(local, indices) }
//!     }
//! }
//!
//! impl<'data> IndexedProducer for Columns<'data> {
//!     type IndexedIter<'a> = OfIndices<'data, 'a> where Self: 'a;
//!
//!     unsafe fn indexed_chunk<'a>(&'a self, _: &'a mut (), indices: Range<usize>) -> Self::IndexedIter<'a> {
//!         OfIndices { columns: self, indices }
//!     }
//! }
//!
//! struct OfIndices<'data, 'a> {
//!     columns: &'a Columns<'data>,
//!     indices: Range<usize>,
//! }
//!
//! impl<'data> OfIndices<'data, '_> {
//!     fn column(&self, index: usize) -> Column<'data> {
//!         Column(&self.columns.cells[index..], self.columns.width)
//!     }
//! }
//!
//! impl<'data> Iterator for OfIndices<'data, '_> {
//!     type Item = Column<'data>;
//!
//!     fn next(&mut self) -> Option<Column<'data>> {
//!         self.indices.next().map(|index| self.column(index))
//!     }
//!     fn size_hint(&self) -> (usize, Option<usize>) {
//!         self.indices.size_hint()
//!     }
//! }
//!
//! impl DoubleEndedIterator for OfIndices<'_, '_> {
//!     fn next_back(&mut self) -> Option<Self::Item> {
//!         self.indices.next_back().map(|index| self.column(index))
//!     }
//! }
//!
//! impl ExactSizeIterator for OfIndices<'_, '_> {}
//!
//! let columns = Columns { cells: &[1.0, 2.0, 3.0, 10.0, 20.0, 30.0], width: 3 };
//! assert_eq!(columns.clone().map(Column::sum).collect::<Vec<_>>(), [11.0, 22.0, 33.0]);
//! let weighted = columns.zip([0.5, 0.0, 1.0]).rev().map(|(column, weight)| weight * column.sum());
//! assert_eq!(weighted.collect::<Vec<_>>(), [33.0, 0.0, 5.5]);
//! ```
//!
//! A source that owns its items hands each out once, and says in [`discard`](Producer::discard)
//! what becomes of those that nobody asks for.
//!
//! # Folder
//!
//! The folder holds the traits and, each in a folder: where items come from (`source`), what
//! happens to them on the way (`adapter`), and what becomes of them (`consumer`).

pub(crate) mod adapter;
mod bridge;
mod collect;
pub(crate) mod consumer;
mod convert;
mod indexed;
pub(crate) mod modules;
mod parallel;
pub mod producers;
pub(crate) mod sort;
pub(crate) mod source;
mod try_op;

pub use crate::engine::options::{Chunk, Options};
pub use crate::engine::producer::{IndexedProducer, Producer};
pub use adapter::*;
pub use bridge::{IterBridge, ParallelBridge};
pub use collect::{FromParallelIterator, ParallelExtend};
pub use convert::{
    IntoParallelIterator, IntoParallelRefIterator, IntoParallelRefMutIterator, ParallelDrainFull,
    ParallelDrainRange,
};
pub use either::Either;
pub use indexed::IndexedParallelIterator;
pub use parallel::ParallelIterator;
pub use source::*;
pub use try_op::Try;
