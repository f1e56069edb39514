//! Bad days that a pool survives: it cannot be built, or what users gave it panics where nobody
//! expects it. The panic goes where the documentation says, threads end, and nothing is leaked.
//! (Those that end the process are in `fatal.rs`; pools that are dropped by their own workers in
//! `shutdown.rs` and `spawn_handler.rs`; forks in `os/fork.rs`; items and results in `panic.rs` and
//! `fork_join_panic.rs`; clocks in `src/bad_clock_tests.rs`.)

use std::any::Any;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::task::{Context, Wake, Waker};
use std::{io, thread};

use taskel::prelude::*;
use taskel::{CancelToken, ThreadPool, ThreadPoolBuilder};

use crate::watchdog;

/// Panics as it is dropped.
struct Fuse(&'static str);

impl Fuse {
    /// A closure that calls this owns the whole fuse, not only its name.
    fn name(&self) -> &'static str {
        self.0
    }
}

impl Drop for Fuse {
    fn drop(&mut self) {
        // A second panic while the first unwinds would abort, as everywhere.
        if !thread::panicking() {
            resume_unwind(Box::new(self.0));
        }
    }
}

fn what(payload: Box<dyn Any + Send>) -> &'static str {
    *payload.downcast().expect("a payload of these tests")
}

/// A pool whose lost panics arrive at the channel.
fn pool_and_lost_panics(threads: usize) -> (ThreadPoolBuilder, mpsc::Receiver<&'static str>) {
    let (sender, lost) = mpsc::channel();
    let handler = move |payload| sender.send(what(payload)).expect("the test listens");
    (ThreadPool::builder().num_threads(threads).panic_handler(handler), lost)
}

fn count(counter: &AtomicUsize) {
    counter.fetch_add(1, Ordering::Relaxed);
}

fn works(pool: &ThreadPool) {
    let sum = pool.install(|| (0..2000_u64).into_par_iter().chunk(taskel::Chunk::Exact(10)).sum::<u64>());
    assert_eq!(sum, 1_999_000);
    assert_eq!(pool.broadcast(|context| context.index()).len(), pool.current_num_threads());
}

#[derive(Clone, Copy, Debug)]
enum Refusal {
    Error,
    Panic,
    Forgets,
    NamePanics,
    NameWithNul,
}

/// Whichever thread it is that cannot be started: those before it end, with their handlers called,
/// and everything that the builder owned is dropped.
#[test]
fn a_pool_that_cannot_be_built_at_its_nth_thread() {
    use Refusal::{Error, Forgets, NamePanics, NameWithNul, Panic};
    let _watchdog = watchdog::watch("a pool that cannot be built");
    for at in 0..4 {
        for refusal in [Error, Panic, Forgets, NamePanics, NameWithNul] {
            let (starts, ends) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
            let alive = Arc::new(());
            let (started, ended) = (Arc::clone(&starts), Arc::clone(&ends));
            let (in_name, in_spawn, in_panic) = (Arc::clone(&alive), Arc::clone(&alive), Arc::clone(&alive));
            let builder = ThreadPool::builder()
                .num_threads(4)
                .start_handler(move |_| count(&started))
                .exit_handler(move |_| count(&ended))
                .panic_handler(move |_| drop(Arc::clone(&in_panic)))
                .thread_name(move |worker| match refusal {
                    NamePanics if worker == at => resume_unwind(Box::new("name")),
                    NameWithNul if worker == at => "\0".to_owned(),
                    _ => format!("{worker} {}", Arc::strong_count(&in_name)),
                })
                .spawn_handler(move |thread| match refusal {
                    Error if thread.index() == at => Err(io::Error::other("refused")),
                    Panic if thread.index() == at => resume_unwind(Box::new("spawn")),
                    Forgets if thread.index() == at => Ok(()),
                    _ => {
                        let alive = Arc::clone(&in_spawn);
                        thread::Builder::new().spawn(move || (thread.run(), drop(alive))).map(drop)
                    }
                });
            let text = match catch_unwind(AssertUnwindSafe(|| builder.build())) {
                Ok(built) => built.expect_err("a thread is missing").to_string(),
                Err(payload) => what(payload).to_owned(),
            };
            let expected = match refusal {
                Error => format!("the spawn handler was given worker {at}, and returned an error: refused"),
                Panic => "spawn".to_owned(),
                Forgets => "given 4 threads, but ran only 3".to_owned(),
                NamePanics => "name".to_owned(),
                NameWithNul => format!("worker {at} is to be called \"\\0\""),
            };
            assert!(text.contains(&expected), "{refusal:?} at {at}: {text}");
            // Each `run` has returned, but its thread may not be quite over.
            while Arc::strong_count(&alive) > 1 {
                thread::yield_now();
            }
            let running = if matches!(refusal, Forgets) { 3 } else { at };
            let seen = (starts.load(Ordering::Relaxed), ends.load(Ordering::Relaxed));
            assert_eq!(seen, (running, running), "{refusal:?} at {at}");
            assert_eq!((Arc::strong_count(&starts), Arc::strong_count(&ends)), (1, 1), "{refusal:?} at {at}");
        }
    }
}

/// `build` panics with it, and does not leave the threads behind.
#[test]
fn a_function_of_the_builder_that_panics_as_it_is_dropped() {
    let _watchdog = watchdog::watch("a builder with a fuse");
    for spawns in [false, true] {
        let alive = Arc::new(());
        let in_handler = Arc::clone(&alive);
        let fuse = Fuse("dropped");
        let builder =
            ThreadPool::builder().num_threads(3).exit_handler(move |_| drop(Arc::clone(&in_handler)));
        let build = || match spawns {
            true => {
                let handler = move |start: taskel::ThreadBuilder| {
                    let _owned = &fuse;
                    thread::Builder::new().spawn(|| start.run()).map(drop)
                };
                builder.spawn_handler(handler).build()
            }
            false => builder.thread_name(move |worker| format!("{}-{worker}", fuse.name())).build(),
        };
        let payload = catch_unwind(AssertUnwindSafe(build)).expect_err("the fuse");
        assert_eq!(what(payload), "dropped");
        while Arc::strong_count(&alive) > 1 {
            thread::yield_now();
        }
    }
}

#[test]
fn handlers_that_panic_and_handlers_whose_values_do() {
    let _watchdog = watchdog::watch("handlers that panic");
    for threads in [1, 3] {
        let (builder, lost) = pool_and_lost_panics(threads);
        let (in_start, in_exit) = (Fuse("start is dropped"), Fuse("exit is dropped"));
        let panics = |fuse: &Fuse, text: &'static str| {
            assert!(fuse.name().ends_with("dropped"));
            resume_unwind(Box::new(text))
        };
        let pool = builder
            .start_handler(move |_| panics(&in_start, "start"))
            .exit_handler(move |_| panics(&in_exit, "exit"))
            .build()
            .unwrap();
        works(&pool);
        drop(pool);
        let mut lost: Vec<_> = lost.iter().collect();
        lost.sort_unstable();
        let mut expected = vec!["start"; threads];
        expected.splice(0..0, vec!["exit"; threads]);
        expected.splice(threads..threads, ["exit is dropped"]);
        expected.push("start is dropped");
        assert_eq!(lost, expected);
    }
}

/// Nobody waits for these, so their panics are lost ones.
#[test]
fn detached_closures_that_own_what_panics_as_it_is_dropped() {
    let _watchdog = watchdog::watch("detached closures");
    for threads in [1, 2] {
        let (builder, lost) = pool_and_lost_panics(threads);
        let pool = builder.build().unwrap();
        let fuse = Fuse("spawned");
        pool.spawn(move || drop(fuse));
        assert_eq!(lost.recv(), Ok("spawned"));
        let fuse = Fuse("broadcast");
        pool.spawn_broadcast(move |_| assert_eq!(fuse.name(), "broadcast"));
        assert_eq!(lost.recv(), Ok("broadcast"));
        // A result that nobody wants.
        let (go, wait) = mpsc::channel::<()>();
        drop(pool.submit(move || {
            wait.recv().unwrap();
            Fuse("result")
        }));
        go.send(()).unwrap();
        assert_eq!(lost.recv(), Ok("result"));
        works(&pool);
        drop(pool);
        assert_eq!(lost.recv(), Err(mpsc::RecvError), "that was all");
    }
}

#[test]
fn a_waker_that_panics() {
    struct Panics;
    impl Wake for Panics {
        fn wake(self: Arc<Self>) {
            resume_unwind(Box::new("waker"));
        }
    }
    let _watchdog = watchdog::watch("a waker that panics");
    let (builder, lost) = pool_and_lost_panics(1);
    let pool = builder.build().unwrap();
    let (go, wait) = mpsc::channel::<()>();
    let mut task = pool.submit(move || wait.recv().map(|()| 7).unwrap());
    let waker = Waker::from(Arc::new(Panics));
    assert!(Pin::new(&mut task).poll(&mut Context::from_waker(&waker)).is_pending());
    go.send(()).unwrap();
    assert_eq!(lost.recv(), Ok("waker"));
    assert_eq!(task.join(), 7, "the result is there all the same");
    works(&pool);
}

/// A closure that owns a fuse.
fn owner_of(name: &'static str) -> impl FnOnce() + Send {
    let fuse = Fuse(name);
    move || assert_eq!(fuse.name(), name)
}

/// Somebody waits for these, and gets the panic; everything else is over by then.
#[test]
fn closures_that_own_what_panics_as_it_is_dropped() {
    let _watchdog = watchdog::watch("closures with fuses");
    for threads in [1, 2, 4] {
        let (builder, lost) = pool_and_lost_panics(threads);
        let pool = builder.build().unwrap();
        for _ in 0..100 {
            let ran = AtomicUsize::new(0);
            let caught = |op: &mut dyn FnMut()| {
                let outcome = catch_unwind(AssertUnwindSafe(|| pool.install(op)));
                what(outcome.expect_err("the fuse"))
            };
            let mut in_a_scope = || {
                taskel::scope(|s| {
                    (0..10).for_each(|_| s.spawn(|_| count(&ran)));
                    let owner = owner_of("task");
                    s.spawn(|_| owner());
                });
            };
            assert_eq!(caught(&mut in_a_scope), "task");
            assert_eq!(ran.load(Ordering::Relaxed), 10);
            // A task that is dropped without being begun.
            let token = CancelToken::new();
            let mut cancelled = || {
                let _never = token.scope(|s| {
                    token.cancel();
                    let owner = owner_of("cancelled");
                    s.spawn(|_| owner());
                });
            };
            assert_eq!(caught(&mut cancelled), "cancelled");
            let (first, second) = (owner_of("first"), owner_of("second"));
            let (mut first, mut second) = (Some(first), Some(second));
            let mut one = || {
                let first = first.take().expect("once");
                taskel::join(first, || count(&ran));
            };
            assert_eq!(caught(&mut one), "first");
            let mut other = || {
                let second = second.take().expect("once");
                taskel::join(|| count(&ran), second);
            };
            assert_eq!(caught(&mut other), "second");
            assert!(ran.load(Ordering::Relaxed) > 10, "the side that does not panic may have been begun");
            let mut both = || {
                let (first, second) = (owner_of("either"), owner_of("either"));
                taskel::join(first, second);
            };
            assert_eq!(caught(&mut both), "either");
            let mut in_a_loop = || {
                let fuse = Fuse("loop");
                let lengths = (0..100_usize).into_par_iter().map(move |n| n + fuse.name().len());
                assert_eq!(lengths.sum::<usize>(), 4950 + 400);
            };
            assert_eq!(caught(&mut in_a_loop), "loop");
        }
        works(&pool);
        drop(pool);
        assert_eq!(lost.recv(), Err(mpsc::RecvError), "nothing was lost");
    }
}
