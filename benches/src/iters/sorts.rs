//! Sorting.

use super::{Peer, Row, anew, random};

const LEN: usize = 1 << 20;

/// Sorts what `$make` makes with a method of slices, by the standard library, rayon and taskel.
macro_rules! sorts {
    ($name:literal, $make:expr, $picked:expr, $std:ident, $par:ident) => {
        Row::new(
            $name,
            vec![
                (
                    Peer::Std,
                    anew($make, |items| {
                        items.$std();
                        $picked(items)
                    }),
                ),
                (Peer::Rayon, {
                    use rayon::prelude::*;
                    anew($make, |items| {
                        items.$par();
                        $picked(items)
                    })
                }),
                (Peer::Taskel, {
                    use taskel::prelude::*;
                    anew($make, |items| {
                        items.$par();
                        $picked(items)
                    })
                }),
            ],
        )
    };
}

fn sorted() -> Vec<u64> {
    (0..LEN as u64).collect()
}

fn shuffled() -> Vec<u64> {
    random(LEN)
}

fn few() -> Vec<u64> {
    random(LEN).into_iter().map(|n| n % 16).collect()
}

fn strings() -> Vec<String> {
    random(LEN / 8).into_iter().map(|n| format!("{:012}", n % 1_000_000_007)).collect()
}

fn picked(items: &mut [u64]) -> f64 {
    items[LEN / 3] as f64
}

fn picked_string(items: &mut [String]) -> f64 {
    items[LEN / 30].parse().unwrap_or(0.0)
}

pub(super) fn rows() -> Vec<Row> {
    vec![
        sorts!("par_sort 1 M u64, random", shuffled, picked, sort, par_sort),
        sorts!("par_sort 1 M u64, sorted", sorted, picked, sort, par_sort),
        sorts!("par_sort 1 M u64, 16 values", few, picked, sort, par_sort),
        sorts!("par_sort 128 k strings", strings, picked_string, sort, par_sort),
        sorts!("par_sort_unstable 1 M u64, random", shuffled, picked, sort_unstable, par_sort_unstable),
        sorts!("par_sort_unstable 1 M u64, sorted", sorted, picked, sort_unstable, par_sort_unstable),
        sorts!("par_sort_unstable 1 M u64, 16 values", few, picked, sort_unstable, par_sort_unstable),
        sorts!("par_sort_unstable 128 k strings", strings, picked_string, sort_unstable, par_sort_unstable),
    ]
}
