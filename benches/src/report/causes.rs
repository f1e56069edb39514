//! Why a peer is ahead, row by row, as far as somebody has looked. `perf`, callgrind and the clock
//! around the items gave these answers; the decision records have their figures.

/// Rows of a group whose names contain one of these, and why a peer is ahead in them.
type Cause = (&'static str, &'static [&'static str], &'static str);

const CAUSES: &[Cause] = &[
    (
        "loops",
        &["100 x 1 µs", "20 x 10 µs"],
        "the peer's threads spin between calls, here the first call of a sample wakes a worker; a claimed item costs 365 instructions",
    ),
    (
        "loops",
        &[
            "64 with 2 x 2 ms side by side",
            "8 x 1 ms side by side",
            "last 8 x 1 ms",
            "last 2 x 1 ms",
            "every 4096th 500 µs",
        ],
        "the second worker begins 50 to 130 µs late, by its wake-up; the last long item is a whole piece, and where it begins is chance",
    ),
];

/// Why a peer is ahead in that row.
pub(super) fn of(group: &str, row: &str) -> Option<&'static str> {
    let names = |cause: &&Cause| cause.0 == group && cause.1.iter().any(|part| row.contains(part));
    CAUSES.iter().find(names).map(|cause| cause.2)
}

/// All rows that have a cause: a group, and a part of the row's name.
#[cfg(test)]
pub(super) fn rows() -> impl Iterator<Item = (&'static str, &'static str)> {
    CAUSES.iter().flat_map(|cause| cause.1.iter().map(|row| (cause.0, *row)))
}
