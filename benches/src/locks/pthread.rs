//! The C library's, shared between processes: plain, and robust.

use super::{Peer, section};
use shm_lock::{Locks, ShmLayout, ShmRegion};
use std::{cell::UnsafeCell, mem::MaybeUninit};

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Plain,
    Robust,
}

/// On one cache line, as ours.
#[repr(C, align(64))]
struct Shared {
    mutex: UnsafeCell<MaybeUninit<libc::pthread_mutex_t>>,
    value: UnsafeCell<u64>,
}

// SAFETY: `mutex` is what pthread says may be used by all threads, and `value` is accessed with it
// locked.
unsafe impl Sync for Shared {}
// SAFETY: as above.
unsafe impl Send for Shared {}

// SAFETY: `repr(C)`, and it holds none of our locks.
unsafe impl ShmLayout for Shared {
    fn describe(text: &mut String) {
        text.push_str("pthread_mutex_t and u64");
    }

    fn visit_locks(&self, _: &mut Locks<'_>) {}
}

pub(super) struct Pthread {
    kind: Kind,
    shared: ShmRegion<Shared>,
}

impl Pthread {
    pub(super) fn new(kind: Kind) -> Self {
        let shared = Shared { mutex: UnsafeCell::new(MaybeUninit::zeroed()), value: UnsafeCell::new(0) };
        let shared = ShmRegion::memfd("bench", shared).expect("shared memory");
        let peer = Pthread { kind, shared };
        let mut attributes = MaybeUninit::uninit();
        let attributes = attributes.as_mut_ptr();
        // SAFETY: the attributes are writable.
        unsafe { libc::pthread_mutexattr_init(attributes) };
        // SAFETY: they were initialised above.
        unsafe { libc::pthread_mutexattr_setpshared(attributes, libc::PTHREAD_PROCESS_SHARED) };
        if kind == Kind::Robust {
            // SAFETY: as above.
            unsafe { libc::pthread_mutexattr_setrobust(attributes, libc::PTHREAD_MUTEX_ROBUST) };
        }
        // SAFETY: nobody uses the mutex yet, and it stays where it is.
        assert_eq!(unsafe { libc::pthread_mutex_init(peer.mutex(), attributes) }, 0);
        peer
    }

    fn mutex(&self) -> *mut libc::pthread_mutex_t {
        self.shared.mutex.get().cast()
    }

    #[inline]
    fn visit(&self, act: impl FnOnce(&mut u64)) {
        // SAFETY: `new` has initialised it, and it is mapped as long as `self` lives.
        let locked = unsafe { libc::pthread_mutex_lock(self.mutex()) };
        assert_eq!(locked, 0, "no owner dies");
        // SAFETY: the mutex is locked, and all accesses are made here.
        act(unsafe { &mut *self.shared.value.get() });
        // SAFETY: this thread has it.
        unsafe { libc::pthread_mutex_unlock(self.mutex()) };
    }
}

impl Peer for Pthread {
    fn name(&self) -> &'static str {
        match self.kind {
            Kind::Plain => "pthread shared",
            Kind::Robust => "pthread robust",
        }
    }

    fn is_shared(&self) -> bool {
        true
    }

    fn visitor(&self, iterations: u32) -> Box<dyn FnMut(u32) + '_> {
        Box::new(move |times| {
            for _ in 0..times {
                self.visit(|value| section(value, iterations));
            }
        })
    }

    fn count(&self) -> u64 {
        let mut count = 0;
        self.visit(|value| count = *value);
        count
    }
}
