//! For taskel.

use super::items;
use ::taskel as library;

#[path = "../../../runtime/tests/members/own.rs"]
mod own;
#[path = "../../../runtime/tests/members/row.rs"]
#[expect(clippy::duplicate_mod, reason = "for another library")]
mod row;
#[path = "../../../runtime/tests/members/rows/mod.rs"]
#[expect(clippy::duplicate_mod, reason = "for another library")]
mod rows;
#[path = "../../../runtime/tests/members/schedule.rs"]
#[expect(clippy::duplicate_mod, reason = "for another library")]
mod schedule;

super::measured!(rows::all().chain(own::all()));
