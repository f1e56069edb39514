//! What a thread has while it reads or writes.

use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};

use super::All;
use crate::guard::{RecoverGuard, ShmMutexGuard};
use crate::mutex::RegionMutex;
use crate::pod::ShmPod;
use crate::slots::usual;
use crate::sync::{Cell, ReadAccess};
use crate::thread::{RawLock, Thread};

/// A lock that this thread reads by. Dropping it gives it back.
///
/// After a fork the parent reads on, and the child's copy of the guard does nothing when it is
/// dropped. A guard that is leaked keeps writers out until its thread ends, and the region mapped.
/// It cannot be sent to another thread, since the kernel knows which one has it:
///
/// ```compile_fail
/// let lock = shm_lock::ShmRwLock::memfd("a", 0_u64).unwrap();
/// let guard = lock.read().unwrap();
/// std::thread::scope(|scope| {
///     scope.spawn(move || drop(guard));
/// });
/// ```
#[must_use = "the lock is given back at once unless the guard is kept"]
pub struct ShmReadGuard<'a, T: ShmPod> {
    slot: &'a RawLock,
    value: &'a Cell<T>,
    access: ReadAccess<T>,
    generation: u32,
    not_send: PhantomData<*mut ()>,
}

impl<'a, T: ShmPod> ShmReadGuard<'a, T> {
    #[inline(always)]
    pub(super) fn new(slot: &'a RawLock, value: &'a Cell<T>, generation: u32) -> Self {
        ShmReadGuard { slot, value, access: value.read_access(), generation, not_send: PhantomData }
    }
}

impl<T: ShmPod> Drop for ShmReadGuard<'_, T> {
    #[inline(always)]
    fn drop(&mut self) {
        self.access.end();
        let Some(thread) = Thread::holding_since(self.generation) else { return };
        // SAFETY: the slot was taken by this thread (the guard is not `Send`) in this process (its
        // generation).
        let claim = unsafe { thread.claim(self.slot) };
        self.slot.mutex().unlock(&claim);
    }
}

impl<T: ShmPod> Deref for ShmReadGuard<'_, T> {
    type Target = T;

    #[inline(always)]
    fn deref(&self) -> &T {
        // SAFETY: a slot is held, so nobody writes; the value is mapped as long as the lock is
        // borrowed.
        unsafe { &*self.access.pointer(self.value) }
    }
}

// SAFETY: a shared guard gives out `&T` alone.
unsafe impl<T: ShmPod + Sync> Sync for ShmReadGuard<'_, T> {}

/// A lock that this thread alone has, and its value. Dropping it gives it back.
///
/// A panic while it lives leaves the value [`Poisoned`](crate::RwLockError::Poisoned). What
/// [`ShmReadGuard`] says of forks, leaks and threads holds here, too.
#[must_use = "the lock is given back at once unless the guard is kept"]
pub struct ShmWriteGuard<'a, T: ShmPod> {
    // Dropped before the others are let in.
    value: ShmMutexGuard<'a, T>,
    alone: Alone<'a>,
}

impl<'a, T: ShmPod> ShmWriteGuard<'a, T> {
    pub(super) fn new(value: &'a RegionMutex<T>, all: All<'a>) -> Self {
        let generation = Thread::generation();
        ShmWriteGuard { value: ShmMutexGuard::new(value, generation), alone: Alone { all, generation } }
    }

    /// Lets other readers in, and reads on; no writer comes in between.
    ///
    /// ```
    /// use shm_lock::{ShmRwLock, ShmWriteGuard};
    ///
    /// let lock = ShmRwLock::memfd("a", 7_u64)?;
    /// let mut guard = lock.write().unwrap();
    /// *guard += 1;
    /// let guard = ShmWriteGuard::downgrade(guard);
    /// assert!(lock.try_read().is_ok() && lock.try_write().is_err());
    /// assert_eq!(*guard, 8);
    /// # drop(guard);
    /// # Ok::<(), shm_lock::OpenError>(())
    /// ```
    pub fn downgrade(guard: Self) -> ShmReadGuard<'a, T> {
        let ShmWriteGuard { value, alone } = guard;
        let cell = ShmMutexGuard::mutex(&value).value();
        drop(value);
        let generation = alone.generation;
        ShmReadGuard::new(alone.downgrade(), cell, generation)
    }
}

impl<T: ShmPod> Deref for ShmWriteGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: ShmPod> DerefMut for ShmWriteGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.value
    }
}

/// A lock that this thread alone has, and a value that may be torn: see
/// [`RwLockError`](crate::RwLockError).
///
/// Dropping it gives the lock back and leaves the value [`Poisoned`](crate::RwLockError::Poisoned);
/// if the thread dies, the next one is told [`OwnerDied`](crate::RwLockError::OwnerDied) again.
///
/// ```
/// use shm_lock::{RwLockError, ShmRwLock, ShmWriteGuard};
///
/// let pair = ShmRwLock::memfd("pair", [1_u64, 1])?;
/// std::thread::scope(|scope| {
///     let torn = scope.spawn(|| {
///         let mut guard = pair.write().unwrap();
///         guard[0] += 1;
///         panic!("before the other half");
///     });
///     assert!(torn.join().is_err());
/// });
/// let guard = match pair.read() {
///     Ok(guard) => guard,
///     Err(RwLockError::Poisoned(mut guard)) => {
///         guard[1] = guard[0];
///         ShmWriteGuard::downgrade(guard.mark_consistent())
///     }
///     Err(error) => panic!("{error}"),
/// };
/// assert_eq!(*guard, [2, 2]);
/// # drop(guard);
/// # Ok::<(), shm_lock::OpenError>(())
/// ```
#[must_use = "the lock is given back, and the value left torn, unless the guard is kept"]
pub struct RwRecoverGuard<'a, T: ShmPod> {
    // Dropped before the others are let in.
    value: RecoverGuard<'a, T>,
    alone: Alone<'a>,
}

impl<'a, T: ShmPod> RwRecoverGuard<'a, T> {
    #[cold]
    pub(super) fn new(value: &'a RegionMutex<T>, all: All<'a>) -> Self {
        let generation = Thread::generation();
        RwRecoverGuard { value: RecoverGuard::new(value, generation), alone: Alone { all, generation } }
    }

    /// The value is whole, or has been repaired.
    pub fn mark_consistent(self) -> ShmWriteGuard<'a, T> {
        ShmWriteGuard { value: self.value.mark_consistent(), alone: self.alone }
    }

    /// The value cannot be repaired: from now on everybody is told
    /// [`NotRecoverable`](crate::RwLockError::NotRecoverable).
    ///
    /// ```
    /// use shm_lock::{RwLockError, ShmRwLock};
    ///
    /// let lock = ShmRwLock::memfd("a", 7_u64)?;
    /// std::thread::scope(|scope| {
    ///     // A writer that ends, as a process that is killed does.
    ///     scope.spawn(|| std::mem::forget(lock.write().unwrap()));
    /// });
    /// let Err(RwLockError::OwnerDied(guard)) = lock.read() else { panic!("it has died") };
    /// guard.abandon();
    /// assert!(matches!(lock.read(), Err(RwLockError::NotRecoverable)));
    /// # Ok::<(), shm_lock::OpenError>(())
    /// ```
    pub fn abandon(self) {
        self.value.abandon();
    }
}

impl<T: ShmPod> Deref for RwRecoverGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: ShmPod> DerefMut for RwRecoverGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.value
    }
}

/// All slots and the gate, taken in this generation of the process. Dropping it gives them back:
/// after the value's lock.
struct Alone<'a> {
    all: All<'a>,
    generation: u32,
}

impl<'a> Alone<'a> {
    /// Gives all back but one slot, which is returned. In a child that was forked meanwhile nothing
    /// is given back.
    fn downgrade(self) -> &'a RawLock {
        let kept = match Thread::holding_since(self.generation) {
            Some(thread) => self.all.words.downgrade(&self.all.for_thread(thread), usual()),
            None => 0,
        };
        let slot = self.all.slots[kept as usize].raw();
        std::mem::forget(self);
        slot
    }
}

impl Drop for Alone<'_> {
    fn drop(&mut self) {
        if let Some(thread) = Thread::holding_since(self.generation) {
            self.all.words.leave_alone(&self.all.for_thread(thread));
        }
    }
}

macro_rules! debug {
    ($($guard:ident)*) => {$(
        impl<T: ShmPod + fmt::Debug> fmt::Debug for $guard<'_, T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_tuple(stringify!($guard)).field(&**self).finish()
            }
        }
    )*};
}

debug!(ShmReadGuard ShmWriteGuard RwRecoverGuard);
