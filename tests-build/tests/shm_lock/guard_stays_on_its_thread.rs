//! The kernel keeps the list of the locks that a thread holds.

use shm_lock::ShmMutex;

fn main() {
    let mutex = ShmMutex::<u64>::open("guard").unwrap();
    let guard = mutex.lock().unwrap();
    std::thread::scope(|scope| {
        scope.spawn(move || drop(guard));
    });
}
