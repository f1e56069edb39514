//! The second closure may run on another thread.

use std::rc::Rc;

fn main() {
    let shared = Rc::new(1);
    taskel::join(|| (), || drop(Rc::clone(&shared)));
}
