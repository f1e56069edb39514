//! A little of everything, small enough to be interpreted: `.ci/sanitize miri`. In plain
//! `cargo test` it takes no time.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};

use taskel::prelude::*;
use taskel::{CancelToken, Chunk, ThreadPool, WorkerLocal};

fn pool() -> ThreadPool {
    ThreadPool::builder().num_threads(2).pinning(taskel::Pinning::Off).build().unwrap()
}

fn fib(n: u32) -> u64 {
    if n < 2 {
        return n.into();
    }
    let (a, b) = taskel::join(|| fib(n - 1), || fib(n - 2));
    a + b
}

#[test]
fn loops_of_all_kinds_of_collections() {
    let pool = pool();
    pool.install(|| {
        for _ in 0..2 {
            let texts: Vec<String> =
                (0..40).into_par_iter().chunk(Chunk::Exact(3)).map(|n| n.to_string()).collect();
            assert_eq!(texts[39], "39");
            let lengths = texts.into_par_iter().chunk(Chunk::Exact(2)).map(|text| text.len()).sum::<usize>();
            assert_eq!(lengths, 10 + 2 * 30);
            let even: Vec<Box<u32>> =
                (0..40_u32).into_par_iter().filter(|n| n % 2 == 0).map(Box::new).collect();
            assert_eq!(even.len(), 20);
            let mut numbers: Vec<u32> = (0..60).map(|n| n * 37 % 61).collect();
            numbers.par_iter_mut().chunk(Chunk::Exact(7)).for_each(|n| *n += 1);
            numbers.par_sort();
            assert!(numbers.is_sorted());
        }
    });
}

#[test]
fn joins_scopes_tasks_and_broadcasts() {
    let pool = pool();
    pool.install(|| {
        assert_eq!(fib(7), 13);
        let ran = AtomicUsize::new(0);
        taskel::scope(|s| {
            for _ in 0..4 {
                s.spawn(|s| {
                    s.spawn(|_| {
                        ran.fetch_add(1, Ordering::Relaxed);
                    });
                });
            }
        });
        assert_eq!(ran.into_inner(), 4);
        assert_eq!(taskel::submit(|| String::from("task")).join(), "task");
        assert_eq!(taskel::broadcast(|context| context.index()), [0, 1]);
        let local = WorkerLocal::new(|| 1);
        assert!(local.with(|one| *one == 1));
    });
    let mut seen = Vec::new();
    pool.install(|| (0..10).par_stream().map(|n| n * n).max_in_flight(2).for_each_ordered(|n| seen.push(n)));
    assert_eq!(seen[9], 81);
}

#[test]
fn panics_and_cancellation_drop_what_is_left() {
    let pool = pool();
    let items = || (0..30).map(Box::new).collect::<Vec<Box<usize>>>().into_par_iter().chunk(Chunk::Exact(2));
    let panics =
        || items().map(|n| if *n == 11 { resume_unwind(Box::new(11)) } else { n }).collect::<Vec<_>>();
    let payload = catch_unwind(AssertUnwindSafe(|| pool.install(panics))).unwrap_err();
    assert_eq!(payload.downcast_ref(), Some(&11));
    let token = CancelToken::new();
    let cancelled = || {
        // Whoever is first: nobody begins a further chunk.
        items().with_cancel_token(&token).for_each(|_| token.cancel());
    };
    assert!(catch_unwind(AssertUnwindSafe(|| pool.install(cancelled))).is_err());
    assert_eq!(pool.install(|| fib(5)), 5);
}
