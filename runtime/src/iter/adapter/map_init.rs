//! A state for each lane: `map_init`, `map_with`.

use std::marker::PhantomData;

use super::adapted::{Adapt, AdaptIndexed, Adapted, Yield};
use crate::sched::with_lock::with_lock;
use crate::sync::Mutex;

/// Made by [`map_init`](crate::iter::ParallelIterator::map_init).
pub type MapInit<I, INIT, T, F> = Adapted<I, MapInitOp<INIT, T, F>>;
/// Made by [`map_with`](crate::iter::ParallelIterator::map_with).
pub type MapWith<I, T, F> = Adapted<I, MapWithOp<T, F>>;

/// What `map_init` does.
#[derive(Clone, Debug)]
pub struct MapInitOp<INIT, T, F> {
    init: INIT,
    f: F,
    _makes: PhantomData<fn() -> T>,
}

impl<INIT, T, F> MapInitOp<INIT, T, F> {
    pub(crate) fn new(init: INIT, f: F) -> Self {
        MapInitOp { init, f, _makes: PhantomData }
    }
}

/// What `map_with` does.
#[derive(Debug)]
pub struct MapWithOp<T, F> {
    /// The one that all lanes' states are cloned from, which need not be `Sync`. The lock is held over `clone`, a user's code, once
    /// for each lane: whoever waits for it needs that clone to begin.
    prototype: Mutex<T>,
    f: F,
}

impl<T, F> MapWithOp<T, F> {
    pub(crate) fn new(prototype: T, f: F) -> Self {
        MapWithOp { prototype: Mutex::new(prototype), f }
    }
}

/// Implements the traits for an adapter whose lanes have a state that `$make` makes.
macro_rules! with_state {
    (impl[$($generics:tt)*] $Adapter:ty where[$($bounds:tt)*] |$this:ident| $make:expr) => {
        impl<$($generics)*, X, R> Adapt<X> for $Adapter
        where
            $($bounds)*,
            F: Fn(&mut T, X) -> R + Send + Sync,
            R: Send,
        {
            type Output = R;
            /// Lives as long as the lane is inside the loop.
            type Local = T;
            type Iter<'a, I: Iterator<Item = X> + 'a>
                = WithState<'a, I, T, F>
            where
                Self: 'a;
            const YIELD: Yield = Yield::One;

            fn local(&self) -> T {
                let $this = self;
                $make
            }

            #[inline]
            fn adapt<'a, I: Iterator<Item = X> + 'a>(&'a self, state: &'a mut T, items: I) -> Self::Iter<'a, I> {
                WithState { items, state, f: &self.f }
            }
        }

        impl<$($generics)*, X, R> AdaptIndexed<X> for $Adapter
        where
            $($bounds)*,
            F: Fn(&mut T, X) -> R + Send + Sync,
            R: Send,
        {
            type IndexedIter<'a, I: DoubleEndedIterator<Item = X> + ExactSizeIterator + 'a>
                = WithState<'a, I, T, F>
            where
                Self: 'a;

            #[inline]
            fn adapt_indexed<'a, I: DoubleEndedIterator<Item = X> + ExactSizeIterator + 'a>(
                &'a self,
                state: &'a mut T,
                items: I,
            ) -> Self::IndexedIter<'a, I> {
                WithState { items, state, f: &self.f }
            }
        }
    };
}

with_state! { impl[INIT, T, F] MapInitOp<INIT, T, F> where[INIT: Fn() -> T + Send + Sync] |this| (this.init)() }
with_state! {
    impl[T, F] MapWithOp<T, F> where[T: Clone + Send]
    |this| with_lock(&this.prototype, T::clone)
}

/// The sequential iterator of both: a `map` whose closure gets the lane's state as well.
#[derive(Debug)]
pub struct WithState<'a, I, T, F> {
    items: I,
    state: &'a mut T,
    f: &'a F,
}

impl<I: Iterator, T, F: Fn(&mut T, I::Item) -> R, R> Iterator for WithState<'_, I, T, F> {
    type Item = R;

    #[inline]
    fn next(&mut self) -> Option<R> {
        self.items.next().map(|item| (self.f)(self.state, item))
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        self.items.size_hint()
    }

    #[inline]
    fn fold<B, G: FnMut(B, R) -> B>(self, init: B, mut g: G) -> B {
        let WithState { items, state, f } = self;
        items.fold(init, |all, item| g(all, f(state, item)))
    }
}

impl<I: DoubleEndedIterator, T, F: Fn(&mut T, I::Item) -> R, R> DoubleEndedIterator
    for WithState<'_, I, T, F>
{
    #[inline]
    fn next_back(&mut self) -> Option<R> {
        self.items.next_back().map(|item| (self.f)(self.state, item))
    }
}

impl<I: ExactSizeIterator, T, F: Fn(&mut T, I::Item) -> R, R> ExactSizeIterator for WithState<'_, I, T, F> {}
