//! For rayon.

use super::items;
use ::rayon as library;

#[path = "../../../runtime/tests/members/row.rs"]
mod row;
#[path = "../../../runtime/tests/members/rows/mod.rs"]
mod rows;
#[path = "../../../runtime/tests/members/schedule.rs"]
mod schedule;

super::measured!(rows::all());
