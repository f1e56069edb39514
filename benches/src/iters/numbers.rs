//! Sums, products of vectors, collections of numbers.

use std::collections::HashMap;

use super::{Peer, Row, again, leak, random, with_paralight};

const LEN: usize = 1 << 20;

/// The same expression for rayon and taskel.
macro_rules! both {
    ($data:ident: $expression:expr) => {
        (
            (Peer::Rayon, {
                use rayon::prelude::*;
                again(move || $expression)
            }),
            (Peer::Taskel, {
                use taskel::prelude::*;
                again(move || $expression)
            }),
        )
    };
}

macro_rules! float_rows {
    ($float:ty, $sum:literal, $dot:literal) => {{
        let a = leak(random(LEN).into_iter().map(|n| (n % 1000) as $float).collect::<Vec<_>>());
        let b = leak(random(LEN).into_iter().rev().map(|n| (n % 10) as $float).collect::<Vec<_>>());
        let (rayon, taskel) = both!(a: f64::from(a.par_iter().sum::<$float>()));
        let sum = vec![
            (Peer::Std, again(move || f64::from(a.iter().sum::<$float>()))),
            rayon,
            (Peer::Paralight, {
                use paralight::prelude::*;
                again(move || with_paralight(|pool| f64::from(a.par_iter().with_thread_pool(pool).sum::<$float>())))
            }),
            (Peer::Orx, {
                use orx_parallel::*;
                again(move || f64::from(a.par().copied().sum::<$float>()))
            }),
            taskel,
            (Peer::Deterministic, {
                use taskel::prelude::*;
                again(move || f64::from(a.par_iter().deterministic().sum::<$float>()))
            }),
        ];
        let (rayon, taskel) = both!(a: f64::from(a.par_iter().zip(b).map(|(x, y)| x * y).sum::<$float>()));
        let dot = vec![
            (Peer::Std, again(move || f64::from(a.iter().zip(b).map(|(x, y)| x * y).sum::<$float>()))),
            rayon,
            (Peer::Paralight, {
                use paralight::prelude::*;
                again(move || {
                    with_paralight(|pool| {
                        let pairs = (a.par_iter(), b.par_iter()).zip_eq();
                        f64::from(pairs.with_thread_pool(pool).map(|(x, y)| x * y).sum::<$float>())
                    })
                })
            }),
            taskel,
            (Peer::Deterministic, {
                use taskel::prelude::*;
                again(move || f64::from(a.par_iter().zip(b).map(|(x, y)| x * y).deterministic().sum::<$float>()))
            }),
        ];
        [Row { tolerance: 0.05, ..Row::new($sum, sum) }, Row { tolerance: 0.05, ..Row::new($dot, dot) }]
    }};
}

pub(super) fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    rows.extend(float_rows!(f32, "sum of 1 M f32", "dot product of 1 M f32"));
    rows.extend(float_rows!(f64, "sum of 1 M f64", "dot product of 1 M f64"));
    rows.extend(collections());
    rows.extend(nested());
    rows.extend(others());
    rows
}

fn collections() -> [Row; 3] {
    let a = leak(random(LEN));
    let last = |all: &[u64]| all.len() as f64 + all.last().map_or(0.0, |&n| n as f64);
    let (rayon, taskel) = both!(a: last(&a.par_iter().map(|n| n * 3 + 1).collect::<Vec<_>>()));
    let map = vec![
        (Peer::Std, again(move || last(&a.iter().map(|n| n * 3 + 1).collect::<Vec<_>>()))),
        rayon,
        (Peer::Orx, {
            use orx_parallel::*;
            again(move || last(&a.par().map(|n| n * 3 + 1).collect::<Vec<_>>()))
        }),
        taskel,
    ];
    let (rayon, taskel) = both!(a: last(&a.par_iter().copied().filter(|n| n % 3 == 0).collect::<Vec<_>>()));
    let filter = vec![
        (Peer::Std, again(move || last(&a.iter().copied().filter(|n| n % 3 == 0).collect::<Vec<_>>()))),
        rayon,
        (Peer::Orx, {
            use orx_parallel::*;
            again(move || last(&a.par().copied().filter(|n| n % 3 == 0).collect::<Vec<_>>()))
        }),
        taskel,
    ];
    let (rayon, taskel) =
        both!(a: last(&a.par_iter().flat_map_iter(|&n| (0..n % 4).map(move |i| n + i)).collect::<Vec<_>>()));
    let flat = vec![
        (
            Peer::Std,
            again(move || last(&a.iter().flat_map(|&n| (0..n % 4).map(move |i| n + i)).collect::<Vec<_>>())),
        ),
        rayon,
        (Peer::Orx, {
            use orx_parallel::*;
            again(move || last(&a.par().flat_map(|&n| (0..n % 4).map(move |i| n + i)).collect::<Vec<_>>()))
        }),
        taskel,
    ];
    [
        Row::new("map and collect 1 M u64", map),
        Row::new("filter and collect 1 M u64", filter),
        Row::new("flat_map_iter and collect 1 M u64", flat),
    ]
}

/// Loops inside of items: few long ones, and many short ones.
fn nested() -> [Row; 3] {
    let floats = leak(random(100_000).into_iter().map(|n| (n % 1_000_003) as f64).collect::<Vec<_>>());
    fn near(outer: u64, x: &f64) -> f64 {
        (x + outer as f64).sqrt()
    }
    let sum =
        move |outer: u64| (0..outer).flat_map(move |n| floats.iter().map(move |x| near(n, x))).sum::<f64>();
    let (rayon, taskel) = both!(floats: {
        (0..20_u64).into_par_iter().flat_map(|n| floats.par_iter().map(move |x| near(n, x))).sum::<f64>()
    });
    let wide = vec![(Peer::Std, again(move || sum(20))), rayon, taskel];
    let a = leak(random(LEN / 100));
    let last = |all: &[u64]| all.len() as f64 + all.last().map_or(0.0, |&n| n as f64);
    let (rayon, taskel) = both!(a: last(
        &a.par_iter().flat_map(|&n| (0..100 + n % 8).into_par_iter().map(move |i| n ^ i)).collect::<Vec<_>>()
    ));
    let collect =
        move || last(&a.iter().flat_map(|&n| (0..100 + n % 8).map(move |i| n ^ i)).collect::<Vec<_>>());
    let narrow = vec![(Peer::Std, again(collect)), rayon, taskel];
    let (rayon, taskel) = both!(floats: {
        let found = (0..20_u64).into_par_iter().flat_map(|n| floats.par_iter().map(move |x| near(n, x)));
        found.find_first(|&y| y > 1e9).unwrap_or(1.0)
    });
    let find = move || {
        let mut all = (0..20_u64).flat_map(|n| floats.iter().map(move |x| near(n, x)));
        all.find(|&y| y > 1e9).unwrap_or(1.0)
    };
    let search = vec![(Peer::Std, again(find)), rayon, taskel];
    [
        Row::new("flat_map of 20 x 100 k f64, sum", wide),
        Row::new("flat_map of 10 k x 100 u64, collect", narrow),
        Row::new("flat_map of 20 x 100 k f64, find_first", search),
    ]
}

fn others() -> [Row; 3] {
    let (a, b, c) = (leak(random(LEN)), leak(random(LEN)), leak(random(LEN)));
    let term = |((x, y), z): ((&u64, &u64), &u64)| (x ^ y).wrapping_mul(*z) >> 32;
    let (rayon, taskel) = both!(a: a.par_iter().zip(b).zip(c).map(term).sum::<u64>() as f64);
    let zip = vec![
        (Peer::Std, again(move || a.iter().zip(b).zip(c).map(term).sum::<u64>() as f64)),
        rayon,
        (Peer::Paralight, {
            use paralight::prelude::*;
            again(move || {
                with_paralight(|pool| {
                    let all = (a.par_iter(), b.par_iter(), c.par_iter()).zip_eq();
                    all.with_thread_pool(pool).map(|(x, y, z)| term(((x, y), z))).sum::<u64>() as f64
                })
            })
        }),
        taskel,
    ];
    let floats = leak(random(LEN).into_iter().map(|n| (n % 1_000_003) as f64).collect::<Vec<_>>());
    let (rayon, taskel) = both!(floats: {
        floats.par_iter().enumerate().min_by(|a, b| a.1.total_cmp(b.1)).map_or(0.0, |(i, _)| i as f64)
    });
    let least = |(i, _): (usize, &f64)| i as f64;
    let min = vec![
        (Peer::Std, {
            again(move || floats.iter().enumerate().min_by(|a, b| a.1.total_cmp(b.1)).map_or(0.0, least))
        }),
        rayon,
        (Peer::Paralight, {
            use paralight::prelude::*;
            again(move || {
                with_paralight(|pool| {
                    let items = floats.par_iter().enumerate().with_thread_pool(pool);
                    items.min_by(|a, b| a.1.total_cmp(b.1)).map_or(0.0, least)
                })
            })
        }),
        taskel,
    ];
    let count = |mut counts: HashMap<u64, u32>, n: &u64| {
        *counts.entry(n % 1000).or_default() += 1;
        counts
    };
    let merge = |mut a: HashMap<u64, u32>, b: HashMap<u64, u32>| {
        b.into_iter().for_each(|(key, count)| *a.entry(key).or_default() += count);
        a
    };
    let (rayon, taskel) =
        both!(a: f64::from(a.par_iter().fold(HashMap::new, count).reduce(HashMap::new, merge)[&7]));
    let group =
        vec![(Peer::Std, again(move || f64::from(a.iter().fold(HashMap::new(), count)[&7]))), rayon, taskel];
    [
        Row::new("zip of three, 1 M u64", zip),
        Row::new("enumerate and min_by, 1 M f64", min),
        Row::new("count 1 M u64 in 1000 groups", group),
    ]
}
