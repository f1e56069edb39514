//! Seats that their lanes lend while they sleep in a wait, and who sits on them.
//!
//! A lane that waits for others runs nothing but what it waits for, and so may sleep beside work
//! that it must not take up. Then it lends its seat: a *reserve*, a thread with a stack of its own,
//! may work in its place.
//!
//! # State
//!
//! `free` is the number of seats that are lent, less the number of reserves that have one. It is
//! negative while there are reserves on seats that their lanes have taken back.
//!
//! | transition | who | when |
//! |---|---|---|
//! | [`lend`](Seats::lend) `+1`, then a look for work | a lane that sleeps in a wait | it has slept for a while |
//! | [`take_back`](Seats::take_back) `-1` | the same lane | it is awake again |
//! | [`try_take`](Seats::try_take) `-1` | a reserve | `free > 0` |
//! | [`give_back`](Seats::give_back) `+1`, then a look for work | a reserve | it finds nothing to do |
//! | [`give_back_if_over`](Seats::give_back_if_over) `+1` | a reserve, between two pieces of work | `free < 0` |
//!
//! # Orderings
//!
//! * `fence(SeqCst)` in `lend` and `give_back`: the pattern of [`sleep`](super::sleep). Who pushes
//!   work fences there, too, and then asks whether a seat is [free](Seats::free); so whoever has
//!   made one free sees the work, or who pushes it sees the seat. Without the fence, work can lie
//!   beside a free seat until somebody is idle.
//! * All else is Relaxed: the number orders nothing. What a reserve finds comes to it through
//!   deques.
//!
//! # Progress
//!
//! Lock-free. A lane does not wait for its seat: until the reserve is done with what it runs, one
//! thread more is at work.
//!
//! # Models
//!
//! `seats_models.rs`: a push against a lane that lends its seat, and against a reserve that gives
//! one back; one seat and two reserves; two reserves and a lane that takes its seat back.

use crate::sync::{AtomicI32, Ordering, fence};

/// The word.
#[derive(Debug)]
pub(crate) struct Seats(AtomicI32);

impl Seats {
    pub(crate) fn new() -> Self {
        Seats(AtomicI32::new(0))
    }

    /// How many more reserves may work; a hint.
    pub(crate) fn free(&self) -> i32 {
        self.0.load(Ordering::Relaxed)
    }

    /// A lane lends its seat. It must look for work after this, and call a reserve if there is
    /// some.
    pub(crate) fn lend(&self) {
        self.give_back();
    }

    /// It has its seat again.
    pub(crate) fn take_back(&self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }

    /// A reserve takes a seat, if there is a free one.
    #[must_use = "a seat must be given back"]
    pub(crate) fn try_take(&self) -> bool {
        self.step(|free| (free > 0).then(|| free - 1))
    }

    /// A reserve gives its seat back, since it has found nothing to do. It must look once more
    /// after this.
    pub(crate) fn give_back(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
        // SeqCst: pairs with `wake_one` of a producer that has seen no free seat.
        fence(Ordering::SeqCst);
    }

    /// A reserve gives its seat back if a lane wants one. True if it did.
    #[must_use = "the seat may be gone"]
    pub(crate) fn give_back_if_over(&self) -> bool {
        self.step(|free| (free < 0).then(|| free + 1))
    }

    /// Moves the word on as `next` says, unless it says no.
    fn step(&self, next: impl Fn(i32) -> Option<i32>) -> bool {
        let mut free = self.free();
        while let Some(then) = next(free) {
            match self.0.compare_exchange_weak(free, then, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return true,
                Err(now) => free = now,
            }
        }
        false
    }
}
