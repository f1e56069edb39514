//! What one thread does most often, for counting its instructions: a list of short programs, each of which repeats one thing.

use crate::{locks, result::SERIAL};
use std::{hint::black_box, num::NonZero};

/// Something that is repeated.
pub struct HotPath {
    /// What is done.
    pub row: &'static str,
    /// Who does it.
    pub peer: String,
    /// Calls [`measured`].
    run: Box<dyn FnOnce()>,
}

/// How often a path is repeated in its two countings: the difference is what 2000 cost, without what comes before and after them.
pub const TIMES: [u32; 2] = [1000, 3000];

/// The function whose instructions are counted, as a pattern of valgrind's.
pub const COUNTED: &str = "*hot_paths*counted*";
/// The function that ends a count, as a pattern of valgrind's.
pub const END: &str = "*hot_paths*end_of_count*";

/// Runs every path, for valgrind to count.
pub fn run_all() {
    all().into_iter().for_each(|path| (path.run)());
}

/// Repeats a path a few times, so that everything is known and warm, and then as often as [`TIMES`] says, counted.
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

/// Calls `op` in a pool of one thread.
fn in_taskel(op: impl FnOnce()) {
    taskel::ThreadPool::builder().num_threads(1).build().expect("a pool").install(op);
}

/// The same.
fn in_rayon(op: impl FnOnce() + Send) {
    rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a pool").install(op);
}

fn claims() -> Vec<HotPath> {
    const ROW: &str = "item that is claimed by itself";
    let serial = || measured(|times| (0..times).for_each(|n| _ = black_box(n)));
    let rayon = || {
        use rayon::prelude::*;
        in_rayon(|| {
            measured(|times| (0..times).into_par_iter().with_max_len(1).for_each(|n| _ = black_box(n)))
        });
    };
    let taskel = || {
        use taskel::{Chunk, prelude::*};
        let items =
            |times| (0..times).into_par_iter().chunk(Chunk::Exact(1)).for_each(|n: u32| _ = black_box(n));
        in_taskel(|| measured(items));
    };
    vec![path(ROW, SERIAL, serial), path(ROW, "rayon", rayon), path(ROW, "taskel", taskel)]
}

fn calls(row: &'static str, items: &'static [u32]) -> Vec<HotPath> {
    let repeated = |call: &dyn Fn(&[u32]) -> u32| {
        measured(|times| (0..times).for_each(|_| _ = black_box(call(black_box(items)))));
    };
    let serial = move || repeated(&|items| items.iter().map(|n| n ^ 1).sum());
    let rayon = move || {
        use rayon::prelude::*;
        in_rayon(move || repeated(&|items| items.par_iter().map(|n| n ^ 1).sum()));
    };
    let taskel = move || {
        use taskel::prelude::*;
        in_taskel(move || repeated(&|items| items.par_iter().map(|n| n ^ 1).sum()));
    };
    vec![path(row, SERIAL, serial), path(row, "rayon", rayon), path(row, "taskel", taskel)]
}

fn joins() -> Vec<HotPath> {
    const ROW: &str = "join of two numbers";
    let repeated = |join: &mut dyn FnMut() -> (u32, u32)| {
        measured(|times| (0..times).for_each(|_| _ = black_box(join())));
    };
    let serial = move || repeated(&mut || (black_box(1), black_box(2)));
    let rayon = move || in_rayon(move || repeated(&mut || rayon::join(|| black_box(1), || black_box(2))));
    let chili = move || {
        let config = chili::Config { thread_count: NonZero::new(1), ..Default::default() };
        let pool = chili::ThreadPool::with_config(config);
        let mut scope = pool.scope();
        repeated(&mut || scope.join(|_| black_box(1), |_| black_box(2)));
    };
    let taskel = move || in_taskel(move || repeated(&mut || taskel::join(|| black_box(1), || black_box(2))));
    vec![
        path(ROW, SERIAL, serial),
        path(ROW, "rayon", rayon),
        path(ROW, "chili", chili),
        path(ROW, "taskel", taskel),
    ]
}

/// Those that do not only ask the kernel.
fn locks() -> Vec<HotPath> {
    let locks = locks::all().into_iter().filter(|lock| lock.name() != "flock");
    let paths = locks.map(|lock| path("lock and unlock", lock.name(), move || measured(lock.visitor(0))));
    paths.collect()
}
