//! Quicksort by joins.

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

use super::{By, Program};

pub(crate) mod by_rayon {
    use super::{SMALL, partition};
    use rayon::join;
    include!("parallel.rs");
}

pub(crate) mod by_taskel {
    use super::{SMALL, partition};
    use taskel::join;
    include!("parallel.rs");
}

/// So few numbers are sorted by the standard library.
const SMALL: usize = 1024;

/// Moves what is less than some number to the left, and what is not to the right of it.
#[inline(never)]
fn partition(numbers: &mut [u64]) -> (&mut [u64], &mut [u64]) {
    let last = numbers.len() - 1;
    let pivot = median(numbers[0], numbers[last / 2], numbers[last]);
    let at = numbers.iter().position(|&number| number == pivot).expect("it is one of them");
    numbers.swap(at, last);
    let mut less = 0;
    // Without a branch that depends on the numbers: every second one would be guessed wrong.
    for i in 0..last {
        let number = numbers[i];
        numbers.swap(less, i);
        less += usize::from(number < pivot);
    }
    numbers.swap(less, last);
    let (left, right) = numbers.split_at_mut(less);
    (left, &mut right[1..])
}

fn median(a: u64, b: u64, c: u64) -> u64 {
    let (low, high) = if a < b { (a, b) } else { (b, a) };
    low.max(high.min(c))
}

mod serial {
    use super::{SMALL, partition};

    pub(super) fn quicksort(numbers: &mut [u64]) {
        if numbers.len() <= SMALL {
            return numbers.sort_unstable();
        }
        let (less, greater) = partition(numbers);
        quicksort(less);
        quicksort(greater);
    }
}

/// That many random numbers.
pub(super) fn program(name: &'static str, count: usize) -> Program {
    let mut random = Pcg64Mcg::seed_from_u64(4);
    let numbers: Vec<u64> = (0..count).map(|_| random.random()).collect();
    let mut expected = numbers.clone();
    expected.sort_unstable();
    let run = |by, numbers: &mut Vec<u64>| match by {
        By::Serial => serial::quicksort(numbers),
        By::Rayon => by_rayon::quicksort(numbers),
        By::Taskel => by_taskel::quicksort(numbers),
    };
    let check = move |numbers: &Vec<u64>, _: &()| assert!(*numbers == expected, "not in order");
    Program::new(name, move || numbers.clone(), run, check)
}
