//! Which process has which rank, and who takes over when it dies.
//!
//! A rank's seat is a robust lock. A thread of its process, the *keeper*, holds it for the whole
//! time. So the kernel reports the death of a rank through this lock, to exactly one process at a
//! time, even if this process dies while it takes over.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{self, Sender};
use std::thread;
use std::time::Duration;

use shm_lock::{LockFailure, RegionMutex, ShmMutexGuard, ShmRegion};

use crate::calls::CallWords;
use crate::control::{Control, Seat, hold_and_tell};
use crate::error::TeamError;
use crate::memory::{Memory, Status};
use crate::sync::{Fences, Ordering};

/// How long to wait for a seat that another rank is taking over.
const PATIENCE: Duration = Duration::from_secs(5);

/// The memory and locks of a team.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) memory: Arc<Memory>,
    pub(crate) locks: Arc<ShmRegion<Control>>,
    /// The fences of this process.
    pub(crate) fences: Fences,
}

impl Shared {
    /// Looks for ranks that have died in a call, and takes over their items. Returns whether there
    /// were any.
    pub(crate) fn take_over_dead(&self, own_rank: Option<usize>) -> Result<bool, TeamError> {
        let ranks = self.locks.settings().ranks as usize;
        let mut found = false;
        for rank in (0..ranks).filter(|&rank| Some(rank) != own_rank) {
            if self.memory.ranks()[rank].call.load(Ordering::Relaxed) == 0 {
                continue;
            }
            match hold_and_tell(self.locks.seats[rank].try_lock()) {
                Ok((seat, true)) => {
                    self.take_over(rank, &seat);
                    found = true;
                }
                // A thread of the dead rank may have run on for a moment.
                Ok((_seat, false)) => found |= self.clear(rank),
                Err(LockFailure::WouldBlock) => (),
                Err(failure) => return Err(failure.into()),
            }
        }
        if found {
            self.locks.notify()?;
        }
        Ok(found)
    }

    /// Takes over a rank whose last owner has died. The caller holds its seat.
    pub(crate) fn take_over(&self, rank: usize, seat: &ShmMutexGuard<'_, Seat>) {
        let words = &self.memory.ranks()[rank];
        let settings = self.locks.settings();
        if let Some(number) = words.call.load(Ordering::Relaxed).checked_sub(1) {
            let call = CallWords::of(&self.memory, settings, number);
            call.claims.take_over(call.lanes_of(rank), seat.incarnation, settings.attempts);
        }
        let team = self.memory.team();
        // If this thread dies before this line, the next one counts the death.
        team.deaths.fetch_add(1, Ordering::Relaxed);
        team.lapses.fetch_add(1, Ordering::Relaxed);
        // Unless another process has the rank by now, which happens only after the seat is free.
        words.set_status(Status::Expected);
    }

    /// Frees what a rank without a process has. Returns false if it has nothing. The caller holds
    /// its seat.
    fn clear(&self, rank: usize) -> bool {
        let Some(number) = self.memory.ranks()[rank].call.load(Ordering::Relaxed).checked_sub(1) else {
            return false;
        };
        let call = CallWords::of(&self.memory, self.locks.settings(), number);
        let had_any = call.claims.clear(call.lanes_of(rank));
        self.memory.team().lapses.fetch_add(u64::from(had_any), Ordering::Relaxed);
        had_any
    }
}

/// A process's place in a team. It ends when it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    keeper: Option<(Sender<Ending>, thread::JoinHandle<()>)>,
}

/// How a process ends its part.
enum Ending {
    /// It has finished its work.
    Leaves,
    /// It counts as dead.
    Dies,
}

impl Place {
    /// Takes the seat of the rank.
    pub(crate) fn take(shared: &Shared, rank: usize) -> Result<Place, TeamError> {
        let (sender, receiver) = mpsc::channel();
        let (told, tell) = mpsc::sync_channel(1);
        let shared = shared.clone();
        let keep = move || {
            let seat = match sit_down(&shared, rank) {
                Ok(seat) => seat,
                Err(error) => return drop(told.send(Err(error))),
            };
            let _ = told.send(Ok(()));
            match receiver.recv() {
                Ok(Ending::Leaves) => leave(&shared, rank, seat),
                // The kernel reports this to the next owner when this thread has ended.
                Ok(Ending::Dies) | Err(_) => std::mem::forget(seat),
            }
        };
        let keeper = thread::Builder::new().name("taskel-team".into()).stack_size(256 << 10).spawn(keep);
        let keeper = keeper.map_err(TeamError::io("start a thread"))?;
        let outcome = tell
            .recv()
            .unwrap_or_else(|_| Err(TeamError::io("keep a rank")(io::Error::other("its thread has ended"))));
        outcome.map(|()| Place { keeper: Some((sender, keeper)) })
    }

    /// Ends this process's part like a death: others take over its items.
    pub(crate) fn die(&mut self) {
        self.end(Ending::Dies);
    }

    fn end(&mut self, ending: Ending) {
        let Some((sender, keeper)) = self.keeper.take() else { return };
        let _ = sender.send(ending);
        let _ = keeper.join();
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.end(if thread::panicking() { Ending::Dies } else { Ending::Leaves });
    }
}

fn sit_down(shared: &Shared, rank: usize) -> Result<ShmMutexGuard<'_, Seat>, TeamError> {
    let mutex: &RegionMutex<Seat> = &shared.locks.seats[rank];
    let (mut seat, died) = match hold_and_tell(mutex.lock_timeout(PATIENCE)) {
        Ok(held) => held,
        Err(LockFailure::TimedOut) => return Err(TeamError::RankTaken { rank }),
        Err(failure) => return Err(failure.into()),
    };
    if died {
        shared.take_over(rank, &seat);
    } else {
        shared.clear(rank);
    }
    if seat.left != 0 {
        return Err(TeamError::RankTaken { rank });
    }
    let words = &shared.memory.ranks()[rank];
    seat.incarnation = shared.memory.team().incarnations.fetch_add(1, Ordering::Relaxed) + 1;
    words.incarnation.store(seat.incarnation, Ordering::Relaxed);
    words.call.store(0, Ordering::Relaxed);
    words.reached.store(0, Ordering::Relaxed);
    words.set_status(Status::Alive);
    Ok(seat)
}

fn leave(shared: &Shared, rank: usize, mut seat: ShmMutexGuard<'_, Seat>) {
    seat.left = 1;
    shared.memory.ranks()[rank].set_status(Status::Left);
    drop(seat);
    // If this fails, waiters look again on their own soon.
    let _ = shared.locks.notify();
}
