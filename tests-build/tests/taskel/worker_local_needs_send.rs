//! A value may be made on one thread and dropped on another.

use std::rc::Rc;

fn main() {
    let pool = taskel::ThreadPool::new().unwrap();
    taskel::WorkerLocal::new_in(&pool, || Rc::new(1));
}
