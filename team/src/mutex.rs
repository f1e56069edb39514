//! Mutexes of a team.

use std::fmt;
use std::sync::Arc;

use shm_lock::{ShmMutexGuard, ShmRegion};

use crate::control::{Control, hold_and_tell};
use crate::error::TeamError;

/// A lock that one thread of the whole team has at a time, by its name: [`Team::mutex`](crate::Team::mutex).
///
/// It protects what is outside of the team's memory, such as a file or a database.
#[derive(Clone)]
pub struct TeamMutex {
    locks: Arc<ShmRegion<Control>>,
    number: usize,
}

impl TeamMutex {
    pub(crate) fn new(locks: &Arc<ShmRegion<Control>>, name: &str) -> Result<TeamMutex, TeamError> {
        Ok(TeamMutex { locks: Arc::clone(locks), number: locks.mutex_named(name)? })
    }

    /// Takes the lock, waiting for it as long as it takes.
    ///
    /// ```
    /// let team = taskel_team::Team::alone()?;
    /// let file = team.mutex("file")?;
    /// let guard = file.lock()?;
    /// assert!(!guard.owner_died());
    /// # drop(guard);
    /// # Ok::<(), taskel_team::TeamError>(())
    /// ```
    ///
    /// # Errors
    /// [`TeamError::Lock`], if this thread has it already, or cannot hold a lock.
    pub fn lock(&self) -> Result<TeamGuard<'_>, TeamError> {
        let (guard, owner_died) = hold_and_tell(self.locks.mutex(self.number).lock())?;
        Ok(TeamGuard { _guard: guard, owner_died })
    }
}

impl fmt::Debug for TeamMutex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TeamMutex").field("number", &self.number).finish_non_exhaustive()
    }
}

/// The lock of a [`TeamMutex`]; dropping it gives it back. It stays with its thread.
#[must_use = "the lock is given back at once unless it is kept"]
#[derive(Debug)]
pub struct TeamGuard<'a> {
    _guard: ShmMutexGuard<'a, u64>,
    owner_died: bool,
}

impl TeamGuard<'_> {
    /// Whether the last owner died, or panicked, while it had the lock: what it protects may be
    /// half done. One owner is told.
    #[must_use]
    pub fn owner_died(&self) -> bool {
        self.owner_died
    }
}
