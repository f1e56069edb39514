//! One closure is called by several threads.

use std::cell::Cell;

use taskel::prelude::*;

fn main() {
    let count = Cell::new(0);
    (0..10).into_par_iter().for_each(|n| count.set(count.get() + n));
}
