//! Loops by a thread from outside of the pool.

use taskel::prelude::*;

use crate::load::Items;
use crate::within::{ALL, assert_all_busy, assert_all_busy_with, sites};

fn each<const SITE: usize>(items: &Items) {
    (0..items.len()).into_par_iter().for_each(|item| items.run(item));
}

#[test]
fn no_worker_waits_beside_a_loop_that_is_new_or_known() {
    assert_all_busy(&sites!(each for each load), ALL);
}

#[test]
fn no_worker_waits_beside_a_loop_that_collects() {
    fn exact<const SITE: usize>(items: &Items) {
        let numbers = (0..items.len()).into_par_iter().map(|item| {
            items.run(item);
            item
        });
        assert!(numbers.collect::<Vec<_>>().into_iter().eq(0..items.len()));
    }
    fn some<const SITE: usize>(items: &Items) {
        let odd = (0..items.len()).into_par_iter().filter(|&item| {
            items.run(item);
            item % 2 == 1
        });
        assert!(odd.collect::<Vec<_>>().into_iter().eq((1..items.len()).step_by(2)));
    }
    assert_all_busy(&sites!(exact), ALL);
    assert_all_busy(&sites!(some), ALL);
}

/// What earlier calls showed of their items is no reason to deal this one's out worse.
#[test]
fn no_worker_waits_beside_a_loop_of_another_length() {
    fn looping<const SITE: usize>(items: &Items) {
        (0..items.len()).into_par_iter().for_each(|item| items.run(item));
    }
    let lengths = |workers: usize| {
        let lengths = [4 * workers, 3, workers - 1, workers, workers / 2 + 1, 2 * workers, 2, workers];
        lengths.map(|len| (20, len)).to_vec()
    };
    assert_all_busy_with(lengths, &sites!(looping), 1);
}

/// Dealt out for items of a fiftieth of a millisecond; then they last long. (A loop that was over
/// in 10 µs begins on its caller alone.)
#[test]
fn no_worker_waits_beside_a_loop_whose_items_last_longer_than_before() {
    fn looping<const SITE: usize>(items: &Items) {
        (0..items.len()).into_par_iter().for_each(|item| items.run(item));
    }
    let calls = |workers: usize| {
        let quick = (0, 4 * workers);
        vec![quick, (20, workers), quick, (20, 2 * workers), quick, (20, workers - 1)]
    };
    assert_all_busy_with(calls, &sites!(looping), 1);
}
