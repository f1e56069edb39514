//! The region is unmapped when the lock is dropped.

use shm_lock::ShmMutex;

fn main() {
    let guard = {
        let mutex = ShmMutex::<u64>::open("guard").unwrap();
        mutex.lock().unwrap()
    };
    drop(guard);
}
