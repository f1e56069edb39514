//! Bad days that end the process: at once, with a message that says what happened, and never by
//! hanging. Each in a process of its own.
#![cfg(target_os = "linux")] // with its signals and limits

use std::alloc::{GlobalAlloc, Layout, System};
use std::os::unix::process::ExitStatusExt;
use std::panic::resume_unwind;
use std::process::Output;
use std::sync::atomic::{AtomicUsize, Ordering};

use taskel::prelude::*;
use taskel::{ThreadPool, ThreadPoolBuilder};

#[path = "support/child.rs"]
mod child;
#[path = "support/threads.rs"]
mod threads;
#[path = "support/unprivileged.rs"]
mod unprivileged;
#[path = "support/watchdog.rs"]
mod watchdog;

/// Has nothing left for whoever asks for at least as much as was forbidden.
struct Scarce;

static FORBIDDEN: AtomicUsize = AtomicUsize::new(usize::MAX);

// SAFETY: everything that is handed out is the system's, and null means that nothing was.
unsafe impl GlobalAlloc for Scarce {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if layout.size() >= FORBIDDEN.load(Ordering::Relaxed) {
            return std::ptr::null_mut();
        }
        // SAFETY: the caller's promises are those that `System` asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as above, and the pointer came from `System`.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Scarce = Scarce;

const LARGE: usize = 100_000;

/// Fails unless the process was aborted, and said `message`.
#[track_caller]
fn assert_aborted(output: &Output, case: &str, message: &str) {
    assert_eq!(output.status.signal(), Some(libc::SIGABRT), "{case}: {output:?}");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(told.contains(message), "{case}: {told}");
}

fn pool(threads: usize) -> ThreadPoolBuilder {
    ThreadPool::builder().num_threads(threads)
}

/// There is no way to tell a caller: the standard library aborts, and so it is here.
#[test]
fn no_memory_for_a_task() {
    let _watchdog = watchdog::watch("a process without memory");
    let Some(case) = child::case() else {
        for case in ["scope", "spawn", "submit", "collect"] {
            let message = "memory allocation of 1";
            assert_aborted(&child::run("no_memory_for_a_task", case), case, message);
        }
        return;
    };
    let pool = pool(2).build().unwrap();
    let large = [1_u8; LARGE];
    let sum = move || large.iter().map(|&n| usize::from(n)).sum::<usize>();
    let bytes = |len: usize| (0..len).into_par_iter().map(|_| 1_u8).collect::<Vec<u8>>().len();
    // What is not larger works before and afterwards.
    pool.install(|| {
        assert_eq!((taskel::submit(sum).join(), bytes(LARGE)), (LARGE, LARGE));
        FORBIDDEN.store(LARGE, Ordering::Relaxed);
        assert_eq!((taskel::submit(|| 1).join(), bytes(LARGE - 1)), (1, LARGE - 1));
        match case.as_str() {
            "scope" => taskel::scope(|s| s.spawn(move |_| assert_ne!(sum(), 0))),
            "spawn" => taskel::spawn(move || assert_ne!(sum(), 0)),
            "submit" => assert_ne!(taskel::submit(sum).join(), 0),
            _ => assert_ne!(bytes(LARGE), 0),
        }
    });
}

/// A worker's thread has a guard page and a name, so that the standard library can tell whose stack
/// it was.
#[test]
fn a_workers_stack_overflows() {
    #[expect(unconditional_recursion, reason = "this is what is tested")]
    fn deeper(n: u64) -> u64 {
        std::hint::black_box(deeper(std::hint::black_box(n + 1)) + n)
    }
    let _watchdog = watchdog::watch("a stack overflow");
    let Some(case) = child::case() else {
        for case in ["spawn", "broadcast", "loop"] {
            let output = child::run("a_workers_stack_overflows", case);
            assert_aborted(&output, case, "thread 'recursive-0'");
            assert_aborted(&output, case, "has overflowed its stack");
        }
        return;
    };
    let pool =
        pool(1).stack_size(1 << 18).thread_name(|worker| format!("recursive-{worker}")).build().unwrap();
    match case.as_str() {
        "spawn" => pool.spawn(|| assert_ne!(deeper(0), 0)),
        "broadcast" => drop(pool.broadcast(|_| deeper(0))),
        _ => pool.spawn(|| (0..10).into_par_iter().for_each(|_| assert_ne!(deeper(0), 0))),
    }
}

/// Nobody can be told of these panics.
#[test]
fn handlers_that_panic_with_nobody_to_tell() {
    let _watchdog = watchdog::watch("a panic that nobody is told of");
    let Some(case) = child::case() else {
        for case in ["start", "exit", "panic handler", "panic handler in spawn"] {
            let output = child::run("handlers_that_panic_with_nobody_to_tell", case);
            assert_aborted(&output, case, &format!("on purpose: {case}"));
        }
        return;
    };
    let panics = move || -> () { panic!("on purpose: {case}") };
    let case = child::case().unwrap();
    let pool = match case.as_str() {
        "start" => pool(2).start_handler(move |_| panics()),
        "exit" => pool(2).exit_handler(move |_| panics()),
        "panic handler" => {
            pool(2).start_handler(|_| resume_unwind(Box::new(1))).panic_handler(move |_| panics())
        }
        _ => pool(2).panic_handler(move |_| panics()),
    };
    let pool = pool.build().unwrap();
    if case.ends_with("spawn") {
        pool.spawn(|| resume_unwind(Box::new(1)));
    }
}

/// The limit on threads is one of the user, and root has none: so this runs as somebody else.
#[test]
fn a_limit_on_threads() {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the pointer is to a limit.
    assert_eq!(unsafe { libc::getrlimit(libc::RLIMIT_NPROC, &raw mut limit) }, 0);
    let most = limit.rlim_max;
    let mut allow = |threads: u64| {
        limit.rlim_cur = threads;
        // SAFETY: as above.
        assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_NPROC, &raw const limit) }, 0);
    };
    if child::case().is_none() {
        let dir = tempfile::tempdir().unwrap();
        let mut child = unprivileged::unprivileged(&std::env::current_exe().unwrap(), dir.path());
        let child = child::as_case(&mut child, "a_limit_on_threads", "limited");
        let output = child.output().unwrap();
        assert!(output.status.success(), "{output:?}");
        return;
    }
    let _watchdog = watchdog::watch("a limit on threads");
    for threads in 1..8 {
        allow(threads);
        let error =
            pool(8).thread_name(|worker| format!("few-{worker}")).build().expect_err("too few threads");
        assert!(error.to_string().contains("could not be started"), "{error}");
        assert!(std::error::Error::source(&error).is_some(), "the system's refusal");
        threads::await_count("few-", 0);
    }
    // Parallel calls are made alone where no pool can be had.
    assert_eq!((0..1000).into_par_iter().sum::<u32>(), 499_500);
    allow(most);
    let built = pool(8).build().unwrap();
    assert_eq!(built.broadcast(|_| ()).len(), 8);
}
