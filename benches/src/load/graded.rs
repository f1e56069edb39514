//! Taskels that get steadily dearer or cheaper: a triangular matrix, row by row; once or again and
//! again.

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

/// Teeth of a prime length, so that they start anywhere in a chunk; the longest taskel is followed
/// by the shortest.
pub(super) fn sawtooth() -> Vec<f64> {
    const TOOTH: usize = 541;
    (0..37 * TOOTH).map(|i| LONGEST_NS * (i % TOOTH) as f64 / TOOTH as f64).collect()
}
