//! The cores that this process may run on, and moving a thread to one of them.
//!
//! A *pinned* thread runs only on its core, and so does everything that it starts: threads, pools,
//! programs. A *placed* thread is moved to its core and may leave it. It has a good place until the
//! system finds a better one, and passes nothing on.

#[cfg(any(target_os = "linux", target_os = "android"))]
mod linux;
#[cfg(any(target_os = "linux", target_os = "android"))]
use linux as system;

#[cfg(not(any(target_os = "linux", target_os = "android")))]
mod other;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
use other as system;

mod at_work;

use std::thread;

pub(crate) use at_work::AtWork;
pub(crate) use system::{Unpinned, current_core, pin_current_thread, place_current_thread, usable_cores};

/// Returns how many threads of this process can run at once: the number of its cores or the quota
/// of its control group, whichever is smaller.
pub(crate) fn default_parallelism() -> usize {
    // The standard library counts the cores of the calling thread, or all cores on Windows.
    let threads = unpinned(|| thread::available_parallelism().map_or(1, usize::from));
    match usable_cores().len() {
        0 => threads,
        cores => threads.min(cores),
    }
}

/// Returns whether this many threads cannot each have a core of the process.
pub(crate) fn are_more_than_cores(threads: usize) -> bool {
    match usable_cores().len() {
        0 => threads > default_parallelism(),
        // Asking for the quota takes ten times as long, and waiting threads use it up either way.
        cores => threads > cores,
    }
}

/// Runs `op` on the calling thread without its pinning. Meanwhile the thread may run on all cores
/// of the process, and so may everything that `op` starts: threads, pools, other programs.
///
/// This is for workers that are pinned ([`Pinning::Cores`](crate::Pinning::Cores),
/// [`Pinning::Explicit`](crate::Pinning::Explicit)). Otherwise, everything that they start would
/// stay confined to their core. On other threads, this only calls `op`. The same holds on systems
/// where new threads do not inherit the pinning (Linux and Android do so), and where the system
/// forbids it.
///
/// This costs one system call, and on a pinned thread three: some microseconds. If the thread has
/// been moved meanwhile, moving it back takes about 50 µs.
///
/// # Panics
///
/// Panics when `op` does. The thread is pinned again first.
///
/// ```
/// use std::thread::available_parallelism;
/// use taskel::{Pinning, ThreadPool};
///
/// let all = available_parallelism()?;
/// let pool = ThreadPool::builder().pinning(Pinning::Cores).build()?;
/// let cores = pool.run_on_worker(|| taskel::unpinned(available_parallelism))?;
/// assert_eq!(cores, all);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn unpinned<R>(op: impl FnOnce() -> R) -> R {
    let _until_it_is_over = Unpinned::new();
    op()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;

    /// Runs `f` on a thread of its own, so a pinned thread never returns to the test runner.
    fn on_a_fresh_thread<R: Send>(f: impl FnOnce() -> R + Send) -> R {
        thread::scope(|s| s.spawn(f).join().expect("the test's closure"))
    }

    /// Returns what the standard library says about the calling thread.
    fn parallelism() -> usize {
        thread::available_parallelism().map_or(1, usize::from)
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
    fn a_pinned_thread_runs_on_its_core_and_is_free_only_while_it_is_unpinned() {
        let all = parallelism();
        for core in usable_cores() {
            on_a_fresh_thread(|| {
                pin_current_thread(core).expect("a core of the process");
                assert_eq!((parallelism(), current_core()), (1, Some(core)));
                assert_eq!(unpinned(parallelism), all);
                let _panic =
                    std::panic::catch_unwind(|| unpinned(|| std::panic::resume_unwind(Box::new(()))));
                assert_eq!((parallelism(), current_core()), (1, Some(core)));
                assert_eq!(default_parallelism(), all, "the cores of the process");
            });
        }
    }

    #[cfg(any(target_os = "linux", target_os = "android"))]
    #[test]
    #[cfg_attr(miri, ignore = "Miri has no cores")]
    fn a_placed_thread_may_leave_its_core() {
        let all = parallelism();
        for core in usable_cores() {
            on_a_fresh_thread(|| {
                place_current_thread(core).expect("a core of the process");
                assert_eq!(parallelism(), all);
            });
            on_a_fresh_thread(|| {
                pin_current_thread(core).expect("a core of the process");
                // A pinned thread cannot be placed on other cores.
                for other in usable_cores() {
                    assert_eq!(place_current_thread(other).is_ok(), other == core);
                    assert_eq!((parallelism(), current_core()), (1, Some(core)));
                }
            });
        }
    }

    #[test]
    fn a_core_that_does_not_exist_is_an_error_and_changes_nothing() {
        on_a_fresh_thread(|| {
            let before = (usable_cores(), parallelism());
            for core in [8192, 65_535, 65_536, usize::MAX] {
                let error = pin_current_thread(core).expect_err("kernels stop at 8192 cores");
                assert_eq!(error.kind(), io::ErrorKind::InvalidInput, "core {core}: {error}");
                assert!(place_current_thread(core).is_err(), "core {core}");
            }
            assert_eq!((usable_cores(), parallelism()), before);
        });
    }
}
