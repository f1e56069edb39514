//! Chunks that are cut because an item in them takes far longer than expected.

use std::sync::atomic::{AtomicBool, Ordering};

use taskel::prelude::*;
use taskel::ThreadPool;

fn pool(threads: usize) -> ThreadPool {
    ThreadPool::builder().num_threads(threads).build().unwrap()
}

#[test]
fn an_item_may_wait_for_a_later_one_of_its_chunk() {
    let pool = pool(2);
    let later = AtomicBool::new(false);
    pool.install(|| {
        (0..100_000_u32).into_par_iter().for_each(|i| {
            if i == 30_000 {
                while !later.load(Ordering::Relaxed) {
                    std::thread::yield_now();
                }
            }
            if i == 30_019 {
                later.store(true, Ordering::Relaxed);
            }
            std::hint::black_box(i);
        });
    });
    assert!(pool.metrics().total().revoked >= 1);
}
