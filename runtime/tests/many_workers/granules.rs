//! Loops whose user says which items stay together.

use taskel::Chunk;
use taskel::prelude::*;

use crate::load::{FOUR_EACH, Items, SIDE_BY_SIDE};
use crate::within::{ALL, Limits, assert_all_busy, assert_all_busy_with, sites};

/// Loads that can be cut into pieces of four and of two without a rest.
const EVEN: Limits = Limits { loads: &[FOUR_EACH, SIDE_BY_SIDE], ..ALL };

fn exact<const LEN: usize, const SITE: usize>(items: &Items) {
    (0..items.len()).into_par_iter().chunk(Chunk::Exact(LEN)).for_each(|item| items.run(item));
}

fn at_least<const LEN: usize, const SITE: usize>(items: &Items) {
    (0..items.len()).into_par_iter().with_min_len(LEN).for_each(|item| items.run(item));
}

fn chunks<const LEN: usize, const SITE: usize>(items: &Items) {
    let chunks = (0..items.len()).into_par_iter().chunks(LEN);
    chunks.for_each(|chunk| chunk.into_iter().for_each(|item| items.run(item)));
}

fn slices<const LEN: usize, const SITE: usize>(items: &Items) {
    let numbers: Vec<usize> = (0..items.len()).collect();
    numbers.par_chunks(LEN).for_each(|chunk| chunk.iter().for_each(|&item| items.run(item)));
}

#[test]
fn no_worker_waits_beside_chunks_of_one_item() {
    fn single<const SITE: usize>(items: &Items) {
        exact::<1, SITE>(items);
    }
    assert_all_busy(&sites!(single), ALL);
}

/// Two for each worker.
#[test]
fn no_worker_waits_beside_pairs() {
    assert_all_busy(&sites!(exact by 2), Limits { together: 2, ..EVEN });
    assert_all_busy(&sites!(at_least by 2), Limits { together: 2, ..EVEN });
}

/// One for each worker, or fewer.
#[test]
fn no_worker_waits_beside_chunks_of_four_items() {
    fn fewer(workers: usize) -> Vec<(u64, usize)> {
        [workers - 1, 3, workers].map(|chunks| (12, 4 * chunks)).to_vec()
    }
    assert_all_busy_with(fewer, &sites!(exact by 4), 4);
    assert_all_busy_with(fewer, &sites!(at_least by 4), 4);
    assert_all_busy_with(fewer, &sites!(chunks by 4), 4);
    assert_all_busy_with(fewer, &sites!(slices by 4), 4);
}
