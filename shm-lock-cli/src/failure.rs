//! What goes wrong, and the exit statuses that say so: those of sysexits.h, as flock(1) has them.

use std::fmt;
use std::io;

use shm_lock::{LockFailure, OpenError};

/// The command was called in the wrong way.
pub(crate) const USAGE: u8 = 64;
/// What NAME leads to is no lock, or none that can be used.
const DATA: u8 = 65;
/// It cannot be opened.
const NO_INPUT: u8 = 66;
/// COMMAND cannot be executed, or this system has no such locks.
const UNAVAILABLE: u8 = 69;
/// The system refuses something else.
const SYSTEM: u8 = 71;
/// Others could change what NAME leads to.
const NO_PERMISSION: u8 = 77;

/// Says something on the standard error output. If nobody can be told, the lock is not to suffer
/// from it, as it would from a panic.
macro_rules! tell {
    ($($argument:tt)*) => {{
        let _ = std::io::Write::write_fmt(
            &mut std::io::stderr(),
            format_args!("shm-lock: {}\n", format_args!($($argument)*)),
        );
    }};
}
/// Says a line of what was asked for.
macro_rules! answer {
    ($($argument:tt)*) => {{
        let _ = std::io::Write::write_fmt(&mut std::io::stdout(), format_args!("{}\n", format_args!($($argument)*)));
    }};
}
pub(crate) use {answer, tell};

#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) code: u8,
    message: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Failure {
    pub(crate) fn of_command(name: &str, error: &io::Error) -> Failure {
        Failure { code: UNAVAILABLE, message: format!("failed to execute {name}: {error}") }
    }

    pub(crate) fn of_system(what: &str, error: &io::Error) -> Failure {
        Failure { code: SYSTEM, message: format!("cannot {what}: {error}") }
    }
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Failure {
        let (code, message) = match &error {
            OpenError::Io { region, operation, source } => {
                (NO_INPUT, format!("cannot {operation} {}: {source}", region.display()))
            }
            OpenError::Damaged { region, part, expected, found } => (
                DATA,
                format!(
                    "{} is no lock: expected {part} {expected}, found {found}; give another NAME, or remove the file if nobody \
                     uses it",
                    region.display()
                ),
            ),
            OpenError::Mismatch { region, part: "type", found, .. } => (
                DATA,
                format!(
                    "{} holds something else than one lock: {found}; give another NAME",
                    region.display()
                ),
            ),
            OpenError::Mismatch { region, part, expected, found } => (
                DATA,
                format!(
                    "{} was made by another version of shm-lock: expected {part} {expected}, found {found}; use the same \
                     version, or remove the file if nobody uses it",
                    region.display()
                ),
            ),
            OpenError::Stale { region } => (
                DATA,
                format!(
                    "{} was left by an earlier boot, so nobody has it; `shm-lock run` makes it anew",
                    region.display()
                ),
            ),
            OpenError::Untrusted { .. } => (NO_PERMISSION, error.to_string()),
            OpenError::OtherPidNamespace { .. } => (DATA, error.to_string()),
            _ => (UNAVAILABLE, error.to_string()),
        };
        Failure { code, message }
    }
}

impl From<LockFailure> for Failure {
    fn from(failure: LockFailure) -> Failure {
        match failure {
            LockFailure::NotRecoverable => Failure {
                code: DATA,
                message: "a holder gave this lock up for good; remove its file once nobody uses it"
                    .to_owned(),
            },
            other => Failure { code: UNAVAILABLE, message: other.to_string() },
        }
    }
}
