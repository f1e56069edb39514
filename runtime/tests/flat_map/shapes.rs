//! What `flat_map` is compared over: pools, and inner iterators of all lengths.

use taskel::ThreadPool;

const WORKERS: [usize; 4] = [1, 2, 5, 8];

pub(crate) fn pools() -> Vec<ThreadPool> {
    WORKERS.map(|threads| ThreadPool::builder().num_threads(threads).build().unwrap()).into()
}

/// Numbers of inner items: none at all, empty ones, one wide one, many tiny ones, mixed ones.
pub(crate) fn shapes() -> Vec<(&'static str, Vec<usize>)> {
    let mixed = |n: usize| [0, 3, 500, 1, 0, 40][n % 6];
    vec![
        ("none", vec![]),
        ("empty", vec![0; 50]),
        ("one wide", vec![8_000]),
        ("wide among empty ones", [vec![0; 30], vec![4_000], vec![0; 30]].concat()),
        ("many tiny", vec![3; 1_200]),
        ("mixed", (0..90).map(mixed).collect()),
        ("few", vec![5, 0, 700]),
    ]
}

/// Takes a moment, so that others have time to come.
pub(crate) fn linger(n: u64) -> u64 {
    if n % 64 == 7 {
        (0..300).for_each(|_| std::hint::spin_loop());
    }
    n
}

/// The same expression for taskel's outer loop and for that of the standard library, with every
/// shape on every pool, three times: the first calls know nothing of their loop.
macro_rules! same {
    ($name:literal, |$outer:ident, $inner:ident| $parallel:expr, $sequential:expr) => {
        for pool in &$crate::shapes::pools() {
            for (shape, lens) in &$crate::shapes::shapes() {
                for call in 0..3 {
                    let got = {
                        let $outer =
                            || lens.par_iter().copied().enumerate().map(|(i, n)| (i as u64, n as u64));
                        let $inner = |(i, n): (u64, u64)| {
                            (0..n).into_par_iter().map(move |j| $crate::shapes::linger(i * 1000 + j))
                        };
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

/// Order shows where an operation does not commute.
pub(crate) fn text(x: u64) -> String {
    format!("{x},")
}
