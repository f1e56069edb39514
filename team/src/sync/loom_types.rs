//! The types of a model.
//!
//! Every access to a shared word is a *step*. A thread can be told to die after a number of steps
//! ([`mortal`]): it unwinds, and changes nothing any more.

use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

pub(crate) use loom::sync::atomic::{Ordering, fence};

loom::thread_local! {
    /// How many steps are left until the thread dies.
    static LEFT: Cell<Option<usize>> = Cell::new(None);
}

/// The panic payload of a dying thread.
struct Death;

/// Runs `life`, which dies after `steps` steps. Returns `None` if it died.
pub(crate) fn mortal<T>(steps: usize, life: impl FnOnce() -> T) -> Option<T> {
    LEFT.with(|left| left.set(Some(steps)));
    let outcome = catch_unwind(AssertUnwindSafe(life));
    LEFT.with(|left| left.set(None));
    match outcome {
        Ok(value) => Some(value),
        Err(payload) if (*payload).is::<Death>() => None,
        Err(payload) => resume_unwind(payload),
    }
}

fn step() {
    let dies = LEFT.with(|left| {
        let now = left.get();
        left.set(now.map(|steps| steps.saturating_sub(1)));
        now == Some(0)
    });
    if dies {
        let death: Box<dyn Any + Send> = Box::new(Death);
        resume_unwind(death);
    }
}

/// An atomic word. Each access is a step.
#[derive(Debug)]
pub(crate) struct AtomicU64(loom::sync::atomic::AtomicU64);

impl AtomicU64 {
    pub(crate) fn new(value: u64) -> Self {
        AtomicU64(loom::sync::atomic::AtomicU64::new(value))
    }

    pub(crate) fn load(&self, order: Ordering) -> u64 {
        step();
        self.0.load(order)
    }

    pub(crate) fn store(&self, value: u64, order: Ordering) {
        step();
        self.0.store(value, order);
    }

    pub(crate) fn swap(&self, value: u64, order: Ordering) -> u64 {
        step();
        self.0.swap(value, order)
    }

    pub(crate) fn fetch_add(&self, value: u64, order: Ordering) -> u64 {
        step();
        self.0.fetch_add(value, order)
    }

    pub(crate) fn compare_exchange(
        &self,
        current: u64,
        new: u64,
        success: Ordering,
        failure: Ordering,
    ) -> Result<u64, u64> {
        step();
        self.0.compare_exchange(current, new, success, failure)
    }
}

/// Fences in a model: light and heavy fences are both full fences.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fences {
    Symmetric,
}

pub(crate) fn light_fence(_: Fences) {
    // SeqCst: pairs with `heavy_fence`.
    fence(Ordering::SeqCst);
}

#[must_use]
pub(crate) fn heavy_fence(_: Fences) -> bool {
    // SeqCst: pairs with `light_fence`.
    fence(Ordering::SeqCst);
    true
}
