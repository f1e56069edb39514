//! The types of a real program.

use std::cell::UnsafeCell;
use std::marker::PhantomData;

pub(crate) use std::hint::spin_loop;
pub(crate) use std::sync::atomic::{Ordering, compiler_fence, fence};

use crate::sys::{self, Wait};

/// The atomics that users may put into a region.
pub(crate) use std::sync::atomic as atomics;

pub(crate) type AtomicBool = std::sync::atomic::AtomicBool;
pub(crate) type AtomicPtr<T> = std::sync::atomic::AtomicPtr<T>;
pub(crate) type AtomicU32 = std::sync::atomic::AtomicU32;
pub(crate) type AtomicU64 = std::sync::atomic::AtomicU64;

/// The largest number of pauses before a locker sleeps: 40 to 80 microseconds, depending on the
/// processor. Waking a thread takes as long if its core has gone to sleep meanwhile.
pub(crate) const LONGEST_SPIN: u32 = 4096;

/// A `fence(SeqCst)` directly after a successful exchange.
///
/// On x86-64 every exchange is already a full fence, and another one would take as long again.
#[inline(always)]
pub(crate) fn light_fence() {
    if cfg!(all(target_arch = "x86_64", not(miri))) {
        compiler_fence(Ordering::SeqCst); // SeqCst: the exchange comes first in the program, too.
    } else {
        fence(Ordering::SeqCst); // SeqCst: pairs with another one.
    }
}

/// A 32-bit word in shared memory. A thread can sleep on it until another thread changes it.
#[derive(Debug)]
#[repr(transparent)]
pub(crate) struct Futex(AtomicU32);

impl Futex {
    pub(crate) const fn new(value: u32) -> Self {
        Futex(AtomicU32::new(value))
    }

    #[inline]
    pub(crate) fn word(&self) -> &AtomicU32 {
        &self.0
    }

    /// Sleeps if the word is `expected`, until it is woken or the monotonic clock reaches `until`
    /// nanoseconds.
    pub(crate) fn wait(&self, expected: u32, until: u64) -> Wait {
        sys::futex_wait(&self.0, expected, until)
    }

    /// Wakes up to `most` sleepers. Returns how many it woke.
    pub(crate) fn wake(&self, most: u32) -> u32 {
        sys::futex_wake(&self.0, most)
    }

    /// Clears the highest bit and wakes all sleepers. This is one step for threads that go to
    /// sleep.
    pub(crate) fn clear_and_wake_all(&self) {
        sys::futex_clear_and_wake_all(&self.0);
    }
}

/// The protected value.
#[derive(Debug)]
#[repr(transparent)]
pub(crate) struct Cell<T>(UnsafeCell<T>);

impl<T> Cell<T> {
    pub(crate) const fn new(value: T) -> Self {
        Cell(UnsafeCell::new(value))
    }

    /// Begins an access.
    #[inline(always)]
    pub(crate) fn access(&self) -> Access<T> {
        Access(PhantomData)
    }
}

impl<T> Cell<T> {
    /// Begins a read access.
    #[inline(always)]
    pub(crate) fn read_access(&self) -> ReadAccess<T> {
        ReadAccess(PhantomData)
    }
}

/// A read access; see [`Access`].
#[derive(Debug)]
pub(crate) struct ReadAccess<T>(PhantomData<*const T>);

impl<T> ReadAccess<T> {
    /// Returns where `cell`, which is accessed, has its value.
    #[inline(always)]
    pub(crate) fn pointer(&self, cell: &Cell<T>) -> *const T {
        cell.0.get()
    }

    /// Ends the access: the lock is about to be released.
    #[inline(always)]
    pub(crate) fn end(&mut self) {}
}

/// An access to the protected value. It has no size, so a guard need not store it.
#[derive(Debug)]
pub(crate) struct Access<T>(PhantomData<*mut T>);

impl<T> Access<T> {
    /// Returns where `cell`, which is accessed, has its value.
    #[inline(always)]
    pub(crate) fn pointer(&self, cell: &Cell<T>) -> *mut T {
        cell.0.get()
    }

    /// Ends the access: the lock is about to be released.
    #[inline(always)]
    pub(crate) fn end(&mut self) {}
}
