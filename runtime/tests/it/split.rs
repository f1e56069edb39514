//! Data that are split by a function of the user's.

use taskel::ThreadPool;
use taskel::prelude::*;

#[test]
fn data_are_split_for_the_pool_where_the_loop_runs() {
    let halve = |range: std::ops::Range<u32>| {
        let middle = range.start.midpoint(range.end);
        if range.len() == 1 { (range, None) } else { (range.start..middle, Some(middle..range.end)) }
    };
    let [small, large] = [1, 8].map(|threads| ThreadPool::builder().num_threads(threads).build().unwrap());
    let pieces = |on: &ThreadPool| taskel::iter::split(0..1 << 20, halve).on(on).count();
    let inside = small.install(|| [pieces(&small), pieces(&large)]);
    assert_eq!(inside[0] * 8, inside[1]);
    assert_eq!(large.install(|| [pieces(&small), pieces(&large)]), inside);
}
