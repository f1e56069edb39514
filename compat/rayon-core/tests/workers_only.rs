//! Whatever a pool runs, one of its workers runs: on a thread that a start handler has seen, with
//! an index. (Natively, reserves run halves of joins beside long waits. They have no index.)

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::thread::{self, ThreadId};
use std::time::Duration;

use rayon_core::{ThreadPool, ThreadPoolBuilder};

#[path = "../../../runtime/tests/support/watchdog.rs"]
mod watchdog;

const THREADS: usize = 4;

/// An index, and the thread that has it.
type Worker = (Option<usize>, ThreadId);

fn this_worker() -> Worker {
    (rayon_core::current_thread_index(), thread::current().id())
}

/// As quicksort with bad luck: a third and two thirds. There are waits that last, beside leaves
/// that nobody has begun.
fn tree(leaves: usize, leaf: &(impl Fn() + Sync)) {
    if leaves == 1 {
        return leaf();
    }
    let third = leaves.div_ceil(3);
    rayon_core::join(|| tree(third, leaf), || tree(leaves - third, leaf));
}

/// Who runs leaves of some milliseconds.
fn who_runs_leaves(pool: &ThreadPool) -> HashSet<Worker> {
    let workers = Mutex::new(HashSet::new());
    let leaf = || {
        thread::sleep(Duration::from_millis(2));
        workers.lock().unwrap().insert(this_worker());
    };
    (0..20).for_each(|_| pool.install(|| tree(4 * THREADS, &leaf)));
    workers.into_inner().unwrap()
}

#[test]
fn leaves_beside_long_waits_are_run_by_workers() {
    let _watchdog = watchdog::watch("leaves beside waits");
    let pool = ThreadPoolBuilder::new().num_threads(THREADS).build().unwrap();
    let workers: HashSet<Worker> = pool.broadcast(|_| this_worker()).into_iter().collect();
    assert_eq!(workers.len(), THREADS);
    let strangers = &who_runs_leaves(&pool) - &workers;
    assert!(strangers.is_empty(), "{strangers:?} are none of {workers:?}");
}

#[test]
fn handlers_see_each_worker_once() {
    let _watchdog = watchdog::watch("handlers");
    let [started, ended] = [(); 2].map(|()| Arc::new(Mutex::new(Vec::new())));
    let note = |who: &Arc<Mutex<Vec<Worker>>>| {
        let who = Arc::clone(who);
        move |index| who.lock().unwrap().push((Some(index), thread::current().id()))
    };
    let pool = ThreadPoolBuilder::new().num_threads(THREADS);
    let pool = pool.start_handler(note(&started)).exit_handler(note(&ended)).build().unwrap();
    let ran = who_runs_leaves(&pool);
    pool.broadcast(|_| ());
    let started: HashSet<Worker> = {
        let started = started.lock().unwrap();
        assert_eq!(started.len(), THREADS);
        started.iter().copied().collect()
    };
    assert_eq!(started.len(), THREADS);
    assert!(started.iter().all(|(index, _)| index.is_some_and(|index| index < THREADS)));
    assert!(ran.is_subset(&started), "{ran:?} {started:?}");
    drop(pool);
    while ended.lock().unwrap().len() < THREADS {
        thread::sleep(Duration::from_millis(1));
    }
    assert_eq!(ended.lock().unwrap().iter().copied().collect::<HashSet<Worker>>(), started);
}
