//! Cores: which ones this process may run on, and pinning a thread to one of them.

use std::io;
use std::thread;

/// The cores that the calling thread may run on, ascending; empty when that cannot be found out.
///
/// On Linux this is the thread's affinity mask, which a new thread inherits from its parent: asked by a thread
/// that is itself pinned, it is that one core. A kernel with more than 1024 cores rejects the mask of fixed size
/// that `core_affinity` passes, so there the answer is "unknown".
pub(crate) fn usable_cores() -> Vec<usize> {
    let mut cores: Vec<usize> =
        core_affinity::get_core_ids().unwrap_or_default().into_iter().map(|core| core.id).collect();
    cores.sort_unstable();
    cores
}

/// How many threads can run at once: the affinity mask and the cgroup's CPU quota, whichever is smaller.
pub(crate) fn default_parallelism() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// Lets the calling thread run on `core` alone.
///
/// # Errors
/// The operating system's refusal: no such core, a core outside the process's cpuset, a sandbox that forbids the
/// call. The thread then runs wherever it could before. The error does not name the core; the caller knows it.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) fn pin_current_thread(core: usize) -> io::Result<()> {
    // Not core_affinity::set_for_current: it says "no" without the reason and indexes out of a 1024-core mask.
    const WORD_BITS: usize = libc::c_ulong::BITS as usize;
    const MORE_CORES_THAN_ANY_KERNEL: usize = 1 << 16;
    if core >= MORE_CORES_THAN_ANY_KERNEL {
        return Err(io::Error::from_raw_os_error(libc::EINVAL));
    }
    // glibc's cpu_set_t is an array of c_ulong; the kernel takes such an array of any length.
    let mut mask: Vec<libc::c_ulong> = vec![0; core / WORD_BITS + 1];
    mask[core / WORD_BITS] = 1 << (core % WORD_BITS);
    let this_thread = 0;
    // SAFETY: the kernel reads exactly `size_of_val(mask)` bytes at the pointer, all of them inside `mask`, which
    // outlives the call; it writes nothing. `cpu_set_t` is asked for by type only, the length rules.
    let status =
        unsafe { libc::sched_setaffinity(this_thread, size_of_val(mask.as_slice()), mask.as_ptr().cast()) };
    if status == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Lets the calling thread run on `core` alone, or asks the system to prefer it where it knows only preferences.
///
/// # Errors
/// No such core, or a system that does not let threads choose.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(crate) fn pin_current_thread(core: usize) -> io::Result<()> {
    if !usable_cores().contains(&core) {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "not one of the cores this process may use"));
    }
    if core_affinity::set_for_current(core_affinity::CoreId { id: core }) {
        Ok(())
    } else {
        Err(io::Error::other("the system refused to pin the thread"))
    }
}

/// The core that the calling thread is on right now, if the system tells cheaply; it may have moved on since.
///
/// A read of a register in the vDSO on Linux: a few nanoseconds, no system call.
#[inline]
pub(crate) fn current_core() -> Option<usize> {
    #[cfg(all(any(target_os = "linux", target_os = "android"), not(miri)))]
    {
        // SAFETY: takes no argument and touches no memory of ours.
        let core = unsafe { libc::sched_getcpu() };
        usize::try_from(core).ok()
    }
    #[cfg(any(miri, not(any(target_os = "linux", target_os = "android"))))]
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs `f` on a thread of its own, so that a pinned thread never goes back to the test runner.
    fn on_a_fresh_thread<R: Send>(f: impl FnOnce() -> R + Send) -> R {
        thread::scope(|s| s.spawn(f).join().expect("the test's closure"))
    }

    #[test]
    fn usable_cores_are_distinct_and_ascending() {
        let cores = usable_cores();
        assert!(cores.is_sorted_by(|a, b| a < b), "{cores:?}");
    }

    #[test]
    fn a_quota_or_mask_never_yields_more_threads_than_cores() {
        let cores = usable_cores().len();
        let threads = default_parallelism();
        assert!(threads >= 1);
        assert!(cores == 0 || threads <= cores, "{threads} threads on {cores} cores");
    }

    #[cfg(any(target_os = "linux", target_os = "android"))]
    #[test]
    #[cfg_attr(miri, ignore = "Miri has no cores")]
    fn a_pinned_thread_runs_on_its_core_and_sees_no_other() {
        for core in usable_cores() {
            on_a_fresh_thread(|| {
                pin_current_thread(core).expect("a core of the affinity mask");
                assert_eq!(usable_cores(), [core]);
                assert_eq!(current_core(), Some(core));
            });
        }
    }

    #[test]
    fn a_core_that_does_not_exist_is_an_error_and_changes_nothing() {
        on_a_fresh_thread(|| {
            let before = usable_cores();
            for core in [8192, 65_535, 65_536, usize::MAX] {
                let error = pin_current_thread(core).expect_err("kernels stop at 8192 cores");
                assert_eq!(error.kind(), io::ErrorKind::InvalidInput, "core {core}: {error}");
            }
            assert_eq!(usable_cores(), before);
        });
    }
}
