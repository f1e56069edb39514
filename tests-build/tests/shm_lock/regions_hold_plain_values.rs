//! A pointer means nothing in another process.

use shm_lock::RegionMutex;

shm_lock::region! {
    struct Jobs {
        waiting: RegionMutex<u64>,
        names: Vec<u8>,
    }
}

fn main() {}
