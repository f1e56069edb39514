//! Why a pool could not be built.

use std::error::Error;
use std::fmt;

/// The error when a pool cannot be built.
#[derive(Debug)]
pub struct ThreadPoolBuildError(Kind);

#[derive(Debug)]
enum Kind {
    GlobalExists,
    ThreadInPool,
    Other(taskel::ThreadPoolBuildError),
}

impl ThreadPoolBuildError {
    pub(crate) fn global_exists() -> Self {
        Self(Kind::GlobalExists)
    }

    pub(crate) fn thread_in_pool() -> Self {
        Self(Kind::ThreadInPool)
    }
}

impl From<taskel::ThreadPoolBuildError> for ThreadPoolBuildError {
    fn from(error: taskel::ThreadPoolBuildError) -> Self {
        Self(Kind::Other(error))
    }
}

impl fmt::Display for ThreadPoolBuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            // Programs compare error messages with these two texts.
            Kind::GlobalExists => f.write_str("The global thread pool has already been initialized."),
            Kind::ThreadInPool => f.write_str("The current thread is already part of another thread pool."),
            Kind::Other(error) => error.fmt(f),
        }
    }
}

impl Error for ThreadPoolBuildError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.0 {
            Kind::GlobalExists | Kind::ThreadInPool => None,
            Kind::Other(error) => error.source(),
        }
    }
}
