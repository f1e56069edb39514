//! What lies between the source of a stream and its sink, and what each lane does next.
//!
//! # State
//!
//! All of it is under one mutex, which is never held over a user's code.
//!
//! | field | meaning | changed by |
//! |---|---|---|
//! | `pulling` | a lane is at the source; nobody else may be | whoever gets a [`Pull`](Turn::Pull); the same with [`Pulled`](Report::Pulled) |
//! | `ended` | the source has nothing more | `Pulled` |
//! | `in_flight` | the weight of what was pulled and has not gone through the sink | `Pulled` adds, [`Emitted`](Report::Emitted) subtracts |
//! | `queue` | what was pulled and is not begun, the oldest first | `Pulled` appends; whoever gets a [`Process`](Turn::Process) takes the front |
//! | `done` | what is processed and the sink has not taken; `next` is the item that the sink wants next, if order matters | [`Processed`](Report::Processed); [`Emit`](Turn::Emit) |
//! | `bundles` | who has several items in hand, or asks for several, and since when | with `Pull` and `Process`; the end of both |
//! | `looking` | how many have a look at somebody's bundle | [`Look`](Turn::Look); [`Looked`](Report::Looked) |
//! | `idle`, `coming` | helpers that sleep; those that were woken and have not come | the sleeper; whoever wakes it |
//! | `sink` | the same of the sink | |
//! | `awake` | how many wait with open eyes | those |
//! | `helpers` | how many have come | their first report |
//! | `alone` | the sink is at the source, and does everything | the sink, whoever takes the source from it |
//! | `watching` | somebody who sleeps wakes up by itself, to look at bundles | the sleeper |
//!
//! `stopped` (nobody wants anything more) is written under the mutex, and read without it between
//! two items: a hint.
//!
//! One lane is the *sink*. It puts through what is done; if there is nothing and no helper is free,
//! it processes what is in the queue, unless the window is so small that it would be full
//! meanwhile. The others are *helpers*: they pull and process. A lane reports what it has done and
//! is told what to do next ([`turn`](Window::turn)).
//!
//! # What is pulled is processed before the source may block again
//!
//! A lane asks the source only if for each bundle in the queue there is another lane with nothing
//! to do, which it has woken, or if the source has been quick (`stock`: else the sink, which does
//! not ask by itself, would often find nothing); else it processes the oldest one. The sink asks
//! only if nothing is in flight, and for one item: while it is in the source, it could not emit
//! what becomes ready. If no helper has come, or items are not worth handing over, it keeps the
//! source and does everything, one item after the other ([`Alone`](Turn::Alone)): that is a bundle,
//! too, from which an idle lane takes the source if the sink is at work on one item for long.
//!
//! Several items at a time are in somebody's hands only where items and the source are quick. If it
//! takes long all the same, an idle lane looks there, takes what is not begun, and what is done;
//! there is always one idle lane that wakes up for this by itself (`watching`), if any is idle.
//!
//! # Orderings
//!
//! None but the mutex's.
//!
//! # Progress
//!
//! The sink sleeps only while something is in flight or somebody is at the source. What is in the
//! queue, idle lanes are woken for, helpers first. A helper sleeps while there is no room or
//! another lane is at the source; it is woken when there is room, though not for every single item
//! where they are quick.
//!
//! # Models
//!
//! `window_models.rs`: a sink and helpers, in order and out of it, one at the source at a time, no
//! more in flight than allowed, a source and a helper that wait for what becomes of an item,
//! bundles that are looked at, a stop.

use std::collections::{BinaryHeap, VecDeque};
use std::sync::PoisonError;
use std::time::Duration;

use crossbeam_utils::CachePadded;

use crate::policy::batch::{Batch, Bundle, Done, Taken};
use crate::policy::pace::Pace;
use crate::policy::times::PATIENCE_NS;
use crate::sync::{AtomicBool, Condvar, Mutex, MutexGuard, Ordering};

/// The lane that emits. Helpers have other numbers.
pub(crate) const SINK: u32 = 0;

/// The sink processes an item, which may be long, if there is room for so many quick ones for each
/// helper but one.
const QUICK_EACH: usize = 3;

/// What a lane is to do next, and then report.
#[derive(Debug)]
#[must_use]
pub(crate) enum Turn<T, R> {
    /// Ask the source for so many items, at least one, while what it has got weighs less than
    /// `weight`; the first has that number.
    Pull { first: u64, most: usize, weight: usize },
    /// Ask the source, process and emit, so many items one by one; the first has that number. For
    /// the sink.
    Alone { first: u64, most: usize },
    /// Process these.
    Process(Batch<T>),
    /// Put these through the sink.
    Emit(Done<R>),
    /// Take what that lane has in hand.
    Look(Bundle),
    /// Nothing any more.
    Over,
}

/// What a lane has done.
#[derive(Debug)]
pub(crate) enum Report<T, R> {
    Nothing,
    /// It has left the source.
    Pulled {
        batch: Batch<T>,
        asked: usize,
        ns: u64,
        ended: bool,
    },
    Processed {
        done: Done<R>,
        ns: u64,
    },
    /// It has done so many items alone, and perhaps pulled one more.
    Alone {
        items: usize,
        ns: u64,
        rest: Batch<T>,
        ended: bool,
    },
    /// Items of that weight have gone through the sink.
    Emitted(usize),
    /// It has had a look.
    Looked {
        bundle: Bundle,
        taken: Taken<T, R>,
    },
}

#[derive(Debug, PartialEq, Eq)]
enum Sink {
    Awake,
    Asleep,
    Coming,
}

#[derive(Debug)]
struct State<T, R> {
    pulling: bool,
    ended: bool,
    in_flight: usize,
    pulled: u64,
    queue: VecDeque<Batch<T>>,
    done: BinaryHeap<Done<R>>,
    next: u64,
    /// Each with the moment from which on it is waited for.
    bundles: Vec<(Bundle, u64)>,
    bundles_made: u64,
    looking: u32,
    idle: usize,
    coming: usize,
    awake: usize,
    sink: Sink,
    helpers: usize,
    alone: bool,
    watching: bool,
    pace: Pace,
}

/// What does not change.
#[derive(Debug)]
struct Limits {
    in_flight: usize,
    /// What one lane may have in a bundle.
    share: usize,
    ordered: bool,
    /// Items have different weights.
    weighed: bool,
}

/// The window.
#[derive(Debug)]
pub(crate) struct Window<T, R> {
    state: Mutex<State<T, R>>,
    /// Helpers sleep here.
    room: Condvar,
    /// The sink sleeps here.
    ready: Condvar,
    /// Read between two items, and so kept apart from what changes.
    stopped: CachePadded<AtomicBool>,
    limits: Limits,
}

impl<T, R> Window<T, R> {
    /// At most `limit` is in flight, but that a single item may exceed that; results come in order
    /// or not; up to `lanes` take part.
    pub(crate) fn new(limit: usize, weighed: bool, ordered: bool, lanes: usize) -> Self {
        let state = State {
            pulling: false,
            ended: false,
            in_flight: 0,
            pulled: 0,
            queue: VecDeque::new(),
            done: BinaryHeap::new(),
            next: 0,
            bundles: Vec::new(),
            bundles_made: 0,
            looking: 0,
            idle: 0,
            coming: 0,
            awake: 0,
            sink: Sink::Awake,
            helpers: 0,
            alone: false,
            watching: false,
            pace: Pace::new(),
        };
        // So that all have some at the same time, and as much lies ready or is done.
        let share = (limit / (2 * lanes)).max(1);
        Window {
            state: Mutex::new(state),
            room: Condvar::new(),
            ready: Condvar::new(),
            stopped: CachePadded::new(AtomicBool::new(false)),
            limits: Limits { in_flight: limit, share, ordered, weighed },
        }
    }

    fn lock(&self) -> MutexGuard<'_, State<T, R>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether nobody wants anything more; a hint.
    #[inline]
    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    /// Ends everything; nobody waits any more.
    pub(crate) fn stop(&self) {
        let mut state = self.lock();
        self.stopped.store(true, Ordering::Relaxed);
        self.wake(&mut state);
    }

    /// What the lane does next, after what it reports; waits until there is something. `now` is a
    /// time in nanoseconds. `pause` passes a moment, if after that time a lane that waits is still
    /// to be awake, for the next bundle will be there soon.
    pub(crate) fn turn(
        &self,
        lane: u32,
        report: Report<T, R>,
        now: impl Fn() -> u64,
        pause: impl Fn(u64) -> bool,
    ) -> Turn<T, R> {
        let mut at = now();
        let mut state = self.lock();
        state.hear(lane, report);
        let (came, mut is_awake) = (at, true);
        loop {
            let turn =
                if self.is_stopped() { Some(Turn::Over) } else { state.choose(lane, at, &self.limits) };
            self.wake(&mut state);
            if let Some(turn) = turn {
                return turn;
            }
            if is_awake {
                state.awake += 1;
                drop(state);
                is_awake = pause(at.saturating_sub(came));
                state = self.lock();
                state.awake -= 1;
            } else {
                state = self.wait(state, lane, at);
            }
            at = now();
        }
    }

    fn wait<'a>(
        &'a self,
        mut state: MutexGuard<'a, State<T, R>>,
        lane: u32,
        now: u64,
    ) -> MutexGuard<'a, State<T, R>> {
        let place = if lane == SINK { &self.ready } else { &self.room };
        match lane {
            SINK => state.sink = Sink::Asleep,
            _ => state.idle += 1,
        }
        match state.patience(now) {
            None => state = place.wait(state).unwrap_or_else(PoisonError::into_inner),
            Some(patience) => {
                state.watching = true;
                state = place.wait_timeout(state, patience).unwrap_or_else(PoisonError::into_inner).0;
                state.watching = false;
            }
        }
        match lane {
            SINK => state.sink = Sink::Awake,
            _ if state.coming > 0 => state.coming -= 1,
            // By itself.
            _ => state.idle -= 1,
        }
        state
    }

    /// Wakes those for whom there is something, helpers first. A look at who sleeps spares a system
    /// call.
    fn wake(&self, state: &mut State<T, R>) {
        let watches = !state.watching && !state.bundles.is_empty();
        let wanted = match self.is_stopped() || state.is_over() {
            true => usize::MAX,
            false => {
                state.bundles_in_queue() + usize::from(state.is_open(&self.limits)) + usize::from(watches)
            }
        };
        let mut missing = wanted.saturating_sub(state.coming + state.awake);
        while missing > 0 && state.idle > 0 {
            (missing, state.idle, state.coming) = (missing - 1, state.idle - 1, state.coming + 1);
            self.room.notify_one();
        }
        let works = !state.queue.is_empty() && state.sink_helps(&self.limits);
        let has_work = state.is_ready(&self.limits) || missing > 0 && (works || watches);
        if state.sink == Sink::Asleep && (has_work || state.is_all_through() || self.is_stopped()) {
            state.sink = Sink::Coming;
            self.ready.notify_one();
        }
    }
}

impl<T, R> State<T, R> {
    fn hear(&mut self, lane: u32, report: Report<T, R>) {
        match report {
            Report::Nothing => self.helpers += usize::from(lane != SINK),
            Report::Pulled { batch, asked, ns, ended } => {
                self.leave_source(lane, batch.first + batch.len() as u64, ended);
                self.pace.asked(asked, ns);
                self.enqueue_new(batch);
            }
            Report::Processed { done, ns } => {
                self.bundles.retain(|(bundle, _)| bundle.lane != lane);
                if done.len > 0 {
                    self.pace.processed(done.len, ns);
                    self.done.push(done);
                }
            }
            Report::Alone { items, ns, rest, ended } => {
                self.leave_source(lane, rest.first + rest.len() as u64, ended);
                (self.next, self.in_flight) = (rest.first, 0);
                self.pace.done_alone(items, ns);
                self.enqueue_new(rest);
            }
            Report::Emitted(weight) => self.in_flight = self.in_flight.saturating_sub(weight),
            Report::Looked { bundle, taken } => self.hear_look(bundle, taken),
        }
    }

    fn hear_look(&mut self, bundle: Bundle, taken: Taken<T, R>) {
        self.looking -= 1;
        match taken {
            Taken::Nothing => {
                if self.alone {
                    // The sink is in the source, and comes by itself.
                    self.bundles.clear();
                }
                return;
            }
            Taken::New(batch) => self.enqueue_new(batch),
            Taken::Begun(batch, done) => {
                self.enqueue(batch);
                if done.len > 0 {
                    self.done.push(done);
                }
            }
            Taken::Source { next } => {
                self.leave_source(bundle.lane, next, false);
                self.next = next;
            }
        }
        self.pace.met_outlier(PATIENCE_NS);
        self.bundles.retain(|(other, _)| *other != bundle);
    }

    fn leave_source(&mut self, lane: u32, next: u64, ended: bool) {
        (self.pulling, self.alone) = (false, false);
        self.ended |= ended;
        self.pulled = next;
        self.bundles.retain(|(bundle, _)| bundle.lane != lane);
    }

    fn enqueue_new(&mut self, batch: Batch<T>) {
        self.in_flight = self.in_flight.saturating_add(batch.weight());
        self.enqueue(batch);
    }

    fn enqueue(&mut self, batch: Batch<T>) {
        if batch.len() > 0 {
            let place = self.queue.partition_point(|other| other.first < batch.first);
            self.queue.insert(place, batch);
        }
    }

    /// What a lane that has nothing to do does next.
    fn choose(&mut self, lane: u32, now: u64, limits: &Limits) -> Option<Turn<T, R>> {
        let is_sink = lane == SINK;
        if is_sink && self.is_ready(limits) {
            let done = self.done.pop()?;
            self.next = done.first + done.len as u64;
            return Some(Turn::Emit(done));
        }
        if is_sink && !self.pulling && !self.ended && self.is_empty() {
            return Some(match self.is_left_to_sink(limits) {
                true => self.pull_alone(now),
                false => self.pull_one(),
            });
        }
        let spare = self.lanes_at_hand() + self.pace.stock();
        if !is_sink && self.may_ask(limits) && self.bundles_in_queue() <= spare {
            return Some(self.pull(lane, now, limits));
        }
        let may_process = if is_sink { self.sink_helps(limits) } else { !self.leaves_to_sink(limits) };
        if let Some(batch) = may_process.then(|| self.dequeue()).flatten() {
            if batch.len() > 1 {
                self.add_bundle(lane, now);
            }
            return Some(Turn::Process(batch));
        }
        if self.is_over() && (!is_sink || self.is_empty()) {
            return Some(Turn::Over);
        }
        let late = |&&mut (_, since): &&mut (Bundle, u64)| now.saturating_sub(since) >= PATIENCE_NS;
        let (bundle, since) = self.bundles.iter_mut().find(late)?;
        *since = now;
        self.looking += 1;
        Some(Turn::Look(*bundle))
    }

    fn pull(&mut self, lane: u32, now: u64, limits: &Limits) -> Turn<T, R> {
        self.pulling = true;
        let weight = limits.share.min(self.room(limits));
        let most = self.pace.bundle().min(weight);
        if most > 1 {
            self.add_bundle(lane, now);
        }
        Turn::Pull { first: self.pulled, most, weight }
    }

    /// For the sink: the source may block before the second item until it has emitted the first.
    fn pull_one(&mut self) -> Turn<T, R> {
        self.pulling = true;
        Turn::Pull { first: self.pulled, most: 1, weight: 1 }
    }

    fn pull_alone(&mut self, now: u64) -> Turn<T, R> {
        (self.pulling, self.alone, self.in_flight) = (true, true, 1);
        self.add_bundle(SINK, now);
        Turn::Alone { first: self.pulled, most: self.pace.bundle() }
    }

    fn add_bundle(&mut self, lane: u32, now: u64) {
        self.bundles_made += 1;
        self.bundles.push((Bundle { lane, number: self.bundles_made }, now));
    }

    /// The oldest items.
    fn dequeue(&mut self) -> Option<Batch<T>> {
        let oldest = self.queue.front_mut()?;
        if self.pace.bundle() > 1 || oldest.len() == 1 {
            return self.queue.pop_front();
        }
        oldest.split_one()
    }

    /// How many lanes could take something from the queue.
    fn bundles_in_queue(&self) -> usize {
        if self.pace.bundle() > 1 { self.queue.len() } else { self.queue.iter().map(Batch::len).sum() }
    }

    /// How many lanes have nothing to do, beside a helper that has.
    fn lanes_at_hand(&self) -> usize {
        self.idle + self.coming + usize::from(self.sink != Sink::Awake)
    }

    /// Whether the sink processes what is in the queue: only if no helper can, and if helpers alone
    /// are too few for the window, for what is done piles up meanwhile.
    fn sink_helps(&self, limits: &Limits) -> bool {
        let no_helper = self.idle + self.coming + self.awake == 0;
        self.helpers < limits.in_flight && no_helper && !self.would_fill_up(limits)
    }

    /// Whether quick items would fill the window if the sink had a long one, and the other helpers
    /// found no more. (In order they wait for a long one before them anyway.) The source is quick
    /// then, so that no more than one helper is there for long, and another comes back to the
    /// queue.
    fn would_fill_up(&self, limits: &Limits) -> bool {
        let others = self.helpers.saturating_sub(1);
        !limits.ordered && self.pace.has_quick() && self.room(limits) < others * QUICK_EACH
    }

    /// Whether a helper had better wait, for the sink is about to make room: with the item in the
    /// queue and the next one, both have something to do.
    fn leaves_to_sink(&self, limits: &Limits) -> bool {
        let is_full = self.in_flight >= limits.in_flight && self.bundles_in_queue() == 1;
        is_full && self.sink != Sink::Awake && self.is_ready(limits)
    }

    /// Whether a helper may ask the source: for a bundle, where items come in bundles. What is tiny
    /// it leaves to the sink.
    fn may_ask(&self, limits: &Limits) -> bool {
        let least = if limits.weighed { 1 } else { self.pace.bundle().min(limits.share) };
        !self.pulling && !self.ended && self.room(limits) >= least && !self.is_left_to_sink(limits)
    }

    fn room(&self, limits: &Limits) -> usize {
        limits.in_flight.saturating_sub(self.in_flight)
    }

    /// Whether the sink does everything alone.
    fn is_left_to_sink(&self, limits: &Limits) -> bool {
        !limits.weighed && (self.helpers == 0 || self.pace.are_tiny(limits.share))
    }

    /// Whether a helper should be at the source, and nobody is. For a bundle nobody is woken while
    /// half of the window is full.
    fn is_open(&self, limits: &Limits) -> bool {
        let enough = if self.pace.bundle() > 1 { limits.in_flight / 2 } else { 1 };
        self.may_ask(limits) && self.room(limits) >= enough
    }

    fn is_ready(&self, limits: &Limits) -> bool {
        self.done.peek().is_some_and(|done| !limits.ordered || done.first == self.next)
    }

    /// Whether nothing is between the source and the sink.
    fn is_empty(&self) -> bool {
        self.in_flight == 0 && self.looking == 0
    }

    /// Whether nothing comes to the sink unless the sink asks for it.
    fn is_all_through(&self) -> bool {
        !self.pulling && self.is_empty()
    }

    /// Whether there is nothing left to begin.
    fn is_over(&self) -> bool {
        self.ended && !self.pulling && self.queue.is_empty() && self.bundles.is_empty() && self.looking == 0
    }

    /// For how long whoever is to sleep need not look at a bundle; `None` if it need not at all.
    fn patience(&self, now: u64) -> Option<Duration> {
        if self.watching {
            return None;
        }
        let oldest = self.bundles.iter().map(|&(_, since)| since).min()?;
        Some(Duration::from_nanos(PATIENCE_NS.saturating_sub(now.saturating_sub(oldest)).max(1000)))
    }
}
