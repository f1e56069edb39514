//! The second result may come from another thread.

use std::rc::Rc;

fn main() {
    taskel::join(|| (), || Rc::new(1));
}
