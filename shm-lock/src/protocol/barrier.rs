//! Members that wait for each other, and learn which of them died.
//!
//! # State
//!
//! | word | of | meaning | written by |
//! |---|---|---|---|
//! | `members` | the barrier | how many seats there are | nobody, once the region is created |
//! | `round` | the barrier | how many rounds are over; it wraps around | the thread that ends a round; waiters sleep on it |
//! | a [slot](super::slots) | a seat | the thread that holds the seat | |
//! | `state` | a seat | see below | the holder of the seat |
//! | `process`, `thread` | a seat | its holder, or its last holder | the holder of the seat, before `state` |
//!
//! | `state` | meaning |
//! |---|---|
//! | 0 | the seat was never taken: everybody waits |
//! | *n* + 1 | its member has arrived *n* times: in all rounds before round *n* |
//! | [`LEFT`] | its member has left, and nobody waits for it |
//!
//! Round *r* is over when, for each seat, `state` is at least *r* + 2 or [`LEFT`], or the slot is
//! free, which means that the member is dead. A member that died before it arrived in round *r*
//! keeps `state` *r* + 1 for ever. So all others can tell at any later time that it died in this
//! round.
//!
//! # Death
//!
//! The kernel frees the slot of a dead member, and waiters find this after a tick. They do the same
//! if the thread that ended a round died before it woke them. A seat is given out once, so the
//! final state of a dead member is never overwritten.
//!
//! # Orderings
//!
//! * `state`: Release when it is written, Acquire when it is read. What a member did before it
//!   arrived happens before the end of the round.
//! * `round`: Release when it is incremented, Acquire when a waiter sees the new value. The end of
//!   a round happens before what any member does next.
//! * Acquire fence after a slot was found free: pairs with the Release that freed it. What a member
//!   did before it left happens before the end of the round.
//! * `SeqCst` fence between arriving, or leaving, and checking the others. Of the last two members,
//!   at least one sees the other, so nobody sleeps in a round that is over.
//!
//! # Progress
//!
//! A wait takes time proportional to the number of members, one system call per sleeper, and one
//! for the thread that wakes them. This is the central barrier of Mellor-Crummey and Scott
//! (Algorithms for scalable synchronisation on shared-memory multiprocessors, 1991), with one count
//! per seat, because a single count does not say which member is missing.
//!
//! # Models
//!
//! `barrier_models.rs`: nobody passes early, and what was done before is visible after; two rounds;
//! two members that take seats at the same time; one that leaves; one that times out; a death at
//! each step of joining, waiting and leaving.

use super::mutex::{Refused, Sleeper, Slept};
use super::slots::{Slots, take_of_gone};
use crate::sync::{AtomicU32, AtomicU64, Futex, Ordering, Seen, fence};

/// The `state` of a seat whose member has left.
const LEFT: u64 = u64::MAX;

/// The words of the whole barrier.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct Barrier {
    round: Futex,
    members: AtomicU32,
}

/// The words of one seat, beside its slot.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct Seat {
    state: AtomicU64,
    process: AtomicU32,
    thread: AtomicU32,
}

/// The seats of a barrier, and the calling thread.
pub(crate) trait Seats: Slots {
    fn seat(&self, index: u32) -> &Seat;
}

/// A member's own state.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) index: u32,
    /// How many rounds it has completed.
    rounds: u64,
    /// Whether it has also arrived in the next round.
    arrived: bool,
}

impl Seat {
    pub(crate) fn new() -> Self {
        Seat { state: AtomicU64::new(0), process: AtomicU32::new(0), thread: AtomicU32::new(0) }
    }

    /// Returns the process and thread that hold the seat, or held it last.
    pub(crate) fn who(&self) -> (u32, u32) {
        (self.process.load(Ordering::Relaxed), self.thread.load(Ordering::Relaxed))
    }

    pub(crate) fn state(&self) -> u64 {
        // Acquire: pairs with `write`.
        self.state.load(Ordering::Acquire)
    }

    fn write(&self, state: u64) {
        // Release: pairs with `state`.
        self.state.store(state, Ordering::Release);
    }
}

impl Barrier {
    /// Creates a barrier with at most as many members as there are seats.
    pub(crate) fn new(members: u32) -> Self {
        Barrier { round: Futex::new(0), members: AtomicU32::new(members) }
    }

    /// Returns the word on which waiters sleep, for a model of the kernel.
    #[cfg(any(test, loom))]
    #[allow(dead_code, reason = "for the models")]
    pub(crate) fn futex(&self) -> &Futex {
        &self.round
    }

    pub(crate) fn members(&self) -> u32 {
        self.members.load(Ordering::Relaxed)
    }

    /// Takes a seat that was never taken before, if there is one.
    pub(crate) fn join(
        &self,
        seats: &impl Seats,
        (process, thread): (u32, u32),
    ) -> Result<Option<Member>, Refused> {
        if seats.slot(0).0.is_unplaced() {
            return Err(Refused::Unplaced);
        }
        for index in 0..self.count(seats) {
            let seat = seats.seat(index);
            if seat.state() != 0 || !(seats.take(index) || take_of_gone(seats.slot(index))) {
                continue;
            }
            if seat.state() != 0 {
                seats.give(index);
                continue;
            }
            seat.process.store(process, Ordering::Relaxed);
            seat.thread.store(thread, Ordering::Relaxed);
            seat.write(1);
            return Ok(Some(Member { index, rounds: 0, arrived: false }));
        }
        Ok(None)
    }

    /// Waits until all others have arrived, left or died. Returns true for one of the waiters,
    /// unless this waiter dies or a leaving member ends the round. After a timeout of `sleeper` the
    /// member still counts as arrived, and the next call continues the wait.
    pub(crate) fn wait(
        &self,
        seats: &impl Seats,
        member: &mut Member,
        sleeper: &mut impl Sleeper,
    ) -> Result<bool, Refused> {
        if !member.arrived {
            member.arrived = true;
            seats.seat(member.index).write(member.rounds + 2);
        }
        // SeqCst: pairs with itself in others that arrive or leave.
        fence(Ordering::SeqCst);
        let round = member.rounds as u32;
        let leads = loop {
            // Acquire: pairs with `end`.
            if self.round.word().load(Ordering::Acquire) != round {
                break false;
            }
            if self.is_over(seats, member.rounds) && self.end(round) {
                break true;
            }
            match sleeper.sleep(&self.round, Seen { word: round, turn: 0 }) {
                Slept::Woken => (),
                Slept::Tick => self.free_seats_of_gone(seats),
                Slept::TimedOut => return Err(Refused::TimedOut),
                Slept::Failed(errno) => return Err(Refused::CannotWait(errno)),
            }
        };
        member.arrived = false;
        member.rounds += 1;
        Ok(leads)
    }

    /// Returns whether the member in this seat died before it arrived in the last round that
    /// `member` completed.
    pub(crate) fn died(&self, seats: &impl Seats, member: &Member, index: u32) -> bool {
        seats.seat(index).state() == member.rounds
    }

    /// Leaves the barrier or, if it `dies`, lets the member count as dead.
    pub(crate) fn leave(&self, seats: &impl Seats, member: &Member, dies: bool) {
        if !dies {
            seats.seat(member.index).write(LEFT);
        }
        seats.give(member.index);
        // SeqCst: pairs with itself in others that arrive or leave.
        fence(Ordering::SeqCst);
        // A member that has arrived and timed out does not know whether the round is over.
        let is_behind = self.round.word().load(Ordering::Relaxed) != member.rounds as u32;
        let round = member.rounds + u64::from(is_behind);
        if self.is_over(seats, round) {
            self.end(round as u32);
        }
    }

    /// Returns whether every living member has arrived in the round.
    fn is_over(&self, seats: &impl Seats, round: u64) -> bool {
        (0..self.count(seats)).all(|index| {
            let seat = seats.seat(index);
            let is_through = |state| state >= round + 2;
            let state = seat.state();
            if state == 0 || is_through(state) {
                return state != 0;
            }
            if seats.slot(index).0.owner() != 0 {
                return false;
            }
            // Dead, or it has left since.
            // Acquire: pairs with giving the slot back.
            fence(Ordering::Acquire);
            true
        })
    }

    /// Ends the round, unless another thread has done so. Returns whether this call ended it.
    fn end(&self, round: u32) -> bool {
        let next = round.wrapping_add(1);
        // Release: pairs with `wait`.
        if self.round.word().compare_exchange(round, next, Ordering::Release, Ordering::Relaxed).is_err() {
            return false;
        }
        self.round.wake(u32::MAX);
        true
    }

    /// Frees the seats of members whose death the kernel has not reported.
    fn free_seats_of_gone(&self, seats: &impl Seats) {
        for index in 0..self.count(seats) {
            if seats.slot(index).0.owner() != 0 && take_of_gone(seats.slot(index)) {
                seats.give(index);
            }
        }
    }

    fn count(&self, seats: &impl Seats) -> u32 {
        self.members().min(seats.count())
    }
}
