//! What lies between the source of a stream and its sink: batches of items, in order, of bounded weight.
//!
//! # State
//!
//! All of it is under one mutex, which is never held over a user's code.
//!
//! | field | meaning | changed by |
//! |---|---|---|
//! | `pulling` | a lane is at the source; nobody else may be | whoever gets a [`Pull`](Turn::Pull); the same in [`pulled`](Window::pulled) |
//! | `ended` | the source has nothing more | `pulled` |
//! | `stopped` | nobody wants anything more: the sink had enough, or somebody panicked | [`stop`](Window::stop) |
//! | `in_flight` | the weight of what was pulled and has not gone through the sink | `pulled` adds, [`emitted`](Window::emitted) subtracts |
//! | `processing` | how many batches were pulled and are not finished | `pulled` adds, [`finished`](Window::finished) subtracts |
//! | `batches` | in order: a place for each batch that the sink has not taken, from batch `first` on, empty while it is processed; else: the finished ones | `pulled` appends a place, `finished` fills it (or appends a batch), the sink takes the front |
//! | `helpers_wait`, `sink_waits` | who sleeps | the sleeper, under the mutex |
//!
//! One lane is the *sink*: it takes finished batches, and pulls when there is none. The others are *helpers*, which only
//! pull. Everyone processes what they have pulled.
//!
//! # Orderings
//!
//! None but the mutex's.
//!
//! # Progress
//!
//! The sink sleeps only while a lane is at the source or processes the batch that is next, and that lane wakes it. A helper sleeps
//! while there is no room or another lane is at the source. It is woken when half of the room is free (not for every
//! item), and a helper that has pulled wakes the next; the sink does not depend on any of them coming.
//!
//! # Models
//!
//! `window_models.rs`: a sink and helpers, in order and out of it, one at the source at a time, no more in flight than allowed, a stop.

use std::collections::VecDeque;
use std::sync::PoisonError;

use crate::sync::{Condvar, Mutex, MutexGuard};

/// What a lane is to do next.
#[derive(Debug)]
#[must_use]
pub(crate) enum Turn<B> {
    /// Ask the source for up to `room`, more than 0, and then call [`Window::pulled`].
    Pull { room: usize },
    /// Put these items through the sink, and then call [`Window::emitted`].
    Emit(B),
    /// Nothing any more.
    Over,
}

/// Where a batch goes when it is processed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ticket(u64);

#[derive(Debug)]
struct State<B> {
    pulling: bool,
    ended: bool,
    stopped: bool,
    in_flight: usize,
    processing: usize,
    first: u64,
    batches: VecDeque<Option<B>>,
    helpers_wait: u32,
    sink_waits: bool,
}

/// The window.
#[derive(Debug)]
pub(crate) struct Window<B> {
    state: Mutex<State<B>>,
    /// Helpers sleep here.
    room: Condvar,
    /// The sink sleeps here.
    ready: Condvar,
    limit: usize,
    ordered: bool,
}

impl<B> Window<B> {
    /// At most `limit` is in flight, but that a single pull may exceed its room by a part of one item; batches come in order or not.
    pub(crate) fn new(limit: usize, ordered: bool) -> Self {
        let state = State {
            pulling: false,
            ended: false,
            stopped: false,
            in_flight: 0,
            processing: 0,
            first: 0,
            batches: VecDeque::new(),
            helpers_wait: 0,
            sink_waits: false,
        };
        Window { state: Mutex::new(state), room: Condvar::new(), ready: Condvar::new(), limit, ordered }
    }

    fn lock(&self) -> MutexGuard<'_, State<B>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the sink does next; waits until there is something.
    pub(crate) fn sink_turn(&self) -> Turn<B> {
        let mut state = self.lock();
        loop {
            if state.stopped {
                return Turn::Over;
            }
            if let Some(batch) = state.batches.front_mut().and_then(Option::take) {
                state.batches.pop_front();
                state.first += 1;
                return Turn::Emit(batch);
            }
            if let Some(pull) = state.pull(self.limit) {
                return pull;
            }
            if state.ended && !state.pulling && state.processing == 0 && state.batches.is_empty() {
                return Turn::Over;
            }
            state.sink_waits = true;
            state = self.ready.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.sink_waits = false;
        }
    }

    /// What a helper does next; waits until there is something. Never `Emit`.
    pub(crate) fn helper_turn(&self) -> Turn<B> {
        let mut state = self.lock();
        loop {
            if state.stopped || state.ended {
                return Turn::Over;
            }
            if let Some(pull) = state.pull(self.limit) {
                return pull;
            }
            state.helpers_wait += 1;
            state = self.room.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.helpers_wait -= 1;
        }
    }

    /// This lane has left the source, with items of that weight or, for `None`, with nothing.
    pub(crate) fn pulled(&self, weight: Option<usize>, ended: bool) -> Option<Ticket> {
        let mut state = self.lock();
        state.pulling = false;
        state.ended |= ended;
        let ticket = weight.map(|weight| {
            state.in_flight = state.in_flight.saturating_add(weight);
            state.processing += 1;
            if self.ordered {
                state.batches.push_back(None);
            }
            Ticket((state.first + state.batches.len() as u64).saturating_sub(1))
        });
        // Whoever waited for the source: one helper if there is room, all if it has ended; the sink in any case.
        if state.ended {
            self.wake_all_helpers(&state);
        } else if state.in_flight < self.limit {
            self.wake_helper(&state);
        }
        self.wake_sink(&state);
        ticket
    }

    /// The items of a batch are processed.
    pub(crate) fn finished(&self, ticket: Ticket, batch: B) {
        let mut state = self.lock();
        state.processing -= 1;
        if !self.ordered {
            state.batches.push_back(Some(batch));
            return self.wake_sink(&state);
        }
        let place = (ticket.0 - state.first) as usize;
        state.batches[place] = Some(batch);
        if place == 0 {
            self.wake_sink(&state);
        }
    }

    /// Items of that weight have gone through the sink.
    pub(crate) fn emitted(&self, weight: usize) {
        let mut state = self.lock();
        state.in_flight = state.in_flight.saturating_sub(weight);
        if state.in_flight <= self.limit / 2 {
            self.wake_helper(&state);
        }
    }

    /// Ends everything; nobody waits any more.
    pub(crate) fn stop(&self) {
        let mut state = self.lock();
        state.stopped = true;
        self.wake_all_helpers(&state);
        self.wake_sink(&state);
    }

    // A look at who sleeps spares a system call.

    fn wake_helper(&self, state: &State<B>) {
        if state.helpers_wait > 0 && !state.pulling {
            self.room.notify_one();
        }
    }

    fn wake_all_helpers(&self, state: &State<B>) {
        if state.helpers_wait > 0 {
            self.room.notify_all();
        }
    }

    fn wake_sink(&self, state: &State<B>) {
        if state.sink_waits {
            self.ready.notify_one();
        }
    }
}

impl<B> State<B> {
    fn pull(&mut self, limit: usize) -> Option<Turn<B>> {
        if self.pulling || self.ended || self.in_flight >= limit {
            return None;
        }
        self.pulling = true;
        Some(Turn::Pull { room: limit - self.in_flight })
    }
}
