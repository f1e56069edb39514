//! The guards of a locked mutex.

use std::fmt;
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::ops::{Deref, DerefMut};

use crate::mutex::RegionMutex;
use crate::pod::ShmPod;
use crate::protocol::mutex::Mutex;
use crate::sync::Access;
use crate::thread::{Claim, RawLock, Thread};

/// A lock that this thread holds, and its value. Dropping it releases the lock.
///
/// A panic while the guard lives leaves the value [`Poisoned`](crate::LockError::Poisoned). After a
/// fork, the parent has the lock. The child's copy of the guard does nothing when it is dropped,
/// and the child must not use the value through it. A leaked guard keeps the lock until its thread
/// ends, and keeps the region mapped.
///
/// The guard cannot be sent to another thread, because the kernel knows which thread holds the
/// lock:
///
/// ```compile_fail
/// let mutex = shm_lock::ShmMutex::memfd("a", 0_u64).unwrap();
/// let guard = mutex.lock().unwrap();
/// std::thread::scope(|scope| {
///     scope.spawn(move || drop(guard));
/// });
/// ```
#[must_use = "the lock is released at once unless the guard is kept"]
pub struct ShmMutexGuard<'a, T: ShmPod>(Held<'a, T>);

/// A lock that this thread holds, with a value that may be torn; see
/// [`LockError`](crate::LockError).
///
/// Dropping it releases the lock, and leaves the value [`Poisoned`](crate::LockError::Poisoned). If
/// the thread dies, the next locker gets [`OwnerDied`](crate::LockError::OwnerDied) again.
///
/// ```
/// use shm_lock::{LockError, ShmMutex};
///
/// let pair = ShmMutex::memfd("pair", [1_u64, 1])?;
/// std::thread::scope(|scope| {
///     let torn = scope.spawn(|| {
///         let mut guard = pair.lock().unwrap();
///         guard[0] += 1;
///         panic!("before the other half");
///     });
///     assert!(torn.join().is_err());
/// });
/// match pair.lock() {
///     Err(LockError::Poisoned(mut guard)) => {
///         guard[1] = guard[0];
///         let guard = guard.mark_consistent();
///         assert_eq!(*guard, [2, 2]);
///     }
///     other => panic!("{other:?}"),
/// }
/// # Ok::<(), shm_lock::OpenError>(())
/// ```
#[must_use = "the lock is released, and the value stays torn, unless the guard is kept"]
pub struct RecoverGuard<'a, T: ShmPod>(Held<'a, T>);

/// A lock that this thread took in this generation of its process (see `fork`).
struct Held<'a, T: ShmPod> {
    mutex: &'a RegionMutex<T>,
    value: Access<T>,
    taken: Taken,
    not_send: PhantomData<*mut ()>,
}

/// When a lock was taken: the generation and [`PANICKING`] in one word, because padding would be
/// copied around.
#[derive(Clone, Copy)]
pub(crate) struct Taken(u64);

/// A panic had begun before the lock was taken, so it says nothing about the value.
const PANICKING: u64 = 1 << 32;

impl Taken {
    #[inline(always)]
    pub(crate) fn now(generation: u32) -> Self {
        let panicking = if std::thread::panicking() { PANICKING } else { 0 };
        Taken(u64::from(generation) | panicking)
    }

    #[inline(always)]
    pub(crate) fn generation(self) -> u32 {
        self.0 as u32
    }

    /// Returns the calling thread if it still holds the lock. After a fork, the child does not.
    #[inline(always)]
    pub(crate) fn holder(self) -> Option<Thread> {
        Thread::holding_since(self.generation())
    }
}

impl<'a, T: ShmPod> ShmMutexGuard<'a, T> {
    #[inline(always)]
    pub(crate) fn new(mutex: &'a RegionMutex<T>, generation: u32) -> Self {
        ShmMutexGuard(Held::new(mutex, generation))
    }

    /// Returns the mutex of the guard.
    ///
    /// ```
    /// let mutex = shm_lock::ShmMutex::memfd("a", 0_u64)?;
    /// let guard = mutex.lock().unwrap();
    /// let same = shm_lock::ShmMutexGuard::mutex(&guard);
    /// drop(guard);
    /// assert!(same.try_lock().is_ok());
    /// # Ok::<(), shm_lock::OpenError>(())
    /// ```
    pub fn mutex(guard: &Self) -> &'a RegionMutex<T> {
        guard.0.mutex
    }
}

impl<'a, T: ShmPod> RecoverGuard<'a, T> {
    #[cold]
    pub(crate) fn new(mutex: &'a RegionMutex<T>, generation: u32) -> Self {
        RecoverGuard(Held::new(mutex, generation))
    }

    /// Marks the value as consistent, because it was not torn or has been repaired.
    pub fn mark_consistent(self) -> ShmMutexGuard<'a, T> {
        let guard = ManuallyDrop::new(self);
        if guard.0.taken.holder().is_some() {
            guard.0.mutex.raw().mutex().mark_whole();
        }
        // SAFETY: `guard` is not dropped, so this is the only copy that is used from here on.
        ShmMutexGuard(unsafe { std::ptr::read(&raw const guard.0) })
    }

    /// Gives the value up for good, because it cannot be repaired. From now on, every locker gets
    /// [`NotRecoverable`](crate::LockError::NotRecoverable).
    ///
    /// ```
    /// # use shm_lock::{LockError, ShmMutex};
    /// # let mutex = ShmMutex::memfd("a", 0_u64)?;
    /// # std::thread::scope(|scope| {
    /// #     let dies = scope.spawn(|| {
    /// #         let _guard = mutex.lock().unwrap();
    /// #         panic!("with the lock in hand");
    /// #     });
    /// #     let _ = dies.join();
    /// # });
    /// if let Err(LockError::Poisoned(guard)) = mutex.lock() {
    ///     guard.abandon();
    /// }
    /// assert!(matches!(mutex.lock(), Err(LockError::NotRecoverable)));
    /// # Ok::<(), shm_lock::OpenError>(())
    /// ```
    pub fn abandon(self) {
        let mut guard = ManuallyDrop::new(self);
        give_back_torn(guard.0.end(), true);
    }
}

impl<'a, T: ShmPod> Held<'a, T> {
    #[inline(always)]
    fn new(mutex: &'a RegionMutex<T>, generation: u32) -> Self {
        Held { mutex, value: mutex.value().access(), taken: Taken::now(generation), not_send: PhantomData }
    }

    /// Ends the access. Returns the lock to release, and when it was taken.
    #[inline(always)]
    fn end(&mut self) -> (&'a RawLock, Taken) {
        self.value.end();
        (self.mutex.raw(), self.taken)
    }
}

/// Releases the lock, unless a forked child drops a copy of the parent's guard. Called once, when
/// the guard is not used any more.
#[inline(always)]
fn give_back(lock: &RawLock, taken: Taken, unlock: impl FnOnce(&Mutex, &Claim<'_>)) {
    let Some(thread) = taken.holder() else { return };
    // SAFETY: the lock was taken by this thread (the guard is not `Send`) in this process (its
    // generation).
    let claim = unsafe { thread.claim(lock) };
    unlock(lock.mutex(), &claim);
}

/// Releases the lock with a torn value. Called like [`give_back`].
#[cold]
pub(crate) fn give_back_torn((lock, taken): (&RawLock, Taken), for_good: bool) {
    give_back(lock, taken, |mutex, claim| mutex.unlock_torn(claim, for_good));
}

/// Releases the lock. Its value counts as torn unless the panic began before the lock was taken.
#[cold]
#[inline(never)]
fn give_back_in_panic(lock: &RawLock, taken: Taken, unlock: impl FnOnce(&Mutex, &Claim<'_>)) {
    if taken.0 & PANICKING == 0 {
        give_back_torn((lock, taken), false);
    } else {
        give_back(lock, taken, unlock);
    }
}

/// Releases the lock with `unlock`, or with a torn value if a panic is in progress. Called like
/// [`give_back`].
#[inline(always)]
pub(crate) fn give_back_by((lock, taken): (&RawLock, Taken), unlock: impl FnOnce(&Mutex, &Claim<'_>)) {
    if std::thread::panicking() {
        give_back_in_panic(lock, taken, unlock);
    } else {
        give_back(lock, taken, unlock);
    }
}

impl<T: ShmPod> Drop for ShmMutexGuard<'_, T> {
    #[inline(always)]
    fn drop(&mut self) {
        give_back_by(self.0.end(), |mutex, claim| mutex.unlock(claim));
    }
}

impl<T: ShmPod> Drop for RecoverGuard<'_, T> {
    fn drop(&mut self) {
        give_back_torn(self.0.end(), false);
    }
}

impl<T: ShmPod> Deref for Held<'_, T> {
    type Target = T;

    #[inline(always)]
    fn deref(&self) -> &T {
        // SAFETY: the lock is held, so nobody writes; the value is mapped as long as the mutex is
        // borrowed.
        unsafe { &*self.value.pointer(self.mutex.value()) }
    }
}

impl<T: ShmPod> DerefMut for Held<'_, T> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: the lock is held, and this guard is borrowed mutably, so this is the only
        // reference.
        unsafe { &mut *self.value.pointer(self.mutex.value()) }
    }
}

impl<T: ShmPod> Deref for ShmMutexGuard<'_, T> {
    type Target = T;

    #[inline(always)]
    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: ShmPod> DerefMut for ShmMutexGuard<'_, T> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

impl<T: ShmPod> Deref for RecoverGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: ShmPod> DerefMut for RecoverGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

// SAFETY: a shared guard gives out only `&T`.
unsafe impl<T: ShmPod + Sync> Sync for ShmMutexGuard<'_, T> {}
// SAFETY: as above.
unsafe impl<T: ShmPod + Sync> Sync for RecoverGuard<'_, T> {}

impl<T: ShmPod + fmt::Debug> fmt::Debug for ShmMutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ShmMutexGuard").field(&**self).finish()
    }
}

impl<T: ShmPod + fmt::Debug> fmt::Debug for RecoverGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RecoverGuard").field(&**self).finish()
    }
}
