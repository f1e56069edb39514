//! How pools begin and end: which threads there are, under which names, and that none is left.

#![cfg(target_os = "linux")] // which lists threads with their names

use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;

use taskel::prelude::*;
use taskel::{Pinning, ThreadPool, ThreadPoolBuilder};

#[path = "support/threads.rs"]
mod threads;

fn named(prefix: &'static str, threads: usize) -> ThreadPoolBuilder {
    ThreadPoolBuilder::new().num_threads(threads).thread_name(move |worker| format!("{prefix}{worker}"))
}

#[test]
fn a_dropped_pool_leaves_no_thread() {
    for threads in [1, 2, 5, 16] {
        let pool = named("leaves-", threads).build().unwrap();
        threads::await_count("leaves-", threads);
        assert_eq!(pool.install(|| (0..10_000_u64).into_par_iter().sum::<u64>()), 49_995_000);
        drop(pool);
        threads::await_count("leaves-", 0);
    }
}

/// The pool is dropped while its workers are starting, searching, parking, or still leaving the
/// loop.
#[test]
fn many_pools_in_a_row() {
    for round in 0..300_usize {
        let pool = named("row-", 1 + round % 5).build().unwrap();
        for _ in 0..round % 3 {
            assert_eq!(pool.install(|| (0..round * 20).into_par_iter().count()), round * 20);
        }
    }
    threads::await_count("row-", 0);
}

#[test]
fn handlers_are_called_once_per_worker_and_before_drop_returns() {
    for threads in [1, 2, 8] {
        let log = Arc::new(Mutex::new((Vec::new(), Vec::new())));
        let (starts, exits) = (Arc::clone(&log), Arc::clone(&log));
        // Handlers run on the worker, and may use the pool.
        let check = move |worker| {
            assert_eq!(taskel::current_thread_index(), Some(worker));
            assert_eq!(taskel::current_num_threads(), threads);
            assert_eq!((0..100).into_par_iter().sum::<i32>(), 4950);
        };
        let builder = ThreadPool::builder().num_threads(threads).start_handler(move |worker| {
            check(worker);
            starts.lock().unwrap().0.push(worker);
        });
        let builder = builder.exit_handler(move |worker| {
            check(worker);
            exits.lock().unwrap().1.push(worker);
        });
        drop(builder.build().unwrap());
        let (mut started, mut exited) = log.lock().unwrap().clone();
        started.sort_unstable();
        exited.sort_unstable();
        assert_eq!(started, (0..threads).collect::<Vec<_>>());
        assert_eq!(exited, started);
    }
}

#[test]
fn workers_are_named_as_asked() {
    let (sender, names) = mpsc::channel();
    let report = move |worker| {
        sender.send((worker, thread::current().name().map(str::to_owned))).unwrap();
    };
    let asked = named("a name of more than 15 bytes ", 3).start_handler(report.clone()).build().unwrap();
    let usual = ThreadPool::builder().num_threads(2).start_handler(report).build().unwrap();
    drop((asked, usual));
    let mut names: Vec<_> = names.iter().map(|(worker, name)| (name.unwrap(), worker)).collect();
    names.sort_unstable();
    let long = |worker| (format!("a name of more than 15 bytes {worker}"), worker);
    let short = |worker| (format!("taskel-{worker}"), worker);
    assert_eq!(names, [long(0), long(1), long(2), short(0), short(1)]);
}

/// A worker cannot wait for its own end: it drops the last reference to its pool, and ends
/// afterwards.
#[test]
fn a_worker_drops_its_own_pool() {
    for threads in [1, 2, 4] {
        let (sender, receiver) = mpsc::channel::<Arc<ThreadPool>>();
        let receiver = Mutex::new(receiver);
        let exits = Arc::new(AtomicUsize::new(0));
        let exited = Arc::clone(&exits);
        let start = move |worker| {
            if worker == 0 {
                let pool = receiver.lock().unwrap().recv().unwrap();
                let pool = loop_until_last(pool);
                assert_eq!(pool.install(|| (0..1000).into_par_iter().count()), 1000);
                drop(pool);
            }
        };
        let exit = move |_| {
            exited.fetch_add(1, Ordering::Relaxed);
        };
        let pool = named("own-", threads).start_handler(start).exit_handler(exit).build().unwrap();
        // They have begun, so that none of them is their end.
        threads::await_count("own-", threads);
        sender.send(Arc::new(pool)).unwrap();
        threads::await_count("own-", 0);
        assert_eq!(exits.load(Ordering::Relaxed), threads);
    }
}

/// Waits until nobody else refers to the pool.
fn loop_until_last(mut pool: Arc<ThreadPool>) -> ThreadPool {
    loop {
        match Arc::try_unwrap(pool) {
            Ok(last) => return last,
            Err(shared) => pool = shared,
        }
        thread::yield_now();
    }
}

#[test]
fn a_taskel_drops_another_pool() {
    let pool = named("outer-", 2).build().unwrap();
    for _ in 0..20 {
        let other = Arc::new(named("inner-", 2).build().unwrap());
        let shares: Vec<_> = (0..64).map(|_| Arc::clone(&other)).collect();
        drop(other);
        // Whoever is last joins the threads in the middle of the loop.
        shares.into_par_iter().on(&pool).for_each(|share| {
            assert_eq!(share.install(|| (0..50).into_par_iter().count()), 50);
        });
        threads::await_count("inner-", 0);
    }
}

#[test]
fn cores_that_do_not_exist_are_named_and_too_few_are_counted() {
    let usable = ThreadPool::builder().num_threads(1).pinning(Pinning::Cores).build().map(drop);
    usable.expect("some core is usable");
    let text = |builder: ThreadPoolBuilder| builder.build().unwrap_err().to_string();
    for core in [1 << 15, 1 << 40, usize::MAX] {
        let unknown = text(named("bad-", 0).pinning(Pinning::Explicit(vec![core])));
        assert!(unknown.contains(&core.to_string()), "{unknown}");
    }
    // Nobody is pinned to core `usize::MAX`, but it is listed.
    let first = *first_core().first().expect("a usable core");
    let unknown = text(named("bad-", 1).pinning(Pinning::Explicit(vec![first, usize::MAX])));
    assert!(unknown.contains(&usize::MAX.to_string()), "{unknown}");
    let few = text(named("bad-", 3).pinning(Pinning::Explicit(vec![first, first])));
    assert!(few.contains("3 workers") && few.contains("2 are listed"), "{few}");
    let none = text(named("bad-", 0).pinning(Pinning::Explicit(vec![])));
    assert!(none.contains("lists no core") && none.contains("at least one"), "{none}");
    threads::await_count("bad-", 0);
}

/// The core that a pinned worker finds itself on.
fn first_core() -> Vec<usize> {
    let (sender, cores) = mpsc::channel();
    let report = move |_| {
        // SAFETY: takes no argument and touches no memory of ours.
        sender.send(unsafe { libc::sched_getcpu() } as usize).unwrap();
    };
    drop(ThreadPool::builder().num_threads(1).pinning(Pinning::Cores).start_handler(report).build().unwrap());
    cores.iter().collect()
}

#[test]
fn too_many_threads_are_refused() {
    let error = named("many-", 4097).build().unwrap_err().to_string();
    assert!(error.contains("4097") && error.contains("4096"), "{error}");
    assert!(named("many-", usize::MAX).build().is_err());
    threads::await_count("many-", 0);
}

/// A stack of 48 TiB fits twice into the address space of a process, so that two threads run
/// already when the third cannot be started.
#[test]
fn a_thread_that_cannot_be_started_takes_the_others_with_it() {
    for stack in [48 << 40, 1 << 62] {
        let error = named("stack-", 4).stack_size(stack).build().unwrap_err();
        assert!(std::error::Error::source(&error).is_some(), "{error:?}");
        assert!(error.to_string().contains("could not be started"), "{error}");
        threads::await_count("stack-", 0);
        let scoped = named("stack-", 2).stack_size(stack).build_scoped(|thread| thread.run(), |_| ());
        assert_eq!(scoped.unwrap_err().to_string(), error.to_string().replace("worker 2", "worker 0"));
    }
}

/// The global pool is one per process: each case has a process to itself.
#[test]
fn the_global_pool_is_built_once() {
    const CASE: &str = "TASKEL_TEST_GLOBAL_POOL";
    let sum = || (0..1000).into_par_iter().sum::<u32>();
    match std::env::var(CASE).as_deref() {
        Ok("first") => {
            named("global-", 3).build_global().unwrap();
            assert_eq!(taskel::current_num_threads(), 3);
            let again = named("again-", 2).build_global().unwrap_err().to_string();
            assert!(again.contains("exists already"), "{again}");
            assert_eq!((sum(), taskel::current_num_threads()), (499_500, 3));
            threads::await_count("global-", 3);
            threads::await_count("again-", 0);
        }
        Ok("late") => {
            assert_eq!(sum(), 499_500);
            assert!(named("late-", 2).build_global().is_err());
            threads::await_count("late-", 0);
        }
        Ok("wrong") => {
            let wrong = named("wrong-", 1).pinning(Pinning::Explicit(vec![usize::MAX]));
            assert!(wrong.build_global().unwrap_err().to_string().contains("is not among"));
            // That one failed, and is in nobody's way.
            named("right-", 2).build_global().unwrap();
            assert_eq!((sum(), taskel::current_num_threads()), (499_500, 2));
            threads::await_count("wrong-", 0);
        }
        _ => {
            for case in ["first", "late", "wrong"] {
                let mut child = Command::new(std::env::current_exe().unwrap());
                let child = child.args(["--exact", "the_global_pool_is_built_once"]).env(CASE, case);
                let output = child.output().unwrap();
                assert!(output.status.success(), "{case}: {}", String::from_utf8_lossy(&output.stdout));
            }
        }
    }
}

/// The pool is dropped as its worker begins, spins, or goes to sleep.
#[test]
fn nothing_that_was_spawned_is_lost() {
    let done = Arc::new(AtomicUsize::new(0));
    for round in 0..3000_u64 {
        let spin = std::time::Duration::from_micros(100 * (round % 2));
        let pool =
            ThreadPool::builder().num_threads(1).idle(taskel::IdlePolicy::SpinFor(spin)).build().unwrap();
        (0..round % 400).for_each(|_| std::hint::spin_loop());
        let count = Arc::clone(&done);
        pool.spawn(move || {
            count.fetch_add(1, Ordering::Relaxed);
            let count = Arc::clone(&count);
            taskel::spawn(move || {
                count.fetch_add(1, Ordering::Relaxed);
            });
        });
        drop(pool);
        assert_eq!(done.load(Ordering::Relaxed) as u64, 2 * (round + 1));
        assert_eq!(Arc::strong_count(&done), 1, "whatever was spawned is dropped");
    }
}

/// Others may wait for the work that drops the pool: it waits for nobody.
#[test]
fn a_stolen_half_drops_the_pool() {
    let pool = Arc::new(named("half-", 2).build().unwrap());
    let own = Arc::clone(&pool);
    let (sender, receiver) = mpsc::channel();
    pool.spawn(move || {
        let taken = std::sync::Barrier::new(2);
        taskel::join(
            || taken.wait(),
            || {
                taken.wait();
                sender.send(()).unwrap();
                drop(loop_until_last(own));
            },
        );
    });
    receiver.recv().unwrap();
    drop(pool);
    threads::await_count("half-", 0);
}

/// The pool is over then, and there is nobody else to do it.
#[test]
fn an_exit_handler_spawns() {
    let done = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&done);
    let exit = move |_| {
        let count = Arc::clone(&count);
        taskel::spawn(move || {
            count.fetch_add(1, Ordering::Relaxed);
        });
    };
    drop(named("exit-", 3).exit_handler(exit).build().unwrap());
    assert_eq!(done.load(Ordering::Relaxed), 3);
    assert_eq!(Arc::strong_count(&done), 1);
}
