//! A pool with a memory guard, in a control group of 1 GiB: what would be killed is done.
//!
//! The tests start this program again, in a group that they make. Where they may not make one, they
//! say so and are left out.
#![cfg(target_os = "linux")]

use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::thread;
use std::time::Duration;

use taskel::prelude::*;
use taskel::{MemoryBudget, MemoryGuard, ThreadPool, ThreadPoolBuilder};

#[path = "support/control_group.rs"]
mod control_group;

use control_group::Group;

const LIMIT: u64 = 1 << 30;
const ITEMS: usize = 64;
/// Of the variants.
const FEW: usize = 15;
const ITEM_BYTES: usize = 200 << 20;
const WORKERS: usize = 8;

/// What the child is to do, in its environment.
const PART: &str = "TASKEL_TEST_MEMORY_PART";

/// A control group with this test's limit, if one can be made.
fn group(name: &str) -> Option<Group> {
    let limit = LIMIT.to_string();
    let group =
        Group::new(name, "memory", [&[("memory.max", &limit)], &[("memory.limit_in_bytes", &limit)]])?;
    // Swap would only make it slow. Some systems have none of it, or do not count it.
    let _none = [group.set("memory.swap.max", "0"), group.set("memory.swappiness", "0")];
    Some(group)
}

/// Runs a part of this program in the group.
fn run(group: &Group, part: &str) -> (ExitStatus, String) {
    let output = group.run("in_the_group", |program| _ = program.env(PART, part));
    let text = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
    (output.status, text.concat())
}

/// The child's part.
#[test]
fn in_the_group() {
    let Ok(part) = std::env::var(PART) else { return };
    let budget = MemoryBudget::detect().unwrap();
    // Not a byte outside of the group.
    assert_eq!(budget.limit(), Some(LIMIT), "{budget:?}");
    assert!(budget.available() <= LIMIT && budget.available() > LIMIT / 2, "{budget:?}");
    let workers = if part == "alone" { 1 } else { WORKERS };
    let mut builder = ThreadPoolBuilder::new().num_threads(workers);
    if part.starts_with("guarded") {
        builder = builder.memory_guard(MemoryGuard::new());
    }
    let pool = builder.build().unwrap();
    let ((), profile) = pool.profile(|| match part.as_str() {
        "guarded, with a state" => {
            (0..FEW).into_par_iter().map_init(|| (), |(), _| hold(ITEM_BYTES)).for_each(drop);
        }
        "guarded, with inner loops" => (0..FEW / 3).into_par_iter().for_each(|_| {
            (0..3).into_par_iter().for_each(|_| hold(ITEM_BYTES));
        }),
        "guarded, in a scope" => taskel::scope(|scope| {
            (0..FEW).for_each(|_| scope.spawn(|_| hold(ITEM_BYTES)));
        }),
        _ => (0..ITEMS).into_par_iter().for_each(|_| hold(ITEM_BYTES)),
    });
    let held: Duration = profile.workers().iter().map(|worker| worker.held_back()).sum();
    assert_eq!(part.starts_with("guarded"), held > Duration::ZERO, "{profile}");
    assert_eq!(pool.metrics().total().held_back(), held);
    println!("{profile}");
    println!("took {:?}", profile.wall_time());
}

/// Takes memory, for 50 ms.
fn hold(bytes: usize) {
    let memory = vec![1_u8; bytes];
    thread::sleep(Duration::from_millis(50));
    assert_eq!(std::hint::black_box(&memory)[bytes - 1], 1);
}

#[test]
fn a_loop_that_takes_too_much_is_killed_without_a_guard_and_done_with_one() {
    let Some(group) = group("loop") else { return };
    let (status, text) = run(&group, "unguarded");
    assert_eq!(status.signal(), Some(9), "{status}\n{text}");
    let (status, text) = run(&group, "guarded");
    assert!(status.success(), "{status}\n{text}");
    println!("{text}");
}

#[test]
fn other_work_that_takes_too_much_is_done_with_a_guard() {
    let Some(group) = group("other") else { return };
    for part in ["guarded, with a state", "guarded, with inner loops", "guarded, in a scope"] {
        let (status, text) = run(&group, part);
        assert!(status.success(), "{part}: {status}\n{text}");
        println!("{part}\n{text}");
    }
}

/// A pool that is always under pressure; `None` where the system does not tell.
fn pressed() -> Option<ThreadPool> {
    MemoryBudget::detect().ok()?;
    let guard = MemoryGuard::new().most_used(1e-9);
    Some(ThreadPoolBuilder::new().num_threads(4).memory_guard(guard).build().unwrap())
}

fn nap() {
    thread::sleep(Duration::from_millis(2));
}

#[test]
fn under_pressure_each_caller_is_alone_and_everything_is_done() {
    let Some(pool) = pressed() else { return };
    let here = thread::current().id();
    let alone = || {
        nap();
        assert_eq!(thread::current().id(), here);
    };
    pool.install(|| {
        (0..50).into_par_iter().for_each(|_| alone());
        (0..5).into_par_iter().for_each(|_| (0..5).into_par_iter().for_each(|_| alone()));
        taskel::join(alone, || taskel::join(alone, alone));
        taskel::scope(|scope| (0..50).for_each(|_| scope.spawn(|_| alone())));
        (0..20).par_bridge().for_each(|_| alone());
        (0..20).par_stream().map(|_| alone()).for_each_unordered(drop);
    });
    assert!(pool.metrics().total().held_back() > Duration::ZERO);
}

#[test]
fn under_pressure_workers_do_what_has_no_caller_and_what_needs_every_worker() {
    let Some(pool) = pressed() else { return };
    let sums = pool.install(|| {
        (0..6_u64)
            .into_par_iter()
            .map(|n| {
                nap();
                let theirs = pool.broadcast(|context| context.index() as u64).into_iter().sum::<u64>();
                theirs + pool.submit(move || n).join() + pool.run_on_worker(|| 1)
            })
            .sum::<u64>()
    });
    assert_eq!(sums, 6 * (6 + 1) + 15);
    let (sender, receiver) = std::sync::mpsc::channel();
    // Each waits for the next, so all workers are needed.
    let barrier = std::sync::Arc::new(std::sync::Barrier::new(4));
    for n in 0..4 {
        let (sender, barrier) = (sender.clone(), barrier.clone());
        pool.spawn(move || {
            barrier.wait();
            sender.send(n).unwrap();
        });
    }
    assert_eq!(receiver.iter().take(4).sum::<i32>(), 6);
    pool.shutdown();
}

#[test]
#[ignore = "takes a quarter of a minute, for a figure to compare with"]
fn the_same_loop_on_one_thread() {
    let Some(group) = group("alone") else { return };
    let (status, text) = run(&group, "alone");
    assert!(status.success(), "{status}\n{text}");
    println!("{text}");
}
