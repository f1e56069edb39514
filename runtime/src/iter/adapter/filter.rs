//! Adapters that yield fewer items: `filter`, `filter_map`, `positions`.

use std::iter;

use super::adapted::{Adapted, adapt};
use super::{Enumerate, debug_without_closures};

/// Made by [`filter`](crate::iter::ParallelIterator::filter).
pub type Filter<I, F> = Adapted<I, FilterOp<F>>;
/// Made by [`filter_map`](crate::iter::ParallelIterator::filter_map).
pub type FilterMap<I, F> = Adapted<I, FilterMapOp<F>>;
/// Made by [`positions`](crate::iter::IndexedParallelIterator::positions).
pub type Positions<I, F> = Adapted<Enumerate<I>, PositionsOp<F>>;

/// What `filter` does.
#[derive(Clone)]
pub struct FilterOp<F>(pub(crate) F);

adapt! {
    impl[F, T] FilterOp<F>, T => T, yields AtMostOne
    where[F: Fn(&T) -> bool + Send + Sync, T: Send]
    iter::Filter<I, &'a F>: |this, items| items.filter(&this.0)
}

/// What `filter_map` does.
#[derive(Clone)]
pub struct FilterMapOp<F>(pub(crate) F);

adapt! {
    impl[F, T, R] FilterMapOp<F>, T => R, yields AtMostOne
    where[F: Fn(T) -> Option<R> + Send + Sync, R: Send]
    iter::FilterMap<I, &'a F>: |this, items| items.filter_map(&this.0)
}

/// What `positions` does.
#[derive(Clone)]
pub struct PositionsOp<F>(pub(crate) F);

adapt! {
    impl[F, T] PositionsOp<F>, (usize, T) => usize, yields AtMostOne
    where[F: Fn(T) -> bool + Send + Sync]
    Places<I, &'a F>: |this, items| Places { items, predicate: &this.0 }
}

debug_without_closures! {
    [F] FilterOp<F> {};
    [F] FilterMapOp<F> {};
    [F] PositionsOp<F> {};
}

/// The sequential iterator of `positions`.
#[derive(Debug)]
pub struct Places<I, F> {
    items: I,
    predicate: F,
}

impl<T, I: Iterator<Item = (usize, T)>, F: Fn(T) -> bool> Iterator for Places<I, F> {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        let predicate = &self.predicate;
        self.items.find_map(|(index, item)| predicate(item).then_some(index))
    }

    #[inline]
    fn fold<B, G: FnMut(B, usize) -> B>(self, init: B, mut g: G) -> B {
        let Places { items, predicate } = self;
        items.fold(init, |all, (index, item)| if predicate(item) { g(all, index) } else { all })
    }
}
