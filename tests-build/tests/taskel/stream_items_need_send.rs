//! Items of a stream go to other threads.

use std::rc::Rc;

use taskel::prelude::*;

fn main() {
    (0..3).map(Rc::new).par_stream().map(|n| *n).for_each_ordered(|n| println!("{n}"));
}
