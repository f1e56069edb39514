//! The process of a rank, from the launcher's side.

use std::io;
use std::os::fd::{AsFd, AsRawFd, RawFd};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{self, Child, ExitStatus, Stdio};
use std::time::Duration;

use shm_lock::LockFailure;

use super::Command;
use super::output::Lines;
use super::signals::{Released, Signals};
use crate::control::hold_and_tell;
use crate::environment::VARIABLE;
use crate::error::TeamError;
use crate::memory::Status;
use crate::seats::Shared;
use crate::sync::Ordering;

/// How long to wait for a seat that another rank is taking over.
const PATIENCE: Duration = Duration::from_millis(500);

/// A rank, and its process if it runs.
pub(super) struct Rank {
    number: usize,
    child: Option<Child>,
    /// How often it was restarted.
    pub(super) restarts: u64,
    /// How its last process ended.
    pub(super) last: Option<ExitStatus>,
}

/// The end of a rank's process.
pub(super) struct Ended {
    rank: usize,
    status: ExitStatus,
}

impl Rank {
    pub(super) fn start(
        shared: &Shared,
        number: usize,
        command: &Command,
        signals: &Signals,
        lines: &Lines,
    ) -> Result<Rank, TeamError> {
        let mut rank = Rank { number, child: None, restarts: 0, last: None };
        rank.begin(shared, command, signals, lines)?;
        Ok(rank)
    }

    pub(super) fn start_again(
        &mut self,
        shared: &Shared,
        command: &Command,
        signals: &Signals,
        lines: &Lines,
    ) -> Result<(), TeamError> {
        self.restarts += 1;
        self.begin(shared, command, signals, lines)
    }

    fn begin(
        &mut self,
        shared: &Shared,
        command: &Command,
        signals: &Signals,
        lines: &Lines,
    ) -> Result<(), TeamError> {
        let locks = shared.locks.as_fd().as_raw_fd();
        let memory = shared.memory.descriptor().as_raw_fd();
        let mut process = process::Command::new(&command.program);
        process.args(&command.arguments);
        process.env(VARIABLE, format!("{locks}:{memory}:{}", self.number));
        if lines.are_prefixed() {
            process.stdout(Stdio::piped()).stderr(Stdio::piped());
        }
        let (released, launcher) = (signals.released(), process::id());
        // SAFETY: what runs in the child makes system calls alone, on values that it was given.
        unsafe { process.pre_exec(move || prepare([locks, memory], released, launcher)) };
        let mut child = process.spawn().map_err(TeamError::io("start the program"))?;
        lines.read(self.number, &mut child);
        self.child = Some(child);
        Ok(())
    }

    pub(super) fn runs(&self) -> bool {
        self.child.is_some()
    }

    /// Returns the end of its process, exactly once.
    pub(super) fn ended(&mut self) -> Result<Option<Ended>, TeamError> {
        let Some(child) = &mut self.child else { return Ok(None) };
        let status = child.try_wait().map_err(TeamError::io("wait for a rank"))?;
        let Some(status) = status else { return Ok(None) };
        self.child = None;
        self.last = Some(status);
        Ok(Some(Ended { rank: self.number, status }))
    }

    pub(super) fn signal(&self, signal: i32) {
        if let Some(child) = &self.child {
            // SAFETY: a child that was not waited for yet, so the number is its own.
            unsafe { libc::kill(child.id() as libc::pid_t, signal) };
        }
    }
}

impl Ended {
    /// Returns whether the process has died, instead of ending its part or never taking its place.
    pub(super) fn is_death(&self, shared: &Shared) -> bool {
        let words = &shared.memory.ranks()[self.rank];
        let has_come = words.incarnation.load(Ordering::Relaxed) != 0;
        let has_left = words.status.load(Ordering::Relaxed) == Status::Left as u64;
        match self.status.code() {
            None => !has_left,
            Some(0) => false,
            Some(_) => has_come && !has_left,
        }
    }

    /// Tells the ranks about the end.
    pub(super) fn tell(&self, shared: &Shared, again: bool) -> Result<(), TeamError> {
        let words = &shared.memory.ranks()[self.rank];
        let incarnation = words.incarnation.load(Ordering::Relaxed);
        if incarnation != 0 {
            let told = 1 + u64::from(self.status.into_raw() as u32);
            shared.memory.end_of(incarnation).store(told, Ordering::Relaxed);
        }
        match hold_and_tell(shared.locks.seats[self.rank].lock_timeout(PATIENCE)) {
            Ok((seat, died)) => {
                if died {
                    shared.take_over(self.rank, &seat);
                }
                if seat.left == 0 {
                    words.set_status(if again { Status::Expected } else { Status::Gone });
                }
            }
            // The process was a shell or a similar program, and what it started is still running.
            Err(LockFailure::TimedOut) => (),
            Err(failure) => return Err(failure.into()),
        }
        shared.locks.notify()
    }
}

/// Runs in the child, before it starts the program.
fn prepare(inherited: [RawFd; 2], released: Released, launcher: u32) -> io::Result<()> {
    for descriptor in inherited {
        // SAFETY: any number will do.
        if unsafe { libc::fcntl(descriptor, libc::F_SETFD, 0) } != 0 {
            return Err(io::Error::last_os_error());
        }
    }
    // SAFETY: two numbers.
    if unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGTERM) } != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call has no preconditions.
    if unsafe { libc::getppid() } as u32 != launcher {
        return Err(io::Error::from_raw_os_error(libc::ESRCH));
    }
    released.restore()
}
