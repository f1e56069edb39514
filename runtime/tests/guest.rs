//! What a program that links taskel in may expect of its pools: how they begin and end, what the
//! environment says, which thread runs what.
#![cfg(target_os = "linux")] // which lists threads with their names

use std::cell::Cell;
use std::hint::black_box;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::Duration;

use taskel::prelude::*;
use taskel::{ThreadPool, ThreadPoolBuilder};

#[path = "support/child.rs"]
mod child;
#[path = "support/threads.rs"]
mod threads;
#[path = "support/watchdog.rs"]
mod watchdog;

use watchdog::watch;

fn named(prefix: &'static str, threads: usize) -> ThreadPoolBuilder {
    ThreadPool::builder().num_threads(threads).thread_name(move |worker| format!("{prefix}{worker}"))
}

#[test]
fn the_environment_sets_the_number_of_workers() {
    const TEST: &str = "the_environment_sets_the_number_of_workers";
    match child::case().as_deref() {
        Some("global") => return println!("\nSAID {}", taskel::current_num_threads()),
        Some("built") => {
            let built = ThreadPool::new().map(|pool| pool.current_num_threads().to_string());
            return println!("\nSAID {}", built.unwrap_or_else(|error| error.to_string()));
        }
        Some("asked") => {
            let pool = ThreadPool::builder().num_threads(2).build().unwrap();
            return println!("\nSAID {}", pool.current_num_threads());
        }
        _ => (),
    }
    let usual = thread::available_parallelism().unwrap().to_string();
    let (taskel, rayon) = ("TASKEL_NUM_THREADS", "RAYON_NUM_THREADS");
    for (variables, expected) in [
        (&[][..], &*usual),
        (&[(taskel, "5")], "5"),
        (&[(rayon, "6")], "6"),
        (&[(taskel, "5"), (rayon, "6")], "5"),
        (&[(taskel, " 7\n")], "7"),
        (&[(taskel, "0"), (rayon, "6")], &*usual),
        (&[(taskel, ""), (rayon, "6")], "6"),
    ] {
        assert_eq!(child::said(TEST, "global", variables), expected, "{variables:?}");
        assert_eq!(child::said(TEST, "built", variables), expected, "{variables:?}");
    }
    for bad in ["many", "-1", "2.5", "4097", "99999999999999999999999"] {
        for name in [taskel, rayon] {
            assert_eq!(child::said(TEST, "global", &[(name, bad)]), usual, "nobody could be told");
            assert_eq!(child::said(TEST, "asked", &[(name, bad)]), "2", "nobody asked the environment");
            let error = child::said(TEST, "built", &[(name, bad)]);
            assert!(error.contains(name) && error.contains(bad) && error.contains("4096"), "{error}");
        }
    }
}

#[test]
fn the_global_pool_is_a_pool() {
    let global = ThreadPool::global();
    assert!(std::ptr::eq(global, ThreadPool::global()));
    assert_eq!(global.current_num_threads(), taskel::current_num_threads());
    let ((), profile) = global.profile(|| (0..1000).into_par_iter().for_each(|item| _ = black_box(item)));
    assert_eq!(profile.taskels(), 1000);
    let loops = global.metrics().total().loops();
    (0..1000).into_par_iter().for_each(|item| _ = black_box(item));
    assert!(global.metrics().total().loops() > loops);
}

thread_local! {
    static PREPARED: Cell<bool> = const { Cell::new(false) };
}

/// Some 600 bytes of stack a level, and more where it is not optimised.
fn deep(levels: u32) -> u64 {
    let here = black_box([u64::from(levels); 64]);
    if levels == 0 { 0 } else { deep(levels - 1) + here[levels as usize % 64] }
}

#[test]
fn on_a_worker_are_its_stack_and_what_its_start_handler_has_set() {
    let _watchdog = watch("code on a worker");
    let pool =
        named("stack-", 2).stack_size(256 << 20).start_handler(|_| PREPARED.set(true)).build().unwrap();
    // By a thread whose own stack is far too small for it.
    let caller = thread::Builder::new().stack_size(128 << 10).spawn(move || {
        for _ in 0..20 {
            assert_eq!(pool.run_on_worker(|| deep(60_000)), 1_800_030_000);
            assert!(pool.run_on_worker(|| PREPARED.get()));
        }
        assert!(!PREPARED.get());
    });
    caller.unwrap().join().unwrap();
}

#[test]
fn run_on_worker_borrows_returns_and_unwinds() {
    let _watchdog = watch("code on a worker");
    for workers in [1, 2, 5, 16] {
        let pool = named("borrow-", workers).build().unwrap();
        let caller = thread::current().id();
        let mut words = vec!["a"];
        let index = pool.run_on_worker(|| {
            words.push("b");
            assert_ne!(thread::current().id(), caller);
            pool.current_thread_index()
        });
        assert!(index.is_some_and(|index| index < workers));
        assert_eq!(words, ["a", "b"]);
        let boxed = Box::new(7);
        let payload = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            pool.run_on_worker(|| std::panic::panic_any(*boxed));
        }));
        assert_eq!(payload.unwrap_err().downcast_ref::<i32>(), Some(&7));
        // On a worker it stays there, even under the surroundings of another pool; a loop in it is
        // one of the pool.
        let other = named("other-", 1).build().unwrap();
        pool.run_on_worker(|| {
            let here = thread::current().id();
            assert_eq!(pool.run_on_worker(|| thread::current().id()), here);
            assert_eq!(other.install(|| pool.run_on_worker(|| thread::current().id())), here);
            assert_ne!(other.run_on_worker(|| thread::current().id()), here);
            assert_eq!((0..1000).into_par_iter().map(|n| n % 7).sum::<i32>(), 2997);
        });
        // From inside of a loop, with every worker taking part in it.
        let on_worker = |item: usize| pool.run_on_worker(|| pool.current_thread_index().map(|_| item));
        let items: Option<Vec<usize>> = (0..64_usize).into_par_iter().on(&pool).map(on_worker).collect();
        assert_eq!(items, Some((0..64).collect()));
    }
}

#[test]
fn many_threads_run_code_on_few_workers() {
    let _watchdog = watch("code on a worker");
    let pool = named("few-", 2).build().unwrap();
    let ran = AtomicUsize::new(0);
    thread::scope(|s| {
        for _ in 0..16 {
            s.spawn(|| {
                for _ in 0..100 {
                    pool.run_on_worker(|| ran.fetch_add(1, Ordering::Relaxed));
                }
            });
        }
    });
    assert_eq!(ran.into_inner(), 1600);
}

#[test]
fn the_smallest_stack_is_large_enough_for_small_code() {
    let _watchdog = watch("workers with small stacks");
    for bytes in [0, 1, 16 << 10, 100_000] {
        let pool = named("small-", 3).stack_size(bytes).build().unwrap();
        pool.run_on_worker(|| {
            let sum = || (0..10_000_u64).into_par_iter().map(|n| n % 3).sum::<u64>();
            assert_eq!((0..100_u64).into_par_iter().map(|_| sum()).sum::<u64>(), 999_900);
            let mut numbers: Vec<u32> = (0..50_000).map(|n: u32| n.wrapping_mul(2_654_435_769)).collect();
            numbers.par_sort();
            assert!(numbers.is_sorted());
            taskel::scope(|s| (0..100).for_each(|_| s.spawn(|_| _ = taskel::join(sum, sum))));
        });
        // Yields upon yields.
        let done = Arc::new(AtomicUsize::new(0));
        pool.run_on_worker(|| {
            for _ in 0..2000 {
                let done = Arc::clone(&done);
                taskel::spawn(move || {
                    taskel::yield_now();
                    done.fetch_add(1, Ordering::Relaxed);
                });
            }
        });
        pool.shutdown();
        assert_eq!(done.load(Ordering::Relaxed), 2000);
    }
}

#[test]
fn shutdown_waits_for_everything() {
    let _watchdog = watch("a shutdown");
    for workers in [1, 2, 8] {
        let exits = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&exits);
        let exit = move |_| {
            count.fetch_add(1, Ordering::Relaxed);
        };
        let pool = named("shut-", workers).exit_handler(exit).build().unwrap();
        let done = Arc::new(AtomicUsize::new(0));
        for _ in 0..20 {
            let done = Arc::clone(&done);
            pool.spawn(move || {
                thread::sleep(Duration::from_millis(1));
                taskel::spawn(move || _ = done.fetch_add(1, Ordering::Relaxed));
            });
        }
        pool.shutdown();
        assert_eq!((done.load(Ordering::Relaxed), exits.load(Ordering::Relaxed)), (20, workers));
        threads::await_count("shut-", 0);
    }
}

#[test]
fn work_cannot_shut_its_own_pool_down() {
    let _watchdog = watch("a shutdown by the pool's own work");
    let pool = Arc::new(named("own-", 2).build().unwrap());
    let own = Arc::clone(&pool);
    let task = pool.submit(move || {
        let last = until_last(own);
        let refused = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| last.shutdown()));
        *refused
            .unwrap_err()
            .downcast::<String>()
            .unwrap_or_else(|text| Box::new(text.downcast_ref::<&str>().unwrap().to_string()))
    });
    drop(pool);
    let refused = task.join();
    assert!(refused.contains("drop the pool instead"), "{refused}");
    threads::await_count("own-", 0);
}

/// Waits until nobody else refers to the pool.
fn until_last(mut pool: Arc<ThreadPool>) -> ThreadPool {
    loop {
        match Arc::try_unwrap(pool) {
            Ok(last) => return last,
            Err(shared) => pool = shared,
        }
        thread::yield_now();
    }
}

/// How some thread comes to run work of a pool which drops the last reference to it.
#[test]
fn any_thread_that_runs_work_of_a_pool_may_drop_it() {
    let _watchdog = watch("the last owner of a pool");
    for workers in [1, 2, 5] {
        // A busy pool, so that whoever joins the task runs it.
        let busy = |prefix| {
            let pool = Arc::new(named(prefix, workers).build().unwrap());
            let (keep, end) = mpsc::channel::<()>();
            let (end, begun) = (Arc::new(Mutex::new(end)), Arc::new(AtomicUsize::new(0)));
            for _ in 0..workers {
                let (end, begun) = (Arc::clone(&end), Arc::clone(&begun));
                pool.spawn(move || {
                    begun.fetch_add(1, Ordering::Relaxed);
                    let _nobody_sends = end.lock().unwrap().recv();
                });
            }
            while begun.load(Ordering::Relaxed) < workers {
                thread::yield_now();
            }
            (pool, keep)
        };
        let last_of = |pool: Arc<ThreadPool>| {
            let last = Arc::clone(&pool);
            let task = pool.submit(move || drop(until_last(last)));
            drop(pool);
            task
        };
        // A thread from outside.
        let (pool, keep) = busy("out-");
        last_of(pool).join();
        drop(keep);
        threads::await_count("out-", 0);
        // A worker of another pool, in a loop.
        let other = named("other-", 2).build().unwrap();
        let (pool, keep) = busy("loop-");
        let tasks = vec![last_of(pool)];
        tasks.into_par_iter().on(&other).for_each(taskel::Task::join);
        drop(keep);
        threads::await_count("loop-", 0);
        // A worker of the pool.
        let pool = Arc::new(named("own-", workers).build().unwrap());
        let owner = Arc::clone(&pool);
        let (sender, ended) = mpsc::channel();
        pool.spawn(move || {
            last_of(owner).join();
            sender.send(()).unwrap();
        });
        drop(pool);
        ended.recv().unwrap();
        threads::await_count("own-", 0);
        // A value that is thrown away, in a loop of the pool that drops it.
        let pool = Arc::new(named("left-", workers).build().unwrap());
        let own = Arc::clone(&pool);
        pool.spawn(move || {
            let owners: Vec<_> = (0..100).map(|_| Arc::clone(&own)).collect();
            drop(own);
            owners.into_par_iter().skip(50).for_each(drop);
        });
        drop(pool);
        threads::await_count("left-", 0);
    }
}

/// It is no work of the pool, so it waits for the threads, whatever surrounds it.
#[test]
fn work_of_another_pool_waits_for_the_threads() {
    let other = named("outer-", 2).build().unwrap();
    let exits = Arc::new(AtomicUsize::new(0));
    for _ in 0..20 {
        let count = Arc::clone(&exits);
        let exit = move |_| {
            thread::sleep(Duration::from_millis(1));
            count.fetch_add(1, Ordering::Relaxed);
        };
        let pool = named("inner-", 2).exit_handler(exit).build().unwrap();
        let before = exits.load(Ordering::Relaxed);
        other.run_on_worker(|| {
            assert_eq!(pool.install(|| (0..100).into_par_iter().count()), 100);
            drop(pool);
            assert_eq!(exits.load(Ordering::Relaxed), before + 2);
        });
    }
}

/// Pools may call each other in circles, also while one of them is being dropped.
#[test]
fn a_pool_may_call_the_pool_whose_work_drops_it() {
    let _watchdog = watch("a pool that is dropped by work of the pool that it calls");
    for calls in
        [|pool: &ThreadPool| pool.run_on_worker(|| ()), |pool: &ThreadPool| _ = pool.broadcast(|_| ())]
    {
        let outer = Arc::new(named("caller-", 1).build().unwrap());
        for _ in 0..20 {
            let called = Arc::clone(&outer);
            outer.run_on_worker(|| {
                let inner = named("called-", 2).build().unwrap();
                inner.spawn(move || {
                    thread::sleep(Duration::from_millis(1));
                    calls(&called);
                });
                drop(inner);
                threads::await_count("called-", 0);
            });
        }
    }
}

/// Two versions would have two global pools, each with a worker for every core.
#[test]
fn a_program_with_two_versions_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, text: String| {
        let file = dir.path().join(name);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
    };
    let package = |name, version, rest: &str| {
        format!("[package]\nname = {name:?}\nversion = {version:?}\nedition = \"2024\"\n{rest}")
    };
    let this = env!("CARGO_MANIFEST_DIR");
    let both = format!(
        "[workspace]\n[dependencies]\ntaskel = {{ path = {this:?} }}\nother = {{ path = \"other\", package = \"taskel\" }}\n"
    );
    write("Cargo.toml", package("program", "0.0.0", &both));
    write("src/main.rs", "fn main() {}".to_owned());
    write("other/Cargo.toml", package("taskel", "99.0.0", "links = \"taskel\"\n"));
    write("other/src/lib.rs", String::new());
    write("other/build.rs", "fn main() {}".to_owned());
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo).args(["tree", "--offline"]).current_dir(dir.path()).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && told.contains("links to the native library `taskel`"), "{told}");
}
