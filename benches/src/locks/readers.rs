//! Locks that let readers in together, and our mutex in their place.

use super::{Peer, section};
use shm_lock::{Locks, ShmLayout, ShmMutex, ShmRegion, ShmRwLock};
use std::{cell::UnsafeCell, mem::MaybeUninit, sync::RwLock};

/// A lock by which a value can be read.
pub(super) trait Readable: Sync + Sized {
    const NAME: &'static str;
    const IS_SHARED: bool;
    fn new() -> Self;
    fn read(&self, act: impl FnOnce(&u64));
    fn write(&self, act: impl FnOnce(&mut u64));
}

/// A peer that writes once in `every` visits, and reads otherwise.
pub(super) struct Readers<L> {
    lock: L,
    every: u64,
}

impl<L: Readable> Readers<L> {
    pub(super) fn new(every: u64) -> Self {
        Readers { lock: L::new(), every }
    }
}

impl<L: Readable> Peer for Readers<L> {
    fn name(&self) -> &'static str {
        L::NAME
    }

    fn is_shared(&self) -> bool {
        L::IS_SHARED
    }

    fn visitor(&self, iterations: u32) -> Box<dyn FnMut(u32) + '_> {
        let mut until_write = 0;
        Box::new(move |times| {
            for _ in 0..times {
                if until_write == 0 {
                    self.lock.write(|value| section(value, iterations));
                    until_write = self.every;
                } else {
                    self.lock.read(|value| {
                        std::hint::black_box(*value);
                        section(&mut 0, iterations);
                    });
                }
                until_write -= 1;
            }
        })
    }

    fn every(&self) -> u64 {
        self.every
    }

    fn count(&self) -> u64 {
        let mut count = 0;
        self.lock.read(|value| count = *value);
        count
    }
}

impl Readable for ShmRwLock<u64> {
    const NAME: &'static str = "shm-lock RwLock";
    const IS_SHARED: bool = true;

    fn new() -> Self {
        ShmRwLock::memfd("bench", 0).expect("shared memory")
    }

    #[inline]
    fn read(&self, act: impl FnOnce(&u64)) {
        act(&(**self).read().expect("no owner dies"));
    }

    #[inline]
    fn write(&self, act: impl FnOnce(&mut u64)) {
        act(&mut (**self).write().expect("no owner dies"));
    }
}

impl Readable for ShmMutex<u64> {
    const NAME: &'static str = "shm-lock mutex";
    const IS_SHARED: bool = true;

    fn new() -> Self {
        ShmMutex::memfd("bench", 0).expect("shared memory")
    }

    #[inline]
    fn read(&self, act: impl FnOnce(&u64)) {
        act(&self.lock().expect("no owner dies"));
    }

    #[inline]
    fn write(&self, act: impl FnOnce(&mut u64)) {
        act(&mut self.lock().expect("no owner dies"));
    }
}

impl Readable for RwLock<u64> {
    const NAME: &'static str = "std::sync::RwLock";
    const IS_SHARED: bool = false;

    fn new() -> Self {
        RwLock::default()
    }

    #[inline]
    fn read(&self, act: impl FnOnce(&u64)) {
        act(&RwLock::read(self).expect("nobody panics"));
    }

    #[inline]
    fn write(&self, act: impl FnOnce(&mut u64)) {
        act(&mut RwLock::write(self).expect("nobody panics"));
    }
}

/// The C library's, which does not survive its owners.
#[repr(C, align(64))]
pub(super) struct Shared {
    lock: UnsafeCell<MaybeUninit<libc::pthread_rwlock_t>>,
    value: UnsafeCell<u64>,
}

// SAFETY: `lock` is what pthread says may be used by all threads, and `value` is accessed with it
// locked.
unsafe impl Sync for Shared {}
// SAFETY: as above.
unsafe impl Send for Shared {}

// SAFETY: `repr(C)`, and it holds none of our locks.
unsafe impl ShmLayout for Shared {
    fn describe(text: &mut String) {
        text.push_str("pthread_rwlock_t and u64");
    }

    fn visit_locks(&self, _: &mut Locks<'_>) {}
}

impl Readable for ShmRegion<Shared> {
    const NAME: &'static str = "pthread shared rwlock";
    const IS_SHARED: bool = true;

    fn new() -> Self {
        let shared = Shared { lock: UnsafeCell::new(MaybeUninit::zeroed()), value: UnsafeCell::new(0) };
        let shared = ShmRegion::memfd("bench", shared).expect("shared memory");
        let mut attributes = MaybeUninit::uninit();
        let attributes = attributes.as_mut_ptr();
        // SAFETY: the attributes are writable.
        unsafe { libc::pthread_rwlockattr_init(attributes) };
        // SAFETY: they were initialised above.
        unsafe { libc::pthread_rwlockattr_setpshared(attributes, libc::PTHREAD_PROCESS_SHARED) };
        // SAFETY: nobody uses the lock yet, and it stays where it is.
        assert_eq!(unsafe { libc::pthread_rwlock_init(shared.lock.get().cast(), attributes) }, 0);
        shared
    }

    #[inline]
    fn read(&self, act: impl FnOnce(&u64)) {
        // SAFETY: `new` has initialised it, and it is mapped as long as `self` lives.
        assert_eq!(unsafe { libc::pthread_rwlock_rdlock(self.lock.get().cast()) }, 0);
        // SAFETY: nobody writes while a reader has it.
        act(unsafe { &*self.value.get() });
        // SAFETY: this thread has it.
        unsafe { libc::pthread_rwlock_unlock(self.lock.get().cast()) };
    }

    #[inline]
    fn write(&self, act: impl FnOnce(&mut u64)) {
        // SAFETY: `new` has initialised it, and it is mapped as long as `self` lives.
        assert_eq!(unsafe { libc::pthread_rwlock_wrlock(self.lock.get().cast()) }, 0);
        // SAFETY: this thread has it alone.
        act(unsafe { &mut *self.value.get() });
        // SAFETY: as above.
        unsafe { libc::pthread_rwlock_unlock(self.lock.get().cast()) };
    }
}
