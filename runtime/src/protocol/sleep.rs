//! Who searches for work, who sleeps, and why no push is ever slept through.
//!
//! # State
//!
//! A lane is *busy*, *searching* (spinning over the deques), *asleep* for want of work, or
//! *waiting*: parked until something that it has begun is over. Workers search and sleep; external
//! callers are busy or waiting.
//!
//! | word | meaning | who writes |
//! |---|---|---|
//! | `searching` | how many lanes search; signed | a lane as it starts or stops; a waker on behalf of the lane it wakes |
//! | `rest[lane]` | `ASLEEP` or `WAITING`: the lane has announced that it will park, and nobody has claimed it yet; else `UP` | set by the lane, cleared by whoever wakes it or by itself |
//! | `resting` | at least how many lanes have announced; nobody looks for them if there is none | a lane, before it announces and when it is up again |
//! | `displaced[lane]` | how many external callers have the worker's seat; while any do, it looks away and is not woken | external callers, as they come and go |
//!
//! | transition | step |
//! |---|---|
//! | busy → searching | [`try_search`](Sleep::try_search): only while fewer than `limit` search |
//! | searching → busy | [`found`](Sleep::found); whoever was the last searcher looks for more work and wakes the next |
//! | busy or searching → asleep | [`announce`](Sleep::announce), look at every deque once more, then park |
//! | asleep → searching | [`wake_one`](Sleep::wake_one), or [`wake_several`](Sleep::wake_several) for more lanes, clears the flag and counts the lane as searching, then unparks it |
//! | asleep → busy or searching, as before | [`retract`](Sleep::retract), when the second look found work; or after a while, when that is work which the lane may not take up yet |
//! | busy → waiting | [`announce_wait`](Sleep::announce_wait), look at what is waited for once more, then park |
//! | waiting → busy | [`wake_waiting`](Sleep::wake_waiting) by who ends the wait or has work for it; [`wake_one`](Sleep::wake_one), if nobody sleeps, by who has work for anyone; [`end_wait`](Sleep::end_wait) by the lane itself |
//! | an external caller leaves, or has waited for a while (then it keeps its lane) | [`give_seat_back`](Sleep::give_seat_back), give the lane back, look at every other deque, and `wake_one` if there is something |
//!
//! # Why no wake-up is lost
//!
//! This is Dekker's pattern (an event count). A producer pushes, fences, then reads `searching` and
//! `rest`. A lane going to sleep leaves `searching`, announces in `rest`, fences, then reads the
//! deques. The two fences are ordered one way or the other: either the lane sees the push, or the
//! producer sees the lane asleep. A producer that wakes nobody because `searching` was not zero
//! relies on a lane that had not yet left: that lane's fence comes later (in `announce` or in
//! `found`), so its look at the deques sees the push. Several pushes may rely on it. So if that
//! look finds work after `announce`, the lane searches again, and ends its search by `found`, after
//! which it looks for what is left.
//!
//! The same holds for a worker that could not be woken because it was displaced: the external
//! caller that leaves gives the seat back, fences, and looks at the deques, so that it sees the
//! push or the producer sees the seat free. It need not look at the deque of the lane that it
//! leaves: whoever leases that next has seen the seat given back, since that came before the lane's
//! release. And a worker that goes to sleep because it is displaced has announced before it looked
//! whether it still is.
//!
//! Work that must not wait for an external caller to leave (what was handed to the pool itself,
//! where no caller takes part) also wakes displaced workers: [`wake_any`](Sleep::wake_any). They do
//! look there.
//!
//! A waiting lane is owed the wake-up that ends its wait, by the same pattern: whoever ends it
//! writes that down, fences, and reads `rest`; the lane sets `rest`, fences, and reads whether it
//! is over. Wake-ups for work are a courtesy to it, since it runs little: one that could have
//! helped and was not woken costs time only. The exception is work that was put back, which only
//! some lanes may run: all waiting lanes are woken for it
//! ([`wake_all_waiting`](Sleep::wake_all_waiting)).
//!
//! `resting` never dips: each lane counts itself, in and out. While a woken lane has not counted
//! itself out, whoever reads it only looks in vain.
//!
//! `searching` dips below the true count, even below zero, while a lane that was woken is quicker
//! to stop searching than its waker to count it. It never exceeds the true count, so nobody relies
//! on a searcher that does not exist; and `found` takes everything up to one for the last, so
//! somebody always looks.
//!
//! # Orderings
//!
//! * `fence(SeqCst)` in every `wake_*`, and in `announce`, `announce_wait`, `found` and
//!   `give_seat_back`: the pattern above. Without the waker's or the sleeper's, a push or an end
//!   can be slept through. Without one of the other two, work can lie next to a sleeping lane.
//! * Everything else is Relaxed: the flag is claimed by one compare-exchange, and the token of the
//!   [parker](super::parker) carries the cleared flag to the woken lane.
//!
//! # Progress
//!
//! Every step is wait-free but the bounded loop of `try_search`.
//!
//! # Models
//!
//! `sleep_models.rs`: a push against a lane going to sleep; a push that relies on a searcher which
//! is about to sleep or which finds other work; two producers and one sleeper; a push against an
//! external caller that gives a seat back; a push for a displaced worker; mail against a receiver
//! that goes to sleep or begins to wait; the end of a wait, and work, against a lane that begins to
//! wait.

use super::lease::Lease;
use super::parker::Parker;
use crate::containers::table::Table;
use crate::sync::{AtomicI32, AtomicU32, Ordering, fence};

/// A lane wakes so many others at once, each of which may do the same. With a thousand workers,
/// more gains less than a twentieth of a loop of a millisecond for each, and wakes too many for
/// short ones; fewer loses more.
pub(crate) const MOST_WOKEN: u32 = 4;

const UP: u32 = 0;
const ASLEEP: u32 = 1;
const WAITING: u32 = 2;

/// On cache lines of its own: a lane that searches reads its `displaced` all the time.
#[derive(Debug)]
#[repr(align(128))]
struct Bed {
    rest: AtomicU32,
    displaced: AtomicU32,
    parker: Parker,
}

impl Bed {
    fn new() -> Self {
        Bed { rest: AtomicU32::new(UP), displaced: AtomicU32::new(0), parker: Parker::new() }
    }

    fn is(&self, rest: u32) -> bool {
        self.rest.load(Ordering::Relaxed) == rest
    }

    /// Ends the rest; true for exactly one caller.
    fn claim(&self, rest: u32) -> bool {
        self.is(rest) && self.rest.compare_exchange(rest, UP, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }
}

/// The words of a pool.
#[derive(Debug)]
pub(crate) struct Sleep {
    searching: AtomicI32,
    resting: AtomicI32,
    beds: Table<Bed>,
}

impl Sleep {
    pub(crate) fn new(lanes: usize) -> Self {
        let beds = (0..lanes).map(|_| Bed::new());
        Sleep {
            searching: AtomicI32::new(0),
            resting: AtomicI32::new(0),
            beds: Table::new(beds, Lease::BLOCK),
        }
    }

    /// Makes sure that there are beds for `lanes` lanes.
    pub(crate) fn make(&self, lanes: usize) {
        self.beds.get_or_make(lanes - 1, |_| Bed::new());
    }

    /// The lane's parker, for waits of its own and for whoever ends them.
    pub(crate) fn parker(&self, lane: usize) -> &Parker {
        &self.beds[lane].parker
    }

    /// Whether some lane will find a push without being woken; a hint.
    fn anyone_searching(&self) -> bool {
        self.searching() > 0
    }

    /// How many lanes search, or were woken to do so; a hint.
    pub(crate) fn searching(&self) -> u32 {
        self.searching.load(Ordering::Relaxed).max(0) as u32
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

    /// Ends this lane's search. True if it may have been the last searcher: it must look for
    /// further work and, if there is some, `wake_one`.
    #[must_use = "the last searcher passes the watch on"]
    pub(crate) fn found(&self) -> bool {
        let last = self.searching.fetch_sub(1, Ordering::Relaxed) <= 1;
        // SeqCst: pairs with `wake_one` of a producer that relied on this lane's search.
        fence(Ordering::SeqCst);
        last
    }

    fn lie_down(&self, lane: usize, rest: u32) {
        self.resting.fetch_add(1, Ordering::Relaxed);
        self.beds[lane].rest.store(rest, Ordering::Relaxed);
    }

    /// Says that a lane which announced that it would sleep is up again, after
    /// [`still_asleep`](Sleep::still_asleep) has answered false.
    pub(crate) fn got_up(&self) {
        self.resting.fetch_sub(1, Ordering::Relaxed);
    }

    /// Says that `lane` is going to sleep. It must look at every deque once more before it parks.
    pub(crate) fn announce(&self, lane: usize, was_searching: bool) {
        self.lie_down(lane, ASLEEP);
        if was_searching {
            self.searching.fetch_sub(1, Ordering::Relaxed);
        }
        // SeqCst: pairs with `wake_one`: this lane's second look sees the push, or the producer
        // sees the flag.
        fence(Ordering::SeqCst);
    }

    /// Withdraws the announcement after the second look found work. True if the lane counts as
    /// searching now: because it did before, or because a waker was faster, and has left a token in
    /// its parker.
    #[must_use = "who counts as searching must end its search"]
    pub(crate) fn retract(&self, lane: usize, was_searching: bool) -> bool {
        let woken = !self.beds[lane].claim(ASLEEP);
        self.got_up();
        if !woken && was_searching {
            self.searching.fetch_add(1, Ordering::Relaxed);
        }
        woken || was_searching
    }

    /// Whether nobody has woken `lane` since it announced; asked after each return from its parker.
    pub(crate) fn still_asleep(&self, lane: usize) -> bool {
        self.beds[lane].is(ASLEEP)
    }

    /// Whether an external caller has this worker's seat.
    pub(crate) fn is_displaced(&self, lane: usize) -> bool {
        self.beds[lane].displaced.load(Ordering::Relaxed) > 0
    }

    /// An external caller takes the seat of `lane`.
    pub(crate) fn displace(&self, lane: usize) {
        self.beds[lane].displaced.fetch_add(1, Ordering::Relaxed);
    }

    /// The external caller leaves. True if the worker has its seat back: the external caller must
    /// give its own lane back after this, look at every deque but that lane's and, if there is
    /// something, `wake_one`.
    #[must_use = "work may lie beside a worker that was passed over"]
    pub(crate) fn give_seat_back(&self, lane: usize) -> bool {
        let last = self.beds[lane].displaced.fetch_sub(1, Ordering::Relaxed) == 1;
        if last {
            // SeqCst: pairs with `wake_one` of a producer that passed this lane over.
            fence(Ordering::SeqCst);
        }
        last
    }

    /// Says that `lane` is going to wait. It must look once more whether its wait is over before it
    /// parks.
    pub(crate) fn announce_wait(&self, lane: usize) {
        self.lie_down(lane, WAITING);
        // SeqCst: pairs with `wake_waiting`: this lane sees that the wait is over, or who ended it
        // sees the flag.
        fence(Ordering::SeqCst);
    }

    /// Withdraws the announcement. If a waker was faster, a token is left in the parker, or will
    /// be.
    pub(crate) fn end_wait(&self, lane: usize) {
        self.beds[lane].claim(WAITING);
        self.got_up();
    }

    /// Called after a push: makes sure that a lane will look, by waking the first sleeper of
    /// `order` that has its seat, unless somebody searches already. If there is no sleeper, wakes
    /// the first of the `waiting` lanes, which may or may not be of use.
    pub(crate) fn wake_one(
        &self,
        order: impl IntoIterator<Item = usize>,
        waiting: impl IntoIterator<Item = usize>,
    ) {
        // SeqCst: pairs with `announce` and `found`.
        fence(Ordering::SeqCst);
        if !self.anyone_searching() {
            self.wake_first(order, waiting, 1);
        }
    }

    /// Called after `count` pushes: as [`wake_one`](Self::wake_one), for so many lanes, whoever
    /// searches already. Those that are on their way to something else are no help: were they
    /// counted, the whole pool would never wake more than `count` lanes at a time.
    pub(crate) fn wake_several(
        &self,
        order: impl IntoIterator<Item = usize>,
        waiting: impl IntoIterator<Item = usize>,
        count: u32,
    ) {
        // SeqCst: pairs with `announce` and `found`.
        fence(Ordering::SeqCst);
        self.wake_first(order, waiting, count);
    }

    fn wake_first(
        &self,
        order: impl IntoIterator<Item = usize>,
        waiting: impl IntoIterator<Item = usize>,
        count: u32,
    ) {
        if self.resting.load(Ordering::Relaxed) == 0 {
            return;
        }
        let mut seated = order.into_iter().filter(|&lane| !self.is_displaced(lane));
        let woken = (0..count).take_while(|_| self.wake_sleeper(&mut seated)).count();
        if woken == 0 {
            let lane = waiting.into_iter().find(|&lane| self.beds[lane].claim(WAITING));
            if let Some(lane) = lane {
                self.beds[lane].parker.unpark();
            }
        }
    }

    /// Called after a push of work that every worker looks for, even one without a seat: as
    /// `wake_one`.
    pub(crate) fn wake_any(&self, order: impl IntoIterator<Item = usize>) {
        // SeqCst: pairs with `announce` and `found`.
        fence(Ordering::SeqCst);
        if !self.anyone_searching() {
            self.wake_sleeper(order);
        }
    }

    /// Called after leaving work that only `lane` can do: wakes it, whatever it rests from.
    pub(crate) fn wake(&self, lane: usize) {
        // SeqCst: pairs with `announce` and `announce_wait`.
        fence(Ordering::SeqCst);
        if !self.wake_sleeper([lane]) {
            self.wake_waiting_fenced(lane);
        }
    }

    fn wake_sleeper(&self, order: impl IntoIterator<Item = usize>) -> bool {
        let Some(lane) = order.into_iter().find(|&lane| self.beds[lane].claim(ASLEEP)) else { return false };
        self.searching.fetch_add(1, Ordering::Relaxed);
        self.beds[lane].parker.unpark();
        true
    }

    /// Called after writing down that what `lane` waits for is over, or that there is work for it:
    /// wakes it if it sleeps.
    pub(crate) fn wake_waiting(&self, lane: usize) {
        // SeqCst: pairs with `announce_wait`.
        fence(Ordering::SeqCst);
        self.wake_waiting_fenced(lane);
    }

    /// As `wake_waiting`, by a caller that has fenced since it wrote that down.
    pub(crate) fn wake_waiting_fenced(&self, lane: usize) {
        if self.beds[lane].claim(WAITING) {
            self.beds[lane].parker.unpark();
        }
    }

    /// Wakes all of `lanes` that wait: there is work that only some of them may run.
    pub(crate) fn wake_all_waiting(&self, lanes: impl IntoIterator<Item = usize>) {
        // SeqCst: pairs with `announce_wait`. Which lanes there are is asked after it, too.
        fence(Ordering::SeqCst);
        lanes.into_iter().for_each(|lane| self.wake_waiting_fenced(lane));
    }
}
