//! The types of a real program.

pub(crate) use std::sync::atomic::Ordering;
pub(crate) use std::sync::{Condvar, Mutex, MutexGuard, OnceLock};

#[cfg(all(unix, not(miri)))]
pub(crate) use super::asymmetric::forget_in_child;
pub(crate) use super::asymmetric::{Fences, Heavy, heavy_fence, light_fence};

pub(crate) type AtomicBool = std::sync::atomic::AtomicBool;
pub(crate) type AtomicI32 = std::sync::atomic::AtomicI32;
pub(crate) type AtomicPtr<T> = std::sync::atomic::AtomicPtr<T>;
pub(crate) type AtomicU8 = std::sync::atomic::AtomicU8;
pub(crate) type AtomicU32 = std::sync::atomic::AtomicU32;
pub(crate) type AtomicU64 = std::sync::atomic::AtomicU64;

pub(crate) fn fence(order: Ordering) {
    std::sync::atomic::fence(order);
}

/// A 32-bit word on which a thread can sleep until another changes it.
#[cfg(any(target_os = "linux", target_os = "android"))]
#[derive(Debug)]
pub(crate) struct Futex(AtomicU32);

#[cfg(any(target_os = "linux", target_os = "android"))]
impl Futex {
    pub(crate) const fn new(value: u32) -> Self {
        Futex(AtomicU32::new(value))
    }

    pub(crate) fn word(&self) -> &AtomicU32 {
        &self.0
    }

    /// Sleeps unless the word differs from `expected`; may return without cause.
    pub(crate) fn wait(&self, expected: u32) {
        self.wait_for(expected, std::ptr::null());
    }

    /// As `wait`, but no longer than that.
    pub(crate) fn wait_timeout(&self, expected: u32, timeout: std::time::Duration) {
        // Neither field can be too large for a sleep of less than a month. (They are of different
        // types on different systems.)
        let timeout = timeout.min(std::time::Duration::from_secs(1_000_000));
        let timeout = libc::timespec { tv_sec: timeout.as_secs() as _, tv_nsec: timeout.subsec_nanos() as _ };
        self.wait_for(expected, &timeout);
    }

    fn wait_for(&self, expected: u32, timeout: *const libc::timespec) {
        // SAFETY: the word lives during the call, and so does what `timeout` points to, if it is
        // not null; the kernel reads nothing else. Whatever it answers, the caller looks at the
        // word again.
        unsafe {
            libc::syscall(
                libc::SYS_futex,
                self.0.as_ptr(),
                libc::FUTEX_WAIT | libc::FUTEX_PRIVATE_FLAG,
                expected,
                timeout,
            )
        };
    }

    /// Wakes one sleeper.
    pub(crate) fn wake(&self) {
        let one: libc::c_int = 1;
        // SAFETY: the kernel takes the address for a name, and reads nothing.
        unsafe {
            libc::syscall(libc::SYS_futex, self.0.as_ptr(), libc::FUTEX_WAKE | libc::FUTEX_PRIVATE_FLAG, one)
        };
    }
}

/// The same by the standard library's means.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
#[derive(Debug)]
pub(crate) struct Futex {
    word: AtomicU32,
    bucket: Mutex<()>,
    queue: Condvar,
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
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

    pub(crate) fn wait_timeout(&self, expected: u32, timeout: std::time::Duration) {
        let bucket = self.bucket.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if self.word.load(Ordering::Relaxed) == expected {
            drop(self.queue.wait_timeout(bucket, timeout));
        }
    }

    pub(crate) fn wake(&self) {
        let _bucket = self.bucket.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        self.queue.notify_one();
    }
}
