//! Calls that rayon has beside `join` and `scope`: what they promise here.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Barrier, Mutex, mpsc};
use std::thread;

use taskel::prelude::*;
use taskel::{Scope, ThreadPool, Yield};

use crate::watchdog;

fn pool(threads: usize) -> ThreadPool {
    ThreadPool::builder().num_threads(threads).build().unwrap()
}

fn payload_of(op: impl FnOnce()) -> &'static str {
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(op));
    *result.expect_err("a panic").downcast::<&str>().expect("a text")
}

#[test]
fn the_second_closure_of_a_join_has_migrated_if_another_thread_runs_it() {
    let alone = pool(1).install(|| taskel::join_context(|a| a.migrated(), |b| b.migrated()));
    assert_eq!(alone, (false, false));
    // They meet, so they run on two threads.
    let meet = Barrier::new(2);
    let met = |migrated| {
        meet.wait();
        (thread::current().id(), migrated)
    };
    for from_outside in [false, true] {
        let join = || taskel::join_context(|a| met(a.migrated()), |b| met(b.migrated()));
        let pool = pool(2);
        let ((a, a_migrated), (b, b_migrated)) =
            if from_outside { pool.install(join) } else { pool.run_on_worker(join) };
        assert_ne!(a, b);
        assert_eq!((a_migrated, b_migrated), (false, true));
    }
}

#[test]
fn a_half_that_its_own_thread_takes_in_a_yield_has_not_migrated() {
    let seen = pool(1).run_on_worker(|| {
        let ran = AtomicBool::new(false);
        let a = |_: taskel::FnContext| {
            while !ran.load(Ordering::Relaxed) {
                taskel::yield_now();
            }
        };
        taskel::join_context(a, |b| {
            ran.store(true, Ordering::Relaxed);
            b.migrated()
        })
        .1
    });
    assert!(!seen);
}

#[test]
fn a_fifo_scope_runs_the_oldest_task_of_a_worker_first() {
    fn order_of(on: impl FnOnce(&Mutex<Vec<usize>>)) -> Vec<usize> {
        let order = Mutex::new(vec![]);
        on(&order);
        order.into_inner().unwrap()
    }
    fn spawn<'scope>(s: &taskel::ScopeFifo<'scope>, order: &'scope Mutex<Vec<usize>>) {
        for n in 0..10 {
            s.spawn_fifo(move |s| {
                for m in 0..10 {
                    s.spawn_fifo(move |_| order.lock().unwrap().push(n * 10 + m));
                }
            });
        }
    }
    let pool = pool(1);
    let expected: Vec<usize> = (0..100).collect();
    assert_eq!(order_of(|order| pool.scope_fifo(|s| spawn(s, order))), expected);
    assert_eq!(order_of(|order| pool.in_place_scope_fifo(|s| spawn(s, order))), expected);
    assert_eq!(order_of(|order| pool.run_on_worker(|| taskel::scope_fifo(|s| spawn(s, order)))), expected);
    let lifo = order_of(|order| {
        pool.scope(|s| (0..10).for_each(|n| s.spawn(move |_| order.lock().unwrap().push(n))));
    });
    assert!(lifo.into_iter().eq((0..10).rev()));
}

#[test]
fn an_in_place_scope_leaves_its_tasks_to_workers_from_the_start() {
    let _watchdog = watchdog::watch("an in-place scope");
    for threads in [1, 2, 4] {
        let pool = pool(threads);
        let (sender, receiver) = mpsc::channel();
        let on_workers = AtomicUsize::new(0);
        pool.in_place_scope(|s| {
            for n in 0..100 {
                let (sender, on_workers) = (sender.clone(), &on_workers);
                s.spawn(move |s| {
                    let count = move || {
                        let is_worker = taskel::current_thread_index().is_some();
                        on_workers.fetch_add(usize::from(is_worker), Ordering::Relaxed);
                    };
                    count();
                    (0..3).for_each(|_| s.spawn(move |_| count()));
                    sender.send(n).unwrap();
                });
                assert_eq!(receiver.recv(), Ok(n), "the task has run already");
            }
        });
        assert_eq!(on_workers.into_inner(), 400);
    }
}

#[test]
fn an_in_place_scope_ends_after_its_tasks_whatever_panics() {
    let _watchdog = watchdog::watch("panics in an in-place scope");
    let pool = pool(2);
    for run in 0..200 {
        let ended = AtomicUsize::new(0);
        let payload = payload_of(|| {
            pool.in_place_scope(|s| {
                for n in 0..10 {
                    let ended = &ended;
                    s.spawn(move |_| {
                        ended.fetch_add(1, Ordering::Relaxed);
                        if n == 5 && run % 2 == 0 {
                            std::panic::resume_unwind(Box::new("of a task"));
                        }
                    });
                }
                if run % 2 == 1 {
                    std::panic::resume_unwind(Box::new("of the body"));
                }
            });
        });
        assert_eq!(payload, ["of a task", "of the body"][run % 2]);
        assert_eq!(ended.into_inner(), 10);
    }
}

#[test]
fn an_in_place_scope_on_another_pool_keeps_its_surroundings() {
    let _watchdog = watchdog::watch("an in-place scope on another pool");
    let (here, there) = (pool(2), pool(3));
    let joined = || taskel::join(taskel::current_num_threads, taskel::current_num_threads);
    let check = |index, threads| {
        let is_here = || {
            assert_eq!((taskel::current_thread_index(), joined()), (index, (threads, threads)));
            // It is not lent to a pool for ever while a scope of one lies below.
            assert!(taskel::ThreadPool::builder().use_current_thread().build().is_err());
        };
        there.in_place_scope(|s| {
            is_here();
            s.spawn(|_| assert_eq!(joined(), (3, 3)));
            there.install(|| assert_eq!((taskel::current_thread_index(), joined()), (None, (3, 3))));
            here.in_place_scope_fifo(|s| {
                is_here();
                s.spawn_fifo(|_| assert_eq!(joined(), (2, 2)));
            });
        });
        assert_eq!(taskel::current_thread_index(), index);
    };
    here.broadcast(|worker| check(Some(worker.index()), 2));
    here.install(|| check(None, 2));
    check(None, taskel::current_num_threads());
    let payload = payload_of(|| {
        there.in_place_scope(|_| std::panic::resume_unwind(Box::new("of the body")));
    });
    assert_eq!(payload, "of the body");
    assert_eq!(joined().0, taskel::current_num_threads());
}

#[test]
fn a_worker_that_waits_for_another_pool_is_there_for_calls_of_its_own() {
    let _watchdog = watchdog::watch("pools that call each other");
    let [one, two] = [pool(1), pool(1)];
    let index = one.run_on_worker(|| two.run_on_worker(|| one.run_on_worker(taskel::current_thread_index)));
    assert_eq!(index, Some(0));
    let ran = AtomicUsize::new(0);
    let count = || _ = ran.fetch_add(1, Ordering::Relaxed);
    one.run_on_worker(|| {
        two.in_place_scope(|s| {
            s.spawn(|_| {
                one.in_place_scope(|s| (0..3).for_each(|_| s.spawn(|_| count())));
                one.run_on_worker(|| taskel::broadcast(|_| two.run_on_worker(count)));
            });
        });
    });
    assert_eq!(ran.load(Ordering::Relaxed), 4);
    // From both ends at once.
    let total = AtomicUsize::new(0);
    thread::scope(|threads| {
        for [from, to] in [[&one, &two], [&two, &one]].repeat(3) {
            threads.spawn(|| {
                for _ in 0..2000 {
                    let back =
                        || to.run_on_worker(|| from.run_on_worker(|| total.fetch_add(1, Ordering::Relaxed)));
                    from.run_on_worker(back);
                }
            });
        }
    });
    assert_eq!(total.into_inner(), 6 * 2000);
}

/// Spawns broadcasts into broadcasts.
fn nested<'scope>(s: &Scope<'scope>, calls: &'scope AtomicUsize, depth: usize) {
    s.spawn_broadcast(move |s, worker| {
        calls.fetch_add(1, Ordering::Relaxed);
        if depth > 0 && worker.index() == 0 {
            nested(s, calls, depth - 1);
        }
    });
}

#[test]
fn a_broadcast_in_a_scope_reaches_each_worker_once_before_the_scope_ends() {
    let _watchdog = watchdog::watch("broadcasts in scopes");
    for threads in [1, 2, 5] {
        let pool = pool(threads);
        for _ in 0..100 {
            let calls: Vec<AtomicUsize> = (0..threads).map(|_| AtomicUsize::new(0)).collect();
            pool.scope(|s| {
                s.spawn_broadcast(|_, worker| {
                    assert_eq!(taskel::current_thread_index(), Some(worker.index()));
                    assert_eq!(worker.num_threads(), threads);
                    calls[worker.index()].fetch_add(1, Ordering::Relaxed);
                });
            });
            assert!(calls.iter().all(|calls| calls.load(Ordering::Relaxed) == 1));
            let total = AtomicUsize::new(0);
            pool.in_place_scope(|s| nested(s, &total, 3));
            pool.run_on_worker(|| taskel::scope(|s| nested(s, &total, 3)));
            pool.scope_fifo(|s| s.spawn_broadcast(|_, _| _ = total.fetch_add(1, Ordering::Relaxed)));
            assert_eq!(total.into_inner(), 9 * threads);
        }
        let payload = payload_of(|| {
            pool.scope(|s| s.spawn_broadcast(|_, _| std::panic::resume_unwind(Box::new("of a call"))));
        });
        assert_eq!(payload, "of a call");
    }
}

#[test]
fn the_current_thread_can_be_a_worker() {
    let _watchdog = watchdog::watch("the current thread as a worker");
    for threads in [1, 2, 4] {
        let in_thread = move || {
            let pool = ThreadPool::builder().num_threads(threads).use_current_thread().build().unwrap();
            assert_eq!(taskel::current_thread_index(), Some(0));
            assert_eq!(taskel::current_num_threads(), threads);
            assert!(pool.broadcast(|worker| worker.index()).into_iter().eq(0..threads));
            assert_eq!((0..10_000_u64).into_par_iter().sum::<u64>(), 49_995_000);
            let here = thread::current().id();
            assert_eq!(pool.run_on_worker(|| thread::current().id()), here);
            let (sender, receiver) = mpsc::channel();
            taskel::spawn(move || sender.send(7).unwrap());
            let got = std::iter::from_fn(|| {
                let got = receiver.try_recv();
                (taskel::yield_now().is_some() && got != Err(mpsc::TryRecvError::Disconnected)).then_some(got)
            });
            assert_eq!(got.filter_map(Result::ok).next(), Some(7));
            let error = ThreadPool::builder().use_current_thread().build().unwrap_err();
            assert!(error.to_string().contains("current thread"), "{error}");
            drop(pool);
        };
        thread::spawn(in_thread).join().unwrap();
    }
}

#[test]
fn threads_of_a_scoped_pool_borrow() {
    let _watchdog = watchdog::watch("a scoped pool");
    thread_local!(static GREETING: Cell<usize> = const { Cell::new(0) });
    let words = ["a".to_owned(), "b".to_owned()];
    let started = AtomicUsize::new(0);
    let result = ThreadPool::builder().num_threads(3).build_scoped(
        |thread| {
            started.fetch_add(1, Ordering::Relaxed);
            GREETING.set(words.len());
            thread.run();
        },
        |pool| pool.broadcast(|_| GREETING.get()),
    );
    assert_eq!(result.unwrap(), [2, 2, 2]);
    assert_eq!(started.into_inner(), 3);
    // A handler that borrows.
    let mut names = Vec::new();
    let pool = ThreadPool::builder().num_threads(2).spawn_handler(|thread| {
        names.push(thread.index());
        thread::Builder::new().spawn(|| thread.run()).map(drop)
    });
    pool.build().unwrap();
    assert_eq!(names, [0, 1]);
}

#[test]
fn a_pool_that_is_shut_down_in_the_background_does_what_it_was_handed() {
    let _watchdog = watchdog::watch("a shutdown in the background");
    for foreign in [false, true] {
        let builder = ThreadPool::builder().num_threads(2);
        let pool = match foreign {
            false => builder.build().unwrap(),
            true => {
                builder.spawn_handler(|t| thread::Builder::new().spawn(|| t.run()).map(drop)).build().unwrap()
            }
        };
        let (go, wait) = mpsc::channel::<()>();
        let (done, is_done) = mpsc::channel();
        pool.spawn(move || {
            wait.recv().unwrap();
            taskel::spawn(move || done.send(1).unwrap());
        });
        pool.shutdown_background();
        go.send(()).unwrap();
        assert_eq!(is_done.recv(), Ok(1));
    }
}

#[test]
fn a_local_yield_leaves_the_work_of_others_alone() {
    let pool = pool(1);
    let (sender, receiver) = mpsc::channel();
    pool.run_on_worker(move || {
        taskel::spawn(move || sender.send(1).unwrap());
        assert_eq!(taskel::yield_local(), Some(Yield::Idle), "what was spawned is the pool's");
        assert_eq!(taskel::current_thread_has_pending_tasks(), Some(false));
        taskel::scope(|s| {
            s.spawn(|_| ());
            assert_eq!(taskel::current_thread_has_pending_tasks(), Some(true));
            assert_eq!(taskel::yield_local(), Some(Yield::Executed));
        });
        assert!(receiver.try_recv().is_err());
        assert_eq!(taskel::yield_now(), Some(Yield::Executed));
        assert_eq!(receiver.try_recv(), Ok(1));
    });
    assert_eq!((taskel::yield_local(), taskel::current_thread_has_pending_tasks()), (None, None));
}
