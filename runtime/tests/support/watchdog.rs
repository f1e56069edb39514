//! An end for tests that hang.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// Aborts the process with a message unless it is dropped within the time.
pub(crate) struct Watchdog(#[expect(dead_code, reason = "dropped")] mpsc::Sender<()>);

/// Watches the rest of a test. The time is far more than any machine needs.
pub(crate) fn watch(what: &'static str) -> Watchdog {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        if receiver.recv_timeout(Duration::from_secs(150)) == Err(mpsc::RecvTimeoutError::Timeout) {
            eprintln!("{what} hangs");
            std::process::abort();
        }
    });
    Watchdog(sender)
}
