//! What a lane of a stream has in hand: items and results. Other lanes take them if the lane is in
//! a long item.

use std::cell::UnsafeCell;
use std::mem;
use std::sync::PoisonError;

use crate::policy::batch::{Batch, Done, Taken};
use crate::protocol::tray::Tray;
use crate::sync::{Fences, Mutex, MutexGuard};

/// A lane's tray. The methods are its owner's, but for [`take_away`](Hand::take_away).
pub(super) struct Hand<T, R> {
    tray: Tray,
    visitors: Mutex<()>,
    things: UnsafeCell<Things<T, R>>,
    fences: Fences,
}

// SAFETY: `things` are reached by who is at the tray, one at a time (`protocol/tray.rs`), from any
// thread; so they are sent, and not shared.
unsafe impl<T: Send, R: Send> Sync for Hand<T, R> {}

/// What lies there.
struct Things<T, R> {
    /// Being pulled: the number of the first item, the items, and what each weighs, if that is
    /// not 1.
    pulled_from: u64,
    pulled: Vec<T>,
    weights: Vec<usize>,
    /// Being processed: what is not begun; the weight of the item that is; and what is done.
    batch: Batch<T>,
    weight: usize,
    done: Done<R>,
    /// The sink does everything alone, and may go to the source.
    alone: bool,
}

impl<T, R> Hand<T, R> {
    pub(super) fn new(fences: Fences) -> Self {
        let things = Things {
            pulled_from: 0,
            pulled: Vec::new(),
            weights: Vec::new(),
            batch: Batch::empty(0),
            weight: 0,
            done: Done::new(0, 0),
            alone: false,
        };
        Hand { tray: Tray::new(), visitors: Mutex::new(()), things: UnsafeCell::new(things), fences }
    }

    /// Does something there, as the owner. `act` calls no code of the user's.
    #[inline]
    fn at_tray<A>(&self, act: impl FnOnce(&mut Things<T, R>) -> A) -> A {
        let visitors = if self.tray.enter(self.fences) { None } else { Some(self.stop_visitors()) };
        // SAFETY: the owner has entered, or has the mutex without which others do not come; so
        // nobody else is there until it leaves, or gives that back. The reference ends before.
        let result = act(unsafe { &mut *self.things.get() });
        match visitors {
            None => self.tray.leave(),
            Some(visitors) => drop(visitors),
        }
        result
    }

    #[cold]
    fn stop_visitors(&self) -> MutexGuard<'_, ()> {
        self.visitors.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The owner is about to pull up to `most` items, from that number on.
    pub(super) fn begin_pulling(&self, first: u64, most: usize) {
        self.at_tray(|things| {
            things.pulled_from = first;
            things.pulled.reserve(most);
        });
    }

    /// One more was pulled. False if others have taken those before.
    #[inline]
    pub(super) fn push(&self, item: T, weight: Option<usize>, count: usize) -> bool {
        self.at_tray(|things| {
            things.pulled.push(item);
            // Not `extend`, which is not inlined.
            if let Some(weight) = weight {
                things.weights.push(weight);
            }
            things.pulled.len() == count
        })
    }

    /// Those that nobody else has taken.
    pub(super) fn end_pulling(&self) -> Batch<T> {
        self.at_tray(Things::take_pulled)
    }

    /// The owner is about to process an item of that weight, and these, which follow.
    pub(super) fn begin(&self, weight: usize, batch: Batch<T>) {
        let done = Done::new(batch.first - 1, batch.len() + 1);
        self.at_tray(|things| (things.batch, things.weight, things.done) = (batch, weight, done));
    }

    /// This, and perhaps more, has come of the item in hand. The next one; if there is none, for
    /// this was the last or others have taken the rest, the result comes back.
    #[inline]
    pub(super) fn next(
        &self,
        result: Option<R>,
        more: impl FnOnce() -> Option<Vec<R>>,
    ) -> Result<T, Option<R>> {
        self.at_tray(|things| {
            let Some((item, weight)) = things.batch.pop() else { return Err(result) };
            things.push(result, more());
            things.weight = weight;
            Ok(item)
        })
    }

    /// This, and perhaps more, has come of the last item. What has become of all that nobody else
    /// has taken.
    pub(super) fn end(&self, result: Option<R>, more: Option<Vec<R>>) -> Done<R> {
        self.at_tray(|things| {
            things.push(result, more);
            things.done.take()
        })
    }

    /// The sink is about to do everything alone; the next item has that number.
    pub(super) fn begin_alone(&self, first: u64) {
        self.tray.forget();
        self.at_tray(|things| (things.pulled_from, things.alone) = (first, true));
    }

    /// Asks the source by `next`, if nobody has taken it. Nobody waits meanwhile for the owner to
    /// leave its tray.
    #[inline]
    pub(super) fn ask_alone(&self, next: impl FnOnce() -> Option<T>) -> Asked<T> {
        while !self.tray.enter(self.fences) {
            drop(self.stop_visitors());
        }
        // SAFETY: the owner has entered, and so nobody else is there until it leaves; the reference
        // ends here.
        let alone = unsafe { &*self.things.get() }.alone;
        let item = if alone { next() } else { None };
        // SAFETY: as above.
        let things = unsafe { &mut *self.things.get() };
        things.pulled_from += u64::from(item.is_some());
        things.alone &= item.is_some();
        let missed = self.tray.leave_and_look(self.fences);
        match item {
            _ if !alone => Asked::Taken,
            None => Asked::Ended,
            // Unless another lane has come again, which has the source now.
            Some(item) if missed && self.end_alone().is_some() => Asked::Recalled(item),
            Some(item) => Asked::Item(item),
        }
    }

    /// The sink has the source to itself no more. The number of the next item; `None` if others
    /// have taken the source.
    pub(super) fn end_alone(&self) -> Option<u64> {
        self.at_tray(|things| {
            let next = things.pulled_from;
            (mem::take(&mut things.alone)).then_some(next)
        })
    }

    /// Takes what lies on the tray of another lane, if that is busy elsewhere.
    pub(super) fn take_away(&self) -> Taken<T, R> {
        let _alone = self.stop_visitors();
        let taken = if self.tray.visit(self.fences) {
            // SAFETY: this visitor has the mutex, and the owner stays away until `release`; the
            // reference ends before.
            unsafe { &mut *self.things.get() }.take_all()
        } else {
            Taken::Nothing
        };
        self.tray.release();
        taken
    }
}

/// What a sink has got from the source.
pub(super) enum Asked<T> {
    Item(T),
    /// It is to report at once.
    Recalled(T),
    Ended,
    /// Others have taken the source.
    Taken,
}

impl<T, R> Things<T, R> {
    #[inline]
    fn push(&mut self, result: Option<R>, more: Option<Vec<R>>) {
        self.done.push(result, self.weight);
        if let Some(more) = more {
            self.push_more(more);
        }
    }

    #[cold]
    fn push_more(&mut self, more: Vec<R>) {
        self.done.results.extend(more);
    }

    fn take_pulled(&mut self) -> Batch<T> {
        let first = self.pulled_from;
        self.pulled_from += self.pulled.len() as u64;
        Batch::new(first, mem::take(&mut self.pulled), mem::take(&mut self.weights))
    }

    fn take_all(&mut self) -> Taken<T, R> {
        if mem::take(&mut self.alone) {
            return Taken::Source { next: self.pulled_from };
        }
        if !self.pulled.is_empty() {
            return Taken::New(self.take_pulled());
        }
        match self.batch.len() + self.done.len {
            0 => Taken::Nothing,
            _ => Taken::Begun(self.batch.take(), self.done.take()),
        }
    }
}
