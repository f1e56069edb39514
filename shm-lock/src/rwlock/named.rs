//! A read-write lock in its own file.

use std::fmt;
use std::io;
use std::ops::Deref;
#[cfg(all(unix, not(loom)))]
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use super::RegionRwLock;
use crate::error::OpenError;
use crate::name::RegionName;
use crate::pod::ShmPod;
use crate::region::ShmRegion;

/// A lock between processes for many readers or one writer, in its own file or memory. It survives
/// the death of any of them.
///
/// It is a [`ShmRegion`] with one [`RegionRwLock`], to which it dereferences. [`RegionRwLock`] has
/// [`read`](RegionRwLock::read), [`write`](RegionRwLock::write) and similar methods. [`ShmRegion`]
/// explains names and paths.
///
/// ```
/// use shm_lock::ShmRwLock;
///
/// // In each process:
/// let limit = ShmRwLock::open_or_create("doc-limit", || 100_u64)?;
/// assert_eq!(*limit.read().unwrap(), 100);
/// *limit.write().unwrap() = 200;
/// # ShmRwLock::<u64>::unlink("doc-limit").unwrap();
/// # Ok::<(), shm_lock::OpenError>(())
/// ```
pub struct ShmRwLock<T: ShmPod + Sync>(ShmRegion<RegionRwLock<T>>);

impl<T: ShmPod + Sync> ShmRwLock<T> {
    /// Creates a lock. Fails if a file with that name exists. See [`ShmRegion::create_new`].
    ///
    /// # Errors
    /// [`OpenError::Io`] with [`AlreadyExists`](io::ErrorKind::AlreadyExists), or with another
    /// error of the system; [`OpenError::Unsupported`].
    pub fn create_new(name: impl RegionName, value: T) -> Result<Self, OpenError> {
        ShmRegion::create_new(name, RegionRwLock::new(value)).map(ShmRwLock)
    }

    /// Opens an existing lock. See [`ShmRegion::open`].
    ///
    /// # Errors
    /// Every [`OpenError`].
    pub fn open(name: impl RegionName) -> Result<Self, OpenError> {
        ShmRegion::open(name).map(ShmRwLock)
    }

    /// Opens a lock, or creates it with the value of `init` if there is none. See
    /// [`ShmRegion::open_or_create`].
    ///
    /// # Errors
    /// Every [`OpenError`].
    pub fn open_or_create(name: impl RegionName, init: impl FnOnce() -> T) -> Result<Self, OpenError> {
        ShmRegion::open_or_create(name, || RegionRwLock::new(init())).map(ShmRwLock)
    }

    /// Opens a lock. If there is none, or one that no process can use any more, creates it with the
    /// value of `init`. See [`ShmRegion::open_or_replace_stale`].
    ///
    /// # Errors
    /// Every [`OpenError`].
    pub fn open_or_replace_stale(name: impl RegionName, init: impl FnOnce() -> T) -> Result<Self, OpenError> {
        ShmRegion::open_or_replace_stale(name, || RegionRwLock::new(init())).map(ShmRwLock)
    }

    /// Creates a lock in memory without a path. See [`ShmRegion::memfd`].
    ///
    /// # Errors
    /// [`OpenError::Io`] or [`OpenError::Unsupported`].
    pub fn memfd(name: &str, value: T) -> Result<Self, OpenError> {
        ShmRegion::memfd(name, RegionRwLock::new(value)).map(ShmRwLock)
    }

    /// Opens the lock behind a file descriptor. See [`ShmRegion::from_fd`].
    ///
    /// # Errors
    /// Every [`OpenError`].
    #[cfg(all(unix, not(loom)))]
    pub fn from_fd(fd: OwnedFd) -> Result<Self, OpenError> {
        ShmRegion::from_fd(fd).map(ShmRwLock)
    }

    /// Returns whether the path with which the lock was opened still leads to it. See
    /// [`ShmRegion::is_linked`].
    pub fn is_linked(&self) -> bool {
        self.0.is_linked()
    }

    /// Removes a lock's name. See [`ShmRegion::unlink`].
    ///
    /// # Errors
    /// The error of the operating system.
    pub fn unlink(name: impl RegionName) -> io::Result<()> {
        ShmRegion::<RegionRwLock<T>>::unlink(name)
    }
}

impl<T: ShmPod + Sync> Deref for ShmRwLock<T> {
    type Target = RegionRwLock<T>;

    #[inline]
    fn deref(&self) -> &RegionRwLock<T> {
        &self.0
    }
}

#[cfg(all(unix, not(loom)))]
impl<T: ShmPod + Sync> AsFd for ShmRwLock<T> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl<T: ShmPod + Sync> fmt::Debug for ShmRwLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ShmRwLock").field(&**self).finish()
    }
}
