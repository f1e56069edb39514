//! `progress_with`: telling how far a loop is.

use super::adapted::{Adapt, AdaptIndexed, Adapted, Yield};
use crate::sync::{AtomicU64, Ordering};

/// Made by [`progress_with`](crate::iter::IndexedParallelIterator::progress_with).
pub type Progress<I, F> = Adapted<I, ProgressOp<F>>;

/// What `progress_with` does.
#[derive(Debug)]
pub struct ProgressOp<F> {
    /// Items of chunks that are over. A count that orders nothing: Relaxed.
    done: AtomicU64,
    total: usize,
    report: F,
}

impl<F> ProgressOp<F> {
    pub(crate) fn new(total: usize, report: F) -> Self {
        ProgressOp { done: AtomicU64::new(0), total, report }
    }
}

impl<T: Send, F: Fn(usize, usize) + Send + Sync> Adapt<T> for ProgressOp<F> {
    type Output = T;
    type Local = ();
    type Iter<'a, I: Iterator<Item = T> + 'a>
        = Counted<'a, I, F>
    where
        Self: 'a;
    const YIELD: Yield = Yield::One;

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

/// The sequential iterator of `progress_with`: it reports what was taken from it when it is dropped.
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
    fn fold<B, G: FnMut(B, I::Item) -> B>(mut self, init: B, mut g: G) -> B {
        let taken = &mut self.taken;
        self.items.by_ref().fold(init, |all, item| {
            let all = g(all, item);
            *taken += 1;
            all
        })
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
            let before = self.op.done.fetch_add(self.taken as u64, Ordering::Relaxed);
            (self.op.report)(before as usize + self.taken, self.op.total);
        }
    }
}
