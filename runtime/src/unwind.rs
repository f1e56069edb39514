//! Panics that cross from one thread to another.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What a panic carries.
pub(crate) type Payload = Box<dyn Any + Send>;

/// Drops what is left of something that has panicked already: of a second panic, nobody is told.
pub(crate) fn drop_quietly<T>(left: T) {
    if let Err(worse) = catch_unwind(AssertUnwindSafe(|| drop(left))) {
        // Dropping a payload may panic with the next one, and so on for ever.
        std::mem::forget(worse);
    }
}

/// Calls a closure at the end of a scope, also if that ends by a panic.
pub(crate) struct OnDrop<F: FnMut()>(pub(crate) F);

impl<F: FnMut()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}
