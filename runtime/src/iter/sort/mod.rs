//! Sorts slices in parallel: [`stable`] by merging, [`unstable`] in place by partitioning. Both
//! leave short pieces to the standard library. If comparisons take long, [`slow`] does both.

mod order;
mod slow;
mod stable;
mod unstable;

use std::cmp::Ordering;

use self::order::Order;
use crate::iter::ParallelSliceMut;
use crate::iter::{IndexedParallelIterator, IntoParallelIterator, ParallelIterator};
use crate::sched::pool::current_num_threads;

pub(crate) use stable::sort_by as stable_sort_by;
pub(crate) use unstable::sort_by as unstable_sort_by;

/// A slice of fewer items is sorted by the calling thread if comparisons are quick: that takes some
/// tens of microseconds.
const WORTH_SHARING: usize = 2048;

/// Pieces that are sorted by themselves, for each thread: enough for those that are done early to
/// help the others.
const PIECES_PER_THREAD: usize = 4;

/// How a slice is sorted.
enum Plan {
    /// By the calling thread.
    Alone,
    /// In pieces of so many items, by the algorithms for quick comparisons.
    Pieces { len: usize },
    /// A comparison takes so long.
    Slow { ns: f64 },
}

fn plan<T>(items: &[T], compare: &impl Fn(&T, &T) -> Ordering) -> Plan {
    if size_of::<T>() == 0 {
        return Plan::Alone;
    }
    // A pool of one thread is not asked for where there are few items whose comparisons were quick:
    // that would take as long as they.
    let slow = slow::look(items, compare);
    if slow.is_none() && items.len() < WORTH_SHARING {
        return Plan::Alone;
    }
    let threads = current_num_threads();
    match slow {
        _ if threads == 1 => Plan::Alone,
        Some(ns) => Plan::Slow { ns },
        None => {
            let len = items.len().div_ceil(threads * PIECES_PER_THREAD).max(WORTH_SHARING / 2);
            Plan::Pieces { len }
        }
    }
}

/// Whether the slice is in order already, if need be after it was turned around. For items at
/// random, a few comparisons tell.
fn is_run<T: Send>(
    items: &mut [T],
    piece: usize,
    order: &Order<impl Sync>,
    is_less: &(impl Fn(&T, &T) -> bool + Sync),
) -> bool {
    let Some([first, second]) = items.first_chunk() else { return true };
    if !is_less(second, first) {
        return all_pairs(items, piece, order, &|a, b| !is_less(b, a));
    }
    let falls = all_pairs(items, piece, order, &|a, b| is_less(b, a));
    if falls {
        items.reverse();
    }
    falls
}

/// Whether neighbours are so everywhere; looked at in parallel once the first piece is. Each thread
/// has items of its own, since they need not be `Sync`.
fn all_pairs<T: Send>(
    items: &mut [T],
    piece: usize,
    order: &Order<impl Sync>,
    holds: &(impl Fn(&T, &T) -> bool + Sync),
) -> bool {
    fn rest<T: Send>(
        items: &mut [T],
        piece: usize,
        order: &Order<impl Sync>,
        holds: &(impl Fn(&T, &T) -> bool + Sync),
    ) -> bool {
        if items.len() <= piece {
            return all_pairs_in_blocks(items, holds);
        }
        let (left, right) = items.split_at_mut(items.len() / 2);
        if !left.last().zip(right.first()).is_none_or(|(a, b)| holds(a, b)) {
            return false;
        }
        let (left, right) =
            order.both(|| rest(left, piece, order, holds), || rest(right, piece, order, holds));
        left && right
    }
    let first = items.len().min(2 * piece).min(WORTH_SHARING);
    items[..first].is_sorted_by(holds) && rest(&mut items[first - 1..], piece, order, holds)
}

/// Whether neighbours are so everywhere. Within a block all are compared, without a branch, which
/// the compiler can do for several numbers at once.
fn all_pairs_in_blocks<T>(items: &[T], holds: &impl Fn(&T, &T) -> bool) -> bool {
    const PAIRS: usize = 32;
    let mut blocks = items.windows(PAIRS + 1).step_by(PAIRS);
    let rest = items.len().saturating_sub(1) / PAIRS * PAIRS;
    let in_block = |block: &[T]| block.windows(2).fold(true, |all, pair| all & holds(&pair[0], &pair[1]));
    blocks.all(in_block) && items[rest..].is_sorted_by(holds)
}

/// Sorts by keys that are computed once for each item: in parallel, and then the items follow them.
#[track_caller]
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
