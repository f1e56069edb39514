//! What the sink of a stream gets: an iterator over the results, and how the stream has ended.

use std::{mem, vec};

use super::lanes::SharedResults;
use super::progress::Progress;
use super::step::{Step, Stepper};
use crate::sched::cancel::{CancelToken, Cancelled};
use crate::sched::recorded_stream::RecordedStream;
use crate::sched::unwind::{self, Payload};

/// Where the results come from.
pub(super) enum Supply<'r, 'w, I: Iterator, S: Step<I::Item>> {
    /// Nobody else takes part.
    Alone(Alone<'w, I, S>),
    Lanes(SharedResults<'r, 'w, I, S>),
}

/// The results, as they come.
pub(super) struct Results<'r, 'w, I: Iterator, S: Step<I::Item>> {
    from: Supply<'r, 'w, I, S>,
    progress: Option<Progress<'w>>,
    exhausted: bool,
}

impl<'r, 'w, I: Iterator<Item: Send> + Send, S: Step<I::Item>> Results<'r, 'w, I, S> {
    pub(super) fn new(from: Supply<'r, 'w, I, S>, progress: Option<Progress<'w>>) -> Self {
        Results { from, progress, exhausted: false }
    }

    /// The sink wants no more.
    pub(super) fn into_end(self) -> End<'w> {
        let cancelled = matches!(self.from, Supply::Alone(Alone { cancelled: true, .. }));
        End { cancelled, exhausted: self.exhausted, progress: self.progress }
    }
}

impl<I: Iterator<Item: Send> + Send, S: Step<I::Item>> Iterator for Results<'_, '_, I, S> {
    type Item = S::Output;

    #[inline]
    fn next(&mut self) -> Option<S::Output> {
        let result = match &mut self.from {
            Supply::Alone(alone) => alone.next(&mut self.progress),
            Supply::Lanes(lanes) => lanes.next(&mut self.progress),
        };
        self.exhausted |= result.is_none();
        result
    }
}

/// How the sink has left it.
pub(super) struct End<'w> {
    cancelled: bool,
    /// The sink has asked until nothing more came.
    exhausted: bool,
    progress: Option<Progress<'w>>,
}

impl End<'_> {
    /// Everyone has left, and perhaps there was a panic.
    pub(super) fn settle(self, panic: Option<Payload>) {
        let cancelled = || -> Payload { Box::new(Cancelled) };
        match panic.or_else(|| self.cancelled.then(cancelled)) {
            // The sink has wanted no more before it was known.
            Some(payload) if payload.is::<Cancelled>() && !self.exhausted => (),
            Some(payload) => unwind::resume(payload),
            None if self.exhausted => self.progress.into_iter().for_each(Progress::end),
            None => (),
        }
    }
}

/// Does everything on the thread that asks for results, and has nothing in flight but the item in
/// hand.
pub(super) struct Alone<'w, I: Iterator, S: Step<I::Item>> {
    source: I,
    step: &'w S,
    stepper: Stepper<'w, I::Item, S>,
    cancel: Option<&'w CancelToken>,
    /// What else has come of the item in hand.
    batch: vec::IntoIter<S::Output>,
    /// There is one, whose results have not all gone through the sink.
    in_hand: bool,
    ended: bool,
    cancelled: bool,
    recorded: Option<&'w RecordedStream<'w>>,
    /// Where that is: how many items are done, and when the last one was.
    items: u64,
    since_ns: u64,
}

impl<'w, I: Iterator<Item: Send> + Send, S: Step<I::Item>> Alone<'w, I, S> {
    pub(super) fn new(
        source: I,
        step: &'w S,
        cancel: Option<&'w CancelToken>,
        recorded: Option<&'w RecordedStream<'w>>,
    ) -> Self {
        Alone {
            source,
            step,
            stepper: Stepper::new(step),
            cancel,
            batch: Vec::new().into_iter(),
            in_hand: false,
            ended: false,
            cancelled: false,
            recorded,
            items: 0,
            since_ns: recorded.map_or(0, RecordedStream::now_ns),
        }
    }

    #[inline]
    fn next(&mut self, progress: &mut Option<Progress<'_>>) -> Option<S::Output> {
        loop {
            let result = if S::MANY { self.batch.next() } else { None };
            if result.is_none() {
                if let Some(progress) = progress {
                    progress.passed(usize::from(mem::take(&mut self.in_hand)));
                }
                if self.ended {
                    return None;
                }
            }
            if self.cancel.is_some_and(CancelToken::is_cancelled) {
                self.cancelled = true;
                return None;
            }
            if result.is_some() {
                return result;
            }
            let item = if self.step.is_full() { None } else { self.source.next() };
            if let Some(recorded) = self.recorded {
                self.since_ns = recorded.was_serial(self.since_ns);
            }
            let first = if let Some(item) = item {
                self.in_hand = true;
                let first = self.stepper.step(item);
                if let Some(recorded) = self.recorded {
                    self.since_ns = recorded.was_item(self.items, self.since_ns);
                    self.items += 1;
                }
                first
            } else {
                self.ended = true;
                self.stepper.end_run(None)
            };
            if let Some(more) = self.stepper.take_more() {
                self.batch = more.into_iter();
            }
            if first.is_some() {
                return first;
            }
        }
    }
}
