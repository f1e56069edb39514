//! Taskels that all take the same: from so few that no helper is worth waking to millions.

pub(super) fn two_million_of_10_ns() -> Vec<f64> {
    vec![10.0; 2_000_000]
}

pub(super) fn two_hundred_thousand_of_100_ns() -> Vec<f64> {
    vec![100.0; 200_000]
}

pub(super) fn twenty_thousand_of_1_us() -> Vec<f64> {
    vec![1e3; 20_000]
}

pub(super) fn hundred_of_1_us() -> Vec<f64> {
    vec![1e3; 100]
}

pub(super) fn three_hundred_of_1_us() -> Vec<f64> {
    vec![1e3; 300]
}

pub(super) fn twenty_of_10_us() -> Vec<f64> {
    vec![1e4; 20]
}

/// An odd number: with two threads one must take one more than the other, and with chunks many
/// more.
pub(super) fn two_hundred_and_one_of_100_us() -> Vec<f64> {
    vec![1e5; 201]
}

pub(super) fn one_of_10_ns() -> Vec<f64> {
    vec![10.0]
}

pub(super) fn twenty_of_10_ns() -> Vec<f64> {
    vec![10.0; 20]
}

pub(super) fn five_hundred_of_10_ns() -> Vec<f64> {
    vec![10.0; 500]
}
