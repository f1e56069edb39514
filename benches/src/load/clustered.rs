//! Cheap taskels with a few dear ones next to each other, which a chunk or a split of the range
//! keeps together.

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

/// What a guided schedule gives out last, and what is stolen first from the end.
pub(super) fn eight_at_the_end() -> Vec<f64> {
    let mut ns = vec![50.0; 100_000];
    ns[99_992..].fill(1e6);
    ns
}

/// What a chunk of the end holds together nobody can share any more. (A single one that takes so
/// long and comes last, nobody can meet the bound with who does not know the future: it has to be
/// started first.)
pub(super) fn two_at_the_end() -> Vec<f64> {
    let mut ns = vec![10.0; 400_000];
    ns[399_998..].fill(1e6);
    ns
}

/// Those before the cluster teach that thousands make a chunk.
pub(super) fn amid_nanoseconds() -> Vec<f64> {
    let mut ns = vec![5.0; 1_000_000];
    ns[500_100..500_164].fill(1e5);
    ns
}

/// In step with every power of two: a split at one gives all of them the same place in their parts.
pub(super) fn every_4096th() -> Vec<f64> {
    (0..1 << 16).map(|i| if i % 4096 == 4095 { 5e5 } else { 20.0 }).collect()
}
