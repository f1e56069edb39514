//! Processes for tests: forked, watched, killed.
#![allow(dead_code, reason = "each test binary uses a part")]

use std::time::{Duration, Instant};
use std::{fs, panic, process};

/// Long enough for every machine; only a failing test waits that long.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A child of this process, killed when dropped.
pub(crate) struct Child {
    pub(crate) pid: libc::pid_t,
    ended: bool,
}

/// How a child ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Exit(i32),
    Signal(i32),
}

impl Child {
    /// Runs `body` in a forked child, which ends with what it returns, or with 101 if it panics.
    ///
    /// The child has one thread and must not wait for what another thread of the parent holds.
    pub(crate) fn fork(body: impl FnOnce() -> i32) -> Child {
        // SAFETY: the child runs `body`, which takes no lock that a thread of the parent may hold:
        // glibc sees to malloc's, and the test's own output goes through no buffer.
        let pid = unsafe { libc::fork() };
        assert!(pid >= 0, "fork: {}", std::io::Error::last_os_error());
        if pid == 0 {
            let code = panic::catch_unwind(panic::AssertUnwindSafe(body)).unwrap_or(101);
            // SAFETY: ends this process without running what belongs to the parent's test harness.
            unsafe { libc::_exit(code) };
        }
        Child { pid, ended: false }
    }

    /// A child that was made otherwise.
    pub(crate) fn of(pid: libc::pid_t) -> Child {
        Child { pid, ended: false }
    }

    pub(crate) fn kill(&self) {
        // SAFETY: a child that was not waited for yet, so the number is still its own.
        unsafe { libc::kill(self.pid, libc::SIGKILL) };
    }

    /// Waits until the child has ended; fails the test if it does not.
    pub(crate) fn end(&mut self) -> End {
        self.end_within(PATIENCE).unwrap_or_else(|| panic!("process {} hangs: {}", self.pid, doing(self.pid)))
    }

    pub(crate) fn end_within(&mut self, patience: Duration) -> Option<End> {
        let deadline = Instant::now() + patience;
        loop {
            let mut status = 0;
            // SAFETY: `status` is writable.
            let waited = unsafe { libc::waitpid(self.pid, &raw mut status, libc::WNOHANG) };
            assert!(waited >= 0, "waitpid: {}", std::io::Error::last_os_error());
            if waited == self.pid && libc::WIFEXITED(status) {
                self.ended = true;
                return Some(End::Exit(libc::WEXITSTATUS(status)));
            }
            if waited == self.pid && libc::WIFSIGNALED(status) {
                self.ended = true;
                return Some(End::Signal(libc::WTERMSIG(status)));
            }
            if Instant::now() > deadline {
                return None;
            }
            std::thread::sleep(Duration::from_micros(50));
        }
    }

    pub(crate) fn kill_and_wait(&mut self) {
        self.kill();
        assert_eq!(self.end(), End::Signal(libc::SIGKILL));
    }

    /// Waits until the child sleeps in a futex.
    pub(crate) fn await_sleep(&self) {
        await_that("the child sleeps", || sleeps_in_futex(self.pid));
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        if !self.ended {
            self.kill();
            self.end_within(PATIENCE);
        }
    }
}

/// Whether the process is blocked in the system call that waits for a futex.
pub(crate) fn sleeps_in_futex(pid: libc::pid_t) -> bool {
    let call = fs::read_to_string(format!("/proc/{pid}/syscall")).unwrap_or_default();
    call.split_ascii_whitespace().next().and_then(|number| number.parse().ok()) == Some(libc::SYS_futex)
}

fn doing(pid: libc::pid_t) -> String {
    fs::read_to_string(format!("/proc/{pid}/syscall")).unwrap_or_default()
}

pub(crate) fn await_that(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < deadline, "waited in vain until {what}");
        std::thread::sleep(Duration::from_micros(20));
    }
}

/// xorshift64* by Vigna: which moments a test tries.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) % limit
    }
}

/// A name for this test that no other process uses.
pub(crate) fn unique(name: &str) -> String {
    format!("test-{name}-{}", process::id())
}
