//! How it is done: parallel code of the same text for rayon and for taskel.

use super::load::Item;
use std::{
    sync::Barrier,
    thread,
    time::{Duration, Instant},
};

/// How long the operator of a slow reduction sleeps.
pub(super) const OPERATOR: Duration = Duration::from_millis(8);

/// So many threads call from outside of the pool, each with its part of the items.
const CALLERS: usize = 12;

/// All threads sleep between two calls.
const PAUSE: Duration = Duration::from_millis(2);

pub(super) const SHAPES: [&str; 8] =
    ["loop", "collect", SLOW_REDUCE, "join", "loops in join", "scope", "loops in loops", "callers"];
pub(super) const SLOW_REDUCE: &str = "slow reduce";

pub(super) const PEERS: [&str; 2] = ["rayon", "taskel"];

macro_rules! peer {
    ($library:ident) => {
        pub(super) mod $library {
            use super::{Item, OPERATOR, callers, timed};
            use ::$library::{ThreadPool, ThreadPoolBuilder, join, prelude::*, scope};
            use std::thread;

            /// How many nanoseconds each of `calls` calls of a shape takes.
            pub(in super::super) fn times(
                shape: &str,
                items: &[Item],
                workers: usize,
                calls: usize,
            ) -> Vec<f64> {
                let pool = ThreadPoolBuilder::new().num_threads(workers).build().expect("a pool");
                // What is called must differ from shape to shape, or the compiler might share its
                // loops.
                let call: &(dyn Fn() + Sync) = match shape {
                    "loop" => &|| each(items),
                    "collect" => &|| collect(items),
                    "slow reduce" => &|| reduce(items),
                    "join" => &|| tree(items),
                    "loops in join" => &|| loops_in_join(items),
                    "scope" => &|| tasks(items),
                    "loops in loops" => &|| loops_in_loops(items, workers / 2),
                    "callers" => return callers(items, calls, &|part| install(&pool, &|| each(part))),
                    other => unreachable!("no shape is called {other:?}"),
                };
                timed(calls, &|| install(&pool, call))
            }

            fn install(pool: &ThreadPool, call: &(dyn Fn() + Sync)) {
                pool.install(call);
            }

            fn each(items: &[Item]) {
                items.par_iter().for_each(|item| item.run());
            }

            fn collect(items: &[Item]) {
                let numbers = items.par_iter().enumerate().map(|(number, item)| {
                    item.run();
                    number
                });
                assert!(numbers.collect::<Vec<_>>().into_iter().eq(0..items.len()));
            }

            fn reduce(items: &[Item]) {
                let ones = items.par_iter().map(|item| {
                    item.run();
                    1
                });
                let sum = ones.reduce_with(|a, b| {
                    thread::sleep(OPERATOR);
                    a + b
                });
                assert_eq!(sum, Some(items.len()));
            }

            fn tree(items: &[Item]) {
                match items {
                    [] => (),
                    [item] => item.run(),
                    _ => {
                        let (left, right) = items.split_at(items.len() / 2);
                        join(|| tree(left), || tree(right));
                    }
                }
            }

            fn loops_in_join(items: &[Item]) {
                let (left, right) = items.split_at(items.len() / 2);
                join(|| each(left), || each(right));
            }

            fn tasks(items: &[Item]) {
                scope(|scope| {
                    for item in items {
                        scope.spawn(|_| item.run());
                    }
                });
            }

            fn loops_in_loops(items: &[Item], loops: usize) {
                items.par_chunks(items.len().div_ceil(loops)).for_each(each);
            }
        }
    };
}

peer!(rayon);
peer!(taskel);

fn timed(calls: usize, call: &dyn Fn()) -> Vec<f64> {
    let times = (0..calls).map(|_| {
        thread::sleep(PAUSE);
        let start = Instant::now();
        call();
        start.elapsed().as_nanos() as f64
    });
    times.collect()
}

/// Until the last of the callers is done; they wait for each other before each call.
fn callers(items: &[Item], calls: usize, call: &(dyn Fn(&[Item]) + Sync)) -> Vec<f64> {
    let (start, end) = (Barrier::new(CALLERS), Barrier::new(CALLERS));
    let part = |caller: usize| {
        let [from, to] = [caller, caller + 1].map(|caller| caller * items.len() / CALLERS);
        &items[from..to]
    };
    let together = |part: &[Item]| {
        start.wait();
        call(part);
        end.wait();
    };
    thread::scope(|scope| {
        for caller in 1..CALLERS {
            let (together, part) = (&together, part(caller));
            scope.spawn(move || (0..calls).for_each(|_| together(part)));
        }
        timed(calls, &|| together(part(0)))
    })
}
