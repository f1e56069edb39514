//! Who searches for work, who sleeps, and why no push is ever slept through.
//!
//! # State
//!
//! A worker lane is *busy*, *searching* (spinning over the deques) or *asleep*.
//!
//! | word | meaning | who writes |
//! |---|---|---|
//! | `searching` | how many lanes search; signed | a lane as it starts or stops; a waker on behalf of the lane it wakes |
//! | `asleep[lane]` | the lane has announced that it will park, and nobody has claimed it yet | set by the lane, cleared by whoever wakes it or by itself |
//! | `displaced[lane]` | how many guests have the worker's seat; while any do, it looks away and is not woken | guests, as they come and go |
//!
//! | transition | step |
//! |---|---|
//! | busy → searching | [`try_search`](Sleep::try_search): only while fewer than `limit` search |
//! | searching → busy | [`found`](Sleep::found); whoever was the last searcher looks for more work and wakes the next |
//! | busy or searching → asleep | [`announce`](Sleep::announce), look at every deque once more, then park |
//! | asleep → searching | [`wake_one`](Sleep::wake_one) clears the flag and counts the lane as searching, then unparks it |
//! | asleep → as before | [`retract`](Sleep::retract), when the second look found work |
//! | a guest leaves | [`give_seat_back`](Sleep::give_seat_back), look at every deque, and `wake_one` if there is something |
//!
//! # Why no wake-up is lost
//!
//! This is Dekker's pattern (an event count). A producer pushes, fences, then reads `searching` and `asleep`. A
//! lane going to sleep leaves `searching`, sets `asleep`, fences, then reads the deques. The two fences are ordered one
//! way or the other: either the lane sees the push, or the producer sees the lane asleep. A producer that wakes nobody because
//! `searching` was not zero relies on a lane that had not yet left: that lane's fence comes later (in
//! `announce` or in `found`), so its look at the deques sees the push.
//!
//! The same holds for a worker that could not be woken because it was displaced: the guest that leaves gives the seat
//! back, fences, and looks at the deques, so that it sees the push or the producer sees the seat free. And a worker
//! that goes to sleep because it is displaced has announced before it looked whether it still is.
//!
//! `searching` dips below the true count, even below zero, while a lane that was woken is quicker to stop searching than its
//! waker to count it. It never exceeds the true count, so nobody relies on a searcher that does not exist; and `found`
//! takes everything up to one for the last, so somebody always looks.
//!
//! # Orderings
//!
//! * `fence(SeqCst)` in `wake_one`, `announce`, `found` and `give_seat_back`: the pattern above. Without the producer's or
//!   the sleeper's, a push can be slept through. Without one of the other two, work can lie next to a sleeping lane.
//! * Everything else is Relaxed: the flag is claimed by one compare-exchange, and the token of the
//!   [parker](super::parker) carries the cleared flag to the woken lane.
//!
//! # Progress
//!
//! Every step is wait-free but the bounded loop of `try_search`.
//!
//! # Models
//!
//! `sleep_models.rs`: a push against a lane going to sleep; a push that relies on a searcher which is about to sleep or
//! which finds other work; two producers and one sleeper; a push against a guest that gives a seat back.

use super::parker::Parker;
use crate::sync::{AtomicBool, AtomicI32, AtomicU32, Ordering, fence};

/// What became of an attempt to take back an announcement.
#[derive(Debug, PartialEq, Eq)]
#[must_use]
pub(crate) enum Retracted {
    /// The announcement is withdrawn: the lane is neither searching nor asleep.
    Withdrawn,
    /// A waker was faster: the lane counts as searching, and a token lies in its parker.
    Woken,
}

#[derive(Debug)]
struct Bed {
    asleep: AtomicBool,
    displaced: AtomicU32,
    parker: Parker,
}

impl Bed {
    /// Clears the flag; true for exactly one caller.
    fn claim(&self) -> bool {
        self.asleep.compare_exchange(true, false, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }
}

/// The words of a pool.
#[derive(Debug)]
pub(crate) struct Sleep {
    searching: AtomicI32,
    beds: Box<[Bed]>,
}

impl Sleep {
    pub(crate) fn new(lanes: usize) -> Self {
        let bed =
            |_| Bed { asleep: AtomicBool::new(false), displaced: AtomicU32::new(0), parker: Parker::new() };
        Sleep { searching: AtomicI32::new(0), beds: (0..lanes).map(bed).collect() }
    }

    /// The lane's parker, for waits of its own and for whoever ends them.
    pub(crate) fn parker(&self, lane: usize) -> &Parker {
        &self.beds[lane].parker
    }

    /// Whether some lane will find a push without being woken; a hint.
    fn anyone_searching(&self) -> bool {
        self.searching.load(Ordering::Relaxed) > 0
    }

    /// Counts this lane as searching unless `limit` lanes do already.
    #[must_use]
    pub(crate) fn try_search(&self, limit: i32) -> bool {
        let mut now = self.searching.load(Ordering::Relaxed);
        while now < limit {
            match self.searching.compare_exchange_weak(now, now + 1, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return true,
                Err(other) => now = other,
            }
        }
        false
    }

    /// Ends this lane's search. True if it may have been the last searcher: it must look for further work and, if there is
    /// some, `wake_one`.
    #[must_use = "the last searcher passes the watch on"]
    pub(crate) fn found(&self) -> bool {
        let last = self.searching.fetch_sub(1, Ordering::Relaxed) <= 1;
        // SeqCst: pairs with `wake_one` of a producer that relied on this lane's search.
        fence(Ordering::SeqCst);
        last
    }

    /// Says that `lane` is going to sleep. It must look at every deque once more before it parks.
    pub(crate) fn announce(&self, lane: usize, was_searching: bool) {
        self.beds[lane].asleep.store(true, Ordering::Relaxed);
        if was_searching {
            self.searching.fetch_sub(1, Ordering::Relaxed);
        }
        // SeqCst: pairs with `wake_one`: this lane's second look sees the push, or the producer sees the flag.
        fence(Ordering::SeqCst);
    }

    /// Withdraws the announcement after the second look found work.
    pub(crate) fn retract(&self, lane: usize) -> Retracted {
        match self.beds[lane].claim() {
            true => Retracted::Withdrawn,
            false => Retracted::Woken,
        }
    }

    /// Whether nobody has woken `lane` since it announced; asked after each return from its parker.
    pub(crate) fn still_asleep(&self, lane: usize) -> bool {
        self.beds[lane].asleep.load(Ordering::Relaxed)
    }

    /// Whether a guest has this worker's seat.
    pub(crate) fn is_displaced(&self, lane: usize) -> bool {
        self.beds[lane].displaced.load(Ordering::Relaxed) > 0
    }

    /// A guest takes the seat of `lane`.
    pub(crate) fn displace(&self, lane: usize) {
        self.beds[lane].displaced.fetch_add(1, Ordering::Relaxed);
    }

    /// The guest leaves. It must look at every deque and, if there is something, `wake_one`.
    pub(crate) fn give_seat_back(&self, lane: usize) {
        self.beds[lane].displaced.fetch_sub(1, Ordering::Relaxed);
        // SeqCst: pairs with `wake_one` of a producer that passed this lane over.
        fence(Ordering::SeqCst);
    }

    /// Called after a push: makes sure that a lane will look, by waking the first sleeper of `order` that has its seat,
    /// unless somebody searches already. Returns the lane that was woken.
    pub(crate) fn wake_one(&self, order: impl IntoIterator<Item = usize>) -> Option<usize> {
        // SeqCst: pairs with `announce` and `found`.
        fence(Ordering::SeqCst);
        if self.anyone_searching() {
            return None;
        }
        let lane = order.into_iter().find(|&lane| self.may_wake(lane) && self.beds[lane].claim())?;
        self.searching.fetch_add(1, Ordering::Relaxed);
        self.beds[lane].parker.unpark();
        Some(lane)
    }

    fn may_wake(&self, lane: usize) -> bool {
        self.still_asleep(lane) && !self.is_displaced(lane)
    }
}
