//! Loops inside of something else.

use std::ops::Range;

use taskel::prelude::*;
use taskel::{broadcast, join, scope};

use crate::load::{FOUR_EACH, Items};
use crate::within::{ALL, DEEP, Limits, NESTED, assert_all_busy, sites};

/// Nine calls for each number of workers, four items for each: with one item too many for a worker,
/// a call takes five rounds.
const FOUR_ALIKE: Limits = Limits { loads: &[FOUR_EACH, FOUR_EACH, FOUR_EACH], ..NESTED };

fn each<const SITE: usize>(items: &Items, range: Range<usize>) {
    range.into_par_iter().for_each(|item| items.run(item));
}

/// Neighbours by `len`.
fn groups(items: &Items, len: usize) -> impl Iterator<Item = Range<usize>> {
    let all = items.len();
    (0..all).step_by(len).map(move |first| first..all.min(first + len))
}

fn halves(range: Range<usize>) -> [Range<usize>; 2] {
    let middle = range.start.midpoint(range.end);
    [range.start..middle, middle..range.end]
}

#[test]
fn no_worker_waits_beside_loops_in_a_loop() {
    fn looping<const SITE: usize>(items: &Items) {
        let groups: Vec<_> = groups(items, 4).collect();
        groups.into_par_iter().for_each(|group| each::<SITE>(items, group));
    }
    assert_all_busy(&sites!(looping), NESTED);
}

/// Helpers leave the last item of a loop to its caller, who would wait for them and do nothing
/// else.
#[test]
fn no_worker_waits_beside_few_loops_in_a_loop() {
    fn two<const SITE: usize>(items: &Items) {
        halves(0..items.len()).into_par_iter().for_each(|half| each::<SITE>(items, half));
    }
    fn half_as_many_as_workers<const SITE: usize>(items: &Items) {
        let groups: Vec<_> = groups(items, 8).collect();
        groups.into_par_iter().for_each(|group| each::<SITE>(items, group));
    }
    assert_all_busy(&sites!(two), FOUR_ALIKE);
    assert_all_busy(&sites!(half_as_many_as_workers), FOUR_ALIKE);
}

#[test]
fn no_worker_waits_beside_loops_in_loops_in_a_loop() {
    fn looping<const SITE: usize>(items: &Items) {
        halves(0..items.len()).into_par_iter().for_each(|half| {
            halves(half).into_par_iter().for_each(|quarter| each::<SITE>(items, quarter));
        });
    }
    assert_all_busy(&sites!(looping), DEEP);
}

/// A single outer item, whose loop has all there is to do.
#[test]
fn no_worker_waits_beside_a_loop_in_the_only_item_of_another() {
    fn looping<const SITE: usize>(items: &Items) {
        (0..1).into_par_iter().for_each(|_| each::<SITE>(items, 0..items.len()));
    }
    assert_all_busy(&sites!(looping), ALL);
}

#[test]
fn no_worker_waits_beside_the_loops_in_a_join() {
    fn two<const SITE: usize>(items: &Items) {
        let [left, right] = halves(0..items.len());
        join(|| each::<SITE>(items, left), || each::<SITE>(items, right));
    }
    fn four<const SITE: usize>(items: &Items) {
        let [left, right] = halves(0..items.len());
        let quarters = |half| {
            let [left, right] = halves(half);
            join(|| each::<SITE>(items, left), || each::<SITE>(items, right));
        };
        join(|| quarters(left), || quarters(right));
    }
    assert_all_busy(&sites!(two), NESTED);
    assert_all_busy(&sites!(four), DEEP);
}

#[test]
fn no_worker_waits_beside_loops_in_a_scope() {
    fn looping<const SITE: usize>(items: &Items) {
        scope(|scope| {
            for group in groups(items, 4) {
                scope.spawn(|_| each::<SITE>(items, group));
            }
        });
    }
    assert_all_busy(&sites!(looping), NESTED);
}

#[test]
fn no_worker_waits_beside_loops_in_a_broadcast() {
    /// One of the workers has a loop.
    fn one<const SITE: usize>(items: &Items) {
        broadcast(|worker| {
            if worker.index() == 1 {
                each::<SITE>(items, 0..items.len());
            }
        });
    }
    /// Each has one.
    fn all<const SITE: usize>(items: &Items) {
        broadcast(|worker| {
            let [first, end] =
                [0, 1].map(|next| (worker.index() + next) * items.len() / worker.num_threads());
            each::<SITE>(items, first..end);
        });
    }
    assert_all_busy(&sites!(one), ALL);
    assert_all_busy(&sites!(all), NESTED);
}
