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
/// [`region!`](crate::region) declares. For a single mutex, [`ShmMutex`](crate::ShmMutex) is
/// shorter.
///
/// A string without a `/`, such as `"experiments"`, means a file in `/dev/shm`:
/// `/dev/shm/shm-lock-<user id>-experiments`. Anything else is a path
/// ([`RegionName`](crate::RegionName)). Only its owner can read and write the file. It exists until
/// it is [unlinked](Self::unlink) or, in `/dev/shm`, until the system restarts.
///
/// Nobody can prevent another user from creating the file first, because all users may write to the
/// directory. The file is then [`Untrusted`](OpenError::Untrusted). A path in `$XDG_RUNTIME_DIR`
/// avoids this.
///
/// A process holds one file descriptor and one mapping of a region, however often it opens the
/// region. They are released with the last of these values, or later if a guard was leaked.
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
/// If the file is truncated while it is mapped, every access to the lost part is a `SIGBUS`. Only
/// its owner can truncate a file with a path, but nothing prevents the owner from doing so. Regions
/// created by [`memfd`](Self::memfd) are sealed against it.
pub struct ShmRegion<R: ShmLayout>(Place<R>);

impl<R: ShmLayout> ShmRegion<R> {
    /// Creates a region with this content. Fails if a file with that name exists.
    ///
    /// The file appears with its whole content or not at all, whatever other processes do and
    /// wherever this process dies.
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
    /// [`OpenError::Io`] with [`AlreadyExists`](io::ErrorKind::AlreadyExists), or with another
    /// error of the system; [`OpenError::Unsupported`].
    pub fn create_new(name: impl RegionName, content: R) -> Result<Self, OpenError> {
        Place::create_new(&name.as_name(), content).map(ShmRegion)
    }

    /// Opens an existing region.
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

    /// Opens a region, or creates it with the content that `init` returns if there is none.
    ///
    /// If several processes do so at the same time, all get the same region, wherever one of them
    /// dies. `init` runs at most once in this call. Its content is dropped if another process is
    /// faster.
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
    /// Every [`OpenError`]. A file of an earlier boot causes [`OpenError::Stale`] and is not
    /// changed.
    pub fn open_or_create(name: impl RegionName, init: impl FnOnce() -> R) -> Result<Self, OpenError> {
        Place::open_or_create(&name.as_name(), init).map(ShmRegion)
    }

    /// Opens a region. If there is none, or one that no process can use any more, creates it with
    /// the content that `init` returns. This replaces a region of an earlier boot
    /// ([`Stale`](OpenError::Stale)), a [`Damaged`](OpenError::Damaged) one, and one of another
    /// version of the program ([`Mismatch`](OpenError::Mismatch)).
    ///
    /// If several processes do so at the same time, all get the same region, wherever one of them
    /// dies. A region that a process has open is not replaced: after a second, this returns the
    /// reason for the refusal. All processes must open the region with this crate, on a file system
    /// with `flock`. [`unlink`](Self::unlink) remains safe only for one process, before the others
    /// start.
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

    /// Creates a region in memory that has no path. Other processes get it by its descriptor
    /// ([`AsFd`], [`from_fd`](Self::from_fd)) or from their parent.
    ///
    /// `name` appears in `/proc`. The region's size is sealed, so nobody can truncate it.
    ///
    /// # Errors
    /// [`OpenError::Io`] or [`OpenError::Unsupported`].
    pub fn memfd(name: &str, content: R) -> Result<Self, OpenError> {
        Place::memfd(name, content).map(ShmRegion)
    }

    /// Opens the region of a file descriptor, such as one that another process has sent or left
    /// open.
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

    /// Returns whether the path with which the region was opened still leads to it. For a region
    /// without a path, returns whether it has any.
    ///
    /// A region can lose its name by [`unlink`](Self::unlink) and by cleanup services.
    /// systemd-logind deletes a user's files in `/dev/shm` when the last session of the user ends
    /// (`RemoveIPC=yes`, except for system users). systemd-tmpfiles and similar tools delete files
    /// in `/tmp` that were not used for days. A process that opens the name afterwards finds none,
    /// or creates a new region. Its lock does not exclude the holders of the old one. If this may
    /// happen, call this while you hold the lock, and open the region again if it returns false.
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

    /// Removes a region's name. Processes that have the region open keep it. Processes that come
    /// later find none, or create a new one.
    ///
    /// To replace a region in this way, only one process may do it, before the others start: if two
    /// processes unlink and create a region, each may get a lock of its own. Nothing else removes
    /// the name, and a region outlives all processes that use it.
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
    /// The error of the operating system; [`Unsupported`](io::ErrorKind::Unsupported) on systems
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
