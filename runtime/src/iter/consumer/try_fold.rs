//! `try_for_each` and `try_reduce`: folding that may stop.

use std::ops::ControlFlow;
use std::panic::{self, AssertUnwindSafe, catch_unwind};

use super::{ChunkOf, Consumer, drive_in_order};
use crate::cancel::Cancelled;
use crate::iter::producer::Producer;
use crate::iter::{ParallelIterator, Try};

/// Folds all items: `start` makes an empty result, `item` adds an item to one, `join` adds a later segment's result to an earlier one's.
pub(crate) fn try_fold<T, R, I: ParallelIterator>(
    iterator: I,
    start: impl Fn() -> T + Sync,
    item: impl Fn(T, I::Item) -> R + Sync,
    join: impl Fn(T, T) -> R + Sync,
) -> R
where
    R: Try<Output = T> + Send,
{
    let producer = iterator.into_producer();
    let consumer = TryFold { start, item, join };
    if producer.options().cancel.is_none() {
        return drive_in_order(&producer, consumer);
    }
    catch_unwind(AssertUnwindSafe(|| drive_in_order(&producer, consumer))).unwrap_or_else(|payload| {
        let cancelled = payload.is::<Cancelled>().then(R::cancelled).flatten();
        cancelled.unwrap_or_else(|| panic::resume_unwind(payload))
    })
}

struct TryFold<S, I, J> {
    start: S,
    item: I,
    join: J,
}

impl<T, X, R, S, I, J> Consumer<X> for TryFold<S, I, J>
where
    R: Try<Output = T> + Send,
    S: Fn() -> T + Sync,
    I: Fn(T, X) -> R + Sync,
    J: Fn(T, T) -> R + Sync,
{
    type Segment = R;
    type Output = R;

    fn begin(&self, _: usize) -> R {
        R::from_output((self.start)())
    }

    #[inline]
    fn feed<P: Producer<Item = X>>(&self, segment: R, chunk: ChunkOf<'_, P>) -> ControlFlow<R, R> {
        let folded = match segment.branch() {
            ControlFlow::Continue(all) => {
                chunk.into_iter().try_fold(all, |all, item| (self.item)(all, item).branch())
            }
            ControlFlow::Break(residual) => ControlFlow::Break(residual),
        };
        match folded {
            ControlFlow::Continue(all) => ControlFlow::Continue(R::from_output(all)),
            ControlFlow::Break(residual) => ControlFlow::Break(R::from_residual(residual)),
        }
    }

    fn finish(self, segments: impl Iterator<Item = R>) -> R {
        let mut all = None;
        for segment in segments {
            let next = match segment.branch() {
                ControlFlow::Continue(next) => next,
                ControlFlow::Break(residual) => return R::from_residual(residual),
            };
            let joined = match all {
                None => R::from_output(next),
                Some(before) => (self.join)(before, next),
            };
            match joined.branch() {
                ControlFlow::Continue(so_far) => all = Some(so_far),
                ControlFlow::Break(residual) => return R::from_residual(residual),
            }
        }
        R::from_output(all.unwrap_or_else(self.start))
    }
}
