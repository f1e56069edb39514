//! Taskels that get steadily dearer or cheaper: a triangular matrix, row by row.

const COUNT: usize = 20_000;
const LONGEST_NS: f64 = 2e3;

pub(super) fn ascending() -> Vec<f64> {
    (0..COUNT).map(|i| LONGEST_NS * i as f64 / COUNT as f64).collect()
}

pub(super) fn descending() -> Vec<f64> {
    let mut ns = ascending();
    ns.reverse();
    ns
}
