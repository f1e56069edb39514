//! Where rayon's meaning holds, although taskel's own differs.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use rayon_core::{ThreadPool, ThreadPoolBuilder, Yield};

#[path = "../../../runtime/tests/support/watchdog.rs"]
mod watchdog;

fn pool(threads: usize) -> ThreadPool {
    ThreadPoolBuilder::new().num_threads(threads).build().unwrap()
}

/// Runs one of these tests in a process of its own, with these environment variables.
fn in_a_child(test: &str, variables: &[(&str, &str)]) {
    let mut child = std::process::Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", test]).env("IS_CHILD", "1").envs(variables.iter().copied());
    let output = child.output().unwrap();
    assert!(output.status.success(), "{variables:?}: {}", String::from_utf8_lossy(&output.stdout));
}

fn is_child() -> bool {
    std::env::var_os("IS_CHILD").is_some()
}

#[test]
fn what_is_called_from_outside_moves_to_a_worker() {
    let caller = thread::current().id();
    let moved = || thread::current().id() != caller && rayon_core::current_thread_index().is_some();
    assert!(pool(1).install(moved));
    assert_eq!(rayon_core::join(moved, moved), (true, true));
    assert!(rayon_core::scope(|_| moved()));
    assert!(rayon_core::scope_fifo(|_| moved()));
    assert!(!rayon_core::in_place_scope(|_| moved()));
    let context = rayon_core::join_context(|a| a.migrated(), |b| b.migrated());
    assert_eq!(context, (true, true));
}

#[test]
fn stack_name_and_start_handler_are_those_of_the_pool() {
    thread_local!(static STARTED: std::cell::Cell<usize> = const { std::cell::Cell::new(usize::MAX) });
    let pool = ThreadPoolBuilder::new()
        .num_threads(2)
        .stack_size(64 << 20)
        .thread_name(|index| format!("mine-{index}"))
        .start_handler(|index| STARTED.set(index))
        .build()
        .unwrap();
    pool.install(|| {
        let index = rayon_core::current_thread_index().unwrap();
        assert_eq!(thread::current().name(), Some(&*format!("mine-{index}")));
        assert_eq!(STARTED.get(), index);
        let large = std::hint::black_box([1_u8; 16 << 20]);
        assert_eq!(large[large.len() / 2], 1);
    });
}

#[test]
fn dropping_a_pool_returns_at_once_and_what_was_spawned_is_done() {
    let _watchdog = watchdog::watch("a pool that is dropped");
    let (go, wait) = mpsc::channel::<()>();
    let (done, all_done) = mpsc::channel();
    let pool = pool(1);
    pool.spawn(move || {
        wait.recv().unwrap();
        rayon_core::spawn(move || done.send(1).unwrap());
    });
    drop(pool);
    go.send(()).unwrap();
    assert_eq!(all_done.recv(), Ok(1));
}

#[test]
fn both_closures_of_a_join_are_run_and_the_first_ones_panic_wins() {
    for pool in [pool(1), pool(2)] {
        let mut ran = false;
        let join = || pool.join(|| panic!("first"), || ran = true);
        assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(join)).is_err());
        assert!(ran);
        let both = || pool.join(|| panic!("first"), || panic!("second"));
        let payload = std::panic::catch_unwind(std::panic::AssertUnwindSafe(both)).unwrap_err();
        assert_eq!(*payload.downcast::<&str>().unwrap(), "first");
    }
}

#[test]
fn pools_that_call_each_other_in_circles_end() {
    let _watchdog = watchdog::watch("pools in circles");
    let pools = [pool(1), pool(2), pool(1)];
    let calls = AtomicUsize::new(0);
    fn call(pools: &[ThreadPool; 3], calls: &AtomicUsize, depth: usize, first: usize) {
        calls.fetch_add(1, Ordering::Relaxed);
        if depth > 0 {
            let next = (first + depth % 2 + 1) % 3;
            pools[next].install(|| {
                rayon_core::join(
                    || call(pools, calls, depth - 1, next),
                    || call(pools, calls, depth - 1, first),
                );
            });
            pools[first].in_place_scope(|scope| scope.spawn(|_| call(pools, calls, depth - 1, next)));
        }
    }
    const OUTSIDE: usize = 6;
    const DEPTH: usize = 5;
    thread::scope(|scope| {
        for caller in 0..OUTSIDE {
            let (pools, calls) = (&pools, &calls);
            scope.spawn(move || call(pools, calls, DEPTH, caller % 3));
        }
    });
    assert_eq!(
        calls.into_inner(),
        OUTSIDE * (0..=DEPTH as u32).map(|depth| 3_usize.pow(depth)).sum::<usize>()
    );
}

#[test]
fn a_yield_runs_what_the_worker_has_spawned_and_its_panic_goes_to_the_handler() {
    let (sender, panics) = mpsc::channel();
    let pool = ThreadPoolBuilder::new()
        .num_threads(1)
        .panic_handler(move |payload| sender.send(*payload.downcast::<&str>().unwrap()).unwrap())
        .build()
        .unwrap();
    pool.install(|| {
        assert_eq!(rayon_core::current_thread_has_pending_tasks(), Some(false));
        rayon_core::spawn(|| panic!("spawned"));
        assert_eq!(rayon_core::current_thread_has_pending_tasks(), Some(true));
        assert_eq!(rayon_core::yield_local(), Some(Yield::Executed));
        assert_eq!(rayon_core::current_thread_has_pending_tasks(), Some(false));
    });
    assert_eq!(panics.recv(), Ok("spawned"));
    assert_eq!(rayon_core::yield_now(), None);
}

#[test]
fn each_of_many_spawned_closures_is_run_once() {
    let _watchdog = watchdog::watch("many spawned closures");
    let pool = pool(3);
    let (sender, receiver) = mpsc::channel();
    const EACH: usize = 300;
    for n in 0..EACH {
        let sender = sender.clone();
        pool.spawn(move || {
            for m in 0..EACH {
                let sender = sender.clone();
                let work = move || sender.send(n * EACH + m).unwrap();
                if m % 2 == 0 {
                    rayon_core::spawn(work)
                } else {
                    rayon_core::spawn_fifo(work)
                }
                if m % 7 == 0 {
                    rayon_core::yield_local();
                }
            }
        });
    }
    drop(sender);
    let mut all: Vec<usize> = receiver.iter().collect();
    all.sort_unstable();
    assert!(all.into_iter().eq(0..EACH * EACH));
}

#[test]
fn more_threads_than_there_can_be_are_as_many_as_there_can_be() {
    assert_eq!(pool(rayon_core::max_num_threads().min(40)).current_num_threads(), 40);
    let builder = ThreadPoolBuilder::new().num_threads(2).stack_size(1 << 20);
    assert!(format!("{builder:?}").contains("num_threads: 2"));
}

#[test]
fn an_idle_pool_is_never_woken() {
    // Other tests have pools, too: this one is alone in a child.
    if !is_child() {
        return in_a_child("an_idle_pool_is_never_woken", &[]);
    }
    let pool = pool(2);
    pool.install(|| ());
    thread::sleep(Duration::from_millis(50));
    let switches = || {
        let tasks = std::fs::read_dir("/proc/self/task").ok()?;
        let status = |task: std::fs::DirEntry| std::fs::read_to_string(task.path().join("status")).ok();
        let of_pool = |text: &String| text.starts_with("Name:\ttaskel-");
        let statuses: Vec<String> = tasks.flatten().filter_map(status).filter(of_pool).collect();
        assert_eq!(statuses.len(), 2);
        let lines = statuses.iter().flat_map(|text| text.lines());
        let counts = lines
            .filter_map(|line| line.strip_prefix("voluntary_ctxt_switches:")?.trim().parse::<u64>().ok());
        Some(counts.sum::<u64>())
    };
    let before = switches();
    thread::sleep(Duration::from_secs(1));
    assert_eq!(switches(), before);
}

#[test]
fn what_a_closure_waits_for_is_run_by_another_worker_even_if_it_yields_first() {
    let _watchdog = watchdog::watch("closures that wait for what they spawn");
    let pool = pool(2);
    for _ in 0..500 {
        let (done, all_done) = mpsc::channel();
        pool.install(|| {
            for _ in 0..3 {
                let done = done.clone();
                rayon_core::spawn(move || {
                    rayon_core::yield_now();
                    done.send(()).unwrap();
                });
            }
            let (sender, receiver) = mpsc::channel();
            rayon_core::spawn(move || {
                rayon_core::yield_now();
                let (inner, waited_for) = mpsc::channel();
                rayon_core::spawn(move || inner.send(()).unwrap());
                sender.send(waited_for).unwrap();
            });
            drop(done);
            let waited_for = loop {
                match receiver.try_recv() {
                    Ok(waited_for) => break waited_for,
                    Err(_) => _ = rayon_core::yield_now(),
                }
            };
            // Blocks this worker, with what it has yielded to underneath.
            waited_for.recv().unwrap();
        });
        assert_eq!(all_done.iter().count(), 3);
    }
}

#[test]
fn the_environment_sets_how_many_workers_there_are_and_whether_they_are_pinned() {
    if is_child() {
        let expected: usize = std::env::var("EXPECTED").unwrap().parse().unwrap();
        assert_eq!(rayon_core::current_num_threads(), expected);
        assert_eq!(ThreadPoolBuilder::new().build().unwrap().current_num_threads(), expected);
        let cores = || {
            let status = std::fs::read_to_string("/proc/thread-self/status").unwrap_or_default();
            let list = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
            list.map(|list| list.trim().to_owned())
        };
        let here = cores();
        for core in rayon_core::broadcast(|_| cores()) {
            let is_one = core.as_ref().is_none_or(|list| list.parse::<usize>().is_ok());
            assert!(
                if std::env::var_os("TASKEL_PINNING").is_some() { is_one } else { core == here },
                "{core:?}"
            );
        }
        return;
    }
    let cores = thread::available_parallelism().unwrap().to_string();
    let settings: [(&str, &[(&str, &str)]); 6] = [
        ("3", &[("RAYON_NUM_THREADS", "3"), ("RAYON_RS_NUM_CPUS", "4")]),
        ("4", &[("RAYON_NUM_THREADS", "many"), ("RAYON_RS_NUM_CPUS", "4")]),
        ("5", &[("RAYON_NUM_THREADS", "3"), ("TASKEL_NUM_THREADS", "5")]),
        (&cores, &[("RAYON_NUM_THREADS", "0"), ("RAYON_RS_NUM_CPUS", "4")]),
        (&cores, &[]),
        ("2", &[("RAYON_NUM_THREADS", "2"), ("TASKEL_PINNING", "cores")]),
    ];
    for (expected, variables) in settings {
        let variables = [&[("EXPECTED", expected)], variables].concat();
        in_a_child("the_environment_sets_how_many_workers_there_are_and_whether_they_are_pinned", &variables);
    }
}
