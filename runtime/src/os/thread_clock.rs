//! How long the calling thread has run on a processor.

/// Returns the processor time of the calling thread, in nanoseconds, or `None` if it is unknown.
/// This is a system call.
#[cfg(all(unix, not(miri)))]
pub(crate) fn processor_ns() -> Option<u64> {
    let mut time = std::mem::MaybeUninit::<libc::timespec>::uninit();
    // SAFETY: it writes to what the pointer is to, which is large enough.
    let failed = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, time.as_mut_ptr()) };
    if failed != 0 {
        return None;
    }
    // SAFETY: it did not fail, and so has written.
    let time = unsafe { time.assume_init() };
    let [seconds, ns] = [u64::try_from(time.tv_sec).ok()?, u64::try_from(time.tv_nsec).ok()?];
    seconds.checked_mul(1_000_000_000)?.checked_add(ns)
}

#[cfg(not(all(unix, not(miri))))]
pub(crate) fn processor_ns() -> Option<u64> {
    None
}

/// Returns how many voluntary and involuntary context switches the calling thread has made, or
/// zeros if this is unknown. This is a system call.
#[cfg(all(any(target_os = "linux", target_os = "android"), not(miri)))]
pub(crate) fn switches() -> (u64, u64) {
    let mut usage = std::mem::MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: it writes to what the pointer is to, which is large enough.
    let failed = unsafe { libc::getrusage(libc::RUSAGE_THREAD, usage.as_mut_ptr()) };
    // SAFETY: the struct consists of numbers, for which all zeros are valid.
    let usage = unsafe { usage.assume_init() };
    let count = |count| if failed == 0 { u64::try_from(count).unwrap_or(0) } else { 0 };
    (count(usage.ru_nvcsw), count(usage.ru_nivcsw))
}

#[cfg(not(all(any(target_os = "linux", target_os = "android"), not(miri))))]
pub(crate) fn switches() -> (u64, u64) {
    (0, 0)
}

#[cfg(all(test, unix, not(miri)))]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn a_thread_that_sleeps_has_no_processor() {
        let before = processor_ns().expect("a clock");
        std::thread::sleep(Duration::from_millis(30));
        #[cfg(any(target_os = "linux", target_os = "android"))]
        assert!(switches().0 > 0, "a voluntary context switch");
        let asleep_ns = processor_ns().expect("a clock") - before;
        assert!(asleep_ns < 20_000_000, "{asleep_ns} ns");
        let since = Instant::now();
        while processor_ns().expect("a clock") - before < asleep_ns + 5_000_000 {
            assert!(since.elapsed() < Duration::from_secs(60), "the clock stands still");
        }
    }
}
