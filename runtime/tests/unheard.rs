//! A cancellation that nobody has a result for is told of once, and any other not at all. Each in a
//! process of its own.
#![cfg(not(target_family = "wasm"))]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::Output;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use taskel::prelude::*;
use taskel::{CancelToken, Cancelled, ThreadPool};

#[path = "support/child.rs"]
mod child;
#[path = "support/watchdog.rs"]
mod watchdog;

const SENTENCE: &str = "parallel work was cancelled before it was complete";

fn pool(threads: usize) -> ThreadPool {
    ThreadPool::builder().num_threads(threads).build().unwrap()
}

/// A loop that is cancelled in the middle, whose sum cannot say so.
fn unheard() -> Box<u64> {
    unheard_after(Duration::ZERO)
}

fn unheard_after(delay: Duration) -> Box<u64> {
    let token = CancelToken::new();
    let cancels = |n: u64| {
        if n == 1000 {
            thread::sleep(delay);
            token.cancel();
        }
        n % 7
    };
    Box::new((0..u64::from(u32::MAX)).into_par_iter().with_cancel_token(&token).map(cancels).sum())
}

fn unheard_at_once() -> Box<u64> {
    let token = CancelToken::new();
    token.cancel();
    Box::new((0..1000_u64).into_par_iter().with_cancel_token(&token).sum())
}

/// So long that another worker comes for what is beside it.
fn a_moment() {
    thread::sleep(Duration::from_millis(20));
}

type Case = (&'static str, fn());

/// Where nobody is left to hear of it.
const TOLD: &[Case] = &[
    ("sum", || drop(unheard())),
    ("sum of nothing", || drop(unheard_at_once())),
    ("one thread", || drop(pool(1).install(unheard))),
    ("four threads", || drop(pool(4).install(unheard))),
    ("collect", || {
        let token = CancelToken::new();
        let stop = |n| {
            if n == 5 {
                token.cancel()
            }
        };
        drop(
            (0..100_000_000_u32)
                .into_par_iter()
                .with_cancel_token(&token)
                .inspect(|&n| stop(n))
                .collect::<Vec<_>>(),
        );
    }),
    ("a foreign error", || {
        let token = CancelToken::new();
        token.cancel();
        let _ = (0..9).into_par_iter().with_cancel_token(&token).try_for_each(|_| Ok::<(), String>(()));
    }),
    ("in a loop", || (0..64).into_par_iter().for_each(|_| assert_ne!(*unheard(), 0))),
    ("in a loop on one thread", || {
        pool(1).install(|| (0..64).into_par_iter().for_each(|_| assert_ne!(*unheard(), 0)));
    }),
    ("in a flat_map", || {
        let token = CancelToken::new();
        let inner = |n: u32| {
            token.cancel();
            (0..n * 1_000_000).into_par_iter()
        };
        assert_ne!((1..64_u32).into_par_iter().with_cancel_token(&token).flat_map(inner).count(), 0);
    }),
    ("on the first side of a join", || drop(taskel::join(unheard, || 1))),
    ("on the other side of a join", || drop(taskel::join(a_moment, unheard))),
    ("in a pool of one thread's join", || drop(pool(1).join(unheard_at_once, || 1))),
    ("in a scope", || taskel::scope(|_| drop(unheard()))),
    ("in a scope's task", || {
        taskel::scope(|s| {
            s.spawn(|_| drop(unheard()));
            a_moment();
        });
    }),
    ("in a broadcast", || drop(pool(3).broadcast(|_| unheard()))),
    ("in a reduction's operator", || {
        let op = |a: u64, b: u64| a + b + *unheard_at_once();
        assert_ne!((0..100_u64).into_par_iter().reduce(|| 0, op), 0);
    }),
    ("in a comparison", || {
        let mut numbers: Vec<u32> = (0..100_000).rev().collect();
        numbers.par_sort_by(|a, b| {
            assert_ne!(*unheard_at_once(), 0);
            a.cmp(b)
        });
    }),
    ("in few comparisons", || {
        let mut numbers = [3, 2, 1];
        numbers.par_sort_by(|a, b| {
            assert_ne!(*unheard_at_once(), 0);
            a.cmp(b)
        });
    }),
    ("in a stream", || drop((0..1000).par_stream().map(|_| unheard()).collect::<Vec<_>>())),
    ("in a stream's sink", || {
        (0..1000).par_stream().for_each_ordered(|_| assert_ne!(*unheard(), 0));
    }),
    ("at the source of a bridge", || {
        assert_ne!((0..1000).map(|_| unheard()).par_bridge().count(), 0);
    }),
    ("in a task", || drop(taskel::submit(unheard).join())),
    ("in a task that a worker has begun", || {
        let (begun, is_begun) = mpsc::channel();
        let task = taskel::submit(move || {
            begun.send(()).unwrap();
            unheard_after(Duration::from_millis(20))
        });
        is_begun.recv().unwrap();
        drop(task.join());
    }),
    ("in a task that was over before", || {
        let task = taskel::submit(unheard_at_once);
        while !task.is_finished() {
            thread::yield_now();
        }
        drop(task.join());
    }),
    ("on a worker", || drop(pool(2).run_on_worker(unheard))),
    ("in a task of a task", || drop(taskel::submit(|| taskel::submit(unheard).join()).join())),
    ("in another pool", || {
        let (outer, inner) = (pool(2), pool(2));
        drop(outer.run_on_worker(|| inner.install(unheard)));
    }),
    ("on a thread", || {
        let ended = thread::spawn(unheard).join();
        assert_eq!(ended.unwrap_err().downcast_ref(), Some(&Cancelled));
        std::process::exit(101);
    }),
    ("on a scoped thread in an item", || {
        let in_thread = |_| {
            thread::scope(|s| {
                let ended = s.spawn(unheard_at_once).join();
                assert!(ended.unwrap_err().is::<Cancelled>());
            });
        };
        (0..1).into_par_iter().for_each(in_thread);
        std::process::exit(101);
    }),
    ("caught outside of everything", || {
        assert!(catch_unwind(unheard).unwrap_err().is::<Cancelled>());
        std::process::exit(101);
    }),
];

/// Where nobody can be told, so that the process is aborted.
const ABORTS: &[Case] = &[
    ("spawn", || {
        taskel::spawn(|| drop(unheard()));
        thread::sleep(Duration::from_secs(60));
    }),
    ("spawn_broadcast", || pool(1).spawn_broadcast(|_| drop(unheard()))),
    ("a detached task", || {
        drop(taskel::submit(|| {
            a_moment();
            unheard()
        }));
        thread::sleep(Duration::from_secs(60));
    }),
    ("a start handler", || {
        drop(ThreadPool::builder().num_threads(1).start_handler(|_| drop(unheard())).build());
    }),
    ("a panic handler", || {
        let pool = ThreadPool::builder().num_threads(1).panic_handler(|_| drop(unheard())).build().unwrap();
        pool.spawn(|| std::panic::resume_unwind(Box::new(1)));
    }),
];

/// Where somebody hears of it, or does not care.
const SILENT: &[Case] = &[
    ("try_for_each", || {
        let token = CancelToken::new();
        let stop = |n: u64| {
            if n == 1000 {
                token.cancel();
            }
            Ok(())
        };
        assert_eq!((0..1 << 40).into_par_iter().with_cancel_token(&token).try_for_each(stop), Err(Cancelled));
    }),
    ("a sum in a try_for_each", || {
        for threads in [1, 4] {
            let pool = pool(threads);
            let token = CancelToken::new();
            let each = |_: u64| {
                let sum: u64 =
                    (0..1000_u64).into_par_iter().with_cancel_token(&token).inspect(|_| token.cancel()).sum();
                assert_ne!(sum, 0);
                Some(())
            };
            let items = (0..1000).into_par_iter().on(&pool);
            assert_eq!(items.with_cancel_token(&token).try_for_each(each), None);
        }
    }),
    ("try_reduce", || {
        let token = CancelToken::new();
        let numbers = (0..1 << 30).into_par_iter().with_cancel_token(&token).inspect(|_| token.cancel());
        let sum = numbers.map(Some).try_reduce(|| 0_u64, |a, b| a.checked_add(b));
        assert_eq!(sum, None);
    }),
    ("tokens", || {
        let token = CancelToken::new();
        let both = token.join(|| token.cancel(), || ());
        assert!(both.is_ok() || both == Err(Cancelled));
        assert_eq!(token.scope(|_| ()), Err(Cancelled));
        assert_eq!(token.check(), Err(Cancelled));
    }),
    ("caught in an item", || {
        let each = |_| assert!(catch_unwind(unheard).is_err());
        pool(2).install(|| (0..2).into_par_iter().with_max_len(1).for_each(each));
    }),
    ("caught in a scope", || {
        taskel::scope(|_| assert!(catch_unwind(AssertUnwindSafe(unheard)).is_err()));
    }),
    ("a task whose result is dropped", || {
        let task = taskel::submit(unheard);
        while !task.is_finished() {
            thread::yield_now();
        }
        drop(task);
    }),
    ("a panic handler that is told", || {
        let (sender, receiver) = mpsc::channel();
        let told =
            move |payload: Box<dyn std::any::Any + Send>| sender.send(payload.is::<Cancelled>()).unwrap();
        let pool = ThreadPool::builder().num_threads(2).panic_handler(told).build().unwrap();
        pool.spawn(|| drop(unheard()));
        pool.spawn_broadcast(|_| drop(unheard()));
        drop(pool);
        assert_eq!(receiver.iter().collect::<Vec<_>>(), [true; 3]);
    }),
];

/// What the child says on its standard error, besides what the test harness does.
fn told(output: &Output) -> usize {
    String::from_utf8_lossy(&output.stderr).matches(SENTENCE).count()
}

/// Runs all of `cases` in children, as `test`, or the one that this process is for.
#[track_caller]
fn run(test: &'static str, cases: &[Case], check: impl Fn(&str, &Output)) {
    let _watchdog = watchdog::watch(test);
    let Some(asked) = child::case() else {
        assert!(!cases.is_empty());
        return cases.iter().for_each(|&(case, _)| check(case, &child::run(test, case)));
    };
    let case = cases.iter().find(|&&(case, _)| case == asked).expect("such a case").1;
    // On a thread whose panic nobody catches, as the harness would.
    thread::spawn(move || {
        case();
        std::process::exit(0);
    })
    .join()
    .unwrap_err();
    std::process::exit(101);
}

#[test]
fn what_nobody_hears_of_is_told_of_once() {
    run("what_nobody_hears_of_is_told_of_once", TOLD, |case, output| {
        assert_eq!((output.status.code(), told(output)), (Some(101), 1), "{case}: {output:?}");
    });
}

#[test]
fn what_aborts_tells_why_first() {
    run("what_aborts_tells_why_first", ABORTS, |case, output| {
        assert_eq!((output.status.code(), told(output)), (None, 1), "{case}: {output:?}");
    });
}

#[test]
fn what_somebody_hears_of_is_not_told_of() {
    run("what_somebody_hears_of_is_not_told_of", SILENT, |case, output| {
        assert_eq!((output.status.code(), output.stderr.len()), (Some(0), 0), "{case}: {output:?}");
    });
}
