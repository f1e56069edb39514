//! The command, run on locks of a directory of its own.
#![allow(dead_code, reason = "each test binary uses a part")]

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// Long enough for every machine; only a failing test waits that long.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct Scene {
    directory: tempfile::TempDir,
    pub(crate) lock: PathBuf,
}

/// What a call of the command came to.
#[derive(Debug)]
pub(crate) struct Called {
    /// `None` if a signal ended it.
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Scene {
    pub(crate) fn new() -> Scene {
        let directory = tempfile::tempdir().unwrap();
        Scene { lock: directory.path().join("lock"), directory }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// `shm-lock WHAT LOCK REST…`
    pub(crate) fn command<'a>(&self, what: &str, rest: impl IntoIterator<Item = &'a str>) -> Command {
        let mut command = shm_lock([what, self.lock.to_str().unwrap()]);
        command.args(rest);
        command
    }

    pub(crate) fn call<'a>(&self, what: &str, rest: impl IntoIterator<Item = &'a str>) -> Called {
        called(&mut self.command(what, rest))
    }

    /// Runs a script under the lock.
    pub(crate) fn run(&self, script: &str) -> Called {
        self.call("run", ["--", "sh", "-c", script])
    }

    /// Who has the lock until its standard input ends, or it is killed; it has begun.
    pub(crate) fn holder(&self, script: &str) -> Holder {
        self.holder_with(":", script)
    }

    /// One that does something before it says that it has begun.
    pub(crate) fn holder_with(&self, before: &str, script: &str) -> Holder {
        Holder::start(self.command("run", ["--", "sh", "-c", &format!("{before}; echo $$; {script}")]))
    }

    pub(crate) fn status(&self) -> Called {
        self.call("status", [])
    }

    pub(crate) fn assert_state(&self, code: i32, told: &str) {
        let status = self.status();
        assert!(status.code == Some(code) && status.out.contains(told), "{status:?}");
    }
}

pub(crate) fn shm_lock<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_shm-lock"));
    command.args(arguments).env("SHELL", "/bin/sh").stdin(Stdio::null());
    // A shell without a terminal begins what it leaves in the background with these ignored, and so
    // are they in all that comes of it.
    let heed_signals = || {
        for signal in [libc::SIGINT, libc::SIGQUIT] {
            // SAFETY: the default action runs no handler.
            unsafe { libc::signal(signal, libc::SIG_DFL) };
        }
        Ok(())
    };
    // SAFETY: it makes system calls alone.
    unsafe { command.pre_exec(heed_signals) };
    command
}

pub(crate) fn called(command: &mut Command) -> Called {
    let Output { status, stdout, stderr } = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).trim_end().to_owned();
    Called { code: status.code(), out: text(stdout), err: text(stderr) }
}

/// A `shm-lock run` that is at work.
pub(crate) struct Holder {
    pub(crate) child: Child,
    /// What its command says first: its number.
    pub(crate) command: u32,
}

impl Holder {
    pub(crate) fn start(mut command: Command) -> Holder {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        let mut output = BufReader::new(child.stdout.as_mut().unwrap());
        while line.trim().parse::<u32>().is_err() {
            line.clear();
            assert_ne!(output.read_line(&mut line).unwrap(), 0, "it ended before it began");
        }
        let command = line.trim().parse().unwrap();
        Holder { child, command }
    }

    pub(crate) fn signal(&self, signal: i32) {
        signal_to(self.child.id(), signal);
    }

    /// Lets its command come to its end.
    pub(crate) fn end(mut self) -> Option<i32> {
        drop(self.child.stdin.take());
        self.wait()
    }

    pub(crate) fn wait(&mut self) -> Option<i32> {
        await_that("the holder ends", || self.child.try_wait().unwrap().is_some());
        self.child.wait().unwrap().code()
    }

    /// Kills `shm-lock` itself.
    pub(crate) fn kill(&mut self) {
        self.signal(libc::SIGKILL);
        assert_eq!(self.wait(), None);
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn signal_to(process: u32, signal: i32) {
    // SAFETY: the call takes numbers alone; the process is one that this test has started.
    unsafe { libc::kill(process as libc::pid_t, signal) };
}

/// Whether a process is there and no zombie.
pub(crate) fn is_alive(process: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    stat.rsplit_once(')').is_some_and(|(_, rest)| !rest.trim_start().starts_with(['Z', 'X']))
}

/// Whether the process is blocked in the system call that waits for a futex.
pub(crate) fn sleeps_in_futex(process: u32) -> bool {
    let call = fs::read_to_string(format!("/proc/{process}/syscall")).unwrap_or_default();
    call.split_ascii_whitespace().next().and_then(|number| number.parse().ok()) == Some(libc::SYS_futex)
}

pub(crate) fn await_that(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < deadline, "waited in vain until {what}");
        std::thread::sleep(Duration::from_micros(200));
    }
}

/// Makes the file one of an earlier boot.
pub(crate) fn age(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    bytes[24..48].fill(0);
    let sum = bytes[..256].iter().fold(0xcbf2_9ce4_8422_2325_u64, |sum, &byte| {
        (sum ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    bytes[24..32].copy_from_slice(&sum.to_ne_bytes());
    fs::write(path, bytes).unwrap();
}
