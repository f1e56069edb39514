//! Rows that do not keep as many workers busy as they should, and why. One that does must leave
//! this list.

/// Rows, layouts, and the reason.
pub(crate) const NOT_YET: &[(&[&str], &[&str], &str)] = &[
    (
        &["ParallelSlice::par_split / slow separator", "ParallelSlice::par_split_inclusive / slow separator"],
        &["a few long"],
        "long neighbours are in the share of one worker; not looked into",
    ),
    (
        &["Stream::max_in_flight", "Stream::max_in_flight_bytes"],
        &["every 8th long"],
        "the sink has a long item before helpers come, and what is done takes up the window meanwhile: one round more than three",
    ),
];
