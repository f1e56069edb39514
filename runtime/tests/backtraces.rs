//! What a program says when it panics on a worker is what it would say on the thread that called:
//! once, with the thread's name, the place, and the way there from the user's code. Each in a
//! process of its own.
#![cfg(not(target_family = "wasm"))]

use std::process::Command;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use taskel::ThreadPool;
use taskel::prelude::*;

#[path = "support/child.rs"]
mod child;
#[path = "support/watchdog.rs"]
mod watchdog;

/// The calling thread leaves it to others.
#[inline(never)]
fn innermost_user_code() {
    if taskel::current_thread_index().is_some() {
        panic!("on purpose");
    }
    thread::sleep(Duration::from_millis(20));
}

fn everywhere<T>(_: T) {
    outer_user_code();
}

#[inline(never)]
fn outer_user_code() {
    innermost_user_code();
}

type Case = (&'static str, fn(&ThreadPool));

const CASES: &[Case] = &[
    ("loop", |_| (0..64).into_par_iter().with_max_len(1).for_each(everywhere)),
    ("loop in a loop", |_| {
        let inner = |_| (0..64).into_par_iter().with_max_len(1).for_each(everywhere);
        (0..4).into_par_iter().for_each(inner);
    }),
    ("map", |_| {
        let doubled = (0..64).into_par_iter().with_max_len(1).map(everywhere);
        assert_eq!(doubled.collect::<Vec<_>>().len(), 64);
    }),
    ("join", |_| _ = taskel::join(|| thread::sleep(Duration::from_millis(50)), outer_user_code)),
    ("scope", |_| taskel::scope(|s| (0..64).for_each(|_| s.spawn(|_| outer_user_code())))),
    ("broadcast", |pool| drop(pool.broadcast(|_| outer_user_code()))),
    ("run_on_worker", |pool| pool.run_on_worker(outer_user_code)),
    ("submit", |pool| {
        let (begun, is_begun) = mpsc::channel();
        let task = pool.submit(move || {
            begun.send(()).unwrap();
            outer_user_code();
        });
        is_begun.recv().unwrap();
        task.join();
    }),
    ("spawn", |pool| {
        pool.spawn(outer_user_code);
        thread::sleep(Duration::from_secs(60));
    }),
    ("stream", |_| (0..1000).par_stream().map(everywhere).for_each_unordered(|()| ())),
    ("start handler", |_| {
        drop(ThreadPool::builder().num_threads(1).start_handler(everywhere).thread_name(name).build())
    }),
];

fn name(worker: usize) -> String {
    format!("a worker with a long name {worker}")
}

#[test]
fn a_panic_on_a_worker_says_who_where_and_how_it_came_there() {
    let test = "a_panic_on_a_worker_says_who_where_and_how_it_came_there";
    let _watchdog = watchdog::watch(test);
    if let Some(asked) = child::case() {
        let pool = ThreadPool::builder().num_threads(4).thread_name(name).build().unwrap();
        let case = CASES.iter().find(|&&(case, _)| case == asked).expect("such a case").1;
        return pool.install(|| case(&pool));
    }
    for &(case, _) in CASES {
        let mut program = Command::new(std::env::current_exe().unwrap());
        program.env("RUST_BACKTRACE", "1");
        let output = child::as_case(&mut program, test, case).output().unwrap();
        assert!(!output.status.success(), "{case}: {output:?}");
        let told = String::from_utf8_lossy(&output.stderr);
        // Several workers may have come to it at the same time, and to several loops in a loop.
        let times = told.matches("on purpose").count();
        assert!(times > 0, "{case}: {told}");
        let lines: Vec<&str> = told.lines().filter(|line| line.contains("panicked at")).collect();
        assert_eq!(lines.len(), times, "{case}: {told}");
        for line in lines {
            assert!(line.contains("thread 'a worker with a long name "), "{case}: {told}");
            assert!(line.contains("backtraces.rs:"), "{case}: {told}");
        }
        for frame in ["innermost_user_code", "outer_user_code"] {
            assert_eq!(told.matches(&format!("backtraces::{frame}\n")).count(), times, "{case}: {told}");
        }
    }
}
