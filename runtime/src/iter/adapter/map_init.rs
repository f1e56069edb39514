//! `map_init`.

use std::marker::PhantomData;
use std::ops::Range;

use super::forward_to_base;
use crate::iter::producer::{IndexedProducer, Producer};
use crate::iter::{IndexedParallelIterator, ParallelIterator};

/// Made by [`map_init`](ParallelIterator::map_init).
#[derive(Clone, Debug)]
pub struct MapInit<I, INIT, T, F> {
    base: I,
    init: INIT,
    f: F,
    _makes: PhantomData<fn() -> T>,
}

impl<I, INIT, T, F> MapInit<I, INIT, T, F> {
    pub(crate) fn new(base: I, init: INIT, f: F) -> Self {
        MapInit { base, init, f, _makes: PhantomData }
    }
}

impl<I, INIT, T, F, R> ParallelIterator for MapInit<I, INIT, T, F>
where
    I: ParallelIterator,
    INIT: Fn() -> T + Sync + Send,
    F: Fn(&mut T, I::Item) -> R + Sync + Send,
    R: Send,
{
    type Item = R;
    type Producer = MapInit<I::Producer, INIT, T, F>;

    fn into_producer(self) -> Self::Producer {
        MapInit::new(self.base.into_producer(), self.init, self.f)
    }
}

impl<I, INIT, T, F, R> IndexedParallelIterator for MapInit<I, INIT, T, F>
where
    I: IndexedParallelIterator,
    INIT: Fn() -> T + Sync + Send,
    F: Fn(&mut T, I::Item) -> R + Sync + Send,
    R: Send,
{
    fn len(&self) -> usize {
        self.base.len()
    }
}

impl<P, INIT, T, F, R> Producer for MapInit<P, INIT, T, F>
where
    P: Producer,
    INIT: Fn() -> T + Sync,
    F: Fn(&mut T, P::Item) -> R + Sync,
    R: Send,
{
    type Item = R;
    /// The lane's state lives as long as the lane is inside the loop.
    type Local = (P::Local, T);
    type Iter<'a>
        = WithState<'a, P::Iter<'a>, T, F>
    where
        Self: 'a;
    const HAS_TAIL: bool = P::HAS_TAIL;

    forward_to_base!();

    fn local(&self) -> Self::Local {
        (self.base.local(), (self.init)())
    }

    #[inline]
    unsafe fn chunk<'a>(
        &'a self,
        (local, state): &'a mut Self::Local,
        indices: Range<usize>,
    ) -> Self::Iter<'a> {
        // SAFETY: the same demands.
        let items = unsafe { self.base.chunk(local, indices) };
        WithState { items, state, f: &self.f }
    }
}

impl<P, INIT, T, F, R> IndexedProducer for MapInit<P, INIT, T, F>
where
    P: IndexedProducer,
    INIT: Fn() -> T + Sync,
    F: Fn(&mut T, P::Item) -> R + Sync,
    R: Send,
{
    type IndexedIter<'a>
        = WithState<'a, P::IndexedIter<'a>, T, F>
    where
        Self: 'a;

    #[inline]
    unsafe fn indexed_chunk<'a>(
        &'a self,
        (local, state): &'a mut Self::Local,
        indices: Range<usize>,
    ) -> Self::IndexedIter<'a> {
        // SAFETY: the same demands.
        let items = unsafe { self.base.indexed_chunk(local, indices) };
        WithState { items, state, f: &self.f }
    }
}

/// The sequential iterator of `map_init`: a `map` whose closure gets the lane's state as well.
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
