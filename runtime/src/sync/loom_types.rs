//! The types of a model.

pub(crate) use loom::sync::atomic::Ordering;
pub(crate) use loom::sync::{Condvar, Mutex, MutexGuard};

pub(crate) type AtomicBool = loom::sync::atomic::AtomicBool;
pub(crate) type AtomicI32 = loom::sync::atomic::AtomicI32;
pub(crate) type AtomicPtr<T> = loom::sync::atomic::AtomicPtr<T>;
pub(crate) type AtomicU8 = loom::sync::atomic::AtomicU8;
pub(crate) type AtomicU32 = loom::sync::atomic::AtomicU32;
pub(crate) type AtomicU64 = loom::sync::atomic::AtomicU64;

pub(crate) fn fence(order: Ordering) {
    loom::sync::atomic::fence(order);
}

/// What a model knows of fences that cost one side less than the other: each is a full one.
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

/// The standard library's, as loom can see it: what came before a value was set happens before
/// anybody gets it.
#[derive(Debug)]
pub(crate) struct OnceLock<T> {
    is_set: AtomicBool,
    setting: Mutex<()>,
    value: std::sync::OnceLock<T>,
}

impl<T> OnceLock<T> {
    pub(crate) fn new() -> Self {
        OnceLock {
            is_set: AtomicBool::new(false),
            setting: Mutex::new(()),
            value: std::sync::OnceLock::new(),
        }
    }

    pub(crate) fn get(&self) -> Option<&T> {
        // Acquire: pairs with `get_or_init`.
        self.is_set.load(Ordering::Acquire).then(|| self.value.get())?
    }

    pub(crate) fn get_or_init(&self, make: impl FnOnce() -> T) -> &T {
        let _setting = self.setting.lock().unwrap();
        if self.value.get().is_none() {
            let value = make();
            let _first = self.value.set(value);
            // Release: what came before happens before `get`.
            self.is_set.store(true, Ordering::Release);
        }
        self.value.get().expect("it was set")
    }

    pub(crate) fn get_mut(&mut self) -> Option<&mut T> {
        self.value.get_mut()
    }

    pub(crate) fn into_inner(self) -> Option<T> {
        self.value.into_inner()
    }
}

/// The kernel's futex as loom can see it: comparing and going to sleep are one step under the
/// bucket lock.
#[derive(Debug)]
pub(crate) struct Futex {
    word: AtomicU32,
    bucket: loom::sync::Mutex<()>,
    queue: loom::sync::Condvar,
}

impl Futex {
    pub(crate) fn new(value: u32) -> Self {
        Futex {
            word: AtomicU32::new(value),
            bucket: loom::sync::Mutex::new(()),
            queue: loom::sync::Condvar::new(),
        }
    }

    pub(crate) fn word(&self) -> &AtomicU32 {
        &self.word
    }

    /// Sleeps unless the word differs from `expected`.
    ///
    /// The kernel reads the word with no ordering that a program may rely on, and so does this; but
    /// like the kernel it reads the newest value, which loom only promises to a read-modify-write.
    pub(crate) fn wait(&self, expected: u32) {
        let bucket = self.bucket.lock().unwrap();
        if self.word.fetch_add(0, Ordering::Relaxed) == expected {
            drop(self.queue.wait(bucket).unwrap());
        }
    }

    /// As `wait`; in a model, the longest time is never over, and any other at once, which may be
    /// before or after whatever the others do.
    pub(crate) fn wait_timeout(&self, expected: u32, timeout: std::time::Duration) {
        match timeout {
            std::time::Duration::MAX => self.wait(expected),
            _ => loom::thread::yield_now(),
        }
    }

    /// Wakes one sleeper.
    pub(crate) fn wake(&self) {
        let _bucket = self.bucket.lock().unwrap();
        self.queue.notify_one();
    }
}
