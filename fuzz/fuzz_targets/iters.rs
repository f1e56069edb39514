//! Any pipeline of parallel iterators does as the standard library's, in value and order.

#![no_main]

use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use taskel::ThreadPool;

#[path = "../../runtime/tests/support/pipeline/mod.rs"]
mod pipeline;

fuzz_target!(|bytes: &[u8]| {
    static POOLS: OnceLock<Vec<ThreadPool>> = OnceLock::new();
    let pools = POOLS.get_or_init(|| {
        (1..=4).map(|threads| ThreadPool::builder().num_threads(threads).build().expect("threads")).collect()
    });
    pipeline::run(&mut pipeline::Choices::new(bytes), pools);
});
