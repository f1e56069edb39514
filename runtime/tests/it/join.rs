//! Fork and join: results, panics, and what runs where.

use taskel::ThreadPool;

fn pool(threads: usize) -> ThreadPool {
    ThreadPool::builder().num_threads(threads).build().expect("a pool")
}

fn fib(n: u32) -> u64 {
    if n < 2 {
        return n.into();
    }
    let (a, b) = taskel::join(|| fib(n - 1), || fib(n - 2));
    a + b
}

#[test]
fn fib_on_pools_of_any_size() {
    for threads in 1..=4 {
        let pool = pool(threads);
        for n in [0, 1, 2, 5, 15, 22] {
            let serial = (0..n).fold((0, 1), |(a, b), _| (b, a + b)).0;
            assert_eq!(pool.install(|| fib(n)), serial);
        }
    }
}

#[test]
fn tasks_of_tasks() {
    use std::sync::atomic::{AtomicU64, Ordering};
    fn visit<'s>(s: &taskel::Scope<'s>, n: u64, sum: &'s AtomicU64) {
        sum.fetch_add(1, Ordering::Relaxed);
        for child in 0..n {
            s.spawn(move |s| visit(s, child, sum));
        }
    }
    for threads in 1..=4 {
        let pool = pool(threads);
        for _ in 0..20 {
            let sum = AtomicU64::new(0);
            pool.scope(|s| visit(s, 12, &sum));
            assert_eq!(sum.into_inner(), 1 << 12);
        }
    }
}

/// The sum of a range by joins of one region.
fn sum(region: Option<taskel::JoinRegion>, range: std::ops::Range<u64>) -> u64 {
    if range.end - range.start == 1 {
        assert!(range.start != 1000, "the trap");
        return range.start;
    }
    taskel::join_region(region, |region| {
        let middle = range.start.midpoint(range.end);
        let left = |_: taskel::FnContext| sum(Some(region), range.start..middle);
        let (left, right) = region.join_context(left, |_| sum(Some(region), middle..range.end));
        left + right
    })
}

#[test]
fn joins_of_a_region_give_their_results_and_panics() {
    for threads in 1..=4 {
        let pool = pool(threads);
        pool.install(|| {
            for _ in 0..20 {
                assert_eq!(sum(None, 0..1000), 499_500);
                // In the closures of another region, and in plain joins.
                let (a, b) = taskel::join(|| sum(None, 0..100), || sum(None, 0..100));
                assert_eq!((a, b), (4950, 4950));
                let caught = std::panic::catch_unwind(|| sum(None, 900..1100));
                assert!(caught.is_err());
                assert_eq!(fib(10), 55);
            }
        });
    }
    assert_eq!(sum(None, 0..100), 4950, "outside of every pool");
}

#[test]
fn a_region_that_has_ended_or_is_of_another_pool_is_no_harm() {
    let (here, there) = (pool(2), pool(2));
    let ended = here.install(|| taskel::join_region(None, |region| region));
    for _ in 0..20 {
        assert_eq!(here.install(|| sum(Some(ended), 0..200)), 19_900);
        let inside =
            here.install(|| taskel::join_region(None, |region| there.install(|| sum(Some(region), 0..200))));
        assert_eq!(inside, 19_900);
    }
}
