//! Who polls for something that work of its own brings about, and yields meanwhile: it comes about.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Barrier, mpsc};
use std::thread;

use taskel::prelude::*;
use taskel::{Chunk, ThreadPool, Yield, yield_now};

use crate::watchdog;

fn pool(threads: usize) -> ThreadPool {
    ThreadPool::builder().num_threads(threads).build().unwrap()
}

/// Runs `op` on a thread from outside and on each worker, of pools of 1 and 2 threads.
fn everywhere(op: impl Fn() + Sync) {
    for threads in [1, 2] {
        let pool = pool(threads);
        for _ in 0..50 {
            pool.install(&op);
        }
        // One worker at a time, then all at once: the others are idle, or busy with the same.
        for worker in 0..threads {
            pool.broadcast(|context| (context.index() == worker).then(&op));
        }
        for _ in 0..50 {
            pool.broadcast(|_| op());
        }
    }
}

fn await_flag(flag: &AtomicBool) {
    while !flag.load(Ordering::Acquire) {
        yield_now().expect("inside of a scope, join or loop");
    }
}

fn raise(flag: &AtomicBool) {
    flag.store(true, Ordering::Release);
}

#[test]
fn for_a_task_of_its_own_scope() {
    let _watchdog = watchdog::watch("a task of an own scope");
    everywhere(|| {
        let flag = AtomicBool::new(false);
        taskel::scope(|s| {
            s.spawn(|_| raise(&flag));
            await_flag(&flag);
        });
    });
}

/// Also from within a task, an inner scope, an inner join.
#[test]
fn for_a_task_of_an_outer_scope() {
    let _watchdog = watchdog::watch("a task of an outer scope");
    everywhere(|| {
        let flags: [AtomicBool; 4] = Default::default();
        let flags = &flags;
        taskel::scope(|outer| {
            outer.spawn(|_| raise(&flags[0]));
            taskel::scope(|_| await_flag(&flags[0]));
            outer.spawn(|s| {
                s.spawn(|_| raise(&flags[1]));
                taskel::join(|| await_flag(&flags[1]), || ());
                s.spawn(|s| {
                    s.spawn(|_| raise(&flags[2]));
                    await_flag(&flags[2]);
                });
                await_flag(&flags[2]);
            });
            taskel::join(|| await_flag(&flags[2]), || outer.spawn(|_| raise(&flags[3])));
            await_flag(&flags[3]);
        });
    });
}

#[test]
fn for_the_other_half_of_a_join() {
    fn nest(flags: &[AtomicBool]) -> usize {
        let Some((flag, rest)) = flags.split_first() else { return 0 };
        let inner = || {
            let count = nest(rest);
            await_flag(flag);
            count
        };
        let (count, one) = taskel::join(inner, || {
            raise(flag);
            1
        });
        count + one
    }
    let _watchdog = watchdog::watch("the other half of a join");
    everywhere(|| {
        let flags: [AtomicBool; 20] = Default::default();
        assert_eq!(nest(&flags), 20);
    });
    // The oldest of many is awaited at the bottom, when the newer ones are private.
    everywhere(|| {
        fn dive(depth: usize, flag: &AtomicBool) -> usize {
            if depth == 0 {
                await_flag(flag);
                return 0;
            }
            let (a, b) = taskel::join(|| dive(depth - 1, flag), || 1);
            a + b
        }
        let flag = AtomicBool::new(false);
        let (count, ()) = taskel::join(|| dive(50, &flag), || raise(&flag));
        assert_eq!(count, 50);
        // And the newest of many.
        fn newest(depth: usize) -> usize {
            let flag = AtomicBool::new(false);
            if depth == 0 {
                taskel::join(|| await_flag(&flag), || raise(&flag));
                return 1;
            }
            let (a, b) = taskel::join(|| newest(depth - 1), || 1);
            a + b
        }
        assert_eq!(newest(50), 51);
    });
}

/// Each half does what it does once, whoever does it, and results and panics go where they belong.
#[test]
fn halves_with_results_and_panics() {
    let _watchdog = watchdog::watch("results and panics of halves");
    everywhere(|| {
        let ran = AtomicUsize::new(0);
        let count = |what: &'static str| {
            ran.fetch_add(1, Ordering::Relaxed);
            what.to_owned()
        };
        let (a, b) = taskel::join(
            || {
                yield_now();
                count("a")
            },
            || count("b"),
        );
        assert_eq!((&*a, &*b, ran.swap(0, Ordering::Relaxed)), ("a", "b", 2));

        let flag = AtomicBool::new(false);
        let failing = || {
            taskel::join(
                || {
                    await_flag(&flag);
                    count("a")
                },
                || -> String {
                    raise(&flag);
                    resume_unwind(Box::new("b"))
                },
            )
        };
        let payload = catch_unwind(AssertUnwindSafe(failing)).unwrap_err();
        assert_eq!((payload.downcast_ref(), ran.swap(0, Ordering::Relaxed)), (Some(&"b"), 1));

        let flag = AtomicBool::new(false);
        let failing = || {
            taskel::join(
                || -> String {
                    await_flag(&flag);
                    resume_unwind(Box::new("a"))
                },
                || {
                    raise(&flag);
                    count("b")
                },
            )
        };
        let payload = catch_unwind(AssertUnwindSafe(failing)).unwrap_err();
        assert_eq!((payload.downcast_ref(), ran.into_inner()), (Some(&"a"), 1));

        let flag = AtomicBool::new(false);
        let failing = || {
            taskel::scope(|s| {
                s.spawn(|_| {
                    raise(&flag);
                    resume_unwind(Box::new("task"))
                });
                await_flag(&flag);
            });
        };
        let payload = catch_unwind(AssertUnwindSafe(failing)).unwrap_err();
        assert_eq!(payload.downcast_ref(), Some(&"task"));
    });
}

/// What a loop has offered to others is not lost when nobody but its own lane can take it: the loop
/// goes on in the middle of an item. (Such items are none for real programs: a loop that expects to
/// be over soon offers nothing. These two run for the first time.)
#[test]
fn for_the_other_item_of_a_loop() {
    let _watchdog = watchdog::watch("the other item of a loop");
    let pool = pool(2);
    let (held, go) = (Barrier::new(2), Barrier::new(2));
    pool.broadcast(|context| {
        held.wait();
        if context.index() == 0 {
            let flag = AtomicBool::new(false);
            let each = |i: usize| match i {
                0 => await_flag(&flag),
                _ => raise(&flag),
            };
            (0..2).into_par_iter().chunk(Chunk::Exact(1)).for_each(each);
            let flag = AtomicBool::new(false);
            let each = |seen: &mut Vec<usize>, i: usize| {
                seen.push(i);
                match i {
                    0 => await_flag(&flag),
                    _ => raise(&flag),
                }
                (seen.len(), i)
            };
            let items = (0..2).into_par_iter().chunk(Chunk::Exact(1));
            assert_eq!(items.map_init(Vec::new, each).collect::<Vec<_>>(), [(1, 0), (1, 1)]);
        }
        go.wait();
    });
}

/// Items that yield to each other, on whatever lane, keep their order.
#[test]
fn loops_whose_items_yield() {
    let _watchdog = watchdog::watch("items that yield");
    for threads in [1, 2, 3] {
        let pool = pool(threads);
        for _ in 0..30 {
            let each = |i: usize| {
                let sum: usize = (0..i % 5).into_par_iter().chunk(Chunk::Exact(1)).sum();
                yield_now();
                (i, sum)
            };
            let items = || (0..300).into_par_iter().on(&pool).chunk(Chunk::Exact(2));
            let order: Vec<(usize, usize)> = items().map(each).collect();
            assert!(order.into_iter().eq((0..300).map(|i| (i, [0, 0, 1, 3, 6][i % 5]))));
            let words = items().map(|i| {
                yield_now();
                i.to_string()
            });
            assert_eq!(
                words.reduce(String::new, |a, b| a + &b),
                (0..300).map(|i| i.to_string()).collect::<String>()
            );
        }
    }
}

/// A worker takes what others have handed to the pool, or begun.
#[test]
fn for_work_of_others() {
    let _watchdog = watchdog::watch("work of others");
    for threads in [1, 2] {
        let pool = pool(threads);
        let (sender, receiver) = mpsc::channel();
        pool.spawn(move || {
            let (inner, done) = mpsc::channel();
            taskel::spawn(move || inner.send(7).unwrap());
            let result = loop {
                match done.try_recv() {
                    Ok(result) => break result,
                    Err(_) => assert!(yield_now().is_some()),
                }
            };
            sender.send(result).unwrap();
        });
        assert_eq!(receiver.recv(), Ok(7));
    }
    // All workers but one are held up; it takes mail, too.
    let pool = pool(2);
    let both = Barrier::new(2);
    pool.broadcast(|context| {
        both.wait();
        if context.index() == 0 {
            let flag = AtomicBool::new(false);
            taskel::join(|| await_flag(&flag), || raise(&flag));
        }
        both.wait();
    });
}

/// Each yield runs something that yields as well: there is an end to what lies on top of each
/// other.
#[test]
fn thousands_of_tasks_that_yield() {
    const TASKS: usize = 20_000;
    for threads in [1, 2] {
        let done = AtomicUsize::new(0);
        let task = || {
            yield_now();
            done.fetch_add(1, Ordering::Relaxed);
        };
        let pool = pool(threads);
        pool.scope(|s| (0..TASKS).for_each(|_| s.spawn(|_| task())));
        pool.broadcast(|_| taskel::scope(|s| (0..TASKS).for_each(|_| s.spawn(|_| task()))));
        let tasks: Vec<_> = (0..TASKS).map(|_| pool.submit(yield_now)).collect();
        tasks.into_iter().for_each(|task| _ = task.join());
        assert_eq!(done.into_inner(), (threads + 1) * TASKS);
    }
}

#[test]
fn what_it_answers() {
    for threads in [1, 2] {
        let pool = pool(threads);
        assert_eq!((yield_now(), pool.yield_now()), (None, None));
        assert_eq!(pool.install(|| (yield_now(), pool.yield_now())), (None, None), "no scope, join or loop");
        pool.scope(|s| {
            assert_eq!((yield_now(), pool.yield_now()), (Some(Yield::Idle), Some(Yield::Idle)));
            assert_eq!(pool.current_thread_index(), None);
            let other = ThreadPool::builder().num_threads(1).build().unwrap();
            assert_eq!((other.yield_now(), other.current_thread_has_pending_tasks()), (None, None));
            other.scope(|_| {
                assert_eq!((other.yield_now(), pool.yield_now()), (Some(Yield::Idle), None));
            });
            if threads == 1 {
                s.spawn(|_| ());
                assert_eq!(pool.current_thread_has_pending_tasks(), Some(true));
                assert_eq!(yield_now(), Some(Yield::Executed));
                assert_eq!(pool.current_thread_has_pending_tasks(), Some(false));
                let inner = || {
                    assert_eq!(pool.current_thread_has_pending_tasks(), Some(true));
                    assert_eq!((yield_now(), yield_now()), (Some(Yield::Executed), Some(Yield::Idle)));
                    assert_eq!(pool.current_thread_has_pending_tasks(), Some(false));
                };
                taskel::join(inner, || ());
            }
        });
        assert_eq!(pool.current_thread_has_pending_tasks(), None);
        let indices: Vec<_> = pool.broadcast(|_| pool.current_thread_index()).into_iter().flatten().collect();
        assert!(indices.into_iter().eq(0..threads));
    }
}

/// All seats are taken, so no worker helps: the ninth thread does the tasks of its scope.
#[test]
fn alone_with_a_scope() {
    let _watchdog = watchdog::watch("alone with a scope");
    let pool = pool(2);
    let (inside, done) = (Barrier::new(9), Barrier::new(9));
    thread::scope(|threads| {
        for _ in 0..8 {
            threads.spawn(|| {
                pool.scope(|_| {
                    inside.wait();
                    done.wait();
                });
            });
        }
        inside.wait();
        let flag = AtomicBool::new(false);
        pool.scope(|s| {
            s.spawn(|_| raise(&flag));
            while !flag.load(Ordering::Acquire) {
                assert_eq!(yield_now(), Some(Yield::Executed));
            }
            assert_eq!(yield_now(), Some(Yield::Idle));
        });
        done.wait();
    });
}

/// Everything inside everything, with yields all over.
#[test]
fn all_together() {
    fn work(depth: u32) -> u64 {
        yield_now();
        if depth == 0 {
            return 1;
        }
        match depth % 3 {
            0 => {
                let (a, b) = taskel::join(|| work(depth - 1), || work(depth - 1));
                yield_now();
                a + b
            }
            1 => (0..3).into_par_iter().chunk(Chunk::Exact(1)).map(|_| work(depth - 1)).sum(),
            _ => {
                let (left, right) = (AtomicUsize::new(0), AtomicUsize::new(0));
                taskel::scope(|s| {
                    for sum in [&left, &right] {
                        s.spawn(move |_| {
                            sum.store(work(depth - 1) as usize, Ordering::Relaxed);
                        });
                    }
                    yield_now();
                });
                (left.into_inner() + right.into_inner()) as u64
            }
        }
    }
    let _watchdog = watchdog::watch("yields all over");
    for threads in 1..=4 {
        let pool = pool(threads);
        for _ in 0..30 {
            assert_eq!(pool.install(|| work(6)), 144);
            assert!(pool.broadcast(|_| work(5)).into_iter().all(|sum| sum == 72));
        }
    }
}
