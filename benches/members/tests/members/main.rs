//! Every member of the public interface has rows in a table, and keeps as many workers busy as the
//! table says.
//!
//! The table is this crate's library. A member that has no row is found in taskel's sources.
//!
//! `TASKEL_MEMBERS=all` measures three calls of each row instead of one.

mod api;
mod not_yet;
#[path = "../../../../runtime/tests/support/watchdog.rs"]
mod watchdog;
mod without_items;

use std::collections::BTreeSet;

use not_yet::NOT_YET;
use taskel_bench_members::{Busy, Effort, busy, rows};
use without_items::{WITHOUT_ITEMS, is_among};

/// So many pools at once; with more, two cores are late to wake the sleepers.
const POOLS: usize = 8;

/// The calls after the first that are measured, and of what seemed to be wrong.
const CALLS: usize = 1;
const CALLS_OF_ALL: usize = 3;
const CALLS_AGAIN: usize = 5;

/// The member that a row is about.
fn member(row: &str) -> &str {
    row.split(" / ").next().unwrap_or_default()
}

/// What is to be told about a call that kept so many workers busy.
fn fault(found: &Busy) -> Option<String> {
    let Busy { name, layout, workers, enough, because } = found;
    let what = format!("{name}, {layout}: {workers:.1} of 8 workers");
    match (known(found), workers >= enough) {
        (None, false) => Some(format!("{what}, where {enough:.1} must be busy (not all, for {because})")),
        (Some(reason), true) => Some(format!("{what} are enough; take it from NOT_YET ({reason})")),
        _ => None,
    }
}

fn known(found: &Busy) -> Option<&'static str> {
    let known = NOT_YET
        .iter()
        .find(|(rows, layouts, _)| rows.contains(&found.name) && layouts.contains(&found.layout));
    known.map(|(.., reason)| *reason)
}

#[test]
fn every_member_keeps_the_workers_busy() {
    let _watchdog = watchdog::watch("a member");
    let all = std::env::var_os("TASKEL_MEMBERS").is_some_and(|what| what == "all");
    let calls = if all { CALLS_OF_ALL } else { CALLS };
    let found = busy(Effort { pools: POOLS, calls }, &|_, _| true);
    if all {
        found
            .iter()
            .for_each(|Busy { name, layout, workers, .. }| println!("{workers:4.1}  {name}, {layout}"));
    }
    let wrong: BTreeSet<(&str, &str)> =
        found.iter().filter(|found| fault(found).is_some()).map(|found| (found.name, found.layout)).collect();
    // A machine that has something else to do disturbs a call here and there.
    let again =
        busy(Effort { pools: 1, calls: CALLS_AGAIN }, &|name, layout| wrong.contains(&(name, layout)));
    let faults: Vec<String> = again.iter().filter_map(fault).collect();
    assert!(faults.is_empty(), "{} of {} cells:\n{}", faults.len(), found.len(), faults.join("\n"));
}

#[test]
fn every_member_has_a_row() {
    let members = api::members();
    let rows: BTreeSet<&str> = rows().into_iter().map(member).collect();
    let left_out: Vec<&str> = WITHOUT_ITEMS.iter().flat_map(|(_, names)| *names).copied().collect();
    let missing: Vec<_> =
        members.iter().filter(|member| !rows.contains(&***member) && !is_among(&left_out, member)).collect();
    assert!(missing.is_empty(), "without a row in benches/members: {missing:#?}");
    let unknown: Vec<_> = rows.iter().filter(|row| !members.contains(**row)).collect();
    assert!(unknown.is_empty(), "rows of no member: {unknown:#?}");
    for name in left_out {
        assert!(members.iter().any(|member| is_among(&[name], member)), "{name}: there is no such member");
        assert!(!rows.iter().any(|row| is_among(&[name], row)), "{name} has a row");
    }
}

#[test]
fn rows_have_names_of_their_own_and_what_is_not_yet_right_is_a_row() {
    let names: BTreeSet<&str> = rows().into_iter().collect();
    assert_eq!(names.len(), rows().len(), "two rows have the same name");
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
