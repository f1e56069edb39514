//! `shm-lock run`.

use std::ffi::{OsStr, OsString};
use std::io;
use std::mem;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Command, ExitStatus};
use std::ptr;
use std::time::Instant;

use shm_lock::untyped::UntypedMutex;

use crate::arguments::Run;
use crate::failure::{Failure, tell};
use crate::lock::{Record, Taken, enter, take};
use crate::signals::Held;

/// Tells the command that the lock's last holder died, and how.
const ABANDONED: &str = "SHM_LOCK_ABANDONED";

pub(crate) fn run(arguments: &Run) -> Result<u8, Failure> {
    let deadline = arguments.patience.deadline();
    let began = Instant::now();
    loop {
        let lock = arguments.name.open_or_create()?;
        let Some(taken) = take(&lock, deadline)? else {
            if arguments.verbose {
                tell!("failed to get lock");
            }
            return Ok(arguments.patience.conflict_exit_code);
        };
        // If the name leads to another lock by now, who comes next takes that.
        if lock.is_linked() {
            if arguments.verbose {
                tell!("getting lock took {:.6} seconds", began.elapsed().as_secs_f64());
            }
            return run_under(&lock, taken, arguments);
        }
    }
}

fn run_under(lock: &UntypedMutex, taken: Taken<'_>, arguments: &Run) -> Result<u8, Failure> {
    let record = Record::of(lock);
    let (program, mut command) = command(arguments);
    command.env_remove(ABANDONED);
    if let Taken::Torn(_, cause) = &taken {
        tell!("{}", cause.told());
        if let Some(code) = arguments.abandoned_exit_code {
            return Ok(code);
        }
        command.env(ABANDONED, cause.word());
    }
    if arguments.verbose {
        tell!("executing {}", program.display());
    }
    match execute(&mut command, lock) {
        Ok(status) => Ok(finish(taken, record, status)),
        Err(Ended::Unstarted(error)) => {
            // Nothing ran; what was torn is torn as before.
            clear(record);
            Err(Failure::of_command(&program.to_string_lossy(), &error))
        }
        Err(Ended::Lost(error)) => {
            mem::forget(taken);
            Err(Failure::of_system("wait for the command", &error))
        }
    }
}

/// Why it is not known how a command ended.
enum Ended {
    /// It was not started.
    Unstarted(io::Error),
    /// It may still run.
    Lost(io::Error),
}

/// What to run, and its name for messages.
fn command(arguments: &Run) -> (OsString, Command) {
    let Some(text) = &arguments.shell else {
        let mut command = Command::new(&arguments.command[0]);
        command.args(&arguments.command[1..]);
        return (arguments.command[0].clone(), command);
    };
    let shell =
        std::env::var_os("SHELL").filter(|shell| !shell.is_empty()).unwrap_or_else(|| "/bin/sh".into());
    let mut command = Command::new(&shell);
    command.args([OsStr::new("-c"), text]);
    (shell, command)
}

/// Runs the command to its end.
fn execute(command: &mut Command, lock: &UntypedMutex) -> Result<ExitStatus, Ended> {
    let held = Held::new().map_err(Ended::Unstarted)?;
    let (signals, holder) = (held.before(), std::process::id());
    // SAFETY: the lock is open until `execute` returns, and in the child until it executes the
    // command, before which `spawn` does not return; nothing is called later.
    let lock: &'static UntypedMutex = unsafe { &*ptr::from_ref(lock) };
    let begin = move || {
        signals.restore()?;
        begin(lock, holder)
    };
    // SAFETY: this process has one thread, so its child may do what it could.
    unsafe { command.pre_exec(begin) };
    let mut child = command.spawn().map_err(Ended::Unstarted)?;
    held.wait_for(&mut child).map_err(Ended::Lost)
}

/// In the child, before the command is executed: from now on it dies with `holder`, its parent, and
/// who has the lock next knows of it.
fn begin(lock: &UntypedMutex, holder: u32) -> io::Result<()> {
    // SAFETY: the call takes numbers alone.
    if unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) } != 0 {
        return Err(io::Error::last_os_error());
    }
    if enter(lock, holder)? { Ok(()) } else { Err(io::ErrorKind::BrokenPipe.into()) }
}

fn clear(record: Option<Record<'_>>) {
    if let Some(record) = record {
        record.clear();
    }
}

/// Gives the lock back, or lets it die with this process; returns the exit status that says how the
/// command ended.
fn finish(taken: Taken<'_>, record: Option<Record<'_>>, status: ExitStatus) -> u8 {
    if let Some(signal) = status.signal() {
        tell!("the command was killed by signal {signal}; the next one is told that the holder died");
        // This process ends with the lock, which says so to whoever comes next.
        mem::forget(taken);
        return 128_u8.wrapping_add(signal as u8);
    }
    let code = status.code().unwrap_or_default() as u8;
    clear(record);
    match taken {
        Taken::Whole(guard) => drop(guard),
        Taken::Torn(guard, _) if code == 0 && record.is_some() => drop(guard.mark_consistent()),
        Taken::Torn(..) if record.is_some() => {
            tell!("the command failed; the next one is told that the lock was abandoned");
        }
        Taken::Torn(..) => {
            tell!(
                "the lock stays marked until a program that knows its value, or shm-lock repair, has repaired it"
            );
        }
    }
    code
}
