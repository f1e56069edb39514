//! Models of the barrier: nobody passes before all living members have arrived, and all others
//! learn of the same deaths in the same round.

use std::sync::Arc;
use std::time::Duration;

use loom::cell::UnsafeCell;
use loom::thread;

use super::barrier::{Barrier, Member, Seat, Seats};
use super::model::{explore, explore_long, explore_many_deaths, spawn};
use super::mutex::{Holder, Mutex, Refused};
use super::slots::Slots;
use super::slots_models::Row;
use crate::sync::{AtomicU32, Claim, Ordering, Ticker, mortal, mortal_unreported, step};

struct Shared {
    barrier: Barrier,
    row: Row,
    seats: Vec<Seat>,
    /// One cell per member. Only this member writes it, before it arrives.
    values: Vec<UnsafeCell<u32>>,
}

// SAFETY: loom's cells check at run time what this promises: no two unordered accesses.
unsafe impl Sync for Shared {}
// SAFETY: as above.
unsafe impl Send for Shared {}

impl Slots for Shared {
    type Me<'a> = Claim<'a>;

    fn count(&self) -> u32 {
        self.row.count()
    }

    fn slot(&self, index: u32) -> (&Mutex, Claim<'_>) {
        self.row.slot(index)
    }
}

impl Seats for Shared {
    fn seat(&self, index: u32) -> &Seat {
        &self.seats[index as usize]
    }
}

fn shared(members: u32) -> Arc<Shared> {
    Arc::new(Shared {
        barrier: Barrier::new(members),
        row: Row::new(members),
        seats: (0..members).map(|_| Seat::new()).collect(),
        values: (0..members).map(|_| UnsafeCell::new(0)).collect(),
    })
}

impl Shared {
    fn join(&self) -> Member {
        self.barrier.join(self, (1, 2)).unwrap().expect("there is a seat")
    }

    fn set(&self, member: &Member, value: u32) {
        self.values[member.index as usize].with_mut(|cell| {
            // SAFETY: loom verifies that the access is exclusive.
            unsafe { *cell = value }
        });
    }

    fn get(&self, index: u32) -> u32 {
        // SAFETY: loom verifies that nobody writes.
        self.values[index as usize].with(|cell| unsafe { *cell })
    }

    /// Returns whether the member leads.
    fn wait(&self, member: &mut Member) -> bool {
        self.barrier.wait(self, member, &mut Ticker::forever()).unwrap()
    }

    fn deaths(&self, member: &Member) -> u32 {
        (0..self.count()).filter(|&index| self.barrier.died(self, member, index)).count() as u32
    }

    fn leave(&self, member: &Member) {
        self.barrier.leave(self, member, false);
    }
}

/// Catches a member that passes before another has arrived, or does not see what that member did
/// before; and a number of leaders other than one.
#[test]
fn model_nobody_passes_early() {
    explore_long(|| {
        let shared = shared(3);
        let visit = |shared: &Shared| {
            let mut member = shared.join();
            shared.set(&member, 7);
            let leads = shared.wait(&mut member);
            (0..3).for_each(|index| assert_eq!(shared.get(index), 7));
            assert_eq!(shared.deaths(&member), 0);
            u32::from(leads)
        };
        let others = [(); 2].map(|()| spawn(&shared, visit));
        let leaders = visit(&shared) + others.map(|other| other.join().unwrap()).iter().sum::<u32>();
        assert_eq!(leaders, 1);
    });
}

/// Catches a member that passes after another has ended the round, and does not see what a third
/// did before it arrived.
#[test]
fn model_the_end_of_a_round_comes_after_all_arrivals() {
    explore(|| {
        let shared = shared(3);
        // Here it only matters that the seat's owner is alive.
        let mut mine = shared.join();
        let others = [(); 2].map(|()| {
            let mut member = shared.join();
            spawn(&shared, move |shared| {
                shared.set(&member, 7);
                shared.wait(&mut member);
            })
        });
        shared.wait(&mut mine);
        (1..3).for_each(|index| assert_eq!(shared.get(index), 7));
        others.into_iter().for_each(|other| other.join().unwrap());
    });
}

/// Catches a second round that ends with the first, or never.
#[test]
fn model_two_rounds() {
    explore(|| {
        let shared = shared(2);
        let visit = |shared: &Shared| {
            let mut member = shared.join();
            let other = 1 - member.index;
            for value in [1, 2] {
                shared.set(&member, value);
                shared.wait(&mut member);
                assert_eq!(shared.get(other), value);
                shared.wait(&mut member);
            }
        };
        let other = spawn(&shared, visit);
        visit(&shared);
        other.join().unwrap();
    });
}

/// Catches a seat with two members, and one member too many.
#[test]
fn model_a_seat_is_given_once() {
    explore(|| {
        let shared = shared(2);
        assert_eq!(shared.barrier.members(), 2);
        let others = [(); 2].map(|()| {
            spawn(&shared, |shared| shared.barrier.join(shared, (1, 2)).unwrap().map(|member| member.index))
        });
        let mine = shared.barrier.join(&*shared, (1, 2)).unwrap().map(|member| member.index);
        let mut seats = [mine, None, None];
        others.into_iter().zip(&mut seats[1..]).for_each(|(other, seat)| *seat = other.join().unwrap());
        seats.sort();
        assert_eq!(seats, [None, Some(0), Some(1)]);
        assert_eq!(shared.seat(0).who(), (1, 2));
    });
}

/// Catches a member that is waited for after it has left, one that leaves without waking the
/// waiters, and effects of a leaving member that others do not see.
#[test]
fn model_one_that_leaves_is_not_waited_for() {
    explore(|| {
        let shared = shared(2);
        let leaver = spawn(&shared, |shared| {
            let leaves = shared.join();
            shared.set(&leaves, 7);
            shared.leave(&leaves);
            leaves.index
        });
        let mut member = shared.join();
        shared.wait(&mut member);
        let seen = shared.get(1 - member.index);
        assert_eq!((seen, shared.deaths(&member)), (7, 0));
        assert_eq!(leaver.join().unwrap(), 1 - member.index);
        // The last member waits for nobody.
        assert!(shared.wait(&mut member));
    });
}

/// Catches a member that arrives twice after a timeout, and one that leaves others waiting because
/// it does not know whether the round is over.
#[test]
fn model_one_whose_time_is_up() {
    for leaves in [false, true] {
        explore(move || {
            let shared = shared(2);
            let mut member = shared.join();
            let outcome = shared.barrier.wait(&*shared, &mut member, &mut Ticker::within(Duration::ZERO));
            assert_eq!(outcome, Err(Refused::TimedOut));
            let other = spawn(&shared, move |shared| {
                let mut other = shared.join();
                shared.wait(&mut other);
                shared.wait(&mut other);
                shared.deaths(&other)
            });
            if leaves {
                shared.leave(&member);
            } else {
                shared.wait(&mut member);
                shared.wait(&mut member);
            }
            assert_eq!(other.join().unwrap(), 0);
        });
    }
}

/// Catches a member that, on a tick, takes the seat of a living member, or a free seat that another
/// thread is about to take.
#[test]
fn model_a_tick_leaves_seats_to_the_living() {
    explore(|| {
        let shared = shared(2);
        let mut mine = shared.join();
        let waits = spawn(&shared, move |shared| {
            shared.wait(&mut mine);
            assert_eq!((shared.get(1), shared.deaths(&mine)), (7, 0));
        });
        while shared.barrier.futex().sleepers() == 0 {
            thread::yield_now();
        }
        shared.barrier.futex().expire();
        let mut other = shared.join();
        shared.barrier.futex().expire();
        shared.set(&other, 7);
        shared.wait(&mut other);
        waits.join().unwrap();
        let holders = [0, 1].map(|index| shared.slot(index).0.owner());
        assert_eq!(holders, [shared.slot(0).1.tid(); 2]);
    });
}

/// Catches a death at any step of joining, waiting and leaving after which others wait for ever;
/// and a death that is not reported exactly once, in the round in which the member was missing.
#[test]
fn model_a_death_of_a_member() {
    for reported in [true, false] {
        explore_many_deaths(move |steps| {
            let shared = shared(2);
            let mut member = shared.join();
            let done = Arc::new(AtomicU32::new(0));
            let ended = Arc::clone(&done);
            let dies = spawn(&shared, move |shared| {
                let body = || {
                    let mut member = shared.join();
                    let _ = shared.barrier.wait(shared, &mut member, &mut Ticker::within(Duration::ZERO));
                    step();
                    shared.leave(&member);
                };
                let died =
                    if reported { mortal(steps, body).is_some() } else { mortal_unreported(steps, body) };
                // It died before it was a member.
                if let Some(member) = shared.barrier.join(shared, (1, 2)).unwrap() {
                    shared.leave(&member);
                }
                while ended.load(Ordering::Relaxed) == 0 {
                    shared.barrier.futex().expire();
                    thread::yield_now();
                }
                died
            });
            let told = [(); 2].map(|()| {
                shared.wait(&mut member);
                shared.deaths(&member)
            });
            done.store(1, Ordering::Relaxed);
            let died = dies.join().unwrap();
            let missing = |rounds| u32::from(shared.seat(1).state() == rounds);
            assert_eq!(told, [missing(1), missing(2)]);
            assert!(died || told == [0, 0]);
            died
        });
    }
}
