//! No two threads have the same index in a pool at the same time: programs index data by it without
//! a lock.

use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

#[path = "../../../runtime/tests/support/watchdog.rs"]
mod watchdog;

const THREADS: usize = 3;

/// Who is inside, by index.
struct Seats {
    holders: [AtomicUsize; THREADS],
    entries: AtomicUsize,
}

thread_local!(static THIS_THREAD: u8 = const { 0 });

impl Seats {
    /// Calls `inside` on the seat of the calling thread's index.
    fn sit<R>(&self, inside: impl FnOnce() -> R) -> R {
        let this = THIS_THREAD.with(|this| std::ptr::from_ref(this).addr());
        let index = rayon::current_thread_index().expect("all work is on workers");
        assert!(index < rayon::current_num_threads());
        let before = self.holders[index].swap(this, Ordering::Relaxed);
        assert!(before == 0 || before == this, "two threads have index {index}");
        let result = inside();
        let after = self.holders[index].swap(before, Ordering::Relaxed);
        assert_eq!(after, this, "two threads have index {index}");
        self.entries.fetch_add(1, Ordering::Relaxed);
        result
    }
}

fn tree(seats: &Seats, depth: usize) {
    seats.sit(|| {
        if depth > 0 {
            rayon::join(|| tree(seats, depth - 1), || tree(seats, depth - 1));
        }
    });
}

fn tasks<'scope>(seats: &'scope Seats, scope: &rayon::Scope<'scope>, depth: usize) {
    seats.sit(|| {
        for _ in 0..depth {
            scope.spawn(move |scope| tasks(seats, scope, depth - 1));
        }
    });
}

/// All ways into a pool.
fn everything(seats: &Seats, pool: &rayon::ThreadPool, other: &rayon::ThreadPool) {
    pool.install(|| (0..2000).into_par_iter().for_each(|_| seats.sit(|| ())));
    pool.install(|| tree(seats, 8));
    pool.in_place_scope(|scope| scope.spawn(|scope| tasks(seats, scope, 5)));
    pool.scope(|scope| tasks(seats, scope, 5));
    pool.scope_fifo(|scope| (0..20).for_each(|_| scope.spawn_fifo(|_| seats.sit(|| ()))));
    pool.broadcast(|_| seats.sit(|| ()));
    pool.scope(|scope| scope.spawn_broadcast(|_, _| seats.sit(|| ())));
    // In circles, so that a worker that waits for the other pool is called for.
    pool.install(|| {
        seats.sit(|| {
            other.install(|| (0..20).into_par_iter().for_each(|_| pool.install(|| tree(seats, 3))));
        });
    });
    (0..100).par_bridge().for_each(|_| {
        rayon::yield_now();
        pool.install(|| seats.sit(rayon::yield_local));
    });
}

#[test]
fn no_two_threads_have_the_same_index() {
    let _watchdog = watchdog::watch("unique indices");
    let pool = rayon::ThreadPoolBuilder::new().num_threads(THREADS).build().unwrap();
    let other = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
    let seats = Seats { holders: Default::default(), entries: AtomicUsize::new(0) };
    while seats.entries.load(Ordering::Relaxed) < 1_000_000 {
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..5).for_each(|_| everything(&seats, &pool, &other)));
            }
        });
    }
}
