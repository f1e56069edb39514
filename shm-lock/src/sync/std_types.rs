//! The types of a real program.

use std::cell::UnsafeCell;
use std::marker::PhantomData;

pub(crate) use std::hint::spin_loop;
pub(crate) use std::sync::atomic::{Ordering, compiler_fence, fence};

use crate::sys::{self, Wait};

/// What users may put into a region besides locks.
pub(crate) use std::sync::atomic as atomics;

pub(crate) type AtomicBool = std::sync::atomic::AtomicBool;
pub(crate) type AtomicPtr<T> = std::sync::atomic::AtomicPtr<T>;
pub(crate) type AtomicU32 = std::sync::atomic::AtomicU32;
pub(crate) type AtomicU64 = std::sync::atomic::AtomicU64;

/// How often a locker pauses at most before it sleeps: 40 to 80 microseconds, as the processor has
/// it, which is what being woken takes where the core has gone to sleep meanwhile.
pub(crate) const LONGEST_SPIN: u32 = 4096;

/// A `fence(SeqCst)` that comes directly after an exchange which has succeeded.
///
/// On x86-64 every exchange is a full fence already, and another one takes as long again.
#[inline(always)]
pub(crate) fn light_fence() {
    if cfg!(all(target_arch = "x86_64", not(miri))) {
        compiler_fence(Ordering::SeqCst); // SeqCst: the exchange comes first in the program, too.
    } else {
        fence(Ordering::SeqCst); // SeqCst: pairs with another one.
    }
}

/// A 32-bit word in memory that processes share, on which a thread can sleep until another changes
/// it.
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

    /// Sleeps if the word is `expected`, until it is woken or the monotonic clock is at `until`
    /// nanoseconds.
    pub(crate) fn wait(&self, expected: u32, until: u64) -> Wait {
        sys::futex_wait(&self.0, expected, until)
    }

    /// Wakes up to `most` sleepers; returns how many there were.
    pub(crate) fn wake(&self, most: u32) -> u32 {
        sys::futex_wake(&self.0, most)
    }

    /// Clears the highest bit and wakes all, in one step for everyone who goes to sleep.
    pub(crate) fn clear_and_wake_all(&self) {
        sys::futex_clear_and_wake_all(&self.0);
    }
}

/// What a lock protects.
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
    /// Begins an access that writes nothing.
    #[inline(always)]
    pub(crate) fn read_access(&self) -> ReadAccess<T> {
        ReadAccess(PhantomData)
    }
}

/// As [`Access`], of one who writes nothing.
#[derive(Debug)]
pub(crate) struct ReadAccess<T>(PhantomData<*const T>);

impl<T> ReadAccess<T> {
    /// Where `cell`, to which the access is, has its value.
    #[inline(always)]
    pub(crate) fn pointer(&self, cell: &Cell<T>) -> *const T {
        cell.0.get()
    }

    /// Ends it: the lock is about to be given back.
    #[inline(always)]
    pub(crate) fn end(&mut self) {}
}

/// An access to what a lock protects: nothing that a guard would have to carry.
#[derive(Debug)]
pub(crate) struct Access<T>(PhantomData<*mut T>);

impl<T> Access<T> {
    /// Where `cell`, to which the access is, has its value.
    #[inline(always)]
    pub(crate) fn pointer(&self, cell: &Cell<T>) -> *mut T {
        cell.0.get()
    }

    /// Ends it: the lock is about to be given back.
    #[inline(always)]
    pub(crate) fn end(&mut self) {}
}
