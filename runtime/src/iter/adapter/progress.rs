//! `progress_with`: reports how far a loop is.

use std::sync::{PoisonError, TryLockError};

use super::adapted::{Adapt, AdaptIndexed, Adapted, Outputs};
use crate::os::clock::{Clock, Ticks};
use crate::sched::pool::with_current_lane;
use crate::sync::{AtomicU64, Mutex, Ordering};

/// From one report to the next.
pub(crate) const BETWEEN_REPORTS_NS: u64 = 50_000_000;

/// Made by [`progress_with`](crate::iter::IndexedParallelIterator::progress_with).
pub type Progress<I, F> = Adapted<I, ProgressOp<F>>;

/// What `progress_with` does.
#[derive(Debug)]
pub struct ProgressOp<F> {
    /// Items of chunks that are over. A count that orders nothing: Relaxed.
    done: AtomicU64,
    total: usize,
    clock: Clock,
    /// When the last report was made. Held while one is, so that none overtakes another.
    reported: Mutex<Ticks>,
    report: F,
}

impl<F> ProgressOp<F> {
    pub(crate) fn new(total: usize, report: F) -> Self {
        let clock = Clock::new();
        ProgressOp { done: AtomicU64::new(0), total, clock, reported: Mutex::new(clock.now()), report }
    }
}

impl<F: Fn(usize, usize)> ProgressOp<F> {
    /// A chunk is over, of which `taken` items were asked for.
    fn add(&self, taken: usize) {
        let done = self.done.fetch_add(taken as u64, Ordering::Relaxed) as usize + taken;
        let now = self.clock.now();
        // Only the last report is worth waiting for.
        let mut reported = match self.reported.try_lock() {
            Ok(reported) => reported,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) if done < self.total => return,
            Err(TryLockError::WouldBlock) => self.reported.lock().unwrap_or_else(PoisonError::into_inner),
        };
        if done < self.total {
            // Others may have got further while this one came here, and the last report is made by
            // who did the last chunk.
            let done = self.done.load(Ordering::Relaxed) as usize;
            if done >= self.total || !self.clock.have_passed(BETWEEN_REPORTS_NS, &mut reported, now) {
                return;
            }
            (self.report)(done, self.total);
        } else {
            (self.report)(self.total, self.total);
        }
        *reported = self.clock.now();
        self.exempt(self.clock.ns_between(now, *reported));
    }

    /// To whoever takes the time of the chunk, that was other work.
    fn exempt(&self, ns: u64) {
        with_current_lane(|lane| {
            if let Some(lane) = lane {
                let helped_ns = &lane.private().helped_ns;
                helped_ns.set(helped_ns.get().saturating_add(ns));
            }
        });
    }
}

impl<T: Send, F: Fn(usize, usize) + Send + Sync> Adapt<T> for ProgressOp<F> {
    type Output = T;
    type Local = ();
    type Iter<'a, I: Iterator<Item = T> + 'a>
        = Counted<'a, I, F>
    where
        Self: 'a;
    const OUTPUTS: Outputs = Outputs::One;
    const IN_PIECES: bool = true;

    fn local(&self) {}

    #[inline]
    fn adapt<'a, I: Iterator<Item = T> + 'a>(&'a self, _: &'a mut (), items: I) -> Self::Iter<'a, I> {
        Counted { items, taken: 0, op: self }
    }
}

impl<T: Send, F: Fn(usize, usize) + Send + Sync> AdaptIndexed<T> for ProgressOp<F> {
    type IndexedIter<'a, I: DoubleEndedIterator<Item = T> + ExactSizeIterator + 'a>
        = Counted<'a, I, F>
    where
        Self: 'a;

    #[inline]
    fn adapt_indexed<'a, I: DoubleEndedIterator<Item = T> + ExactSizeIterator + 'a>(
        &'a self,
        _: &'a mut (),
        items: I,
    ) -> Self::IndexedIter<'a, I> {
        Counted { items, taken: 0, op: self }
    }
}

/// The sequential iterator of `progress_with`: it reports what was taken from it when it is
/// dropped.
#[derive(Debug)]
pub struct Counted<'a, I, F: Fn(usize, usize)> {
    items: I,
    taken: usize,
    op: &'a ProgressOp<F>,
}

impl<I: Iterator, F: Fn(usize, usize)> Iterator for Counted<'_, I, F> {
    type Item = I::Item;

    #[inline]
    fn next(&mut self) -> Option<I::Item> {
        let item = self.items.next();
        self.taken += usize::from(item.is_some());
        item
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        self.items.size_hint()
    }

    #[inline]
    fn fold<B, G: FnMut(B, I::Item) -> B>(mut self, init: B, g: G) -> B {
        // To the end, whatever there is: the base has one item for each index.
        let len = self.items.size_hint().0;
        let all = self.items.by_ref().fold(init, g);
        self.taken += len;
        all
    }
}

impl<I: DoubleEndedIterator, F: Fn(usize, usize)> DoubleEndedIterator for Counted<'_, I, F> {
    #[inline]
    fn next_back(&mut self) -> Option<I::Item> {
        let item = self.items.next_back();
        self.taken += usize::from(item.is_some());
        item
    }
}

impl<I: ExactSizeIterator, F: Fn(usize, usize)> ExactSizeIterator for Counted<'_, I, F> {}

impl<I, F: Fn(usize, usize)> Drop for Counted<'_, I, F> {
    fn drop(&mut self) {
        if self.taken > 0 && !std::thread::panicking() {
            self.op.add(self.taken);
        }
    }
}
