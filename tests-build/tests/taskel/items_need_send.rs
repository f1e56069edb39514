//! Items go to other threads.

use std::rc::Rc;

use taskel::prelude::*;

fn main() {
    vec![Rc::new(1)].into_par_iter().for_each(drop);
}
