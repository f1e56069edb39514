//! The types of a real program.

pub(crate) use std::sync::atomic::Ordering;
pub(crate) use std::sync::{Condvar, Mutex, MutexGuard, OnceLock};

pub(crate) use super::asymmetric::{Fences, heavy_fence, light_fence};

pub(crate) type AtomicBool = std::sync::atomic::AtomicBool;
pub(crate) type AtomicI32 = std::sync::atomic::AtomicI32;
pub(crate) type AtomicPtr<T> = std::sync::atomic::AtomicPtr<T>;
pub(crate) type AtomicU32 = std::sync::atomic::AtomicU32;
pub(crate) type AtomicU64 = std::sync::atomic::AtomicU64;

pub(crate) fn fence(order: Ordering) {
    std::sync::atomic::fence(order);
}

/// A 32-bit word on which a thread can sleep until another changes it.
#[cfg(not(target_family = "wasm"))]
#[derive(Debug)]
pub(crate) struct Futex(AtomicU32);

#[cfg(not(target_family = "wasm"))]
impl Futex {
    pub(crate) const fn new(value: u32) -> Self {
        Futex(AtomicU32::new(value))
    }

    pub(crate) fn word(&self) -> &AtomicU32 {
        &self.0
    }

    /// Sleeps unless the word differs from `expected`; may return without cause.
    pub(crate) fn wait(&self, expected: u32) {
        atomic_wait::wait(&self.0, expected);
    }

    /// Wakes one sleeper.
    pub(crate) fn wake(&self) {
        atomic_wait::wake_one(&self.0);
    }
}

/// The same where the system has nothing of the kind.
#[cfg(target_family = "wasm")]
#[derive(Debug)]
pub(crate) struct Futex {
    word: AtomicU32,
    bucket: Mutex<()>,
    queue: Condvar,
}

#[cfg(target_family = "wasm")]
impl Futex {
    pub(crate) const fn new(value: u32) -> Self {
        Futex { word: AtomicU32::new(value), bucket: Mutex::new(()), queue: Condvar::new() }
    }

    pub(crate) fn word(&self) -> &AtomicU32 {
        &self.word
    }

    pub(crate) fn wait(&self, expected: u32) {
        let bucket = self.bucket.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if self.word.load(Ordering::Relaxed) == expected {
            drop(self.queue.wait(bucket));
        }
    }

    pub(crate) fn wake(&self) {
        let _bucket = self.bucket.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        self.queue.notify_one();
    }
}
