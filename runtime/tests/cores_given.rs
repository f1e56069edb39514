//! A process that was given less than the machine: one core, a quota of processor time, cores that
//! change while its pools live.
//!
//! The tests start this program again, under `taskset` or in a control group that they make. Where
//! they may not make one, they say so and are left out.
#![cfg(target_os = "linux")]

use std::io::Write;
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use std::{env, io, mem, thread};

use taskel::prelude::*;
use taskel::{Pinning, ThreadPool};

#[path = "support/child.rs"]
mod child;
#[path = "support/control_group.rs"]
mod control_group;
#[path = "support/watchdog.rs"]
mod watchdog;

use control_group::Group;

/// The cores that the calling thread may run on.
fn mask() -> Vec<usize> {
    // SAFETY: all zeros is the empty set.
    let mut set: libc::cpu_set_t = unsafe { mem::zeroed() };
    // SAFETY: the kernel writes at most as many bytes as the set has.
    let status = unsafe { libc::sched_getaffinity(0, size_of_val(&set), &mut set) };
    assert_eq!(status, 0, "{}", io::Error::last_os_error());
    // SAFETY: every index is below the size of the set.
    (0..libc::CPU_SETSIZE as usize).filter(|&core| unsafe { libc::CPU_ISSET(core, &set) }).collect()
}

fn list(cores: &[usize]) -> String {
    cores.iter().map(usize::to_string).collect::<Vec<_>>().join(",")
}

fn parallelism() -> usize {
    thread::available_parallelism().unwrap().get()
}

/// How many threads code may run at once, asked in all the ways in which a program asks.
fn seen() -> [usize; 6] {
    let nproc = Command::new("nproc").output().unwrap();
    [
        parallelism(),
        thread::spawn(parallelism).join().unwrap(),
        String::from_utf8(nproc.stdout).unwrap().trim().parse().unwrap(),
        ThreadPool::new().unwrap().current_num_threads(),
        thread::spawn(taskel::current_num_threads).join().unwrap(),
        rayon::current_num_threads(),
    ]
}

/// What a worker sees, of whatever kind of pool, is what the process has.
fn workers_see_what_the_process_has() {
    let here = mask();
    let nproc = || String::from_utf8(Command::new("nproc").output().unwrap().stdout).unwrap();
    let nproc: usize = nproc().trim().parse().unwrap();
    let all = parallelism();
    let pool = ThreadPool::new().unwrap();
    assert_eq!(pool.current_num_threads(), all);
    assert_eq!(pool.run_on_worker(seen), [all, all, nproc, all, all, all]);
    assert_eq!(pool.run_on_worker(mask), here);
    let pinned = ThreadPool::builder().pinning(Pinning::Cores).build().unwrap();
    assert_eq!(pinned.current_num_threads(), all);
    assert_eq!(pinned.run_on_worker(|| taskel::unpinned(seen)), [all, all, nproc, all, all, all]);
    assert_eq!(pinned.run_on_worker(|| taskel::unpinned(mask)), here);
    assert_eq!(pinned.run_on_worker(mask).len(), 1);
}

/// Work of each of two pools, and of a third with more workers than there are cores, is done at the
/// same time.
fn several_pools_do_their_work() {
    let mut pools: Vec<_> = (0..2).map(|_| ThreadPool::new().unwrap()).collect();
    pools.push(ThreadPool::builder().num_threads(5).build().unwrap());
    let came = AtomicUsize::new(0);
    thread::scope(|s| {
        for pool in &pools {
            s.spawn(|| {
                let sum = pool.install(|| (0..1_000_000_u64).into_par_iter().sum::<u64>());
                assert_eq!(sum, 499_999_500_000);
                // None waits for another one's core.
                pool.run_on_worker(|| {
                    came.fetch_add(1, Ordering::Relaxed);
                    while came.load(Ordering::Relaxed) < pools.len() {
                        thread::yield_now();
                    }
                });
            });
        }
    });
}

fn succeeds(output: &Output) {
    assert!(output.status.success(), "{output:?}");
}

#[test]
fn with_one_core() {
    const TEST: &str = "with_one_core";
    if child::case().is_some() {
        let _watchdog = watchdog::watch("a process with one core");
        assert_eq!((mask().len(), parallelism()), (1, 1));
        workers_see_what_the_process_has();
        return several_pools_do_their_work();
    }
    for core in mask() {
        let mut program = Command::new("taskset");
        program.args(["-c", &core.to_string()]).arg(env::current_exe().unwrap());
        succeeds(&child::as_case(&mut program, TEST, "taskset").output().unwrap());
        let (core, nodes) = (core.to_string(), "0".to_owned());
        let settings: [&[(&str, &str)]; 2] =
            [&[("cpuset.cpus", &core)], &[("cpuset.cpus", &core), ("cpuset.mems", &nodes)]];
        let Some(group) = Group::new("one-core", "cpuset", settings) else { continue };
        succeeds(&group.run(TEST, |program| _ = child::with_case(program, "group")));
    }
}

/// A tenth of a second's processor time in each.
#[test]
fn with_a_quota_of_one_core() {
    const TEST: &str = "with_a_quota_of_one_core";
    if child::case().is_some() {
        let _watchdog = watchdog::watch("a process with a quota");
        assert_eq!(parallelism(), 1, "the standard library reads the quota");
        workers_see_what_the_process_has();
        return several_pools_do_their_work();
    }
    let v1: &[(&str, &str)] = &[("cpu.cfs_period_us", "100000"), ("cpu.cfs_quota_us", "100000")];
    let Some(group) = Group::new("quota", "cpu", [&[("cpu.max", "100000 100000")], v1]) else { return };
    succeeds(&group.run(TEST, |program| _ = child::with_case(program, "quota")));
}

/// More workers than the quota has processor time for: they are stopped for most of each tenth of a
/// second, at any moment, and lose nothing.
#[test]
fn workers_that_a_quota_stops_now_and_then_lose_nothing() {
    const TEST: &str = "workers_that_a_quota_stops_now_and_then_lose_nothing";
    if child::case().is_some() {
        let _watchdog = watchdog::watch("workers that are stopped");
        let pool = ThreadPool::builder().num_threads(4).build().unwrap();
        let begin = Instant::now();
        while begin.elapsed() < Duration::from_millis(1500) {
            let sums = pool.install(|| {
                let sum = (0..200_000_u64).into_par_iter().map(std::hint::black_box).sum::<u64>();
                let (a, b) = taskel::join(|| 1, || 2);
                let stream: u64 = (0..2000).par_stream().max_in_flight(16).map(|n| n).sum();
                sum + a + b + stream
            });
            assert_eq!(sums, 19_999_900_000 + 3 + 1_999_000);
        }
        return;
    }
    let v1: &[(&str, &str)] = &[("cpu.cfs_period_us", "100000"), ("cpu.cfs_quota_us", "30000")];
    let Some(group) = Group::new("stopped", "cpu", [&[("cpu.max", "30000 100000")], v1]) else { return };
    succeeds(&group.run(TEST, |program| _ = child::with_case(program, "stopped")));
}

/// Has the group's cores changed by the test that has started this one.
fn ask_for(cores: &str) {
    println!("\nGIVE {cores}");
    io::stdout().flush().unwrap();
    let mut answer = String::new();
    io::stdin().read_line(&mut answer).unwrap();
    assert_eq!(answer, "given\n");
}

/// Pools of all kinds that were made before a change do their work after it, and what is made then
/// has the cores that are left.
fn pools_follow(all: &[usize]) {
    let (first, last) = (all[0], all[all.len() - 1]);
    let kinds = [Pinning::Auto, Pinning::Cores, Pinning::Off, Pinning::Explicit(vec![first, last])];
    let pools = kinds.map(|pinning| ThreadPool::builder().pinning(pinning).build().unwrap());
    let work = || {
        for pool in &pools {
            let sum =
                pool.install(|| (0..300_000_u64).into_par_iter().map(std::hint::black_box).sum::<u64>());
            assert_eq!(sum, 44_999_850_000);
            let sleepers = pool.current_num_threads() as u64 * 2;
            pool.install(|| {
                (0..sleepers).into_par_iter().for_each(|_| thread::sleep(Duration::from_millis(1)));
            });
            assert_eq!(pool.broadcast(|context| context.index()).len(), pool.current_num_threads());
        }
    };
    work();
    for left in [last, first, last] {
        ask_for(&left.to_string());
        assert_eq!(mask(), [left]);
        work();
        for pool in &pools {
            assert_eq!(pool.run_on_worker(mask), [left]);
            assert_eq!(pool.run_on_worker(|| taskel::unpinned(mask)), [left]);
        }
        let pool = ThreadPool::new().unwrap();
        assert_eq!(pool.current_num_threads(), 1);
        assert_eq!(pool.run_on_worker(parallelism), 1);
        let pinned = ThreadPool::builder().pinning(Pinning::Cores).build().unwrap();
        assert_eq!(pinned.run_on_worker(mask), [left]);
        let other = all.iter().find(|&&core| core != left).copied().unwrap();
        let refused = ThreadPool::builder().pinning(Pinning::Explicit(vec![other])).build().unwrap_err();
        assert!(refused.to_string().contains(&format!("core {other}")), "{refused}");
        // Others come back.
        ask_for(&list(all));
        work();
        let pool = ThreadPool::new().unwrap();
        assert_eq!((pool.current_num_threads(), pool.run_on_worker(mask)), (all.len(), all.to_vec()));
    }
}

#[test]
fn with_cores_that_change_while_pools_live() {
    const TEST: &str = "with_cores_that_change_while_pools_live";
    if let Some(case) = child::case() {
        let _watchdog = watchdog::watch("pools whose cores change");
        let all: Vec<usize> = case.split(',').map(|core| core.parse().unwrap()).collect();
        assert_eq!(mask(), all);
        return pools_follow(&all);
    }
    let all = mask();
    if all.len() < 2 {
        return eprintln!("left out, since there is one core only");
    }
    let all = list(&all);
    let settings: [&[(&str, &str)]; 2] =
        [&[("cpuset.cpus", &all)], &[("cpuset.cpus", &all), ("cpuset.mems", "0")]];
    let Some(group) = Group::new("changing", "cpuset", settings) else { return };
    let mut program = group.program(TEST);
    child::with_case(&mut program, &all).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut running = program.spawn().unwrap();
    let (mut to, from) = (running.stdin.take().unwrap(), running.stdout.take().unwrap());
    let mut told = String::new();
    for line in io::BufRead::lines(io::BufReader::new(from)) {
        let line = line.unwrap();
        if let Some((_, cores)) = line.split_once("GIVE ") {
            group.set("cpuset.cpus", cores).unwrap();
            to.write_all(b"given\n").unwrap();
        }
        told += &(line + "\n");
    }
    let status = running.wait().unwrap();
    assert!(status.success(), "{told}");
}
