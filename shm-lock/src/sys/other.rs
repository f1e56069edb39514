//! Systems on which no lock can be placed. What is called only for one that is placed does the
//! least that is right.

use std::time::Duration;

use super::{Head, Wait};
use crate::error::Unsupported;
use crate::sync::AtomicU32;

/// What every constructor says.
pub(crate) fn unsupported() -> Unsupported {
    if cfg!(target_os = "linux") {
        Unsupported::RobustList {
            part: "width of a pointer",
            expected: 64,
            found: Some(i64::from(usize::BITS)),
        }
    } else {
        Unsupported::OperatingSystem { found: std::env::consts::OS }
    }
}

/// There is no list of held locks that the kernel walks.
pub(crate) fn robust_list() -> Result<(*mut Head, usize), Unsupported> {
    Err(unsupported())
}

/// Sleeps are allowed to end early.
pub(crate) fn futex_wait(_word: &AtomicU32, _expected: u32, _until: u64) -> Wait {
    std::thread::sleep(Duration::from_millis(1));
    Wait::Woken
}

/// Sleepers wake by themselves.
pub(crate) fn futex_wake(_word: &AtomicU32, _most: u32) -> u32 {
    0
}

/// Sleepers wake by themselves.
pub(crate) fn futex_clear_and_wake_all(_word: &AtomicU32) {}

/// Nobody waits for a time.
pub(crate) fn monotonic_ns() -> u64 {
    0
}

/// Nobody asks when a thread was started.
pub(crate) fn since_boot_ns() -> u64 {
    0
}

/// Nobody asks when a thread was started.
pub(crate) fn ticks_per_second() -> u64 {
    100
}

/// Nobody owns a lock.
pub(crate) fn thread_id() -> u32 {
    0
}

/// Nobody owns a lock.
pub(crate) fn is_alive(_id: u32) -> bool {
    true
}

/// There is no place for locks, so none that has one.
pub(crate) fn pid_namespace() -> std::io::Result<u64> {
    Err(std::io::ErrorKind::Unsupported.into())
}

/// Nobody asks whether the process was forked.
pub(crate) fn wipe_on_fork(_page: &mut [u8]) -> std::io::Result<()> {
    Ok(())
}
