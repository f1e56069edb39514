//! The files that this process has mapped. Each is mapped once, however often it is opened.
//!
//! If a thread of this process holds a lock in a mapping, the mapping must stay, because glibc and
//! the kernel follow the thread's list through it ([`is_held`](Mapping::is_held)). There is one
//! mapping per file, so no more mappings stay than locks are held.
//!
//! # Forks
//!
//! The table is locked during a fork, so the child finds it consistent and unlocked. A child made
//! by a bare `clone` may find it locked for ever. Such a child takes no locks, opens nothing, and
//! never touches what it inherited.

use std::cell::UnsafeCell;
use std::collections::BTreeMap;
use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;

use memmap2::{MmapOptions, MmapRaw};

use super::open::io_error;
use crate::error::OpenError;
use crate::header::Header;
use crate::layout::{ShmLayout, for_each_lock};
use crate::sync::{AtomicBool, Ordering};
use crate::sys;

/// A mapped file.
pub(super) struct Mapping {
    file: File,
    map: MmapRaw,
    key: Key,
}

/// Device and inode of a file, the random number of its region, and the mapped length. Device and
/// inode alone may be reused: in-memory file systems count up to 2³² on some kernels.
type Key = (u64, u64, u64, usize);

impl Mapping {
    /// Returns the mapping of `file`, which holds a region as described by `header`, with the
    /// random number `id`.
    pub(super) fn of(file: File, path: &Path, header: &Header, id: u64) -> Result<Arc<Mapping>, OpenError> {
        let metadata = file.metadata().map_err(io_error(path, "examine"))?;
        let key = (metadata.dev(), metadata.ino(), id, header.region_size());
        with_table(|table| {
            if let Some(mapping) = table.get(&key) {
                return Ok(Arc::clone(mapping));
            }
            let map =
                MmapOptions::new().len(header.region_size()).map_raw(&file).map_err(io_error(path, "map"))?;
            let mapping = Arc::new(Mapping { file, map, key });
            table.insert(key, Arc::clone(&mapping));
            Ok(mapping)
        })
    }

    pub(super) fn file(&self) -> &File {
        &self.file
    }

    pub(super) fn start(&self) -> *mut u8 {
        self.map.as_mut_ptr()
    }

    /// Unmaps the file if this is its last use in the process, and no thread of the process holds a
    /// lock in `content`, which is in the file.
    pub(super) fn release<R: ShmLayout>(self: Arc<Self>, content: &R) {
        with_table(|table| {
            // One more belongs to the table.
            if Arc::strong_count(&self) == 2 && !self.is_held(content) {
                table.remove(&self.key);
            }
        });
    }

    /// Returns whether a thread of this process holds a lock in `content`. Also returns true if the
    /// file has become shorter, because the answer is unknown then.
    fn is_held<R: ShmLayout>(&self, content: &R) -> bool {
        let is_whole = |file: &File| file.metadata().is_ok_and(|found| found.len() >= self.key.3 as u64);
        if !is_whole(&self.file) {
            return true;
        }
        let mut held = false;
        for_each_lock(content, |lock| {
            let owner = lock.mutex().owner();
            held |= owner != 0 && sys::is_own_thread(owner);
        });
        held
    }
}

type Table = BTreeMap<Key, Arc<Mapping>>;

struct Locked {
    lock: UnsafeCell<libc::pthread_mutex_t>,
    table: UnsafeCell<Table>,
}

// SAFETY: `table` is accessed with `lock` locked, and what is in it is `Send` and `Sync`.
unsafe impl Sync for Locked {}

static MAPPINGS: Locked = Locked {
    lock: UnsafeCell::new(libc::PTHREAD_MUTEX_INITIALIZER),
    table: UnsafeCell::new(BTreeMap::new()),
};

/// `act` must neither fork nor use the table.
fn with_table<T>(act: impl FnOnce(&mut Table) -> T) -> T {
    struct Unlock;
    impl Drop for Unlock {
        fn drop(&mut self) {
            unlock();
        }
    }
    static WATCHES_FORKS: AtomicBool = AtomicBool::new(false);
    if !WATCHES_FORKS.swap(true, Ordering::Relaxed) {
        // SAFETY: the functions lock and unlock what is there for ever. If there is no memory for
        // that, a fork while another thread opens a file leaves the child a table that is locked.
        let _ = unsafe { libc::pthread_atfork(Some(lock), Some(unlock), Some(unlock)) };
    }
    lock();
    let _unlock = Unlock;
    // SAFETY: the lock is held, by this thread once.
    act(unsafe { &mut *MAPPINGS.table.get() })
}

extern "C" fn lock() {
    // SAFETY: a mutex that lives for ever.
    unsafe { libc::pthread_mutex_lock(MAPPINGS.lock.get()) };
}

extern "C" fn unlock() {
    // SAFETY: a mutex that this thread, or the one that it is a copy of, has locked.
    unsafe { libc::pthread_mutex_unlock(MAPPINGS.lock.get()) };
}
