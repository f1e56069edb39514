//! The buffer between the source of a stream and its sink, and what each lane does next.
//!
//! # State
//!
//! All state is under one mutex, which is never held while user code runs.
//!
//! | field | meaning | changed by |
//! |---|---|---|
//! | `pulling` | a lane is at the source; no other lane may be | the lane that gets a [`Pull`](Turn::Pull), and its [`Pulled`](Report::Pulled) |
//! | `ended` | the source is exhausted | `Pulled` |
//! | `in_flight` | the weight of all items that were pulled and have not passed the sink | `Pulled` adds, [`Emitted`](Report::Emitted) subtracts |
//! | `queue` | items that were pulled and not begun, oldest first | `Pulled` appends; the lane that gets a [`Process`](Turn::Process) takes the front |
//! | `done` | items that were processed and not yet taken by the sink; `next` is the item that the sink wants next, if order matters | [`Processed`](Report::Processed); [`Emit`](Turn::Emit) |
//! | `bundles` | which lanes hold several items, or ask the source for several, and since when | `Pull` and `Process`, and the end of both |
//! | `looking` | how many lanes look at another lane's bundle | [`Look`](Turn::Look); [`Looked`](Report::Looked) |
//! | `idle`, `coming` | helpers that sleep; helpers that were woken and have not arrived | the sleeper; its waker |
//! | `sink` | the same for the sink | |
//! | `awake` | how many lanes wait without sleeping | these lanes |
//! | `helpers` | how many helpers have come | their first report |
//! | `alone` | the sink is at the source, and does everything | the sink; the lane that takes the source from it |
//! | `watching` | a sleeping lane wakes up on a timeout to look at bundles | the sleeper |
//!
//! `stopped` (no more results are wanted) is written under the mutex, and read without it between
//! two items, as a hint.
//!
//! One lane is the *sink*. It emits finished items. If there are none and no helper is free, it
//! processes items from the queue, unless the window is so small that it would fill up meanwhile.
//! The others are *helpers*: they pull and process. A lane reports what it has done and is told
//! what to do next ([`turn`](Window::turn)).
//!
//! # Pulled items are processed before the source may block again
//!
//! A helper asks the source only in two cases: for each bundle in the queue there is another idle
//! lane, which it has woken; or the source has been quick (`stock`), because otherwise the sink,
//! which does not ask while others do, would often find nothing. In all other cases it processes
//! the oldest bundle. The sink asks only if nothing is in flight, and for one item: while it is in
//! the source, it cannot emit items that become ready. If no helper has come, or if items are too
//! cheap to hand over, the sink keeps the source and does everything, one item after the other
//! ([`Alone`](Turn::Alone)). This is a bundle, too: an idle lane takes the source from it if the
//! sink works on one item for a long time.
//!
//! A lane holds several items at a time only where items and the source are quick. If they take
//! long nevertheless, an idle lane looks at the bundle, and takes what has not begun and what is
//! done. If any lane is idle, one idle lane always wakes up on a timeout for this (`watching`).
//!
//! # Orderings
//!
//! Only those of the mutex.
//!
//! # Progress
//!
//! The sink sleeps only while items are in flight or another lane is at the source. Idle lanes are
//! woken for items in the queue, helpers first. A helper sleeps while the window is full or another
//! lane is at the source. It is woken when there is room, though not for every single item if items
//! are quick.
//!
//! # Models
//!
//! `window_models.rs`: a sink and helpers, ordered and unordered; one lane at a time at the source;
//! no more in flight than allowed; a source and a helper that wait for the result of an item;
//! bundles that other lanes look at; a stop.

use std::collections::{BinaryHeap, VecDeque};
use std::sync::PoisonError;
use std::time::Duration;

use crossbeam_utils::CachePadded;

use crate::policy::batch::{Batch, Bundle, Done, Taken};
use crate::policy::pace::Pace;
use crate::policy::times::PATIENCE_NS;
use crate::sync::{AtomicBool, Condvar, Mutex, MutexGuard, Ordering};

/// The number of the sink. Helpers have other numbers.
pub(crate) const SINK: u32 = 0;

/// The sink processes an item, which may be long, only if the window has room for this many quick
/// items per helper, not counting one helper.
const QUICK_EACH: usize = 3;

/// What a lane does next. It then reports the outcome.
#[derive(Debug)]
#[must_use]
pub(crate) enum Turn<T, R> {
    /// Ask the source for up to `most` items, at least one, until they weigh `weight`. `first` is
    /// the number of the first item.
    Pull { first: u64, most: usize, weight: usize },
    /// Ask the source, process and emit, item by item, up to `most` times. `first` is the number of
    /// the first item. Only for the sink.
    Alone { first: u64, most: usize },
    /// Process these items.
    Process(Batch<T>),
    /// Emit these results.
    Emit(Done<R>),
    /// Take what this bundle's lane has not begun or has done.
    Look(Bundle),
    /// Nothing: the stream is over.
    Over,
}

/// What a lane has done.
#[derive(Debug)]
pub(crate) enum Report<T, R> {
    Nothing,
    /// The lane has left the source.
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
    /// The sink has processed `items` items alone, and may have pulled one more.
    Alone {
        items: usize,
        ns: u64,
        rest: Batch<T>,
        ended: bool,
    },
    /// Items of this weight have passed the sink.
    Emitted(usize),
    /// The lane has looked at a bundle.
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
    /// Each with the time of the last look, or of its start.
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

/// What never changes.
#[derive(Debug)]
struct Limits {
    in_flight: usize,
    /// The largest bundle of one lane.
    share: usize,
    ordered: bool,
    /// Whether items have different weights.
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
    /// Read between two items, so on a cache line of its own.
    stopped: CachePadded<AtomicBool>,
    limits: Limits,
}

impl<T, R> Window<T, R> {
    /// Creates a window for up to `lanes` lanes. At most `limit` is in flight, except that a single
    /// item may exceed it.
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
        // All lanes can hold a bundle at the same time, and as much again can wait or be done.
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

    /// Returns whether no more results are wanted. A hint.
    #[inline]
    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    /// Ends the stream, and wakes all lanes.
    pub(crate) fn stop(&self) {
        let mut state = self.lock();
        self.stopped.store(true, Ordering::Relaxed);
        self.wake(&mut state);
    }

    /// Returns what the lane does next, after its report. Blocks until there is something to do.
    /// `now` returns the time in nanoseconds. `pause` is given how long the lane has waited. It
    /// passes a moment, and returns whether the lane should stay awake because the next bundle will
    /// be there soon.
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
            // The timeout ended the sleep.
            _ => state.idle -= 1,
        }
        state
    }

    /// Wakes the lanes that have something to do, helpers first. It checks who sleeps, which saves
    /// a system call.
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
                    // The sink is in the source, and comes back by itself.
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

    /// Chooses what an idle lane does next.
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

    /// For the sink: the source may not yield the second item until the first one was emitted.
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

    /// Takes the oldest items.
    fn dequeue(&mut self) -> Option<Batch<T>> {
        let oldest = self.queue.front_mut()?;
        if self.pace.bundle() > 1 || oldest.len() == 1 {
            return self.queue.pop_front();
        }
        oldest.split_one()
    }

    /// Returns how many lanes could take something from the queue.
    fn bundles_in_queue(&self) -> usize {
        if self.pace.bundle() > 1 { self.queue.len() } else { self.queue.iter().map(Batch::len).sum() }
    }

    /// Returns how many lanes have nothing to do, besides the helper that asks.
    fn lanes_at_hand(&self) -> usize {
        self.idle + self.coming + usize::from(self.sink != Sink::Awake)
    }

    /// Returns whether the sink processes items from the queue. It does so only if no helper can,
    /// and if all helpers together cannot fill the window: results pile up meanwhile.
    fn sink_helps(&self, limits: &Limits) -> bool {
        let no_helper = self.idle + self.coming + self.awake == 0;
        self.helpers < limits.in_flight && no_helper && !self.would_fill_up(limits)
    }

    /// Returns whether quick items would fill the window while the sink processes a long one, so
    /// that the other helpers would run out of work. (If order matters, they wait for the long item
    /// anyway.) The source is quick then, so only one helper is there at a time, and the others
    /// return to the queue.
    fn would_fill_up(&self, limits: &Limits) -> bool {
        let others = self.helpers.saturating_sub(1);
        !limits.ordered && self.pace.has_quick() && self.room(limits) < others * QUICK_EACH
    }

    /// Returns whether a helper should wait because the sink is about to make room. Then both have
    /// work: the item in the queue, and the next one.
    fn leaves_to_sink(&self, limits: &Limits) -> bool {
        let is_full = self.in_flight >= limits.in_flight && self.bundles_in_queue() == 1;
        is_full && self.sink != Sink::Awake && self.is_ready(limits)
    }

    /// Returns whether a helper may ask the source, for a bundle if items come in bundles. Tiny
    /// items are left to the sink.
    fn may_ask(&self, limits: &Limits) -> bool {
        let least = if limits.weighed { 1 } else { self.pace.bundle().min(limits.share) };
        !self.pulling && !self.ended && self.room(limits) >= least && !self.is_left_to_sink(limits)
    }

    fn room(&self, limits: &Limits) -> usize {
        limits.in_flight.saturating_sub(self.in_flight)
    }

    /// Returns whether the sink does everything alone.
    fn is_left_to_sink(&self, limits: &Limits) -> bool {
        !limits.weighed && (self.helpers == 0 || self.pace.are_tiny(limits.share))
    }

    /// Returns whether the source is free and a helper should be there. For a bundle, no lane is
    /// woken until half of the window is free.
    fn is_open(&self, limits: &Limits) -> bool {
        let enough = if self.pace.bundle() > 1 { limits.in_flight / 2 } else { 1 };
        self.may_ask(limits) && self.room(limits) >= enough
    }

    fn is_ready(&self, limits: &Limits) -> bool {
        self.done.peek().is_some_and(|done| !limits.ordered || done.first == self.next)
    }

    /// Returns whether nothing is between the source and the sink.
    fn is_empty(&self) -> bool {
        self.in_flight == 0 && self.looking == 0
    }

    /// Returns whether the sink gets nothing unless it asks the source itself.
    fn is_all_through(&self) -> bool {
        !self.pulling && self.is_empty()
    }

    /// Returns whether nothing is left to begin.
    fn is_over(&self) -> bool {
        self.ended && !self.pulling && self.queue.is_empty() && self.bundles.is_empty() && self.looking == 0
    }

    /// Returns how long a lane that goes to sleep may sleep before it must look at a bundle. `None`
    /// if it need not look at all.
    fn patience(&self, now: u64) -> Option<Duration> {
        if self.watching {
            return None;
        }
        let oldest = self.bundles.iter().map(|&(_, since)| since).min()?;
        Some(Duration::from_nanos(PATIENCE_NS.saturating_sub(now.saturating_sub(oldest)).max(1000)))
    }
}
