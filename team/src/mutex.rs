//! Mutexes of a team.

use std::fmt;
use std::sync::Arc;

use shm_lock::{ShmMutexGuard, ShmRegion};

use crate::control::{Control, hold_and_tell};
use crate::error::TeamError;
use crate::world::{Ticket, TicketGuard, World};

/// A lock that one thread of the whole team has at a time, by its name:
/// [`Team::mutex`](crate::Team::mutex).
///
/// It protects what is outside of the team's memory, such as a file or a database.
#[derive(Clone, Debug)]
pub struct TeamMutex(Lock);

#[derive(Clone)]
enum Lock {
    /// In shared memory.
    Region { locks: Arc<ShmRegion<Control>>, number: usize },
    /// Of MPI's world.
    #[cfg_attr(not(feature = "mpi"), allow(dead_code, reason = "no other world has several ranks"))]
    Ticket(Arc<Ticket>),
}

impl TeamMutex {
    pub(crate) fn of_region(locks: &Arc<ShmRegion<Control>>, name: &str) -> Result<TeamMutex, TeamError> {
        Ok(TeamMutex(Lock::Region { locks: Arc::clone(locks), number: locks.mutex_named(name)? }))
    }

    #[cfg_attr(not(feature = "mpi"), allow(dead_code, reason = "no other world has several ranks"))]
    pub(crate) fn of_world(world: &Arc<dyn World>, name: &str) -> Result<TeamMutex, TeamError> {
        Ok(TeamMutex(Lock::Ticket(Arc::new(Ticket::named(world, name)?))))
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
        let (guard, owner_died) = match &self.0 {
            Lock::Region { locks, number } => {
                let (guard, died) = hold_and_tell(locks.mutex(*number).lock())?;
                (Guard::Region { _guard: guard }, died)
            }
            Lock::Ticket(ticket) => {
                let (guard, failed) = ticket.lock()?;
                (Guard::Ticket { _guard: guard }, failed)
            }
        };
        Ok(TeamGuard { _guard: guard, owner_died })
    }
}

impl fmt::Debug for Lock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Lock::Region { number, .. } => {
                f.debug_struct("Region").field("number", number).finish_non_exhaustive()
            }
            Lock::Ticket(ticket) => ticket.fmt(f),
        }
    }
}

/// The lock of a [`TeamMutex`]; dropping it gives it back. It stays with its thread.
#[must_use = "the lock is given back at once unless it is kept"]
#[derive(Debug)]
pub struct TeamGuard<'a> {
    _guard: Guard<'a>,
    owner_died: bool,
}

#[derive(Debug)]
enum Guard<'a> {
    Region { _guard: ShmMutexGuard<'a, u64> },
    Ticket { _guard: TicketGuard<'a> },
}

impl TeamGuard<'_> {
    /// Whether the last owner died, or panicked, while it had the lock: what it protects may be
    /// half done. One owner is told.
    #[must_use]
    pub fn owner_died(&self) -> bool {
        self.owner_died
    }
}
