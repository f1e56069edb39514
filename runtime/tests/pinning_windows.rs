//! Windows: does each worker run where it should, and only on cores that the process was given?
//! What it starts is not confined.

#![cfg(windows)]

use std::ffi::c_void;
use std::sync::mpsc;
use std::{io, process::Command, thread};

use taskel::prelude::*;
use taskel::{Pinning, ThreadPool};

#[path = "support/child.rs"]
mod child;

type Handle = *mut c_void;

/// A set of cores of one processor group.
type Mask = usize;

#[link(name = "kernel32")]
unsafe extern "system" {
    safe fn GetCurrentProcess() -> Handle;
    safe fn GetCurrentThread() -> Handle;
    safe fn GetCurrentProcessorNumber() -> u32;
    fn GetProcessAffinityMask(process: Handle, of_process: *mut Mask, of_system: *mut Mask) -> i32;
    fn SetProcessAffinityMask(process: Handle, mask: Mask) -> i32;
    fn SetThreadAffinityMask(thread: Handle, mask: Mask) -> Mask;
}

/// The cores that this process may run on.
fn mask_of_process() -> Mask {
    let (mut of_process, mut of_system) = (0, 0);
    // SAFETY: the handle is this process's, and both pointers are to masks.
    let status =
        unsafe { GetProcessAffinityMask(GetCurrentProcess(), &raw mut of_process, &raw mut of_system) };
    assert_ne!(status, 0, "{}", io::Error::last_os_error());
    of_process
}

/// Lets this process run on `mask` alone.
fn set_mask_of_process(mask: Mask) {
    // SAFETY: the handle is this process's; the call takes a number and touches no memory of ours.
    let status = unsafe { SetProcessAffinityMask(GetCurrentProcess(), mask) };
    assert_ne!(status, 0, "{}", io::Error::last_os_error());
}

/// The cores that the calling thread may run on.
fn mask_of_thread() -> Mask {
    let set = |mask| {
        // SAFETY: the handle is this thread's; the call takes a number and touches no memory of
        // ours.
        let before = unsafe { SetThreadAffinityMask(GetCurrentThread(), mask) };
        assert_ne!(before, 0, "{}", io::Error::last_os_error());
        before
    };
    // There is no function that asks.
    let mask = set(mask_of_process());
    set(mask);
    mask
}

fn cores_of(mask: Mask) -> Vec<usize> {
    (0..Mask::BITS as usize).filter(|core| mask >> core & 1 == 1).collect()
}

/// Where each worker of such a pool may run, and where it was when it looked.
fn workers(threads: usize, pinning: Pinning) -> Vec<(Mask, usize)> {
    let (sender, found) = mpsc::channel();
    let report = move |worker| {
        let core = GetCurrentProcessorNumber() as usize;
        sender.send((worker, (mask_of_thread(), core))).unwrap();
    };
    let builder = ThreadPool::builder().num_threads(threads).pinning(pinning).start_handler(report);
    let pool = builder.build().unwrap();
    assert_eq!(pool.install(|| (0..10_000).into_par_iter().sum::<u32>()), 49_995_000);
    drop(pool);
    let mut found: Vec<_> = found.iter().collect();
    found.sort_unstable();
    found.into_iter().map(|(_, place)| place).collect()
}

fn pinned_to(cores: impl IntoIterator<Item = usize>) -> Vec<(Mask, usize)> {
    cores.into_iter().map(|core| (1 << core, core)).collect()
}

fn has_all_cores(mask: Mask) -> bool {
    mask == mask_of_process()
}

#[test]
fn workers_are_pinned_to_cores_in_turn_or_by_name() {
    let usable = cores_of(mask_of_process());
    for threads in [1, usable.len(), 2 * usable.len() + 1] {
        assert_eq!(workers(threads, Pinning::Cores), pinned_to(usable.iter().copied().cycle().take(threads)));
    }
    let backwards: Vec<usize> = usable.iter().rev().copied().collect();
    assert_eq!(workers(0, Pinning::Explicit(backwards.clone())), pinned_to(backwards));
}

#[test]
fn workers_that_are_not_pinned_may_run_on_all_cores_of_the_process() {
    for pinning in [Pinning::Auto, Pinning::Off] {
        for threads in [0, 1, 5] {
            let found = workers(threads, pinning.clone());
            assert!(found.iter().all(|&(mask, _)| has_all_cores(mask)), "{pinning:?}: {found:?}");
        }
    }
}

#[test]
fn what_is_started_in_a_pinned_worker_has_all_cores_of_the_process() {
    const TEST: &str = "what_is_started_in_a_pinned_worker_has_all_cores_of_the_process";
    if child::case().is_some() {
        return println!("\nSAID {}", mask_of_process());
    }
    let all = mask_of_process();
    let outside = ThreadPool::new().unwrap().current_num_threads();
    let pool = ThreadPool::builder().pinning(Pinning::Cores).build().unwrap();
    assert!(pool.run_on_worker(|| thread::spawn(|| has_all_cores(mask_of_thread())).join().unwrap()));
    assert_eq!(pool.run_on_worker(|| child::said(TEST, "program", &[])), all.to_string());
    assert_eq!(pool.run_on_worker(|| ThreadPool::new().unwrap().current_num_threads()), outside);
}

/// As a program that was started by `start /affinity 1`.
#[test]
fn a_process_that_was_given_one_core_has_one_worker_there() {
    const TEST: &str = "a_process_that_was_given_one_core_has_one_worker_there";
    let Some(given) = child::case() else {
        for core in cores_of(mask_of_process()) {
            let mut program = Command::new(std::env::current_exe().unwrap());
            let program = program.env_remove("TASKEL_NUM_THREADS").env_remove("RAYON_NUM_THREADS");
            let output = child::as_case(program, TEST, &core.to_string()).output().unwrap();
            assert!(output.status.success(), "core {core}: {output:?}");
        }
        return;
    };
    let given: usize = given.parse().unwrap();
    set_mask_of_process(1 << given);
    assert_eq!(ThreadPool::new().unwrap().current_num_threads(), 1);
    assert_eq!(taskel::current_num_threads(), 1, "the global pool");
    assert_eq!(workers(3, Pinning::Cores), pinned_to([given; 3]));
    // Any other core is refused, and the message says which one is left.
    let other = given + 1;
    let refused = ThreadPool::builder().pinning(Pinning::Explicit(vec![other])).build();
    let message = refused.unwrap_err().to_string();
    assert!(
        message.contains(&format!("core {other}")) && message.contains(&format!("[{given}]")),
        "{message}"
    );
}

#[test]
fn the_threads_of_workers_have_their_names_for_the_system_too() {
    #[link(name = "kernel32")]
    unsafe extern "system" {
        fn GetThreadDescription(thread: Handle, description: *mut *mut u16) -> i32;
        fn LocalFree(memory: *mut c_void) -> *mut c_void;
    }
    let name_for_the_system = || {
        let mut description = std::ptr::null_mut::<u16>();
        // SAFETY: the handle is this thread's, and the pointer is to a pointer.
        let status = unsafe { GetThreadDescription(GetCurrentThread(), &raw mut description) };
        assert!(status >= 0, "{status:#x}");
        let unit = |index| {
            // SAFETY: the system has put a string there that ends with a 0, and all units before
            // this one are others.
            let unit = unsafe { description.add(index) };
            // SAFETY: as above.
            unsafe { unit.read() }
        };
        let units: Vec<u16> = (0..).map(unit).take_while(|&unit| unit != 0).collect();
        // SAFETY: the string is the caller's to free, and is not used again.
        unsafe { LocalFree(description.cast()) };
        String::from_utf16(&units).unwrap()
    };
    let pool = ThreadPool::builder().num_threads(2).build().unwrap();
    assert_eq!(pool.broadcast(|_| name_for_the_system()), ["taskel-0", "taskel-1"]);
}
