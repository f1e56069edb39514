//! A pool without work: does it use the processor, or wake up?
//!
//! What the kernel counts for each worker thread must stand still for a second. Nothing is timed.

#![cfg(target_os = "linux")] // which counts what each thread does, where a test can read it

use std::fs;
use std::path::Path;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use taskel::prelude::*;
use taskel::{IdlePolicy, ThreadPool};

#[path = "support/threads.rs"]
mod threads;

/// What the kernel has counted for a thread.
#[derive(Debug, PartialEq)]
struct Counts {
    /// Neither on a processor nor waiting for one.
    asleep: bool,
    /// Clock ticks, of 10 ms each, on a processor.
    ticks: u64,
    /// How often it was put on a processor, which is once per wake-up and once per preemption.
    switches: u64,
}

impl Counts {
    fn of(task: &Path) -> Counts {
        let stat = fs::read_to_string(task.join("stat")).unwrap();
        // The name, in parentheses, may contain anything; the state comes next, and user and system
        // time 11 fields later.
        let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
        let status = fs::read_to_string(task.join("status")).unwrap();
        let switches =
            status.lines().filter_map(|line| line.split_once("ctxt_switches:")).map(|(_, n)| n.trim());
        Counts {
            asleep: fields[0] == "S",
            ticks: fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap(),
            switches: switches.map(|n| n.parse::<u64>().unwrap()).sum(),
        }
    }
}

fn counts(tasks: &[impl AsRef<Path>]) -> Vec<Counts> {
    tasks.iter().map(|task| Counts::of(task.as_ref())).collect()
}

/// Waits until the counts stand still for a moment: the workers have finished their part, searched,
/// and gone to sleep.
#[track_caller]
fn await_quiet(tasks: &[impl AsRef<Path>]) {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let before = counts(tasks);
        thread::sleep(Duration::from_millis(50));
        if before.iter().all(|thread| thread.asleep) && counts(tasks) == before {
            return;
        }
        assert!(Instant::now() < deadline, "never quiet: {:?}", counts(tasks));
    }
}

#[track_caller]
fn check(policy: IdlePolicy, prefix: &'static str) {
    let builder = ThreadPool::builder().num_threads(4).idle(policy);
    let pool = builder.thread_name(move |worker| format!("{prefix}{worker}")).build().unwrap();
    threads::await_count(prefix, 4);
    let tasks = threads::named(prefix);
    let work = || {
        // Short gaps between loops teach the workers to expect another.
        for _ in 0..200 {
            assert_eq!((0..20_000_u64).into_par_iter().on(&pool).sum::<u64>(), 199_990_000);
        }
    };
    for _ in 0..2 {
        work();
        await_quiet(&tasks);
        let (before, metrics) = (counts(&tasks), pool.metrics().total());
        thread::sleep(Duration::from_secs(1));
        assert_eq!(counts(&tasks), before, "{policy:?}");
        assert_eq!(pool.metrics().total(), metrics, "{policy:?}");
    }
    work();
}

#[test]
fn adaptive() {
    check(IdlePolicy::Adaptive, "adaptive-");
}

#[test]
fn park() {
    check(IdlePolicy::Park, "park-");
}

#[test]
fn spin_for_a_millisecond() {
    check(IdlePolicy::SpinFor(Duration::from_millis(1)), "spin-");
}

/// Waits until the workers have parked more often than `before`.
#[track_caller]
fn await_park(pool: &ThreadPool, before: u64) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while pool.metrics().total().parks() <= before {
        assert!(Instant::now() < deadline, "never parked");
        thread::sleep(Duration::from_millis(1));
    }
}

/// Between two pieces of work, the worker of a hot pool does not park; of one that has cooled down,
/// it does each time.
#[test]
fn a_hot_pool() {
    for policy in [IdlePolicy::Park, IdlePolicy::Adaptive, IdlePolicy::SpinFor(Duration::ZERO)] {
        let pool = ThreadPool::builder().num_threads(1).idle(policy).build().unwrap();
        let piece = || {
            let (sender, receiver) = mpsc::channel();
            pool.spawn(move || sender.send(()).unwrap());
            receiver.recv().unwrap();
            // Longer than an adaptive worker spins.
            thread::sleep(Duration::from_millis(1));
        };
        await_park(&pool, 0);
        let (hot, hotter) = (pool.keep_hot(), pool.keep_hot());
        piece();
        let begun = pool.metrics().total();
        (0..30).for_each(|_| piece());
        drop(hotter);
        (0..30).for_each(|_| piece());
        let total = pool.metrics().total();
        assert_eq!((total.parks(), total.wakeups()), (begun.parks(), begun.wakeups()), "{policy:?}, hot");
        drop(hot);
        await_park(&pool, total.parks());
        for _ in 0..5 {
            let before = pool.metrics().total();
            piece();
            await_park(&pool, before.parks());
            assert!(pool.metrics().total().wakeups() > before.wakeups(), "{policy:?}, cool");
        }
    }
}

/// A pool that was never used is as quiet.
#[test]
fn a_new_pool() {
    let pool = ThreadPool::builder().num_threads(3).thread_name(|n| format!("new-{n}")).build().unwrap();
    threads::await_count("new-", 3);
    let tasks = threads::named("new-");
    await_quiet(&tasks);
    let before = counts(&tasks);
    thread::sleep(Duration::from_secs(1));
    assert_eq!(counts(&tasks), before);
    assert_eq!(pool.install(|| (0..1000).into_par_iter().count()), 1000);
}

/// A scope that ended while others had been invited to it, and were busy, leaves nothing to look
/// at.
#[test]
fn after_scopes_that_nobody_came_to() {
    let pool = ThreadPool::builder().num_threads(2).thread_name(|n| format!("scope-{n}")).build().unwrap();
    threads::await_count("scope-", 2);
    let tasks = threads::named("scope-");
    let (let_go, blocked) = std::sync::mpsc::channel::<()>();
    pool.spawn(move || blocked.recv().unwrap());
    for _ in 0..1000 {
        pool.submit(|| taskel::scope(|s| s.spawn(|_| ()))).join();
        pool.scope(|s| s.spawn(|_| ()));
    }
    await_quiet(&tasks);
    let before = counts(&tasks);
    thread::sleep(Duration::from_secs(1));
    assert_eq!(counts(&tasks), before);
    let_go.send(()).unwrap();
}
