//! The threads of this process, as Linux lists them.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// The folders in `/proc` of the threads whose name begins with `prefix`. Linux keeps 15 bytes of a
/// name.
pub(crate) fn named(prefix: &str) -> Vec<PathBuf> {
    let tasks = fs::read_dir("/proc/self/task").expect("Linux lists the threads of a process");
    let folders = tasks.map(|task| task.expect("an entry of a folder that stays").path());
    // A thread may end between the two looks.
    folders
        .filter(|task| fs::read_to_string(task.join("comm")).is_ok_and(|name| name.starts_with(prefix)))
        .collect()
}

/// Waits until exactly `count` threads have such a name: joined threads stay listed for a moment.
#[track_caller]
pub(crate) fn await_count(prefix: &str, count: usize) {
    if !cfg!(target_os = "linux") {
        return; // Other systems do not list them.
    }
    let deadline = Instant::now() + Duration::from_secs(20);
    while named(prefix).len() != count {
        assert!(Instant::now() < deadline, "{} threads named {prefix}…, not {count}", named(prefix).len());
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Waits until all threads but this one sleep.
#[allow(dead_code, reason = "not every test that has this file needs it")]
#[track_caller]
pub(crate) fn await_all_asleep() {
    if !cfg!(target_os = "linux") {
        return; // Other systems do not list them.
    }
    let sleeps = |task: &PathBuf| {
        // A thread that has ended between the two looks does nothing more.
        let stat = fs::read_to_string(task.join("stat")).unwrap_or_default();
        // The state stands behind the name, which is in parentheses and may contain some.
        stat.rsplit_once(") ").is_none_or(|(_, rest)| rest.starts_with('S'))
    };
    let deadline = Instant::now() + Duration::from_secs(20);
    while named("").iter().filter(|task| !sleeps(task)).count() > 1 {
        assert!(Instant::now() < deadline, "more threads than this one are at work");
        std::thread::sleep(Duration::from_millis(1));
    }
}
