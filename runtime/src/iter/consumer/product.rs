//! `product`.

use std::iter::{self, Product};
use std::marker::PhantomData;
use std::ops::ControlFlow;

use super::{Push, drive_in_order};
use crate::engine::combine::Partials;
use crate::engine::combine::{OfSome, Operation};
use crate::engine::consumer::{ChunkOf, Consumer};
use crate::engine::producer::Producer;
use crate::iter::ParallelIterator;

/// The product of all items.
#[track_caller]
pub(crate) fn product<I, S>(items: I) -> S
where
    I: ParallelIterator,
    S: Send + Product<I::Item> + Product<S>,
{
    drive_in_order(&items.into_producer(), MultiplyInOrder(PhantomData))
}

fn multiply<S: Product<S>>(a: S, b: S) -> S {
    [a, b].into_iter().product()
}

/// Multiplies each chunk as `Iterator::product` does.
struct MultiplyInOrder<S>(PhantomData<fn() -> S>);

impl<T, S: Send + Product<T> + Product<S>> Consumer<T> for MultiplyInOrder<S> {
    type Partial = Option<S>;
    type Output = S;

    fn begin(&self, _: usize) -> Option<S> {
        None
    }

    #[inline]
    fn feed<P: Producer<Item = T>>(
        &self,
        product: Option<S>,
        chunk: ChunkOf<'_, P>,
    ) -> ControlFlow<Option<S>, Option<S>> {
        chunk.push_into(self, product)
    }

    fn finish(self, partials: impl Partials<Item = Option<S>>) -> S {
        partials.combine(OfSome(multiply)).flatten().unwrap_or_else(|| iter::empty::<S>().product())
    }
}

impl<T, S: Send + Product<T> + Product<S>> Push<T> for MultiplyInOrder<S> {
    #[inline]
    fn push<I: Iterator<Item = T>>(&self, product: Option<S>, items: I) -> ControlFlow<Option<S>, Option<S>> {
        let more = items.product();
        ControlFlow::Continue(OfSome(multiply).apply(product, Some(more)))
    }

    fn merge(
        &self,
        product: Option<S>,
        behind: impl Partials<Item = Option<S>>,
    ) -> ControlFlow<Option<S>, Option<S>> {
        let behind = behind.combine(OfSome(multiply)).flatten();
        ControlFlow::Continue(OfSome(multiply).apply(product, behind))
    }
}
