//! Folds around `flat_map`.

use taskel::prelude::*;

/// What a fold gathers.
fn gather(mut all: Vec<u64>, x: u64) -> Vec<u64> {
    all.push(x);
    all
}

#[test]
fn folds_next_to_it_yield_every_item_once_in_order() {
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
}

#[test]
fn folds_around_it_yield_every_item_once_in_order() {
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
