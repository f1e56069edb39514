//! A value that is created once, by one of several processes.

use std::fmt;

use crate::layout::{Locks, ShmLayout};
use crate::lock_error::LockFailure;
use crate::once::ShmOnce;
use crate::pod::ShmPod;
use crate::sync::Cell;

/// A value that is created once, by the process that comes first. It is in a
/// [`ShmRegion`](crate::ShmRegion). All other processes read it without a lock.
///
/// If the process that creates the value dies or panics, the next caller creates it. The value
/// never changes afterwards.
///
/// ```
/// use shm_lock::{ShmOnceLock, ShmRegion};
///
/// let seed = ShmRegion::memfd("seed", ShmOnceLock::new())?;
/// assert_eq!(seed.get(), None);
/// assert_eq!(*seed.get_or_init(|| 7_u64).unwrap(), 7);
/// assert_eq!(*seed.get_or_init(|| 8_u64).unwrap(), 7);
/// assert_eq!(seed.get(), Some(&7));
/// # Ok::<(), shm_lock::OpenError>(())
/// ```
#[repr(C)]
pub struct ShmOnceLock<T: ShmPod> {
    once: ShmOnce,
    value: Cell<T>,
}

// SAFETY: a value that means the same in every thread (`ShmPod`), written by one thread before
// anybody else gets it, and then given as `&T` to many, for which it is `Sync`.
unsafe impl<T: ShmPod + Sync> Sync for ShmOnceLock<T> {}
// SAFETY: as above.
unsafe impl<T: ShmPod + Sync> Send for ShmOnceLock<T> {}

// SAFETY: `repr(C)` and made of a lock, which is shown, an atomic word, and a `ShmPod` value, which
// is described.
unsafe impl<T: ShmPod + Sync> ShmLayout for ShmOnceLock<T> {
    fn describe(text: &mut String) {
        text.push_str("ShmOnceLock<");
        <T as ShmPod>::describe(text);
        text.push_str(&format!(">@{}", std::mem::offset_of!(Self, value)));
    }

    fn visit_locks(&self, locks: &mut Locks<'_>) {
        self.once.visit_locks(locks);
    }
}

impl<T: ShmPod> Default for ShmOnceLock<T> {
    fn default() -> Self {
        ShmOnceLock::new()
    }
}

impl<T: ShmPod> ShmOnceLock<T> {
    /// Creates a cell without a value, to be put into a region.
    pub fn new() -> Self {
        // SAFETY: all bytes are a value (`ShmPod`).
        let nothing = unsafe { std::mem::zeroed() };
        ShmOnceLock { once: ShmOnce::new(), value: Cell::new(nothing) }
    }

    /// Returns the value, if it exists. This is one load, and no system call.
    ///
    /// ```
    /// use shm_lock::{ShmOnceLock, ShmRegion};
    ///
    /// let seed = ShmRegion::memfd("seed", ShmOnceLock::new())?;
    /// assert_eq!(seed.get(), None);
    /// seed.get_or_init(|| 7_u64).unwrap();
    /// assert_eq!(seed.get(), Some(&7));
    /// # Ok::<(), shm_lock::OpenError>(())
    /// ```
    #[inline]
    pub fn get(&self) -> Option<&T> {
        // SAFETY: it is made, which happened before, so nobody writes it any more; it is mapped as
        // long as `self` is borrowed.
        self.once.is_completed().then(|| unsafe { &*self.value.read_access().pointer(&self.value) })
    }

    /// Returns the value. Creates it with `make` if it does not exist, or waits while another
    /// thread creates it.
    ///
    /// ```
    /// use shm_lock::{ShmOnceLock, ShmRegion};
    ///
    /// let seed = ShmRegion::memfd("seed", ShmOnceLock::new())?;
    /// std::thread::scope(|scope| {
    ///     let dies = scope.spawn(|| seed.get_or_init(|| panic!("halfway")).copied());
    ///     assert!(dies.join().is_err());
    /// });
    /// assert_eq!(*seed.get_or_init(|| 7_u64)?, 7);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`LockFailure::Deadlock`] if `make` itself calls this, and [`LockFailure::Unsupported`].
    ///
    /// # Panics
    /// Panics if `make` does. The next caller then creates the value.
    #[inline]
    pub fn get_or_init(&self, make: impl FnOnce() -> T) -> Result<&T, LockFailure> {
        self.once.call_once(|| self.write(make()))?;
        Ok(self.get().expect("it is made"))
    }

    /// Writes the value. Only the thread whose turn it is calls this.
    fn write(&self, made: T) {
        let mut access = self.value.access();
        // SAFETY: it is this thread's turn, so nobody else writes, and nobody reads before it is
        // done. All of it is written, whatever a dead thread has left.
        unsafe { access.pointer(&self.value).write(made) };
        access.end();
    }
}

impl<T: ShmPod + fmt::Debug> fmt::Debug for ShmOnceLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ShmOnceLock").field(&self.get()).finish()
    }
}
