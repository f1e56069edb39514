//! Bars of `indicatif` for taskel's parallel iterators, as its feature `rayon` has them for
//! rayon's. Copy this file.
//!
//! The bar's template says what is shown: `{per_sec}` is the rate, `{eta}` the time left.

use indicatif::{ProgressBar, ProgressStyle};
use taskel::iter::{Adapt, AdaptIndexed, Adapted, Outputs};
use taskel::prelude::*;

/// Parallel iterators with a bar. Items count where the bar stands among the adapters: in front of
/// a `filter`, all of them.
#[allow(dead_code, reason = "a program needs one of these methods or another")]
pub(crate) trait ParallelProgressIterator: ParallelIterator {
    /// With this bar. (`progress_with`, as rayon's users have it, is taskel's own, which calls a
    /// closure.)
    fn progress_bar(self, bar: ProgressBar) -> Adapted<Self, Bar> {
        self.adapt(Bar(bar))
    }

    /// With a bar for so many items.
    fn progress_count(self, len: u64) -> Adapted<Self, Bar> {
        self.progress_bar(ProgressBar::new(len))
    }

    /// With a bar for all items.
    fn progress(self) -> Adapted<Self, Bar>
    where
        Self: IndexedParallelIterator,
    {
        let len = self.len() as u64;
        self.progress_count(len)
    }

    /// With a bar for all items that looks like this.
    fn progress_with_style(self, style: ProgressStyle) -> Adapted<Self, Bar>
    where
        Self: IndexedParallelIterator,
    {
        let bar = ProgressBar::new(self.len() as u64).with_style(style);
        self.progress_bar(bar)
    }
}

impl<I: ParallelIterator> ParallelProgressIterator for I {}

/// What is done to items: nothing, but those of a chunk are counted when it is over.
pub(crate) struct Bar(ProgressBar);

impl<T: Send> Adapt<T> for Bar {
    type Output = T;
    type Local = ();
    type Iter<'a, I: Iterator<Item = T> + 'a> = Counted<'a, I>;
    const OUTPUTS: Outputs = Outputs::One;
    const IN_PIECES: bool = true;

    fn local(&self) {}

    fn adapt<'a, I: Iterator<Item = T> + 'a>(&'a self, _: &'a mut (), items: I) -> Counted<'a, I> {
        Counted { items, taken: 0, bar: &self.0 }
    }
}

impl<T: Send> AdaptIndexed<T> for Bar {
    type IndexedIter<'a, I: DoubleEndedIterator<Item = T> + ExactSizeIterator + 'a> = Counted<'a, I>;

    fn adapt_indexed<'a, I: DoubleEndedIterator<Item = T> + ExactSizeIterator + 'a>(
        &'a self,
        _: &'a mut (),
        items: I,
    ) -> Counted<'a, I> {
        Counted { items, taken: 0, bar: &self.0 }
    }
}

/// The items of a chunk.
pub(crate) struct Counted<'a, I> {
    items: I,
    taken: u64,
    bar: &'a ProgressBar,
}

impl<I: Iterator> Iterator for Counted<'_, I> {
    type Item = I::Item;

    fn next(&mut self) -> Option<I::Item> {
        let item = self.items.next();
        self.taken += u64::from(item.is_some());
        item
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.items.size_hint()
    }

    /// As fast as without a bar.
    fn fold<B, F: FnMut(B, I::Item) -> B>(mut self, init: B, mut f: F) -> B {
        let mut taken = 0;
        let all = self.items.by_ref().fold(init, |so_far, item| {
            taken += 1;
            f(so_far, item)
        });
        self.taken += taken;
        all
    }
}

impl<I: DoubleEndedIterator> DoubleEndedIterator for Counted<'_, I> {
    fn next_back(&mut self) -> Option<I::Item> {
        let item = self.items.next_back();
        self.taken += u64::from(item.is_some());
        item
    }
}

impl<I: ExactSizeIterator> ExactSizeIterator for Counted<'_, I> {}

impl<I> Drop for Counted<'_, I> {
    fn drop(&mut self) {
        self.bar.inc(self.taken);
    }
}
