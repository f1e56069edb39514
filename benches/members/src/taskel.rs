//! For taskel.

use super::items;
use ::taskel as library;

mod own;
#[path = "row.rs"]
#[allow(clippy::duplicate_mod, reason = "for another library")]
mod row;
#[path = "rows/mod.rs"]
#[allow(clippy::duplicate_mod, reason = "for another library")]
mod rows;
#[path = "schedule.rs"]
#[allow(clippy::duplicate_mod, reason = "for another library")]
mod schedule;

fn table() -> impl Iterator<Item = &'static row::Row> {
    rows::all().chain(own::all())
}

pub(crate) fn rows() -> Vec<&'static str> {
    table().map(|row| row.name).collect()
}

super::measured!(table());
