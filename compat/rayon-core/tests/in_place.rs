//! The closure of an `in_place_scope` stays where it is called, whichever pool its tasks go to.

use std::sync::mpsc;
use std::thread;

use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};

#[path = "../../../runtime/tests/support/watchdog.rs"]
mod watchdog;

fn pool(name: &'static str, threads: usize) -> ThreadPool {
    ThreadPoolBuilder::new().num_threads(threads).thread_name(move |_| name.to_owned()).build().unwrap()
}

fn thread_name() -> Option<String> {
    thread::current().name().map(str::to_owned)
}

/// Where all of these run: names of threads.
fn whatever_runs_here() -> Vec<Option<String>> {
    let (sender, spawned) = mpsc::channel();
    let in_order = sender.clone();
    rayon::spawn(move || sender.send(thread_name()).unwrap());
    rayon::spawn_fifo(move || in_order.send(thread_name()).unwrap());
    let mut names: Vec<_> = (0..50).into_par_iter().map(|_| thread_name()).collect();
    let (a, b) = rayon::join(thread_name, thread_name);
    let (c, d) = rayon::join_context(|_| thread_name(), |_| thread_name());
    names.extend([a, b, c, d, rayon::scope(|_| thread_name()), rayon::scope_fifo(|_| thread_name())]);
    names.extend(rayon::broadcast(|_| thread_name()));
    // Who waits for what its pool is to run must let that run.
    while names.len() < 56 + rayon::current_num_threads() + 2 {
        names.extend(spawned.try_iter());
        rayon::yield_now();
        thread::yield_now();
    }
    names
}

fn check(outer: &ThreadPool, inner: &ThreadPool, expected: Option<&str>, threads: usize) {
    let index = rayon::current_thread_index();
    let own_index = outer.current_thread_index();
    let here = || {
        assert_eq!(rayon::current_thread_index(), index);
        assert_eq!(outer.current_thread_index(), own_index);
        assert_eq!(inner.current_thread_index(), None);
        assert_eq!(rayon::current_num_threads(), threads);
        assert_eq!(outer.current_thread_has_pending_tasks().is_some(), index.is_some());
        for name in whatever_runs_here() {
            match expected {
                Some(expected) => assert_eq!(name.as_deref(), Some(expected)),
                None => assert!(!["outer", "inner"].map(Some).contains(&name.as_deref())),
            }
        }
    };
    let (sender, tasks) = mpsc::channel();
    inner.in_place_scope(|scope| {
        here();
        let sender = sender.clone();
        scope.spawn(move |scope| {
            sender.send(thread_name()).unwrap();
            scope.spawn(move |_| sender.send(thread_name()).unwrap());
        });
        here();
    });
    inner.in_place_scope_fifo(|scope| {
        here();
        scope.spawn_fifo(move |_| sender.send(thread_name()).unwrap());
        // What it moves to a worker of the other pool, and comes back from.
        inner.install(|| assert_eq!(thread_name().as_deref(), Some("inner")));
        here();
    });
    assert!(tasks.iter().eq(std::iter::repeat_n(Some("inner".to_owned()), 3)));
    assert_eq!(rayon::current_thread_index(), index);
}

#[test]
fn an_in_place_scope_on_another_pool_keeps_its_surroundings() {
    let _watchdog = watchdog::watch("a scope of another pool");
    let (outer, inner) = (pool("outer", 2), pool("inner", 3));
    outer.install(|| check(&outer, &inner, Some("outer"), 2));
    outer.broadcast(|context| {
        inner.in_place_scope(|_| assert_eq!(rayon::current_thread_index(), Some(context.index())));
    });
}

#[test]
fn an_in_place_scope_from_outside_leaves_joins_to_the_global_pool() {
    let _watchdog = watchdog::watch("a scope from outside");
    let (outer, inner) = (pool("outer", 2), pool("inner", 3));
    let threads = rayon::current_num_threads();
    check(&outer, &inner, None, threads);
    rayon::in_place_scope(|_| check(&outer, &inner, None, threads));
}

#[test]
fn scopes_of_pools_in_each_other_keep_the_innermost_worker() {
    let _watchdog = watchdog::watch("scopes in each other");
    let (outer, inner) = (pool("outer", 2), pool("inner", 3));
    outer.install(|| {
        inner.in_place_scope(|_| {
            outer.in_place_scope(|own| {
                own.spawn(|_| assert_eq!(thread_name().as_deref(), Some("outer")));
                inner.in_place_scope(|scope| {
                    assert_eq!(thread_name().as_deref(), Some("outer"));
                    scope.spawn(|_| {
                        assert_eq!(thread_name().as_deref(), Some("inner"));
                        outer.in_place_scope(|scope| {
                            assert_eq!(rayon::current_num_threads(), 3);
                            scope.spawn(|_| assert_eq!(rayon::current_num_threads(), 2));
                        });
                    });
                });
            });
            assert_eq!(rayon::current_num_threads(), 2);
        });
    });
    let payload = std::panic::catch_unwind(|| outer.install(|| inner.in_place_scope(|_| panic!("inside"))));
    assert_eq!(payload.unwrap_err().downcast_ref(), Some(&"inside"));
    assert_eq!(rayon::current_thread_index(), None);
}
