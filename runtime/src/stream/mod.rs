//! Streams: items of unknown number, processed in parallel, with a bounded number of them in memory.

mod lanes;
mod tray;

use std::mem;
use std::ops::ControlFlow;

use self::lanes::{Results, Running, SharedResults};
use crate::iter::Try;
use crate::pool::current_num_threads;
use crate::scope::scope;
use crate::underneath;
use crate::unwind;

/// Turns sequential iterators into parallel streams.
pub trait ParallelStream: Iterator<Item: Send> + Send + Sized {
    /// A stream whose items are processed in parallel, while no more of them than a given number are in memory, and that can be consumed in
    /// order.
    ///
    /// ```
    /// use taskel::prelude::*;
    ///
    /// let mut squares = Vec::new();
    /// (0..1000_u64).par_stream().map(|n| n * n).max_in_flight(64).for_each_ordered(|square| squares.push(square));
    /// assert!(squares.into_iter().eq((0..1000).map(|n| n * n)));
    /// ```
    ///
    /// # Standard input
    ///
    /// The source is asked by whichever thread comes, and a [`StdinLock`](std::io::StdinLock), which [`Stdin::lines`](std::io::Stdin::lines) holds, too, stays
    /// on the thread that has locked. [`Stdin`](std::io::Stdin) itself may move; so it gets a buffer of its own, and is locked each time that this is filled:
    ///
    /// ```no_run
    /// use std::io::{self, BufRead, BufReader};
    /// use taskel::prelude::*;
    ///
    /// let lines = BufReader::with_capacity(1 << 16, io::stdin()).lines();
    /// lines.par_stream().map(|line| line.map(|line| line.len())).try_for_each_ordered(|len| {
    ///     println!("{}", len?);
    ///     Ok::<(), io::Error>(())
    /// })?;
    /// # Ok::<(), io::Error>(())
    /// ```
    fn par_stream(self) -> Stream<'static, Self, Identity> {
        Stream { source: self, step: Identity, limit: Limit { most: DEFAULT_IN_FLIGHT, weight: None } }
    }
}

impl<I: Iterator<Item: Send> + Send> ParallelStream for I {}

/// What is in flight if nothing is said.
const DEFAULT_IN_FLIGHT: usize = 1024;

/// A stream of items, made by [`par_stream`](ParallelStream::par_stream). What is borrowed for `'w` weighs them
/// ([`max_in_flight_bytes`](Self::max_in_flight_bytes)).
///
/// The source is asked by one thread at a time; nobody else's code runs meanwhile under a lock. Up to as many threads as the pool has
/// process items. The sink runs on the calling thread, which processes items as well whenever it has
/// nothing to emit. A slow sink holds the source back.
///
/// # Live sources
///
/// What was pulled is processed before the source may block again: an item does not wait for the one that comes after it, and a source may wait for what becomes of the items that it has
/// yielded, in a closure or in the sink, in order or not, on one thread, too. The calling thread asks the source only if nothing is in flight, so what is ready is emitted while the source
/// blocks.
///
/// Only where both items and the source have been quick, a thread takes several items at once. If one of them, or the source, takes longer than some 50 µs all the same, idle threads take
/// the rest; so an item waits for a fraction of a millisecond, unless all threads are busy. In order, a result also waits for those before it.
///
/// # Panics
///
/// When the source, a closure or the sink panics, the others stop as soon as they have processed the item in hand, what is in flight is dropped, and
/// the panic continues on the calling thread.
#[derive(Debug)]
#[must_use = "a stream does nothing until it is consumed"]
pub struct Stream<'w, I: Iterator, S> {
    source: I,
    step: S,
    limit: Limit<'w, I::Item>,
}

/// What an item weighs.
type Weight<'w, T> = Box<dyn Fn(&T) -> usize + Send + Sync + 'w>;

/// How much may be in flight: items, or what they weigh.
struct Limit<'w, T> {
    most: usize,
    weight: Option<Weight<'w, T>>,
}

impl<T> std::fmt::Debug for Limit<'_, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Limit").field("most", &self.most).field("weighed", &self.weight.is_some()).finish()
    }
}

/// What happens to an item on its way through a stream.
pub trait Step<T>: Sync {
    /// What becomes of it.
    type Output: Send;

    /// Processes an item; `None` drops it.
    fn step(&self, item: T) -> Option<Self::Output>;
}

/// Nothing happens.
#[derive(Clone, Copy, Debug)]
pub struct Identity;

/// Made by [`Stream::map`].
#[derive(Clone, Copy, Debug)]
pub struct MapStep<S, F>(S, F);

/// Made by [`Stream::filter_map`].
#[derive(Clone, Copy, Debug)]
pub struct FilterMapStep<S, F>(S, F);

impl<T: Send> Step<T> for Identity {
    type Output = T;

    #[inline]
    fn step(&self, item: T) -> Option<T> {
        Some(item)
    }
}

impl<T, S: Step<T>, R: Send, F: Fn(S::Output) -> R + Sync> Step<T> for MapStep<S, F> {
    type Output = R;

    #[inline]
    fn step(&self, item: T) -> Option<R> {
        self.0.step(item).map(&self.1)
    }
}

impl<T, S: Step<T>, R: Send, F: Fn(S::Output) -> Option<R> + Sync> Step<T> for FilterMapStep<S, F> {
    type Output = R;

    #[inline]
    fn step(&self, item: T) -> Option<R> {
        self.0.step(item).and_then(&self.1)
    }
}

impl<'w, I: Iterator<Item: Send> + Send, S: Step<I::Item>> Stream<'w, I, S> {
    /// Applies `f` to each item, in parallel.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// assert_eq!((0..3).par_stream().map(|n| n + 1).collect::<Vec<_>>(), [1, 2, 3]);
    /// ```
    pub fn map<R: Send, F: Fn(S::Output) -> R + Sync>(self, f: F) -> Stream<'w, I, MapStep<S, F>> {
        Stream { source: self.source, step: MapStep(self.step, f), limit: self.limit }
    }

    /// Applies `f` to each item, in parallel, and keeps what is in a `Some`.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// let numbers = ["1", "x", "3"].into_iter().par_stream().filter_map(|text| text.parse().ok());
    /// assert_eq!(numbers.collect::<Vec<u32>>(), [1, 3]);
    /// ```
    pub fn filter_map<R: Send, F: Fn(S::Output) -> Option<R> + Sync>(
        self,
        f: F,
    ) -> Stream<'w, I, FilterMapStep<S, F>> {
        Stream { source: self.source, step: FilterMapStep(self.step, f), limit: self.limit }
    }

    /// Lets at most `n` items be between the source and the sink at any moment, instead of 1024.
    ///
    /// With fewer than the pool has threads, `n` items are in work when the source has so many; the calling thread then only emits. With that many or more it works as well. In order, items that
    /// are done wait in the window for a slow one before them: if one in `k` is slow, `n / k` slow ones are in work.
    ///
    /// # Panics
    ///
    /// When `n` is 0.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// assert_eq!((0..10).par_stream().max_in_flight(2).collect::<Vec<_>>().len(), 10);
    /// ```
    pub fn max_in_flight(mut self, n: usize) -> Self {
        assert!(n > 0, "at least one item must be in flight");
        self.limit = Limit { most: n, weight: None };
        self
    }

    /// Asks the source for no more items while those between it and the sink weigh `limit` or more. Only the last item may exceed it.
    /// An item that weighs 0 counts as 1, so at most `limit` items are in flight.
    ///
    /// # Panics
    ///
    /// When `limit` is 0.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// let overhead = size_of::<String>();
    /// let lines = ["a", "bb"].into_iter().par_stream().max_in_flight_bytes(1 << 20, |line| line.len() + overhead);
    /// assert_eq!(lines.map(str::len).collect::<Vec<_>>(), [1, 2]);
    /// ```
    pub fn max_in_flight_bytes<'b, W>(self, limit: usize, weight: W) -> Stream<'b, I, S>
    where
        W: Fn(&I::Item) -> usize + Send + Sync + 'b,
    {
        assert!(limit > 0, "at least one byte must be in flight");
        let limit = Limit { most: limit, weight: Some(Box::new(weight)) };
        Stream { source: self.source, step: self.step, limit }
    }

    /// Calls `sink` on this thread with each result, in the order of the source.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// let mut text = String::new();
    /// "abc".chars().par_stream().map(|c| c.to_ascii_uppercase()).for_each_ordered(|c| text.push(c));
    /// assert_eq!(text, "ABC");
    /// ```
    pub fn for_each_ordered(self, mut sink: impl FnMut(S::Output)) {
        self.run(true, |result| {
            sink(result);
            Some(())
        });
    }

    /// Calls `sink` on this thread with each result, as they come.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// let mut sum = 0;
    /// (0..10).par_stream().for_each_unordered(|n| sum += n);
    /// assert_eq!(sum, 45);
    /// ```
    pub fn for_each_unordered(self, mut sink: impl FnMut(S::Output)) {
        self.run(false, |result| {
            sink(result);
            Some(())
        });
    }

    /// As [`for_each_ordered`](Self::for_each_ordered), until a call says to stop: `Break`, `Err`, or `None`. What is in flight is then
    /// dropped.
    ///
    /// ```
    /// use std::ops::ControlFlow;
    /// use taskel::prelude::*;
    /// let stopped = (0_u64..).par_stream().map(|n| n * 2).try_for_each_ordered(|n| match n {
    ///     10 => ControlFlow::Break(n),
    ///     _ => ControlFlow::Continue(()),
    /// });
    /// assert_eq!(stopped, ControlFlow::Break(10));
    /// ```
    pub fn try_for_each_ordered<R: Try<Output = ()>>(self, sink: impl FnMut(S::Output) -> R) -> R {
        self.run(true, sink)
    }

    /// As [`for_each_unordered`](Self::for_each_unordered), until a call says to stop.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// let result = (0_u64..).par_stream().try_for_each_unordered(|n| if n > 100 { Err(n) } else { Ok(()) });
    /// assert!(result.is_err());
    /// ```
    pub fn try_for_each_unordered<R: Try<Output = ()>>(self, sink: impl FnMut(S::Output) -> R) -> R {
        self.run(false, sink)
    }

    /// Makes a collection of the results, in the order of the source, as they come; one that wants no more ends the stream, as a `Result` at
    /// the first `Err` does.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// assert_eq!((0..4).par_stream().filter_map(|n| (n % 2 == 1).then_some(n)).collect::<Vec<_>>(), [1, 3]);
    /// ```
    pub fn collect<C: FromIterator<S::Output>>(self) -> C {
        self.consume(true, |results| results.collect())
    }

    fn run<R: Try<Output = ()>>(self, ordered: bool, mut sink: impl FnMut(S::Output) -> R) -> R {
        self.consume(ordered, |results| {
            for result in results {
                if let ControlFlow::Break(residual) = sink(result).branch() {
                    return R::from_residual(residual);
                }
            }
            R::from_output(())
        })
    }

    /// Calls `sink` with an iterator over the results. What is in flight when it returns is dropped.
    fn consume<R>(self, ordered: bool, sink: impl FnOnce(Results<'_, I, S>) -> R) -> R {
        let Stream { source, step, limit } = self;
        // In a user's model, the calling thread alone.
        let lanes = if cfg!(all(loom, feature = "loom")) { 1 } else { current_num_threads() };
        if lanes <= 1 {
            // Nobody comes, and nothing is in flight but the item in hand.
            let _inside = underneath::Entered::stream();
            return sink(Results::Alone(source, step));
        }
        let running = Running::new(source, step, limit, ordered, lanes);
        let result = scope(|scope| {
            let _stop = StopOnDrop(&running);
            let mut helpers = lanes - 1;
            let mut call_helpers = || {
                (0..mem::take(&mut helpers)).for_each(|_| scope.spawn(|_| running.help()));
            };
            let _inside = underneath::Entered::stream();
            sink(Results::Shared(SharedResults::new(&running, &mut call_helpers)))
        });
        if let Some(payload) = running.into_panic() {
            unwind::resume(payload);
        }
        result
    }
}

/// Sends everyone home, also when the sink panics.
struct StopOnDrop<'r, I: Iterator<Item: Send> + Send, S: Step<I::Item>>(&'r Running<'r, I, S>);

impl<I: Iterator<Item: Send> + Send, S: Step<I::Item>> Drop for StopOnDrop<'_, I, S> {
    fn drop(&mut self) {
        self.0.stop();
    }
}
