//! The parallel part: two sides of a partition are the two closures of a join.

/// Sorts `v` in O(n log n) comparisons, with nothing allocated, and calls `on_leaf` with the length
/// of each piece that a worker sorts by itself.
///
/// The two sides of a partition are sorted in parallel, but the partition itself is one thread's
/// work. That is what limits the speed-up: the first pass over all n numbers is made by one worker
/// while the others have nothing, the next two by two, and so on, 2 n steps one after the other in
/// all, of about n log₂ n that there are (Amdahl's law). For 10 million numbers it is at most log₂
/// n / 2, about 12, on any number of cores. To go beyond, partition in parallel, or sort samples.
pub(crate) fn quicksort<T, F>(v: &mut [T], on_leaf: &F)
where
    T: Copy + Ord + Send + Sync,
    F: Fn(usize) + Sync,
{
    // Twice what perfect halves need.
    let levels = 2 * v.len().checked_ilog2().unwrap_or(0);
    sort_level(v, None, levels, on_leaf);
}

/// `floor` is at most any number in `v`; only `levels` more partitions are worth trying.
fn sort_level<T, F>(v: &mut [T], floor: Option<T>, levels: u32, on_leaf: &F)
where
    T: Copy + Ord + Send + Sync,
    F: Fn(usize) + Sync,
{
    // Not to spare joins, which cost less than a comparison that the processor guesses wrong, but
    // because the standard library sorts few numbers faster than further partitions do. Anything
    // from 256 to 16384 does as well.
    const SMALL: usize = 1024;
    if v.len() <= SMALL || levels == 0 {
        // Out of levels: the pivots have been bad again and again. `sort_unstable` is never
        // quadratic.
        v.sort_unstable();
        return on_leaf(v.len());
    }
    let pivot = pseudomedian(v);
    if floor.is_some_and(|floor| floor >= pivot) {
        // All that equals the pivot is in its final place on the left: a value that is there often
        // costs one pass more, and never comes back. With the partition below, that makes three
        // ways.
        let equal = partition(v, |x| x <= pivot);
        return sort_level(&mut v[equal..], None, levels - 1, on_leaf);
    }
    let less = partition(v, |x| x < pivot);
    let (left, right) = v.split_at_mut(less);
    taskel::join(
        || sort_level(left, floor, levels - 1, on_leaf),
        || sort_level(right, Some(pivot), levels - 1, on_leaf),
    );
}

/// Moves what `goes_left` to the left, and returns how many that are.
///
/// Lomuto's partition without a branch that depends on the numbers: on random ones the processor
/// would guess every second of those wrong, and a wrong guess costs as much as many of these steps.
fn partition<T: Copy>(v: &mut [T], goes_left: impl Fn(T) -> bool) -> usize {
    let mut left = 0;
    for i in 0..v.len() {
        let x = v[i];
        v.swap(left, i);
        left += usize::from(goes_left(x));
    }
    left
}

/// Tukey's ninther: the median of the medians of three times three, from all over `v`, which is not
/// empty.
fn pseudomedian<T: Copy + Ord>(v: &[T]) -> T {
    let at = |ninth: usize| v[(v.len() - 1) / 8 * ninth];
    let medians = [0, 3, 6].map(|i| median(at(i), at(i + 1), at(i + 2)));
    median(medians[0], medians[1], medians[2])
}

fn median<T: Ord>(a: T, b: T, c: T) -> T {
    let (low, high) = if a < b { (a, b) } else { (b, a) };
    low.max(high.min(c))
}
