//! What the calling thread has underneath: whether it is in the middle of something that other threads may be waiting for: a lane of a stream, the source of a bridge,
//! work that has yielded.
//!
//! Code of the user's runs there, and may ask for other work ([`yield_now`](crate::yield_now())), which then runs on top of it. That must not
//! wait for what is below, nor for another thread that waits for it.

use std::cell::Cell;
use std::thread::LocalKey;

thread_local! {
    static STREAMS: Cell<u32> = const { Cell::new(0) };
    static BRIDGES: Cell<u32> = const { Cell::new(0) };
    static YIELDS: Cell<u32> = const { Cell::new(0) };
}

/// The thread is inside, until this drops.
#[derive(Debug)]
pub(crate) struct Entered(&'static LocalKey<Cell<u32>>);

impl Entered {
    fn new(depth: &'static LocalKey<Cell<u32>>) -> Self {
        depth.set(depth.get() + 1);
        Entered(depth)
    }

    /// Inside of a stream: at its source, in its sink, or processing an item.
    pub(crate) fn stream() -> Self {
        Entered::new(&STREAMS)
    }

    /// At the source of a bridge, with its lock.
    pub(crate) fn bridge() -> Self {
        Entered::new(&BRIDGES)
    }

    /// On top of work that has yielded.
    pub(crate) fn yielded() -> Self {
        Entered::new(&YIELDS)
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
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
