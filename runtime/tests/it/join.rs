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
