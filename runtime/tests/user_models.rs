//! What a user's models see, and what the chapter "Models" of the documentation promises:
//! `RUSTFLAGS="--cfg loom" cargo test -p taskel --features loom --test user_models`.
#![cfg(all(loom, feature = "loom"))]

use std::collections::HashSet;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use loom::cell::UnsafeCell;
use loom::sync::atomic::{AtomicUsize, Ordering};
use taskel::prelude::*;
use taskel::{CancelToken, Cancelled, Chunk, ThreadPool, WorkerLocal, Yield};

fn explore(model: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = builder.preemption_bound.or(Some(2));
    builder.check(model);
}

/// What the executions of a model came to, all of them together.
fn outcomes<T>(model: impl Fn() -> T + Send + Sync + 'static) -> HashSet<T>
where
    T: std::hash::Hash + Eq + Send + 'static,
{
    let seen = Arc::new(Mutex::new(HashSet::new()));
    let each = Arc::clone(&seen);
    explore(move || {
        let outcome = model();
        each.lock().unwrap().insert(outcome);
    });
    Mutex::into_inner(Arc::into_inner(seen).unwrap()).unwrap()
}

/// What a failing model says.
fn failure(model: impl Fn() + Send + Sync + 'static) -> String {
    said(|| explore(model))
}

fn said(fails: impl FnOnce()) -> String {
    let payload = catch_unwind(AssertUnwindSafe(fails)).expect_err("the model passes");
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| payload.downcast_ref::<String>().cloned()).expect("a message")
}

fn racy_increment(counter: &AtomicUsize) {
    let now = counter.load(Ordering::Relaxed);
    counter.store(now + 1, Ordering::Relaxed);
}

/// As in the documentation.
fn count(words: &[&str], increase: fn(&AtomicUsize)) -> usize {
    let total = AtomicUsize::new(0);
    words.par_iter().for_each(|_| increase(&total));
    total.into_inner()
}

#[test]
fn a_racy_counter_in_a_loop_is_found() {
    let message = said(|| {
        loom::model(|| assert_eq!(count(&["one", "two"], racy_increment), 2, "a word is lost"));
    });
    assert!(message.contains("a word is lost"), "{message}");
}

#[test]
fn the_mended_counter_passes() {
    let increment = |total: &AtomicUsize| {
        total.fetch_add(1, Ordering::Relaxed);
    };
    loom::model(move || assert_eq!(count(&["one", "two"], increment), 2));
}

/// Memory that two lanes write without being ordered.
struct Plain(UnsafeCell<usize>);

// SAFETY: loom's cell checks at run time what this promises: no two unordered accesses.
unsafe impl Sync for Plain {}

impl Plain {
    fn add(&self) {
        // SAFETY: loom verifies that the access is exclusive.
        self.0.with_mut(|value| unsafe { *value += 1 });
    }

    fn get(&self) -> usize {
        // SAFETY: loom verifies that no write is concurrent.
        self.0.with(|value| unsafe { *value })
    }
}

#[test]
fn two_items_that_write_the_same_memory_are_found() {
    let message = failure(|| {
        let plain = Plain(UnsafeCell::new(0));
        (0..2).into_par_iter().for_each(|_| plain.add());
    });
    assert!(message.contains("Causality violation"), "{message}");
}

#[test]
fn what_a_loop_has_written_its_caller_and_the_next_loop_may_read() {
    explore(|| {
        let mut cells = [(); 2].map(|()| Plain(UnsafeCell::new(0)));
        cells.par_iter().for_each(Plain::add);
        cells.par_iter_mut().rev().for_each(|cell| cell.add());
        assert!(cells.iter().all(|cell| cell.get() == 2));
    });
}

#[test]
fn a_join_runs_its_closures_at_the_same_time_or_one_after_the_other() {
    let seen = outcomes(|| {
        let turn = AtomicUsize::new(0);
        let next = || turn.fetch_add(1, Ordering::Relaxed);
        taskel::join(|| [next(), next()], || [next(), next()])
    });
    assert!(seen.contains(&([0, 1], [2, 3])), "{seen:?}");
    assert!(seen.contains(&([2, 3], [0, 1])), "{seen:?}");
    assert!(seen.contains(&([0, 2], [1, 3])), "{seen:?}");
}

#[test]
fn both_halves_of_an_inner_join_meet_though_there_are_two_lanes() {
    let message = failure(|| {
        let counter = AtomicUsize::new(0);
        taskel::join(|| (), || taskel::join(|| racy_increment(&counter), || racy_increment(&counter)));
        assert_eq!(counter.load(Ordering::Relaxed), 2, "an increment is lost");
    });
    assert!(message.contains("an increment is lost"), "{message}");
}

#[test]
fn a_deadlock_of_two_halves_is_told_as_such() {
    let message = failure(|| {
        let (left, right) = (loom::sync::Mutex::new(()), loom::sync::Mutex::new(()));
        taskel::join(
            || drop((left.lock().unwrap(), right.lock().unwrap())),
            || drop((right.lock().unwrap(), left.lock().unwrap())),
        );
    });
    assert!(message.contains("deadlock"), "{message}");
}

#[test]
fn a_panic_on_any_lane_arrives_at_the_caller() {
    explore(|| {
        let counter = AtomicUsize::new(0);
        let loops = || (0..2).into_par_iter().for_each(|n| assert_ne!(n, 1, "the second item"));
        assert!(catch_unwind(AssertUnwindSafe(loops)).is_err());
        let joins = || taskel::join(|| counter.fetch_add(1, Ordering::Relaxed), || panic!("the second half"));
        assert!(catch_unwind(AssertUnwindSafe(joins)).is_err());
        assert_eq!(counter.load(Ordering::Relaxed), 1);
    });
}

#[test]
fn a_scope_waits_for_its_tasks_and_theirs() {
    let seen = outcomes(|| {
        let order = AtomicUsize::new(0);
        let mut turns = [0; 3];
        let [op, outer, inner] = &mut turns;
        let next = || order.fetch_add(1, Ordering::Relaxed);
        taskel::scope(|s| {
            s.spawn(|s| {
                *outer = next();
                s.spawn(|_| *inner = next());
            });
            *op = next();
        });
        turns
    });
    assert_eq!(seen, HashSet::from([[0, 1, 2], [1, 0, 2], [2, 0, 1]]));
}

#[test]
fn a_task_runs_meanwhile_and_its_result_is_waited_for() {
    let seen = outcomes(|| {
        let order = Arc::new(AtomicUsize::new(0));
        let theirs = Arc::clone(&order);
        let task = taskel::submit(move || theirs.fetch_add(1, Ordering::Relaxed));
        let own = order.fetch_add(1, Ordering::Relaxed);
        (own, task.join())
    });
    assert_eq!(seen, HashSet::from([(0, 1), (1, 0)]));
}

#[test]
fn a_task_is_a_future() {
    explore(|| {
        let mut task = pin!(taskel::submit(|| Plain(UnsafeCell::new(7))));
        let plain = loop {
            match task.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                Poll::Ready(plain) => break plain,
                Poll::Pending => loom::thread::yield_now(),
            }
        };
        assert_eq!(plain.get(), 7);
    });
}

#[test]
fn a_pool_that_is_dropped_has_done_what_was_spawned_on_it() {
    explore(|| {
        let plain = Arc::new(Plain(UnsafeCell::new(0)));
        let pool = ThreadPool::new().unwrap();
        let theirs = Arc::clone(&plain);
        pool.spawn(move || theirs.add());
        drop(pool);
        assert_eq!(plain.get(), 1);
    });
}

#[test]
fn a_broadcast_calls_every_worker_and_the_calls_may_wait_for_each_other() {
    explore(|| {
        let pool = ThreadPool::new().unwrap();
        let there = AtomicUsize::new(0);
        let indices = pool.broadcast(|context| {
            there.fetch_add(1, Ordering::Relaxed);
            while there.load(Ordering::Relaxed) < 2 {
                loom::thread::yield_now();
            }
            assert_eq!(taskel::current_thread_index(), Some(context.index()));
            context.index()
        });
        assert_eq!(indices, [0, 1]);
    });
}

#[test]
fn three_lanes_are_three_threads() {
    let seen = outcomes(|| {
        let pool = ThreadPool::builder().num_threads(16).build().unwrap();
        assert_eq!(pool.install(taskel::current_num_threads), 3);
        let threads = Mutex::new(HashSet::new());
        pool.install(|| {
            (0..3).into_par_iter().for_each(|_| {
                threads.lock().unwrap().insert(loom::thread::current().id());
            });
        });
        threads.into_inner().unwrap().len()
    });
    assert_eq!(seen, HashSet::from([1, 2, 3]));
}

#[test]
fn a_loop_that_is_cancelled_before_or_after_any_of_its_items() {
    let seen = outcomes(|| {
        let token = CancelToken::new();
        let begun = AtomicUsize::new(0);
        let result = token.join(
            || token.cancel(),
            || {
                (0..2).into_par_iter().with_cancel_token(&token).try_for_each(|_| {
                    begun.fetch_add(1, Ordering::Relaxed);
                    Ok::<_, Cancelled>(())
                })
            },
        );
        (begun.load(Ordering::Relaxed), result.is_ok_and(|((), all)| all.is_ok()))
    });
    assert!(
        seen.contains(&(0, false)) && seen.contains(&(1, false)) && seen.contains(&(2, true)),
        "{seen:?}"
    );
}

#[test]
fn results_are_those_of_a_program() {
    explore(|| {
        let squares: Vec<usize> = (0..5_usize).into_par_iter().map(|n| n * n).collect();
        assert_eq!(squares, [0, 1, 4, 9, 16]);
        let evens = squares.par_iter().filter(|n| **n % 2 == 0).copied();
        assert_eq!(evens.chunk(Chunk::Exact(2)).sum::<usize>(), 20);
        assert!(matches!(squares.par_iter().find_any(|n| **n > 8), Some(9 | 16)));
        let mut sorted = vec![3, 1, 2];
        sorted.par_sort();
        assert_eq!(sorted, [1, 2, 3]);
        let flat: Vec<usize> = (0..3_usize).into_par_iter().flat_map(|n| 0..n).collect();
        assert_eq!(flat, [0, 0, 1]);
        assert_eq!((0..4).par_bridge().map(|n| n + 1).sum::<i32>(), 10);
        assert_eq!((0..4).par_stream().map(|n| n + 1).collect::<Vec<_>>(), [1, 2, 3, 4]);
    });
}

#[test]
fn clones_that_are_not_to_be_shared_are_made_one_at_a_time() {
    struct Cloned(Plain);
    impl Clone for Cloned {
        fn clone(&self) -> Self {
            self.0.add();
            loom::thread::yield_now();
            Cloned(Plain(UnsafeCell::new(0)))
        }
    }
    explore(|| {
        let prototype = Cloned(Plain(UnsafeCell::new(0)));
        (0..2).into_par_iter().for_each_with(prototype, |own, _| own.0.add());
    });
}

#[test]
fn values_by_worker_are_not_shared_by_lanes() {
    explore(|| {
        let mut counts = WorkerLocal::new(|| Plain(UnsafeCell::new(0)));
        (0..2).into_par_iter().for_each(|_| counts.with(Plain::add));
        assert_eq!(counts.iter_mut().map(|count| count.get()).sum::<usize>(), 2);
    });
}

#[test]
fn what_was_spawned_and_not_begun_is_dropped_with_the_model() {
    let ends = outcomes(|| {
        // loom looks for what is not given back.
        let plain = loom::sync::Arc::new(Plain(UnsafeCell::new(0)));
        let theirs = loom::sync::Arc::clone(&plain);
        let has_run = Arc::new(Mutex::new(false));
        let runs = Arc::clone(&has_run);
        taskel::spawn(move || {
            theirs.add();
            *runs.lock().unwrap() = true;
        });
        drop(plain);
        *has_run.lock().unwrap()
    });
    assert_eq!(ends, HashSet::from([false, true]));
}

#[test]
fn a_model_that_is_too_large_says_so() {
    let mut builder = loom::model::Builder::new();
    builder.max_branches = 40;
    let model = || {
        let counter = AtomicUsize::new(0);
        (0..100).into_par_iter().for_each(|_| {
            counter.fetch_add(1, Ordering::Relaxed);
        });
    };
    let message = said(|| builder.check(model));
    assert!(message.contains("maximum number of branches"), "{message}");
}

#[test]
fn whoever_waits_by_itself_lets_others_work() {
    explore(|| {
        let pool = ThreadPool::builder().num_threads(1).build().unwrap();
        let done = AtomicUsize::new(0);
        pool.scope(|s| {
            s.spawn(|_| done.store(1, Ordering::Release));
            while done.load(Ordering::Acquire) == 0 {
                assert_ne!(taskel::yield_now(), None::<Yield>);
            }
        });
    });
}

#[test]
fn two_threads_of_the_users_share_the_lanes() {
    explore(|| {
        let counter = Arc::new(AtomicUsize::new(0));
        let count = |counter: &AtomicUsize| {
            taskel::join(
                || counter.fetch_add(1, Ordering::Relaxed),
                || counter.fetch_add(1, Ordering::Relaxed),
            );
        };
        let theirs = Arc::clone(&counter);
        let thread = loom::thread::spawn(move || count(&theirs));
        count(&counter);
        thread.join().unwrap();
        assert_eq!(counter.load(Ordering::Relaxed), 4);
    });
}

#[test]
fn outside_of_a_model_everything_runs_on_the_calling_thread() {
    let here = std::thread::current().id();
    let counter = std::cell::Cell::new(0);
    let pool = ThreadPool::new().unwrap();
    pool.install(|| taskel::scope(|s| s.spawn(|_| assert_eq!(std::thread::current().id(), here))));
    assert_eq!(pool.submit(|| std::thread::current().id()).join(), here);
    assert!((0..1000).into_par_iter().all(|_| std::thread::current().id() == here));
    counter.set(taskel::join(|| 1, || 2).1);
    assert_eq!(counter.get(), 2);
    assert_eq!(pool.broadcast(|context| context.index()), [0]);
}

#[test]
fn a_lock_between_processes_in_the_same_model() {
    use shm_lock::ShmMutex;
    let open = || ShmMutex::open_or_create("total", || 0_u64).unwrap();
    explore(move || {
        (0..2).into_par_iter().for_each(|_| *open().lock().unwrap() += 1);
        assert_eq!(*open().lock().unwrap(), 2);
    });
}
