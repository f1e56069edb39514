//! Adapters and settings do nothing by themselves, and a guard that is not kept ends at once.

#![deny(unused_must_use)]

use taskel::prelude::*;
use taskel::{MemoryGuard, ThreadPool};

fn main() {
    let pool = ThreadPool::new().unwrap();
    let numbers = vec![1, 2, 3];
    numbers.par_iter();
    numbers.par_iter().map(|n| n + 1);
    numbers.par_chunks(2);
    numbers.into_par_iter().filter(|n| n % 2 == 0).on(&pool);
    (0..3).into_par_iter().fold(|| 0, |a, b| a + b);
    (0..3).into_par_iter().zip(3..6).deterministic();
    (0..3).par_stream().map(|n| n + 1);
    (0..3).par_bridge();
    ThreadPool::builder().num_threads(2);
    MemoryGuard::new().most_used(0.5);
    pool.keep_hot();
}
