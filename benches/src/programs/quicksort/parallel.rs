// Compiled twice, behind one `use` line each: see `programs/mod.rs`.

/// Sorts in place.
pub(crate) fn quicksort(numbers: &mut [u64]) {
    if numbers.len() <= SMALL {
        return numbers.sort_unstable();
    }
    let (less, greater) = partition(numbers);
    join(|| quicksort(less), || quicksort(greater));
}
