//! What is parallel without an iterator.

use super::super::items::{Items, LEN, take_turns, until_dropped};
use super::super::row::{ANY_ORDER, NESTED, Row, row};
use super::asleep;
use super::library::{self, ThreadPool, prelude::*};
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

fn halves(range: Range<usize>) -> [Range<usize>; 2] {
    let middle = range.start.midpoint(range.end);
    [range.start..middle, middle..range.end]
}

fn tree(items: &Items, range: Range<usize>) {
    if range.len() == 1 {
        items.run(range.start);
        return;
    }
    let [left, right] = halves(range);
    library::join(|| tree(items, left), || tree(items, right));
}

fn tree_in(items: &Items, pool: &ThreadPool, range: Range<usize>) {
    if range.len() == 1 {
        items.run(range.start);
        return;
    }
    let [left, right] = halves(range);
    pool.join(|| tree_in(items, pool, left), || tree_in(items, pool, right));
}

fn tree_in_context(items: &Items, range: Range<usize>) {
    if range.len() == 1 {
        items.run(range.start);
        return;
    }
    let [left, right] = halves(range);
    library::join_context(|_| tree_in_context(items, left), |_| tree_in_context(items, right));
}

fn spawn_in_order<'scope>(items: &'scope Items, scope: &library::ScopeFifo<'scope>) {
    (0..LEN).for_each(|item| scope.spawn_fifo(move |_| items.run(item)));
}

pub(super) const ROWS: &[Row] = &[
    row("join", |items, _| tree(items, 0..LEN)).expect(NESTED),
    row("join_context", |items, _| tree_in_context(items, 0..LEN)).expect(NESTED),
    row("join / loops", |items, _| {
        let each = |range: Range<usize>| range.into_par_iter().for_each(|item| items.run(item));
        library::join(|| each(0..LEN / 2), || each(LEN / 2..LEN));
    })
    .expect(NESTED),
    row("ThreadPool::join", |items, pool| tree_in(items, pool, 0..LEN)).expect(NESTED),
    row("ThreadPool::install", |items, pool| pool.install(|| asleep().for_each(|item| items.run(item)))),
    row("scope", |items, _| {
        library::scope(|scope| (0..LEN).for_each(|item| scope.spawn(move |_| items.run(item))))
    })
    .expect(ANY_ORDER),
    row("ThreadPool::scope", |items, pool| {
        pool.scope(|scope| (0..LEN).for_each(|item| scope.spawn(move |_| items.run(item))));
    })
    .expect(ANY_ORDER),
    row("in_place_scope", |items, _| {
        library::in_place_scope(|scope| (0..LEN).for_each(|item| scope.spawn(move |_| items.run(item))));
    })
    .expect(ANY_ORDER),
    row("ThreadPool::in_place_scope", |items, pool| {
        pool.in_place_scope(|scope| (0..LEN).for_each(|item| scope.spawn(move |_| items.run(item))));
    })
    .expect(ANY_ORDER),
    row("scope_fifo", |items, _| library::scope_fifo(|scope| spawn_in_order(items, scope))).expect(ANY_ORDER),
    row("ThreadPool::scope_fifo", |items, pool| pool.scope_fifo(|scope| spawn_in_order(items, scope)))
        .expect(ANY_ORDER),
    row("in_place_scope_fifo", |items, _| {
        library::in_place_scope_fifo(|scope| spawn_in_order(items, scope));
    })
    .expect(ANY_ORDER),
    row("ThreadPool::in_place_scope_fifo", |items, pool| {
        pool.in_place_scope_fifo(|scope| spawn_in_order(items, scope));
    })
    .expect(ANY_ORDER),
    row("ScopeFifo::spawn_fifo", |items, _| {
        fn spawn<'scope>(items: &'scope Items, range: Range<usize>, scope: &library::ScopeFifo<'scope>) {
            if range.len() == 1 {
                items.run(range.start);
                return;
            }
            let [left, right] = halves(range);
            scope.spawn_fifo(move |scope| spawn(items, right, scope));
            spawn(items, left, scope);
        }
        library::scope_fifo(|scope| spawn(items, 0..LEN, scope));
    })
    .expect(ANY_ORDER),
    row("Scope::spawn_broadcast", |items, _| {
        let next = AtomicUsize::new(0);
        library::scope(|scope| scope.spawn_broadcast(|_, _| take_turns(items, &next)));
    })
    .expect(ANY_ORDER),
    row("ScopeFifo::spawn_broadcast", |items, _| {
        let next = AtomicUsize::new(0);
        library::scope_fifo(|scope| scope.spawn_broadcast(|_, _| take_turns(items, &next)));
    })
    .expect(ANY_ORDER),
    row("Scope::spawn", |items, _| {
        fn spawn<'scope>(items: &'scope Items, range: Range<usize>, scope: &library::Scope<'scope>) {
            if range.len() == 1 {
                items.run(range.start);
                return;
            }
            let [left, right] = halves(range);
            scope.spawn(move |scope| spawn(items, right, scope));
            spawn(items, left, scope);
        }
        library::scope(|scope| spawn(items, 0..LEN, scope));
    })
    .expect(ANY_ORDER),
    row("spawn", |items, _| {
        until_dropped(|sender| {
            (0..LEN).for_each(|item| {
                let (items, sender) = (Arc::clone(items), sender.clone());
                library::spawn(move || {
                    items.run(item);
                    drop(sender);
                });
            })
        })
    })
    .expect(ANY_ORDER),
    row("ThreadPool::spawn", |items, pool| {
        until_dropped(|sender| {
            (0..LEN).for_each(|item| {
                let (items, sender) = (Arc::clone(items), sender.clone());
                pool.spawn(move || {
                    items.run(item);
                    drop(sender);
                });
            })
        })
    })
    .expect(ANY_ORDER),
    row("spawn_fifo", |items, _| {
        until_dropped(|sender| {
            (0..LEN).for_each(|item| {
                let (items, sender) = (Arc::clone(items), sender.clone());
                library::spawn_fifo(move || {
                    items.run(item);
                    drop(sender);
                });
            })
        })
    })
    .expect(ANY_ORDER),
    row("ThreadPool::spawn_fifo", |items, pool| {
        until_dropped(|sender| {
            (0..LEN).for_each(|item| {
                let (items, sender) = (Arc::clone(items), sender.clone());
                pool.spawn_fifo(move || {
                    items.run(item);
                    drop(sender);
                });
            })
        })
    })
    .expect(ANY_ORDER),
    row("broadcast", |items, _| {
        let next = AtomicUsize::new(0);
        library::broadcast(|_| take_turns(items, &next));
    })
    .expect(ANY_ORDER),
    row("broadcast / a loop in one call", |items, _| {
        library::broadcast(|worker| {
            if worker.index() == 1 {
                asleep().for_each(|item| items.run(item));
            }
        });
    }),
    row("ThreadPool::broadcast", |items, pool| {
        let next = AtomicUsize::new(0);
        pool.broadcast(|_| take_turns(items, &next));
    })
    .expect(ANY_ORDER),
];
