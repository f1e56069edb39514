//! Tracks re-entrancy: whether the current thread is inside a lane of a stream, the source of a
//! bridge, or a yield.
//!
//! User code runs there. It may ask for other work ([`yield_now`](crate::yield_now())), which then
//! runs on top of it on the stack. Such work must not wait for what is below it on the stack, nor
//! for a thread that waits for that.

use crate::sync::{PerThread, per_thread};

per_thread! {
    static STREAMS: u32 = 0;
    static BRIDGES: u32 = 0;
    static YIELDS: u32 = 0;
    /// The address of a local variable of the outermost yield.
    static OUTERMOST_YIELD: usize = 0;
    /// How much of the stack yields may use that are on top of each other. Each runs whatever it
    /// finds, which may yield as well; without an end to that, a pool full of work that yields
    /// overflows a stack.
    static NESTED_YIELDS_BYTES: usize = USUAL_STACK_BYTES / 4;
}

/// The standard library's.
const USUAL_STACK_BYTES: usize = 2 << 20;

/// The calling thread has a stack of `bytes`.
pub(crate) fn know_stack(bytes: usize) {
    NESTED_YIELDS_BYTES.set(bytes.min(USUAL_STACK_BYTES) / 4);
}

/// The thread is inside, until this drops.
///
/// It puts back what it has found, as guards are dropped in the reverse order: in a loop over
/// items, that spares the wait for a number just written.
#[derive(Debug)]
pub(crate) struct Entered(&'static PerThread<u32>, u32);

impl Entered {
    #[inline]
    fn new(depth: &'static PerThread<u32>) -> Self {
        let found = depth.get();
        depth.set(found + 1);
        Entered(depth, found)
    }

    /// Inside a stream: at its source, in its sink, or processing an item.
    pub(crate) fn stream() -> Self {
        Entered::new(&STREAMS)
    }

    /// At the source of a bridge, with its lock.
    #[inline]
    pub(crate) fn bridge() -> Self {
        Entered::new(&BRIDGES)
    }

    /// On top of work that has yielded; `None` where too much of the stack is used by such work.
    pub(crate) fn yielded() -> Option<Self> {
        let local = 0_u8;
        let here = std::ptr::from_ref(&local).addr();
        if !in_yield() {
            OUTERMOST_YIELD.set(here);
        }
        // Miri has no stack: local variables lie anywhere.
        let has_room = cfg!(miri) || OUTERMOST_YIELD.get().abs_diff(here) < NESTED_YIELDS_BYTES.get();
        has_room.then(|| Entered::new(&YIELDS))
    }
}

impl Drop for Entered {
    #[inline]
    fn drop(&mut self) {
        self.0.set(self.1);
    }
}

/// Whether the calling thread is a lane of any stream.
pub(crate) fn in_stream() -> bool {
    STREAMS.get() > 0
}

/// Whether the calling thread is at the source of any bridge.
pub(crate) fn in_bridge() -> bool {
    BRIDGES.get() > 0
}

/// Whether the calling thread is on top of any work that has yielded.
pub(crate) fn in_yield() -> bool {
    YIELDS.get() > 0
}
