//! A lock of the file system.

use super::{Peer, section};
use shm_lock::{Locks, ShmLayout, ShmRegion};
use std::{cell::UnsafeCell, env, fs::File, path::PathBuf, process};

/// The value; the lock is elsewhere.
#[repr(transparent)]
struct Value(UnsafeCell<u64>);

// SAFETY: accessed with the file locked.
unsafe impl Sync for Value {}
// SAFETY: as above.
unsafe impl Send for Value {}

// SAFETY: a number, and none of our locks.
unsafe impl ShmLayout for Value {
    fn describe(text: &mut String) {
        text.push_str("u64");
    }

    fn visit_locks(&self, _: &mut Locks<'_>) {}
}

pub(super) struct Flock {
    path: PathBuf,
    value: ShmRegion<Value>,
}

impl Flock {
    pub(super) fn new() -> Self {
        let path = env::temp_dir().join(format!("bench-flock-{}", process::id()));
        File::create(&path).expect("a file in the directory for temporary ones");
        let value = ShmRegion::memfd("bench", Value(UnsafeCell::new(0))).expect("shared memory");
        Flock { path, value }
    }

    /// `file` is the caller's own: a lock belongs to an opening of the file.
    fn visit(&self, file: &File, act: impl FnOnce(&mut u64)) {
        file.lock().expect("a lock on the file");
        // SAFETY: the file is locked, and all accesses are made here.
        act(unsafe { &mut *self.value.0.get() });
        file.unlock().expect("a lock to be given back");
    }

    fn open(&self) -> File {
        File::open(&self.path).expect("the file that was made")
    }
}

impl Peer for Flock {
    fn name(&self) -> &'static str {
        "flock"
    }

    fn is_shared(&self) -> bool {
        true
    }

    fn visitor(&self, iterations: u32) -> Box<dyn FnMut(u32) + '_> {
        let file = self.open();
        Box::new(move |times| {
            for _ in 0..times {
                self.visit(&file, |value| section(value, iterations));
            }
        })
    }

    fn count(&self) -> u64 {
        let mut count = 0;
        self.visit(&self.open(), |value| count = *value);
        count
    }
}

impl Drop for Flock {
    fn drop(&mut self) {
        // What is left over is empty.
        let _ = std::fs::remove_file(&self.path);
    }
}
