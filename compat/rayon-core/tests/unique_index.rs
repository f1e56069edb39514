//! No two threads have the same index in a pool at the same time: programs index data by it without
//! a lock. For each way to make a pool, and each way into it.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use rayon::prelude::*;
use rayon::{Scope, ThreadPool, ThreadPoolBuilder};

#[path = "../../../runtime/tests/support/watchdog.rs"]
mod watchdog;

/// Of each kind of pool; together they are a million.
const ENTRIES: usize = 250_000;

/// Who is inside, by index.
struct Seats {
    holders: Vec<AtomicUsize>,
    entries: AtomicUsize,
    /// Spawned, and not over.
    spawned: AtomicUsize,
    lock: Mutex<()>,
}

thread_local!(static THIS_THREAD: u8 = const { 0 });

impl Seats {
    fn new(threads: usize) -> Arc<Self> {
        Arc::new(Seats {
            holders: (0..threads).map(|_| AtomicUsize::new(0)).collect(),
            entries: AtomicUsize::new(0),
            spawned: AtomicUsize::new(0),
            lock: Mutex::new(()),
        })
    }

    /// Calls `inside` on the seat of the calling thread's index.
    fn sit<R>(&self, inside: impl FnOnce() -> R) -> R {
        let this = THIS_THREAD.with(|this| std::ptr::from_ref(this).addr());
        let index = rayon::current_thread_index().expect("all work is on workers");
        assert_eq!(rayon::current_num_threads(), self.holders.len());
        let before = self.holders[index].swap(this, Ordering::Relaxed);
        assert!(before == 0 || before == this, "two threads have index {index}");
        let result = inside();
        assert_eq!(rayon::current_thread_index(), Some(index));
        let after = self.holders[index].swap(before, Ordering::Relaxed);
        assert_eq!(after, this, "two threads have index {index}");
        self.entries.fetch_add(1, Ordering::Relaxed);
        result
    }

    fn sleep(&self) {
        self.sit(|| thread::sleep(Duration::from_micros(200)));
    }

    /// What is spawned, and spawns as much again, so often.
    fn spawned(self: &Arc<Self>, depth: usize) -> impl FnOnce() + Send + use<> {
        self.spawned.fetch_add(1, Ordering::Relaxed);
        let seats = Arc::clone(self);
        move || {
            if depth > 0 {
                seats.sit(|| rayon::spawn(seats.spawned(depth - 1)));
                seats.sit(|| rayon::spawn_fifo(seats.spawned(depth - 1)));
            }
            seats.sit(|| ());
            seats.spawned.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

fn tree(seats: &Seats, depth: usize, leaf: &(impl Fn() + Sync)) {
    seats.sit(|| match depth {
        0 => leaf(),
        _ => _ = rayon::join(|| tree(seats, depth - 1, leaf), || tree(seats, depth - 1, leaf)),
    });
}

fn tasks<'scope>(seats: &'scope Seats, scope: &Scope<'scope>, depth: usize) {
    seats.sit(|| {
        for _ in 0..depth {
            scope.spawn(move |scope| tasks(seats, scope, depth - 1));
        }
    });
}

/// A pool, or the global one.
#[derive(Clone, Copy)]
struct Place<'a>(Option<&'a ThreadPool>);

/// Calls a method of the pool, or the function of this name.
macro_rules! on {
    ($place:expr, $name:ident, $op:expr) => {
        match $place.0 {
            Some(pool) => pool.$name($op),
            None => rayon::$name($op),
        }
    };
}

impl Place<'_> {
    fn install<R: Send>(self, op: impl FnOnce() -> R + Send) -> R {
        match self.0 {
            Some(pool) => pool.install(op),
            None => rayon::scope(|_| op()),
        }
    }
}

/// All ways into a pool.
fn everything(seats: &Arc<Seats>, pool: Place<'_>, other: &ThreadPool) {
    let sit = || seats.sit(|| ());
    pool.install(|| (0..2000).into_par_iter().for_each(|_| sit()));
    pool.install(|| (0..24).into_par_iter().with_max_len(1).for_each(|_| seats.sleep()));
    pool.install(|| tree(seats, 8, &|| ()));
    // Waits that last.
    pool.install(|| tree(seats, 4, &|| seats.sleep()));
    on!(pool, scope, |scope| tasks(seats, scope, 5));
    on!(pool, scope_fifo, |scope| (0..20).for_each(|_| scope.spawn_fifo(|_| sit())));
    on!(pool, in_place_scope, |scope| scope.spawn(|scope| tasks(seats, scope, 5)));
    on!(pool, in_place_scope_fifo, |scope| (0..20).for_each(|_| scope.spawn_fifo(|_| sit())));
    on!(pool, broadcast, |_| sit());
    on!(pool, scope, |scope| scope.spawn_broadcast(|_, _| sit()));
    on!(pool, spawn, seats.spawned(4));
    on!(pool, spawn_fifo, seats.spawned(4));
    pool.install(|| seats.sit(|| rayon::spawn(seats.spawned(4))));
    let broadcast = Arc::clone(seats);
    on!(pool, spawn_broadcast, move |_| broadcast.sit(|| ()));
    in_circles(seats, pool, other);
    // Who waits with a lock runs nothing that wants it.
    pool.install(|| {
        (0..4).into_par_iter().with_max_len(1).for_each(|_| {
            let _locked = seats.lock.lock();
            tree(seats, 2, &|| ());
        });
    });
    pool.install(|| {
        (0..100).par_bridge().for_each(|_| {
            rayon::yield_now();
            seats.sit(rayon::yield_local);
        });
    });
}

/// A worker that waits for the other pool is called for. (Nobody but a worker of the global pool,
/// or a thread from outside, can enter that.)
fn in_circles(seats: &Seats, pool: Place<'_>, other: &ThreadPool) {
    let sit = || seats.sit(|| ());
    let back = |depth| pool.0.into_iter().for_each(|pool| pool.install(|| tree(seats, depth, &|| ())));
    pool.install(|| {
        seats.sit(|| {
            other.install(|| (0..20).into_par_iter().for_each(|_| back(3)));
            other.in_place_scope(|scope| {
                scope.spawn(|_| back(0));
                // Still on the first pool.
                tree(seats, 3, &|| ());
                (0..20).into_par_iter().for_each(|_| sit());
                on!(pool, in_place_scope_fifo, |scope| scope.spawn_fifo(|_| sit()));
            });
        });
    });
}

/// From several threads at once, and from this one.
fn enter_from_everywhere(seats: &Arc<Seats>, pool: Place<'_>, other: &ThreadPool) {
    let from_here = || {
        while seats.entries.load(Ordering::Relaxed) < ENTRIES {
            everything(seats, pool, other);
        }
    };
    thread::scope(|scope| {
        let others: Vec<_> = (0..3).map(|_| scope.spawn(from_here)).collect();
        from_here();
        // Broadcasts wait for this thread, if it is a worker.
        while !others.iter().all(|other| other.is_finished()) {
            rayon::yield_now();
            thread::sleep(Duration::from_millis(1));
        }
    });
    while seats.spawned.load(Ordering::Relaxed) > 0 {
        rayon::yield_now();
        thread::sleep(Duration::from_millis(1));
    }
    assert!(seats.entries.load(Ordering::Relaxed) >= ENTRIES);
}

fn pool(threads: usize) -> ThreadPool {
    ThreadPoolBuilder::new().num_threads(threads).build().unwrap()
}

#[test]
fn no_two_threads_have_the_same_index_in_a_pool() {
    let _watchdog = watchdog::watch("unique indices");
    enter_from_everywhere(&Seats::new(3), Place(Some(&pool(3))), &pool(2));
}

#[test]
fn no_two_threads_have_the_same_index_in_the_global_pool() {
    let _watchdog = watchdog::watch("unique indices in the global pool");
    let _there_is_one = ThreadPoolBuilder::new().num_threads(4).build_global();
    enter_from_everywhere(&Seats::new(4), Place(None), &pool(2));
}

#[test]
fn no_two_threads_have_the_same_index_in_a_scoped_pool() {
    let _watchdog = watchdog::watch("unique indices in a scoped pool");
    let started = Mutex::new(Vec::new());
    let wrapper = |thread: rayon::ThreadBuilder| {
        started.lock().unwrap().push(thread.index());
        thread.run();
    };
    let with_pool =
        |scoped: &ThreadPool| enter_from_everywhere(&Seats::new(3), Place(Some(scoped)), &pool(2));
    ThreadPoolBuilder::new().num_threads(3).build_scoped(wrapper, with_pool).unwrap();
    let mut started = started.into_inner().unwrap();
    started.sort_unstable();
    assert_eq!(started, [0, 1, 2]);
}

#[test]
fn no_two_threads_have_the_same_index_in_a_pool_with_the_thread_that_built_it() {
    let _watchdog = watchdog::watch("unique indices with the current thread");
    let own = thread::spawn(|| {
        let pool_of_it = ThreadPoolBuilder::new().num_threads(3).use_current_thread().build().unwrap();
        assert_eq!(rayon::current_thread_index(), Some(0));
        enter_from_everywhere(&Seats::new(3), Place(Some(&pool_of_it)), &pool(2));
    });
    own.join().unwrap();
}
