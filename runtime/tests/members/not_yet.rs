//! Rows that do not keep as many workers busy as they should, and why. One that does must leave this list.

const EACH: &[&str] = &["even", "a few long", "every 8th long"];

/// Rows, layouts, and the reason.
pub(crate) const NOT_YET: &[(&[&str], &[&str], &str)] = &[
    (
        &[
            "IndexedParallelIterator::skip / what is left over takes long to drop",
            "IndexedParallelIterator::take / what is left over takes long to drop",
            "IndexedParallelIterator::zip / what is left over takes long to drop",
        ],
        EACH,
        "the calling thread drops what is left over",
    ),
    (
        &["ParallelSlice::par_split / slow separator", "ParallelSlice::par_split_inclusive / slow separator"],
        EACH,
        "whoever looks for the beginning of a part calls the predicate again",
    ),
    (
        &[
            "ParallelSliceMut::par_sort",
            "ParallelSliceMut::par_sort_by",
            "ParallelSliceMut::par_sort_by_key",
            "ParallelSliceMut::par_sort_unstable",
            "ParallelSliceMut::par_sort_unstable_by",
            "ParallelSliceMut::par_sort_unstable_by_key",
        ],
        EACH,
        "fewer than 2048 items are sorted by the calling thread, however long a comparison takes",
    ),
    (
        &["Stream::max_in_flight", "Stream::max_in_flight_bytes"],
        &["every 8th long"],
        "quick items wait in a batch behind a long one, and take up the window",
    ),
];
