//! 64-bit Linux.

use std::ffi::CStr;
use std::fs::{self, File};
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::ptr;

use super::{Head, Wait};
use crate::error::Unsupported;
use crate::sync::AtomicU32;

/// Sleeps if `word` is `expected`, until it is woken or the monotonic clock reaches `until`
/// nanoseconds.
pub(crate) fn futex_wait(word: &AtomicU32, expected: u32, until: u64) -> Wait {
    let until =
        libc::timespec { tv_sec: (until / 1_000_000_000) as _, tv_nsec: (until % 1_000_000_000) as _ };
    // SAFETY: the call reads `word` and `until`, which live until it returns; the kernel checks all
    // else.
    let result = unsafe {
        libc::syscall(
            libc::SYS_futex,
            word.as_ptr(),
            libc::FUTEX_WAIT_BITSET,
            expected,
            &raw const until,
            ptr::null::<u32>(),
            libc::FUTEX_BITSET_MATCH_ANY,
        )
    };
    if result == 0 {
        return Wait::Woken;
    }
    match errno() {
        libc::EAGAIN => Wait::Woken,
        libc::ETIMEDOUT => Wait::TimedOut,
        libc::EINTR => Wait::Interrupted,
        other => Wait::Failed(other),
    }
}

/// Returns why the last call of this thread failed.
fn errno() -> i32 {
    io::Error::last_os_error().raw_os_error().unwrap_or(0)
}

/// Wakes up to `most` sleepers. Returns how many it woke.
pub(crate) fn futex_wake(word: &AtomicU32, most: u32) -> u32 {
    let most = most.min(i32::MAX as u32);
    // SAFETY: the call uses the address of `word` only to find those who sleep there.
    let woken = unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), libc::FUTEX_WAKE, most) };
    woken.max(0) as u32
}

/// Clears the highest bit of `word` and wakes all sleepers, under the lock that threads take to go
/// to sleep.
pub(crate) fn futex_clear_and_wake_all(word: &AtomicU32) {
    // `word &= !(1 << 31)`. The comparison does not matter, because the word is never negative
    // afterwards: all are woken.
    let operation =
        libc::FUTEX_OP(libc::FUTEX_OP_ANDN | libc::FUTEX_OP_OPARG_SHIFT, 31, libc::FUTEX_OP_CMP_EQ, 0);
    // SAFETY: the call changes `word` atomically, as every other access to it is; it dereferences
    // nothing else.
    unsafe {
        libc::syscall(
            libc::SYS_futex,
            word.as_ptr(),
            libc::FUTEX_WAKE_OP,
            i32::MAX,
            0_usize,
            word.as_ptr(),
            operation,
        )
    };
}

/// Returns the nanoseconds of the monotonic clock, which futexes use.
pub(crate) fn monotonic_ns() -> u64 {
    clock_ns(libc::CLOCK_MONOTONIC)
}

/// Returns the nanoseconds since boot. The kernel reports start times of threads by this clock.
pub(crate) fn since_boot_ns() -> u64 {
    clock_ns(libc::CLOCK_BOOTTIME)
}

fn clock_ns(clock: libc::clockid_t) -> u64 {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `now` is writable; the call cannot fail for these clocks.
    unsafe { libc::clock_gettime(clock, &raw mut now) };
    now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64
}

/// Returns the number of ticks per second in which the kernel reports start times of threads.
pub(crate) fn ticks_per_second() -> u64 {
    // SAFETY: the call has no preconditions.
    let ticks = unsafe { libc::sysconf(libc::_SC_CLK_TCK) };
    u64::try_from(ticks).ok().filter(|&ticks| ticks > 0).unwrap_or(100)
}

/// Returns the calling thread's id.
pub(crate) fn thread_id() -> u32 {
    // SAFETY: the call has no preconditions.
    let id = unsafe { libc::syscall(libc::SYS_gettid) };
    id as u32
}

/// Returns whether a thread of this process has this id. Returns true if this is unknown.
pub(crate) fn is_own_thread(id: u32) -> bool {
    let no_signal = 0;
    // SAFETY: signal 0 is sent to nobody; the call only looks for the thread.
    let result = unsafe { libc::syscall(libc::SYS_tgkill, std::process::id() as libc::pid_t, id, no_signal) };
    result == 0 || errno() != libc::ESRCH
}

/// Returns whether a process or thread has this id. Returns true if this is unknown.
pub(crate) fn is_alive(id: u32) -> bool {
    let no_signal = 0;
    // SAFETY: signal 0 is sent to nobody; the call only looks for the thread.
    let result = unsafe { libc::kill(id as libc::pid_t, no_signal) };
    result == 0 || errno() != libc::ESRCH
}

/// Returns the head of the calling thread's list of held locks, as registered in the kernel, and
/// its size. The head is null if there is none.
pub(crate) fn robust_list() -> Result<(*mut Head, usize), Unsupported> {
    let mut head = ptr::null_mut::<Head>();
    let mut size = 0_usize;
    let this_thread = 0;
    // SAFETY: `head` and `size` are writable.
    let result =
        unsafe { libc::syscall(libc::SYS_get_robust_list, this_thread, &raw mut head, &raw mut size) };
    if result == 0 {
        Ok((head, size))
    } else {
        Err(Unsupported::SystemCall { call: "get_robust_list", errno: errno() })
    }
}

/// Returns the number of this process's PID namespace.
pub(crate) fn pid_namespace() -> io::Result<u64> {
    Ok(fs::metadata("/proc/self/ns/pid")?.ino())
}

/// Returns the effective user id of the process.
pub(crate) fn user_id() -> u32 {
    // SAFETY: the call has no preconditions.
    unsafe { libc::geteuid() }
}

/// Sets the size of `file`, and reserves memory or disk space for all of it.
pub(crate) fn allocate(file: &File, size: u64) -> io::Result<()> {
    let size = libc::off_t::try_from(size).map_err(|_| io::Error::from(io::ErrorKind::FileTooLarge))?;
    // SAFETY: the descriptor is open; the call touches no memory.
    let result = unsafe { libc::fallocate(file.as_raw_fd(), 0, 0, size) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Gives a file without a name the name `path`. Fails if that exists.
pub(crate) fn link(file: &File, path: &CStr) -> io::Result<()> {
    let unnamed = format!("/proc/self/fd/{}\0", file.as_raw_fd());
    // SAFETY: both paths end in a zero byte and live until the call returns.
    let result = unsafe {
        libc::linkat(
            libc::AT_FDCWD,
            unnamed.as_ptr().cast(),
            libc::AT_FDCWD,
            path.as_ptr(),
            libc::AT_SYMLINK_FOLLOW,
        )
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Creates a file in memory without a path. `name` appears in `/proc`.
pub(crate) fn memory_file(name: &CStr) -> io::Result<File> {
    // SAFETY: `name` ends in a zero byte and lives until the call returns.
    let fd = unsafe { libc::memfd_create(name.as_ptr(), libc::MFD_CLOEXEC | libc::MFD_ALLOW_SEALING) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call has just opened it, so nobody else owns it.
    Ok(File::from(unsafe { OwnedFd::from_raw_fd(fd) }))
}

/// Prevents all later changes of the memory file's size.
pub(crate) fn seal_size(file: &File) -> io::Result<()> {
    let seals = libc::F_SEAL_SHRINK | libc::F_SEAL_GROW | libc::F_SEAL_SEAL;
    // SAFETY: the descriptor is open; the call touches no memory.
    let result = unsafe { libc::fcntl(file.as_raw_fd(), libc::F_ADD_SEALS, seals) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Locks the file until it is closed, alone or together with others. Fails with `WouldBlock` if
/// others prevent this.
pub(crate) fn lock_file(file: &File, alone: bool) -> io::Result<()> {
    let operation = if alone { libc::LOCK_EX } else { libc::LOCK_SH };
    // SAFETY: the descriptor is open; the call touches no memory.
    let result = unsafe { libc::flock(file.as_raw_fd(), operation | libc::LOCK_NB) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Returns whether the memory file cannot be truncated.
pub(crate) fn size_is_sealed(file: &File) -> io::Result<bool> {
    // SAFETY: the descriptor is open; the call touches no memory.
    let seals = unsafe { libc::fcntl(file.as_raw_fd(), libc::F_GET_SEALS) };
    if seals < 0 { Err(io::Error::last_os_error()) } else { Ok(seals & libc::F_SEAL_SHRINK != 0) }
}

/// Makes the kernel clear the page in a child of this process.
pub(crate) fn wipe_on_fork(page: &mut [u8]) -> io::Result<()> {
    // SAFETY: the range is the whole of a private mapping, which the call leaves as it is here.
    let result = unsafe { libc::madvise(page.as_mut_ptr().cast(), page.len(), libc::MADV_WIPEONFORK) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sync::Ordering;

    #[test]
    #[cfg_attr(miri, ignore = "Miri has no such system call")]
    fn clearing_leaves_all_other_bits() {
        for word in [0, 1, 1 << 31, 1 << 30, u32::MAX] {
            let futex = AtomicU32::new(word);
            futex_clear_and_wake_all(&futex);
            assert_eq!(futex.load(Ordering::Relaxed), word & !(1 << 31), "{word:#x}");
        }
    }

    #[test]
    fn a_wait_ends_at_once_if_the_word_differs_and_in_time_if_not() {
        let futex = AtomicU32::new(7);
        assert_eq!(futex_wait(&futex, 8, u64::MAX), Wait::Woken);
        assert_eq!(futex_wait(&futex, 7, monotonic_ns() + 1_000_000), Wait::TimedOut);
        assert_eq!(futex_wake(&futex, u32::MAX), 0);
    }

    #[test]
    #[cfg_attr(miri, ignore = "Miri has no such system call")]
    fn own_threads_are_told_from_others() {
        assert!(is_own_thread(thread_id()));
        assert!(!is_own_thread(1));
        assert!(is_alive(1) && !is_alive(crate::protocol::mutex::UNPLACED - 1));
    }
}
