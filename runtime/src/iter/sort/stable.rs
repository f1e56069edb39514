//! Stable sorting: the standard library sorts pieces, which are then merged in pairs, back and
//! forth between the slice and a buffer.
//!
//! A merge is cut in two if that helps, as in Cole's parallel merge: the middle of the longer run
//! is looked up in the other one.
//!
//! # When a comparison panics
//!
//! The slice holds every item once, except while a merge writes into it. Merges into the buffer
//! copy bits and leave the slice as it is; nobody drops what is in the buffer. If a merge into the
//! slice ends early, or was never begun, [`Merge`]'s `drop` writes the rest of its runs unmerged.

use std::cmp::Ordering;
use std::ptr;

use super::order::Order;
use super::{Plan, is_run, plan, slow};

/// A part of a merge has at least so many items if comparisons are quick: that takes about 10 µs.
const SHORTEST_MERGE: usize = 4096;

/// Sorts; equal items keep their order.
#[track_caller]
pub(crate) fn sort_by<T: Send, C: Fn(&T, &T) -> Ordering + Sync>(items: &mut [T], compare: C) {
    let piece = match plan(items, &compare) {
        Plan::Alone => return items.sort_by(compare),
        Plan::Slow { ns } => return Order::with(compare, |order| slow::sort(items, order, ns)),
        Plan::Pieces { len } => len,
    };
    Order::with(compare, |order| {
        let sort_piece = |piece: &mut [T]| {
            let slow = slow::look_again(piece, order);
            match slow {
                None => piece.sort_by(|a, b| order.compare(a, b)),
                Some(ns) => slow::sort(piece, order, ns),
            }
            slow
        };
        let is_less = |a: &T, b: &T| order.is_less(a, b);
        let len = items.len();
        sort_run(items, &Sorting { order, sort_piece: &sort_piece, is_less: &is_less, piece, len });
    });
}

/// Sorts a slice, which may be in order already.
pub(super) fn sort_run<T, C, S, L>(items: &mut [T], sorting: &Sorting<'_, C, S, L>)
where
    T: Send,
    C: Sync,
    S: Fn(&mut [T]) -> Option<f64> + Sync,
    L: Fn(&T, &T) -> bool + Sync,
{
    if is_run(items, sorting.piece, sorting.order, sorting.is_less) {
        return;
    }
    let mut buffer = Vec::with_capacity(items.len());
    let run = Run::new(items.as_mut_ptr(), items.len());
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

/// How a slice is sorted.
pub(super) struct Sorting<'a, C, S, L> {
    pub(super) order: &'a Order<C>,
    /// Sorts a piece, and tells how many nanoseconds a comparison took if that was long.
    pub(super) sort_piece: &'a S,
    pub(super) is_less: &'a L,
    /// So many items at most are a piece.
    pub(super) piece: usize,
    /// The whole slice's.
    pub(super) len: usize,
}

impl<C: Sync, S: Sync, L> Sorting<'_, C, S, L> {
    /// Sorts `items`, in place or `into_buffer`; tells how long a comparison takes if that is long.
    ///
    /// # Safety
    ///
    /// The items, and the places in `buffer`, as many, are this call's alone.
    unsafe fn sort<T: Send>(&self, items: Run<T>, buffer: Run<T>, into_buffer: bool) -> Option<f64>
    where
        S: Fn(&mut [T]) -> Option<f64> + Sync,
        L: Fn(&T, &T) -> bool + Sync,
    {
        if items.len <= self.piece {
            // SAFETY: the items are this call's alone.
            let piece = unsafe { std::slice::from_raw_parts_mut(items.first, items.len) };
            let slow = (self.sort_piece)(piece);
            if into_buffer {
                // SAFETY: the buffer has room, and lies elsewhere.
                unsafe { ptr::copy_nonoverlapping(items.first, buffer.first, items.len) };
            }
            return slow;
        }
        let (left, right) = items.split_at(items.len / 2);
        let (left_buffer, right_buffer) = buffer.split_at(left.len);
        let (slow_left, slow_right) = self.order.both(
            // SAFETY: the two halves are apart, in the slice and in the buffer.
            move || unsafe { self.sort(left, left_buffer, !into_buffer) },
            // SAFETY: as above.
            move || unsafe { self.sort(right, right_buffer, !into_buffer) },
        );
        let slow = slow_left.into_iter().chain(slow_right).reduce(f64::max);
        let (from, to) = if into_buffer { (items, buffer) } else { (buffer, items) };
        let (left, right) = from.split_at(left.len);
        self.merge(Merge { left, right, to: to.first }, slow);
        slow
    }

    fn merge<T: Send>(&self, runs: Merge<T>, slow: Option<f64>)
    where
        L: Fn(&T, &T) -> bool + Sync,
    {
        // SAFETY: the runs are initialised, and this merge's alone.
        let [left, right] = unsafe { runs.as_slices() };
        if left.last().zip(right.first()).is_none_or(|(last, first)| !(self.is_less)(first, last)) {
            // In order already: `drop` moves them.
            return;
        }
        let shortest = slow.map_or(SHORTEST_MERGE, |ns| slow::shortest_merge(self.len, ns));
        let parts = (left.len() + right.len()) / shortest;
        self.merge_in_parts(runs, parts);
    }

    /// Merges in about so many parts, as long as each other.
    fn merge_in_parts<T: Send>(&self, mut runs: Merge<T>, parts: usize)
    where
        L: Fn(&T, &T) -> bool + Sync,
    {
        if parts < 2 {
            return merge_alone(runs, self.is_less);
        }
        // SAFETY: the runs are initialised, and this merge's alone.
        let [left, right] = unsafe { runs.as_slices() };
        let len = (left.len() + right.len()) / parts * (parts / 2);
        // Looked up before the parts begin: items need not be `Sync`, so no two threads may compare
        // the same one.
        let from_left = first_from_left([left, right], len, self.is_less);
        let front = runs.split_off(from_left, len - from_left);
        self.order.both(
            move || self.merge_in_parts(front, parts / 2),
            move || self.merge_in_parts(runs, parts - parts / 2),
        );
    }
}

/// How many of the first `count` items of a merge are from the left run.
fn first_from_left<T>([left, right]: [&[T]; 2], count: usize, is_less: impl Fn(&T, &T) -> bool) -> usize {
    let (mut least, mut most) = (count.saturating_sub(right.len()), count.min(left.len()));
    while least < most {
        let mid = least.midpoint(most);
        // Items of the right run go behind equal ones of the left.
        if is_less(&right[count - mid - 1], &left[mid]) { most = mid } else { least = mid + 1 }
    }
    least
}

/// Two sorted runs, and where they are to be merged: as many places as items, from `to` on. What is
/// not merged when it is dropped goes there as it is.
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
    /// # Safety
    ///
    /// The runs are initialised, and nobody writes to them while the slices are used.
    unsafe fn as_slices<'a>(&self) -> [&'a [T]; 2] {
        // SAFETY: this function's contract.
        [self.left, self.right].map(|run| unsafe { run.as_slice() })
    }

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

/// Merges on this thread.
fn merge_alone<T>(mut runs: Merge<T>, is_less: impl Fn(&T, &T) -> bool) {
    // From both ends at once: what the next comparison is about depends on this one, and two such
    // chains overlap.
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
