//! Consumers behind `flat_map`.

use taskel::prelude::*;

use crate::shapes::{linger, pools, text};

#[test]
fn reductions_give_the_sequential_result() {
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
}

#[test]
fn searches_give_the_sequential_result() {
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
        outer().flat_map(inner).rfind(|x| x % 1000 == 399)
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
        outer().flat_map(inner).flat_map(|x| [x, x + 1]).rfind(|x| x % 1000 == 399)
    );
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
