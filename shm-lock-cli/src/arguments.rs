//! What the command is called with.

use std::ffi::OsString;
use std::time::{Duration, Instant};

use clap::builder::{OsStringValueParser, TypedValueParser};
use clap::{Args, Parser, Subcommand};

use crate::lock::Name;

/// Locks between processes, whose next holder is told when the last one was killed.
///
/// NAME without a `/` is a lock of this user in /dev/shm, which a restart removes; otherwise it is
/// a path.
#[derive(Parser)]
#[command(name = "shm-lock", version)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    Run(Run),
    Status(Status),
    Repair(Repair),
}

/// Run a command while holding a lock, which is made if there is none.
///
/// Exits as COMMAND does (128 and the number of the signal, if one killed it), with the number of
/// `-E` if the lock was not to be had, and as flock(1) where something is wrong: 64 bad usage, 65
/// NAME is no usable lock, 66 it cannot be opened, 69 COMMAND cannot be executed, 77 others could
/// change it.
#[derive(Args)]
pub(crate) struct Run {
    #[command(flatten)]
    pub(crate) patience: Patience,
    /// Do not run COMMAND if the last holder died, but exit with NUMBER; the lock stays marked
    /// until `repair`.
    #[arg(short = 'A', long, value_name = "NUMBER")]
    pub(crate) abandoned_exit_code: Option<u8>,
    /// Run this by $SHELL or /bin/sh in place of COMMAND.
    #[arg(
        short = 'c',
        long = "command",
        value_name = "TEXT",
        conflicts_with = "command",
        required_unless_present = "command"
    )]
    pub(crate) shell: Option<OsString>,
    /// Say how long it took to get the lock, or why it was not to be had.
    #[arg(long)]
    pub(crate) verbose: bool,
    /// The lock.
    #[arg(value_parser = name())]
    pub(crate) name: Name,
    /// What to run, and its arguments.
    #[arg(trailing_var_arg = true)]
    pub(crate) command: Vec<OsString>,
}

/// Show who has a lock and whether its last holder died; all of this user's in /dev/shm without
/// NAME.
///
/// Exits with 0 if the lock is free, 1 if somebody has it, 2 if its last holder died and nobody has
/// repaired it.
#[derive(Args)]
pub(crate) struct Status {
    /// The lock.
    #[arg(value_parser = name())]
    pub(crate) name: Option<Name>,
}

/// Mark a lock as whole whose last holder died: what it protects is as it should be again.
#[derive(Args)]
pub(crate) struct Repair {
    #[command(flatten)]
    pub(crate) patience: Patience,
    /// The lock.
    #[arg(value_parser = name())]
    pub(crate) name: Name,
}

/// For how long to wait.
#[derive(Args)]
pub(crate) struct Patience {
    /// Fail rather than wait if another one has the lock.
    #[arg(short = 'n', long, visible_alias = "nb", conflicts_with = "timeout")]
    nonblock: bool,
    /// Fail if the lock cannot be had within so many seconds; fractions are allowed, and 0 is `-n`.
    #[arg(short = 'w', long, visible_alias = "wait", value_name = "SECONDS", value_parser = seconds)]
    timeout: Option<Duration>,
    /// The exit status for a lock that was not to be had with `-n` or in time.
    #[arg(short = 'E', long, value_name = "NUMBER", default_value_t = 1)]
    pub(crate) conflict_exit_code: u8,
}

/// Until when to wait.
#[derive(Clone, Copy)]
pub(crate) enum Deadline {
    Now,
    At(Instant),
    Never,
}

impl Patience {
    pub(crate) fn deadline(&self) -> Deadline {
        match self.timeout {
            _ if self.nonblock => Deadline::Now,
            Some(Duration::ZERO) => Deadline::Now,
            // What is too far away to be told is never.
            Some(patience) => Instant::now().checked_add(patience).map_or(Deadline::Never, Deadline::At),
            None => Deadline::Never,
        }
    }
}

impl Deadline {
    pub(crate) fn is_over(self) -> bool {
        match self {
            Deadline::Now => true,
            Deadline::At(time) => Instant::now() >= time,
            Deadline::Never => false,
        }
    }
}

fn name() -> impl TypedValueParser<Value = Name> {
    OsStringValueParser::new().try_map(Name::new)
}

fn seconds(text: &str) -> Result<Duration, String> {
    let told = |found: String| format!("expected seconds such as 2 or 0.5, found {found}");
    let seconds: f64 = text.parse().map_err(|_| told(format!("{text:?}")))?;
    match Duration::try_from_secs_f64(seconds) {
        // Longer than a process lives.
        Err(_) if seconds > 1e18 => Ok(Duration::MAX),
        duration => duration.map_err(|_| told(text.to_owned())),
    }
}
