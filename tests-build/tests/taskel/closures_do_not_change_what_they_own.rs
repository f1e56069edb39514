//! A variable that every item changes would be changed by several threads at once.

use taskel::prelude::*;

fn main() {
    let mut sum = 0;
    (0..10).into_par_iter().for_each(|n| sum += n);
    println!("{sum}");
}
