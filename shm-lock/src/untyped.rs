//! A mutex whose value type is known only at run time, for tools and for other languages.
//!
//! It is the same lock in the same file as [`ShmMutex`](crate::ShmMutex). So a program with
//! `ShmMutex<u64>` and one that opens its file here exclude each other. `LAYOUT.md` describes the
//! file. The command `shm-lock` and the C functions of `shm-lock-c` use this module.
//!
//! ```
//! # let directory = tempfile::tempdir().unwrap();
//! # let path = directory.path().join("count");
//! use shm_lock::ShmMutex;
//! use shm_lock::untyped::{UntypedMutex, ValueType};
//!
//! let count = ShmMutex::create_new(&path, 7_u64)?;
//! let same = UntypedMutex::open(&path, ValueType::new("u64", 8, 8)?)?;
//! let guard = same.head().lock().unwrap();
//! // SAFETY: a number that lies there, which nobody changes while the lock is held.
//! assert_eq!(unsafe { same.value().unwrap().cast::<u64>().read() }, 7);
//! assert!(same.state().owner.is_some());
//! drop(guard);
//! assert_eq!(*count.lock().unwrap(), 7);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::fmt;
use std::io;
use std::ptr::NonNull;

use crate::error::OpenError;
use crate::mutex::RegionMutex;
use crate::name::RegionName;
use crate::place::Place;
use crate::protocol::mutex::{LOST, OWNER_DIED, TID, UNPLACED, WAITERS};
use crate::sync::{AtomicU32, Ordering};

/// A mutex's first cache line: the lock, and the part of its value that follows there.
pub type Head = RegionMutex<[u8; 24]>;

const _: () = assert!(size_of::<Head>() == 64 && align_of::<Head>() == 64);

/// The offset of a value with no greater alignment.
const VALUE: usize = 40;

/// The type of a mutex's value.
///
/// ```
/// use shm_lock::untyped::ValueType;
///
/// let progress = ValueType::new("Progress{done@0: u64, rate@8: f64}", 16, 8)?;
/// assert!(ValueType::new("u64", 8, 3).is_err());
/// # Ok::<(), shm_lock::untyped::InvalidType>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ValueType<'a> {
    text: &'a str,
    size: usize,
    align: usize,
}

/// Why a [`ValueType`] is invalid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidType {
    part: &'static str,
    expected: &'static str,
    found: usize,
}

impl fmt::Display for InvalidType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let InvalidType { part, expected, found } = self;
        write!(
            f,
            "expected a value's {part} to be {expected}, found {found}; pass the values of the compiler"
        )
    }
}

impl std::error::Error for InvalidType {}

impl<'a> ValueType<'a> {
    /// Creates the type with the description `text`, as
    /// [`ShmPod::describe`](crate::ShmPod::describe) writes it, with `size` bytes, aligned to
    /// `align`.
    ///
    /// # Errors
    /// [`InvalidType`] unless `align` is a power of two and at most 4096, and `size` a multiple of
    /// it below 2³².
    pub fn new(text: &'a str, size: usize, align: usize) -> Result<Self, InvalidType> {
        let invalid = |part, expected, found| Err(InvalidType { part, expected, found });
        if !align.is_power_of_two() || align > 4096 {
            return invalid("alignment", "a power of two up to 4096", align);
        }
        if size % align != 0 || size >= 1 << 32 {
            return invalid("size", "a multiple of its alignment below 4 GiB", size);
        }
        Ok(ValueType { text, size, align })
    }

    fn offset(&self) -> usize {
        VALUE.next_multiple_of(self.align)
    }

    /// Returns text, size and alignment of a [`RegionMutex`] with such a value.
    pub(crate) fn of_mutex(&self) -> (String, usize, usize) {
        let align = self.align.max(align_of::<Head>());
        let size = (self.offset() + self.size).next_multiple_of(align);
        (format!("RegionMutex<{}>@{}", self.text, self.offset()), size, align)
    }
}

/// A mutex in a file, with a value of any type. See the [module](self).
pub struct UntypedMutex {
    place: Place<Head>,
    description: String,
    /// The offset of the value, if known.
    value: Option<usize>,
}

/// The state of a mutex at one moment. It may have changed when you look at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MutexState {
    /// The id of the thread that holds it. The thread may be dead without anybody having noticed.
    pub owner: Option<u32>,
    /// A thread may be waiting for it.
    pub has_waiters: bool,
    /// The next locker gets [`OwnerDied`](crate::LockError::OwnerDied) or
    /// [`Poisoned`](crate::LockError::Poisoned), or the current owner did.
    pub is_torn: bool,
    /// Every locker gets [`NotRecoverable`](crate::LockError::NotRecoverable).
    pub is_lost: bool,
}

impl UntypedMutex {
    /// Opens an existing mutex with any value.
    ///
    /// # Errors
    /// Every [`OpenError`]. A region that does not hold a single mutex is a
    /// [`Mismatch`](OpenError::Mismatch).
    pub fn open_found(name: impl RegionName) -> Result<Self, OpenError> {
        UntypedMutex::of(Place::open_found(&name.as_name())?, None)
    }

    /// Opens a mutex with any value. If there is none, or one of an earlier boot, creates one with
    /// an all-zero value of type `value`.
    ///
    /// # Errors
    /// Every [`OpenError`] but [`Stale`](OpenError::Stale), unless a process uses the stale file.
    pub fn open_found_or_create(name: impl RegionName, value: ValueType<'_>) -> Result<Self, OpenError> {
        UntypedMutex::of(Place::open_found_or_create(&name.as_name(), &value)?, None)
    }

    /// Creates a mutex with an all-zero value. See
    /// [`ShmRegion::create_new`](crate::ShmRegion::create_new).
    ///
    /// # Errors
    /// [`OpenError::Io`] with [`AlreadyExists`](io::ErrorKind::AlreadyExists), or with another
    /// error of the system; [`OpenError::Unsupported`].
    pub fn create_new(name: impl RegionName, value: ValueType<'_>) -> Result<Self, OpenError> {
        UntypedMutex::of(Place::create_untyped(&name.as_name(), &value)?, Some(value.offset()))
    }

    /// Opens an existing mutex. See [`ShmRegion::open`](crate::ShmRegion::open).
    ///
    /// # Errors
    /// Every [`OpenError`].
    pub fn open(name: impl RegionName, value: ValueType<'_>) -> Result<Self, OpenError> {
        UntypedMutex::of(Place::open_untyped(&name.as_name(), &value)?, Some(value.offset()))
    }

    /// Opens a mutex, or creates it with an all-zero value. See
    /// [`ShmRegion::open_or_create`](crate::ShmRegion::open_or_create).
    ///
    /// # Errors
    /// Every [`OpenError`].
    pub fn open_or_create(name: impl RegionName, value: ValueType<'_>) -> Result<Self, OpenError> {
        UntypedMutex::of(Place::open_or_create_untyped(&name.as_name(), &value)?, Some(value.offset()))
    }

    /// Opens a mutex. If there is none, or one that no process can use any more, creates it. See
    /// [`ShmRegion::open_or_replace_stale`](crate::ShmRegion::open_or_replace_stale).
    ///
    /// # Errors
    /// Every [`OpenError`].
    pub fn open_or_replace_stale(name: impl RegionName, value: ValueType<'_>) -> Result<Self, OpenError> {
        UntypedMutex::of(Place::open_or_replace_untyped(&name.as_name(), &value)?, Some(value.offset()))
    }

    /// Removes a mutex's name. See [`ShmRegion::unlink`](crate::ShmRegion::unlink).
    ///
    /// # Errors
    /// The error of the operating system.
    pub fn unlink(name: impl RegionName) -> io::Result<()> {
        Place::<Head>::unlink(&name.as_name())
    }

    /// `offset` is that of the value, if known. Otherwise it is read from the description, unless
    /// that is truncated.
    fn of(place: Place<Head>, offset: Option<usize>) -> Result<Self, OpenError> {
        let (description, size) = place.description()?;
        let told = || description.rsplit_once(">@").and_then(|(_, offset)| offset.parse().ok());
        let value = offset.or_else(told).filter(|offset| (VALUE..=size).contains(offset));
        Ok(UntypedMutex { place, description, value })
    }

    /// Returns whether the path with which the mutex was opened still leads to it. See
    /// [`ShmRegion::is_linked`](crate::ShmRegion::is_linked).
    pub fn is_linked(&self) -> bool {
        self.place.is_linked()
    }

    /// Returns the description of the mutex and its value, such as `RegionMutex<u64>@40`, truncated
    /// after 168 bytes.
    pub fn description(&self) -> &str {
        &self.description
    }

    /// Returns the lock. Its guard gives access to the first bytes of the value, or to unused
    /// bytes.
    pub fn head(&self) -> &Head {
        self.place.content()
    }

    /// Returns where the value is. Access it only while the lock is held. Returns `None` if the
    /// type is unknown and its [`description`](Self::description) is truncated.
    pub fn value(&self) -> Option<NonNull<u8>> {
        // SAFETY: the content is larger than the offset (`of`), and mapped.
        self.value.map(|offset| unsafe { self.place.address().cast::<u8>().add(offset) })
    }

    /// Returns the current state of the mutex.
    pub fn state(&self) -> MutexState {
        let (word, condition) = (self.word(0), self.word(2));
        let (owner, is_torn) = (word & TID, word & OWNER_DIED != 0);
        MutexState {
            owner: (owner != 0 && owner != UNPLACED).then_some(owner),
            has_waiters: word & WAITERS != 0,
            is_torn,
            is_lost: is_torn && condition == LOST,
        }
    }

    /// Returns a word of the lock.
    fn word(&self, index: usize) -> u32 {
        // SAFETY: a mutex begins with more words than are asked for, and is mapped.
        let word = unsafe { self.place.address().cast::<u32>().add(index) };
        // SAFETY: it is aligned, and everybody accesses it by atomic instructions.
        unsafe { AtomicU32::from_ptr(word.as_ptr()) }.load(Ordering::Relaxed)
    }
}

impl fmt::Debug for UntypedMutex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UntypedMutex")
            .field("description", &self.description)
            .field("state", &self.state())
            .finish_non_exhaustive()
    }
}
