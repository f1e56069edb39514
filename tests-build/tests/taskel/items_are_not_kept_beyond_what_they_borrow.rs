//! What was collected borrows from the items' owner.

use taskel::prelude::*;

fn main() {
    let kept: Vec<&String> = {
        let names = vec![String::from("gone")];
        names.par_iter().collect()
    };
    println!("{kept:?}");
}
