//! `any`, `find_any`, `find_first`, `find_last`.

use std::ops::{ControlFlow, Range};

use super::Push;
use super::push::InnerLoop;
use crate::engine;
use crate::engine::around::{Around, Search};
use crate::engine::combine::Partials;
use crate::engine::consumer::{ChunkOf, Consumer};
use crate::engine::producer::Producer;
use crate::iter::adapter::Tuned;
use crate::sync::{AtomicU64, Ordering};

/// An item for which the predicate holds. Once there is one, the loop ends.
pub(crate) struct FindAny<F>(pub(crate) F);

impl<T: Send, F: Fn(&T) -> bool + Sync> Consumer<T> for FindAny<F> {
    type Partial = Option<T>;
    type Output = Option<T>;
    const ENDS_EARLY: bool = true;

    fn begin(&self, _: usize) -> Option<T> {
        None
    }

    #[inline]
    fn feed<P: Producer<Item = T>>(
        &self,
        found: Option<T>,
        chunk: ChunkOf<'_, P>,
    ) -> ControlFlow<Option<T>, Option<T>> {
        chunk.push_into(self, found)
    }

    fn finish(self, mut partials: impl Partials<Item = Option<T>>) -> Option<T> {
        partials.find_map(|found| found)
    }
}

impl<T: Send, F: Fn(&T) -> bool + Sync> Push<T> for FindAny<F> {
    #[inline]
    fn push<I: Iterator<Item = T>>(
        &self,
        found: Option<T>,
        mut items: I,
    ) -> ControlFlow<Option<T>, Option<T>> {
        until_found(found.or_else(|| items.find(&self.0)))
    }

    fn merge(
        &self,
        found: Option<T>,
        mut behind: impl Partials<Item = Option<T>>,
    ) -> ControlFlow<Option<T>, Option<T>> {
        until_found(found.or_else(|| behind.find_map(|found| found)))
    }
}

fn until_found<T>(found: Option<T>) -> ControlFlow<Option<T>, Option<T>> {
    if found.is_some() { ControlFlow::Break(found) } else { ControlFlow::Continue(None) }
}

/// The first item for which the predicate holds. What lies behind the best one so far is skipped.
pub(crate) struct FindFirst<'f, F> {
    predicate: &'f F,
    best: First,
}

/// The first index of the chunk with the best item so far: a bound that saves work, and orders
/// nothing (Relaxed). The items are in the partials.
struct First(AtomicU64);

impl Search for First {
    fn found(&self, index: usize) -> bool {
        self.0.fetch_min(index as u64, Ordering::Relaxed);
        false
    }

    fn skips(&self, indices: &Range<usize>) -> bool {
        indices.start as u64 > self.0.load(Ordering::Relaxed)
    }
}

impl<'f, F> FindFirst<'f, F> {
    pub(crate) fn new(predicate: &'f F) -> Self {
        FindFirst { predicate, best: First(AtomicU64::new(u64::MAX)) }
    }
}

impl<T: Send, F: Fn(&T) -> bool + Sync> Consumer<T> for FindFirst<'_, F> {
    type Partial = Option<T>;
    type Output = Option<T>;
    const ENDS_EARLY: bool = true;
    const SKIPS_BEHIND: bool = true;

    fn begin(&self, _: usize) -> Option<T> {
        None
    }

    fn search(&self) -> Option<&dyn Search> {
        Some(&self.best)
    }

    #[inline]
    fn feed<P: Producer<Item = T>>(
        &self,
        found: Option<T>,
        chunk: ChunkOf<'_, P>,
    ) -> ControlFlow<Option<T>, Option<T>> {
        let start = chunk.indices().start;
        if found.is_some() {
            if P::HAS_TAIL && chunk.len() == 0 {
                // What was gathered is not the next partial's.
                chunk.into_iter().for_each(drop);
            }
            return ControlFlow::Continue(found);
        }
        if !P::HAS_TAIL && self.best.skips(chunk.indices()) {
            return ControlFlow::Continue(None);
        }
        let producer = chunk.producer();
        let (ControlFlow::Continue(found) | ControlFlow::Break(found)) = chunk.push_into(self, None);
        if found.is_some() {
            self.best.found(start);
            producer.options().over.found();
            if start == 0 {
                return ControlFlow::Break(found);
            }
        }
        ControlFlow::Continue(found)
    }

    fn finish(self, mut partials: impl Partials<Item = Option<T>>) -> Option<T> {
        partials.find_map(|found| found)
    }
}

/// `Break` ends a chunk; whether the loop ends, depends on which chunk it is.
impl<T: Send, F: Fn(&T) -> bool + Sync> Push<T> for FindFirst<'_, F> {
    #[inline]
    fn push<I: Iterator<Item = T>>(
        &self,
        found: Option<T>,
        mut items: I,
    ) -> ControlFlow<Option<T>, Option<T>> {
        until_found(found.or_else(|| items.find(self.predicate)))
    }

    fn merge(
        &self,
        found: Option<T>,
        mut behind: impl Partials<Item = Option<T>>,
    ) -> ControlFlow<Option<T>, Option<T>> {
        until_found(found.or_else(|| behind.find_map(|found| found)))
    }

    /// What lies behind a match inside is skipped there, too.
    fn nest<Q: Producer<Item = T>>(
        &self,
        found: Option<T>,
        inner: InnerLoop<'_, Q>,
    ) -> ControlFlow<Option<T>, Option<T>> {
        until_found(found.or_else(|| inner.run(FindFirst::new(self.predicate))))
    }

    fn site<Q: Producer<Item = T>>() -> Option<usize> {
        Some(engine::address::<Tuned<'_, Q>, Self>())
    }
}

/// The last item for which the predicate holds. Chunks in front of the best one so far are skipped.
pub(crate) struct FindLast<'f, F> {
    predicate: &'f F,
    best: Last,
}

/// The first index of the chunk with the best item so far, as [`First`] has it.
struct Last(AtomicU64);

impl Search for Last {
    fn found(&self, index: usize) -> bool {
        self.0.fetch_max(index as u64, Ordering::Relaxed);
        false
    }

    /// Not where the best is in the middle of them.
    fn skips(&self, indices: &Range<usize>) -> bool {
        indices.end as u64 <= self.0.load(Ordering::Relaxed)
    }
}

impl<'f, F> FindLast<'f, F> {
    pub(crate) fn new(predicate: &'f F) -> Self {
        FindLast { predicate, best: Last(AtomicU64::new(0)) }
    }
}

impl<T: Send, F: Fn(&T) -> bool + Sync> Consumer<T> for FindLast<'_, F> {
    type Partial = Option<T>;
    type Output = Option<T>;

    fn begin(&self, _: usize) -> Option<T> {
        None
    }

    fn search(&self) -> Option<&dyn Search> {
        Some(&self.best)
    }

    #[inline]
    fn feed<P: Producer<Item = T>>(
        &self,
        found: Option<T>,
        chunk: ChunkOf<'_, P>,
    ) -> ControlFlow<Option<T>, Option<T>> {
        let start = chunk.indices().start;
        if !P::HAS_TAIL && self.best.skips(chunk.indices()) {
            return ControlFlow::Continue(found);
        }
        let producer = chunk.producer();
        let (ControlFlow::Continue(last) | ControlFlow::Break(last)) = chunk.push_into(self, None);
        if last.is_some() {
            self.best.found(start);
            producer.options().over.found();
        }
        ControlFlow::Continue(last.or(found))
    }

    fn finish(self, partials: impl Partials<Item = Option<T>>) -> Option<T> {
        partials.flatten().last()
    }
}

impl<T: Send, F: Fn(&T) -> bool + Sync> Push<T> for FindLast<'_, F> {
    #[inline]
    fn push<I: Iterator<Item = T>>(&self, found: Option<T>, items: I) -> ControlFlow<Option<T>, Option<T>> {
        ControlFlow::Continue(items.filter(self.predicate).last().or(found))
    }

    fn merge(
        &self,
        found: Option<T>,
        behind: impl Partials<Item = Option<T>>,
    ) -> ControlFlow<Option<T>, Option<T>> {
        ControlFlow::Continue(behind.flatten().last().or(found))
    }

    /// What lies in front of a match inside is skipped there, too.
    fn nest<Q: Producer<Item = T>>(
        &self,
        found: Option<T>,
        inner: InnerLoop<'_, Q>,
    ) -> ControlFlow<Option<T>, Option<T>> {
        ControlFlow::Continue(inner.run(FindLast::new(self.predicate)).or(found))
    }

    fn site<Q: Producer<Item = T>>() -> Option<usize> {
        Some(engine::address::<Tuned<'_, Q>, Self>())
    }
}
