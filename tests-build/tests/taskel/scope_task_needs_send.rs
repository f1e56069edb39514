//! A task may run on another thread.

use std::cell::RefCell;

fn main() {
    let list = RefCell::new(vec![1]);
    taskel::scope(|scope| scope.spawn(|_| list.borrow_mut().push(2)));
}
