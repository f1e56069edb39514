//! `.deterministic()`: the same bits for any number of threads, any chunks and in every run.

use taskel::prelude::*;
use taskel::{Chunk, ThreadPool};

/// Numbers whose sum depends on the order of the additions.
fn inexact(len: usize) -> Vec<f64> {
    let number = |n: u64| n.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
    (0..len as u64).map(|n| 1.0 / (number(n) as f64 + 0.1)).collect()
}

/// Whatever stands between `deterministic()` and the sum.
#[test]
fn every_adapter_passes_on_that_a_sum_is_deterministic() {
    let items = inexact(30_000);
    let bits = || {
        let start = || items.par_iter().copied().deterministic();
        let at_tuples = |(a, b): (f64, &f64)| a * b;
        let three = (&items, start(), &items).into_par_iter().map(|(a, b, c)| a + b * c);
        [
            (start(), &items).into_par_iter().map(at_tuples).sum::<f64>(),
            (&items, start()).into_par_iter().map(|(a, b)| at_tuples((b, a))).sum(),
            three.sum(),
            items.par_iter().zip(start()).map(|(a, b)| a * b).sum(),
            items.par_iter().copied().chain(start()).sum(),
            items.par_iter().copied().interleave(start()).sum(),
            start().interleave_shortest(items.par_iter().copied()).sum(),
            start().rev().sum(),
            start().skip(10).take(29_000).sum(),
            start().step_by(3).sum(),
            start().chunks(7).map(|chunk| chunk.len() as f64 * 0.1 + chunk[0]).sum(),
            start().enumerate().map(|(index, item)| index as f64 * item).sum(),
            start().intersperse(0.1).sum(),
            start().map_init(|| 0.1, |tenth, item| item * *tenth).sum(),
            start().filter_map(|item| (item > 1e-9).then_some(item)).sum(),
            start().flat_map_iter(|item| [item, 0.1]).sum(),
            start().progress_with(|_, _| ()).sum(),
            start().chunk(Chunk::Exact(7)).sum(),
            start().fold(|| 0.0, |a, b| a + b).sum(),
        ]
        .map(f64::to_bits)
    };
    let expected = ThreadPool::builder().num_threads(1).build().unwrap().install(bits);
    for threads in 1..=8 {
        let pool = ThreadPool::builder().num_threads(threads).build().unwrap();
        (0..5).for_each(|_| assert_eq!(pool.install(bits), expected, "{threads} threads"));
    }
}

#[test]
fn deterministic_reductions_have_the_same_bits_for_any_threads_chunks_and_runs() {
    let items = inexact(50_000);
    let bits = || {
        let sum = items.par_iter().deterministic().sum::<f64>();
        let chunked = items.par_iter().chunk(Chunk::Exact(7)).deterministic().sum::<f64>();
        assert_eq!(sum.to_bits(), chunked.to_bits());
        let product = items.par_iter().deterministic().map(|x| 1.0 + x * 1e-4).product::<f64>();
        let reduced = items.par_iter().copied().deterministic().reduce(|| 0.0, |a, b| a + b * 0.999);
        let some = items.par_iter().filter(|x| **x > 1e-9).deterministic().sum::<f64>();
        let folded = items.par_iter().deterministic().fold(|| 0.0, |a, b| a + b).sum::<f64>();
        let folds: Vec<f64> = items.par_iter().deterministic().fold(|| 0.0, |a, b| a + b).collect();
        let floats = items.par_iter().map(|&x| x as f32).deterministic().sum::<f32>();
        let folds = folds.into_iter().map(f64::to_bits).fold(0, |all: u64, bits| all.rotate_left(5) ^ bits);
        [
            sum.to_bits(),
            product.to_bits(),
            reduced.to_bits(),
            some.to_bits(),
            folded.to_bits(),
            folds,
            floats.to_bits().into(),
        ]
    };
    let expected = ThreadPool::builder().num_threads(1).build().unwrap().install(bits);
    for threads in 1..=8 {
        let pool = ThreadPool::builder().num_threads(threads).build().unwrap();
        for run in 0..125 / threads {
            assert_eq!(pool.install(bits), expected, "{threads} threads, run {run}");
        }
    }
}

/// A thousand runs, of so few items that they take no time: still many chunks, and as many lanes as
/// there are.
#[test]
fn a_deterministic_float_sum_has_the_same_bits_in_a_thousand_runs() {
    let items = inexact(10_000);
    let bits = || items.par_iter().chunk(Chunk::Exact(50)).deterministic().sum::<f64>().to_bits();
    let expected = ThreadPool::builder().num_threads(1).build().unwrap().install(bits);
    for threads in 1..=8 {
        let pool = ThreadPool::builder().num_threads(threads).build().unwrap();
        for run in 0..125 {
            assert_eq!(pool.install(bits), expected, "{threads} threads, run {run}");
        }
    }
}
