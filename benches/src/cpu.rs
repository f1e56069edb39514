//! How much processor time this process has used.

/// The processor time of all threads of this process, in nanoseconds.
///
/// The kernel accounts for threads on other cores at its ticks of some milliseconds, so only
/// differences over many of them mean something.
///
/// # Panics
/// Panics where there is no such clock, which every Linux has.
#[must_use]
pub fn process_ns() -> f64 {
    ns_of(libc::CLOCK_PROCESS_CPUTIME_ID)
}

/// The processor time of the calling thread, in nanoseconds, up to now.
///
/// # Panics
/// As [`process_ns`].
#[must_use]
pub fn thread_ns() -> f64 {
    ns_of(libc::CLOCK_THREAD_CPUTIME_ID)
}

fn ns_of(clock: libc::clockid_t) -> f64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointer is to a timespec.
    let failed = unsafe { libc::clock_gettime(clock, &raw mut time) };
    assert_eq!(failed, 0, "every Linux has this clock");
    time.tv_sec as f64 * 1e9 + time.tv_nsec as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, Instant};

    #[test]
    fn working_uses_processor_time() {
        let (before, start) = (process_ns(), Instant::now());
        while start.elapsed() < Duration::from_millis(20) && process_ns() - before < 1e6 {}
        assert!(process_ns() > before);
    }
}
