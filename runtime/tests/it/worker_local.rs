//! A value for each worker: how many there are, who sees them, and that none is lost.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use taskel::prelude::*;
use taskel::{Chunk, ThreadPool, WorkerLocal};

fn pool(threads: usize) -> ThreadPool {
    ThreadPool::builder().num_threads(threads).build().unwrap()
}

#[test]
fn counts_add_up_and_values_are_few() {
    static MADE: AtomicUsize = AtomicUsize::new(0);
    for threads in [1, 2, 4] {
        let pool = pool(threads);
        MADE.store(0, Ordering::Relaxed);
        let mut counts = WorkerLocal::new_in(&pool, || {
            MADE.fetch_add(1, Ordering::Relaxed);
            Cell::new(0_u64)
        });
        for _ in 0..20 {
            (0..10_000).into_par_iter().on(&pool).chunk(Chunk::Exact(100)).for_each(|_| {
                counts.with(|count| count.set(count.get() + 1));
            });
        }
        for count in &mut counts {
            *count.get_mut() += 1;
        }
        let values = counts.iter_mut().count() as u64;
        assert_eq!(counts.iter_mut().map(|count| count.get()).sum::<u64>(), 200_000 + values);
        let made = MADE.load(Ordering::Relaxed);
        assert!(made <= threads + 1, "{made} values for {threads} workers and a caller");
        assert_eq!(counts.into_iter().count(), made);
    }
}

/// A closure that waits may see other work of its lane ask for the same value.
#[test]
fn asking_again_gives_the_same_value() {
    let pool = pool(2);
    let local = WorkerLocal::new_in(&pool, || Cell::new(0));
    pool.install(|| {
        (0..100).into_par_iter().chunk(Chunk::Exact(1)).for_each(|_| {
            local.with(|outer| {
                outer.set(outer.get() + 1);
                (0..10)
                    .into_par_iter()
                    .chunk(Chunk::Exact(1))
                    .for_each(|_| local.with(|inner| inner.set(inner.get() + 1)));
                local.with(|again| assert!(std::ptr::eq(outer, again)));
            });
        });
    });
    assert_eq!(local.into_iter().map(Cell::into_inner).sum::<i32>(), 1100);
}

/// More threads than the pool was made for, all inside at once: each has a value of its own.
#[test]
fn threads_from_outside() {
    const THREADS: usize = 150;
    let pool = pool(2);
    let other = ThreadPool::builder().num_threads(2).build().unwrap();
    let local = WorkerLocal::new_in(&pool, || RefCell::new(Vec::new()));
    let all = Barrier::new(THREADS);
    thread::scope(|s| {
        for thread in 0..THREADS {
            let (local, all, other) = (&local, &all, &other);
            s.spawn(move || {
                local.with(|list| {
                    let mut list = list.borrow_mut();
                    all.wait();
                    list.push(thread);
                    all.wait();
                });
                other.install(|| local.with(|list| list.borrow_mut().push(thread)));
            });
        }
    });
    let mut seen: Vec<usize> = local.into_iter().flat_map(RefCell::into_inner).collect();
    seen.sort_unstable();
    assert!(seen.into_iter().eq((0..THREADS).flat_map(|thread| [thread, thread])));
}

#[test]
fn a_panic_leaves_the_place_empty() {
    static TRIES: AtomicUsize = AtomicUsize::new(0);
    let pool = pool(1);
    let mut local = WorkerLocal::new_in(&pool, || match TRIES.fetch_add(1, Ordering::Relaxed) {
        0 => resume_unwind(Box::new("first")),
        tries => tries,
    });
    let first = catch_unwind(AssertUnwindSafe(|| local.with(|&value| value)));
    assert_eq!(first.unwrap_err().downcast_ref(), Some(&"first"));
    assert_eq!(local.with(|&value| value), 1);
    let inside = catch_unwind(AssertUnwindSafe(|| local.with(|_| resume_unwind(Box::new("second")))));
    assert!(inside.is_err());
    assert_eq!(local.iter_mut().map(|value| *value).collect::<Vec<_>>(), [1]);
}

#[test]
fn every_value_is_dropped_once() {
    static ALIVE: AtomicUsize = AtomicUsize::new(0);
    struct Counted;
    impl Drop for Counted {
        fn drop(&mut self) {
            ALIVE.fetch_sub(1, Ordering::Relaxed);
        }
    }
    let pool = pool(3);
    for consumed in [false, true] {
        let local = WorkerLocal::new_in(&pool, || {
            ALIVE.fetch_add(1, Ordering::Relaxed);
            Counted
        });
        pool.broadcast(|_| local.with(|_| ()));
        local.with(|_| ());
        assert_eq!(ALIVE.load(Ordering::Relaxed), 4);
        if consumed {
            assert_eq!(local.into_iter().count(), 4);
        } else {
            drop(local);
        }
        assert_eq!(ALIVE.load(Ordering::Relaxed), 0);
    }
}
