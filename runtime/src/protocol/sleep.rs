//! Which lanes search for work, which sleep, and why no wake-up is lost.
//!
//! # State
//!
//! A lane is *busy*, *searching* (spinning over the deques), *asleep* because it found no work, or
//! *waiting*: parked until something that it has started is over. Workers search and sleep.
//! External callers are busy or waiting.
//!
//! | word | meaning | who writes |
//! |---|---|---|
//! | `searching` | how many lanes search; signed | a lane when it starts or stops; a waker on behalf of the lane it wakes |
//! | `rest[lane]` | `ASLEEP` or `WAITING`: the lane has announced that it will park, and no waker has claimed it yet; otherwise `UP` | set by the lane, cleared by its waker or by itself |
//! | `resting` | at least the number of lanes that have announced; if it is zero, nobody looks for them | a lane, before it announces and when it is up again |
//! | `displaced[lane]` | how many external callers hold the worker's seat; while any do, the worker takes no work and is not woken | external callers, when they come and go |
//!
//! | transition | step |
//! |---|---|
//! | busy → searching | [`try_search`](Sleep::try_search): only while fewer than `limit` search |
//! | searching → busy | [`found`](Sleep::found); the last searcher looks for more work and wakes the next lane |
//! | busy or searching → asleep | [`announce`](Sleep::announce), check every deque once more, then park |
//! | asleep → searching | [`wake_one`](Sleep::wake_one), or [`wake_several`](Sleep::wake_several) for more lanes, clears the flag, counts the lane as searching, then unparks it |
//! | asleep → busy or searching, as before | [`retract`](Sleep::retract), when the second check found work; or after a while, when the lane may not take that work yet |
//! | busy → waiting | [`announce_wait`](Sleep::announce_wait), check once more whether the wait is over, then park |
//! | waiting → busy | [`wake_waiting`](Sleep::wake_waiting) by the lane that ends the wait or has work for the waiting lane; [`wake_one`](Sleep::wake_one), if no lane is asleep, by a lane that has work for anyone; [`end_wait`](Sleep::end_wait) by the lane itself |
//! | an external caller leaves, or has waited for a while (then it keeps its lane) | [`give_seat_back`](Sleep::give_seat_back), release the lane, check every other deque, and `wake_one` if there is work |
//!
//! # Why no wake-up is lost
//!
//! This is Dekker's pattern (an event count). A producer pushes, fences, then reads `searching` and
//! `rest`. A lane that goes to sleep leaves `searching`, announces in `rest`, fences, then reads
//! the deques. The two fences are ordered one way or the other: either the lane sees the push, or
//! the producer sees the lane asleep. A producer that wakes no lane because `searching` was not
//! zero relies on a lane that had not left yet. The fence of that lane comes later (in `announce`
//! or in `found`), so its check of the deques sees the push. Several pushes may rely on the same
//! lane. So if its check finds work after `announce`, the lane searches again, and ends its search
//! with `found`. After that it looks for the remaining work.
//!
//! The same holds for a worker that could not be woken because it was displaced. The external
//! caller that leaves gives the seat back, fences, and checks the deques. So it sees the push, or
//! the producer sees the free seat. It need not check the deque of the lane that it releases: the
//! next holder of the lane sees that the seat is free, because the seat was given back before the
//! lane was released. A worker that goes to sleep because it is displaced announces before it
//! checks whether it still is.
//!
//! Some work must not wait until an external caller leaves: work handed to the pool itself, in
//! which no caller takes part. [`wake_any`](Sleep::wake_any) also wakes displaced workers for it,
//! and they do check for it.
//!
//! The wake-up that ends a wait must not be lost either. The same pattern applies: the lane that
//! ends the wait records the end, fences, and reads `rest`; the waiting lane sets `rest`, fences,
//! and reads whether the wait is over. Wake-ups for work are optional for a waiting lane, because
//! it may run only little of it: if one is missed, this costs only time. The exception is work that
//! was put back, which only some lanes may run. All waiting lanes are woken for it
//! ([`wake_all_waiting`](Sleep::wake_all_waiting)).
//!
//! `resting` is never below the true count: each lane counts itself in and out. While a woken lane
//! has not yet counted itself out, readers look for it in vain, which is harmless.
//!
//! `searching` may fall below the true count, even below zero, if a woken lane stops searching
//! before its waker has counted it. It never exceeds the true count, so no producer relies on a
//! searcher that does not exist. `found` treats every count up to one as the last searcher, so some
//! lane always looks.
//!
//! # Orderings
//!
//! * `fence(SeqCst)` in every `wake_*`, and in `announce`, `announce_wait`, `found` and
//!   `give_seat_back`: the pattern above. Without the waker's or the sleeper's fence, a lane can
//!   sleep through a push or the end of its wait. Without one of the other two, work can wait
//!   beside a sleeping lane.
//! * Everything else is Relaxed. One compare-exchange claims the flag, and the token of the
//!   [parker](super::parker) publishes the cleared flag to the woken lane.
//!
//! # Progress
//!
//! Every step is wait-free, except for the bounded loop of `try_search`.
//!
//! # Models
//!
//! `sleep_models.rs`: a push against a lane that goes to sleep; a push that relies on a searcher
//! which is about to sleep or finds other work; two producers and one sleeper; a push against an
//! external caller that gives a seat back; a push for a displaced worker; mail against a receiver
//! that goes to sleep or begins to wait; the end of a wait, and work, against a lane that begins to
//! wait.

use super::lease::Lease;
use super::parker::Parker;
use crate::containers::table::Table;
use crate::sync::{AtomicI32, AtomicU32, Ordering, fence};

/// How many others a lane wakes at once; each of these may do the same. With a thousand workers, a
/// larger number speeds up a loop of one millisecond per worker by less than a twentieth, and wakes
/// too many lanes for short loops. A smaller number costs more.
pub(crate) const MOST_WOKEN: u32 = 4;

const UP: u32 = 0;
const ASLEEP: u32 = 1;
const WAITING: u32 = 2;

/// On cache lines of its own: a searching lane reads its `displaced` all the time.
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

    /// Ends the rest. Returns true for exactly one caller.
    fn claim(&self, rest: u32) -> bool {
        self.is(rest) && self.rest.compare_exchange(rest, UP, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }
}

/// The words of one pool.
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

    /// Makes sure that beds for `lanes` lanes exist.
    pub(crate) fn make(&self, lanes: usize) {
        self.beds.get_or_make(lanes - 1, |_| Bed::new());
    }

    /// Returns the parker of `lane`, for its own waits and for those who end them.
    pub(crate) fn parker(&self, lane: usize) -> &Parker {
        &self.beds[lane].parker
    }

    /// Returns whether some lane will find a push without being woken. A hint.
    fn anyone_searching(&self) -> bool {
        self.searching() > 0
    }

    /// Returns how many lanes search, or were woken to search. A hint.
    pub(crate) fn searching(&self) -> u32 {
        self.searching.load(Ordering::Relaxed).max(0) as u32
    }

    /// Counts this lane as searching, unless `limit` lanes already search.
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

    /// Ends this lane's search. Returns true if it may have been the last searcher: it must then
    /// look for more work and, if there is some, call `wake_one`.
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

    /// Records that a lane is up again. Call it after [`still_asleep`](Sleep::still_asleep) has
    /// returned false.
    pub(crate) fn got_up(&self) {
        self.resting.fetch_sub(1, Ordering::Relaxed);
    }

    /// Announces that `lane` goes to sleep. It must check every deque once more before it parks.
    pub(crate) fn announce(&self, lane: usize, was_searching: bool) {
        self.lie_down(lane, ASLEEP);
        if was_searching {
            self.searching.fetch_sub(1, Ordering::Relaxed);
        }
        // SeqCst: pairs with `wake_one`: this lane's second look sees the push, or the producer
        // sees the flag.
        fence(Ordering::SeqCst);
    }

    /// Withdraws the announcement after the second check found work. Returns true if the lane now
    /// counts as searching: because it did before, or because a waker was faster and has left a
    /// token in its parker.
    #[must_use = "a lane that counts as searching must end its search"]
    pub(crate) fn retract(&self, lane: usize, was_searching: bool) -> bool {
        let woken = !self.beds[lane].claim(ASLEEP);
        self.got_up();
        if !woken && was_searching {
            self.searching.fetch_add(1, Ordering::Relaxed);
        }
        woken || was_searching
    }

    /// Returns whether no waker has claimed `lane` since it announced. Call it after each return of
    /// its parker.
    pub(crate) fn still_asleep(&self, lane: usize) -> bool {
        self.beds[lane].is(ASLEEP)
    }

    /// Returns whether an external caller holds this worker's seat.
    pub(crate) fn is_displaced(&self, lane: usize) -> bool {
        self.beds[lane].displaced.load(Ordering::Relaxed) > 0
    }

    /// Takes the seat of worker `lane` for an external caller.
    pub(crate) fn displace(&self, lane: usize) {
        self.beds[lane].displaced.fetch_add(1, Ordering::Relaxed);
    }

    /// Gives the seat back when the external caller leaves. Returns true if the worker has its seat
    /// again. The external caller must then release its own lane, check every deque but that lane's
    /// and, if there is work, call `wake_one`.
    #[must_use = "work may lie beside a worker that was passed over"]
    pub(crate) fn give_seat_back(&self, lane: usize) -> bool {
        let last = self.beds[lane].displaced.fetch_sub(1, Ordering::Relaxed) == 1;
        if last {
            // SeqCst: pairs with `wake_one` of a producer that passed this lane over.
            fence(Ordering::SeqCst);
        }
        last
    }

    /// Announces that `lane` is going to wait. It must check once more whether its wait is over
    /// before it parks.
    pub(crate) fn announce_wait(&self, lane: usize) {
        self.lie_down(lane, WAITING);
        // SeqCst: pairs with `wake_waiting`: this lane sees that the wait is over, or who ended it
        // sees the flag.
        fence(Ordering::SeqCst);
    }

    /// Withdraws the announcement. If a waker was faster, the parker has a token, or will have one
    /// soon.
    pub(crate) fn end_wait(&self, lane: usize) {
        self.beds[lane].claim(WAITING);
        self.got_up();
    }

    /// Makes sure that a lane sees a push; call it afterwards. Wakes the first sleeper in `order`
    /// that has its seat, unless a lane is searching. If no lane sleeps, wakes the first of the
    /// `waiting` lanes, which may be unable to run the work.
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

    /// As [`wake_one`](Self::wake_one) for `count` lanes, even if some lanes are searching. Call it
    /// after `count` pushes. Searching lanes may be on their way to other work. If they counted,
    /// the pool would never wake more than `count` lanes at a time.
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

    /// As `wake_one`, for work that every worker checks for, even one without its seat.
    pub(crate) fn wake_any(&self, order: impl IntoIterator<Item = usize>) {
        // SeqCst: pairs with `announce` and `found`.
        fence(Ordering::SeqCst);
        if !self.anyone_searching() {
            self.wake_sleeper(order);
        }
    }

    /// Wakes `lane`, whether it sleeps or waits. Call it after leaving work that only `lane` can
    /// run.
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

    /// Wakes `lane` if it waits. Call it after recording that its wait is over, or that there is
    /// work for it.
    pub(crate) fn wake_waiting(&self, lane: usize) {
        // SeqCst: pairs with `announce_wait`.
        fence(Ordering::SeqCst);
        self.wake_waiting_fenced(lane);
    }

    /// As `wake_waiting`, for a caller that has already fenced after it recorded this.
    pub(crate) fn wake_waiting_fenced(&self, lane: usize) {
        if self.beds[lane].claim(WAITING) {
            self.beds[lane].parker.unpark();
        }
    }

    /// Wakes all waiting lanes of `lanes`: there is work that only some of them may run.
    pub(crate) fn wake_all_waiting(&self, lanes: impl IntoIterator<Item = usize>) {
        // SeqCst: pairs with `announce_wait`. Which lanes there are is asked after it, too.
        fence(Ordering::SeqCst);
        lanes.into_iter().for_each(|lane| self.wake_waiting_fenced(lane));
    }
}
