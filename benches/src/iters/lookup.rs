//! Searches, and lines of text.

use super::{Peer, Row, again, leak, random, with_paralight};

const LEN: usize = 1 << 20;

pub(super) fn rows() -> Vec<Row> {
    let mut numbers = random(LEN);
    numbers.iter_mut().for_each(|n| *n |= 1);
    numbers[LEN / 10 * 7] = 8;
    let a = leak(numbers);
    let found = |n: Option<&u64>| n.map_or(0.0, |n| *n as f64);
    let find = vec![
        (Peer::Std, again(move || found(a.iter().find(|n| **n % 2 == 0)))),
        (Peer::Rayon, {
            use rayon::prelude::*;
            again(move || found(a.par_iter().find_first(|n| **n % 2 == 0)))
        }),
        (Peer::Paralight, {
            use paralight::prelude::*;
            again(move || {
                with_paralight(|pool| found(a.par_iter().with_thread_pool(pool).find_first(|n| **n % 2 == 0)))
            })
        }),
        (Peer::Orx, {
            use orx_parallel::*;
            again(move || found(a.par().filter(|n| **n % 2 == 0).first()))
        }),
        (Peer::Taskel, {
            use taskel::prelude::*;
            again(move || found(a.par_iter().find_first(|n| **n % 2 == 0)))
        }),
    ];
    let text: String = random(200_000).iter().map(|n| format!("{} some text\n", n % 100_000)).collect();
    let text: &'static str = text.leak();
    let number = |line: &str| {
        let end = line.bytes().position(|byte| byte == b' ').unwrap_or(line.len());
        line[..end].parse::<u64>().unwrap_or(0)
    };
    let lines = vec![
        (Peer::Std, again(move || text.lines().map(number).sum::<u64>() as f64)),
        (Peer::Rayon, {
            use rayon::prelude::*;
            again(move || text.par_lines().map(number).sum::<u64>() as f64)
        }),
        (Peer::Taskel, {
            use taskel::prelude::*;
            again(move || text.par_lines().map(number).sum::<u64>() as f64)
        }),
    ];
    vec![
        Row::new("find_first at 70 % of 1 M u64", find),
        Row::new("sum of the numbers in 200 k lines", lines),
    ]
}
