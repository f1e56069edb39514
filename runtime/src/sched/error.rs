//! Why a pool could not be made.

use std::ffi::OsString;
use std::fmt;
use std::io;
use std::sync::Arc;

use crate::memory::MemoryUnknown;

/// A [`ThreadPool`](crate::ThreadPool) could not be built.
///
/// Its message says what was expected, what was found, and what to do. When the system refused something,
/// [`source`](std::error::Error::source) is its [`io::Error`].
///
/// ```
/// use taskel::{Pinning, ThreadPoolBuilder};
///
/// let no_such_core = usize::MAX;
/// let error = ThreadPoolBuilder::new().pinning(Pinning::Explicit(vec![no_such_core])).build().unwrap_err();
/// assert!(error.to_string().contains(&no_such_core.to_string()));
/// ```
#[derive(Clone, Debug)]
pub struct ThreadPoolBuildError(Kind);

#[derive(Clone, Debug)]
enum Kind {
    TooManyThreads { asked: usize, most: usize },
    UnknownCore { core: usize, usable: Vec<usize> },
    TooFewCores { listed: usize, threads: usize },
    CoresUnknown,
    Pin { worker: usize, core: usize, source: Arc<io::Error> },
    Spawn { worker: usize, source: Arc<io::Error> },
    NeverRan { ran: usize, threads: usize },
    NulInName { worker: usize, name: String },
    GlobalExists,
    ThreadInPool,
    BadVariable { name: &'static str, value: OsString, most: usize },
    MemoryUnknown(MemoryUnknown),
}

impl ThreadPoolBuildError {
    pub(crate) fn too_many_threads(asked: usize, most: usize) -> Self {
        Self(Kind::TooManyThreads { asked, most })
    }

    pub(crate) fn unknown_core(core: usize, usable: Vec<usize>) -> Self {
        Self(Kind::UnknownCore { core, usable })
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

    pub(crate) fn spawn(worker: usize, source: io::Error) -> Self {
        Self(Kind::Spawn { worker, source: Arc::new(source) })
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
            Kind::Pin { source, .. } | Kind::Spawn { source, .. } => Some(source),
            Kind::MemoryUnknown(source) => Some(source),
            _ => None,
        }
    }
}
