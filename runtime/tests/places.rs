//! Profiles name the line of the program that makes a parallel call.

use std::collections::{BTreeMap, HashSet};

use taskel::{CancelToken, ThreadPool, prelude::*};

/// This line.
macro_rules! here {
    () => {
        format!("{}:{}", file!(), line!())
    };
}

/// Expects all that is called to have the name of the line, which `$call` is on.
macro_rules! is_named {
    ($pool:expr, $call:expr) => {{
        let (places, here) = (places(&$pool, || _ = $call), here!());
        assert_eq!(places, HashSet::from([here]), "{}", stringify!($call));
    }};
}

fn places(pool: &ThreadPool, program: impl FnOnce()) -> HashSet<String> {
    let ((), profile) = pool.profile(|| pool.install(program));
    let sites = profile.recording().sites().iter().cloned().collect::<HashSet<String>>();
    sites.into_iter().filter(|site| site != "program").collect()
}

fn pool(threads: usize) -> ThreadPool {
    ThreadPool::builder().num_threads(threads).build().unwrap()
}

#[test]
#[rustfmt::skip] // a line each
fn a_loop_is_named_by_the_line_that_calls_it() {
    let pool = pool(2);
    let n = || (0..100_u64).into_par_iter();
    let token = CancelToken::new();
    is_named!(pool, n().for_each(|_| ()));
    is_named!(pool, n().for_each_init(|| 0, |_, _| ()));
    is_named!(pool, n().for_each_with(0, |_, _| ()));
    is_named!(pool, n().try_for_each(|n| (n < 200).then_some(())));
    is_named!(pool, n().with_cancel_token(&token).try_for_each(|_| Ok::<(), taskel::Cancelled>(())));
    is_named!(pool, n().try_for_each_with(0, |_, n| (n < 200).then_some(())));
    is_named!(pool, n().reduce(|| 0, |a, b| a + b));
    is_named!(pool, n().reduce_with(|a, b| a + b));
    is_named!(pool, n().map(Some).try_reduce(|| 0, |a, b| a.checked_add(b)));
    is_named!(pool, n().map(Some).try_reduce_with(|a, b| a.checked_add(b)));
    is_named!(pool, n().sum::<u64>());
    is_named!(pool, n().map(|n| n as f64).deterministic().sum::<f64>());
    is_named!(pool, n().map(|n| n as f64).product::<f64>());
    is_named!(pool, n().count());
    is_named!(pool, n().min());
    is_named!(pool, n().max_by_key(|n| n % 7));
    is_named!(pool, n().find_any(|&n| n == 50));
    is_named!(pool, n().find_first(|&n| n == 50));
    is_named!(pool, n().find_map_last(|n| (n == 50).then_some(n)));
    is_named!(pool, n().any(|n| n == 200));
    is_named!(pool, n().all(|n| n < 200));
    is_named!(pool, n().position_any(|n| n == 50));
    is_named!(pool, n().eq(0..100));
    is_named!(pool, n().lt(1..100));
    is_named!(pool, (0..100).par_bridge().for_each(|_: u32| ()));
    // The loops inside of items are not the user's calls.
    let places = places(&pool, || _ = n().flat_map(|n| (0..n * 100).into_par_iter()).sum::<u64>());
    assert!(places.contains(&format!("{}:{}", file!(), line!() - 1)), "{places:?}");
}

#[test]
#[rustfmt::skip] // a line each
fn what_is_collected_or_sorted_is_named_by_the_line() {
    let pool = pool(2);
    let n = || (0..100_u64).into_par_iter();
    let mut items = Vec::new();
    is_named!(pool, n().collect::<Vec<_>>());
    is_named!(pool, n().filter(|n| n % 2 == 0).collect::<Vec<_>>());
    is_named!(pool, n().flat_map_iter(|n| [n, n]).collect::<Vec<_>>());
    is_named!(pool, n().collect_into_vec(&mut items));
    is_named!(pool, n().collect_vec_list());
    is_named!(pool, n().collect::<HashSet<_>>());
    is_named!(pool, n().map(|n| (n, n)).collect::<BTreeMap<_, _>>());
    is_named!(pool, n().collect::<Box<[_]>>());
    is_named!(pool, n().map(|n| n.to_string()).collect::<String>());
    is_named!(pool, n().map(Some).collect::<Option<Vec<_>>>());
    is_named!(pool, n().map(u8::try_from).collect::<Result<Vec<_>, _>>());
    is_named!(pool, n().map(|n| (n, n)).unzip::<_, _, Vec<_>, Vec<_>>());
    is_named!(pool, n().partition::<Vec<_>, Vec<_>, _>(|n| n % 2 == 0));
    is_named!(pool, items.par_extend(0..100));
    items = (0..100_000).map(|n| n * 7919 % 100_003).collect();
    is_named!(pool, items.par_sort_by(|a, b| b.cmp(a)));
    is_named!(pool, items.par_sort());
    is_named!(pool, items.par_sort_unstable_by_key(|n| n % 1000));
    is_named!(pool, items.par_sort_by_cached_key(|n| n.to_string()));
}

#[test]
#[rustfmt::skip] // a line each
fn joins_scopes_tasks_broadcasts_and_streams_are_named_by_the_line() {
    let pool = pool(2);
    is_named!(pool, taskel::join(|| (), || ()));
    is_named!(pool, pool.join(|| (), || ()));
    is_named!(pool, taskel::join_context(|_| (), |_| ()));
    is_named!(pool, taskel::scope(|s| s.spawn(|_| ())));
    is_named!(pool, pool.scope(|s| s.spawn(|_| ())));
    is_named!(pool, taskel::scope_fifo(|s| s.spawn_fifo(|_| ())));
    is_named!(pool, pool.scope_fifo(|s| s.spawn_fifo(|_| ())));
    is_named!(pool, taskel::in_place_scope(|s| s.spawn(|_| ())));
    is_named!(pool, pool.in_place_scope_fifo(|s| s.spawn_broadcast(|_, _| ())));
    is_named!(pool, CancelToken::new().scope(|s| s.spawn(|_| ())));
    is_named!(pool, taskel::submit(|| ()).join());
    is_named!(pool, pool.submit(|| ()).join());
    is_named!(pool, taskel::broadcast(|_| ()));
    is_named!(pool, pool.broadcast(|_| ()));
    is_named!(pool, (0..100).par_stream().for_each_ordered(|_: u32| ()));
    is_named!(pool, (0..100).par_stream().try_for_each_unordered(|n: u32| (n < 200).then_some(())));
    is_named!(pool, (0..100_u32).par_stream().map(|n| n + 1).sum::<u32>());
    is_named!(pool, (0..100_u32).par_stream().collect::<Vec<_>>());
}

#[test]
fn what_is_spawned_is_named_by_the_line() {
    let pool = pool(2);
    let (sender, receiver) = std::sync::mpsc::channel();
    let send = || {
        let sender = sender.clone();
        move || sender.send(()).unwrap()
    };
    let first = line!() + 2;
    let places = places(&pool, || {
        taskel::spawn(send());
        taskel::spawn_fifo(send());
        pool.spawn(send());
        pool.spawn_fifo(send());
        (0..4).for_each(|_| receiver.recv().unwrap());
    });
    assert_eq!(places, (first..first + 4).map(|line| format!("{}:{line}", file!())).collect());
}

/// A user's function may say that its caller is the place.
#[track_caller]
fn total(items: &[u64]) -> u64 {
    items.par_iter().sum()
}

#[test]
fn a_function_can_pass_its_callers_line_on() {
    let pool = pool(1);
    is_named!(pool, total(&[1, 2, 3]));
    let ((), profile) = pool.profile(|| [1, 2].par_iter().for_each(|_: &i32| ()));
    assert_eq!(profile.loops()[0].site(), format!("{}:{}", file!(), line!() - 1));
}
