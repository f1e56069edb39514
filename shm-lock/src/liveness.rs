//! Whether the thread that owns a lock is still alive.
//!
//! `/proc/<number>/stat` exists for threads as for processes. It shows whether the thread is a
//! zombie, whose locks the kernel has already marked. It also shows when the thread was started: a
//! thread that began after its number was seen as an owner's is another thread with the same
//! number.

use std::{fs, io};

use crate::sys;

/// Returns whether the thread that had this number `since_ns` after boot is dead. Returns false if
/// this is unknown.
pub(crate) fn is_dead(thread: u32, since_ns: u64) -> bool {
    match fs::read_to_string(format!("/proc/{thread}/stat")) {
        Ok(stat) => shows_dead(&stat, since_ns, sys::ticks_per_second()),
        // ESRCH: the thread died between the open and the read.
        Err(error) if error.kind() == io::ErrorKind::NotFound => !sys::is_alive(thread),
        Err(_) => !sys::is_alive(thread),
    }
}

/// Returns whether the line describes a dead thread, or one that was started after `since_ns`.
fn shows_dead(stat: &str, since_ns: u64, ticks_per_second: u64) -> bool {
    const START: usize = 19;
    // The name, in parentheses, may contain any character.
    let Some((_, fields)) = stat.rsplit_once(')') else { return false };
    let mut fields = fields.split_ascii_whitespace();
    if matches!(fields.next(), Some("Z" | "X" | "x")) {
        return true;
    }
    let started = fields.nth(START - 1).and_then(|ticks| ticks.parse::<u64>().ok());
    let since_ticks = u128::from(since_ns) * u128::from(ticks_per_second) / 1_000_000_000;
    started.is_some_and(|started| u128::from(started) > since_ticks)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    fn stat(state: &str, started: u64) -> String {
        format!(
            "7 (a) b) {state} 1 7 7 0 -1 4194304 1 0 0 0 1 2 0 0 20 0 1 0 {started} 4096 1 18446744073709551615"
        )
    }

    #[test]
    #[cfg_attr(miri, ignore = "Miri's threads are not the system's")]
    fn the_living_are_not_dead() {
        let stat = fs::read_to_string("/proc/thread-self/stat").unwrap();
        assert!(!shows_dead(&stat, sys::since_boot_ns(), sys::ticks_per_second()), "{stat}");
        assert!(!is_dead(sys::thread_id(), sys::since_boot_ns()));
        assert!(!is_dead(1, sys::since_boot_ns()));
    }

    #[test]
    #[cfg_attr(miri, ignore = "Miri's threads are not the system's")]
    fn zombies_and_threads_that_began_later_are_dead() {
        assert!(!shows_dead(&stat("S", 500), 5 * SECOND, 100));
        assert!(shows_dead(&stat("Z", 500), 5 * SECOND, 100));
        assert!(shows_dead(&stat("S", 501), 5 * SECOND, 100));
        assert!(!shows_dead("", 0, 100));
    }

    #[test]
    #[cfg_attr(miri, ignore = "Miri's threads are not the system's")]
    fn a_number_that_no_thread_has_is_dead() {
        assert!(is_dead(crate::protocol::mutex::UNPLACED - 1, sys::since_boot_ns()));
    }

    #[test]
    #[cfg_attr(miri, ignore = "Miri's threads are not the system's")]
    fn a_thread_that_has_ended_is_dead() {
        let thread = std::thread::spawn(sys::thread_id);
        let id = thread.join().unwrap();
        let since = sys::since_boot_ns();
        while !is_dead(id, since) {
            std::thread::yield_now();
        }
    }
}
