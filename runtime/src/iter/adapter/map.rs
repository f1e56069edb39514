//! Adapters that yield one item for each item: `map`, `inspect`, `update`, `cloned`, `copied`.

use std::iter;

use super::adapted::{Adapted, adapt};
use super::debug_without_closures;

/// Made by [`map`](crate::iter::ParallelIterator::map).
pub type Map<I, F> = Adapted<I, MapOp<F>>;
/// Made by [`inspect`](crate::iter::ParallelIterator::inspect).
pub type Inspect<I, F> = Adapted<I, InspectOp<F>>;
/// Made by [`update`](crate::iter::ParallelIterator::update).
pub type Update<I, F> = Adapted<I, UpdateOp<F>>;
/// Made by [`cloned`](crate::iter::ParallelIterator::cloned).
pub type Cloned<I> = Adapted<I, ClonedOp>;
/// Made by [`copied`](crate::iter::ParallelIterator::copied).
pub type Copied<I> = Adapted<I, CopiedOp>;

/// What `map` does.
#[derive(Clone)]
pub struct MapOp<F>(pub(crate) F);

adapt! {
    impl[F, T, R] MapOp<F>, T => R, yields One
    where[F: Fn(T) -> R + Send + Sync, R: Send]
    iter::Map<I, &'a F>: |this, items| items.map(&this.0)
}

/// What `inspect` does.
#[derive(Clone)]
pub struct InspectOp<F>(pub(crate) F);

adapt! {
    impl[F, T] InspectOp<F>, T => T, yields One
    where[F: Fn(&T) + Send + Sync, T: Send]
    iter::Inspect<I, &'a F>: |this, items| items.inspect(&this.0)
}

/// What `update` does.
#[derive(Clone)]
pub struct UpdateOp<F>(pub(crate) F);

adapt! {
    impl[F, T] UpdateOp<F>, T => T, yields One
    where[F: Fn(&mut T) + Send + Sync, T: Send]
    Updated<I, &'a F>: |this, items| Updated { items, f: &this.0 }
}

debug_without_closures! {
    [F] MapOp<F> {};
    [F] InspectOp<F> {};
    [F] UpdateOp<F> {};
}

/// What `cloned` does.
#[derive(Clone, Copy, Debug)]
pub struct ClonedOp;

adapt! {
    impl['data, T] ClonedOp, &'data T => T, yields One
    where[T: Clone + Send + 'data]
    iter::Cloned<I>: |_this, items| items.cloned()
}

/// What `copied` does.
#[derive(Clone, Copy, Debug)]
pub struct CopiedOp;

adapt! {
    impl['data, T] CopiedOp, &'data T => T, yields One
    where[T: Copy + Send + 'data]
    iter::Copied<I>: |_this, items| items.copied()
}

/// The sequential iterator of `update`.
#[derive(Debug)]
pub struct Updated<I, F> {
    items: I,
    f: F,
}

impl<I: Iterator, F: Fn(&mut I::Item)> Iterator for Updated<I, F> {
    type Item = I::Item;

    #[inline]
    fn next(&mut self) -> Option<I::Item> {
        let mut item = self.items.next()?;
        (self.f)(&mut item);
        Some(item)
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        self.items.size_hint()
    }

    #[inline]
    fn fold<B, G: FnMut(B, I::Item) -> B>(self, init: B, mut g: G) -> B {
        let Updated { items, f } = self;
        items.fold(init, |all, mut item| {
            f(&mut item);
            g(all, item)
        })
    }
}

impl<I: DoubleEndedIterator, F: Fn(&mut I::Item)> DoubleEndedIterator for Updated<I, F> {
    #[inline]
    fn next_back(&mut self) -> Option<I::Item> {
        let mut item = self.items.next_back()?;
        (self.f)(&mut item);
        Some(item)
    }
}

impl<I: ExactSizeIterator, F: Fn(&mut I::Item)> ExactSizeIterator for Updated<I, F> {}
