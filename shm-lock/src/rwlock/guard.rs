//! The guards of readers and writers.

use std::fmt;
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::ops::{Deref, DerefMut};

use super::{All, Shared};
use crate::guard::{Taken, give_back_by, give_back_torn};
use crate::pod::ShmPod;
use crate::slots::usual;
use crate::sync::{Access, Cell, ReadAccess};
use crate::thread::{RawLock, Thread, Ticker};

/// A lock that this thread holds for reading. Dropping it releases the lock.
///
/// After a fork, the parent has the lock, and the child's copy of the guard does nothing when it is
/// dropped. A leaked guard keeps writers out until its thread ends, and keeps the region mapped.
/// The guard cannot be sent to another thread, because the kernel knows which thread holds the
/// lock:
///
/// ```compile_fail
/// let lock = shm_lock::ShmRwLock::memfd("a", 0_u64).unwrap();
/// let guard = lock.read().unwrap();
/// std::thread::scope(|scope| {
///     scope.spawn(move || drop(guard));
/// });
/// ```
#[must_use = "the lock is released at once unless the guard is kept"]
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

// SAFETY: a shared guard gives out only `&T`.
unsafe impl<T: ShmPod + Sync> Sync for ShmReadGuard<'_, T> {}

/// A lock that this thread holds for writing, and its value. Dropping it releases the lock.
///
/// A panic while the guard lives leaves the value [`Poisoned`](crate::RwLockError::Poisoned). For
/// forks, leaks and threads, the rules of [`ShmReadGuard`] apply.
#[must_use = "the lock is released at once unless the guard is kept"]
pub struct ShmWriteGuard<'a, T: ShmPod>(Alone<'a, T>);

impl<'a, T: ShmPod> ShmWriteGuard<'a, T> {
    #[inline(always)]
    pub(super) fn new(all: All<'a>, shared: &'a Shared<T>, generation: u32) -> Self {
        ShmWriteGuard(Alone::new(all, shared, generation))
    }

    /// Turns the writer into a reader. Other readers get in, but no writer in between.
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
        let mut guard = ManuallyDrop::new(guard);
        let (all, shared, taken) = (guard.0.all, guard.0.shared, guard.0.taken);
        guard.0.access.end();
        // A forked child releases nothing.
        let slot = taken.holder().map_or(0, |thread| {
            all.words.downgrade(&all.for_thread(thread), usual(), &mut Ticker::forever())
        });
        ShmReadGuard::new(all.slots[slot as usize].raw(), &shared.value, taken.generation())
    }
}

impl<T: ShmPod> Drop for ShmWriteGuard<'_, T> {
    #[inline(always)]
    fn drop(&mut self) {
        give_back_by(self.0.end(), |mutex, claim| mutex.unlock_whole(claim));
    }
}

impl<T: ShmPod> Deref for ShmWriteGuard<'_, T> {
    type Target = T;

    #[inline(always)]
    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: ShmPod> DerefMut for ShmWriteGuard<'_, T> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

/// A lock that this thread holds for writing, with a value that may be torn; see
/// [`RwLockError`](crate::RwLockError).
///
/// Dropping it releases the lock, and leaves the value [`Poisoned`](crate::RwLockError::Poisoned).
/// If the thread dies, the next locker gets [`OwnerDied`](crate::RwLockError::OwnerDied) again.
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
#[must_use = "the lock is released, and the value stays torn, unless the guard is kept"]
pub struct RwRecoverGuard<'a, T: ShmPod>(Alone<'a, T>);

impl<'a, T: ShmPod> RwRecoverGuard<'a, T> {
    #[cold]
    pub(super) fn new(all: All<'a>, shared: &'a Shared<T>) -> Self {
        RwRecoverGuard(Alone::new(all, shared, Thread::generation()))
    }

    /// Marks the value as consistent, because it was not torn or has been repaired.
    pub fn mark_consistent(self) -> ShmWriteGuard<'a, T> {
        let guard = ManuallyDrop::new(self);
        if guard.0.taken.holder().is_some() {
            guard.0.shared.lock.mutex().mark_whole();
        }
        // SAFETY: `guard` is not dropped, so this is the only copy that is used from here on.
        ShmWriteGuard(unsafe { std::ptr::read(&raw const guard.0) })
    }

    /// Gives the value up for good, because it cannot be repaired. From now on, every locker gets
    /// [`NotRecoverable`](crate::RwLockError::NotRecoverable).
    ///
    /// ```
    /// use shm_lock::{RwLockError, ShmRwLock};
    ///
    /// let lock = ShmRwLock::memfd("a", 7_u64)?;
    /// std::thread::scope(|scope| {
    ///     // A writer that dies, as in a killed process.
    ///     scope.spawn(|| std::mem::forget(lock.write().unwrap()));
    /// });
    /// let Err(RwLockError::OwnerDied(guard)) = lock.read() else { panic!("it has died") };
    /// guard.abandon();
    /// assert!(matches!(lock.read(), Err(RwLockError::NotRecoverable)));
    /// # Ok::<(), shm_lock::OpenError>(())
    /// ```
    pub fn abandon(self) {
        let mut guard = ManuallyDrop::new(self);
        give_back_torn(guard.0.end(), true);
    }
}

impl<T: ShmPod> Drop for RwRecoverGuard<'_, T> {
    fn drop(&mut self) {
        give_back_torn(self.0.end(), false);
    }
}

impl<T: ShmPod> Deref for RwRecoverGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: ShmPod> DerefMut for RwRecoverGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

/// The value's lock, held by a writer that is in.
struct Alone<'a, T: ShmPod> {
    all: All<'a>,
    shared: &'a Shared<T>,
    access: Access<T>,
    taken: Taken,
    not_send: PhantomData<*mut ()>,
}

impl<'a, T: ShmPod> Alone<'a, T> {
    #[inline(always)]
    fn new(all: All<'a>, shared: &'a Shared<T>, generation: u32) -> Self {
        let access = shared.value.access();
        Alone { all, shared, access, taken: Taken::now(generation), not_send: PhantomData }
    }

    /// Ends the access. Returns the lock to release, and when it was taken.
    #[inline(always)]
    fn end(&mut self) -> (&'a RawLock, Taken) {
        self.access.end();
        (&self.shared.lock, self.taken)
    }
}

impl<T: ShmPod> Deref for Alone<'_, T> {
    type Target = T;

    #[inline(always)]
    fn deref(&self) -> &T {
        // SAFETY: this thread alone is in, so nobody else writes; the value is mapped as long as
        // the lock is borrowed.
        unsafe { &*self.access.pointer(&self.shared.value) }
    }
}

impl<T: ShmPod> DerefMut for Alone<'_, T> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: this thread alone is in, and this guard is borrowed mutably, so this is the only
        // reference.
        unsafe { &mut *self.access.pointer(&self.shared.value) }
    }
}

// SAFETY: a shared guard gives out only `&T`.
unsafe impl<T: ShmPod + Sync> Sync for ShmWriteGuard<'_, T> {}
// SAFETY: as above.
unsafe impl<T: ShmPod + Sync> Sync for RwRecoverGuard<'_, T> {}

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
