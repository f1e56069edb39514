//! Several items for each: `flat_map_iter`, `flatten_iter`, `flat_map`, `flatten`.

use std::iter;
use std::vec;

use super::adapted::{Adapted, adapt};
use crate::iter::{FromParallelIterator, IntoParallelIterator};

/// Made by [`flat_map_iter`](crate::iter::ParallelIterator::flat_map_iter).
pub type FlatMapIter<I, F> = Adapted<I, FlatMapIterOp<F>>;
/// Made by [`flatten_iter`](crate::iter::ParallelIterator::flatten_iter).
pub type FlattenIter<I> = Adapted<I, FlattenIterOp>;
/// Made by [`flat_map`](crate::iter::ParallelIterator::flat_map).
pub type FlatMap<I, F> = Adapted<I, FlatMapOp<F>>;
/// Made by [`flatten`](crate::iter::ParallelIterator::flatten).
pub type Flatten<I> = Adapted<I, FlattenOp>;

/// What `flat_map_iter` does.
#[derive(Clone, Debug)]
pub struct FlatMapIterOp<F>(pub(crate) F);

adapt! {
    impl[F, T, S] FlatMapIterOp<F>, T => S::Item, yields Any
    where[F: Fn(T) -> S + Send + Sync, S: IntoIterator<Item: Send>]
    iter::FlatMap<I, S, &'a F>: |this, items| items.flat_map(&this.0)
}

/// What `flatten_iter` does.
#[derive(Clone, Copy, Debug)]
pub struct FlattenIterOp;

adapt! {
    impl[T] FlattenIterOp, T => T::Item, yields Any
    where[T: IntoIterator<Item: Send>]
    iter::Flatten<I>: |_this, items| items.flatten()
}

/// What `flat_map` does.
#[derive(Clone, Debug)]
pub struct FlatMapOp<F>(pub(crate) F);

adapt! {
    impl[F, T, S] FlatMapOp<F>, T => S::Item, yields Any
    where[F: Fn(T) -> S + Send + Sync, S: IntoParallelIterator]
    Inner<I, &'a F, S::Item>: |this, items| Inner { items, f: &this.0, current: Vec::new().into_iter() }
}

/// What `flatten` does.
#[derive(Clone, Copy, Debug)]
pub struct FlattenOp;

adapt! {
    impl[T] FlattenOp, T => T::Item, yields Any
    where[T: IntoParallelIterator]
    Inner<I, fn(T) -> T, T::Item>:
    |_this, items| Inner { items, f: |inner| inner, current: Vec::new().into_iter() }
}

/// The sequential iterator of `flat_map`: each inner parallel iterator is a loop of its own, which idle lanes may enter.
///
/// Its items are collected, since a chunk's consumer takes them one after the other; so a lane holds at most the items of one
/// inner iterator at a time.
#[derive(Debug)]
pub struct Inner<I, F, R> {
    items: I,
    f: F,
    current: vec::IntoIter<R>,
}

impl<I, F, S> Iterator for Inner<I, F, S::Item>
where
    I: Iterator,
    F: Fn(I::Item) -> S,
    S: IntoParallelIterator,
{
    type Item = S::Item;

    #[inline]
    fn next(&mut self) -> Option<S::Item> {
        loop {
            if let Some(item) = self.current.next() {
                return Some(item);
            }
            self.current = Vec::from_par_iter((self.f)(self.items.next()?)).into_iter();
        }
    }

    #[inline]
    fn fold<B, G: FnMut(B, S::Item) -> B>(self, init: B, mut g: G) -> B {
        let Inner { items, f, current } = self;
        let all = current.fold(init, &mut g);
        items.fold(all, |all, item| Vec::from_par_iter(f(item)).into_iter().fold(all, &mut g))
    }
}
