//! How a loop or sort is told to stop, and how the first panic reaches its caller.
//!
//! # State
//!
//! | word | meaning | who writes |
//! |---|---|---|
//! | `stop` | no lane claims another chunk | set by a lane that knows that nothing more is wanted; never cleared |
//! | `over` | no lane begins another item of its chunk; set with `stop`, except by an adapter that is full and drops the surplus itself | as `stop` |
//! | `cut_short` | the loop was cancelled before it was complete | set by a lane that saw its token cancelled; never cleared |
//! | `left` | some claimed items did not run | set by a lane that saw `over`, or its token cancelled, inside a chunk; never cleared |
//! | `payload` | the first panic's payload, under a mutex that only panics lock | lanes inside the loop; the caller takes it |
//!
//! # Orderings
//!
//! The flags are Relaxed. `stop` and `over` only prevent work that has not begun, and a lane that
//! sees them late runs a little more. The [tickets](super::tickets) guarantee that the caller sees
//! `cut_short`, `left` and the payload: a lane returns its ticket after it writes them, and the
//! caller reads them when all tickets are back. The mutex orders only panics.
//!
//! # Models
//!
//! `panic_slot_models.rs`: two lanes panic; exactly one payload reaches the caller, and the other
//! comes back to its lane. `tickets_models.rs`: a scope whose owner waits for its tasks, one of
//! which panics.

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

    /// Stops lanes from claiming more chunks. Claimed chunks still run.
    pub(crate) fn stop_claiming(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// Ends the loop: what has not begun does not run.
    pub(crate) fn stop(&self) {
        self.over.store(true, Ordering::Relaxed);
        self.stop_claiming();
    }

    /// Ends the loop because it was cancelled.
    pub(crate) fn cancel(&self) {
        self.cut_short.store(true, Ordering::Relaxed);
        self.stop();
    }

    /// Returns whether the loop was cancelled. Call it once every lane is out.
    pub(crate) fn cancelled(&self) -> bool {
        self.cut_short.load(Ordering::Relaxed)
    }

    /// Records that a lane did not run all items that it had claimed.
    pub(crate) fn leave_items(&self) {
        self.left.store(true, Ordering::Relaxed);
    }

    /// Returns whether a lane did not run all items that it had claimed. Call it once every lane is
    /// out.
    pub(crate) fn items_left(&self) -> bool {
        self.left.load(Ordering::Relaxed)
    }

    /// Returns whether no further item may begin.
    #[inline]
    pub(crate) fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }

    /// Returns whether the loop ended early.
    #[inline]
    pub(crate) fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Ends the loop with `payload`. Keeps the first payload for the caller, and hands each later
    /// one back.
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

    /// Takes the payload. The caller does so once every lane is out.
    pub(crate) fn take(&self) -> Option<P> {
        if !self.stopped() {
            return None;
        }
        self.payload.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).take()
    }
}
