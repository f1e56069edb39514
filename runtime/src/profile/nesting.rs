//! Which calls, and closures of joins, can be drawn in a row together with its chunks: slices of a
//! row lie inside of each other or apart.
//!
//! They do as they happen. But chunks that are merged extend over what lies between them, clocks of
//! several cores differ, and a row may be of two threads.

use std::cmp::Reverse;

/// From when to when.
pub(super) type Extent = (u64, u64);

/// Which of `slices` can be drawn beside `fixed`, which are apart from each other and in the order of
/// time: by their place in the list, those that contain others first.
pub(super) fn nested(slices: &[Extent], fixed: &[Extent]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..slices.len()).collect();
    order.sort_by_key(|&slice| (slices[slice].0, Reverse(slices[slice].1)));
    let mut open: Vec<u64> = Vec::new();
    order.retain(|&slice| {
        let (start, end) = slices[slice];
        while open.last().is_some_and(|&open_end| open_end <= start) {
            open.pop();
        }
        let is_inside = open.last().is_none_or(|&open_end| end <= open_end);
        let fits = is_inside && is_beside((start, end), fixed);
        if fits {
            open.push(end);
        }
        fits
    });
    order
}

/// Whether each of `fixed` is inside of it, around it or apart from it.
fn is_beside((start, end): Extent, fixed: &[Extent]) -> bool {
    let around = |at: u64| {
        let begun = fixed.partition_point(|&(from, _)| from < at);
        begun.checked_sub(1).map(|last| fixed[last]).filter(|&(_, to)| to > at)
    };
    around(start).is_none_or(|(_, to)| end <= to) && around(end).is_none_or(|(from, _)| from <= start)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_overlaps_in_part_is_left_out() {
        let fixed = [(10, 20), (20, 30), (50, 60)];
        let one = |slice: Extent| !nested(&[slice], &fixed).is_empty();
        for fits in [(0, 5), (0, 10), (0, 100), (10, 30), (12, 18), (10, 20), (30, 50), (20, 60), (15, 15)] {
            assert!(one(fits), "{fits:?}");
        }
        for overlaps in [(0, 15), (15, 25), (15, 40), (20, 55), (55, 70)] {
            assert!(!one(overlaps), "{overlaps:?}");
        }
    }

    #[test]
    fn those_that_contain_others_come_first() {
        let slices = [(5, 8), (0, 10), (0, 4), (9, 12), (0, 4), (10, 11)];
        assert_eq!(nested(&slices, &[]), [1, 2, 4, 0, 5]);
        assert_eq!(nested(&[], &[(1, 2)]), Vec::<usize>::new());
    }
}
