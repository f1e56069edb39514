//! Barriers: threads of several processes wait for each other.

use std::error::Error;
use std::fmt;
use std::marker::PhantomData;
use std::time::{Duration, Instant};

use crate::error::Unsupported;
use crate::layout::{Locks, ShmLayout};
use crate::lock_error::LockFailure;
use crate::protocol::barrier::{Barrier, Member, Seat, Seats};
use crate::protocol::mutex::{Holder, Mutex};
use crate::protocol::slots::Slots;
use crate::slots::{Row, Slot};
use crate::thread::{Claim, Thread, Ticker};

/// A barrier between processes, in a [`ShmRegion`](crate::ShmRegion). It reports which members
/// died.
///
/// A barrier has a fixed number of members, up to `MOST`. Each member takes a seat, and all wait
/// for each other in every round. If a member dies, the others learn this within a tenth of a
/// second, in the round in which it is missing, and go on without it. Dead members are not
/// replaced. Create a new barrier instead.
///
/// ```
/// use shm_lock::{ShmBarrier, ShmRegion};
///
/// let barrier = ShmRegion::memfd("steps", ShmBarrier::new(2))?;
/// std::thread::scope(|scope| {
///     // In each process or thread:
///     let work = || {
///         let mut seat = barrier.join().unwrap();
///         // … the first step …
///         let leads = seat.wait().unwrap();
///         // … the second step, for which the first is done everywhere …
///         leads
///     };
///     let other = scope.spawn(work);
///     assert!(work() ^ other.join().unwrap(), "one of them leads");
/// });
/// # Ok::<(), shm_lock::OpenError>(())
/// ```
#[repr(C, align(64))]
pub struct ShmBarrier<const MOST: usize = 64> {
    words: Barrier,
    seats: [Seat; MOST],
    slots: [Slot; MOST],
}

// SAFETY: `repr(C)` and made of atomic words and locks, which are shown; the description has their
// number.
unsafe impl<const MOST: usize> ShmLayout for ShmBarrier<MOST> {
    fn describe(text: &mut String) {
        text.push_str(&format!("ShmBarrier<{MOST}>"));
    }

    fn visit_locks(&self, locks: &mut Locks<'_>) {
        Slot::show(&self.slots, locks);
    }
}

impl ShmBarrier {
    /// Creates a barrier for `members` members, at least 1 and at most 64.
    pub fn new(members: u32) -> Self {
        ShmBarrier::with_members(members)
    }
}

impl<const MOST: usize> ShmBarrier<MOST> {
    /// Creates a barrier for `members` members, at least 1 and at most `MOST`. If `MOST` is 0, this
    /// does not compile.
    pub fn with_members(members: u32) -> Self {
        ShmBarrier {
            words: Barrier::new(members.clamp(1, MOST as u32)),
            seats: std::array::from_fn(|_| Seat::new()),
            slots: Slot::row(),
        }
    }

    /// Returns the number of members, including those that have left or died.
    ///
    /// ```
    /// let barrier = shm_lock::ShmRegion::memfd("many", shm_lock::ShmBarrier::<200>::with_members(150))?;
    /// assert_eq!(barrier.members(), 150);
    /// # Ok::<(), shm_lock::OpenError>(())
    /// ```
    pub fn members(&self) -> usize {
        self.all().members() as usize
    }

    /// Takes a seat. The first round ends only after all seats are taken.
    ///
    /// ```
    /// use shm_lock::{BarrierError, ShmBarrier, ShmRegion};
    ///
    /// let barrier = ShmRegion::memfd("alone", ShmBarrier::new(1))?;
    /// let mut seat = barrier.join().unwrap();
    /// assert_eq!((seat.index(), seat.wait()), (0, Ok(true)));
    /// assert_eq!(barrier.join().unwrap_err(), BarrierError::Full);
    /// # Ok::<(), shm_lock::OpenError>(())
    /// ```
    ///
    /// # Errors
    /// [`BarrierError::Full`] and [`BarrierError::Unsupported`].
    pub fn join(&self) -> Result<BarrierSeat<'_>, BarrierError> {
        let thread = Thread::current().map_err(BarrierError::Unsupported)?;
        let seats = self.all().for_thread(thread);
        let who = (std::process::id(), seats.slot(0).1.tid());
        match self.words.join(&seats, who) {
            Ok(Some(member)) => Ok(BarrierSeat {
                all: self.all(),
                member,
                generation: Thread::generation(),
                not_send: PhantomData,
            }),
            Ok(None) => Err(BarrierError::Full),
            Err(refused) => Err(refused.into()),
        }
    }

    fn all(&self) -> All<'_> {
        All { words: &self.words, seats: &self.seats, slots: &self.slots }
    }
}

impl<const MOST: usize> fmt::Debug for ShmBarrier<MOST> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ShmBarrier").field("members", &self.members()).finish_non_exhaustive()
    }
}

/// The words and slots of a barrier in a region.
#[derive(Clone, Copy, Debug)]
struct All<'a> {
    words: &'a Barrier,
    seats: &'a [Seat],
    slots: &'a [Slot],
}

impl<'a> All<'a> {
    fn members(self) -> u32 {
        self.words.members().min(self.slots.len() as u32)
    }

    fn for_thread(self, thread: Thread) -> ForThread<'a> {
        // SAFETY: slots that can be taken are placed, in a region that is mapped while it is
        // borrowed and, if a seat is leaked, for as long as this process has its thread
        // (`Place::drop`).
        ForThread { row: unsafe { Row::new(self.slots, thread) }, seats: self.seats }
    }
}

/// The same for the calling thread.
struct ForThread<'a> {
    row: Row<'a>,
    seats: &'a [Seat],
}

impl Slots for ForThread<'_> {
    type Me<'b>
        = Claim<'b>
    where
        Self: 'b;

    fn count(&self) -> u32 {
        self.row.count()
    }

    fn slot(&self, index: u32) -> (&Mutex, Claim<'_>) {
        self.row.slot(index)
    }
}

impl Seats for ForThread<'_> {
    fn seat(&self, index: u32) -> &Seat {
        &self.seats[index as usize]
    }
}

/// The seat of one thread at a [`ShmBarrier`]. Dropping it leaves the barrier: the others no longer
/// wait for this member.
///
/// If a panic drops the seat, this counts as the member's death. So does the end of its thread
/// after the seat was leaked. A seat cannot be sent to another thread, because the kernel knows
/// which thread holds it. After a fork, the parent is the member.
#[must_use = "the member leaves at once unless the seat is kept"]
pub struct BarrierSeat<'a> {
    all: All<'a>,
    member: Member,
    generation: u32,
    not_send: PhantomData<*mut ()>,
}

impl BarrierSeat<'_> {
    /// Waits until each other member has reached this round, has left or is dead. Returns true for
    /// one of the members that reach the round, or for none of them if the last missing member
    /// left.
    ///
    /// This takes time proportional to the number of members. Whatever a member did before the
    /// round is visible to all members after it.
    ///
    /// ```
    /// use shm_lock::{BarrierError, ShmBarrier, ShmRegion};
    ///
    /// let barrier = ShmRegion::memfd("steps", ShmBarrier::new(2))?;
    /// let mut seat = barrier.join().unwrap();
    /// std::thread::scope(|scope| {
    ///     // A member that dies, as in a killed process.
    ///     scope.spawn(|| std::mem::forget(barrier.join()));
    /// });
    /// let Err(BarrierError::MembersDied(dead)) = seat.wait() else { panic!("it is not there") };
    /// assert_eq!((dead.len(), dead[0].seat, dead[0].process), (1, 1, std::process::id()));
    /// assert_eq!(seat.wait(), Ok(true));
    /// # Ok::<(), shm_lock::OpenError>(())
    /// ```
    ///
    /// # Errors
    /// [`BarrierError::MembersDied`] lists the dead members. The round is over nevertheless, and
    /// the others may go on. [`BarrierError::NotMember`] in a forked child;
    /// [`BarrierError::Unsupported`].
    pub fn wait(&mut self) -> Result<bool, BarrierError> {
        self.wait_with(Ticker::forever())
    }

    /// Waits like [`wait`](Self::wait), but no longer than `patience`. After a timeout this member
    /// still counts as present. The next call continues to wait for the same round.
    ///
    /// ```
    /// use shm_lock::{BarrierError, ShmBarrier, ShmRegion};
    /// use std::time::Duration;
    ///
    /// let barrier = ShmRegion::memfd("steps", ShmBarrier::new(2))?;
    /// let mut seat = barrier.join().unwrap();
    /// assert_eq!(seat.wait_timeout(Duration::from_millis(1)), Err(BarrierError::TimedOut));
    /// // The other comes, and goes.
    /// drop(barrier.join());
    /// assert!(seat.wait().is_ok());
    /// # Ok::<(), shm_lock::OpenError>(())
    /// ```
    ///
    /// # Errors
    /// The errors of [`wait`](Self::wait), and [`BarrierError::TimedOut`].
    pub fn wait_timeout(&mut self, patience: Duration) -> Result<bool, BarrierError> {
        self.wait_with(Ticker::within(patience))
    }

    /// Waits like [`wait_timeout`](Self::wait_timeout), but no longer than until `deadline`.
    ///
    /// # Errors
    /// The errors of [`wait_timeout`](Self::wait_timeout).
    pub fn wait_deadline(&mut self, deadline: Instant) -> Result<bool, BarrierError> {
        self.wait_with(Ticker::until(deadline))
    }

    fn wait_with(&mut self, ticker: Ticker) -> Result<bool, BarrierError> {
        let thread = Thread::holding_since(self.generation).ok_or(BarrierError::NotMember)?;
        let (all, seats) = (self.all, self.all.for_thread(thread));
        let leads = all.words.wait(&seats, &mut self.member, &mut ticker.with_short_ticks())?;
        let dead: Vec<DeadMember> = (0..all.members())
            .filter(|&index| all.words.died(&seats, &self.member, index))
            .map(|index| {
                let (process, thread) = seats.seat(index).who();
                DeadMember { seat: index as usize, process, thread }
            })
            .collect();
        if dead.is_empty() { Ok(leads) } else { Err(BarrierError::MembersDied(dead)) }
    }

    /// Returns the number of the seat, from 0.
    pub fn index(&self) -> usize {
        self.member.index as usize
    }
}

// SAFETY: a shared seat gives out only its number.
unsafe impl Sync for BarrierSeat<'_> {}

impl fmt::Debug for BarrierSeat<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BarrierSeat").field("index", &self.index()).finish_non_exhaustive()
    }
}

impl Drop for BarrierSeat<'_> {
    fn drop(&mut self) {
        if let Some(thread) = Thread::holding_since(self.generation) {
            self.all.words.leave(&self.all.for_thread(thread), &self.member, std::thread::panicking());
        }
    }
}

/// A member of a [`ShmBarrier`] that died.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeadMember {
    /// The number of its seat.
    pub seat: usize,
    /// The id of its process. Another process may have this id by now.
    pub process: u32,
    /// The id of its thread.
    pub thread: u32,
}

/// Why a member of a [`ShmBarrier`] got no seat, or did not complete a round together with all
/// others.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BarrierError {
    /// These members died before they reached this round. The round is over, and all members that
    /// reached it get the same list.
    MembersDied(Vec<DeadMember>),
    /// The time is up. This member counts as present, and its next wait continues.
    TimedOut,
    /// All seats are taken, or were taken once.
    Full,
    /// The seat belongs to the parent of this forked process.
    NotMember,
    /// This thread cannot hold locks that survive it, or cannot wait.
    Unsupported(Unsupported),
}

impl From<crate::protocol::mutex::Refused> for BarrierError {
    fn from(refused: crate::protocol::mutex::Refused) -> Self {
        match LockFailure::from(refused) {
            LockFailure::Unsupported(reason) => BarrierError::Unsupported(reason),
            _ => BarrierError::TimedOut,
        }
    }
}

impl fmt::Display for BarrierError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BarrierError::MembersDied(dead) => {
                f.write_str("expected all members of the barrier, found that some died:")?;
                dead.iter().try_for_each(|member| {
                    write!(f, " process {} (thread {}) in seat {};", member.process, member.thread, member.seat)
                })?;
                f.write_str(" go on without them, or make a new barrier")
            }
            BarrierError::TimedOut => {
                f.write_str("expected all members of the barrier in time, found some missing; wait again")
            }
            BarrierError::Full => f.write_str(
                "expected a seat at the barrier, found all taken; make it for more members, or make a new one",
            ),
            BarrierError::NotMember => f.write_str(
                "expected a seat of this process, found that it was forked; take a seat in the child",
            ),
            BarrierError::Unsupported(reason) => reason.fmt(f),
        }
    }
}

impl Error for BarrierError {}
