//! Does each worker run where it should, and only on cores that the process was given?

#![cfg(target_os = "linux")] // Windows has tests of its own: `pinning_windows`

use std::collections::BTreeMap;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::Duration;
use std::{env, io, mem, thread};

use taskel::prelude::*;
use taskel::{Pinning, ThreadPool};

#[path = "support/child.rs"]
mod child;

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

/// Lets the calling thread, and those that it starts, run on `cores` alone.
fn set_mask(cores: &[usize]) -> io::Result<()> {
    // SAFETY: all zeros is the empty set.
    let mut set: libc::cpu_set_t = unsafe { mem::zeroed() };
    for &core in cores {
        // SAFETY: the core came out of a set of this size.
        unsafe { libc::CPU_SET(core, &mut set) };
    }
    // SAFETY: the kernel reads as many bytes as the set has.
    let status = unsafe { libc::sched_setaffinity(0, size_of_val(&set), &set) };
    if status == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Where each worker of such a pool may run, and where it was when it looked.
fn workers(threads: usize, pinning: Pinning) -> BTreeMap<usize, (Vec<usize>, usize)> {
    let (sender, found) = mpsc::channel();
    let report = move |worker| {
        // SAFETY: takes no argument and touches no memory of ours.
        let core = unsafe { libc::sched_getcpu() } as usize;
        sender.send((worker, (mask(), core))).unwrap();
    };
    let builder = ThreadPool::builder().num_threads(threads).pinning(pinning).start_handler(report);
    let pool = builder.build().unwrap();
    assert_eq!(pool.install(|| (0..10_000).into_par_iter().sum::<u32>()), 49_995_000);
    // Whatever happens to the workers, the caller stays where it may be.
    let here = mask();
    drop(pool);
    assert_eq!(mask(), here);
    found.iter().collect()
}

#[track_caller]
fn assert_on(workers: &BTreeMap<usize, (Vec<usize>, usize)>, cores: impl IntoIterator<Item = usize>) {
    let expected: Vec<_> = cores.into_iter().map(|core| (vec![core], core)).collect();
    assert!(workers.values().eq(&expected), "{workers:?}");
}

fn assert_free(workers: &BTreeMap<usize, (Vec<usize>, usize)>) {
    let usable = mask();
    assert!(workers.values().all(|(mask, core)| *mask == usable && usable.contains(core)), "{workers:?}");
}

#[test]
fn cores_in_turn() {
    let usable = mask();
    for threads in [1, usable.len(), 2 * usable.len() + 1] {
        assert_on(&workers(threads, Pinning::Cores), usable.iter().copied().cycle().take(threads));
    }
}

#[test]
fn cores_by_name() {
    let usable = mask();
    let (first, last) = (usable[0], usable[usable.len() - 1]);
    let backwards: Vec<usize> = usable.iter().rev().copied().collect();
    assert_on(&workers(0, Pinning::Explicit(backwards.clone())), backwards);
    assert_on(&workers(3, Pinning::Explicit(vec![last, last, first])), [last, last, first]);
    // More cores than workers: the first ones count.
    assert_on(&workers(1, Pinning::Explicit(vec![last, first])), [last]);
}

/// However many there are, they keep the mask of the process.
#[test]
fn automatically() {
    let usable = mask();
    for threads in 1..=usable.len() + 1 {
        assert_free(&workers(threads, Pinning::Auto));
    }
}

#[test]
fn not_at_all() {
    assert_free(&workers(mask().len(), Pinning::Off));
    assert_free(&workers(5, Pinning::Off));
}

/// A process that was started on one core, as by `taskset`, has a pool of one worker on that core.
#[test]
fn a_process_that_was_given_one_core() {
    const GIVEN: &str = "TASKEL_TEST_GIVEN_CORE";
    let Ok(given) = env::var(GIVEN) else {
        for core in mask() {
            let mut child = Command::new(env::current_exe().unwrap());
            child.args(["--exact", "a_process_that_was_given_one_core"]).env(GIVEN, core.to_string());
            // SAFETY: between fork and exec the closure makes one system call and allocates
            // nothing.
            let child = unsafe { child.pre_exec(move || set_mask(&[core])) };
            let output = child.output().unwrap();
            assert!(output.status.success(), "core {core}: {}", String::from_utf8_lossy(&output.stdout));
        }
        return;
    };
    let given: usize = given.parse().unwrap();
    assert_eq!(mask(), [given]);
    assert_eq!(ThreadPool::new().unwrap().current_num_threads(), 1);
    assert_eq!(taskel::current_num_threads(), 1, "the global pool");
    assert_on(&workers(0, Pinning::Auto), [given]);
    assert_on(&workers(3, Pinning::Cores), [given; 3]);
    // Any other core is refused, and the message says which one is left.
    let other = given + 1;
    let refused = ThreadPool::builder().pinning(Pinning::Explicit(vec![other])).build();
    let message = refused.unwrap_err().to_string();
    assert!(
        message.contains(&format!("core {other}")) && message.contains(&format!("[{given}]")),
        "{message}"
    );
}

/// How many cores code may use, asked in all the ways in which a program asks.
fn cores_seen() -> [usize; 5] {
    let nproc = Command::new("nproc").output().unwrap();
    let parallelism = || thread::available_parallelism().unwrap().get();
    [
        parallelism(),
        thread::spawn(parallelism).join().unwrap(),
        String::from_utf8(nproc.stdout).unwrap().trim().parse().unwrap(),
        ThreadPool::new().unwrap().current_num_threads(),
        thread::spawn(taskel::current_num_threads).join().unwrap(),
    ]
}

/// Threads, programs and pools that begin in a worker inherit where it may run. The global pool is
/// first touched there.
#[test]
fn what_is_started_in_a_worker_has_all_cores_of_the_process() {
    const TEST: &str = "what_is_started_in_a_worker_has_all_cores_of_the_process";
    let outside = thread::available_parallelism().unwrap().get();
    match child::case().as_deref() {
        Some("placed") => {
            let pool = ThreadPool::new().unwrap();
            assert_eq!(pool.run_on_worker(cores_seen), [outside; 5]);
            let rayon = pool.run_on_worker(rayon::current_num_threads);
            return println!("\nSAID {}", rayon == outside);
        }
        Some("pinned") => {
            let pool = ThreadPool::builder().pinning(taskel::Pinning::Cores).build().unwrap();
            let (pinned, free) =
                pool.run_on_worker(|| (thread::available_parallelism(), taskel::unpinned(cores_seen)));
            assert_eq!((pinned.unwrap().get(), free), (1, [outside; 5]));
            // A pool of ours knows better than its thread.
            let pools = pool.run_on_worker(|| ThreadPool::new().unwrap().current_num_threads());
            return println!("\nSAID {}", pools == outside);
        }
        _ => (),
    }
    for case in ["placed", "pinned"] {
        assert_eq!(child::said(TEST, case, &[]), "true", "{case}");
        // A process that has one core.
        let mut program = Command::new("taskset");
        program.args(["-c", "0"]).arg(std::env::current_exe().unwrap());
        let output = child::as_case(&mut program, TEST, case).output().unwrap();
        assert!(String::from_utf8_lossy(&output.stdout).contains("SAID true"), "{case}: {output:?}");
    }
}

/// Work of each of several pools goes to a core of its own, as long as there are cores, however
/// busy the machine is. Threads that compute on all cores make it busy: without them the system
/// finds the quiet cores by itself. It may move a worker at any moment, so a few rounds may fail,
/// and one process in five.
#[test]
fn one_piece_of_work_in_each_of_several_pools_has_a_core_of_its_own() {
    const TEST: &str = "one_piece_of_work_in_each_of_several_pools_has_a_core_of_its_own";
    const ROUNDS: usize = 40;
    let cores = thread::available_parallelism().unwrap().get();
    if child::case().is_some() {
        let pools: Vec<_> = (0..cores).map(|_| ThreadPool::new().unwrap()).collect();
        let on_own_cores = || {
            let (sender, receiver) = mpsc::channel();
            let came = AtomicUsize::new(0);
            thread::scope(|s| {
                for pool in &pools {
                    let (sender, came) = (sender.clone(), &came);
                    s.spawn(move || {
                        pool.run_on_worker(|| {
                            // At once: a moment later the system may have moved it, when other
                            // programs run. SAFETY: takes no argument and touches no memory of
                            // ours.
                            sender.send(unsafe { libc::sched_getcpu() }).unwrap();
                            came.fetch_add(1, Ordering::Relaxed);
                            // At work, not asleep, until all have come.
                            while came.load(Ordering::Relaxed) < cores {
                                std::hint::spin_loop();
                            }
                        });
                    });
                }
            });
            drop(sender);
            let mut used: Vec<_> = receiver.iter().collect();
            used.sort_unstable();
            used.dedup();
            used.len() == cores
        };
        let done = &AtomicBool::new(false);
        let good = thread::scope(|s| {
            for _ in 0..cores {
                s.spawn(|| while !done.load(Ordering::Relaxed) {});
            }
            let rounds = (0..ROUNDS).filter(|_| {
                thread::sleep(Duration::from_millis(2));
                on_own_cores()
            });
            let good = rounds.count();
            done.store(true, Ordering::Relaxed);
            good
        });
        return println!("\nSAID {good}");
    }
    let said: Vec<usize> = (0..5).map(|_| child::said(TEST, "pools", &[]).parse().unwrap()).collect();
    let good = said.iter().filter(|&&good| good * 10 >= ROUNDS * 9).count();
    assert!(good >= 4, "of {ROUNDS} rounds on cores of their own: {said:?}");
}
