//! Work that is handed over: results, panics, wakers, and pools that end before the work has begun.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use taskel::{Task, ThreadPool};

#[path = "support/watchdog.rs"]
mod watchdog;

fn pool(threads: usize) -> ThreadPool {
    ThreadPool::builder().num_threads(threads).build().unwrap()
}

struct Unpark(Thread, AtomicUsize);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.1.fetch_add(1, Ordering::Relaxed);
        self.0.unpark();
    }
}

/// The least executor.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    let unpark = Arc::new(Unpark(thread::current(), AtomicUsize::new(0)));
    let waker = Waker::from(Arc::clone(&unpark));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(result) => return result,
            Poll::Pending => thread::park(),
        }
    }
}

#[test]
fn results_from_outside_and_inside() {
    let _watchdog = watchdog::watch("results");
    for threads in 1..=4 {
        let pool = pool(threads);
        let tasks: Vec<Task<usize>> = (0..1000).map(|n| pool.submit(move || n * 2)).collect();
        assert!(tasks.into_iter().map(Task::join).eq((0..1000).map(|n| n * 2)));
        // A worker waits for tasks of its own pool, three levels deep.
        let sum = pool.submit(|| {
            let middle = || {
                let inner: Vec<Task<usize>> = (0..10).map(|n| taskel::submit(move || n)).collect();
                inner.into_iter().map(Task::join).sum::<usize>()
            };
            let tasks: Vec<Task<usize>> = (0..10).map(|_| taskel::submit(middle)).collect();
            tasks.into_iter().map(Task::join).sum::<usize>()
        });
        assert_eq!(sum.join(), 450);
    }
}

#[test]
fn tasks_are_futures() {
    let _watchdog = watchdog::watch("futures");
    let pool = pool(2);
    for n in 0..2000 {
        let (a, b) = (pool.submit(move || n), pool.submit(move || n + 1));
        assert_eq!(block_on(async { a.await + b.await }), 2 * n + 1);
    }
    let failing = pool.submit(|| -> u32 { resume_unwind(Box::new("future")) });
    let payload = catch_unwind(AssertUnwindSafe(|| block_on(failing))).unwrap_err();
    assert_eq!(payload.downcast_ref(), Some(&"future"));
}

/// Only the waker of the last poll counts, and it is called once.
#[test]
fn a_waker_that_was_replaced_is_not_called() {
    let _watchdog = watchdog::watch("wakers");
    let pool = pool(1);
    let (go, wait) = mpsc::channel::<()>();
    let mut task = pin!(pool.submit(move || wait.recv().unwrap()));
    let wakers: Vec<_> = (0..3).map(|_| Arc::new(Unpark(thread::current(), AtomicUsize::new(0)))).collect();
    for waker in &wakers {
        assert!(task.as_mut().poll(&mut Context::from_waker(&Waker::from(Arc::clone(waker)))).is_pending());
    }
    assert_eq!(Arc::strong_count(&wakers[0]), 1, "a replaced waker is dropped");
    go.send(()).unwrap();
    while wakers[2].1.load(Ordering::Relaxed) == 0 {
        thread::park();
    }
    assert!(task.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready());
    assert_eq!(wakers.iter().map(|waker| waker.1.load(Ordering::Relaxed)).collect::<Vec<_>>(), [0, 0, 1]);
    let again =
        catch_unwind(AssertUnwindSafe(|| task.as_mut().poll(&mut Context::from_waker(Waker::noop()))));
    assert!(again.unwrap_err().downcast_ref::<&str>().is_none_or(|text| text.contains("taken")));
}

/// Counts itself.
struct Counted(Arc<AtomicUsize>);

impl Counted {
    fn new(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Counted(Arc::clone(count))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[test]
fn nothing_is_leaked() {
    let _watchdog = watchdog::watch("leaks");
    let count = Arc::new(AtomicUsize::new(0));
    let seen = Arc::new(AtomicUsize::new(0));
    let panics = Arc::clone(&seen);
    let handler = move |_| {
        panics.fetch_add(1, Ordering::Relaxed);
    };
    let pool = ThreadPool::builder().num_threads(2).panic_handler(handler).build().unwrap();
    for n in 0..500 {
        let (captured, made) = (Counted::new(&count), Arc::clone(&count));
        let task = pool.submit(move || {
            let _captured = captured;
            let result = Counted::new(&made);
            if n % 5 == 0 {
                resume_unwind(Box::new(result));
            }
            result
        });
        match n % 4 {
            0 => drop(task),
            1 => drop(catch_unwind(AssertUnwindSafe(|| task.join()))),
            2 => drop(catch_unwind(AssertUnwindSafe(|| block_on(task)))),
            _ => {
                let mut task = pin!(task);
                // Dropped after it was polled, running or done.
                let poll = || task.as_mut().poll(&mut Context::from_waker(Waker::noop())).map(drop);
                drop(catch_unwind(AssertUnwindSafe(poll)));
            }
        }
    }
    drop(pool);
    assert_eq!(count.load(Ordering::Relaxed), 0);
    // 25 tasks panic and are dropped at once; some of them were over by then.
    assert!(seen.load(Ordering::Relaxed) <= 50);
}

#[test]
fn a_pool_does_what_it_was_handed_before_it_ends() {
    let _watchdog = watchdog::watch("a pool that ends");
    for threads in [1, 2, 4] {
        let ran = Arc::new(AtomicUsize::new(0));
        let pool = pool(threads);
        for _ in 0..200 {
            let ran = Arc::clone(&ran);
            pool.spawn(move || {
                let again = Arc::clone(&ran);
                taskel::spawn(move || {
                    again.fetch_add(1, Ordering::Relaxed);
                });
                ran.fetch_add(1, Ordering::Relaxed);
            });
        }
        drop(pool);
        assert_eq!(ran.load(Ordering::Relaxed), 400);
    }
}

/// All workers' seats are taken by external callers: what was handed to the pool is done all the
/// same.
#[test]
fn spawned_work_does_not_wait_for_external_callers_to_leave() {
    let _watchdog = watchdog::watch("externals and spawned work");
    for threads in 1..=3 {
        let pool = pool(threads);
        thread::scope(|s| {
            for _ in 0..4 {
                s.spawn(|| {
                    for _ in 0..50 {
                        pool.scope(|_| {
                            let (sender, receiver) = mpsc::channel();
                            taskel::spawn(move || sender.send(7).unwrap());
                            assert_eq!(receiver.recv(), Ok(7));
                        });
                    }
                });
            }
        });
    }
}

#[test]
fn panics_go_to_whoever_takes_the_result_or_to_the_handler() {
    let _watchdog = watchdog::watch("panics");
    let (sender, receiver) = mpsc::channel();
    let handler = move |payload: Box<dyn std::any::Any + Send>| {
        sender.send(*payload.downcast::<&str>().unwrap()).unwrap();
    };
    let pool = ThreadPool::builder().num_threads(2).panic_handler(handler).build().unwrap();
    let task = pool.submit(|| resume_unwind(Box::new("joined")));
    let payload = catch_unwind(AssertUnwindSafe(|| task.join())).unwrap_err();
    assert_eq!(payload.downcast_ref(), Some(&"joined"));

    pool.spawn(|| resume_unwind(Box::new("spawned")));
    assert_eq!(receiver.recv(), Ok("spawned"));

    pool.spawn_broadcast(|_| resume_unwind(Box::new("broadcast")));
    assert_eq!([receiver.recv(), receiver.recv()], [Ok("broadcast"); 2]);

    let (go, wait) = mpsc::channel::<()>();
    drop(pool.submit(move || {
        wait.recv().unwrap();
        resume_unwind(Box::new("detached"))
    }));
    go.send(()).unwrap();
    assert_eq!(receiver.recv(), Ok("detached"));
    assert_eq!(pool.submit(|| 1).join(), 1);
}

/// Without a handler the process aborts, as rayon's does, and with nobody to hand the work to as
/// well. Tried in processes of their own.
#[test]
#[cfg(target_os = "linux")]
fn a_lost_panic_aborts() {
    use std::os::unix::process::ExitStatusExt;
    const CHILD: &str = "TASKEL_TEST_LOST_PANIC";
    let lost = || -> () { panic!("lost") };
    match std::env::var(CHILD).as_deref() {
        Err(_) => (),
        Ok("on a pool") => return pool(1).spawn(lost),
        Ok(what) => {
            forbid_threads();
            assert!(ThreadPool::new().is_err());
            assert_eq!((taskel::current_num_threads(), taskel::submit(|| 1).join()), (1, 1));
            taskel::spawn(|| ());
            taskel::spawn_broadcast(|context| assert_eq!(context.num_threads(), 1));
            return match what {
                "spawn" => taskel::spawn(lost),
                _ => taskel::spawn_broadcast(move |_| lost()),
            };
        }
    }
    for what in ["on a pool", "spawn", "spawn_broadcast"] {
        let mut child = std::process::Command::new(std::env::current_exe().unwrap());
        let child = child.args(["--exact", "a_lost_panic_aborts", "--nocapture"]).env(CHILD, what);
        let output = child.output().unwrap();
        assert_eq!(output.status.signal(), Some(libc::SIGABRT), "{what}: {output:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains("lost"));
    }
}

/// From here on, this process finds no room for another stack.
#[cfg(target_os = "linux")]
fn forbid_threads() {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: u64 = statm.split(' ').next().unwrap().parse().unwrap();
    // SAFETY: always allowed.
    let page = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    let bytes = pages * page as u64 + (1 << 20);
    let limit = libc::rlimit { rlim_cur: bytes, rlim_max: bytes };
    // SAFETY: the pointer is to a limit.
    assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_AS, &raw const limit) }, 0);
}

/// Each waits for all others. Workers go to sleep and are woken in between, which must not leave
/// one of them asleep beside work.
#[test]
fn as_many_spawned_closures_run_at_once_as_there_are_workers() {
    let _watchdog = watchdog::watch("closures that wait for each other");
    for workers in [2, 3, 5, 16] {
        let pool = ThreadPool::builder().num_threads(workers).build().unwrap();
        let (sender, receiver) = mpsc::channel();
        for round in 0..300_u64 {
            let barrier = Arc::new(std::sync::Barrier::new(workers));
            for _ in 0..workers {
                let (barrier, sender) = (Arc::clone(&barrier), sender.clone());
                pool.spawn(move || {
                    barrier.wait();
                    sender.send(()).unwrap();
                });
            }
            assert_eq!(receiver.iter().take(workers).count(), workers);
            thread::sleep(std::time::Duration::from_micros(10 * (round % 8)));
        }
    }
}
