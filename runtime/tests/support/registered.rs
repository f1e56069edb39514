//! Has the process register for `membarrier(2)`: some time after the first pool was made, a thread
//! does that, once, when a lane wants what another keeps to itself.

use std::thread;
use std::time::{Duration, Instant};

use taskel::ThreadPool;

/// Runs what needs it until it is done, or the system refuses.
pub(crate) fn have_registered(pool: &ThreadPool) {
    let since = Instant::now();
    while !is_registered() {
        pool.install(|| {
            tree(12, Duration::ZERO); // Such joins are short: halves stay private.
            tree(12, Duration::from_millis(10));
        });
        assert!(since.elapsed() < Duration::from_secs(60), "nobody ever needs it");
    }
}

/// The first leaf sleeps.
fn tree(depth: u32, nap: Duration) {
    if depth == 0 {
        if !nap.is_zero() {
            thread::sleep(nap);
        }
        return;
    }
    taskel::join(|| tree(depth - 1, nap), || tree(depth - 1, Duration::ZERO));
}

/// Whether it has, or cannot.
#[cfg(target_os = "linux")]
fn is_registered() -> bool {
    let (command, flags) = (libc::MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0);
    // SAFETY: this only interrupts the threads of this process, or fails.
    let refused = unsafe { libc::syscall(libc::SYS_membarrier, command, flags) } != 0;
    !(refused && std::io::Error::last_os_error().kind() == std::io::ErrorKind::PermissionDenied)
}

#[cfg(not(target_os = "linux"))]
fn is_registered() -> bool {
    true
}
