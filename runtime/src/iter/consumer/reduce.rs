//! Consumers that combine items with items: `reduce`, `min_by`, `try_reduce` and similar methods.

use std::ops::ControlFlow;
use std::panic::Location;

use super::{Push, drive_in_order, drive_in_order_at, unless_cancelled};
use crate::engine::combine::Partials;
use crate::engine::combine::{OfSome, Operation};
use crate::engine::consumer::{ChunkOf, Consumer};
use crate::engine::drive;
use crate::engine::producer::Producer;
use crate::iter::{ParallelIterator, Try};

/// Combines all items with `op`.
#[track_caller]
pub(crate) fn reduce_with<I: ParallelIterator>(
    items: I,
    op: impl Fn(I::Item, I::Item) -> I::Item + Sync,
) -> Option<I::Item> {
    drive_in_order(&items.into_producer(), Reduce { front: || None, op })
}

/// The item that no other one behind it is better than, and that is better than all before it: the
/// same one however it is searched for.
#[track_caller]
pub(crate) fn best<I: ParallelIterator>(
    items: I,
    is_better: impl Fn(&I::Item, &I::Item) -> bool + Sync,
) -> Option<I::Item> {
    let op = |best, item| if is_better(&best, &item) { item } else { best };
    drive(&items.into_producer(), Reduce { front: || None, op })
}

/// Combines `identity()` and all items behind it with `op`.
#[track_caller]
pub(crate) fn reduce<I: ParallelIterator>(
    items: I,
    identity: impl Fn() -> I::Item + Sync,
    op: impl Fn(I::Item, I::Item) -> I::Item + Sync,
) -> I::Item {
    let all = drive_in_order(&items.into_producer(), Reduce { front: || Some(identity()), op });
    all.expect("there is what stands in front of the items")
}

/// `front` makes what stands in front of all items. Every other partial begins with its first item,
/// so that there are no more calls of `op` than there are on one thread.
struct Reduce<S, F> {
    front: S,
    op: F,
}

impl<T, S, F> Consumer<T> for Reduce<S, F>
where
    T: Send,
    S: Fn() -> Option<T> + Sync,
    F: Fn(T, T) -> T + Sync,
{
    type Partial = Option<T>;
    type Output = Option<T>;

    fn begin(&self, start: usize) -> Option<T> {
        if start == 0 { (self.front)() } else { None }
    }

    #[inline]
    fn feed<P: Producer<Item = T>>(
        &self,
        all: Option<T>,
        chunk: ChunkOf<'_, P>,
    ) -> ControlFlow<Option<T>, Option<T>> {
        chunk.push_into(self, all)
    }

    fn finish(self, partials: impl Partials<Item = Option<T>>) -> Option<T> {
        partials.combine(OfSome(self.op)).flatten()
    }
}

impl<T, S, F> Push<T> for Reduce<S, F>
where
    T: Send,
    S: Fn() -> Option<T> + Sync,
    F: Fn(T, T) -> T + Sync,
{
    #[inline]
    fn push<I: Iterator<Item = T>>(&self, all: Option<T>, mut items: I) -> ControlFlow<Option<T>, Option<T>> {
        // The first by itself, so that the loop over the others need not ask whether there is
        // something yet. A reference to the operation instead of a closure would not be inlined:
        // large accumulators would be copied for each item.
        let first = all.or_else(|| items.next());
        ControlFlow::Continue(first.map(|first| items.fold(first, |all, item| (self.op)(all, item))))
    }

    fn merge(
        &self,
        all: Option<T>,
        behind: impl Partials<Item = Option<T>>,
    ) -> ControlFlow<Option<T>, Option<T>> {
        let behind = behind.combine(OfSome(&self.op)).flatten();
        ControlFlow::Continue(OfSome(&self.op).apply(all, behind))
    }
}

/// Combines all items with `op`, until a result says to stop.
#[track_caller]
pub(crate) fn try_reduce_with<I, T>(items: I, op: impl Fn(T, T) -> I::Item + Sync) -> Option<I::Item>
where
    I: ParallelIterator<Item: Try<Output = T>>,
{
    drive_in_order(&items.into_producer(), TryReduce { front: || None, op: Until(op) })
}

/// Combines `identity()` and all items behind it with `op`, until a result says to stop.
#[track_caller]
pub(crate) fn try_reduce<I, T>(
    items: I,
    identity: impl Fn() -> T + Sync,
    op: impl Fn(T, T) -> I::Item + Sync,
) -> I::Item
where
    I: ParallelIterator<Item: Try<Output = T>>,
{
    let producer = items.into_producer();
    let front = || Some(I::Item::from_output(identity()));
    let caller = Location::caller();
    unless_cancelled(producer.options(), || {
        let all = drive_in_order_at(caller, &producer, TryReduce { front, op: Until(op) });
        all.expect("there is what stands in front of the items")
    })
}

/// As [`Reduce`].
struct TryReduce<S, F> {
    front: S,
    op: Until<F>,
}

/// An operation on what is in results, until one says to stop.
struct Until<F>(F);

impl<R: Try, F: Fn(R::Output, R::Output) -> R + Sync> Operation<R> for Until<F> {
    #[inline]
    fn apply(&self, left: R, right: R) -> R {
        match (left.branch(), right.branch()) {
            (ControlFlow::Continue(left), ControlFlow::Continue(right)) => (self.0)(left, right),
            (ControlFlow::Break(residual), _) | (_, ControlFlow::Break(residual)) => {
                R::from_residual(residual)
            }
        }
    }

    #[inline]
    fn check(&self, result: R) -> ControlFlow<R, R> {
        match result.branch() {
            ControlFlow::Continue(output) => ControlFlow::Continue(R::from_output(output)),
            ControlFlow::Break(residual) => ControlFlow::Break(R::from_residual(residual)),
        }
    }
}

impl<R, S, F> Consumer<R> for TryReduce<S, F>
where
    R: Try + Send,
    S: Fn() -> Option<R> + Sync,
    F: Fn(R::Output, R::Output) -> R + Sync,
{
    type Partial = Option<R>;
    type Output = Option<R>;
    const ENDS_EARLY: bool = true;

    fn begin(&self, start: usize) -> Option<R> {
        if start == 0 { (self.front)() } else { None }
    }

    #[inline]
    fn feed<P: Producer<Item = R>>(
        &self,
        all: Option<R>,
        chunk: ChunkOf<'_, P>,
    ) -> ControlFlow<Option<R>, Option<R>> {
        chunk.push_into(self, all)
    }

    fn finish(self, partials: impl Partials<Item = Option<R>>) -> Option<R> {
        partials.combine(OfSome(self.op)).flatten()
    }
}

impl<R, S, F> Push<R> for TryReduce<S, F>
where
    R: Try + Send,
    S: Fn() -> Option<R> + Sync,
    F: Fn(R::Output, R::Output) -> R + Sync,
{
    #[inline]
    fn push<I: Iterator<Item = R>>(&self, all: Option<R>, mut items: I) -> ControlFlow<Option<R>, Option<R>> {
        let Some(first) = all.or_else(|| items.next()) else { return ControlFlow::Continue(None) };
        let first = self.op.check(first).map_break(Some)?;
        let all = items.try_fold(first, |all, item| self.op.check(self.op.apply(all, item)));
        all.map_break(Some).map_continue(Some)
    }

    fn merge(
        &self,
        all: Option<R>,
        behind: impl Partials<Item = Option<R>>,
    ) -> ControlFlow<Option<R>, Option<R>> {
        let op = OfSome(Until(&self.op.0));
        let behind = behind.combine(OfSome(Until(&self.op.0))).flatten();
        op.check(op.apply(all, behind))
    }
}
