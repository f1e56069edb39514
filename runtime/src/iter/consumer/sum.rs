//! `sum`.

use std::any::TypeId;
use std::iter::{self, Sum};
use std::marker::PhantomData;
use std::mem;
use std::ops::ControlFlow;

use super::{Push, drive_in_order};
use crate::engine::combine::Partials;
use crate::engine::combine::{OfSome, Operation};
use crate::engine::consumer::{ChunkOf, Consumer};
use crate::engine::producer::Producer;
use crate::iter::ParallelIterator;

/// The sum of all items.
#[track_caller]
pub(crate) fn sum<I, S>(items: I) -> S
where
    I: ParallelIterator,
    S: Send + Sum<I::Item> + Sum<S>,
{
    let producer = items.into_producer();
    let float = [TypeId::of::<f32>(), TypeId::of::<f64>()].contains(&typeid::of::<S>());
    if float && producer.is_exact() {
        return drive_in_order(&producer, SumInLanes(PhantomData));
    }
    drive_in_order(&producer, SumInOrder(PhantomData))
}

fn add<S: Sum<S>>(a: S, b: S) -> S {
    [a, b].into_iter().sum()
}

/// Adds up each chunk as `Iterator::sum` does.
struct SumInOrder<S>(PhantomData<fn() -> S>);

impl<T, S: Send + Sum<T> + Sum<S>> Consumer<T> for SumInOrder<S> {
    type Partial = Option<S>;
    type Output = S;

    fn begin(&self, _: usize) -> Option<S> {
        None
    }

    #[inline]
    fn feed<P: Producer<Item = T>>(
        &self,
        sum: Option<S>,
        chunk: ChunkOf<'_, P>,
    ) -> ControlFlow<Option<S>, Option<S>> {
        chunk.push_into(self, sum)
    }

    fn finish(self, partials: impl Partials<Item = Option<S>>) -> S {
        partials.combine(OfSome(add)).flatten().unwrap_or_else(|| iter::empty::<S>().sum())
    }
}

impl<T, S: Send + Sum<T> + Sum<S>> Push<T> for SumInOrder<S> {
    #[inline]
    fn push<I: Iterator<Item = T>>(&self, sum: Option<S>, items: I) -> ControlFlow<Option<S>, Option<S>> {
        let more = items.sum();
        // Not added to nothing: an addition may take long.
        ControlFlow::Continue(OfSome(add).apply(sum, Some(more)))
    }

    fn merge(
        &self,
        sum: Option<S>,
        behind: impl Partials<Item = Option<S>>,
    ) -> ControlFlow<Option<S>, Option<S>> {
        let behind = behind.combine(OfSome(add)).flatten();
        ControlFlow::Continue(OfSome(add).apply(sum, behind))
    }
}

/// How many partial sums a float sum keeps: eight SSE registers of `f32`, or two of AVX-512.
const LANES: usize = 32;

/// Adds floats up in [`LANES`] interleaved partial sums, which become vector registers.
///
/// Floats may be added in any order, since the result depends on the cut into chunks anyhow; and
/// adding one after the other would wait for the adder four cycles per item (Kogge and Stone's
/// recurrence: what is not associative cannot be vectorised by the compiler).
struct SumInLanes<S>(PhantomData<fn() -> S>);

impl<T, S: Send + Sum<T> + Sum<S>> Consumer<T> for SumInLanes<S> {
    type Partial = S;
    type Output = S;

    fn begin(&self, _: usize) -> S {
        iter::empty::<S>().sum()
    }

    // By itself, so that nothing around it competes for the registers that hold the sums.
    #[inline(never)]
    fn feed<P: Producer<Item = T>>(&self, partial: S, mut chunk: ChunkOf<'_, P>) -> ControlFlow<S, S> {
        let mut sums: [S; LANES] = std::array::from_fn(|_| iter::empty::<S>().sum());
        while chunk.len() >= LANES {
            // As many sums as items, and known to be: that is what the compiler turns into vector
            // additions.
            for (sum, item) in sums.iter_mut().zip(chunk.split_off(LANES).into_iter()) {
                let before = mem::replace(sum, iter::empty::<S>().sum());
                *sum = add(before, iter::once(item).sum());
            }
        }
        let rest = chunk.into_iter().sum();
        ControlFlow::Continue([partial, sums.into_iter().sum(), rest].into_iter().sum())
    }

    fn finish(self, partials: impl Partials<Item = S>) -> S {
        partials.sum()
    }
}

// In order: where there are inner loops, the number of items is not known, and there are no lanes.
impl<T, S: Send + Sum<T> + Sum<S>> Push<T> for SumInLanes<S> {
    fn push<I: Iterator<Item = T>>(&self, sum: S, items: I) -> ControlFlow<S, S> {
        ControlFlow::Continue(add(sum, items.sum()))
    }

    fn merge(&self, sum: S, behind: impl Partials<Item = S>) -> ControlFlow<S, S> {
        ControlFlow::Continue(add(sum, behind.sum()))
    }
}
