//! Cheap taskels with a few dear ones next to each other, which a chunk or a split of the range keeps together.

/// Neither of the two is at a power of two, where halving the range would part them by luck.
pub(super) fn two_in_64() -> Vec<f64> {
    let mut ns = vec![1e3; 64];
    ns[20..22].fill(2e6);
    ns
}

pub(super) fn eight_in_100_k() -> Vec<f64> {
    let mut ns = vec![50.0; 100_000];
    ns[33_000..33_008].fill(1e6);
    ns
}

pub(super) fn dear_end() -> Vec<f64> {
    let mut ns = vec![20.0; 100_000];
    ns[99_000..].fill(1e4);
    ns
}
