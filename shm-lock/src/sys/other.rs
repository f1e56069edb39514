//! Systems on which no lock can be placed. Functions that need a placed lock are never called, and
//! do the minimum.

use std::time::Duration;

use super::{Head, Wait};
use crate::error::Unsupported;
use crate::sync::AtomicU32;

/// The error of every constructor.
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

/// The kernel walks no list of held locks.
pub(crate) fn robust_list() -> Result<(*mut Head, usize), Unsupported> {
    Err(unsupported())
}

/// Sleeps may end early.
pub(crate) fn futex_wait(_word: &AtomicU32, _expected: u32, _until: u64) -> Wait {
    std::thread::sleep(Duration::from_millis(1));
    Wait::Woken
}

/// Sleepers wake up on their own.
pub(crate) fn futex_wake(_word: &AtomicU32, _most: u32) -> u32 {
    0
}

/// Sleepers wake up on their own.
pub(crate) fn futex_clear_and_wake_all(_word: &AtomicU32) {}

/// No thread waits for a time.
pub(crate) fn monotonic_ns() -> u64 {
    0
}

/// No thread asks for start times.
pub(crate) fn since_boot_ns() -> u64 {
    0
}

/// No thread asks for start times.
pub(crate) fn ticks_per_second() -> u64 {
    100
}

/// No thread owns a lock.
pub(crate) fn thread_id() -> u32 {
    0
}

/// No thread owns a lock.
pub(crate) fn is_alive(_id: u32) -> bool {
    true
}

/// There are no regions, so none has a namespace.
pub(crate) fn pid_namespace() -> std::io::Result<u64> {
    Err(std::io::ErrorKind::Unsupported.into())
}

/// No process asks whether it was forked.
pub(crate) fn wipe_on_fork(_page: &mut [u8]) -> std::io::Result<()> {
    Ok(())
}
