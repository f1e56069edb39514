//! Broadcasts need every worker, whatever the workers are waiting for, and also while the pool
//! ends.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::Duration;

use taskel::{ThreadPool, WorkerLocal, broadcast, join, spawn, submit};

use crate::watchdog;

fn pool(threads: usize) -> ThreadPool {
    ThreadPool::builder().num_threads(threads).build().unwrap()
}

/// Two trees: in each, one worker waits for a half that another has taken, and that broadcasts.
/// Each broadcast needs the worker that waits in the other tree.
#[test]
fn two_that_need_each_others_waiting_workers() {
    let _watchdog = watchdog::watch("two broadcasts");
    let pool = pool(4);
    for _ in 0..100 {
        let tree = || {
            let taken = AtomicBool::new(false);
            let both = join(
                || {
                    while !taken.load(Ordering::Relaxed) {
                        thread::yield_now();
                    }
                },
                || {
                    taken.store(true, Ordering::Relaxed);
                    thread::sleep(Duration::from_micros(200));
                    broadcast(|_| ()).len()
                },
            );
            both.1
        };
        let (x, y) = (pool.submit(tree), pool.submit(tree));
        while !(x.is_finished() && y.is_finished()) {
            thread::yield_now();
        }
        assert_eq!((x.join(), y.join()), (4, 4));
    }
}

/// A worker waits for a half, which joins a task, which broadcasts: the task does not descend from
/// what the worker waits for.
#[test]
fn from_a_task_that_a_waiting_worker_does_not_know_of() {
    let _watchdog = watchdog::watch("a broadcast from a task");
    let pool = pool(3);
    let outer = pool.submit(|| {
        let task = submit(|| {
            thread::sleep(Duration::from_millis(20));
            broadcast(|_| ()).len()
        });
        thread::sleep(Duration::from_millis(5));
        join(|| thread::sleep(Duration::from_millis(10)), move || task.join()).1
    });
    while !outer.is_finished() {
        thread::yield_now();
    }
    assert_eq!(outer.join(), 3);
}

/// No worker ends while another's work may still call it.
#[test]
fn while_the_pool_is_dropped() {
    let _watchdog = watchdog::watch("a broadcast at the end");
    for _ in 0..20 {
        let calls = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&calls);
        let pool = pool(3);
        pool.spawn(move || {
            thread::sleep(Duration::from_millis(2));
            broadcast(|_| counted.fetch_add(1, Ordering::Relaxed));
            let counted = Arc::clone(&counted);
            taskel::spawn_broadcast(move |_| {
                counted.fetch_add(10, Ordering::Relaxed);
            });
        });
        drop(pool);
        assert_eq!(calls.load(Ordering::Relaxed), 33);
    }
}

/// What outlives its pool is a pool of nobody: whatever needs a worker is done by the caller.
#[test]
fn after_the_pool_has_ended() {
    let _watchdog = watchdog::watch("a broadcast after the end");
    let left = WorkerLocal::new_in(&pool(2), || 0);
    left.with(|_| {
        assert_eq!(broadcast(|context| context.num_threads()), [1]);
        let (sender, receiver) = mpsc::channel();
        spawn(move || sender.send(7).unwrap());
        assert_eq!(receiver.try_recv(), Ok(7));
        assert_eq!(join(|| 1, || 2), (1, 2));
    });
}

/// A thread that comes back to a pool through another one is still the worker that it was.
#[test]
fn from_inside_another_pool() {
    let _watchdog = watchdog::watch("a broadcast through another pool");
    let (here, there) = (Arc::new(pool(2)), Arc::new(pool(2)));
    let (a, b) = (Arc::clone(&here), Arc::clone(&there));
    let task = here.submit(move || b.install(|| a.broadcast(|context| context.index())));
    while !task.is_finished() {
        thread::yield_now();
    }
    assert_eq!(task.join(), [0, 1]);
}

/// A worker whose handler panics is a worker still.
#[test]
fn to_a_worker_whose_start_handler_panics() {
    let _watchdog = watchdog::watch("a start handler that panics");
    let seen = Arc::new(Mutex::new(Vec::new()));
    let lost = Arc::clone(&seen);
    let pool = ThreadPool::builder()
        .num_threads(2)
        .start_handler(|worker| {
            if worker == 1 {
                std::panic::resume_unwind(Box::new("start"));
            }
        })
        .exit_handler(|worker| {
            if worker == 0 {
                std::panic::resume_unwind(Box::new("exit"));
            }
        })
        .panic_handler(move |payload| lost.lock().unwrap().push(*payload.downcast::<&str>().unwrap()))
        .build()
        .unwrap();
    assert_eq!(pool.broadcast(|context| context.index()), [0, 1]);
    drop(pool);
    assert_eq!(*seen.lock().unwrap(), ["start", "exit"]);
}
