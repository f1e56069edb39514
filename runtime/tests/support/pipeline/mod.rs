//! Pipelines that are put together at run time, beside what the standard library makes of the same
//! members.
//!
//! A choice of bytes decides on data, members, consumer and pool: a test draws them at random, a
//! fuzzer mutates them.

mod consumers;
mod erased;
#[cfg(not(fuzzing))]
mod inside;
mod members;
mod sources;

pub(crate) use consumers::check;
use erased::{Flat, Indexed, Tailed};
use taskel::ThreadPool;

/// A parallel iterator and the items that it should yield.
pub(crate) struct Pipeline {
    stage: Stage,
    expected: Vec<u64>,
    /// What it is made of, for messages.
    told: Vec<&'static str>,
}

/// The three kinds of parallel iterators, with their types erased.
enum Stage {
    Indexed(Indexed),
    Flat(Flat),
    Tailed(Tailed),
}

/// Decisions, read off bytes; all 0 when these are used up.
pub(crate) struct Choices<'a>(&'a [u8]);

impl<'a> Choices<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Choices(bytes)
    }

    /// A number below `n`.
    fn below(&mut self, n: u64) -> u64 {
        let mut value = 0;
        let bytes = if n <= 256 { 1 } else { 2 };
        for _ in 0..bytes {
            let (first, rest) = self.0.split_first().unwrap_or((&0, &[]));
            self.0 = rest;
            value = value << 8 | u64::from(*first);
        }
        value % n
    }
}

/// The most members between source and consumer.
const MEMBERS: u64 = 6;

/// Builds a pipeline, runs it on one of `pools`, and compares.
///
/// # Panics
///
/// When the result is not what the standard library's iterators give.
pub(crate) fn run(choices: &mut Choices<'_>, pools: &[ThreadPool]) {
    let pool = &pools[choices.below(pools.len() as u64) as usize];
    let mut pipeline = sources::source(choices);
    for _ in 0..choices.below(MEMBERS + 1) {
        pipeline = members::member(pipeline, choices);
    }
    if choices.below(3) > 0 {
        // Otherwise their loops, all at the same few call sites, would be taken for short ones and
        // run by the caller alone.
        pipeline = members::slow_chunks(pipeline, choices);
    }
    let told = pipeline.told.join(".");
    let threads = pool.current_num_threads();
    pool.install(|| check(pipeline, choices, &format!("{told} on {threads} threads")));
}
