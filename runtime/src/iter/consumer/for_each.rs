//! `for_each`.

use std::ops::ControlFlow;

use super::Push;
use crate::engine::combine::Partials;
use crate::engine::consumer::{ChunkOf, Consumer};
use crate::engine::producer::Producer;

/// Calls a closure with each item.
pub(crate) struct ForEach<F>(pub(crate) F);

impl<T, F: Fn(T) + Sync> Consumer<T> for ForEach<F> {
    type Partial = ();
    type Output = ();
    const KEEPS_PARTIALS: bool = false;

    fn begin(&self, _: usize) {}

    #[inline]
    fn feed<P: Producer<Item = T>>(&self, (): (), chunk: ChunkOf<'_, P>) -> ControlFlow<(), ()> {
        chunk.push_into(self, ())
    }

    fn finish(self, _: impl Partials<Item = ()>) {}
}

impl<T, F: Fn(T) + Sync> Push<T> for ForEach<F> {
    #[inline]
    fn push<I: Iterator<Item = T>>(&self, (): (), items: I) -> ControlFlow<(), ()> {
        items.for_each(|item| (self.0)(item));
        ControlFlow::Continue(())
    }

    fn merge(&self, (): (), _: impl Partials<Item = ()>) -> ControlFlow<(), ()> {
        ControlFlow::Continue(())
    }
}
