//! Loops that are over before a second thread could come.

use super::{Peer, Row, again, leak, random, with_paralight};

fn row(name: &'static str, len: usize) -> Row {
    let a = leak(random(len));
    let term = |n: &u64| n.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 40;
    let samples = vec![
        (Peer::Std, again(move || a.iter().map(term).sum::<u64>() as f64)),
        (Peer::Rayon, {
            use rayon::prelude::*;
            again(move || a.par_iter().map(term).sum::<u64>() as f64)
        }),
        (Peer::Paralight, {
            use paralight::prelude::*;
            again(move || {
                with_paralight(|pool| a.par_iter().with_thread_pool(pool).map(term).sum::<u64>() as f64)
            })
        }),
        (Peer::Orx, {
            use orx_parallel::*;
            again(move || a.par().map(term).sum::<u64>() as f64)
        }),
        (Peer::Taskel, {
            use taskel::prelude::*;
            again(move || a.par_iter().map(term).sum::<u64>() as f64)
        }),
    ];
    Row::new(name, samples)
}

pub(super) fn rows() -> Vec<Row> {
    vec![
        row("map and sum of 1 u64", 1),
        row("map and sum of 10 u64", 10),
        row("map and sum of 100 u64", 100),
        row("map and sum of 1000 u64", 1000),
    ]
}
