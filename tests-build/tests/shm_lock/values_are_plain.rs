//! A pointer means nothing in another process.

use shm_lock::ShmMutex;

fn main() {
    ShmMutex::<String>::open("pointer").unwrap();
}
