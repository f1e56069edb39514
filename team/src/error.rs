//! The errors of a team.

use std::error::Error;
use std::fmt;
use std::io;
use std::path::PathBuf;

use shm_lock::{LockFailure, OpenError};

/// An item without a result, because ranks died in it.
///
/// All other items are done.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Lost {
    /// The item, as an index of the caller's range.
    pub index: usize,
    /// The signal that ended the last rank that died in the item. `None` if this rank called `exit`
    /// or panicked, or if its end is unknown.
    pub signal: Option<i32>,
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "item {} has no result: ranks died in it, ", self.index)?;
        match self.signal {
            Some(signal) => write!(f, "the last one by signal {signal}"),
            None => f.write_str("the last one without a signal"),
        }
    }
}

impl Error for Lost {}

/// Why a team cannot be created, or a call has no result.
#[derive(Debug)]
#[non_exhaustive]
pub enum TeamError {
    /// These items have no result; all others are done.
    Lost(Vec<Lost>),
    /// This process runs another program than the first rank.
    OtherProgram {
        /// The hash of the first rank's program.
        expected: u64,
        /// The hash of this rank's program.
        found: u64,
    },
    /// This rank has made another call than the others.
    OtherCall {
        /// The number of the call, from 0.
        call: u64,
        /// The call of the first rank.
        expected: String,
        /// The call of this rank.
        found: String,
    },
    /// A call was made inside an item of another call.
    Nested,
    /// This process already has a team.
    Twice,
    /// Another process has this rank, or had it and has ended its part.
    RankTaken {
        /// The rank.
        rank: usize,
    },
    /// This process's part in the team has ended, because an item panicked.
    Ended,
    /// The environment names a team that this process has not inherited.
    Environment {
        /// The value of the variable.
        found: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A ledger cannot be used.
    Ledger {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// Another rank had an error, so this call has no results.
    OtherRank {
        /// This other rank.
        rank: usize,
    },
    /// `mpirun` has started this program, which was built without MPI.
    NoMpi {
        /// The environment variable that shows it.
        variable: &'static str,
        /// The number of processes.
        ranks: usize,
    },
    /// `mpirun` has started another number of processes than MPI reports.
    MpiSize {
        /// The environment variable with the number.
        variable: &'static str,
        /// The number in this variable.
        expected: usize,
        /// The number of processes in MPI's world.
        found: usize,
    },
    /// MPI was initialised without support for calls from several threads, one at a time.
    MpiThreads {
        /// The thread level of MPI.
        found: String,
    },
    /// A number exceeds the limit of a team.
    TooMany {
        /// What was counted.
        what: &'static str,
        /// The limit.
        most: u64,
        /// The number that was found.
        found: u64,
    },
    /// A result could not be encoded or decoded.
    Encoding {
        /// The reason.
        source: postcard::Error,
    },
    /// A lock of the team could not be taken.
    Lock(LockFailure),
    /// The team's shared memory could not be opened, or belongs to another version.
    Open(OpenError),
    /// A system call failed.
    Io {
        /// What was attempted.
        operation: &'static str,
        /// The error of the system.
        source: io::Error,
    },
    /// The thread pool could not be created.
    Pool(taskel::ThreadPoolBuildError),
}

impl TeamError {
    pub(crate) fn io(operation: &'static str) -> impl FnOnce(io::Error) -> TeamError {
        move |source| TeamError::Io { operation, source }
    }

    /// Formats the errors of MPI.
    fn fmt_of_mpi(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TeamError::NoMpi { variable, ranks } => write!(
                f,
                "expected a program with MPI, found {variable}={ranks} and one without; build it with the feature mpi of \
                 taskel-team, start it by taskel-run, or use Team::alone"
            ),
            TeamError::MpiSize { variable, expected, found } => write!(
                f,
                "expected {expected} processes in MPI's world, as {variable} says, found {found}; start the program by the \
                 mpirun of the MPI that it was built with"
            ),
            TeamError::MpiThreads { found } => write!(
                f,
                "expected an MPI with MPI_THREAD_SERIALIZED, found {found}; initialise it with that level, or let Team::from_env do it"
            ),
            _ => Ok(()),
        }
    }
}

impl fmt::Display for TeamError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TeamError::Lost(lost) => {
                write!(f, "expected all items to be done, found that {} cannot be:", lost.len())?;
                lost.iter().take(10).try_for_each(|lost| write!(f, " {lost};"))?;
                f.write_str(" check what they do, or allow more attempts")
            }
            TeamError::OtherProgram { expected, found } => write!(
                f,
                "expected that all ranks run one program, with hash {expected:016x}, found one with {found:016x}; \
                 start the same file for each"
            ),
            TeamError::OtherCall { call, expected, found } => write!(
                f,
                "expected that all ranks make the same calls, the {call}th of which is {expected}, found {found}; \
                 let no call depend on the rank, the clock or chance"
            ),
            TeamError::Nested => f.write_str(
                "expected calls of a team one after the other, found one inside of an item of another; use taskel's \
                 parallel iterators there",
            ),
            TeamError::Twice => f.write_str(
                "expected that the process takes its place in the team once, found a second attempt; pass the first Team on",
            ),
            TeamError::RankTaken { rank } => write!(
                f,
                "expected that nobody has rank {rank}, found that a process has or had it; start one process for each rank"
            ),
            TeamError::Ended => f.write_str(
                "expected a team that this process takes part in, found that an item of it has panicked; end the process",
            ),
            TeamError::Environment { found, reason } => write!(
                f,
                "expected a team that this process has inherited, found TASKEL_TEAM={found} and that {reason}; start it by \
                 taskel-run, or remove the variable from its environment"
            ),
            TeamError::Ledger { path, reason } => write!(
                f,
                "expected a ledger of this run in {}, found that {reason}; name another file, or remove it if its results \
                 are not needed",
                path.display()
            ),
            TeamError::OtherRank { rank } => write!(
                f,
                "expected all ranks' parts of a call, found that rank {rank} has an error; see its message"
            ),
            TeamError::NoMpi { .. } | TeamError::MpiSize { .. } | TeamError::MpiThreads { .. } => self.fmt_of_mpi(f),
            TeamError::TooMany { what, most, found } => {
                write!(f, "expected at most {most} {what}, found {found}; use fewer")
            }
            TeamError::Encoding { source } => {
                write!(f, "expected results that can be encoded and decoded, found one that cannot: {source}")
            }
            TeamError::Lock(failure) => failure.fmt(f),
            TeamError::Open(error) => error.fmt(f),
            TeamError::Io { operation, source } => write!(f, "cannot {operation}: {source}"),
            TeamError::Pool(error) => error.fmt(f),
        }
    }
}

impl Error for TeamError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            TeamError::Encoding { source } => Some(source),
            TeamError::Lock(failure) => Some(failure),
            TeamError::Open(error) => Some(error),
            TeamError::Io { source, .. } => Some(source),
            TeamError::Pool(error) => Some(error),
            _ => None,
        }
    }
}

impl From<OpenError> for TeamError {
    fn from(error: OpenError) -> Self {
        TeamError::Open(error)
    }
}

impl From<LockFailure> for TeamError {
    fn from(failure: LockFailure) -> Self {
        TeamError::Lock(failure)
    }
}

impl From<taskel::ThreadPoolBuildError> for TeamError {
    fn from(error: taskel::ThreadPoolBuildError) -> Self {
        TeamError::Pool(error)
    }
}

impl From<postcard::Error> for TeamError {
    fn from(source: postcard::Error) -> Self {
        TeamError::Encoding { source }
    }
}
