//! Teams on systems without locks that survive their owners. No team exists there, and every
//! constructor returns an error.

use std::ffi::OsStr;
use std::ops::Range;

use serde::Serialize;
use serde::de::DeserializeOwned;
use shm_lock::{OpenError, Unsupported};
use taskel::ThreadPool;

use crate::error::{Lost, TeamError};

fn unsupported<T>() -> Result<T, TeamError> {
    Err(TeamError::Open(OpenError::from(Unsupported::OperatingSystem { found: std::env::consts::OS })))
}

#[derive(Debug)]
enum Never {}

/// A team of processes. None can exist on this system.
#[derive(Debug)]
pub struct Team(Never);

/// A mutex of a [`Team`].
#[derive(Clone, Debug)]
pub struct TeamMutex(std::convert::Infallible);

/// The lock of a [`TeamMutex`].
#[must_use = "the lock is released at once unless it is kept"]
#[derive(Debug)]
pub struct TeamGuard<'a>(std::convert::Infallible, std::marker::PhantomData<&'a ()>);

#[allow(missing_docs, reason = "as on Linux, where they are documented")]
impl Team {
    pub fn from_env() -> Result<Team, TeamError> {
        unsupported()
    }

    pub fn alone() -> Result<Team, TeamError> {
        unsupported()
    }

    pub fn launch(_: &Launcher) -> Result<Team, TeamError> {
        unsupported()
    }

    pub fn ledger(self, _: impl AsRef<std::path::Path>) -> Result<Team, TeamError> {
        match self.0 {}
    }

    #[must_use]
    pub fn rank(&self) -> usize {
        match self.0 {}
    }

    #[must_use]
    pub fn size(&self) -> usize {
        match self.0 {}
    }

    #[must_use]
    pub fn pool(&self) -> &ThreadPool {
        match self.0 {}
    }

    #[must_use]
    pub fn deaths_and_repetitions(&self) -> (u64, u64) {
        match self.0 {}
    }

    pub fn for_each<F: Fn(usize) + Sync + Send>(&self, _: Range<usize>, _: F) -> Result<(), TeamError> {
        match self.0 {}
    }

    pub fn map<T, F>(&self, _: Range<usize>, _: F) -> Result<Vec<T>, TeamError>
    where
        T: Serialize + DeserializeOwned + Send,
        F: Fn(usize) -> T + Sync + Send,
    {
        match self.0 {}
    }

    pub fn try_map<T, F>(&self, _: Range<usize>, _: F) -> Result<Vec<Result<T, Lost>>, TeamError>
    where
        T: Serialize + DeserializeOwned + Send,
        F: Fn(usize) -> T + Sync + Send,
    {
        match self.0 {}
    }

    pub fn reduce<T, F, I, C>(&self, _: Range<usize>, _: F, _: I, _: C) -> Result<T, TeamError>
    where
        T: Serialize + DeserializeOwned + Send,
        F: Fn(usize) -> T + Sync + Send,
        I: Fn() -> T + Sync + Send,
        C: Fn(T, T) -> T + Sync + Send,
    {
        match self.0 {}
    }

    pub fn barrier(&self) -> Result<(), TeamError> {
        match self.0 {}
    }

    pub fn mutex(&self, _: &str) -> Result<TeamMutex, TeamError> {
        match self.0 {}
    }
}

#[allow(missing_docs, reason = "as on Linux, where they are documented")]
impl TeamMutex {
    pub fn lock(&self) -> Result<TeamGuard<'_>, TeamError> {
        match self.0 {}
    }
}

#[allow(missing_docs, reason = "as on Linux, where they are documented")]
impl TeamGuard<'_> {
    #[must_use]
    pub fn owner_died(&self) -> bool {
        match self.0 {}
    }
}

/// The progress of a team.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[allow(missing_docs, reason = "as on Linux, where they are documented")]
pub struct Progress {
    pub calls: u64,
    pub items: u64,
    pub claimed: u64,
    pub running: usize,
    pub deaths: u64,
}

/// How to start a team, which is not possible on this system.
#[derive(Clone, Debug)]
#[must_use = "nothing is started before `run`, or `Team::launch`"]
pub struct Launcher(());

#[allow(missing_docs, reason = "as on Linux, where they are documented")]
impl Launcher {
    pub fn new(_: usize) -> Launcher {
        Launcher(())
    }

    pub fn restarts(self, _: u64) -> Launcher {
        self
    }

    pub fn threads(self, _: usize) -> Launcher {
        self
    }

    pub fn attempts(self, _: u64) -> Launcher {
        self
    }

    pub fn prefix(self, _: bool) -> Launcher {
        self
    }

    pub fn ledger(self, _: impl Into<std::path::PathBuf>) -> Launcher {
        self
    }

    pub fn watch(self, _: impl Fn(&Progress) + Send + Sync + 'static) -> Launcher {
        self
    }

    pub fn run(
        &self,
        _: impl AsRef<OsStr>,
        _: impl IntoIterator<Item = impl AsRef<OsStr>>,
    ) -> Result<i32, TeamError> {
        unsupported()
    }
}
