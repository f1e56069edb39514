//! For rayon.

use super::items;
use ::rayon as library;

#[path = "row.rs"]
mod row;
#[path = "rows/mod.rs"]
mod rows;
#[path = "schedule.rs"]
mod schedule;

super::measured!(rows::all());
