//! What one thread does most often, for counting its instructions: a list of short programs, each
//! of which repeats one thing.

use crate::{locks, result::SERIAL};
use std::{hint::black_box, num::NonZero, sync::mpsc};

/// Something that is repeated.
pub struct HotPath {
    /// What is done.
    pub row: &'static str,
    /// Who does it.
    pub peer: String,
    /// Calls [`measured`].
    run: Box<dyn FnOnce()>,
}

/// How often a path is repeated in its two countings: the difference is what 2000 cost, without
/// what comes before and after them.
pub const TIMES: [u32; 2] = [1000, 3000];

/// The function whose instructions are counted, as a pattern of valgrind's, which may have one
/// asterisk.
pub const COUNTED: &str = "*hot_paths::counted";
/// The function that ends a count, as such a pattern.
pub const END: &str = "*hot_paths::end_of_count";

/// Runs every path, for valgrind to count.
pub fn run_all() {
    all().into_iter().for_each(|path| (path.run)());
}

/// Repeats a path a few times, so that everything is known and warm, and then as often as [`TIMES`]
/// says, counted.
fn measured(mut path: impl FnMut(u32)) {
    path(100);
    TIMES.into_iter().for_each(|times| counted(&mut path, times));
}

#[inline(never)]
fn counted(path: &mut dyn FnMut(u32), times: u32) {
    path(times);
    end_of_count();
    // Keeps the call above from becoming a jump, which valgrind would not see as one.
    black_box(());
}

#[inline(never)]
fn end_of_count() {
    // What is opaque is not left out.
    black_box(());
}

/// All of them, in the order in which they run.
#[must_use]
pub fn all() -> Vec<HotPath> {
    [
        claims(),
        calls("call of an empty loop", &[]),
        calls("call of a loop of one item", &[7]),
        joins(),
        locks(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn path(row: &'static str, peer: impl Into<String>, run: impl FnOnce() + 'static) -> HotPath {
    HotPath { row, peer: peer.into(), run: Box::new(run) }
}

fn taskel(threads: usize) -> taskel::ThreadPool {
    taskel::ThreadPool::builder().num_threads(threads).build().expect("a pool")
}

fn rayon(threads: usize) -> rayon::ThreadPool {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool")
}

/// Calls `op` while a worker, to which `spawn` gives something to do, is kept from doing anything
/// else: the caller has to share what it does, and yet does all of it, so that every run counts the
/// same.
fn beside_a_busy_worker(spawn: impl FnOnce(Box<dyn FnOnce() + Send>), op: impl FnOnce()) {
    let (begun, has_begun) = mpsc::channel();
    let (over, is_over) = mpsc::channel::<()>();
    spawn(Box::new(move || {
        begun.send(()).expect("the caller waits");
        // Ends when the caller has dropped its end.
        _ = is_over.recv();
    }));
    has_begun.recv().expect("the worker sends");
    op();
    drop(over);
}

fn claims() -> Vec<HotPath> {
    const ROW: &str = "item that is claimed by itself";
    let serial = || measured(|times| (0..times).for_each(|n| _ = black_box(n)));
    let rayon = || {
        use ::rayon::prelude::*;
        let pool = rayon(2);
        let items = |times: u32| (0..times).into_par_iter().with_max_len(1).for_each(|n| _ = black_box(n));
        beside_a_busy_worker(|task| pool.spawn(task), || pool.install(|| measured(items)));
    };
    let taskel = || {
        use ::taskel::{Chunk, prelude::*};
        let pool = taskel(2);
        let items =
            |times: u32| (0..times).into_par_iter().chunk(Chunk::Exact(1)).for_each(|n| _ = black_box(n));
        beside_a_busy_worker(|task| pool.spawn(task), || pool.install(|| measured(items)));
    };
    vec![path(ROW, SERIAL, serial), path(ROW, "rayon", rayon), path(ROW, "taskel", taskel)]
}

fn calls(row: &'static str, items: &'static [u32]) -> Vec<HotPath> {
    let repeated = |call: &dyn Fn(&[u32]) -> u32| {
        measured(|times| (0..times).for_each(|_| _ = black_box(call(black_box(items)))));
    };
    let serial = move || repeated(&|items| items.iter().map(|n| n ^ 1).sum());
    let rayon = move || {
        use ::rayon::prelude::*;
        rayon(1).install(move || repeated(&|items| items.par_iter().map(|n| n ^ 1).sum()));
    };
    let taskel = move || {
        use ::taskel::prelude::*;
        taskel(1).install(move || repeated(&|items| items.par_iter().map(|n| n ^ 1).sum()));
    };
    vec![path(row, SERIAL, serial), path(row, "rayon", rayon), path(row, "taskel", taskel)]
}

fn joins() -> Vec<HotPath> {
    const INNER: &str = "join inside of another";
    const OUTER: &str = "join inside of none";
    let repeated = |join: &mut dyn FnMut() -> (u32, u32)| {
        measured(|times| (0..times).for_each(|_| _ = black_box(join())));
    };
    let taskels = move || repeated(&mut || ::taskel::join(|| black_box(1), || black_box(2)));
    let serial = move || repeated(&mut || (black_box(1), black_box(2)));
    let rayon =
        move || rayon(1).install(move || repeated(&mut || ::rayon::join(|| black_box(1), || black_box(2))));
    let chili = move || {
        let pool = chili::ThreadPool::with_config(chili::Config {
            thread_count: NonZero::new(1),
            ..Default::default()
        });
        let mut scope = pool.scope();
        repeated(&mut || scope.join(|_| black_box(1), |_| black_box(2)));
    };
    let inner = move || taskel(1).scope(|_| taskels());
    let outer = move || taskel(1).install(taskels);
    vec![
        path(INNER, SERIAL, serial),
        path(INNER, "rayon", rayon),
        path(INNER, "chili", chili),
        path(INNER, "taskel", inner),
        path(OUTER, SERIAL, serial),
        path(OUTER, "taskel", outer),
    ]
}

/// Those that do not only ask the kernel.
fn locks() -> Vec<HotPath> {
    let locks = locks::all().into_iter().filter(|lock| lock.name() != "flock");
    let paths = locks.map(|lock| path("lock and unlock", lock.name(), move || measured(lock.visitor(0))));
    paths.collect()
}
