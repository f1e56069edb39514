//! How often do loops, joins, scopes and tasks allocate, once the lanes have been used?

use std::alloc::{GlobalAlloc, Layout, System};
use std::hint::black_box;
use std::sync::Barrier;
use std::sync::atomic::{AtomicU64, Ordering};

use taskel::prelude::*;
use taskel::{Chunk, Pinning, ThreadPool};

#[path = "support/registered.rs"]
mod registered;
#[path = "support/threads.rs"]
mod threads;

/// Counts what all threads ask for. The file has one test, so that no other thread of the test
/// program is at work.
struct Counting;

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

// SAFETY: each method hands its arguments on unchanged, and the counter is not memory.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the same demands.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: the same demands.
        unsafe { System.dealloc(memory, layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the same demands.
        unsafe { System.realloc(memory, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const LEN: u64 = 100_000;
const THREADS: usize = 2;

/// Some 50 ns of work.
fn work(n: u64) -> u64 {
    black_box((0..12).fold(n, |x, _| x.wrapping_mul(0x5851_F42D_4C95_7F2D).rotate_left(7)))
}

/// Takes a result that the compiler must not do without.
fn keep<T>(result: T) {
    black_box(result);
}

/// How often one of the pool's own threads has entered a loop.
fn entered_by_workers(pool: &ThreadPool) -> u64 {
    pool.metrics().workers().iter().map(|worker| worker.loops()).sum()
}

/// Runs `run` until it has run ten times and workers took part, and compares the allocations of all
/// but the first run.
#[track_caller]
fn check(pool: &ThreadPool, name: &str, expected: u64, run: impl Fn()) {
    pool.install(&run);
    let entered = entered_by_workers(pool);
    let mut runs = 0;
    while runs < 10 || entered_by_workers(pool) == entered {
        let before = ALLOCATIONS.load(Ordering::Relaxed);
        pool.install(&run);
        let allocations = ALLOCATIONS.load(Ordering::Relaxed) - before;
        assert_eq!(allocations, expected, "{name}, run {runs}");
        runs += 1;
        assert!(runs < 10_000, "{name}: no worker ever took part");
    }
}

/// Waits for the threads of a new pool, each of which allocates as it begins.
fn have_begun(pool: &ThreadPool) {
    // From one of them, so that none makes room for this one.
    pool.run_on_worker(|| taskel::broadcast(|_| ()));
}

/// Has each lane run an inner loop while the others do, so that all have made whatever they keep.
fn warm_up(pool: &ThreadPool) {
    let all = Barrier::new(THREADS);
    (0..THREADS).into_par_iter().on(pool).for_each(|_| {
        all.wait();
        assert_eq!(inner(1000), (0..1000).map(work).fold(0, u64::wrapping_add));
        all.wait();
    });
    // And has the calling thread steal for once: a thread is registered with the deques' garbage
    // collector as it does.
    (0..THREADS).into_par_iter().on(pool).for_each(|_| {
        all.wait();
        if taskel::current_thread_index().is_some() {
            (0..THREADS).into_par_iter().chunk(Chunk::Exact(1)).for_each(|_| {
                all.wait();
            });
        }
    });
    // And each worker from another, as any of them may come to be the one whose seat the caller
    // takes.
    for owner in 0..THREADS {
        pool.broadcast(|context| {
            if context.index() == owner {
                (0..THREADS).into_par_iter().chunk(Chunk::Exact(1)).for_each(|_| {
                    all.wait();
                    assert_eq!(inner(1000), (0..1000).map(work).fold(0, u64::wrapping_add));
                    all.wait();
                });
            }
        });
    }
}

/// A short loop that goes the way of shared ones all the same: it gives a chunk size.
fn inner(len: u64) -> u64 {
    (0..len).into_par_iter().chunk(Chunk::Exact(100)).map(work).reduce(|| 0, u64::wrapping_add)
}

/// What `run` allocates, at most, in forty runs after the first few. A lane that sleeps in a wait
/// may call a reserve, a thread that is kept for ten seconds. Each of them allocates in two runs at
/// most: it begins, and it steals for the first time.
fn most_allocations(pool: &ThreadPool, run: impl Fn()) -> u64 {
    pool.install(|| (0..3).for_each(|_| run()));
    let count = || {
        let before = ALLOCATIONS.load(Ordering::Relaxed);
        pool.install(&run);
        ALLOCATIONS.load(Ordering::Relaxed) - before
    };
    let mut counts: Vec<u64> = (0..40).map(|_| count()).collect();
    counts.sort_unstable();
    counts[counts.len() - 1 - 2 * reserves(pool)]
}

/// How many reserves there are; where that cannot be seen, how many there may be.
fn reserves(pool: &ThreadPool) -> usize {
    if !cfg!(target_os = "linux") {
        return pool.current_num_threads();
    }
    threads::await_all_asleep(); // One that begins has no name yet.
    threads::named("taskel-reserve").len()
}

fn tree(depth: u32) -> u64 {
    if depth == 0 {
        return work(1) >> 63;
    }
    let (a, b) = taskel::join(|| tree(depth - 1), || tree(depth - 1));
    a + b
}

/// A scope's first task costs this much more: the deques that it lies in, and what they hang from.
const SCOPE: u64 = 6;

/// At most this much is allocated each time that more tasks are pending on a lane than its deque
/// has room for, at first 64, which doubles that.
const GROWTH: u64 = 10;

/// What is handed to the pool lies in a queue of blocks of this many.
const BLOCK: u64 = 63;

fn joins_scopes_and_tasks(pool: &ThreadPool) {
    assert_eq!(most_allocations(pool, || keep(tree(12))), 0, "joins");
    assert_eq!(most_allocations(pool, || taskel::scope(|_| ())), 0, "a scope without tasks");
    for (tasks, doublings) in [(1, 0), (60, 0), (1000, 4), (10_000, 8)] {
        let run = || taskel::scope(|s| (0..tasks).for_each(|_| s.spawn(|_| ())));
        let allocations = most_allocations(pool, run);
        assert!(allocations >= tasks, "they are counted");
        let most = tasks + SCOPE + doublings * GROWTH;
        assert!(allocations <= most, "{allocations} allocations for a scope of {tasks} tasks, not {most}");
    }
    const N: u64 = 10 * BLOCK;
    let most = N + N / BLOCK + 1;
    let submit = || (0..N).for_each(|n| assert_eq!(taskel::submit(move || n).join(), n));
    let allocations = most_allocations(pool, submit);
    assert!((N..=most).contains(&allocations), "{allocations} for {N} times submit");
    static RAN: AtomicU64 = AtomicU64::new(0);
    let ran = || RAN.load(Ordering::Relaxed);
    let run = || {
        RAN.fetch_add(1, Ordering::Relaxed);
    };
    let spawn = || {
        let before = ran();
        (0..N).for_each(|_| taskel::spawn(run));
        while ran() < before + N {
            std::thread::yield_now();
        }
    };
    let allocations = most_allocations(pool, spawn);
    assert!((N..=most).contains(&allocations), "{allocations} for {N} times spawn");
    assert_eq!(most_allocations(pool, || drop(taskel::broadcast(|_| ()))), 1, "broadcast");
    let spawn_broadcast = || {
        let before = ran();
        taskel::spawn_broadcast(move |_| run());
        while ran() < before + pool.current_num_threads() as u64 {
            std::thread::yield_now();
        }
    };
    assert_eq!(most_allocations(pool, spawn_broadcast), 1, "spawn_broadcast");
}

#[test]
fn allocations() {
    // Unpinned, it is always the same worker that makes room for the caller, and the others have
    // all been warmed up.
    let pool = ThreadPool::builder().num_threads(THREADS).pinning(Pinning::Off).build().unwrap();
    have_begun(&pool);
    warm_up(&pool);
    // What registers would allocate, and count for whatever runs then.
    registered::have_registered(&pool);
    threads::await_count("taskel-fences", 0);
    threads::await_all_asleep(); // Those that begin late allocate late.
    let one = ThreadPool::builder().num_threads(1).build().unwrap();
    have_begun(&one);
    joins_scopes_and_tasks(&one);
    drop(one);
    let numbers: Vec<u64> = (0..LEN).collect();
    let numbers = &numbers;
    check(&pool, "for_each", 0, || numbers.par_iter().for_each(|&n| keep(work(n))));
    check(&pool, "sum", 0, || keep(numbers.par_iter().map(|&n| work(n) >> 32).sum::<u64>()));
    check(&pool, "float sum", 0, || keep(numbers.par_iter().map(|&n| work(n) as f32).sum::<f32>()));
    check(&pool, "reduce", 0, || keep((0..LEN).into_par_iter().map(work).reduce(|| 0, u64::wrapping_add)));
    check(&pool, "fold and reduce", 0, || {
        let folds = numbers.par_iter().fold(|| 0, |all: u64, &n| all ^ work(n));
        keep(folds.reduce(|| 0, |a, b| a ^ b));
    });
    check(&pool, "min", 0, || keep(numbers.par_iter().map(|&n| work(n)).min()));
    check(&pool, "any", 0, || assert!(!numbers.par_iter().any(|&n| work(n) == 1)));
    check(&pool, "any, found", 0, || assert!(numbers.par_iter().any(|&n| work(n) == work(LEN - 1))));
    check(&pool, "map_init", 0, || {
        keep(numbers.par_iter().map_init(|| 0, |seen, &n| work(n) ^ std::mem::replace(seen, n)).max());
    });
    check(&pool, "zip", 0, || {
        numbers.par_iter().zip(0..LEN).enumerate().for_each(|(i, (&a, b))| keep(work(i as u64 + a + b)));
    });
    check(&pool, "nested", 0, || (0..50).into_par_iter().for_each(|n| keep(inner(1000 + n))));
    check(&pool, "chain", 0, || {
        keep(numbers.par_iter().chain(numbers).rev().skip(10).step_by(2).map(|&n| work(n)).max());
    });
    check(&pool, "find_first", 0, || assert_eq!(numbers.par_iter().find_first(|&&n| work(n) == 1), None));
    check(&pool, "par_chunks", 0, || {
        numbers.par_chunks(100).for_each(|part| part.iter().for_each(|&n| keep(work(n))));
    });
    let target = std::sync::Mutex::new(Vec::new());
    check(&pool, "collect_into_vec", 0, || {
        numbers.par_iter().map(|&n| work(n)).collect_into_vec(&mut target.lock().unwrap());
    });
    // The vector, and its end given back; whatever the number of partials.
    check(&pool, "filter", 2, || {
        keep(numbers.par_iter().filter(|&&n| work(n).is_multiple_of(3)).collect::<Vec<_>>())
    });
    joins_scopes_and_tasks(&pool);
    // The vector itself.
    check(&pool, "collect", 1, || keep(numbers.par_iter().map(|&n| work(n)).collect::<Vec<u64>>()));
}
