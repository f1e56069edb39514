//! Several threads see items that are borrowed.

use std::cell::Cell;

use taskel::prelude::*;

fn main() {
    let cells = vec![Cell::new(1), Cell::new(2)];
    cells.par_iter().for_each(|cell| cell.set(3));
}
