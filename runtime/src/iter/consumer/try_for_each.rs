//! `try_for_each`, and how methods with a `Result` report that the loop was cancelled.

use std::hint::black_box;
use std::ops::ControlFlow;
use std::panic::Location;

use super::{Push, drive_in_order_at};
use crate::engine::combine::Partials;
use crate::engine::consumer::{ChunkOf, Consumer};
use crate::engine::options::Options;
use crate::engine::producer::Producer;
use crate::iter::{ParallelIterator, Try};
use crate::sched::cancel::Cancelled;
use crate::sched::unwind;

/// Calls a closure with each item, until it says to stop.
#[track_caller]
pub(crate) fn try_for_each<R, I: ParallelIterator>(items: I, op: impl Fn(I::Item) -> R + Sync) -> R
where
    R: Try<Output = ()> + Send,
{
    let producer = items.into_producer();
    let caller = Location::caller();
    unless_cancelled(producer.options(), || drive_in_order_at(caller, &producer, TryForEach(op)))
}

/// Runs a loop, and says so in the result if it is cancelled, where that can say it.
pub(crate) fn unless_cancelled<R: Try>(options: Options<'_>, run: impl FnOnce() -> R) -> R {
    let Some(cancelled) = options.cancel.and_then(|_| R::cancelled()) else { return run() };
    match unwind::catch(run) {
        Ok(result) => result,
        Err(payload) if payload.is::<Cancelled>() => cancelled,
        Err(payload) => unwind::resume(payload),
    }
}

struct TryForEach<F>(F);

impl<T, R, F> Consumer<T> for TryForEach<F>
where
    R: Try<Output = ()> + Send,
    F: Fn(T) -> R + Sync,
{
    type Partial = R;
    type Output = R;
    const ENDS_EARLY: bool = true;

    fn begin(&self, _: usize) -> R {
        R::from_output(())
    }

    #[inline]
    fn feed<P: Producer<Item = T>>(&self, so_far: R, chunk: ChunkOf<'_, P>) -> ControlFlow<R, R> {
        chunk.push_into(self, so_far)
    }

    fn finish(self, mut partials: impl Partials<Item = R>) -> R {
        let flow = partials.try_for_each(R::branch);
        match flow {
            ControlFlow::Continue(()) => R::from_output(()),
            ControlFlow::Break(residual) => R::from_residual(residual),
        }
    }
}

impl<T, R, F> Push<T> for TryForEach<F>
where
    R: Try<Output = ()> + Send,
    F: Fn(T) -> R + Sync,
{
    #[inline]
    fn push<I: Iterator<Item = T>>(&self, so_far: R, mut items: I) -> ControlFlow<R, R> {
        let flow = match so_far.branch() {
            ControlFlow::Continue(()) => items.try_for_each(|item| (self.0)(item).branch()),
            stopped => stopped,
        };
        match flow {
            ControlFlow::Continue(()) => ControlFlow::Continue(R::from_output(())),
            // What the compiler knows to be a break, it makes of the condition that ends the loop,
            // once for each item: a fifth of a quick one.
            ControlFlow::Break(residual) => black_box(ControlFlow::Break(R::from_residual(residual))),
        }
    }

    fn merge(&self, so_far: R, mut behind: impl Partials<Item = R>) -> ControlFlow<R, R> {
        let flow = match so_far.branch() {
            ControlFlow::Continue(()) => behind.try_for_each(R::branch),
            stopped => stopped,
        };
        flow.map_continue(R::from_output).map_break(R::from_residual)
    }
}
