//! A child process that was forked with a pool in it: what it calls there runs on its one thread,
//! and ends.
#![cfg(target_os = "linux")] // Windows has no `fork`

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use taskel::prelude::*;
use taskel::{Chunk, Task, ThreadPool, WorkerLocal, Yield};

/// Forks, runs `child` there, and waits for it, but not for ever.
///
/// Everything that the child calls is this crate's or leaves the heap and the locks of the other
/// threads alone: the test's threads are all asleep or in a loop that does not allocate.
fn in_child(child: impl FnOnce() -> bool) -> bool {
    let status = status_of_child(child);
    libc::WIFEXITED(status) && libc::WEXITSTATUS(status) == 0
}

fn status_of_child(child: impl FnOnce() -> bool) -> i32 {
    // SAFETY: see above; the child ends with `_exit`, and so runs nothing of the test harness.
    let pid = unsafe { libc::fork() };
    assert!(pid >= 0, "no process");
    if pid == 0 {
        let right = catch_unwind(AssertUnwindSafe(child)).unwrap_or(false);
        // SAFETY: always allowed.
        unsafe { libc::_exit(if right { 0 } else { 1 }) };
    }
    let deadline = Instant::now() + Duration::from_secs(60);
    let mut status = 0;
    // SAFETY: the pid is that of a child that was not waited for.
    while unsafe { libc::waitpid(pid, &raw mut status, libc::WNOHANG) } == 0 {
        if Instant::now() > deadline {
            // SAFETY: as above.
            unsafe { libc::kill(pid, libc::SIGKILL) };
            panic!("the child hangs");
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    status
}

fn fib(n: u32) -> u64 {
    if n < 2 {
        return n.into();
    }
    let (a, b) = taskel::join(|| fib(n - 1), || fib(n - 2));
    a + b
}

/// Everything once, on the surrounding pool.
fn everything() -> bool {
    let sum: u64 = (0..10_000_u64).into_par_iter().chunk(Chunk::Exact(10)).map(|n| n + 1).sum();
    let ran = AtomicUsize::new(0);
    taskel::scope(|s| {
        for _ in 0..10 {
            s.spawn(|s| {
                s.spawn(|_| {
                    ran.fetch_add(1, Ordering::Relaxed);
                });
            });
        }
    });
    let local = WorkerLocal::new(|| 1);
    let joined = taskel::submit(|| 7).join();
    taskel::spawn(|| ());
    sum == 50_005_000
        && fib(15) == 610
        && ran.into_inner() == 10
        && joined == 7
        && local.with(|one| *one == 1)
        && !taskel::broadcast(|_| ()).is_empty()
        && taskel::current_num_threads() >= 1
}

/// One test, since a fork takes whatever the threads of others are doing with it.
#[test]
fn pools_left_behind_by_a_fork() {
    let pool = ThreadPool::builder().num_threads(4).build().unwrap();
    // The pools have been used, and sleep.
    assert!(everything());
    assert!(pool.install(everything));
    for _ in 0..5 {
        assert!(
            in_child(|| pool.install(|| everything() && taskel::current_num_threads() == 1)),
            "a pool of one's own"
        );
        assert!(in_child(everything), "the global pool");
        assert!(in_child(|| pool.profile(everything).0 && pool.install(everything)), "a profile");
        // New pools work, and a child of a child is none the worse.
        let nested = || {
            let new = ThreadPool::builder().num_threads(2).build().unwrap();
            new.install(everything)
                && new.install(taskel::current_num_threads) == 2
                && in_child(|| new.install(everything))
        };
        assert!(in_child(nested), "a new pool");
    }
    tasks_of_the_parent();
    yields_in_the_child();
    panics_in_the_child();
    // While the pool is at work.
    let stop = AtomicBool::new(false);
    std::thread::scope(|s| {
        s.spawn(|| {
            let work = || {
                (0..1000_u64).into_par_iter().chunk(Chunk::Exact(1)).map(std::hint::black_box).sum::<u64>()
            };
            while !stop.load(Ordering::Relaxed) {
                assert_eq!(pool.install(work), 499_500);
            }
        });
        let alone = || pool.install(|| fib(12) == 144 && (0..100_u64).into_par_iter().sum::<u64>() == 4950);
        let right = (0..20).all(|_| in_child(alone));
        stop.store(true, Ordering::Relaxed);
        assert!(right);
    });
    // Dropped in the child, where there are no threads to join, and then here.
    let mut pool = Some(pool);
    assert!(in_child(|| {
        drop(pool.take());
        true
    }));
    assert!(pool.as_ref().is_some_and(|pool| pool.install(everything)));
}

/// What a panic says that its payload tells in words.
fn message(panics: impl FnOnce()) -> String {
    // The panic hook would print, and the lock of standard error may be held.
    std::panic::set_hook(Box::new(|_| ()));
    let payload = catch_unwind(AssertUnwindSafe(panics)).unwrap_err();
    let owned = payload.downcast_ref::<String>().cloned();
    owned.or_else(|| payload.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap()
}

/// Handles that the child has inherited: of a task that is over, one that was begun, and one that
/// was not.
fn tasks_of_the_parent() {
    let pool = ThreadPool::builder().num_threads(1).build().unwrap();
    let done = pool.submit(|| 1);
    let done_future = pool.submit(|| 2);
    pool.submit(|| ()).join();
    let (begun, go) = (Arc::new(Barrier::new(2)), Arc::new(Barrier::new(2)));
    let held = || {
        let (begun, go) = (Arc::clone(&begun), Arc::clone(&go));
        move || {
            begun.wait();
            go.wait();
            3
        }
    };
    let (first, second) = (pool.submit(held()), pool.submit(|| 4));
    let third = pool.submit(|| taskel::join(|| 5, taskel::current_num_threads));
    begun.wait();
    let mut handles = Some((done, done_future, first, second, third));
    let poll = |task: &mut Task<i32>| Pin::new(task).poll(&mut Context::from_waker(Waker::noop()));
    assert!(in_child(|| {
        let (done, mut done_future, mut first, mut second, third) = handles.take().unwrap();
        assert_eq!((done.join(), poll(&mut done_future)), (1, Poll::Ready(2)));
        assert_eq!(poll(&mut second), Poll::Ready(4));
        assert_eq!(third.join(), (5, 1));
        assert!(message(|| assert!(poll(&mut first).is_pending())).contains("begun in the parent process"));
        message(|| assert_eq!(first.join(), 3)).contains("begun in the parent process")
    }));
    let (done, done_future, first, second, third) = handles.unwrap();
    go.wait();
    let numbers = [done.join(), done_future.join(), first.join(), second.join()];
    assert_eq!((numbers, third.join()), ([1, 2, 3, 4], (5, 1)));
}

/// The child inherits what the thread was in the midst of. It does nothing of that, but what it
/// begins itself.
fn yields_in_the_child() {
    for threads in [1, 2] {
        let pool = ThreadPool::builder().num_threads(threads).build().unwrap();
        let alone = || {
            let flag = AtomicBool::new(false);
            taskel::scope(|s| {
                s.spawn(|_| flag.store(true, Ordering::Relaxed));
                while !flag.load(Ordering::Relaxed) {
                    assert_eq!(taskel::yield_now(), Some(Yield::Executed));
                }
            });
            (taskel::yield_now(), pool.yield_now(), pool.current_thread_index()) == (None, None, None)
        };
        let fork = || {
            taskel::scope(|s| {
                s.spawn(|_| ());
                taskel::join(|| assert!(in_child(alone)), || ());
            });
        };
        pool.install(fork);
        pool.broadcast(|_| fork());
    }
}

/// Panics that nobody takes go to the handler of the pool that was left behind, or abort; they
/// never reach who spawns.
fn panics_in_the_child() {
    static HANDLED: AtomicUsize = AtomicUsize::new(0);
    let handler = |payload: Box<dyn std::any::Any + Send>| {
        assert_eq!(payload.downcast_ref(), Some(&"child"));
        HANDLED.fetch_add(1, Ordering::Relaxed);
    };
    let panic = || -> () { resume_unwind(Box::new("child")) };
    let handled = ThreadPool::builder().num_threads(2).panic_handler(handler).build().unwrap();
    assert!(in_child(|| {
        handled.spawn(panic);
        handled.spawn_broadcast(move |_| panic());
        handled.install(|| taskel::spawn(panic));
        drop(handled.submit(panic));
        HANDLED.load(Ordering::Relaxed) == 3
    }));
    let unhandled = ThreadPool::builder().num_threads(2).build().unwrap();
    let spawns: [&dyn Fn(); 3] =
        [&|| unhandled.spawn(panic), &|| unhandled.spawn_broadcast(move |_| panic()), &|| {
            taskel::spawn_broadcast(move |_| panic())
        }];
    for spawn in spawns {
        let status = status_of_child(|| {
            spawn();
            true
        });
        assert!(libc::WIFSIGNALED(status) && libc::WTERMSIG(status) == libc::SIGABRT, "status {status}");
    }
}
