//! A worker that waits in a loop of rayon's runs other pieces of the loop.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rayon::prelude::*;

fn pool(threads: usize) -> rayon::ThreadPool {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap()
}

#[test]
fn items_of_a_loop_take_no_round_more() {
    const WORKERS: usize = 8;
    const ITEM: Duration = Duration::from_millis(20);
    let pool = pool(WORKERS);
    let mut rounds: Vec<f64> = (0..9)
        .map(|_| {
            let start = Instant::now();
            pool.install(|| {
                (0..4 * WORKERS).into_par_iter().with_max_len(1).for_each(|_| thread::sleep(ITEM))
            });
            start.elapsed().as_secs_f64() / ITEM.as_secs_f64()
        })
        .collect();
    rounds.sort_by(f64::total_cmp);
    assert!(rounds[4] < 4.7, "32 items on 8 workers take four rounds: {rounds:?}");
}

/// The leaves of a tree of joins, from left to right. The second to fourth are begun by whom the
/// first waits for.
struct Leaves {
    begun: [AtomicBool; 4],
}

impl Leaves {
    fn run(&self, leaf: usize) {
        self.begun[leaf].store(true, Ordering::Relaxed);
        match leaf {
            // On the first worker, which then waits for the second leaf.
            0 => self.wait_for(&[1, 2]),
            // On the two others: they end when the last leaf has begun, which only the first worker
            // is free to run.
            1 | 2 => self.wait_for(&[3]),
            _ => (),
        }
    }

    fn wait_for(&self, leaves: &[usize]) {
        let start = Instant::now();
        while !leaves.iter().all(|&leaf| self.begun[leaf].load(Ordering::Relaxed)) {
            assert!(start.elapsed() < Duration::from_secs(20), "nobody has begun {leaves:?}");
            thread::sleep(Duration::from_millis(1));
        }
    }

    fn split(&self, first: usize, len: usize) {
        if len == 1 {
            return self.run(first);
        }
        let half = len / 2;
        rayon_core::join_context(|_| self.split(first, half), |_| self.split(first + half, half));
    }
}

#[test]
fn a_wait_runs_a_piece_that_does_not_descend_from_what_it_waits_for() {
    let pool = pool(3);
    for _ in 0..20 {
        let leaves = Leaves { begun: Default::default() };
        pool.install(|| leaves.split(0, 4));
    }
}

#[test]
fn a_wait_in_a_loop_inside_of_an_item_runs_no_other_item() {
    let pool = pool(2);
    thread_local!(static INSIDE: std::cell::Cell<bool> = const { std::cell::Cell::new(false) });
    for _ in 0..20 {
        pool.install(|| {
            (0..8).into_par_iter().with_max_len(1).for_each(|_| {
                assert!(!INSIDE.replace(true), "an item was run inside of another one");
                (0..4_u32)
                    .into_par_iter()
                    .with_max_len(1)
                    .for_each(|_| thread::sleep(Duration::from_micros(300)));
                INSIDE.set(false);
            });
        });
    }
}
