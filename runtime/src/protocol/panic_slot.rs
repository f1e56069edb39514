//! How a loop, or a sort, is told to stop, and how the first panic reaches its caller.
//!
//! # State
//!
//! | word | meaning | who writes |
//! |---|---|---|
//! | `stop` | no lane claims another chunk | set by a lane that panicked or whose consumer has seen enough; never cleared |
//! | `cut_short` | the loop was cancelled before everything was claimed | set by a lane that saw its token cancelled; never cleared |
//! | `payload` | the first panic's payload, under a mutex that only panics lock | lanes inside the loop; the caller takes it |
//!
//! # Orderings
//!
//! `stop` and `cut_short` are Relaxed both ways: `stop` only ends the claiming, and a lane that sees it late runs one chunk more. That the caller
//! finds `cut_short` and the payload once every lane is out follows from the mutex; that it does not look too early, from the
//! [tickets](super::tickets).
//!
//! # Models
//!
//! `panic_slot_models.rs`: two lanes panic, exactly one payload arrives and the other comes back to its lane.
//! `tickets_models.rs`: a scope whose owner waits for its tasks, of which one panics.

use crate::sync::{AtomicBool, Mutex, Ordering};

/// The words; `P` is the payload.
#[derive(Debug)]
pub(crate) struct PanicSlot<P> {
    stop: AtomicBool,
    cut_short: AtomicBool,
    payload: Mutex<Option<P>>,
}

impl<P> PanicSlot<P> {
    pub(crate) fn new() -> Self {
        PanicSlot {
            stop: AtomicBool::new(false),
            cut_short: AtomicBool::new(false),
            payload: Mutex::new(None),
        }
    }

    /// Ends the loop: what is not claimed yet will not run.
    pub(crate) fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// Ends the loop because it was cancelled.
    pub(crate) fn cancel(&self) {
        self.cut_short.store(true, Ordering::Relaxed);
        self.stop();
    }

    /// Whether the loop was ended because it was cancelled; asked once every lane is out.
    pub(crate) fn cancelled(&self) -> bool {
        self.cut_short.load(Ordering::Relaxed)
    }

    /// Whether the loop was ended early.
    #[inline]
    pub(crate) fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Ends the loop with `payload`. The first payload is kept for the caller; a later one is handed back.
    #[must_use = "a payload that is not the first must be disposed of"]
    pub(crate) fn panicked(&self, payload: P) -> Option<P> {
        self.stop();
        let mut slot = self.payload.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        match *slot {
            None => {
                *slot = Some(payload);
                None
            }
            Some(_) => Some(payload),
        }
    }

    /// Takes the payload out; the caller does so once every lane is out.
    pub(crate) fn take(&self) -> Option<P> {
        if !self.stopped() {
            return None;
        }
        self.payload.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).take()
    }
}
