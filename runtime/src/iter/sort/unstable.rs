//! Unstable sorting, in place: a slice is partitioned around a sampled pivot, then both parts at
//! the same time, until they are short.
//!
//! As in Peters' pattern-defeating quicksort, a slice that is already in order is left alone, and
//! many equal items make a part of their own. After too many bad pivots, the standard library's
//! algorithm takes over, whose worst case is O(n log n). Items only move by swaps, so the slice
//! holds each of them once, whatever a comparison does.

use std::cmp::Ordering;

use super::order::Order;
use super::{Plan, is_run, plan, slow};

/// Of this many items, spread over the slice, the pivot is the median.
const SAMPLE: usize = 31;

/// A part of less than one in so many of the items is a bad one.
const BAD: usize = 8;

/// Sorts; equal items may change places.
#[track_caller]
pub(crate) fn sort_by<T: Send, C: Fn(&T, &T) -> Ordering + Sync>(items: &mut [T], compare: C) {
    match plan(items, &compare) {
        Plan::Alone => items.sort_unstable_by(compare),
        // By merging: a partition would be one thread's, and take as long as all other threads
        // together.
        Plan::Slow { ns } => Order::with(compare, |order| slow::sort(items, order, ns)),
        Plan::Pieces { len } => Order::with(compare, |order| {
            if !is_run(items, len, order, &|a: &T, b: &T| order.is_less(a, b)) {
                let allowed = items.len().ilog2();
                sort(items, order, len, allowed);
            }
        }),
    }
}

fn sort<T, C>(mut items: &mut [T], order: &Order<C>, piece: usize, mut allowed: u32)
where
    T: Send,
    C: Fn(&T, &T) -> Ordering + Sync,
{
    let compare = |a: &T, b: &T| order.compare(a, b);
    loop {
        if let Some(ns) = slow::look_again(items, order) {
            return slow::sort(items, order, ns);
        }
        if items.len() <= piece || allowed == 0 {
            return items.sort_unstable_by(compare);
        }
        pivot_to_front(items, &compare);
        let before = partition(items, |item, pivot| compare(item, pivot).is_lt());
        items.swap(0, before);
        let (front, back) = items.split_at_mut(before);
        if front.len() < back.len() / BAD {
            // Perhaps many are equal to the pivot, which is the first of the back.
            let equal = partition(back, |item, pivot| compare(item, pivot).is_le());
            front.sort_unstable_by(compare);
            allowed -= u32::from(equal < back.len() / BAD);
            items = &mut back[equal + 1..];
            continue;
        }
        allowed -= u32::from(back.len() < front.len() / BAD);
        let back = &mut back[1..];
        order.both(|| sort(front, order, piece, allowed), || sort(back, order, piece, allowed));
        return;
    }
}

/// Swaps the median of some items to the front.
fn pivot_to_front<T>(items: &mut [T], compare: &impl Fn(&T, &T) -> Ordering) {
    let step = items.len() / SAMPLE;
    for index in 0..SAMPLE {
        items.swap(index, index * step + step / 2);
    }
    items[..SAMPLE].select_nth_unstable_by(SAMPLE / 2, compare);
    items.swap(0, SAMPLE / 2);
}

/// Moves the items for which `goes_front` holds with the first one, the pivot, right behind that;
/// returns how many there are.
///
/// The loop has no branch that depends on the items: Lomuto's scheme, in the form of
/// Alexandrescu's.
#[inline]
fn partition<T>(items: &mut [T], goes_front: impl Fn(&T, &T) -> bool) -> usize {
    let Some((pivot, items)) = items.split_first_mut() else { return 0 };
    let mut front = 0;
    for index in 0..items.len() {
        let goes = goes_front(&items[index], pivot);
        // `front` is at most `index`.
        items.swap(front, index);
        front += usize::from(goes);
    }
    front
}
