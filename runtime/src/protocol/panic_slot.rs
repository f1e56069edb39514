//! How a loop, or a sort, is told to stop, and how the first panic reaches its caller.
//!
//! # State
//!
//! | word | meaning | who writes |
//! |---|---|---|
//! | `stop` | no lane claims another chunk | set by a lane that found that nothing more is wanted; never cleared |
//! | `over` | nor does a lane begin another item of its chunk: set with `stop`, but where an adapter is full, which drops by itself what is too much | as `stop` |
//! | `cut_short` | the loop was cancelled before everything was done | set by a lane that saw its token cancelled; never cleared |
//! | `left` | items that were claimed were not run | set by a lane that saw `over`, or its token cancelled, inside of a chunk; never cleared |
//! | `payload` | the first panic's payload, under a mutex that only panics lock | lanes inside the loop; the caller takes it |
//!
//! # Orderings
//!
//! The flags are Relaxed both ways: `stop` and `over` only end what is not begun, and a lane that
//! sees them late runs a little more. That the caller finds `cut_short`, `left` and the payload
//! follows from the [tickets](super::tickets): a lane gives its own back after the last of them,
//! and the caller looks when all are back. The mutex is between panics.
//!
//! # Models
//!
//! `panic_slot_models.rs`: two lanes panic, exactly one payload arrives and the other comes back to
//! its lane. `tickets_models.rs`: a scope whose owner waits for its tasks, of which one panics.

use crate::sync::{AtomicBool, Mutex, Ordering};

/// The words; `P` is the payload.
#[derive(Debug)]
pub(crate) struct PanicSlot<P> {
    stop: AtomicBool,
    over: AtomicBool,
    cut_short: AtomicBool,
    left: AtomicBool,
    payload: Mutex<Option<P>>,
}

impl<P> PanicSlot<P> {
    pub(crate) fn new() -> Self {
        PanicSlot {
            stop: AtomicBool::new(false),
            over: AtomicBool::new(false),
            cut_short: AtomicBool::new(false),
            left: AtomicBool::new(false),
            payload: Mutex::new(None),
        }
    }

    /// What is not claimed yet will not run. What is claimed, will.
    pub(crate) fn stop_claiming(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// Ends the loop: what is not begun yet will not run.
    pub(crate) fn stop(&self) {
        self.over.store(true, Ordering::Relaxed);
        self.stop_claiming();
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

    /// Notes that a lane has not run all that it had claimed.
    pub(crate) fn leave_items(&self) {
        self.left.store(true, Ordering::Relaxed);
    }

    /// Whether a lane has not run all that it had claimed; asked once every lane is out.
    pub(crate) fn items_left(&self) -> bool {
        self.left.load(Ordering::Relaxed)
    }

    /// Whether no other item is to be begun.
    #[inline]
    pub(crate) fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }

    /// Whether the loop was ended early.
    #[inline]
    pub(crate) fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Ends the loop with `payload`. The first payload is kept for the caller; a later one is
    /// handed back.
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
