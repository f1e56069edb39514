//! The rows of members that rayon has not, or whose row would never end with rayon: a thread of its
//! that waits for a message does nothing else, and so a broadcast to all threads waits for it.

use super::items::{Items, LEN, take_turns, until_dropped};
use super::row::{ANY_ORDER, Expected, NESTED, PAIRS, Row, only, row};
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap, HashSet, LinkedList, VecDeque};
use std::iter::Map;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use taskel::iter::Adapt;
use taskel::prelude::*;
use taskel::{CancelToken, Chunk, JoinRegion, Task};

/// All of them.
pub(crate) fn all() -> impl Iterator<Item = &'static Row> {
    ROWS.iter().chain(STREAMS).chain(COLLECTIONS)
}

fn asleep() -> impl IndexedParallelIterator<Item = usize> {
    (0..LEN).into_par_iter()
}

fn awake(items: &Items) -> impl IndexedParallelIterator<Item = usize> {
    asleep().map(|item| items.ran(item))
}

/// Has all items run, each of which yields a reference to the same.
fn same<'a, T: Sync>(items: &Items, value: &'a T) -> impl IndexedParallelIterator<Item = &'a T> {
    asleep().map(move |item| {
        items.run(item);
        value
    })
}

/// The same, in pairs.
fn pairs<'a>(items: &Items) -> impl IndexedParallelIterator<Item = (&'a usize, &'a usize)> {
    same(items, &7).map(|value| (value, value))
}

/// Has items run, as an adapter of one's own.
struct Running<'a>(&'a Items);

impl Adapt<usize> for Running<'_> {
    type Output = ();
    type Local = ();
    type Iter<'a, I: Iterator<Item = usize> + 'a>
        = Map<I, Box<dyn FnMut(usize) + 'a>>
    where
        Self: 'a;

    fn local(&self) {}

    fn adapt<'a, I: Iterator<Item = usize> + 'a>(&'a self, _: &'a mut (), numbers: I) -> Self::Iter<'a, I> {
        numbers.map(Box::new(|item| self.0.run(item)))
    }
}

fn join_all(tasks: Vec<Task<()>>) {
    tasks.into_iter().for_each(Task::join);
}

/// A tree of joins in a region, an item in each leaf.
fn tree_in_region(items: &Items, region: Option<JoinRegion>, range: Range<usize>) {
    if range.len() == 1 {
        items.run(range.start);
        return;
    }
    let middle = range.start.midpoint(range.end);
    taskel::join_region(region, |region| {
        region.join_context(
            |_| tree_in_region(items, Some(region), range.start..middle),
            |_| tree_in_region(items, Some(region), middle..range.end),
        );
    });
}

const ROWS: &[Row] = &[
    row("join_region", |items, _| tree_in_region(items, None, 0..LEN)).expect(NESTED),
    row("JoinRegion::join_context", |items, pool| {
        pool.install(|| tree_in_region(items, None, 0..LEN));
    })
    .expect(NESTED),
    row("ParallelIterator::on", |items, pool| asleep().on(pool).for_each(|item| items.run(item))),
    row("ParallelIterator::chunk", |items, _| {
        asleep().chunk(Chunk::Exact(2)).for_each(|item| items.run(item));
    })
    .expect(PAIRS),
    row("ParallelIterator::with_cancel_token", |items, _| {
        let all = asleep().with_cancel_token(&CancelToken::new()).try_for_each(|item| {
            items.run(item);
            Some(())
        });
        all.expect("nobody cancels it");
    }),
    row("ParallelIterator::deterministic", |items, _| {
        assert_eq!(awake(items).deterministic().reduce_with(usize::max), Some(LEN - 1))
    }),
    row("ParallelIterator::deterministic / slow operator", |items, _| {
        let all = (0..=LEN).into_par_iter().deterministic().reduce_with(|a, b| {
            items.run(a.min(b));
            a.max(b)
        });
        assert_eq!(all, Some(LEN));
    })
    .expect(only(
        [4.8, 2.6, 4.2],
        "each item is a block of its own, and they are combined by a tree of operators",
    )),
    row("ParallelIterator::deterministic / sum", |items, _| {
        assert_eq!(awake(items).deterministic().sum::<usize>(), LEN * (LEN - 1) / 2)
    }),
    row("ParallelIterator::adapt", |items, _| asleep().adapt(Running(items)).for_each(drop)),
    row("IndexedParallelIterator::progress_with", |items, _| {
        asleep().progress_with(|_, _| ()).for_each(|item| items.run(item));
    }),
    row("submit", |items, _| {
        let task = |item| {
            let items = Arc::clone(items);
            taskel::submit(move || items.run(item))
        };
        join_all((0..LEN).map(task).collect());
    })
    .expect(ANY_ORDER),
    row("ThreadPool::submit", |items, pool| {
        let task = |item| {
            let items = Arc::clone(items);
            pool.submit(move || items.run(item))
        };
        join_all((0..LEN).map(task).collect());
    })
    .expect(ANY_ORDER),
    row("Task::join", |items, pool| {
        let items = Arc::clone(items);
        pool.submit(move || asleep().for_each(|item| items.run(item))).join();
    }),
    row("spawn_broadcast", |items, _| {
        until_dropped(|sender| {
            let (items, next) = (Arc::clone(items), AtomicUsize::new(0));
            taskel::spawn_broadcast(move |_| {
                let _held = &sender;
                take_turns(&items, &next);
            });
        })
    })
    .expect(ANY_ORDER),
    row("ThreadPool::spawn_broadcast", |items, pool| {
        until_dropped(|sender| {
            let (items, next) = (Arc::clone(items), AtomicUsize::new(0));
            pool.spawn_broadcast(move |_| {
                let _held = &sender;
                take_turns(&items, &next);
            });
        })
    })
    .expect(ANY_ORDER),
    row("ThreadPool::run_on_worker", |items, pool| {
        pool.run_on_worker(|| asleep().for_each(|item| items.run(item)));
    }),
    row("unpinned", |items, _| taskel::unpinned(|| asleep().for_each(|item| items.run(item)))),
    row("CancelToken::join", |items, _| {
        fn tree(token: &CancelToken, items: &Items, first: usize, len: usize) {
            if len == 1 {
                return items.run(first);
            }
            let half = len / 2;
            token
                .join(|| tree(token, items, first, half), || tree(token, items, first + half, half))
                .expect("not cancelled");
        }
        tree(&CancelToken::new(), items, 0, LEN);
    })
    .expect(NESTED),
    row("CancelToken::scope", |items, _| {
        let token = CancelToken::new();
        let all = token.scope(|scope| (0..LEN).for_each(|item| scope.spawn(move |_| items.run(item))));
        all.expect("nobody cancels it");
    })
    .expect(ANY_ORDER),
];

/// Where a result holds back those behind it, and no more than sixteen may be there.
const IN_ORDER: Expected =
    only([7.0, 5.2, 2.8], "a long item holds back fifteen, which are done before it is");

/// Streams.
const STREAMS: &[Row] = &[
    row("ParallelStream::par_stream", |items, _| {
        (0..LEN).par_stream().map(|item| items.run(item)).for_each_ordered(drop)
    })
    .expect(ANY_ORDER),
    row("Stream::map", |items, _| (0..LEN).par_stream().map(|item| items.run(item)).for_each_unordered(drop))
        .expect(ANY_ORDER),
    row("Stream::filter_map", |items, _| {
        (0..LEN).par_stream().filter_map(|item| Some(items.ran(item))).for_each_unordered(drop);
    })
    .expect(ANY_ORDER),
    row("Stream::on", |items, pool| (0..LEN).par_stream().on(pool).for_each(|item| items.run(item)))
        .expect(ANY_ORDER),
    row("Stream::with_cancel_token", |items, _| {
        (0..LEN).par_stream().with_cancel_token(&CancelToken::new()).for_each(|item| items.run(item));
    })
    .expect(ANY_ORDER),
    row("Stream::progress_with", |items, _| {
        (0..LEN).par_stream().progress_with(|_, _| ()).for_each(|item| items.run(item));
    })
    .expect(ANY_ORDER),
    row("Stream::adapt", |items, _| {
        (0..LEN).par_stream().adapt(Running(items)).for_each_unordered(drop);
    })
    .expect(ANY_ORDER),
    row("Stream::map_init", |items, _| {
        (0..LEN).par_stream().map_init(|| (), |(), item| items.run(item)).for_each_unordered(drop);
    })
    .expect(ANY_ORDER),
    row("Stream::map_with", |items, _| {
        (0..LEN).par_stream().map_with((), |(), item| items.run(item)).for_each_unordered(drop);
    })
    .expect(ANY_ORDER),
    row("Stream::filter", |items, _| {
        (0..LEN).par_stream().filter(|item| items.ran(*item) < LEN).for_each_unordered(drop);
    })
    .expect(ANY_ORDER),
    row("Stream::flat_map_iter", |items, _| {
        (0..LEN).par_stream().flat_map_iter(|item| Some(items.ran(item))).for_each_unordered(drop);
    })
    .expect(ANY_ORDER),
    row("Stream::update", |items, _| {
        (0..LEN).par_stream().update(|item| items.run(*item)).for_each_unordered(drop);
    })
    .expect(ANY_ORDER),
    row("Stream::inspect", |items, _| {
        (0..LEN).par_stream().inspect(|item| items.run(*item)).for_each_unordered(drop);
    })
    .expect(ANY_ORDER),
    row("Stream::fold", |items, _| {
        (0..LEN).par_stream().fold(|| 0, |all, item| all + items.ran(item)).for_each_unordered(drop);
    })
    .expect(ANY_ORDER),
    row("Stream::for_each", |items, _| {
        (0..LEN).par_stream().for_each(|item| items.run(item));
    })
    .expect(ANY_ORDER),
    row("Stream::for_each_init", |items, _| {
        (0..LEN).par_stream().for_each_init(|| (), |(), item| items.run(item));
    })
    .expect(ANY_ORDER),
    row("Stream::try_for_each", |items, _| {
        let all = (0..LEN).par_stream().try_for_each(|item| {
            items.run(item);
            Some(())
        });
        all.expect("nothing stops it");
    })
    .expect(ANY_ORDER),
    row("Stream::reduce", |items, _| {
        assert_eq!((0..LEN).par_stream().map(|item| items.ran(item)).reduce(|| 0, usize::max), LEN - 1);
    })
    .expect(ANY_ORDER),
    row("Stream::reduce_with", |items, _| {
        assert_eq!((0..LEN).par_stream().map(|item| items.ran(item)).reduce_with(usize::max), Some(LEN - 1));
    })
    .expect(ANY_ORDER),
    row("Stream::sum", |items, _| {
        assert_eq!((0..LEN).par_stream().map(|item| items.ran(item)).sum::<usize>(), LEN * (LEN - 1) / 2);
    })
    .expect(ANY_ORDER),
    row("Stream::product", |items, _| {
        assert_eq!((0..LEN).par_stream().map(|item| items.ran(item)).product::<usize>(), 0);
    })
    .expect(ANY_ORDER),
    row("Stream::count", |items, _| {
        assert_eq!((0..LEN).par_stream().map(|item| items.ran(item)).count(), LEN);
    })
    .expect(ANY_ORDER),
    row("Stream::max_in_flight", |items, _| {
        (0..LEN).par_stream().max_in_flight(16).map(|item| items.run(item)).for_each_unordered(drop);
    })
    .expect(ANY_ORDER),
    row("Stream::max_in_flight / in order", |items, _| {
        (0..LEN).par_stream().max_in_flight(16).map(|item| items.run(item)).for_each_ordered(drop);
    })
    .expect(IN_ORDER),
    row("Stream::max_in_flight / 64, in order", |items, _| {
        (0..LEN).par_stream().max_in_flight(64).map(|item| items.run(item)).for_each_ordered(drop);
    })
    .expect(ANY_ORDER),
    row("Stream::max_in_flight_bytes", |items, _| {
        let stream = (0..LEN).par_stream().max_in_flight_bytes(32, |_| 2);
        stream.map(|item| items.run(item)).for_each_unordered(drop);
    })
    .expect(ANY_ORDER),
    row("Stream::for_each_ordered", |items, _| {
        (0..LEN).par_stream().map(|item| items.run(item)).for_each_ordered(drop);
    })
    .expect(ANY_ORDER),
    row("Stream::for_each_unordered", |items, _| {
        (0..LEN).par_stream().map(|item| items.run(item)).for_each_unordered(drop);
    })
    .expect(ANY_ORDER),
    row("Stream::try_for_each_ordered", |items, _| {
        (0..LEN)
            .par_stream()
            .map(|item| items.run(item))
            .try_for_each_ordered(Some)
            .expect("nothing stops it");
    })
    .expect(ANY_ORDER),
    row("Stream::try_for_each_unordered", |items, _| {
        (0..LEN)
            .par_stream()
            .map(|item| items.run(item))
            .try_for_each_unordered(Some)
            .expect("nothing stops it");
    })
    .expect(ANY_ORDER),
    row("Stream::collect", |items, _| {
        drop((0..LEN).par_stream().map(|item| items.ran(item)).collect::<Vec<_>>())
    })
    .expect(ANY_ORDER),
];

/// Collections of what references point to.
const COLLECTIONS: &[Row] = &[
    row("FromParallelIterator<&T> for VecDeque<T>", |items, _| {
        drop(same(items, &7).collect::<VecDeque<i32>>())
    }),
    row("FromParallelIterator<&T> for BinaryHeap<T>", |items, _| {
        drop(same(items, &7).collect::<BinaryHeap<i32>>())
    }),
    row("FromParallelIterator<&T> for LinkedList<T>", |items, _| {
        drop(same(items, &7).collect::<LinkedList<i32>>())
    }),
    row("FromParallelIterator<&T> for BTreeSet<T>", |items, _| {
        drop(same(items, &7).collect::<BTreeSet<i32>>())
    }),
    row("FromParallelIterator<&T> for HashSet<T, S>", |items, _| {
        drop(same(items, &7).collect::<HashSet<i32>>())
    }),
    row("FromParallelIterator<(&K, &V)> for BTreeMap<K, V>", |items, _| {
        drop(pairs(items).collect::<BTreeMap<usize, usize>>());
    }),
    row("FromParallelIterator<(&K, &V)> for HashMap<K, V, S>", |items, _| {
        drop(pairs(items).collect::<HashMap<usize, usize>>());
    }),
];
