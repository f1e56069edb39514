//! Every member of the public interface has rows in a table, and keeps as many workers busy as the
//! table says.
//!
//! Items sleep, and so keep eight workers busy on any machine. A row is a way to have 64 items run
//! by a member; it is called with each of three layouts: items that are alike, a few long ones side
//! by side, and a long one at each eighth place. The table, in `rows` and `own`, says how many
//! workers must be busy on average. A member that has no row is found in the sources.
//!
//! `TASKEL_MEMBERS=all` measures three calls of each row instead of one.

mod api;
mod items;
mod not_yet;
mod own;
mod row;
mod rows;
mod schedule;
#[path = "../support/watchdog.rs"]
mod watchdog;
mod without_items;

use taskel as library;

use items::LAYOUTS;
use not_yet::NOT_YET;
use row::Row;
use std::collections::BTreeSet;
use without_items::{WITHOUT_ITEMS, is_among};

/// So many pools at once; with more, two cores are late to wake the sleepers.
const POOLS: usize = 8;

/// The calls after the first that are measured, and of what seemed to be wrong.
const CALLS: usize = 1;
const CALLS_OF_ALL: usize = 3;
const CALLS_AGAIN: usize = 5;

fn table() -> Vec<&'static Row> {
    rows::all().chain(own::all()).collect()
}

/// The member that a row is about.
fn member(row: &Row) -> &'static str {
    row.name.split(" / ").next().unwrap_or_default()
}

/// A row with one of the layouts.
#[derive(Clone, Copy)]
struct Cell {
    row: &'static Row,
    layout: usize,
}

impl Cell {
    fn busy(self, pool: &taskel::ThreadPool, calls: usize) -> f64 {
        schedule::busy(self.row, pool, LAYOUTS[self.layout], calls)
    }

    /// What is to be told about a call that kept so many workers busy.
    fn fault(self, busy: f64) -> Option<String> {
        let expected = self.row.expected;
        let enough = expected.busy[self.layout];
        let what = format!("{}, {}: {busy:.1} of 8 workers", self.row.name, LAYOUTS[self.layout].name);
        match (self.known(), busy >= enough) {
            (None, false) => {
                Some(format!("{what}, where {enough:.1} must be busy (not all, for {})", expected.because))
            }
            (Some(reason), true) => Some(format!("{what} are enough; take it from NOT_YET ({reason})")),
            _ => None,
        }
    }

    fn known(self) -> Option<&'static str> {
        let known = NOT_YET.iter().find(|(rows, layouts, _)| {
            rows.contains(&self.row.name) && layouts.contains(&LAYOUTS[self.layout].name)
        });
        known.map(|(.., reason)| *reason)
    }
}

#[test]
fn every_member_keeps_the_workers_busy() {
    let _watchdog = watchdog::watch("a member");
    let all = std::env::var_os("TASKEL_MEMBERS").is_some_and(|what| what == "all");
    let calls = if all { CALLS_OF_ALL } else { CALLS };
    // By layout, so that rows which take long are not side by side.
    let cells: Vec<Cell> = (0..LAYOUTS.len())
        .flat_map(|layout| table().into_iter().map(move |row| Cell { row, layout }))
        .collect();
    let busy = schedule::all(POOLS, &cells, |cell, pool| cell.busy(pool, calls));
    if all {
        cells.iter().zip(&busy).for_each(|(cell, busy)| {
            println!("{busy:4.1}  {}, {}", cell.row.name, LAYOUTS[cell.layout].name);
        });
    }
    let wrong = cells.iter().zip(busy).filter(|(cell, busy)| cell.fault(*busy).is_some());
    let wrong: Vec<Cell> = wrong.map(|(cell, _)| *cell).collect();
    // A machine that has something else to do disturbs a call here and there.
    let again = schedule::all(1, &wrong, |cell, pool| cell.fault(cell.busy(pool, CALLS_AGAIN)));
    let faults: Vec<String> = again.into_iter().flatten().collect();
    assert!(faults.is_empty(), "{} of {} cells:\n{}", faults.len(), cells.len(), faults.join("\n"));
}

#[test]
fn every_member_has_a_row() {
    let members = api::members();
    let rows: BTreeSet<&str> = table().into_iter().map(member).collect();
    let left_out: Vec<&str> = WITHOUT_ITEMS.iter().flat_map(|(_, names)| *names).copied().collect();
    let missing: Vec<_> =
        members.iter().filter(|member| !rows.contains(&***member) && !is_among(&left_out, member)).collect();
    assert!(missing.is_empty(), "without a row in runtime/tests/members: {missing:#?}");
    let unknown: Vec<_> = rows.iter().filter(|row| !members.contains(**row)).collect();
    assert!(unknown.is_empty(), "rows of no member: {unknown:#?}");
    for name in left_out {
        assert!(members.iter().any(|member| is_among(&[name], member)), "{name}: there is no such member");
        assert!(!rows.iter().any(|row| is_among(&[name], row)), "{name} has a row");
    }
}

#[test]
fn rows_have_names_of_their_own_and_what_is_not_yet_right_is_a_row() {
    let names: BTreeSet<&str> = table().iter().map(|row| row.name).collect();
    assert_eq!(names.len(), table().len(), "two rows have the same name");
    for name in NOT_YET.iter().flat_map(|(rows, ..)| *rows) {
        assert!(names.contains(name), "{name}: there is no such row");
    }
}

#[test]
fn members_are_found_wherever_they_are() {
    let found = |source: &str| api::members_of(source).into_iter().collect::<Vec<_>>().join("; ");
    assert_eq!(found("pub fn a() {} fn b() {} pub(crate) fn c() {}"), "a");
    assert_eq!(found("pub trait A { fn b(&self); fn c() {} } trait D { fn e(); }"), "A::b; A::c");
    assert_eq!(found("impl<'a, T: B> A<'a, T> { pub fn b() {} fn c() {} }"), "A::b");
    assert_eq!(found("pub mod a { pub fn b() {} } mod sealed { pub trait C { fn d(); } }"), "b");
    let implemented = "impl<'a, T> IntoParallelIterator for &'a mut Vec<T> {} impl Debug for B {}";
    assert_eq!(found(implemented), "IntoParallelIterator for &mut Vec<T>");
    let collected = "impl<'a, A, T> ParallelExtend<(A, &'a T)> for Cow<'a, [T]> {}";
    assert_eq!(found(collected), "ParallelExtend<(A, &T)> for Cow<[T]>");
    assert_eq!(
        found("through_a_vec! { ['a, T] &'a A<T, S> => &'a T; }"),
        "IntoParallelIterator for &A<T, S>"
    );
    let made = "made_of_a_vec! { [T: Send] Rc<[T]>, T, Rc::from; [T] B<T>, (T, T), B::from; }";
    assert_eq!(found(made), "FromParallelIterator<(T, T)> for B<T>; FromParallelIterator<T> for Rc<[T]>");
}

#[test]
#[should_panic(expected = "tell MACROS")]
fn a_macro_that_is_not_known_is_told() {
    api::members_of("macro_rules! new { ($T:ty) => { impl<T> FromParallelIterator<T> for $T {} }; }");
}
