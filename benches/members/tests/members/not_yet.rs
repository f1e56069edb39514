//! Rows that do not keep as many workers busy as they should, and why. One that does must leave
//! this list.

const EACH: &[&str] = &["even", "a few long", "every 8th long"];

/// Rows, layouts, and the reason.
pub(crate) const NOT_YET: &[(&[&str], &[&str], &str)] = &[
    (
        &["ParallelSlice::par_split / slow separator", "ParallelSlice::par_split_inclusive / slow separator"],
        EACH,
        "the predicate is called once for each item, but not by enough lanes at a time; not looked into",
    ),
    (
        &["Stream::max_in_flight", "Stream::max_in_flight_bytes"],
        &["every 8th long"],
        "the sink has a long item before helpers come, and what is done takes up the window meanwhile: one round more than three",
    ),
];
