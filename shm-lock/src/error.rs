//! Why a lock could not be opened.

use std::error::Error;
use std::path::PathBuf;
use std::{fmt, io};

/// Why a region of shared memory could not be created or opened.
///
/// `region` is its path. For a region without a path, it is what `/proc` shows, such as
/// `/memfd:experiments`. The message says what was expected, what was found and what to do.
///
/// ```
/// use shm_lock::OpenError;
///
/// let error = OpenError::Stale { region: "/dev/shm/experiments".into() };
/// assert!(error.to_string().starts_with("/dev/shm/experiments was left by an earlier boot"));
/// ```
///
/// To replace a refused file, use
/// [`open_or_replace_stale`](crate::ShmRegion::open_or_replace_stale). Do not remove the file and
/// create a new one yourself. If several processes do so, one may remove the new file of another.
/// Then two locks have the same name, and they do not exclude each other.
#[derive(Debug)]
#[non_exhaustive]
pub enum OpenError {
    /// The operating system refused: the region does not exist, already exists, may not be
    /// accessed, and so on.
    Io {
        /// The region in question.
        region: PathBuf,
        /// The operation that failed, such as `open` or `map`.
        operation: &'static str,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The region is not a lock, or was truncated or overwritten.
    Damaged {
        /// The region in question.
        region: PathBuf,
        /// The part that was checked, such as `size` or `magic number`.
        part: &'static str,
        /// What an intact lock has there.
        expected: String,
        /// What was found there.
        found: String,
    },
    /// The region holds a lock of a program that uses another layout.
    Mismatch {
        /// The region in question.
        region: PathBuf,
        /// What differs, such as `type`, `byte order` or `version`.
        part: &'static str,
        /// What this program uses.
        expected: String,
        /// What the region was created with.
        found: String,
    },
    /// The region was created before the last boot. Its owners are gone, and its content is
    /// useless.
    Stale {
        /// The region in question.
        region: PathBuf,
    },
    /// Other users could tamper with the region: it belongs to another user, is open to others, or
    /// is not a regular file.
    Untrusted {
        /// The region in question.
        region: PathBuf,
        /// What a trusted region looks like.
        expected: String,
        /// What this one looks like.
        found: String,
    },
    /// The region was created in another PID namespace, where the same thread id means another
    /// thread.
    OtherPidNamespace {
        /// The region in question.
        region: PathBuf,
        /// The inode number of this process's namespace.
        expected: u64,
        /// The inode number of the namespace in which the region was created.
        found: u64,
    },
    /// This process cannot use such locks.
    Unsupported(Unsupported),
}

/// Why this process cannot use a lock that survives its owner.
///
/// ```
/// use shm_lock::{OpenError, Unsupported};
///
/// let error = OpenError::from(Unsupported::OperatingSystem { found: "macos" });
/// assert!(matches!(error, OpenError::Unsupported(_)));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unsupported {
    /// The operating system is not Linux.
    OperatingSystem {
        /// Its name, as in [`std::env::consts::OS`].
        found: &'static str,
    },
    /// The kernel has no list of held locks for this thread, or the list does not have the layout
    /// of 64-bit glibc.
    ///
    /// The reason is another C library, a 32-bit program, or a thread started by a bare `clone`.
    RobustList {
        /// The property of the list that was checked, such as `offset of the lock word`.
        part: &'static str,
        /// Its value with glibc.
        expected: i64,
        /// Its value in this thread; `None` if there is no list.
        found: Option<i64>,
    },
    /// The lock is not in a [`ShmRegion`](crate::ShmRegion).
    NotInRegion,
    /// This process was forked into another PID namespace after it opened its first region. Other
    /// users of its locks would take its thread ids for those of other threads.
    OtherPidNamespace {
        /// The inode number of the namespace in which the region was opened.
        expected: u64,
        /// The inode number of this process's namespace.
        found: u64,
    },
    /// The kernel cannot clear a page in forked children. Without this, a child would take its
    /// parent's locks for its own.
    WipeOnFork,
    /// The system refuses a call that is needed to wait for a lock or to be registered as its
    /// owner. The reason may be a filter (seccomp).
    SystemCall {
        /// The call, such as `futex`.
        call: &'static str,
        /// Its error number.
        errno: i32,
    },
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OpenError::Io { region, operation, .. } if region.as_os_str().is_empty() => write!(
                f,
                "cannot {operation} a region without a name: expected a name or a path, found an empty string; \
                 give it a name such as \"experiments\""
            ),
            OpenError::Io { region, operation, source } => {
                let hint = match source.kind() {
                    _ if region.starts_with("/proc") => "mount /proc, which tells threads and boots apart",
                    _ if source.raw_os_error().is_some_and(is_shortage_of_files) => {
                        "close some files, or raise the limit of open files"
                    }
                    _ if source.raw_os_error().is_some_and(is_too_long) => "choose a shorter name",
                    io::ErrorKind::NotFound if *operation == "create" => "create its directory first",
                    io::ErrorKind::NotFound => "create it first, or open it with open_or_create",
                    io::ErrorKind::AlreadyExists => "open it instead, or choose another name",
                    io::ErrorKind::PermissionDenied => "run as the user who created it",
                    io::ErrorKind::InvalidInput if source.raw_os_error().is_none() => {
                        "choose a name without a NUL in it"
                    }
                    io::ErrorKind::StorageFull => "free some memory or choose another file system",
                    _ => "check that its directory exists and lies on a local file system",
                };
                write!(f, "cannot {operation} {}: {source}; {hint}", region.display())
            }
            OpenError::Damaged { region, part, expected, found } => write!(
                f,
                "{} holds no intact lock: expected {part} {expected}, found {found}; \
                 if no process uses it, open it with open_or_replace_stale",
                region.display()
            ),
            OpenError::Mismatch { region, part, expected, found } => write!(
                f,
                "{} was made by a different program: expected {part} {expected}, found {found}; \
                 use the same type in all processes, or, if that program is gone, open it with open_or_replace_stale",
                region.display()
            ),
            OpenError::Stale { region } => write!(
                f,
                "{} was left by an earlier boot: expected a lock made since this system started; \
                 open it with open_or_replace_stale",
                region.display()
            ),
            OpenError::Untrusted { region, found, .. } if found == A_DIRECTORY => write!(
                f,
                "{} is no lock: expected a regular file, found {A_DIRECTORY}; \
                 give the path of a file in it",
                region.display()
            ),
            OpenError::Untrusted { region, expected, found } => write!(
                f,
                "{} could be tampered with: expected {expected}, found {found}; \
                 give a path in a directory that only you can write to, such as $XDG_RUNTIME_DIR",
                region.display()
            ),
            OpenError::OtherPidNamespace { region, expected, found } => write!(
                f,
                "{} belongs to another PID namespace: expected {expected}, found {found}; \
                 run all its users in the same container",
                region.display()
            ),
            OpenError::Unsupported(reason) => reason.fmt(f),
        }
    }
}

/// Found where a file was expected. A directory must not be removed.
pub(crate) const A_DIRECTORY: &str = "a directory";

/// Linux's ENAMETOOLONG.
fn is_too_long(error: i32) -> bool {
    cfg!(target_os = "linux") && error == 36
}

/// EMFILE of the process, ENFILE of the system. The numbers are the same on all Unix systems.
fn is_shortage_of_files(error: i32) -> bool {
    cfg!(unix) && [23, 24].contains(&error)
}

impl Error for OpenError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            OpenError::Io { source, .. } => Some(source),
            _ => None,
        }
    }
}

impl From<Unsupported> for OpenError {
    fn from(reason: Unsupported) -> OpenError {
        OpenError::Unsupported(reason)
    }
}

impl fmt::Display for Unsupported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unsupported::OperatingSystem { found } => {
                write!(f, "expected to run on Linux, found {found}; use a lock within one process here")
            }
            Unsupported::NotInRegion => f.write_str(
                "expected a lock in a region, found one that was not put there; give it to ShmRegion::create_new",
            ),
            Unsupported::OtherPidNamespace { expected, found } => write!(
                f,
                "expected to run in the PID namespace {expected}, in which this process's first lock was opened, found \
                 {found}; enter the namespace before any lock is opened, or run a new program (exec) in it"
            ),
            Unsupported::SystemCall { call, errno } => write!(
                f,
                "expected that the system call {call} works, found that it says: {}; allow it in this process's \
                 system call filter",
                io::Error::from_raw_os_error(*errno)
            ),
            Unsupported::WipeOnFork => f.write_str(
                "expected memory that is cleared in a child, found that the system refuses it; \
                 run on Linux 4.14 or later, with a page of memory to spare",
            ),
            Unsupported::RobustList { part, expected, found } => {
                write!(
                    f,
                    "expected a list of held locks as 64-bit glibc lays it out, with {part} {expected}, found "
                )?;
                match found {
                    Some(found) => write!(f, "{found}")?,
                    None => write!(f, "no list")?,
                }
                write!(
                    f,
                    "; build for a 64-bit linux-gnu target and lock in threads started by std or pthread"
                )
            }
        }
    }
}

impl Error for Unsupported {}
