//! Sorting slices in parallel: [`stable`] by merging, [`unstable`] in place by partitioning. Both leave short pieces to the standard
//! library.

mod stable;
mod unstable;

use std::cmp::Ordering;

use crate::iter::ParallelSliceMut;
use crate::iter::{IndexedParallelIterator, IntoParallelIterator, ParallelIterator};
use crate::join::join;
use crate::pool::current_num_threads;

pub(crate) use stable::sort_by as stable_sort_by;
pub(crate) use unstable::sort_by as unstable_sort_by;

/// A slice of fewer items is sorted by the calling thread: that takes some tens of microseconds.
const WORTH_SHARING: usize = 2048;

/// Pieces that are sorted by themselves, for each thread: enough for those that are done early to help the others.
const PIECES_PER_THREAD: usize = 4;

/// How long a piece that is sorted by itself may be; `None` if the slice should not be shared at all.
fn piece<T>(items: &[T]) -> Option<usize> {
    if items.len() < WORTH_SHARING || size_of::<T>() == 0 {
        return None;
    }
    let threads = current_num_threads();
    let piece = items.len().div_ceil(threads * PIECES_PER_THREAD).max(WORTH_SHARING / 2);
    (threads > 1).then_some(piece)
}

/// Whether the slice is in order already, if need be after it was turned around. For items at random, a few comparisons tell.
fn is_run<T: Send>(items: &mut [T], piece: usize, is_less: &(impl Fn(&T, &T) -> bool + Sync)) -> bool {
    let Some([first, second]) = items.first_chunk() else { return true };
    if !is_less(second, first) {
        return all_pairs(items, piece, &|a, b| !is_less(b, a));
    }
    let falls = all_pairs(items, piece, &|a, b| is_less(b, a));
    if falls {
        items.reverse();
    }
    falls
}

/// Whether neighbours are so everywhere; looked at in parallel once the first piece is. Each thread has items of its own, since they
/// need not be `Sync`.
fn all_pairs<T: Send>(items: &mut [T], piece: usize, holds: &(impl Fn(&T, &T) -> bool + Sync)) -> bool {
    fn rest<T: Send>(items: &mut [T], piece: usize, holds: &(impl Fn(&T, &T) -> bool + Sync)) -> bool {
        if items.len() <= piece {
            return all_pairs_in_blocks(items, holds);
        }
        let (left, right) = items.split_at_mut(items.len() / 2);
        if !left.last().zip(right.first()).is_none_or(|(a, b)| holds(a, b)) {
            return false;
        }
        let (left, right) = join(|| rest(left, piece, holds), || rest(right, piece, holds));
        left && right
    }
    let first = items.len().min(WORTH_SHARING);
    items[..first].is_sorted_by(holds) && rest(&mut items[first - 1..], piece, holds)
}

/// Whether neighbours are so everywhere. Within a block all are compared, without a branch, which the compiler can do for several
/// numbers at once.
fn all_pairs_in_blocks<T>(items: &[T], holds: &impl Fn(&T, &T) -> bool) -> bool {
    const PAIRS: usize = 32;
    let mut blocks = items.windows(PAIRS + 1).step_by(PAIRS);
    let rest = items.len().saturating_sub(1) / PAIRS * PAIRS;
    let in_block = |block: &[T]| block.windows(2).fold(true, |all, pair| all & holds(&pair[0], &pair[1]));
    blocks.all(in_block) && items[rest..].is_sorted_by(holds)
}

/// Sorts by keys that are computed once for each item: in parallel, and then the items follow them.
pub(crate) fn sort_by_cached_key<T: Send, K: Ord + Send>(items: &mut [T], key: impl Fn(&T) -> K + Sync) {
    let keys = items.into_par_iter().enumerate().map(|(index, item)| (key(item), index));
    let mut keys: Vec<(K, usize)> = keys.collect();
    // The index makes all keys different, so an unstable sort keeps the order of equal ones.
    keys.par_sort_unstable_by(|a, b| a.0.cmp(&b.0).then_with(|| a.1.cmp(&b.1)));
    for place in 0..items.len() {
        // Where the item that belongs here went when an earlier place was filled.
        let mut from = keys[place].1;
        while from < place {
            from = keys[from].1;
        }
        keys[place].1 = from;
        items.swap(place, from);
    }
}

fn less<T>(compare: impl Fn(&T, &T) -> Ordering) -> impl Fn(&T, &T) -> bool {
    move |a, b| compare(a, b).is_lt()
}
