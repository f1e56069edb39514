//! `flat_map` and `flatten`: what is in the items of a loop is split, stolen and carried on through the rest of the pipeline, in order.

use std::collections::{BTreeSet, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use taskel::prelude::*;
use taskel::{CancelToken, Cancelled, Chunk, ThreadPool};

const WORKERS: [usize; 4] = [1, 2, 5, 8];

fn pools() -> Vec<ThreadPool> {
    WORKERS.map(|threads| ThreadPool::builder().num_threads(threads).build().unwrap()).into()
}

/// Numbers of inner items: none at all, empty ones, one wide one, many tiny ones, mixed ones.
fn shapes() -> Vec<(&'static str, Vec<usize>)> {
    let mixed = |n: usize| [0, 3, 500, 1, 0, 40][n % 6];
    vec![
        ("none", vec![]),
        ("empty", vec![0; 50]),
        ("one wide", vec![20_000]),
        ("wide among empty ones", [vec![0; 30], vec![9_000], vec![0; 30]].concat()),
        ("many tiny", vec![3; 3_000]),
        ("mixed", (0..200).map(mixed).collect()),
        ("few", vec![5, 0, 700]),
    ]
}

/// Takes a moment, so that others have time to come.
fn linger(n: u64) -> u64 {
    if n % 64 == 7 {
        (0..300).for_each(|_| std::hint::spin_loop());
    }
    n
}

/// The same expression for taskel's outer loop and for that of the standard library, with every shape on every pool, three times: the first calls
/// know nothing of their loop.
macro_rules! same {
    ($name:literal, |$outer:ident, $inner:ident| $parallel:expr, $sequential:expr) => {
        for pool in &pools() {
            for (shape, lens) in &shapes() {
                for call in 0..3 {
                    let got = {
                        let $outer =
                            || lens.par_iter().copied().enumerate().map(|(i, n)| (i as u64, n as u64));
                        let $inner =
                            |(i, n): (u64, u64)| (0..n).into_par_iter().map(move |j| linger(i * 1000 + j));
                        pool.install(|| $parallel)
                    };
                    let expected = {
                        let $outer = || lens.iter().copied().enumerate().map(|(i, n)| (i as u64, n as u64));
                        let $inner = |(i, n): (u64, u64)| (0..n).map(move |j| i * 1000 + j);
                        $sequential
                    };
                    let threads = pool.current_num_threads();
                    assert!(got == expected, "{}, {shape}, {threads} threads, call {call}", $name);
                }
            }
        }
    };
}

#[test]
fn adapters_behind_it_and_in_front_of_it_get_the_items_in_order() {
    same!(
        "collect",
        |outer, inner| outer().flat_map(inner).collect::<Vec<_>>(),
        outer().flat_map(inner).collect::<Vec<_>>()
    );
    same!(
        "filter, map",
        |outer, inner| outer()
            .filter(|(i, _)| i % 3 != 1)
            .flat_map(inner)
            .map(|x| x * 3)
            .filter(|x| x % 2 == 0)
            .collect::<Vec<_>>(),
        outer()
            .filter(|(i, _)| i % 3 != 1)
            .flat_map(inner)
            .map(|x| x * 3)
            .filter(|x| x % 2 == 0)
            .collect::<Vec<_>>()
    );
    same!(
        "filter_map, inspect, update, panic_fuse, chunk",
        |outer, inner| outer()
            .chunk(Chunk::Exact(3))
            .flat_map(inner)
            .filter_map(|x| (x % 5 > 1).then_some(x))
            .inspect(|x| assert!(*x < 1 << 40))
            .update(|x| *x += 1)
            .panic_fuse()
            .chunk(Chunk::Exact(2))
            .collect::<Vec<_>>(),
        outer().flat_map(inner).filter_map(|x| (x % 5 > 1).then_some(x + 1)).collect::<Vec<_>>()
    );
    same!(
        "flat_map_iter behind",
        |outer, inner| outer()
            .flat_map(inner)
            .flat_map_iter(|x| (0..x % 3).map(move |k| x + k))
            .collect::<Vec<_>>(),
        outer().flat_map(inner).flat_map(|x| (0..x % 3).map(move |k| x + k)).collect::<Vec<_>>()
    );
    same!(
        "flat_map_iter in front",
        |outer, inner| outer()
            .flat_map_iter(|(i, n)| [(i, n), (i + 7, n / 2)])
            .flat_map(inner)
            .collect::<Vec<_>>(),
        outer().flat_map(|(i, n)| [(i, n), (i + 7, n / 2)]).flat_map(inner).collect::<Vec<_>>()
    );
    same!(
        "map_init, map_with",
        |outer, inner| outer()
            .map_init(|| 5, |five, (i, n)| (i + *five, n))
            .flat_map(inner)
            .map_init(Vec::new, |seen, x| {
                seen.push(x);
                x + seen.len() as u64 - seen.len() as u64
            })
            .map_with(3, |three, x| x + *three)
            .collect::<Vec<_>>(),
        outer().map(|(i, n)| (i + 5, n)).flat_map(inner).map(|x| x + 3).collect::<Vec<_>>()
    );
    same!(
        "chain",
        |outer, inner| (0..40_u64)
            .into_par_iter()
            .chain(outer().flat_map(inner))
            .chain(vec![1, 2, 3])
            .chain(outer().flat_map(inner).map(|x| x + 1))
            .collect::<Vec<_>>(),
        (0..40)
            .chain(outer().flat_map(inner))
            .chain([1, 2, 3])
            .chain(outer().flat_map(inner).map(|x| x + 1))
            .collect::<Vec<_>>()
    );
    same!(
        "while_some, take_any, skip_any",
        |outer, inner| outer()
            .flat_map(inner)
            .map(Some)
            .while_some()
            .take_any(usize::MAX)
            .skip_any(0)
            .take_any_while(|_| true)
            .skip_any_while(|_| false)
            .collect::<Vec<_>>(),
        outer().flat_map(inner).collect::<Vec<_>>()
    );
}

#[test]
fn it_nests_and_flattens() {
    same!(
        "twice",
        |outer, inner| outer()
            .flat_map(inner)
            .flat_map(|x| (0..x % 4).into_par_iter().map(move |k| x * 10 + k))
            .collect::<Vec<_>>(),
        outer().flat_map(inner).flat_map(|x| (0..x % 4).map(move |k| x * 10 + k)).collect::<Vec<_>>()
    );
    same!(
        "inside",
        |outer, inner| outer()
            .map(|(i, n)| (i, n % 100))
            .flat_map(|(i, n)| (0..n / 10)
                .into_par_iter()
                .flat_map(move |k| inner((i + k, 10)))
                .filter(|x| x % 3 != 0))
            .collect::<Vec<_>>(),
        outer()
            .map(|(i, n)| (i, n % 100))
            .flat_map(|(i, n)| (0..n / 10).flat_map(move |k| inner((i + k, 10))).filter(|x| x % 3 != 0))
            .collect::<Vec<_>>()
    );
    same!(
        "three times",
        |outer, inner| outer()
            .map(|(i, n)| (i, n % 50))
            .flat_map(inner)
            .flat_map(|x| vec![x; (x % 3) as usize])
            .flat_map(|x| (0..2_u64).into_par_iter().map(move |k| x + k))
            .map(|x| x + 1)
            .collect::<Vec<_>>(),
        outer()
            .map(|(i, n)| (i, n % 50))
            .flat_map(inner)
            .flat_map(|x| vec![x; (x % 3) as usize])
            .flat_map(|x| (0..2).map(move |k| x + k))
            .map(|x| x + 1)
            .collect::<Vec<_>>()
    );
    same!(
        "flatten",
        |outer, inner| outer()
            .map(inner)
            .map(|items| items.collect::<Vec<_>>())
            .flatten()
            .collect::<Vec<_>>(),
        outer().flat_map(inner).collect::<Vec<_>>()
    );
    same!(
        "option",
        |outer, inner| outer()
            .flat_map(inner)
            .map(|x| (x % 2 == 0).then_some(x))
            .flatten()
            .collect::<Vec<_>>(),
        outer().flat_map(inner).filter(|x| x % 2 == 0).collect::<Vec<_>>()
    );
}

/// Order shows where an operation does not commute.
fn text(x: u64) -> String {
    format!("{x},")
}

#[test]
fn folds_around_it_yield_every_item_once_in_order() {
    let gather = |mut all: Vec<u64>, x| {
        all.push(x);
        all
    };
    same!(
        "fold behind",
        |outer, inner| outer()
            .flat_map(inner)
            .fold(Vec::new, gather)
            .map(|all| all)
            .reduce(Vec::new, |a, b| [a, b].concat()),
        outer().flat_map(inner).collect::<Vec<_>>()
    );
    same!(
        "fold behind, collected",
        |outer, inner| outer()
            .flat_map(inner)
            .map(|x| x + 1)
            .fold(Vec::new, gather)
            .collect::<Vec<_>>()
            .concat(),
        outer().flat_map(inner).map(|x| x + 1).collect::<Vec<_>>()
    );
    same!(
        "fold in front",
        |outer, inner| outer()
            .fold(Vec::new, |mut all, item| {
                all.push(item);
                all
            })
            .flatten()
            .flat_map(inner)
            .collect::<Vec<_>>(),
        outer().flat_map(inner).collect::<Vec<_>>()
    );
    same!(
        "fold inside",
        |outer, inner| outer()
            .flat_map(|item| inner(item).fold(Vec::new, gather))
            .flatten()
            .collect::<Vec<_>>(),
        outer().flat_map(inner).collect::<Vec<_>>()
    );
    same!(
        "fold, chain, flat_map, fold",
        |outer, inner| outer()
            .flat_map(inner)
            .fold(Vec::new, gather)
            .chain(vec![vec![1], vec![2, 3]])
            .flat_map(|all| all)
            .fold(Vec::new, gather)
            .flat_map_iter(|all| all)
            .collect::<Vec<_>>(),
        outer().flat_map(inner).chain([1, 2, 3]).collect::<Vec<_>>()
    );
    same!(
        "try_fold",
        |outer, inner| outer()
            .flat_map(inner)
            .try_fold(Vec::new, |all, x| Some(gather(all, x)))
            .try_reduce(Vec::new, |a, b| Some([a, b].concat())),
        Some(outer().flat_map(inner).collect::<Vec<_>>())
    );
    same!(
        "deterministic fold",
        |outer, inner| outer()
            .deterministic()
            .flat_map(inner)
            .fold(Vec::new, gather)
            .collect::<Vec<_>>()
            .concat(),
        outer().flat_map(inner).collect::<Vec<_>>()
    );
}

#[test]
fn consumers_give_the_sequential_result() {
    same!("count", |outer, inner| outer().flat_map(inner).count(), outer().flat_map(inner).count());
    same!("sum", |outer, inner| outer().flat_map(inner).sum::<u64>(), outer().flat_map(inner).sum::<u64>());
    same!(
        "product",
        |outer, inner| outer()
            .flat_map(inner)
            .map(|x| std::num::Wrapping(x | 1))
            .product::<std::num::Wrapping<u64>>(),
        outer().flat_map(inner).map(|x| std::num::Wrapping(x | 1)).product::<std::num::Wrapping<u64>>()
    );
    same!(
        "min, max",
        |outer, inner| (
            outer().flat_map(inner).min_by_key(|x| (x % 97, *x)),
            outer().flat_map(inner).max_by_key(|x| x % 97)
        ),
        (
            outer().flat_map(inner).min_by_key(|x| (x % 97, *x)),
            outer().flat_map(inner).max_by_key(|x| x % 97)
        )
    );
    same!(
        "reduce",
        |outer, inner| outer()
            .flat_map(inner)
            .filter(|x| x % 16 == 0)
            .map(text)
            .reduce(|| "start".into(), |a, b| a + &b),
        outer().flat_map(inner).filter(|x| x % 16 == 0).map(text).fold("start".to_string(), |a, b| a + &b)
    );
    same!(
        "reduce_with",
        |outer, inner| outer().flat_map(inner).filter(|x| x % 16 == 0).map(text).reduce_with(|a, b| a + &b),
        outer().flat_map(inner).filter(|x| x % 16 == 0).map(text).reduce(|a, b| a + &b)
    );
    same!(
        "deterministic",
        |outer, inner| outer()
            .flat_map(inner)
            .filter(|x| x % 64 == 0)
            .map(text)
            .deterministic()
            .reduce_with(|a, b| a + &b),
        outer().flat_map(inner).filter(|x| x % 64 == 0).map(text).reduce(|a, b| a + &b)
    );
    same!(
        "try_reduce",
        |outer, inner| outer().flat_map(inner).map(Some).try_reduce(|| 0, |a, b| Some(a + b)),
        Some(outer().flat_map(inner).sum::<u64>())
    );
    same!(
        "try_for_each",
        |outer, inner| outer().flat_map(inner).try_for_each(|x| if x % 1000 == 499 {
            Err(())
        } else {
            Ok(())
        }),
        outer().flat_map(inner).try_for_each(|x| if x % 1000 == 499 { Err(()) } else { Ok(()) })
    );
    same!(
        "find_any",
        |outer, inner| outer().flat_map(inner).find_any(|x| x % 1000 == 399).is_some(),
        outer().flat_map(inner).any(|x| x % 1000 == 399)
    );
    same!(
        "find_first",
        |outer, inner| outer().flat_map(inner).find_first(|x| x % 1000 == 399),
        outer().flat_map(inner).find(|x| x % 1000 == 399)
    );
    same!(
        "find_first, some",
        |outer, inner| outer().flat_map(inner).find_first(|x| x % 7 == 3),
        outer().flat_map(inner).find(|x| x % 7 == 3)
    );
    same!(
        "find_last",
        |outer, inner| outer().flat_map(inner).find_last(|x| x % 1000 == 399),
        outer().flat_map(inner).filter(|x| x % 1000 == 399).last()
    );
    same!(
        "find_first behind a fold",
        |outer, inner| outer()
            .flat_map(inner)
            .fold(|| None, |first, x| first.or((x % 1000 == 399).then_some(x)))
            .find_first(Option::is_some)
            .flatten(),
        outer().flat_map(inner).find(|x| x % 1000 == 399)
    );
    same!(
        "nested searches",
        |outer, inner| outer().flat_map(inner).flat_map(|x| vec![x, x + 1]).find_first(|x| x % 1000 == 399),
        outer().flat_map(inner).flat_map(|x| [x, x + 1]).find(|x| x % 1000 == 399)
    );
    same!(
        "nested searches, last",
        |outer, inner| outer().flat_map(inner).flat_map(|x| vec![x, x + 1]).find_last(|x| x % 1000 == 399),
        outer().flat_map(inner).flat_map(|x| [x, x + 1]).filter(|x| x % 1000 == 399).last()
    );
}

#[test]
fn collections_are_those_of_the_standard_library() {
    same!(
        "String",
        |outer, inner| outer().flat_map(inner).map(text).collect::<String>(),
        outer().flat_map(inner).map(text).collect::<String>()
    );
    same!(
        "Option",
        |outer, inner| outer()
            .flat_map(inner)
            .map(|x| (x % 1000 < 450).then_some(x))
            .collect::<Option<Vec<_>>>(),
        outer().flat_map(inner).map(|x| (x % 1000 < 450).then_some(x)).collect::<Option<Vec<_>>>()
    );
    same!(
        "Result",
        |outer, inner| outer()
            .flat_map(inner)
            .map(|x| if x % 1000 < 450 { Ok(x) } else { Err(()) })
            .collect::<Result<Vec<_>, _>>(),
        outer()
            .flat_map(inner)
            .map(|x| if x % 1000 < 450 { Ok(x) } else { Err(()) })
            .collect::<Result<Vec<_>, _>>()
    );
    same!(
        "sets",
        |outer, inner| (
            outer().flat_map(inner).collect::<BTreeSet<_>>(),
            outer().flat_map(inner).collect::<HashSet<_>>()
        ),
        (outer().flat_map(inner).collect::<BTreeSet<_>>(), outer().flat_map(inner).collect::<HashSet<_>>())
    );
    same!(
        "unzip",
        |outer, inner| outer().flat_map(inner).map(|x| (x, text(x))).unzip::<_, _, Vec<_>, Vec<_>>(),
        outer().flat_map(inner).map(|x| (x, text(x))).unzip::<_, _, Vec<_>, Vec<_>>()
    );
    same!(
        "partition",
        |outer, inner| outer().flat_map(inner).partition::<Vec<_>, Vec<_>, _>(|x| x % 3 == 0),
        outer().flat_map(inner).partition::<Vec<_>, _>(|x| x % 3 == 0)
    );
    same!(
        "vec list",
        |outer, inner| outer().flat_map(inner).collect_vec_list().into_iter().flatten().collect::<Vec<_>>(),
        outer().flat_map(inner).collect::<Vec<_>>()
    );
    same!(
        "extend",
        |outer, inner| {
            let mut all = vec![7];
            all.par_extend(outer().flat_map(inner));
            all
        },
        [7].into_iter().chain(outer().flat_map(inner)).collect::<Vec<_>>()
    );
}

#[test]
fn as_many_items_pass_as_take_any_and_skip_any_say() {
    for pool in &pools() {
        for (_, lens) in &shapes() {
            let all: usize = lens.iter().sum();
            let items = || lens.par_iter().flat_map(|&n| (0..n).into_par_iter().map(|n| linger(n as u64)));
            pool.install(|| {
                assert_eq!(items().take_any(100).count(), all.min(100));
                assert_eq!(items().skip_any(100).count(), all.saturating_sub(100));
                // What was taken in front of it is there with all that is in it.
                let taken =
                    lens.par_iter().filter(|n| **n == 3).take_any(5).flat_map(|&n| (0..n).into_par_iter());
                assert_eq!(taken.count(), 3 * lens.iter().filter(|n| **n == 3).count().min(5));
                // One half that is full does not end the other.
                assert_eq!(items().take_any(3).chain(items()).count(), all.min(3) + all);
            });
        }
    }
}

#[test]
fn deterministic_sums_are_the_same_for_any_number_of_threads() {
    let item = |n: u64| 1.0 / (1 + n) as f32;
    let sums: Vec<[u32; 3]> = pools()
        .iter()
        .flat_map(|pool| (0..3).map(move |_| pool))
        .map(|pool| {
            pool.install(|| {
                let inner = |n: usize| (0..n as u64).into_par_iter().map(move |k| item(linger(k + n as u64)));
                let lens = || vec![0, 3, 20_000, 1, 700, 5].into_par_iter().chain(vec![3; 2000]);
                let in_front: f32 = lens().deterministic().flat_map(inner).sum();
                let behind: f32 = lens().flat_map(inner).map(|x| x * 3.0).deterministic().sum();
                let nested = lens().flat_map(inner).flat_map(|x| vec![x, x * 0.3]).deterministic();
                let nested = nested.fold(|| 0.0, |a, b| a + b).reduce(|| 0.0, |a, b| a + b);
                [in_front.to_bits(), behind.to_bits(), nested.to_bits()]
            })
        })
        .collect();
    assert!(sums.iter().all(|sum| *sum == sums[0]), "{sums:?}");
}
