//! Sorting, compiled once for all that a profile sorts: the standard library's sorts are many
//! kilobytes of code for each type.

/// Puts `items` in the order of their keys; those with one key stay in the order that they have.
pub(super) fn sort_by_key<T>(items: &mut [T], key: impl Fn(&T) -> u64) {
    for (place, from) in swaps(items.iter().map(key).collect()).into_iter().enumerate() {
        items.swap(place, from);
    }
}

/// With what each place in turn is swapped, so that the keys, and what they are of, are in order.
fn swaps(keys: Vec<u64>) -> Vec<usize> {
    let mut order: Vec<(u64, u64)> = keys.into_iter().zip(0..).collect();
    order.sort_unstable();
    let mut swaps: Vec<usize> = order.into_iter().map(|(_, from)| from as usize).collect();
    for place in 0..swaps.len() {
        // What was at a place before this one is where that place has sent it.
        while swaps[place] < place {
            swaps[place] = swaps[swaps[place]];
        }
    }
    swaps
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sorts_as_the_standard_library_does() {
        let mut state = 1_u64;
        let mut random = |below: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 33) % below
        };
        for len in 0..200 {
            let mut items: Vec<(u64, usize)> = (0..len).map(|place| (random(20), place)).collect();
            let mut expected = items.clone();
            expected.sort_by_key(|&(key, _)| key);
            sort_by_key(&mut items, |&(key, _)| key);
            assert_eq!(items, expected);
        }
    }
}
