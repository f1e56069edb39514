//! Mutexes of a team.

use std::fmt;
use std::sync::Arc;

use shm_lock::{ShmMutexGuard, ShmRegion};

use crate::control::{Control, hold_and_tell};
use crate::error::TeamError;
use crate::world::{Ticket, TicketGuard, World};

/// A named lock that one thread of the whole team holds at a time; see
/// [`Team::mutex`](crate::Team::mutex).
///
/// It protects things outside the team's memory, such as a file or a database.
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

    /// Takes the lock. Blocks until it is free.
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
    /// [`TeamError::Lock`], if this thread already holds the lock, or cannot hold locks.
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

/// The lock of a [`TeamMutex`], held by one thread. Dropping it releases the lock.
#[must_use = "the lock is released at once unless it is kept"]
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
    /// Returns whether the last owner died or panicked while it held the lock. What the lock
    /// protects may then be half done. Exactly one owner is told.
    #[must_use]
    pub fn owner_died(&self) -> bool {
        self.owner_died
    }
}
