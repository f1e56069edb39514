//! Pipelines put together at random, against the standard library's iterators: equal in value and
//! order.

#[path = "support/pipeline/mod.rs"]
mod pipeline;

use std::panic::{AssertUnwindSafe, catch_unwind};

use proptest::prelude::Rng;
use proptest::test_runner::{RngAlgorithm, TestRng};
use taskel::ThreadPool;

/// Each takes a millisecond.
fn cases() -> usize {
    let cases = std::env::var("TASKEL_PIPELINES");
    cases.map_or(10_000, |number| number.parse().expect("TASKEL_PIPELINES is a number"))
}

#[test]
fn pipelines_do_as_the_standard_library_s() {
    let pools: Vec<ThreadPool> =
        (1..=4).map(|threads| ThreadPool::builder().num_threads(threads).build().unwrap()).collect();
    let mut random = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    for case in 0..cases() {
        let mut bytes = [0; 64];
        random.fill_bytes(&mut bytes);
        let run = AssertUnwindSafe(|| pipeline::run(&mut pipeline::Choices::new(&bytes), &pools));
        assert!(catch_unwind(run).is_ok(), "case {case}: {bytes:?}");
    }
}
