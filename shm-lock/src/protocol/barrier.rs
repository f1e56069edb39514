//! Members that wait for each other, and hear of those who died.
//!
//! # State
//!
//! | word | of | meaning | written by |
//! |---|---|---|---|
//! | `members` | all | how many seats are members' | nobody, once the region is made |
//! | `round` | all | how many rounds are over; it wraps around | whoever finds that one is over; waiters sleep on it |
//! | a [slot](super::slots) | a seat | which thread has the seat | |
//! | `state` | a seat | see below | the thread that has the seat |
//! | `process`, `thread` | a seat | who has it, or had it last | the thread that has the seat, before `state` |
//!
//! | `state` | meaning |
//! |---|---|
//! | 0 | nobody has ever had the seat: everybody waits |
//! | *n* + 1 | its member has arrived *n* times: in the rounds before round *n* |
//! | [`LEFT`] | its member needs not be waited for any more |
//!
//! Round *r* is over when each seat's `state` is at least *r* + 2, or [`LEFT`], or its slot is
//! free: then its member is dead. A member that died before it arrived in round *r* has `state`
//! *r* + 1 for ever, by which all the others know that it died in this round, whenever they look.
//!
//! # Death
//!
//! The kernel frees the slot, and those who wait find that after a tick. So they do if the one that
//! ended a round died before it woke them. A seat is given once: what its member had become when it
//! died is not written over.
//!
//! # Orderings
//!
//! * `state`: Release when it is written, Acquire when it is read. What a member did before it
//!   arrived happens before the end of the round.
//! * `round`: Release when it is counted up, Acquire when a waiter finds that it was: the end of a
//!   round happens before whatever any member does next.
//! * Acquire fence after a slot was found free: pairs with the Release of giving it back. What a
//!   member did before it left happens before the end of the round.
//! * `SeqCst` fence between arriving, or leaving, and looking at the others: of two that come last,
//!   one sees the other, so nobody sleeps in a round that is over.
//!
//! # Progress
//!
//! Waiting takes time in proportion to the number of members, and a system call for each that
//! sleeps and for the one that wakes them. It is the central barrier of Mellor-Crummey and Scott
//! (Algorithms for scalable synchronization on shared-memory multiprocessors, 1991), with the count
//! spread over the seats, since a count does not tell whose arrival is missing.
//!
//! # Models
//!
//! `barrier_models.rs`: nobody passes early, and what was done before is seen after; two rounds;
//! two that take seats at once; one that leaves; one whose time passes; a death at each step of
//! joining, waiting and leaving.

use super::mutex::{Refused, Sleeper, Slept};
use super::slots::{Slots, take_of_gone};
use crate::sync::{AtomicU32, AtomicU64, Futex, Ordering, Seen, fence};

/// The `state` of a seat whose member has left.
const LEFT: u64 = u64::MAX;

/// The words of all.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct Barrier {
    round: Futex,
    members: AtomicU32,
}

/// The words of a seat, beside its slot.
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

/// What a member knows about itself.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) index: u32,
    /// How many rounds it has been through.
    rounds: u64,
    /// It has arrived in the next one, too.
    arrived: bool,
}

impl Seat {
    pub(crate) fn new() -> Self {
        Seat { state: AtomicU64::new(0), process: AtomicU32::new(0), thread: AtomicU32::new(0) }
    }

    /// The process and thread that have the seat, or had it last.
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
    /// No more members than there are seats.
    pub(crate) fn new(members: u32) -> Self {
        Barrier { round: Futex::new(0), members: AtomicU32::new(members) }
    }

    /// The word on which waiters sleep, for a model of the kernel.
    #[cfg(any(test, loom))]
    #[allow(dead_code, reason = "for the models")]
    pub(crate) fn futex(&self) -> &Futex {
        &self.round
    }

    pub(crate) fn members(&self) -> u32 {
        self.members.load(Ordering::Relaxed)
    }

    /// Takes a seat that nobody has had before, if there is one.
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

    /// Waits until all others have arrived, left or died; true for one of those who wait, unless
    /// that one dies, or one that leaves ends the round. When `sleeper` waits no longer, the member
    /// stays one that has arrived, and goes on waiting when it is called again.
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

    /// Whether the member in this seat died before it arrived in the last round that `member` has
    /// been through.
    pub(crate) fn died(&self, seats: &impl Seats, member: &Member, index: u32) -> bool {
        seats.seat(index).state() == member.rounds
    }

    /// Needs not be waited for any more, or, if it `dies`, is to be taken for dead.
    pub(crate) fn leave(&self, seats: &impl Seats, member: &Member, dies: bool) {
        if !dies {
            seats.seat(member.index).write(LEFT);
        }
        seats.give(member.index);
        // SeqCst: pairs with itself in others that arrive or leave.
        fence(Ordering::SeqCst);
        // One that has arrived, and waited no longer, does not know whether that round is over.
        let is_behind = self.round.word().load(Ordering::Relaxed) != member.rounds as u32;
        let round = member.rounds + u64::from(is_behind);
        if self.is_over(seats, round) {
            self.end(round as u32);
        }
    }

    /// Whether nobody is missing in the round, who is not dead.
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

    /// Ends the round, unless another one has; true if it was this one.
    fn end(&self, round: u32) -> bool {
        let next = round.wrapping_add(1);
        // Release: pairs with `wait`.
        if self.round.word().compare_exchange(round, next, Ordering::Release, Ordering::Relaxed).is_err() {
            return false;
        }
        self.round.wake(u32::MAX);
        true
    }

    /// Looks for members whose death the kernel has not reported.
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
