//! Panics whose payloads are counted.

use std::any::Any;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Panics when the value `at` comes by; set to `usize::MAX` it never does.
#[derive(Debug)]
pub(crate) struct Trap {
    pub(crate) at: usize,
    pub(crate) sprung: AtomicUsize,
    pub(crate) payloads_dropped: AtomicUsize,
}

/// What a trap panics with.
pub(crate) struct Payload(pub(crate) &'static Trap);

impl Drop for Payload {
    fn drop(&mut self) {
        self.0.payloads_dropped.fetch_add(1, Ordering::Relaxed);
    }
}

impl Trap {
    /// A trap that lives as long as a payload may: for ever.
    pub(crate) fn new(at: usize) -> &'static Trap {
        Box::leak(Box::new(Trap { at, sprung: AtomicUsize::new(0), payloads_dropped: AtomicUsize::new(0) }))
    }

    pub(crate) fn pass(&'static self, value: usize) {
        if value == self.at {
            self.spring();
        }
    }

    pub(crate) fn spring(&'static self) -> ! {
        self.sprung.fetch_add(1, Ordering::Relaxed);
        // Like `panic_any`, but silent.
        resume_unwind(Box::new(Payload(self)))
    }

    /// Fails unless `outcome` is the one payload that arrived, and drops it.
    #[track_caller]
    pub(crate) fn assert_arrived<T>(&self, outcome: Result<T, Box<dyn Any + Send>>, what: &str) {
        let sprung = self.sprung.load(Ordering::Relaxed);
        match outcome {
            Ok(_) => assert_eq!(sprung, 0, "a panic was swallowed: {what}"),
            Err(payload) => {
                let payload = payload.downcast::<Payload>().expect("the payload of the trap, and no other");
                assert!(std::ptr::eq(payload.0, self), "another trap's payload: {what}");
                let before = self.payloads_dropped.load(Ordering::Relaxed);
                assert_eq!(before, sprung - 1, "all but the first are dropped: {what}");
            }
        }
    }
}
