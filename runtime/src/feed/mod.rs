//! How the lanes of a loop share a sequential source. *Items that were pulled are processed before
//! the source may block again*, or can be taken by a lane that has nothing else to do.
//!
//! A lane *streams*: it asks the source for an item, processes it, and asks again. While it
//! processes, the source is on its desk, where other lanes can take it. So a lane that is alone, or
//! for which no lane waits, holds only the item that it processes. A lane that finds nothing to do
//! *waits*. While a waiting lane is awake, a lane that holds the source pulls several items. They
//! are on its desk while it asks for the next one. Then it passes the source on, and processes the
//! items.
//!
//! # Where things are
//!
//! Each lane has a desk. The source is on it, or items that the lane has pulled and not begun. The
//! lane itself uses its desk between two items, at almost no cost. Other lanes use it under the
//! mutex, while the lane is in an item (`protocol/desk.rs`). Everything else is under the mutex.
//!
//! | state of the source | where it is | goes to |
//! |---|---|---|
//! | free | `State::source` | the next lane that comes |
//! | streamed from | on a desk | a waiting lane: the owner passes it on between two items; if the owner is in a long item, the waiting lane takes it |
//! | asked for several items | in the hands of its lane, whose desk has the items | free |
//! | ended | nowhere; `State::ended` | |
//!
//! # Nothing waits behind a source that blocks
//!
//! A lane asks the source while items are on its desk only if it has seen, while it was at its
//! desk, that a waiting lane is awake (`protocol/waiters.rs`). When that lane stops being awake, it
//! does so under the mutex, and then looks at all desks behind a heavy fence. There are two cases.
//! If the asking lane looked before that fence, the waiting lane sees its items and takes them
//! first. If it looked after the fence, it has seen that no lane is awake any more, and does not
//! ask. If the owner of a desk is at it just then, for a moment, the waiting lane stays awake.
//!
//! # No lane sleeps beside something to take
//!
//! A lane sleeps after it has found nothing on any desk. A lane that leaves something on its desk
//! after that sees the sleeper, and passes the source on or wakes the sleeper. A lane that passes
//! the source on makes sure that as many lanes are awake as there are things to take: the source,
//! and the items on its own desk. A lane that takes several items from another desk does the same.
//! When the source has ended and no lane has items any more (`State::laden`), all lanes are woken.
//!
//! # Orderings
//!
//! Those of the mutex and of the protocols.
//!
//! # Models
//!
//! `protocol/waiters_models.rs`.

mod desks;

use std::mem;
use std::sync::{Arc, PoisonError};

use self::desks::{Found, Place};
use crate::protocol::waiters::Waiters;
use crate::sync::{Condvar, Fences, Mutex, MutexGuard};

/// What items come from.
pub(crate) trait Source: Send {
    type Item: Send;
    /// Lives while the source is asked, once or several times.
    type Visit;

    fn visit(&self) -> Self::Visit;

    /// Not called again after it has returned `None`.
    fn next(&mut self) -> Option<Self::Item>;
}

/// A source, and the items that were pulled from it.
pub(crate) struct Feed<I: Source> {
    state: Mutex<State<I>>,
    waiters: Waiters,
    /// Waiting lanes sleep here.
    ready: Condvar,
    fences: Fences,
}

struct State<I: Source> {
    /// The source, if it is free.
    source: Option<Box<I>>,
    ended: bool,
    /// How many lanes have items, or had some when they last held the mutex.
    laden: usize,
    /// How many sleepers must wake up.
    roused: usize,
    places: Vec<Arc<Place<I>>>,
}

/// How much a lane asks for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wish {
    /// How many items to pull at once if another lane waits.
    pub(crate) most: usize,
    /// Whether to stream from the desk. Otherwise the source is free while an item is processed.
    pub(crate) streams: bool,
}

impl<I: Source> Feed<I> {
    pub(crate) fn new(source: I, fences: Fences) -> Self {
        let state =
            State { source: Some(Box::new(source)), ended: false, laden: 0, roused: 0, places: Vec::new() };
        Feed { state: Mutex::new(state), waiters: Waiters::new(), ready: Condvar::new(), fences }
    }

    /// Returns whether a lane that comes finds nothing, now or later. A hint.
    pub(crate) fn is_over(&self) -> bool {
        self.waiters.are_finished()
    }

    fn lock(&self) -> MutexGuard<'_, State<I>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Frees the source for the first lane that comes. There is something to take for `lanes`
    /// lanes.
    fn free(&self, state: &mut State<I>, source: Box<I>, lanes: u32) {
        state.source = Some(source);
        self.waiters.next_turn();
        self.rouse(state, lanes);
    }

    /// Makes sure that `lanes` lanes are awake, if as many wait.
    fn rouse(&self, state: &mut State<I>, lanes: u32) {
        if self.waiters.rouse(lanes) {
            state.roused += 1;
            self.ready.notify_one();
        }
    }

    fn end(&self) {
        let mut state = self.lock();
        state.ended = true;
        self.finish_if_over(&state);
    }

    /// Records that a lane has no items any more.
    fn unload(&self, state: &mut State<I>) {
        state.laden -= 1;
        self.finish_if_over(state);
    }

    fn finish_if_over(&self, state: &State<I>) {
        if state.is_over() {
            self.waiters.finish();
            self.waiters.next_turn();
            self.ready.notify_all();
        }
    }
}

/// Guards a call of the source. If the call panics, the source has ended.
struct Asking<'f, I: Source>(&'f Feed<I>);

impl<I: Source> Drop for Asking<'_, I> {
    fn drop(&mut self) {
        self.0.end();
    }
}

/// The same, if the source is on the desk of the lane that asks.
struct AskingHere<'f, I: Source>(&'f Feed<I>, &'f Place<I>);

impl<I: Source> Drop for AskingHere<'_, I> {
    fn drop(&mut self) {
        let AskingHere(feed, place) = *self;
        // SAFETY: this lane is still at its desk, and the reference that it had is no longer used.
        let source = unsafe { place.things() }.source.take();
        place.desk.leave();
        let _end = Asking(feed);
        drop(source);
    }
}

/// A lane.
pub(crate) struct Seat<I: Source> {
    /// Its desk, from its first visit on.
    place: Option<Arc<Place<I>>>,
    /// Whether items were on its desk.
    laden: bool,
    /// Whether the source was on its desk.
    streams: bool,
}

impl<I: Source> Seat<I> {
    pub(crate) fn new() -> Self {
        Seat { place: None, laden: false, streams: false }
    }

    /// Returns whether this lane may have items.
    #[inline]
    pub(crate) fn is_laden(&self) -> bool {
        self.laden
    }

    /// Takes an item that this lane already has.
    #[inline]
    pub(crate) fn pop(&mut self, feed: &Feed<I>) -> Option<I::Item> {
        let place = self.place.as_ref()?;
        if place.desk.enter(feed.fences) {
            // SAFETY: this lane is at its desk.
            let item = unsafe { place.things() }.items.pop_front();
            place.desk.leave();
            if item.is_some() {
                return item;
            }
        }
        self.pop_last(feed)
    }

    #[cold]
    fn pop_last(&mut self, feed: &Feed<I>) -> Option<I::Item> {
        let place = self.place.as_ref()?;
        let mut state = feed.lock();
        // SAFETY: this lane is the owner, and has the mutex.
        let item = unsafe { place.things() }.items.pop_front();
        if item.is_none() && mem::take(&mut self.laden) {
            feed.unload(&mut state);
        }
        item
    }

    /// Drops the items that this lane has.
    pub(crate) fn drop_items(&mut self, feed: &Feed<I>) {
        let Some(place) = self.place.as_ref().filter(|_| mem::take(&mut self.laden)) else { return };
        let mut state = feed.lock();
        // SAFETY: as above.
        let items = mem::take(&mut unsafe { place.things() }.items);
        feed.unload(&mut state);
        drop(state);
        drop(items);
    }

    /// Takes an item from the source on this lane's desk. Returns `None` if the source is gone.
    #[inline]
    pub(crate) fn stream(&mut self, feed: &Feed<I>, wish: Wish) -> Option<I::Item> {
        let place = self.place.as_ref().filter(|_| self.streams)?;
        if !place.desk.ask(feed.fences) {
            return None;
        }
        let asking = AskingHere(feed, place);
        // SAFETY: this lane is at its desk.
        let item = match unsafe { place.things() }.source.as_mut() {
            Some(source) => {
                let _visit = source.visit();
                source.next()
            }
            None => {
                self.streams = false;
                mem::forget(asking);
                place.desk.leave();
                return None;
            }
        };
        if item.is_none() {
            self.streams = false;
            drop(asking);
            return None;
        }
        mem::forget(asking);
        place.desk.leave_and_look(feed.fences);
        if feed.waiters.any() { self.share(feed, item?, wish) } else { item }
    }

    /// Takes the source off the desk, because another lane waits.
    #[cold]
    fn share(&mut self, feed: &Feed<I>, item: I::Item, wish: Wish) -> Option<I::Item> {
        self.streams = false;
        let place = self.place.as_ref()?;
        let state = feed.lock();
        // SAFETY: this lane is the owner, and has the mutex.
        match unsafe { place.things() }.source.take() {
            Some(source) => self.pass_on(feed, state, source, item, wish),
            // Another lane has taken it.
            None => Some(item),
        }
    }

    /// Lets others have the source. First pulls more items from it, if a waiting lane is awake to
    /// take them.
    fn pass_on(
        &mut self,
        feed: &Feed<I>,
        mut state: MutexGuard<'_, State<I>>,
        source: Box<I>,
        item: I::Item,
        wish: Wish,
    ) -> Option<I::Item> {
        let place = self.place.as_ref()?;
        if wish.most <= 1 || !feed.waiters.any_awake() {
            feed.free(&mut state, source, 1);
            return Some(item);
        }
        // SAFETY: this lane is the owner, and has the mutex.
        let things = unsafe { place.things() };
        things.items.push_back(item);
        things.asks_for_more = true;
        state.laden += 1;
        self.laden = true;
        drop(state);
        Self::ask_for_more(feed, place, source, wish.most);
        self.pop(feed)
    }

    /// Pulls more items as long as another lane is awake that takes them from the desk if the
    /// source blocks.
    fn ask_for_more(feed: &Feed<I>, place: &Place<I>, mut source: Box<I>, most: usize) {
        let asking = Asking(feed);
        let visit = source.visit();
        let mut pulled = 1;
        let ended = loop {
            if pulled == most {
                break false;
            }
            let Some(item) = source.next() else { break true };
            pulled += 1;
            if !Self::put(feed, place, item) {
                break false;
            }
        };
        drop(visit);
        let source = if ended {
            drop(source);
            drop(asking);
            None
        } else {
            mem::forget(asking);
            Some(source)
        };
        let mut state = feed.lock();
        // SAFETY: this lane is the owner, and has the mutex.
        unsafe { place.things() }.asks_for_more = false;
        if let Some(source) = source {
            feed.free(&mut state, source, 2);
        }
    }

    /// Puts an item on the desk. Returns whether a lane is awake that would take it from there.
    #[inline]
    fn put(feed: &Feed<I>, place: &Place<I>, item: I::Item) -> bool {
        let state = (!place.desk.enter(feed.fences)).then(|| feed.lock());
        // SAFETY: this lane is the owner, and has come or has the mutex.
        unsafe { place.things() }.items.push_back(item);
        let seen = feed.waiters.any_awake();
        if state.is_none() {
            place.desk.leave();
        }
        seen
    }

    /// Returns an item from anywhere. Blocks until there is one, and returns `None` if none will
    /// come. `pause` passes a moment, and returns false when this lane has been awake long enough.
    #[cold]
    pub(crate) fn come(
        &mut self,
        feed: &Feed<I>,
        wish: Wish,
        mut pause: impl FnMut() -> bool,
    ) -> Option<I::Item> {
        let mut state = feed.lock();
        let place = self.place.get_or_insert_with(|| {
            let place = Place::new();
            state.places.push(Arc::clone(&place));
            place
        });
        let place = Arc::clone(place);
        loop {
            // SAFETY: this lane is the owner, and has the mutex.
            let own = unsafe { place.things() };
            if let Some(source) = own.source.take().or_else(|| state.source.take()) {
                self.streams = false;
                drop(state);
                let item = self.ask(feed, source, wish);
                if item.is_some() {
                    return item;
                }
                state = feed.lock();
                continue;
            }
            if state.is_over() {
                return None;
            }
            let seen = feed.waiters.turn();
            state = feed.wait_awake(state, seen, &mut pause);
            if feed.waiters.turn() != seen {
                feed.waiters.end();
                continue;
            }
            feed.waiters.fall_asleep();
            match Place::look_around(&state.places, &place, feed.fences) {
                Found::Source(source) => state.source = Some(source),
                Found::Items(mut items) => {
                    feed.waiters.wake_up();
                    if items.len() > 1 {
                        feed.rouse(&mut state, 1);
                    }
                    let item = items.pop_front();
                    // SAFETY: as above.
                    unsafe { place.things() }.items = items;
                    state.laden += 1;
                    self.laden = true;
                    return item;
                }
                Found::Nothing => {
                    state = feed.sleep(state);
                    continue;
                }
                Found::Unsure => (),
            }
            feed.waiters.wake_up();
        }
    }

    /// Asks the source, which this lane holds.
    fn ask(&mut self, feed: &Feed<I>, mut source: Box<I>, wish: Wish) -> Option<I::Item> {
        let place = self.place.as_ref()?;
        let asking = Asking(feed);
        let visit = source.visit();
        let item = source.next();
        drop(visit);
        let Some(item) = item else {
            drop(source);
            return None;
        };
        mem::forget(asking);
        if wish.streams && !feed.waiters.any() && place.desk.enter(feed.fences) {
            // SAFETY: this lane is at its desk.
            unsafe { place.things() }.source = Some(source);
            place.desk.leave_and_look(feed.fences);
            self.streams = true;
            return if feed.waiters.any() { self.share(feed, item, wish) } else { Some(item) };
        }
        self.pass_on(feed, feed.lock(), source, item, wish)
    }
}

impl<I: Source> Feed<I> {
    /// Waits for a while without sleeping. The lane still counts as awake afterwards.
    fn wait_awake<'f>(
        &'f self,
        state: MutexGuard<'f, State<I>>,
        seen: u32,
        pause: &mut impl FnMut() -> bool,
    ) -> MutexGuard<'f, State<I>> {
        self.waiters.begin();
        drop(state);
        while self.waiters.turn() == seen && pause() {}
        self.lock()
    }

    /// Sleeps until another lane wakes this one, or everything has ended.
    fn sleep<'f>(&'f self, mut state: MutexGuard<'f, State<I>>) -> MutexGuard<'f, State<I>> {
        while state.roused == 0 {
            if state.is_over() {
                self.waiters.wake_up();
                return state;
            }
            state = self.ready.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.roused -= 1;
        self.waiters.end();
        state
    }
}

impl<I: Source> State<I> {
    /// Returns whether no item is left to begin, and none will come. (A lane that leaves items
    /// behind drops them.)
    fn is_over(&self) -> bool {
        self.ended && self.laden == 0
    }
}
