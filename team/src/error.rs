//! What may go wrong in a team.

use std::error::Error;
use std::fmt;
use std::io;
use std::path::PathBuf;

use shm_lock::{LockFailure, OpenError};

/// An item that has no result, since ranks died in it.
///
/// All other items are done.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Lost {
    /// The item, as the caller's range counts.
    pub index: usize,
    /// The signal that ended the last rank that died in it; `None` if that one called `exit`, or
    /// panicked, or nobody has told how it ended.
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

/// Why a team cannot be had, or a call has no result.
#[derive(Debug)]
#[non_exhaustive]
pub enum TeamError {
    /// These items have no result; all others are done.
    Lost(Vec<Lost>),
    /// This process does not run the program that the rank before it has.
    OtherProgram {
        /// The hash of the program of whoever came first.
        expected: u64,
        /// The hash of this one's.
        found: u64,
    },
    /// This rank has come to another call than the others.
    OtherCall {
        /// The number of the call, from 0.
        call: u64,
        /// What the first rank that came to it called.
        expected: String,
        /// What this one calls.
        found: String,
    },
    /// A call was made inside of an item of another one.
    Nested,
    /// This process has a team already.
    Twice,
    /// Another process that lives, or has ended its part, has this rank.
    RankTaken {
        /// The rank.
        rank: usize,
    },
    /// This process's part in the team has ended, by a panic in an item.
    Ended,
    /// The environment names a team that this process has not inherited.
    Environment {
        /// What the variable says.
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
    /// Another rank has an error of its own, and this call has no results.
    OtherRank {
        /// That rank.
        rank: usize,
    },
    /// `mpirun` has started this program, which was built without MPI.
    NoMpi {
        /// The variable of the environment that says so.
        variable: &'static str,
        /// How many processes there are.
        ranks: usize,
    },
    /// `mpirun` has started another number of processes than MPI finds.
    MpiSize {
        /// The variable of the environment that tells the number.
        variable: &'static str,
        /// The number.
        expected: usize,
        /// How many there are in MPI's world.
        found: usize,
    },
    /// MPI was begun so that it may not be called by several threads, one after the other.
    MpiThreads {
        /// The level of threads that it has.
        found: String,
    },
    /// A number is larger than a team can have.
    TooMany {
        /// Of what.
        what: &'static str,
        /// The most that there may be.
        most: u64,
        /// How many there were to be.
        found: u64,
    },
    /// A result could not be written for others, or read.
    Encoding {
        /// Why.
        source: postcard::Error,
    },
    /// A lock of the team could not be taken.
    Lock(LockFailure),
    /// The team's shared memory could not be had, or is another version's.
    Open(OpenError),
    /// The system refused something.
    Io {
        /// What was to be done.
        operation: &'static str,
        /// What the system says.
        source: io::Error,
    },
    /// The pool of threads could not be had.
    Pool(taskel::ThreadPoolBuildError),
}

impl TeamError {
    pub(crate) fn io(operation: &'static str) -> impl FnOnce(io::Error) -> TeamError {
        move |source| TeamError::Io { operation, source }
    }

    /// What an MPI is not as it should be.
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
                "expected an MPI with MPI_THREAD_SERIALIZED, found {found}; begin it with that, or let Team::from_env do it"
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
                f.write_str(" look at what they do, or allow more attempts")
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
                "expected all ranks' parts of a call, found that rank {rank} has an error; look at what it says"
            ),
            TeamError::NoMpi { .. } | TeamError::MpiSize { .. } | TeamError::MpiThreads { .. } => self.fmt_of_mpi(f),
            TeamError::TooMany { what, most, found } => {
                write!(f, "expected at most {most} {what}, found {found}; use fewer")
            }
            TeamError::Encoding { source } => {
                write!(f, "expected results that can be written and read again, found that one cannot: {source}")
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
