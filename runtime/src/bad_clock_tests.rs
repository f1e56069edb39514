//! Pools whose clock is wrong: it goes back, or far ahead, as it may when a virtual machine is
//! stopped or moved to another host. Times are guesses; results must be right all the same,
//! everything must end, and no estimate may overflow.
//!
//! A clock serves a whole process, so each kind of trouble has a process to itself.

use std::process::Command;
use std::sync::Barrier;
use std::time::Duration;

use crate::os::clock::TROUBLE;
use crate::prelude::*;
use crate::sync::{AtomicU64, Ordering};
use crate::{CancelToken, IdlePolicy, ThreadPool};

fn fib(n: u32) -> u64 {
    if n < 2 {
        return n.into();
    }
    let (a, b) = crate::join(|| fib(n - 1), || fib(n - 2));
    a + b
}

/// Everything that looks at the clock, once.
fn everything() {
    let spin = |rounds: u64| (0..rounds).fold(rounds, |x, n| std::hint::black_box(x.rotate_left(3) ^ n));
    let unequal = |n: &u64| spin(if n % 97 == 0 { 2000 } else { 3 });
    let expected: u64 = (0..3000_u64).map(|n| unequal(&n)).fold(0, u64::wrapping_add);
    let sum = || (0..3000_u64).into_par_iter().map(|n| unequal(&n)).reduce(|| 0, u64::wrapping_add);
    assert_eq!(sum(), expected);
    assert_eq!((0..20).into_par_iter().map(|n| n + 1).sum::<i32>(), 210, "a loop that is run alone");
    assert_eq!(fib(14), 377);
    let ran = AtomicU64::new(0);
    crate::scope(|s| {
        for _ in 0..10 {
            s.spawn(|_| {
                ran.fetch_add(sum(), Ordering::Relaxed);
            });
        }
    });
    assert_eq!(ran.into_inner(), expected.wrapping_mul(10));
    assert_eq!(crate::submit(|| fib(10)).join(), 55);
    let mut seen = 0;
    (0..500_u64).par_stream().map(|n| unequal(&n)).max_in_flight(8).for_each_ordered(|_| seen += 1);
    assert_eq!(seen, 500);
    let token = CancelToken::new();
    token.cancel_after(Duration::from_secs(1000));
    assert_eq!((0..1000_u64).into_par_iter().with_cancel_token(&token).count(), 1000);
}

/// Both halves must run at the same time; that of a site whose halves have been short until now.
fn halves_that_wait_for_each_other() {
    let meeting = Barrier::new(2);
    let both = |wait: bool| {
        crate::join(|| wait.then(|| meeting.wait()), || wait.then(|| meeting.wait()));
    };
    (0..100).for_each(|_| both(false));
    both(true);
}

fn run_in_trouble() {
    for idle in [IdlePolicy::Adaptive, IdlePolicy::Park, IdlePolicy::SpinFor(Duration::from_micros(20))] {
        for threads in [1, 2, 3] {
            let pool = ThreadPool::builder().num_threads(threads).idle(idle).build().unwrap();
            for _ in 0..3 {
                let ((), profile) = pool.profile(everything);
                assert!(!profile.to_string().is_empty());
                pool.broadcast(|_| ());
                if threads > 1 {
                    pool.install(halves_that_wait_for_each_other);
                }
                let _hot = pool.keep_hot();
                pool.install(everything);
                std::thread::sleep(Duration::from_millis(1));
            }
        }
    }
}

#[test]
#[cfg_attr(miri, ignore = "starts processes")]
fn a_clock_that_goes_back_or_far_ahead() {
    if std::env::var(TROUBLE).is_ok() {
        return run_in_trouble();
    }
    for kind in ["none", "back", "ahead", "both", "noise"] {
        let mut child = Command::new(std::env::current_exe().unwrap());
        let name = "bad_clock_tests::a_clock_that_goes_back_or_far_ahead";
        let output = child.args(["--exact", name]).env(TROUBLE, kind).output().unwrap();
        let told = |bytes| String::from_utf8_lossy(bytes).into_owned();
        assert!(output.status.success(), "{kind}: {}{}", told(&output.stdout), told(&output.stderr));
        assert!(told(&output.stdout).contains("1 passed"), "{kind}: nothing ran");
    }
}
