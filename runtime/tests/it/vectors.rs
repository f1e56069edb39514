//! What becomes of vectors that are extended.

use taskel::prelude::*;

#[test]
fn a_vector_that_is_extended_keeps_its_capacity() {
    let mut items = Vec::with_capacity(1000);
    items.par_extend((0..1000_u32).into_par_iter().filter(|_| false));
    assert!(items.capacity() >= 1000);
    items.par_extend((0..1000_u32).into_par_iter().filter(|&n| n == 7));
    assert_eq!((items.as_slice(), items.capacity() >= 1000), ([7].as_slice(), true));
    let few: Vec<u32> = (0..1_000_000).into_par_iter().filter(|&n| n == 7).collect();
    assert!(few.capacity() < 1000, "a new vector has no room that it does not need");
}
