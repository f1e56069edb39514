//! The item that is better than all others: `min_by`, `max_by` and their kin; and `try_reduce_with`.

use std::ops::ControlFlow;

use super::{ChunkOf, Consumer, drive_in_order};
use crate::drive::drive;
use crate::iter::producer::Producer;
use crate::iter::{ParallelIterator, Try};

/// The item that no other one behind it is better than, and that is better than all before it.
pub(crate) fn best<I: ParallelIterator>(
    items: I,
    is_better: impl Fn(&I::Item, &I::Item) -> bool + Sync,
) -> Option<I::Item> {
    drive(&items.into_producer(), Best(is_better))
}

/// `self.0(best, item)` is whether `item`, which comes later, is better.
struct Best<F>(F);

impl<F> Best<F> {
    fn better<T>(&self, best: T, item: T) -> T
    where
        F: Fn(&T, &T) -> bool,
    {
        if (self.0)(&best, &item) { item } else { best }
    }
}

impl<T: Send, F: Fn(&T, &T) -> bool + Sync> Consumer<T> for Best<F> {
    type Segment = Option<T>;
    type Output = Option<T>;

    fn begin(&self, _: usize) -> Option<T> {
        None
    }

    #[inline]
    fn feed<P: Producer<Item = T>>(
        &self,
        best: Option<T>,
        chunk: ChunkOf<'_, P>,
    ) -> ControlFlow<Option<T>, Option<T>> {
        let mut items = chunk.into_iter();
        // The first by itself, so that the loop over the others need not ask whether there is a best one yet.
        let best = best.or_else(|| items.next()).map(|first| items.fold(first, |a, b| self.better(a, b)));
        ControlFlow::Continue(best)
    }

    fn finish(self, segments: impl Iterator<Item = Option<T>>) -> Option<T> {
        segments.flatten().reduce(|a, b| self.better(a, b))
    }
}

/// Combines all items with `both`, until a result says to stop.
pub(crate) fn try_reduce_with<I>(
    items: I,
    both: impl Fn(I::Item, I::Item) -> I::Item + Sync,
) -> Option<I::Item>
where
    I: ParallelIterator<Item: Try>,
{
    drive_in_order(&items.into_producer(), TryReduceWith(both))
}

struct TryReduceWith<F>(F);

impl<T: Try + Send, F: Fn(T, T) -> T + Sync> Consumer<T> for TryReduceWith<F> {
    type Segment = Option<T>;
    type Output = Option<T>;

    fn begin(&self, _: usize) -> Option<T> {
        None
    }

    #[inline]
    fn feed<P: Producer<Item = T>>(
        &self,
        all: Option<T>,
        chunk: ChunkOf<'_, P>,
    ) -> ControlFlow<Option<T>, Option<T>> {
        let mut items = chunk.into_iter();
        let Some(first) = all.or_else(|| items.next()) else { return ControlFlow::Continue(None) };
        let going = |result: T| match result.branch() {
            ControlFlow::Continue(output) => ControlFlow::Continue(T::from_output(output)),
            ControlFlow::Break(residual) => ControlFlow::Break(T::from_residual(residual)),
        };
        let all = going(first).map_break(Some)?;
        items.try_fold(all, |all, item| going((self.0)(all, item))).map_break(Some).map_continue(Some)
    }

    fn finish(self, segments: impl Iterator<Item = Option<T>>) -> Option<T> {
        segments.flatten().reduce(&self.0)
    }
}
