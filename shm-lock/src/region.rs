//! A file, or memory without a name, that processes share.

use std::fmt;
use std::io;
use std::ops::Deref;
#[cfg(all(unix, not(loom)))]
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use crate::error::OpenError;
use crate::layout::ShmLayout;
use crate::name::RegionName;
use crate::place::Place;

/// Memory that processes share, with locks and values in it.
///
/// It dereferences to its content: one lock, or a structure of several that
/// [`region!`](crate::region) declares. A single mutex has [`ShmMutex`](crate::ShmMutex) for short.
///
/// A string without a `/` such as `"experiments"` means `/dev/shm/shm-lock-<user id>-experiments`;
/// anything else is a path ([`RegionName`](crate::RegionName)). Another user can make the file
/// first, which nobody can prevent in a directory that all may write to: then it is
/// [`Untrusted`](OpenError::Untrusted), and a path in `$XDG_RUNTIME_DIR` helps. The file can be
/// read and written by its owner alone, and stays until it is [unlinked](Self::unlink) or, in
/// `/dev/shm`, until the system is restarted. A region holds one file descriptor and one mapping,
/// however often a process opens it, as long as one of these values lives, and longer if a guard
/// was leaked.
///
/// ```
/// use shm_lock::{ShmRegion, ShmSemaphore};
///
/// let slots = ShmRegion::memfd("slots", ShmSemaphore::new(4))?;
/// let slot = slots.acquire();
/// assert_eq!(slots.available(), 3);
/// # drop(slot);
/// # Ok::<(), shm_lock::OpenError>(())
/// ```
///
/// # Truncation
///
/// Shortening the file while it is mapped makes every access to what was cut off a `SIGBUS`.
/// Nothing prevents that for a file with a path, except that only its owner can do it; regions made
/// by [`memfd`](Self::memfd) are sealed against it.
pub struct ShmRegion<R: ShmLayout>(Place<R>);

impl<R: ShmLayout> ShmRegion<R> {
    /// Makes a region with this content; fails if there is a file with that name.
    ///
    /// The file appears with its content or not at all, whoever else looks for it and wherever this
    /// process dies.
    ///
    /// ```
    /// # let directory = tempfile::tempdir().unwrap();
    /// use shm_lock::{RegionMutex, ShmRegion};
    ///
    /// let path = directory.path().join("counter");
    /// let counter = ShmRegion::create_new(&path, RegionMutex::new(7_u64))?;
    /// assert_eq!(*counter.lock().unwrap(), 7);
    /// assert!(ShmRegion::create_new(&path, RegionMutex::new(0_u64)).is_err());
    /// # Ok::<(), shm_lock::OpenError>(())
    /// ```
    ///
    /// # Errors
    /// [`OpenError::Io`] with [`AlreadyExists`](io::ErrorKind::AlreadyExists), or with what else
    /// the system says; [`OpenError::Unsupported`].
    pub fn create_new(name: impl RegionName, content: R) -> Result<Self, OpenError> {
        Place::create_new(&name.as_name(), content).map(ShmRegion)
    }

    /// Opens a region that exists.
    ///
    /// ```
    /// # let directory = tempfile::tempdir().unwrap();
    /// # let path = directory.path().join("counter");
    /// use shm_lock::{OpenError, RegionMutex, ShmRegion};
    ///
    /// let made = ShmRegion::create_new(&path, RegionMutex::new(7_u64))?;
    /// let opened = ShmRegion::<RegionMutex<u64>>::open(&path)?;
    /// *opened.lock().unwrap() += 1;
    /// assert_eq!(*made.lock().unwrap(), 8);
    ///
    /// let error = ShmRegion::<RegionMutex<i64>>::open(&path).unwrap_err();
    /// assert!(matches!(error, OpenError::Mismatch { part: "type", .. }));
    /// # Ok::<(), shm_lock::OpenError>(())
    /// ```
    ///
    /// # Errors
    /// Every [`OpenError`]; [`OpenError::Io`] with [`NotFound`](io::ErrorKind::NotFound) if there
    /// is no such file.
    pub fn open(name: impl RegionName) -> Result<Self, OpenError> {
        Place::open(&name.as_name()).map(ShmRegion)
    }

    /// Opens a region, or makes it with what `init` returns if there is none.
    ///
    /// However many processes do so at the same time, and wherever one of them dies, all get the
    /// same region. `init` runs at most once here, and its content is thrown away if another
    /// process is faster.
    ///
    /// ```
    /// # let directory = tempfile::tempdir().unwrap();
    /// # let path = directory.path().join("counter");
    /// use shm_lock::{RegionMutex, ShmRegion};
    ///
    /// let made = ShmRegion::open_or_create(&path, || RegionMutex::new(7_u64))?;
    /// let opened = ShmRegion::open_or_create(&path, || RegionMutex::new(0_u64))?;
    /// assert_eq!(*opened.lock().unwrap(), 7);
    /// # Ok::<(), shm_lock::OpenError>(())
    /// ```
    ///
    /// # Errors
    /// Every [`OpenError`]. A file of an earlier boot is [`OpenError::Stale`] and is left alone.
    pub fn open_or_create(name: impl RegionName, init: impl FnOnce() -> R) -> Result<Self, OpenError> {
        Place::open_or_create(&name.as_name(), init).map(ShmRegion)
    }

    /// Opens a region, or makes it with what `init` returns if there is none, or one that nobody
    /// can use any more: of an earlier boot ([`Stale`](OpenError::Stale)),
    /// [`Damaged`](OpenError::Damaged), or of another version of the program
    /// ([`Mismatch`](OpenError::Mismatch)).
    ///
    /// However many processes do so at the same time, and wherever one of them dies, all get the
    /// same region. A region that a process has open is not replaced: after a second, the caller is
    /// told why it was refused. All processes must use this crate to open it, on a file system with
    /// `flock`; [`unlink`](Self::unlink) is still for one process alone, before the others start.
    ///
    /// ```
    /// # let directory = tempfile::tempdir().unwrap();
    /// # let path = directory.path().join("counter");
    /// use shm_lock::{RegionMutex, ShmRegion};
    ///
    /// drop(ShmRegion::create_new(&path, RegionMutex::new(7_u8))?);
    /// let counter = ShmRegion::open_or_replace_stale(&path, || RegionMutex::new(8_u64))?;
    /// assert_eq!(*counter.lock().unwrap(), 8);
    /// // As long as it is in use:
    /// assert!(ShmRegion::open_or_replace_stale(&path, || RegionMutex::new(9_u16)).is_err());
    /// # Ok::<(), shm_lock::OpenError>(())
    /// ```
    ///
    /// # Errors
    /// Every [`OpenError`].
    pub fn open_or_replace_stale(name: impl RegionName, init: impl FnOnce() -> R) -> Result<Self, OpenError> {
        Place::open_or_replace(&name.as_name(), init).map(ShmRegion)
    }

    /// Makes a region in memory that has no path; others get it by its descriptor ([`AsFd`],
    /// [`from_fd`](Self::from_fd)) or from their parent.
    ///
    /// `name` is for those who look at `/proc`. The region's size is sealed: nobody can truncate
    /// it.
    ///
    /// # Errors
    /// [`OpenError::Io`] or [`OpenError::Unsupported`].
    pub fn memfd(name: &str, content: R) -> Result<Self, OpenError> {
        Place::memfd(name, content).map(ShmRegion)
    }

    /// Opens the region that a file descriptor stands for, such as one that another process has
    /// sent or left open.
    ///
    /// ```
    /// use std::os::fd::AsFd;
    /// use shm_lock::{RegionMutex, ShmRegion};
    ///
    /// let made = ShmRegion::memfd("counter", RegionMutex::new(7_u64))?;
    /// let descriptor = made.as_fd().try_clone_to_owned().unwrap();
    /// let opened = ShmRegion::<RegionMutex<u64>>::from_fd(descriptor)?;
    /// assert_eq!(*opened.lock().unwrap(), 7);
    /// # Ok::<(), shm_lock::OpenError>(())
    /// ```
    ///
    /// # Errors
    /// Every [`OpenError`].
    #[cfg(all(unix, not(loom)))]
    pub fn from_fd(fd: OwnedFd) -> Result<Self, OpenError> {
        Place::from_fd(fd).map(ShmRegion)
    }

    /// Whether the path by which the region was opened still leads to it; for one without a path,
    /// whether it has any.
    ///
    /// A region loses its name by [`unlink`](Self::unlink), and by whoever cleans up:
    /// systemd-logind deletes a user's files in `/dev/shm` when the last session of the user ends
    /// (`RemoveIPC=yes`, which spares system users), systemd-tmpfiles and its like what nobody has
    /// touched in `/tmp` for days. Who opens it afterwards finds none or makes a new one, and has a
    /// lock that excludes nobody who has the old one. Where that may happen, look while you have
    /// the lock, and open it again if it is false.
    ///
    /// ```
    /// # let directory = tempfile::tempdir().unwrap();
    /// # let path = directory.path().join("counter");
    /// use shm_lock::{RegionMutex, ShmRegion};
    ///
    /// let counter = ShmRegion::create_new(&path, RegionMutex::new(7_u64))?;
    /// assert!(counter.is_linked());
    /// std::fs::remove_file(&path).unwrap();
    /// assert!(!counter.is_linked());
    /// # Ok::<(), shm_lock::OpenError>(())
    /// ```
    pub fn is_linked(&self) -> bool {
        self.0.is_linked()
    }

    /// Removes a region's name. Whoever has it open keeps it; who comes later finds none, or makes
    /// a new one.
    ///
    /// Only one process may do so to replace a region, before the others start: if two unlink and
    /// make one, each may have a lock of its own. Nothing else does so: a region outlives all
    /// processes that use it.
    ///
    /// ```
    /// # let directory = tempfile::tempdir().unwrap();
    /// # let path = directory.path().join("counter");
    /// use shm_lock::{RegionMutex, ShmRegion};
    ///
    /// let counter = ShmRegion::create_new(&path, RegionMutex::new(7_u64))?;
    /// ShmRegion::<RegionMutex<u64>>::unlink(&path).unwrap();
    /// assert!(!path.exists());
    /// assert_eq!(*counter.lock().unwrap(), 7);
    /// # Ok::<(), shm_lock::OpenError>(())
    /// ```
    ///
    /// # Errors
    /// What the operating system says; [`Unsupported`](io::ErrorKind::Unsupported) on systems
    /// without such regions.
    pub fn unlink(name: impl RegionName) -> io::Result<()> {
        Place::<R>::unlink(&name.as_name())
    }
}

impl<R: ShmLayout> Deref for ShmRegion<R> {
    type Target = R;

    #[inline]
    fn deref(&self) -> &R {
        self.0.content()
    }
}

#[cfg(all(unix, not(loom)))]
impl<R: ShmLayout> AsFd for ShmRegion<R> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.fd()
    }
}

impl<R: ShmLayout + fmt::Debug> fmt::Debug for ShmRegion<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ShmRegion").field(&**self).finish()
    }
}
