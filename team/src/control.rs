//! The locks of a team: seats, named mutexes, and the lock and condition for waiting.

use std::time::Duration;

use shm_lock::{LockError, LockFailure, RegionMutex, ShmCondvar, ShmMutexGuard, ShmPod, ShmRegion};

use crate::error::TeamError;
use crate::memory::MOST_RANKS;
use crate::sync::Fences;

/// The largest number of mutexes in a team.
pub(crate) const MOST_MUTEXES: usize = 64;
/// The longest name of a mutex, in bytes.
pub(crate) const LONGEST_NAME: usize = 63;

/// Which process has a rank, as recorded in its seat.
#[derive(Clone, Copy, ShmPod)]
#[repr(C)]
pub(crate) struct Seat {
    /// The process that has the seat, or had it last; 0 if there was none.
    pub(crate) incarnation: u64,
    /// Not 0 if this process has ended its part.
    pub(crate) left: u64,
}

/// The program that all ranks run.
#[derive(Clone, Copy, ShmPod, PartialEq, Eq)]
#[repr(C)]
pub(crate) struct Program {
    pub(crate) device: u64,
    pub(crate) inode: u64,
    pub(crate) size: u64,
    pub(crate) changed_ns: u64,
    /// 0 until the first rank has come.
    pub(crate) hash: u64,
}

/// The names of the mutexes in use.
#[derive(Clone, Copy, ShmPod)]
#[repr(C)]
pub(crate) struct Names {
    count: u64,
    names: [[u8; LONGEST_NAME + 1]; MOST_MUTEXES],
}

/// Settings that are fixed when a team is created.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ShmPod)]
#[repr(C)]
pub(crate) struct Settings {
    pub(crate) ranks: u64,
    /// Of each rank's pool.
    pub(crate) threads: u64,
    /// How many deaths make an item lost.
    pub(crate) attempts: u64,
    /// Not 0 if processes may register for heavy fences.
    pub(crate) membarrier: u64,
}

impl Settings {
    /// The settings of a team that this process creates.
    pub(crate) fn new(ranks: u64, threads: u64, attempts: u64) -> Settings {
        let membarrier = u64::from(Fences::of_team() == Fences::Asymmetric);
        Settings { ranks, threads, attempts, membarrier }
    }

    /// Returns how the team's processes may make light fences.
    pub(crate) fn fences(self) -> Fences {
        if self.membarrier == 0 { Fences::Symmetric } else { Fences::Asymmetric }
    }
}

shm_lock::region! {
    /// The locks.
    pub(crate) struct Control {
        settings: Settings,
        pub(crate) program: RegionMutex<Program>,
        /// Held to begin a call; the number of calls so far.
        pub(crate) calls: RegionMutex<u64>,
        /// Held by the rank that looks for free items.
        pub(crate) recovery: RegionMutex<u64>,
        /// Held between a change that others wait for and the notification.
        wake: RegionMutex<u64>,
        changed: ShmCondvar,
        names: RegionMutex<Names>,
        mutexes: [RegionMutex<u64>; MOST_MUTEXES],
        pub(crate) seats: [RegionMutex<Seat>; MOST_RANKS],
    }
}

/// A lock, and whether its last owner died.
pub(crate) type Held<'a, T> = (ShmMutexGuard<'a, T>, bool);

/// Takes a lock whose value is consistent whenever its owner dies.
pub(crate) fn hold<T: ShmPod>(mutex: &RegionMutex<T>) -> Result<ShmMutexGuard<'_, T>, TeamError> {
    Ok(hold_and_tell(mutex.lock())?.0)
}

/// Takes a lock, and returns whether its last owner died.
pub(crate) fn hold_and_tell<'a, T: ShmPod>(
    outcome: Result<ShmMutexGuard<'a, T>, LockError<'a, T>>,
) -> Result<Held<'a, T>, LockFailure> {
    match outcome {
        Ok(guard) => Ok((guard, false)),
        Err(LockError::OwnerDied(guard) | LockError::Poisoned(guard)) => Ok((guard.mark_consistent(), true)),
        Err(error) => Err(error.into_reason()),
    }
}

impl Control {
    /// Creates the locks of a team that has made this many calls in earlier runs.
    pub(crate) fn create(settings: Settings, calls: u64) -> Result<ShmRegion<Control>, TeamError> {
        let free = Seat { incarnation: 0, left: 0 };
        let nobody = Program { device: 0, inode: 0, size: 0, changed_ns: 0, hash: 0 };
        let unnamed = Names { count: 0, names: [[0; LONGEST_NAME + 1]; MOST_MUTEXES] };
        let control = Control {
            settings,
            program: RegionMutex::new(nobody),
            calls: RegionMutex::new(calls),
            recovery: RegionMutex::new(0),
            wake: RegionMutex::new(0),
            changed: ShmCondvar::new(),
            names: RegionMutex::new(unnamed),
            mutexes: std::array::from_fn(|_| RegionMutex::new(0)),
            seats: std::array::from_fn(|_| RegionMutex::new(free)),
        };
        Ok(ShmRegion::memfd("taskel-team-locks", control)?)
    }

    pub(crate) fn settings(&self) -> Settings {
        self.settings
    }

    /// Wakes all that wait for a change. Make the change before.
    pub(crate) fn notify(&self) -> Result<(), TeamError> {
        // A waiter that checked before the change is asleep once this lock is free.
        drop(hold(&self.wake)?);
        self.changed.notify_all();
        Ok(())
    }

    /// Waits until `is_over` returns true, which is checked after each notification, or until
    /// `patience` has passed. Returns the last result of `is_over`.
    pub(crate) fn wait(
        &self,
        patience: Duration,
        mut is_over: impl FnMut() -> bool,
    ) -> Result<bool, TeamError> {
        let guard = hold(&self.wake)?;
        match self.changed.wait_timeout_while(guard, patience, |_| !is_over()) {
            Ok((_, still)) => Ok(!still),
            // A notifier died. Only its notification is lost.
            Err(LockError::OwnerDied(guard) | LockError::Poisoned(guard)) => {
                drop(guard.mark_consistent());
                Ok(is_over())
            }
            Err(error) => Err(error.into_reason().into()),
        }
    }

    /// Returns the number of the mutex with this name.
    pub(crate) fn mutex_named(&self, name: &str) -> Result<usize, TeamError> {
        let too_many = |what, most, found| TeamError::TooMany { what, most, found };
        if name.len() > LONGEST_NAME {
            return Err(too_many("bytes of a mutex's name", LONGEST_NAME as u64, name.len() as u64));
        }
        let mut padded = [0; LONGEST_NAME + 1];
        padded[..name.len()].copy_from_slice(name.as_bytes());
        // Makes an empty name distinct from an unused entry.
        padded[LONGEST_NAME] = 1;
        let mut names = hold(&self.names)?;
        let count = (names.count as usize).min(MOST_MUTEXES);
        if let Some(known) = names.names[..count].iter().position(|known| *known == padded) {
            return Ok(known);
        }
        if count == MOST_MUTEXES {
            return Err(too_many("mutexes", MOST_MUTEXES as u64, count as u64 + 1));
        }
        names.names[count] = padded;
        names.count = count as u64 + 1;
        Ok(count)
    }

    pub(crate) fn mutex(&self, number: usize) -> &RegionMutex<u64> {
        &self.mutexes[number]
    }
}
