//! Adapters with a state for each lane: `map_init`, `map_with`.

use super::adapted::{Adapt, AdaptIndexed, Adapted, Outputs};
use super::debug_without_closures;
use super::identity::{Cloner, Identity};

/// Made by [`map_init`](crate::iter::ParallelIterator::map_init).
pub type MapInit<I, INIT, F> = Adapted<I, MapInitOp<INIT, F>>;
/// Made by [`map_with`](crate::iter::ParallelIterator::map_with).
pub type MapWith<I, T, F> = MapInit<I, Cloner<T>, F>;

/// What both do.
#[derive(Clone)]
pub struct MapInitOp<INIT, F> {
    init: INIT,
    f: F,
}

impl<INIT, F> MapInitOp<INIT, F> {
    pub(crate) fn new(init: INIT, f: F) -> Self {
        MapInitOp { init, f }
    }
}

debug_without_closures! { [INIT, F] MapInitOp<INIT, F> {}; }

impl<INIT, F, X, R> Adapt<X> for MapInitOp<INIT, F>
where
    INIT: Identity + Send,
    F: Fn(&mut INIT::Output, X) -> R + Send + Sync,
    R: Send,
{
    type Output = R;
    /// Lives as long as the lane is inside the loop.
    type Local = INIT::Output;
    type Iter<'a, I: Iterator<Item = X> + 'a>
        = WithState<'a, I, INIT::Output, F>
    where
        Self: 'a;
    const OUTPUTS: Outputs = Outputs::One;

    fn local(&self) -> INIT::Output {
        self.init.make()
    }

    #[inline]
    fn adapt<'a, I: Iterator<Item = X> + 'a>(
        &'a self,
        state: &'a mut INIT::Output,
        items: I,
    ) -> Self::Iter<'a, I> {
        WithState { items, state, f: &self.f }
    }
}

impl<INIT, F, X, R> AdaptIndexed<X> for MapInitOp<INIT, F>
where
    INIT: Identity + Send,
    F: Fn(&mut INIT::Output, X) -> R + Send + Sync,
    R: Send,
{
    type IndexedIter<'a, I: DoubleEndedIterator<Item = X> + ExactSizeIterator + 'a>
        = WithState<'a, I, INIT::Output, F>
    where
        Self: 'a;

    #[inline]
    fn adapt_indexed<'a, I: DoubleEndedIterator<Item = X> + ExactSizeIterator + 'a>(
        &'a self,
        state: &'a mut INIT::Output,
        items: I,
    ) -> Self::IndexedIter<'a, I> {
        WithState { items, state, f: &self.f }
    }
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
