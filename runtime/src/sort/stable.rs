//! Stable sorting: pieces are sorted by the standard library and merged in pairs, to and fro between the slice and a buffer.
//!
//! A merge is cut in two where that helps, as in Cole's parallel merge: the middle of the longer run is looked up in the other one.
//!
//! # When a comparison panics
//!
//! The slice holds every item once, always but while a merge writes into it. Merges into the buffer copy bits and leave the
//! slice as it is; nobody drops what is in the buffer. A merge into the slice that ends early writes the rest of its runs,
//! unmerged ([`Merge`]'s `drop`), also if it was never begun.

use std::cmp::Ordering;
use std::ptr;

use super::{is_run, less, piece};
use crate::join::join;

/// A merge of fewer items is not cut: that takes about 10 µs.
const WORTH_CUTTING: usize = 4096;

/// Sorts; equal items keep their order.
pub(crate) fn sort_by<T: Send>(items: &mut [T], compare: impl Fn(&T, &T) -> Ordering + Sync) {
    let Some(piece) = piece(items) else { return items.sort_by(compare) };
    let is_less = less(&compare);
    if is_run(items, piece, &is_less) {
        return;
    }
    let mut buffer = Vec::with_capacity(items.len());
    let run = Run::new(items.as_mut_ptr(), items.len());
    let sorting = Sorting { compare: &compare, is_less: &is_less, piece };
    // SAFETY: the slice is borrowed mutably, and the buffer has as much room.
    unsafe { sorting.sort(run, Run::new(buffer.as_mut_ptr(), items.len()), false) };
}

/// Some items next to each other, in the slice or the buffer.
struct Run<T> {
    first: *mut T,
    len: usize,
}

impl<T> Clone for Run<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Run<T> {}

// SAFETY: a run goes to one closure, which alone reaches its items.
unsafe impl<T: Send> Send for Run<T> {}

impl<T> Run<T> {
    fn new(first: *mut T, len: usize) -> Self {
        Run { first, len }
    }

    fn split_at(self, mid: usize) -> (Run<T>, Run<T>) {
        debug_assert!(mid <= self.len);
        // SAFETY: in the run, or at its end.
        let second = unsafe { self.first.add(mid) };
        (Run::new(self.first, mid), Run::new(second, self.len - mid))
    }

    /// # Safety
    ///
    /// There is an item, and nobody writes to it while the reference is used.
    #[inline(always)]
    unsafe fn last<'a>(self) -> &'a T {
        // SAFETY: the place of an item.
        let last = unsafe { self.first.add(self.len - 1) };
        // SAFETY: this function's contract.
        unsafe { &*last }
    }

    /// # Safety
    ///
    /// The items are initialised, and nobody writes to them while the slice is used.
    unsafe fn as_slice<'a>(self) -> &'a [T] {
        // SAFETY: this function's contract.
        unsafe { std::slice::from_raw_parts(self.first, self.len) }
    }
}

struct Sorting<'a, C, L> {
    compare: &'a C,
    is_less: &'a L,
    piece: usize,
}

impl<C, L> Sorting<'_, C, L> {
    /// Sorts `items`, in place or `into_buffer`.
    ///
    /// # Safety
    ///
    /// The items, and the places in `buffer`, as many, are this call's alone.
    unsafe fn sort<T: Send>(&self, items: Run<T>, buffer: Run<T>, into_buffer: bool)
    where
        C: Fn(&T, &T) -> Ordering + Sync,
        L: Fn(&T, &T) -> bool + Sync,
    {
        if items.len <= self.piece {
            // SAFETY: the items are this call's alone.
            let piece = unsafe { std::slice::from_raw_parts_mut(items.first, items.len) };
            piece.sort_by(self.compare);
            if into_buffer {
                // SAFETY: the buffer has room, and lies elsewhere.
                unsafe { ptr::copy_nonoverlapping(items.first, buffer.first, items.len) };
            }
            return;
        }
        let (left, right) = items.split_at(items.len / 2);
        let (left_buffer, right_buffer) = buffer.split_at(left.len);
        join(
            // SAFETY: the two halves are apart, in the slice and in the buffer.
            move || unsafe { self.sort(left, left_buffer, !into_buffer) },
            // SAFETY: as above.
            move || unsafe { self.sort(right, right_buffer, !into_buffer) },
        );
        let (from, to) = if into_buffer { (items, buffer) } else { (buffer, items) };
        let (left, right) = from.split_at(left.len);
        merge(Merge { left, right, to: to.first }, self.is_less);
    }
}

/// Two sorted runs, and where they are to be merged: as many places as items, from `to` on. What is not merged when it is dropped goes there as it is.
struct Merge<T> {
    left: Run<T>,
    right: Run<T>,
    to: *mut T,
}

// SAFETY: it goes to one closure, which alone reaches its items and writes to its places.
unsafe impl<T: Send> Send for Merge<T> {}

impl<T> Drop for Merge<T> {
    fn drop(&mut self) {
        // SAFETY: there are places for both runs, elsewhere than these.
        unsafe { ptr::copy_nonoverlapping(self.left.first, self.to, self.left.len) };
        // SAFETY: as above.
        let to = unsafe { self.to.add(self.left.len) };
        // SAFETY: as above.
        unsafe { ptr::copy_nonoverlapping(self.right.first, to, self.right.len) };
    }
}

impl<T> Merge<T> {
    /// Splits off a merge of the first `left` and `right` items.
    fn split_off(&mut self, left: usize, right: usize) -> Merge<T> {
        let (first_left, left) = self.left.split_at(left);
        let (first_right, right) = self.right.split_at(right);
        let first = Merge { left: first_left, right: first_right, to: self.to };
        (self.left, self.right) = (left, right);
        // SAFETY: there are places for both runs.
        self.to = unsafe { self.to.add(first_left.len + first_right.len) };
        first
    }

    /// Moves the first item of one run to the front place.
    ///
    /// # Safety
    ///
    /// The run has an item.
    #[inline(always)]
    unsafe fn take_first(&mut self, from_right: bool) {
        let item = if from_right { self.right.first } else { self.left.first };
        // SAFETY: the run has an item, and there is a place for it, elsewhere.
        unsafe { ptr::copy_nonoverlapping(item, self.to, 1) };
        // No branch, whose outcome nobody could foresee.
        let (from_left, from_right) = (usize::from(!from_right), usize::from(from_right));
        // SAFETY: at most at the end of the run.
        self.left.first = unsafe { self.left.first.add(from_left) };
        // SAFETY: as above.
        self.right.first = unsafe { self.right.first.add(from_right) };
        // SAFETY: at most at the end of the places.
        self.to = unsafe { self.to.add(1) };
        self.left.len -= from_left;
        self.right.len -= from_right;
    }

    /// Moves the last item of one run to the back place.
    ///
    /// # Safety
    ///
    /// Both runs have an item.
    #[inline(always)]
    unsafe fn take_last(&mut self, from_right: bool) {
        // SAFETY: there are as many places as items.
        let place = unsafe { self.to.add(self.left.len + self.right.len - 1) };
        let run = if from_right { self.right } else { self.left };
        // SAFETY: the run has an item.
        let item = unsafe { run.first.add(run.len - 1) };
        // SAFETY: the place is elsewhere.
        unsafe { ptr::copy_nonoverlapping(item, place, 1) };
        self.left.len -= usize::from(!from_right);
        self.right.len -= usize::from(from_right);
    }
}

fn merge<T: Send>(mut runs: Merge<T>, is_less: &(impl Fn(&T, &T) -> bool + Sync)) {
    // SAFETY: the runs are initialised, and this merge's alone.
    let [left, right] = [runs.left, runs.right].map(|run| unsafe { run.as_slice() });
    let (Some(last), Some(first)) = (left.last(), right.first()) else { return };
    if !is_less(first, last) {
        // In order already: `drop` moves them.
        return;
    }
    if left.len() + right.len() >= WORTH_CUTTING {
        // Items of the right run go behind equal ones of the left.
        let (from_left, from_right) = if left.len() >= right.len() {
            let mid = left.len() / 2;
            (mid, right.partition_point(|item| is_less(item, &left[mid])))
        } else {
            let mid = right.len() / 2;
            (left.partition_point(|item| !is_less(&right[mid], item)), mid)
        };
        let front = runs.split_off(from_left, from_right);
        join(|| merge(front, is_less), || merge(runs, is_less));
        return;
    }
    // From both ends at once: what the next comparison is about depends on this one, and two such chains overlap.
    while runs.left.len > 0 && runs.right.len > 0 {
        // SAFETY: both runs have an item.
        let [left, right] = [runs.left, runs.right].map(|run| unsafe { &*run.first });
        let from_right = is_less(right, left);
        // SAFETY: as above.
        unsafe { runs.take_first(from_right) };
        if runs.left.len == 0 || runs.right.len == 0 {
            return;
        }
        // SAFETY: both runs still have an item.
        let [left, right] = [runs.left, runs.right].map(|run| unsafe { run.last() });
        let from_right = !is_less(right, left);
        // SAFETY: as above.
        unsafe { runs.take_last(from_right) };
    }
}
