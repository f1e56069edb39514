//! A lock that nobody keeps is given back at once.

#![deny(unused_must_use)]

use shm_lock::{LockError, ShmMutex, ShmRegion, ShmSemaphore};

fn main() {
    let count = ShmMutex::memfd("count", 0_u64).unwrap();
    count.lock().unwrap();
    if let Err(LockError::Poisoned(value)) = count.lock() {
        value.mark_consistent();
    }
    let slots = ShmRegion::memfd("slots", ShmSemaphore::new(1)).unwrap();
    slots.acquire().unwrap();
}
