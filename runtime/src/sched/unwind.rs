//! Panics that cross from one thread to another, and cancellations.
//!
//! A cancellation unwinds with [`Cancelled`], but does not call the panic hook when it starts,
//! because a call further down the stack may turn it into a result, also on another thread. If no
//! call of this crate is left below on the thread that made the outermost one, nobody can do that.
//! Then it is an error like others, and the panic hook is called, once.

use std::any::Any;
use std::panic::{self, AssertUnwindSafe, catch_unwind};

use crate::sched::cancel::Cancelled;
use crate::sync::per_thread;

/// What a panic carries.
pub(crate) type Payload = Box<dyn Any + Send>;

per_thread! {
    /// A call further down this thread's stack handles cancellations.
    static HEARD: bool = false;
}

/// As long as this lives, the thread's cancellations are handled: the code that has made it passes
/// them on, by [`resume`] or to another thread.
pub(crate) struct Heard {
    before: bool,
}

impl Heard {
    pub(crate) fn here() -> Self {
        let before = HEARD.get();
        HEARD.set(true);
        Heard { before }
    }
}

impl Drop for Heard {
    fn drop(&mut self) {
        HEARD.set(self.before);
    }
}

/// Calls `op`. The payload of a panic is to be passed on.
#[inline]
pub(crate) fn catch<R>(op: impl FnOnce() -> R) -> Result<R, Payload> {
    let _heard = Heard::here();
    catch_unwind(AssertUnwindSafe(op))
}

/// Continues a panic that was caught here or on another thread.
pub(crate) fn resume(payload: Payload) -> ! {
    // Where panics abort, it goes no further.
    if !HEARD.get() || cfg!(panic = "abort") {
        tell_if_cancelled(&payload);
    }
    panic::resume_unwind(payload)
}

/// Unwinds because of a cancellation.
#[cold]
pub(crate) fn cancelled() -> ! {
    resume(Box::new(Cancelled))
}

/// Has the panic hook tell of a cancellation that goes where nobody expects one. Of any other
/// payload it has told already.
pub(crate) fn tell_if_cancelled(payload: &Payload) {
    if payload.is::<Cancelled>() {
        let told = catch_unwind(|| {
            panic!(
                "parallel work was cancelled before it was complete, and what called it cannot say so: `try_for_each` and \
                 `try_reduce` can, and `catch_unwind` catches `taskel::Cancelled`"
            )
        });
        drop(told);
    }
}

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
