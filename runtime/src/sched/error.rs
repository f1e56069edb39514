//! Errors of building a pool.

use std::ffi::OsString;
use std::fmt;
use std::io;
use std::sync::Arc;

use crate::memory::MemoryUnknown;

/// A [`ThreadPool`](crate::ThreadPool) could not be built.
///
/// Its message says what was expected, what was found, and what to do. When the system refused
/// something, [`source`](std::error::Error::source) is its [`io::Error`].
///
/// ```
/// use taskel::{Pinning, ThreadPoolBuildErrorKind, ThreadPoolBuilder};
///
/// let no_such_core = usize::MAX;
/// let error = ThreadPoolBuilder::new().pinning(Pinning::Explicit(vec![no_such_core])).build().unwrap_err();
/// assert!(error.to_string().contains(&no_such_core.to_string()));
/// assert_eq!(error.kind(), ThreadPoolBuildErrorKind::Pinning);
/// ```
#[derive(Clone, Debug)]
pub struct ThreadPoolBuildError(Kind);

#[derive(Clone, Debug)]
enum Kind {
    TooManyThreads { asked: usize, most: usize },
    UnknownCore { core: usize, usable: Vec<usize> },
    NoCores,
    TooFewCores { listed: usize, threads: usize },
    CoresUnknown,
    Pin { worker: usize, core: usize, source: Arc<io::Error> },
    Spawn { worker: usize, source: Arc<io::Error> },
    SpawnHandler { worker: usize, source: Arc<io::Error> },
    NeverRan { ran: usize, threads: usize },
    NulInName { worker: usize, name: String },
    GlobalExists,
    ThreadInPool,
    BadVariable { name: &'static str, value: OsString, most: usize },
    MemoryUnknown(MemoryUnknown),
}

/// What kept a pool from being built; see [`ThreadPoolBuildError::kind`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ThreadPoolBuildErrorKind {
    /// A setting, or an environment variable, has a value that no pool can have.
    InvalidSetting,
    /// A worker cannot run on the core that it is to be pinned to.
    Pinning,
    /// The system did not start a thread.
    Spawn,
    /// The [spawn handler](crate::ThreadPoolBuilder::spawn_handler) returned an error, or did not
    /// run a thread.
    SpawnHandler,
    /// There is a global pool already.
    GlobalPoolExists,
    /// The current thread is at work in a pool, so it cannot become a worker of this one.
    ThreadInPool,
    /// There is to be a [memory guard](crate::ThreadPoolBuilder::memory_guard), but the system does
    /// not tell how much memory is in use.
    MemoryUnknown,
}

impl ThreadPoolBuildError {
    /// What kept the pool from being built.
    pub fn kind(&self) -> ThreadPoolBuildErrorKind {
        match self.0 {
            Kind::TooManyThreads { .. } | Kind::NulInName { .. } | Kind::BadVariable { .. } => {
                ThreadPoolBuildErrorKind::InvalidSetting
            }
            Kind::UnknownCore { .. }
            | Kind::NoCores
            | Kind::TooFewCores { .. }
            | Kind::CoresUnknown
            | Kind::Pin { .. } => ThreadPoolBuildErrorKind::Pinning,
            Kind::Spawn { .. } => ThreadPoolBuildErrorKind::Spawn,
            Kind::SpawnHandler { .. } | Kind::NeverRan { .. } => ThreadPoolBuildErrorKind::SpawnHandler,
            Kind::GlobalExists => ThreadPoolBuildErrorKind::GlobalPoolExists,
            Kind::ThreadInPool => ThreadPoolBuildErrorKind::ThreadInPool,
            Kind::MemoryUnknown(_) => ThreadPoolBuildErrorKind::MemoryUnknown,
        }
    }

    pub(crate) fn too_many_threads(asked: usize, most: usize) -> Self {
        Self(Kind::TooManyThreads { asked, most })
    }

    pub(crate) fn unknown_core(core: usize, usable: Vec<usize>) -> Self {
        Self(Kind::UnknownCore { core, usable })
    }

    pub(crate) fn no_cores() -> Self {
        Self(Kind::NoCores)
    }

    pub(crate) fn too_few_cores(listed: usize, threads: usize) -> Self {
        Self(Kind::TooFewCores { listed, threads })
    }

    pub(crate) fn cores_unknown() -> Self {
        Self(Kind::CoresUnknown)
    }

    pub(crate) fn pin(worker: usize, core: usize, source: io::Error) -> Self {
        Self(Kind::Pin { worker, core, source: Arc::new(source) })
    }

    pub(crate) fn not_started(worker: usize, by_handler: bool, source: io::Error) -> Self {
        let source = Arc::new(source);
        Self(if by_handler { Kind::SpawnHandler { worker, source } } else { Kind::Spawn { worker, source } })
    }

    /// Of threads that the standard library started, where this crate's own handler asked it to.
    pub(crate) fn without_spawn_handler(self) -> Self {
        match self.0 {
            Kind::SpawnHandler { worker, source } => Self(Kind::Spawn { worker, source }),
            kind => Self(kind),
        }
    }

    pub(crate) fn never_ran(ran: usize, threads: usize) -> Self {
        Self(Kind::NeverRan { ran, threads })
    }

    pub(crate) fn nul_in_name(worker: usize, name: String) -> Self {
        Self(Kind::NulInName { worker, name })
    }

    pub(crate) fn global_exists() -> Self {
        Self(Kind::GlobalExists)
    }

    pub(crate) fn thread_in_pool() -> Self {
        Self(Kind::ThreadInPool)
    }

    pub(crate) fn bad_variable(name: &'static str, value: OsString, most: usize) -> Self {
        Self(Kind::BadVariable { name, value, most })
    }

    pub(crate) fn memory_unknown(source: MemoryUnknown) -> Self {
        Self(Kind::MemoryUnknown(source))
    }
}

impl fmt::Display for ThreadPoolBuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::TooManyThreads { asked, most } => {
                write!(f, "a pool has at most {most} workers, but {asked} were asked for; ask for fewer")
            }
            Kind::UnknownCore { core, usable } => write!(
                f,
                "core {core} is not among the cores that this process may use, which are {usable:?}; \
                 name one of those, or widen the process's affinity mask"
            ),
            Kind::NoCores => write!(
                f,
                "`Pinning::Explicit` lists no core, but each worker needs one; list at least one, or use `Pinning::Auto`"
            ),
            Kind::TooFewCores { listed, threads } => write!(
                f,
                "{threads} workers need {threads} cores to be pinned to, but {listed} are listed; \
                 list a core for each worker (the same core may stand there twice)"
            ),
            Kind::CoresUnknown => {
                write!(f, "this system does not tell which cores there are; use `Pinning::Off`")
            }
            Kind::Pin { worker, core, source } => write!(
                f,
                "worker {worker} could not be pinned to core {core}: {source}; \
                 choose another core, or `Pinning::Off`"
            ),
            Kind::Spawn { worker, source } => write!(
                f,
                "the thread of worker {worker} could not be started: {source}; \
                 ask for fewer workers or a smaller stack, or raise the limit on threads"
            ),
            Kind::SpawnHandler { worker, source } => {
                write!(f, "the spawn handler was given worker {worker}, and returned an error: {source}")
            }
            Kind::NeverRan { ran, threads } => write!(
                f,
                "the spawn handler was given {threads} threads, but ran only {ran}; \
                 let it call `run` on each, on a thread of its own, or return an error"
            ),
            Kind::NulInName { worker, name } => write!(
                f,
                "the system takes no thread name with a NUL in it, but worker {worker} is to be called {name:?}; \
                 give it another name"
            ),
            Kind::GlobalExists => {
                write!(
                    f,
                    "the global pool exists already; build it before the first parallel call without a pool"
                )
            }
            Kind::ThreadInPool => write!(
                f,
                "the current thread is in the midst of a pool's work, so it cannot become a worker of another; \
                 build the pool on another thread, or without `use_current_thread`"
            ),
            Kind::BadVariable { name, value, most } => write!(
                f,
                "the environment variable {name} is {value:?}, but the number of workers is from 0 (the default) to {most}; \
                 correct it, unset it, or call `num_threads`"
            ),
            Kind::MemoryUnknown(source) => {
                write!(f, "a memory guard has nothing to go by: {source}; or build the pool without one")
            }
        }
    }
}

impl std::error::Error for ThreadPoolBuildError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.0 {
            Kind::Pin { source, .. } | Kind::Spawn { source, .. } | Kind::SpawnHandler { source, .. } => {
                Some(source)
            }
            Kind::MemoryUnknown(source) => Some(source),
            _ => None,
        }
    }
}
