//! Adapters around `flat_map`.

use taskel::Chunk;
use taskel::prelude::*;

use crate::shapes::{linger, pools, shapes};

#[test]
fn adapters_that_map_and_filter_get_the_items_in_order() {
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
}

#[test]
fn other_adapters_behind_it_and_in_front_of_it_get_the_items_in_order() {
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
