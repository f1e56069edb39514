//! Pools whose threads somebody else starts.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;

use taskel::prelude::*;
use taskel::{ThreadBuilder, ThreadPool, ThreadPoolBuildErrorKind};

use crate::watchdog;

/// Counts how many of its threads are inside `run`.
fn start(thread: ThreadBuilder, inside: &Arc<AtomicUsize>) -> io::Result<()> {
    let inside = Arc::clone(inside);
    inside.fetch_add(1, Ordering::SeqCst);
    thread::Builder::new().spawn(move || {
        thread.run();
        inside.fetch_sub(1, Ordering::SeqCst);
    })?;
    Ok(())
}

#[test]
fn its_threads_do_the_work_and_are_out_when_the_pool_is_dropped() {
    let _watchdog = watchdog::watch("a spawn handler");
    for threads in [1, 2, 5] {
        let started = Arc::new(Mutex::new(Vec::new()));
        let (started_here, inside) = (Arc::clone(&started), Arc::new(AtomicUsize::new(0)));
        let (inside_here, left) = (Arc::clone(&inside), Arc::new(AtomicUsize::new(0)));
        let left_here = Arc::clone(&left);
        let pool = ThreadPool::builder()
            .num_threads(threads)
            .stack_size(1 << 20)
            .thread_name(|worker| format!("foreign-{worker}"))
            .exit_handler(move |_| {
                left_here.fetch_add(1, Ordering::SeqCst);
            })
            .spawn_handler(move |thread| {
                assert_eq!(thread.stack_size(), Some(1 << 20));
                let about = (thread.index(), thread.name().map(str::to_owned));
                started_here.lock().unwrap().push(about);
                start(thread, &inside_here)
            })
            .build()
            .unwrap();
        let expected: Vec<_> =
            (0..threads).map(|worker| (worker, Some(format!("foreign-{worker}")))).collect();
        assert_eq!(*started.lock().unwrap(), expected);
        assert_eq!(pool.install(|| (0..10_000_u64).into_par_iter().sum::<u64>()), 49_995_000);
        assert_eq!(pool.broadcast(|context| context.index()).len(), threads);
        assert_eq!(inside.load(Ordering::SeqCst), threads);
        drop(pool);
        assert_eq!(left.load(Ordering::SeqCst), threads, "dropping the pool waits for every `run`");
    }
}

#[test]
fn an_error_of_the_handler_is_the_source_of_the_pools_error() {
    let _watchdog = watchdog::watch("a spawn handler that fails");
    let inside = Arc::new(AtomicUsize::new(0));
    let inside_here = Arc::clone(&inside);
    let error = ThreadPool::builder()
        .num_threads(3)
        .spawn_handler(move |thread| match thread.index() {
            2 => Err(io::Error::other("no more threads")),
            _ => start(thread, &inside_here),
        })
        .build()
        .unwrap_err();
    assert!(error.to_string().contains("worker 2") && error.to_string().contains("no more threads"));
    assert!(!error.to_string().contains("ask for fewer workers"), "the handler knows better: {error}");
    assert_eq!(error.kind(), ThreadPoolBuildErrorKind::SpawnHandler);
    assert!(std::error::Error::source(&error).is_some());
}

#[test]
fn threads_that_never_run_are_an_error() {
    let _watchdog = watchdog::watch("a spawn handler that forgets");
    let inside = Arc::new(AtomicUsize::new(0));
    let error = ThreadPool::builder()
        .num_threads(3)
        .spawn_handler(move |thread| if thread.index() == 1 { Ok(()) } else { start(thread, &inside) })
        .build()
        .unwrap_err();
    assert!(error.to_string().contains("given 3 threads, but ran only 2"), "{error}");
}

#[test]
fn a_panic_of_the_handler_ends_the_threads_that_run() {
    let _watchdog = watchdog::watch("a spawn handler that panics");
    let inside = Arc::new(AtomicUsize::new(0));
    let built = catch_unwind(AssertUnwindSafe(|| {
        ThreadPool::builder()
            .num_threads(3)
            .spawn_handler(move |thread| {
                assert_ne!(thread.index(), 2, "on purpose");
                start(thread, &inside)
            })
            .build()
    }));
    assert!(built.is_err());
}

#[test]
fn a_foreign_worker_drops_its_own_pool() {
    let _watchdog = watchdog::watch("a foreign worker's own pool");
    let inside = Arc::new(AtomicUsize::new(0));
    let pool = ThreadPool::builder().num_threads(2).spawn_handler(move |thread| start(thread, &inside));
    let pool = Arc::new(pool.build().unwrap());
    let (done, is_done) = mpsc::channel();
    let (let_go, wait) = mpsc::channel::<()>();
    let own = Arc::clone(&pool);
    pool.spawn(move || {
        wait.recv().unwrap();
        drop(own);
        done.send(()).unwrap();
    });
    drop(pool);
    let_go.send(()).unwrap();
    is_done.recv().unwrap();
}
