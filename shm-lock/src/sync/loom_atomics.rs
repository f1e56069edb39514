//! The atomic words of a model.

use super::{Ordering, step};

/// An atomic word, and beside it the count of turns, which only [`Pair`](super::Pair) uses. Each
/// access is a step.
#[derive(Debug)]
pub(crate) struct AtomicU32(pub(super) loom::sync::atomic::AtomicU64);

const TURNS: u64 = u64::MAX << 32;

#[allow(dead_code, reason = "the models do not use every operation")]
impl AtomicU32 {
    pub(crate) fn new(value: u32) -> Self {
        AtomicU32(loom::sync::atomic::AtomicU64::new(value.into()))
    }

    pub(crate) fn load(&self, order: Ordering) -> u32 {
        step();
        self.0.load(order) as u32
    }

    /// Also resets the count of turns.
    pub(crate) fn store(&self, value: u32, order: Ordering) {
        step();
        self.0.store(value.into(), order);
    }

    pub(crate) fn fetch_add(&self, value: u32, order: Ordering) -> u32 {
        step();
        self.0.fetch_add(value.into(), order) as u32
    }

    pub(crate) fn fetch_sub(&self, value: u32, order: Ordering) -> u32 {
        step();
        self.0.fetch_sub(value.into(), order) as u32
    }

    pub(crate) fn fetch_and(&self, value: u32, order: Ordering) -> u32 {
        step();
        self.0.fetch_and(TURNS | u64::from(value), order) as u32
    }

    pub(crate) fn fetch_or(&self, value: u32, order: Ordering) -> u32 {
        step();
        self.0.fetch_or(value.into(), order) as u32
    }

    pub(crate) fn compare_exchange(
        &self,
        current: u32,
        new: u32,
        success: Ordering,
        failure: Ordering,
    ) -> Result<u32, u32> {
        step();
        self.exchange_word(current, new, success, failure)
    }

    pub(crate) fn compare_exchange_weak(
        &self,
        current: u32,
        new: u32,
        success: Ordering,
        failure: Ordering,
    ) -> Result<u32, u32> {
        self.compare_exchange(current, new, success, failure)
    }

    pub(crate) fn fetch_update(
        &self,
        success: Ordering,
        failure: Ordering,
        change: impl Fn(u32) -> Option<u32>,
    ) -> Result<u32, u32> {
        let mut seen = self.load(failure);
        while let Some(new) = change(seen) {
            match self.compare_exchange(seen, new, success, failure) {
                Ok(_) => return Ok(seen),
                Err(changed) => seen = changed,
            }
        }
        Err(seen)
    }

    /// Ignores the turn.
    pub(super) fn exchange_word(
        &self,
        current: u32,
        new: u32,
        success: Ordering,
        failure: Ordering,
    ) -> Result<u32, u32> {
        let mut both = u64::from(current);
        loop {
            match self.0.compare_exchange(both, both & TURNS | u64::from(new), success, failure) {
                Ok(_) => return Ok(current),
                Err(found) if found as u32 == current => both = found,
                Err(found) => return Err(found as u32),
            }
        }
    }
}

/// An atomic word without turns. Each access is a step.
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
}
