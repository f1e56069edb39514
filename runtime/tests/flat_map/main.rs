//! `flat_map` and `flatten`: what is in the items of a loop is split, stolen and carried on through
//! the rest of the pipeline, in order.

#[macro_use]
mod shapes;

mod adapters;
mod collections;
mod consumers;
mod folds;
mod schedules;
