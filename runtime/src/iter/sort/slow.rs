//! Sorts with slow comparisons: by merging, down to a handful of items, so that all threads
//! compare.
//!
//! A few comparisons, made before the sort begins, show whether they are slow. If they are quick,
//! the standard library's algorithms need less time for the rest of the work.

use std::cmp::Ordering;

use super::order::Order;
use super::stable::{Sorting, sort_run};
use crate::policy::look;
use crate::sched::pool::current_num_threads;

/// Fewer items are sorted by the calling thread.
const FEW: usize = 16;

/// A slice whose comparisons take less together is not worth sharing.
const WORTH_SHARING_NS: f64 = 40_000.0;

/// What is sorted or merged by itself should take so long.
const PIECE_NS: f64 = 10_000.0;

/// Of what is sorted by itself, as many items as may be moved to make room for one, and as few as
/// are worth a task.
const LONGEST_PIECE: usize = 32;
const SHORTEST_PIECE: usize = 4;

/// What a comparison takes, in nanoseconds, if that is long enough for the slice to be sorted
/// [here](sort).
pub(super) fn look<T, C: Fn(&T, &T) -> Ordering>(items: &[T], compare: &C) -> Option<f64> {
    if items.len() < FEW {
        return None;
    }
    let address = look::<T, C> as *const () as usize;
    look::look(address, items.len() - 1, |place| compare(&items[place], &items[place + 1]))
        .filter(|&ns| is_worth_sharing(items.len(), ns))
}

/// As [`look`], at a part of a slice that was looked at before.
pub(super) fn look_again<T, C: Fn(&T, &T) -> Ordering>(items: &[T], order: &Order<C>) -> Option<f64> {
    if items.len() < FEW {
        return None;
    }
    look::look_again(items.len() - 1, |place| order.compare(&items[place], &items[place + 1]))
        .filter(|&ns| is_worth_sharing(items.len(), ns))
}

fn is_worth_sharing(len: usize, ns: f64) -> bool {
    let len = len as f64;
    ns * len * len.log2() >= WORTH_SHARING_NS
}

/// Sorts, if a comparison takes `ns`; equal items keep their order.
pub(super) fn sort<T, C>(items: &mut [T], order: &Order<C>, ns: f64)
where
    T: Send,
    C: Fn(&T, &T) -> Ordering + Sync,
{
    let is_less = |a: &T, b: &T| order.is_less_slowly(a, b);
    let sort_piece = |piece: &mut [T]| {
        insertion_sort(piece, &is_less);
        Some(ns)
    };
    let piece = ((PIECE_NS / ns) as usize).clamp(SHORTEST_PIECE, LONGEST_PIECE);
    sort_run(items, &Sorting { order, sort_piece: &sort_piece, is_less: &is_less, piece, len: items.len() });
}

/// How many items a part of a merge has at least, out of a slice of `len`, if a comparison takes
/// `ns`: to find where it begins takes some, too.
pub(super) fn shortest_merge(len: usize, ns: f64) -> usize {
    (len / current_num_threads()).max((PIECE_NS / ns) as usize).max(SHORTEST_PIECE)
}

/// Looks each item's place up among those before it, with few comparisons.
fn insertion_sort<T>(items: &mut [T], is_less: &impl Fn(&T, &T) -> bool) {
    for index in 1..items.len() {
        let (sorted, rest) = items.split_at(index);
        if !is_less(&rest[0], &sorted[index - 1]) {
            continue;
        }
        let place = sorted[..index - 1].partition_point(|item| !is_less(&rest[0], item));
        items[place..=index].rotate_right(1);
    }
}
