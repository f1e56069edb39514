//! `any`, `find_any`, `find_first`, `find_last`.

use std::ops::ControlFlow;

use super::{ChunkOf, Consumer, Segments};
use crate::iter::producer::Producer;
use crate::sync::{AtomicU64, Ordering};

/// An item for which the predicate holds. Once there is one, the loop ends.
pub(crate) struct FindAny<F>(pub(crate) F);

impl<T: Send, F: Fn(&T) -> bool + Sync> Consumer<T> for FindAny<F> {
    type Segment = Option<T>;
    type Output = Option<T>;

    fn begin(&self, _: usize) -> Option<T> {
        None
    }

    #[inline]
    fn feed<P: Producer<Item = T>>(
        &self,
        found: Option<T>,
        chunk: ChunkOf<'_, P>,
    ) -> ControlFlow<Option<T>, Option<T>> {
        match found.or_else(|| chunk.into_iter().find(&self.0)) {
            None => ControlFlow::Continue(None),
            found => ControlFlow::Break(found),
        }
    }

    fn finish(self, mut segments: impl Segments<Item = Option<T>>) -> Option<T> {
        segments.find_map(|found| found)
    }
}

/// The first item for which the predicate holds. What lies behind the best one so far is skipped.
pub(crate) struct FindFirst<F> {
    predicate: F,
    /// The first index of the chunk with the best item so far: a bound that saves work, and orders nothing (Relaxed). The items are in the
    /// segments.
    best: AtomicU64,
}

impl<F> FindFirst<F> {
    pub(crate) fn new(predicate: F) -> Self {
        FindFirst { predicate, best: AtomicU64::new(u64::MAX) }
    }
}

impl<T: Send, F: Fn(&T) -> bool + Sync> Consumer<T> for FindFirst<F> {
    type Segment = Option<T>;
    type Output = Option<T>;
    const SKIPS: bool = true;

    fn begin(&self, _: usize) -> Option<T> {
        None
    }

    fn skips_from(&self, index: usize) -> bool {
        index as u64 > self.best.load(Ordering::Relaxed)
    }

    #[inline]
    fn feed<P: Producer<Item = T>>(
        &self,
        found: Option<T>,
        chunk: ChunkOf<'_, P>,
    ) -> ControlFlow<Option<T>, Option<T>> {
        let start = chunk.indices().start;
        if found.is_some() || !P::HAS_TAIL && self.skips_from(start) {
            return ControlFlow::Continue(found);
        }
        let found = chunk.into_iter().find(&self.predicate);
        if found.is_some() {
            self.best.fetch_min(start as u64, Ordering::Relaxed);
            if start == 0 {
                return ControlFlow::Break(found);
            }
        }
        ControlFlow::Continue(found)
    }

    fn finish(self, mut segments: impl Segments<Item = Option<T>>) -> Option<T> {
        segments.find_map(|found| found)
    }
}

/// The last item for which the predicate holds. Chunks in front of the best one so far are skipped.
pub(crate) struct FindLast<F> {
    predicate: F,
    /// The first index of the chunk with the best item so far, as in [`FindFirst`].
    best: AtomicU64,
}

impl<F> FindLast<F> {
    pub(crate) fn new(predicate: F) -> Self {
        FindLast { predicate, best: AtomicU64::new(0) }
    }
}

impl<T: Send, F: Fn(&T) -> bool + Sync> Consumer<T> for FindLast<F> {
    type Segment = Option<T>;
    type Output = Option<T>;

    fn begin(&self, _: usize) -> Option<T> {
        None
    }

    #[inline]
    fn feed<P: Producer<Item = T>>(
        &self,
        found: Option<T>,
        chunk: ChunkOf<'_, P>,
    ) -> ControlFlow<Option<T>, Option<T>> {
        let start = chunk.indices().start as u64;
        if !P::HAS_TAIL && start < self.best.load(Ordering::Relaxed) {
            return ControlFlow::Continue(found);
        }
        let last = chunk.into_iter().filter(&self.predicate).last();
        if last.is_some() {
            self.best.fetch_max(start, Ordering::Relaxed);
        }
        ControlFlow::Continue(last.or(found))
    }

    fn finish(self, segments: impl Segments<Item = Option<T>>) -> Option<T> {
        segments.flatten().last()
    }
}
