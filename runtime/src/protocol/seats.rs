//! The seats that sleeping lanes lend, and the reserves that use them.
//!
//! A lane that waits runs only what it waits for, so it may sleep beside work that it must not
//! take. It then lends its seat: a *reserve*, a thread with its own stack, may work in its place.
//!
//! # State
//!
//! `free` is the number of lent seats, less the number of reserves that have one. It is negative
//! while reserves use seats that their lanes have taken back.
//!
//! | transition | who | when |
//! |---|---|---|
//! | [`lend`](Seats::lend) `+1`, then a look for work | a lane that waits | it has slept for a while |
//! | [`take_back`](Seats::take_back) `-1` | the same lane | it is awake again |
//! | [`try_take`](Seats::try_take) `-1` | a reserve | `free > 0` |
//! | [`give_back`](Seats::give_back) `+1`, then a look for work | a reserve | it finds no work |
//! | [`give_back_if_over`](Seats::give_back_if_over) `+1` | a reserve, between two pieces of work | `free < 0` |
//!
//! # Orderings
//!
//! * `fence(SeqCst)` in `lend` and `give_back`: the pattern of [`sleep`](super::sleep). A lane that
//!   pushes work also fences, and then reads whether a seat is [free](Seats::free). So either the
//!   lane that frees a seat sees the work, or the lane that pushes it sees the seat. Without the
//!   fence, work can wait beside a free seat until a lane is idle.
//! * All else is Relaxed: the number orders nothing. Deques publish what a reserve finds.
//!
//! # Progress
//!
//! Lock-free. A lane does not wait for its seat: until the reserve has finished its current work,
//! one extra thread runs.
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

    /// Returns how many more reserves may work. A hint.
    pub(crate) fn free(&self) -> i32 {
        self.0.load(Ordering::Relaxed)
    }

    /// Lends a lane's seat. The lane must then look for work, and call a reserve if it finds some.
    pub(crate) fn lend(&self) {
        self.give_back();
    }

    /// Takes the lane's seat back.
    pub(crate) fn take_back(&self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }

    /// Takes a seat for a reserve, if one is free.
    #[must_use = "a seat must be given back"]
    pub(crate) fn try_take(&self) -> bool {
        self.step(|free| (free > 0).then(|| free - 1))
    }

    /// Gives back the seat of a reserve that found no work. It must look once more afterwards.
    pub(crate) fn give_back(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
        // SeqCst: pairs with `wake_one` of a producer that has seen no free seat.
        fence(Ordering::SeqCst);
    }

    /// Gives back the seat of a reserve if a lane wants one. Returns whether it did.
    #[must_use = "the seat may be gone"]
    pub(crate) fn give_back_if_over(&self) -> bool {
        self.step(|free| (free < 0).then(|| free + 1))
    }

    /// Applies `next` to the word, unless it returns `None`.
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
