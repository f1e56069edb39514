//! Streams: process items of a sequential source in parallel, with a bounded number of them in
//! memory.

mod lanes;
mod progress;
mod results;
mod step;
mod tray;

use std::iter::{Product, Sum};
use std::mem;
use std::ops::ControlFlow;
use std::panic::Location;

use crossbeam_utils::CachePadded;

use self::lanes::{Running, SharedResults};
use self::progress::Progress;
use self::results::{Alone, Results, Supply};
pub use self::step::{FoldStep, Identity, Step, Then};
use crate::engine::options::Options;
use crate::iter::consumer::unless_cancelled;
use crate::iter::producers::{
    Cloner, FilterMapOp, FilterOp, FlatMapIterOp, InspectOp, MapInitOp, MapOp, UpdateOp,
};
use crate::iter::{Adapt, Try};
use crate::profile::calls::{CallSite, Caller};
use crate::sched::cancel::CancelToken;
use crate::sched::pool::{ThreadPool, current_num_threads};
use crate::sched::recorded_stream::recording_stream;
use crate::sched::reentrancy;
use crate::sched::scope::unrecorded_scope;

/// Turns sequential iterators into parallel streams.
pub trait ParallelStream: Iterator<Item: Send> + Send + Sized {
    /// Makes a stream of the items. They are processed in parallel, at most a given number of them
    /// are in memory at a time, and the results can be consumed in order.
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
    /// Any thread of the pool may ask the source for its next item, so the source must be `Send`. A
    /// [`StdinLock`](std::io::StdinLock) is not, and [`Stdin::lines`](std::io::Stdin::lines) holds
    /// one. [`Stdin`](std::io::Stdin) itself is `Send`. Give it a buffer of its own; it is then
    /// locked each time the buffer is filled:
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
        let limit = Limit { most: DEFAULT_IN_FLIGHT, weight: None };
        Stream { source: self, step: Identity, limit, options: Options::default(), progress: None }
    }
}

impl<I: Iterator<Item: Send> + Send> ParallelStream for I {}

/// How many items may be in flight by default.
const DEFAULT_IN_FLIGHT: usize = 1024;

/// A stream of items, made by [`par_stream`](ParallelStream::par_stream). `'w` is the lifetime of
/// what the stream borrows: a [pool](Self::on), a [token](Self::with_cancel_token), the closures
/// that [weigh](Self::max_in_flight_bytes) items and [report](Self::progress_with) progress.
///
/// One thread at a time asks the source for an item. No other user code runs under a lock
/// meanwhile. All threads of the pool may process items. The *sink*, which receives the results,
/// runs on the calling thread. That thread also processes items when it has no results for the
/// sink. A slow sink holds the source back.
///
/// The adapters ([`map`](Self::map), [`filter`](Self::filter), [`map_init`](Self::map_init), …) are
/// those of [`ParallelIterator`](crate::iter::ParallelIterator). Items are processed in parallel,
/// and each item goes through all adapters on one thread. [`sum`](Self::sum),
/// [`count`](Self::count), [`reduce`](Self::reduce) and [`collect`](Self::collect) are sinks.
///
/// # Live sources
///
/// Items that the source has yielded are processed before the source may block again. So an item
/// does not wait for the next one. A source may wait until its earlier items have been processed,
/// in a closure or in the sink. This works with any sink, and also on one thread. The calling
/// thread asks the source only if nothing is in flight. So results reach the sink while the source
/// blocks.
///
/// A thread takes several items at once only if both the items and the source have been quick. If
/// one of these items, or the source, then takes longer than about 50 µs, idle threads take the
/// rest. So an item waits for a fraction of a millisecond at most, unless all threads are busy. In
/// ordered sinks, a result also waits for the results before it.
///
/// # Panics
///
/// When the source, a closure or the sink panics, the other threads stop after their current item.
/// The items in flight are dropped, and the panic continues on the calling thread.
#[derive(Debug)]
#[must_use = "a stream does nothing until it is consumed"]
pub struct Stream<'w, I: Iterator, S> {
    source: I,
    step: S,
    limit: Limit<'w, I::Item>,
    options: Options<'w>,
    progress: Option<Progress<'w>>,
}

/// Computes the weight of an item.
type Weight<'w, T> = Box<dyn Fn(&T) -> usize + Send + Sync + 'w>;

/// How much may be in flight: a number of items, or a weight.
struct Limit<'w, T> {
    most: usize,
    weight: Option<Weight<'w, T>>,
}

impl<T> std::fmt::Debug for Limit<'_, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Limit").field("most", &self.most).field("weighed", &self.weight.is_some()).finish()
    }
}

impl<'w, I: Iterator<Item: Send> + Send, S: Step<I::Item>> Stream<'w, I, S> {
    /// Adds a step behind the steps so far.
    fn then<T>(self, step: impl FnOnce(S) -> T) -> Stream<'w, I, T> {
        let Stream { source, step: before, limit, options, progress } = self;
        Stream { source, step: step(before), limit, options, progress }
    }

    /// Runs the stream on `pool` instead of the surrounding pool. If this is called several times,
    /// the last pool counts.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// let pool = taskel::ThreadPool::builder().num_threads(2).build()?;
    /// assert_eq!((0..10).par_stream().on(&pool).map(|n| n + 1).sum::<u32>(), 55);
    /// # Ok::<(), taskel::ThreadPoolBuildError>(())
    /// ```
    pub fn on<'b>(self, pool: &'b ThreadPool) -> Stream<'b, I, S>
    where
        'w: 'b,
    {
        let mut stream: Stream<'b, I, S> = self;
        stream.options.pool = Some(pool);
        stream
    }

    /// Ends the stream early when `token` is cancelled.
    ///
    /// Each thread checks the token before each item, and the calling thread before each result. If
    /// the source blocks, the stream waits for it. If this is called several times, the last token
    /// counts.
    ///
    /// [`try_for_each_ordered`](Self::try_for_each_ordered) and similar methods then return `None`,
    /// or `Err(Cancelled)` where their error type is [`Cancelled`](crate::Cancelled) or `Box<dyn
    /// Error + Send + Sync>`. Methods that cannot return this unwind with the payload `Cancelled`,
    /// as with
    /// [`ParallelIterator::with_cancel_token`](crate::iter::ParallelIterator::with_cancel_token).
    /// The items in flight are dropped. A stream is complete, not cancelled, if the source has
    /// ended and all results have gone through the sink, or if the sink has stopped the stream.
    ///
    /// ```
    /// use taskel::{CancelToken, Cancelled, prelude::*};
    ///
    /// let token = CancelToken::new();
    /// let result = (0_u64..).par_stream().with_cancel_token(&token).try_for_each_ordered(|n| {
    ///     if n == 1000 {
    ///         token.cancel();
    ///     }
    ///     Ok(())
    /// });
    /// assert_eq!(result, Err(Cancelled));
    /// ```
    pub fn with_cancel_token<'b>(self, token: &'b CancelToken) -> Stream<'b, I, S>
    where
        'w: 'b,
    {
        let mut stream: Stream<'b, I, S> = self;
        stream.options.cancel = Some(token);
        stream
    }

    /// Calls `report(done, total)` from time to time, on the calling thread.
    ///
    /// `done` is the number of items of the source that have gone through the sink, or were dropped
    /// on the way. `total` is the largest possible number of items, as the source's current
    /// [`size_hint`](Iterator::size_hint) tells, or `usize::MAX` if it does not tell. The position
    /// among the adapters does not matter. If this is called several times, the last closure
    /// counts.
    ///
    /// `report` is called at most about 20 times a second, and `done` never decreases. At the end
    /// of the stream, and not earlier, there is one more call in which both are the number of
    /// items. A stream without items makes no call. A stream that ends early (stopped by the sink,
    /// cancelled, or by a panic) does not make the last call. If `report` panics, the stream
    /// panics.
    ///
    /// This costs one look at the clock for each item, or for several if they are quick.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// let mut reports = vec![];
    /// let lines = "one\ntwo\nthree".lines().par_stream();
    /// lines.progress_with(|done, total| reports.push((done, total))).for_each_ordered(|line| println!("{line}"));
    /// assert_eq!(reports.last(), Some(&(3, 3)));
    /// ```
    pub fn progress_with<'b, F>(self, report: F) -> Stream<'b, I, S>
    where
        'w: 'b,
        F: FnMut(usize, usize) + Send + 'b,
    {
        let most = self.source.size_hint().1.unwrap_or(usize::MAX);
        let mut stream: Stream<'b, I, S> = self;
        stream.progress = Some(Progress::new(most, report));
        stream
    }

    /// Applies an adapter to each item by itself: your own, or one of the parallel iterators'. An
    /// adapter that wants no more items ends the stream.
    ///
    /// ```
    /// use taskel::{iter::Adapt, prelude::*};
    /// fn on_three<A: Adapt<u32>>(adapter: A) -> Vec<A::Output> {
    ///     (0..3).par_stream().adapt(adapter).collect()
    /// }
    /// ```
    pub fn adapt<A: Adapt<S::Output>>(self, adapter: A) -> Stream<'w, I, Then<S, A>> {
        self.then(|before| Then(before, adapter))
    }

    /// Applies `f` to each item, in parallel.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// assert_eq!((0..3).par_stream().map(|n| n + 1).collect::<Vec<_>>(), [1, 2, 3]);
    /// ```
    pub fn map<F, R>(self, f: F) -> Stream<'w, I, Then<S, MapOp<F>>>
    where
        F: Fn(S::Output) -> R + Sync + Send,
        R: Send,
    {
        self.adapt(MapOp(f))
    }

    /// Applies `f` to each item and a state. `init` makes the state once for each worker that takes
    /// part, with the worker's first item. So it is called at most as many times as the pool has
    /// threads.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// let lengths = (0..3_usize).par_stream().map_init(String::new, |text, n| {
    ///     text.clear();
    ///     text.push_str(&"ab".repeat(n));
    ///     text.len()
    /// });
    /// assert_eq!(lengths.collect::<Vec<_>>(), [0, 2, 4]);
    /// ```
    pub fn map_init<INIT, T, F, R>(self, init: INIT, f: F) -> Stream<'w, I, Then<S, MapInitOp<INIT, F>>>
    where
        INIT: Fn() -> T + Sync + Send,
        F: Fn(&mut T, S::Output) -> R + Sync + Send,
        R: Send,
    {
        self.adapt(MapInitOp::new(init, f))
    }

    /// Applies `f` to each item and a state. The state is cloned from `init` once for each worker
    /// that takes part.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// let (sender, receiver) = std::sync::mpsc::channel();
    /// let count = (0..3).par_stream().map_with(sender, |sender, n| sender.send(n).unwrap()).count();
    /// assert_eq!((count, receiver.iter().sum::<u32>()), (3, 3));
    /// ```
    pub fn map_with<T, F, R>(self, init: T, f: F) -> Stream<'w, I, Then<S, MapInitOp<Cloner<T>, F>>>
    where
        F: Fn(&mut T, S::Output) -> R + Sync + Send,
        T: Send + Clone,
        R: Send,
    {
        self.adapt(MapInitOp::new(Cloner::new(init), f))
    }

    /// Keeps the items for which `predicate` holds. `predicate` is called in parallel.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// assert_eq!((0..6).par_stream().filter(|n| n % 2 == 1).collect::<Vec<_>>(), [1, 3, 5]);
    /// ```
    pub fn filter<P>(self, predicate: P) -> Stream<'w, I, Then<S, FilterOp<P>>>
    where
        P: Fn(&S::Output) -> bool + Sync + Send,
    {
        self.adapt(FilterOp(predicate))
    }

    /// Applies `f` to each item, in parallel, and keeps the values of each `Some`.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// let numbers = ["1", "x", "3"].into_iter().par_stream().filter_map(|text| text.parse().ok());
    /// assert_eq!(numbers.collect::<Vec<u32>>(), [1, 3]);
    /// ```
    pub fn filter_map<F, R>(self, f: F) -> Stream<'w, I, Then<S, FilterMapOp<F>>>
    where
        F: Fn(S::Output) -> Option<R> + Sync + Send,
        R: Send,
    {
        self.adapt(FilterMapOp(f))
    }

    /// Applies `f` to each item and yields the items of the sequential iterators that `f` returns.
    /// The items of one such iterator are in memory at the same time. Together they count as one
    /// item in flight.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// let letters = ["ab", "c"].into_iter().par_stream().flat_map_iter(|word| word.chars());
    /// assert_eq!(letters.collect::<String>(), "abc");
    /// ```
    pub fn flat_map_iter<F, SI>(self, f: F) -> Stream<'w, I, Then<S, FlatMapIterOp<F>>>
    where
        F: Fn(S::Output) -> SI + Sync + Send,
        SI: IntoIterator<Item: Send>,
    {
        self.adapt(FlatMapIterOp(f))
    }

    /// Calls `f` with a mutable reference to each item, in parallel, and yields the items.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// let longer = ["a".to_string()].into_iter().par_stream().update(|text| text.push('b'));
    /// assert_eq!(longer.collect::<Vec<_>>(), ["ab"]);
    /// ```
    pub fn update<F>(self, f: F) -> Stream<'w, I, Then<S, UpdateOp<F>>>
    where
        F: Fn(&mut S::Output) + Sync + Send,
    {
        self.adapt(UpdateOp(f))
    }

    /// Calls `f` with a reference to each item, in parallel, and yields the items.
    ///
    /// ```
    /// use std::sync::atomic::{AtomicU32, Ordering};
    /// use taskel::prelude::*;
    /// let seen = AtomicU32::new(0);
    /// let sum: u32 = (1..=3).par_stream().inspect(|_| { seen.fetch_add(1, Ordering::Relaxed); }).sum();
    /// assert_eq!((sum, seen.into_inner()), (6, 3));
    /// ```
    pub fn inspect<F>(self, f: F) -> Stream<'w, I, Then<S, InspectOp<F>>>
    where
        F: Fn(&S::Output) + Sync + Send,
    {
        self.adapt(InspectOp(f))
    }

    /// Folds runs of neighbouring items, and yields one result for each run, in order. Each run
    /// starts from `identity()`.
    ///
    /// A run is what a thread processes at once. On one thread, all items are one run. On several
    /// threads, several quick items that a thread has taken together are one run, and each slow
    /// item is a run by itself.
    ///
    /// The result of a run comes when the run ends. On one thread, that is the end of the source.
    /// So the source must not wait for the result of a run.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// let text = ["one", "two", "three"]
    ///     .into_iter()
    ///     .par_stream()
    ///     .fold(String::new, |text, word| text + word)
    ///     .reduce(String::new, |a, b| a + &b);
    /// assert_eq!(text, "onetwothree");
    /// ```
    pub fn fold<T, ID, F>(self, identity: ID, fold_op: F) -> Stream<'w, I, FoldStep<S, ID, F>>
    where
        F: Fn(T, S::Output) -> T + Sync + Send,
        ID: Fn() -> T + Sync + Send,
        T: Send,
    {
        self.then(|base| FoldStep { base, identity, fold_op })
    }

    /// Sets how many items may be in flight, that is, between the source and the sink: at most `n`
    /// instead of 1024.
    ///
    /// If `n` is less than the number of threads, `n` items are processed at a time, and the
    /// calling thread only runs the sink. If `n` is larger, the calling thread also processes
    /// items. There is one exception: if some items are quick, the sink is unordered, and `n` is
    /// not several times the number of threads, the calling thread only runs the sink. Otherwise
    /// finished quick items would use up the window while the calling thread has a long item.
    ///
    /// With an ordered sink, finished items always use up the window while they wait for a slow
    /// one. If one item in `k` is slow, `n / k` slow items are processed at a time.
    ///
    /// # Panics
    ///
    /// Panics when `n` is 0.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// assert_eq!((0..10).par_stream().max_in_flight(2).collect::<Vec<_>>().len(), 10);
    /// ```
    #[track_caller]
    pub fn max_in_flight(mut self, n: usize) -> Self {
        assert!(n > 0, "max_in_flight: `n` is 0, but at least one item must be in flight");
        self.limit = Limit { most: n, weight: None };
        self
    }

    /// Limits the weight of the items in flight, that is, between the source and the sink. While
    /// they weigh `limit` or more, the source is not asked for another item. So only the last item
    /// may exceed the limit. An item that weighs 0 counts as 1, so at most `limit` items are in
    /// flight.
    ///
    /// # Panics
    ///
    /// Panics when `limit` is 0.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// let overhead = size_of::<String>();
    /// let lines = ["a", "bb"].into_iter().par_stream().max_in_flight_bytes(1 << 20, |line| line.len() + overhead);
    /// assert_eq!(lines.map(str::len).collect::<Vec<_>>(), [1, 2]);
    /// ```
    #[track_caller]
    pub fn max_in_flight_bytes<'b, W>(self, limit: usize, weight: W) -> Stream<'b, I, S>
    where
        'w: 'b,
        W: Fn(&I::Item) -> usize + Send + Sync + 'b,
    {
        assert!(limit > 0, "max_in_flight_bytes: `limit` is 0, but at least one byte must be in flight");
        let mut stream: Stream<'b, I, S> = self;
        stream.limit = Limit { most: limit, weight: Some(Box::new(weight)) };
        stream
    }

    /// Calls `sink` on the calling thread with each result, in the order of the source.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// let mut text = String::new();
    /// "abc".chars().par_stream().map(|c| c.to_ascii_uppercase()).for_each_ordered(|c| text.push(c));
    /// assert_eq!(text, "ABC");
    /// ```
    #[track_caller]
    pub fn for_each_ordered(self, mut sink: impl FnMut(S::Output)) {
        self.run(true, |result| {
            sink(result);
            Some(())
        });
    }

    /// Calls `sink` on the calling thread with each result, in the order in which they are ready.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// let mut sum = 0;
    /// (0..10).par_stream().for_each_unordered(|n| sum += n);
    /// assert_eq!(sum, 45);
    /// ```
    #[track_caller]
    pub fn for_each_unordered(self, mut sink: impl FnMut(S::Output)) {
        self.run(false, |result| {
            sink(result);
            Some(())
        });
    }

    /// Calls `sink` like [`for_each_ordered`](Self::for_each_ordered), until a call returns
    /// `Break`, `Err` or `None`. The items in flight are then dropped.
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
    #[track_caller]
    pub fn try_for_each_ordered<R: Try<Output = ()>>(self, sink: impl FnMut(S::Output) -> R) -> R {
        self.run(true, sink)
    }

    /// Calls `sink` like [`for_each_unordered`](Self::for_each_unordered), until a call returns
    /// `Break`, `Err` or `None`.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// let result = (0_u64..).par_stream().try_for_each_unordered(|n| if n > 100 { Err(n) } else { Ok(()) });
    /// assert!(result.is_err());
    /// ```
    #[track_caller]
    pub fn try_for_each_unordered<R: Try<Output = ()>>(self, sink: impl FnMut(S::Output) -> R) -> R {
        self.run(false, sink)
    }

    /// Collects the results into a collection, in the order of the source. A collection that wants
    /// no more items ends the stream, as a `Result` does at the first `Err`.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// assert_eq!((0..4).par_stream().filter_map(|n| (n % 2 == 1).then_some(n)).collect::<Vec<_>>(), [1, 3]);
    /// ```
    #[track_caller]
    pub fn collect<C: FromIterator<S::Output>>(self) -> C {
        self.consume(true, |results| results.collect())
    }

    /// Calls `op` with each item, in parallel.
    ///
    /// ```
    /// use std::sync::Mutex;
    /// use taskel::prelude::*;
    /// let seen = Mutex::new(vec![]);
    /// (0..3).par_stream().for_each(|n| seen.lock().unwrap().push(n));
    /// assert_eq!(seen.into_inner().unwrap().len(), 3);
    /// ```
    #[track_caller]
    pub fn for_each<OP>(self, op: OP)
    where
        OP: Fn(S::Output) + Sync + Send,
    {
        self.map(op).for_each_unordered(|()| ());
    }

    /// Calls `op` with each item and a state. `init` makes the state once for each worker that
    /// takes part, with the worker's first item.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// (0..100).par_stream().for_each_init(Vec::new, |buffer, n| {
    ///     buffer.clear();
    ///     buffer.extend(0..n);
    /// });
    /// ```
    #[track_caller]
    pub fn for_each_init<OP, INIT, T>(self, init: INIT, op: OP)
    where
        OP: Fn(&mut T, S::Output) + Sync + Send,
        INIT: Fn() -> T + Sync + Send,
    {
        self.map_init(init, op).for_each_unordered(|()| ());
    }

    /// Calls `op` with each item, in parallel, until one call returns `None`, `Err` or `Break`.
    /// Then the stream ends. If several calls return one of these, the result is that of the first
    /// item among them.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// let odd = (2..).par_stream().try_for_each(|n| if n % 2 == 0 { Ok(()) } else { Err(n) });
    /// assert_eq!(odd, Err(3));
    /// ```
    #[track_caller]
    pub fn try_for_each<OP, R>(self, op: OP) -> R
    where
        OP: Fn(S::Output) -> R + Sync + Send,
        R: Try<Output = ()> + Send,
    {
        self.map(op).try_for_each_ordered(|result| result)
    }

    /// Combines all results with `op`, in order. `op` must be associative, and `identity()` must be
    /// neutral.
    ///
    /// The calling thread calls `op` once for each result. Put slow work into a [`map`](Self::map)
    /// or [`fold`](Self::fold) before this.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// assert_eq!((1..=5_u64).par_stream().reduce(|| 1, |a, b| a * b), 120);
    /// ```
    #[track_caller]
    pub fn reduce<OP, ID>(self, identity: ID, op: OP) -> S::Output
    where
        OP: Fn(S::Output, S::Output) -> S::Output,
        ID: Fn() -> S::Output,
    {
        self.consume(true, |results| results.fold(identity(), op))
    }

    /// Combines all results like [`reduce`](Self::reduce), without an identity. Returns `None` if
    /// there are no results.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// let longest = ["a", "ccc", "bb"].into_iter().par_stream().reduce_with(|a, b| if b.len() > a.len() { b } else { a });
    /// assert_eq!(longest, Some("ccc"));
    /// ```
    #[track_caller]
    pub fn reduce_with<OP>(self, op: OP) -> Option<S::Output>
    where
        OP: Fn(S::Output, S::Output) -> S::Output,
    {
        self.consume(true, |results| results.reduce(op))
    }

    /// Adds all results on the calling thread, one after the other, in order. So float sums are the
    /// same as on one thread, to the last bit.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// assert_eq!((1..=100_u32).par_stream().sum::<u32>(), 5050);
    /// ```
    #[track_caller]
    pub fn sum<T: Sum<S::Output>>(self) -> T {
        self.consume(true, |results| results.sum())
    }

    /// Multiplies all results on the calling thread, in order, like [`sum`](Self::sum).
    ///
    /// ```
    /// use taskel::prelude::*;
    /// assert_eq!((1..=10_u64).par_stream().product::<u64>(), 3_628_800);
    /// ```
    #[track_caller]
    pub fn product<T: Product<S::Output>>(self) -> T {
        self.consume(true, |results| results.product())
    }

    /// Counts the results.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// assert_eq!((0..1000).par_stream().filter(|n| n % 3 == 0).count(), 334);
    /// ```
    #[track_caller]
    pub fn count(self) -> usize {
        self.consume(false, |results| results.count())
    }

    #[track_caller]
    fn run<R: Try<Output = ()>>(self, ordered: bool, mut sink: impl FnMut(S::Output) -> R) -> R {
        let caller = Location::caller();
        unless_cancelled(self.options, || {
            self.consume_at(caller, ordered, |results| {
                for result in results {
                    if let ControlFlow::Break(residual) = sink(result).branch() {
                        return R::from_residual(residual);
                    }
                }
                R::from_output(())
            })
        })
    }

    /// Calls `sink` with an iterator over the results. Items that are in flight when `sink` returns
    /// are dropped.
    #[track_caller]
    fn consume<R>(self, ordered: bool, sink: impl FnOnce(&mut Results<'_, '_, I, S>) -> R) -> R {
        self.consume_at(Location::caller(), ordered, sink)
    }

    /// Does the same for a stream that this call consumes.
    fn consume_at<R>(
        self,
        caller: Caller,
        ordered: bool,
        sink: impl FnOnce(&mut Results<'_, '_, I, S>) -> R,
    ) -> R {
        let Stream { source, step, limit, options, progress } = self;
        // All lanes read it for each item; what is beside it on this stack, the sink changes.
        let step = &*CachePadded::new(step);
        options.install(|| {
            recording_stream(CallSite::of::<(I, S)>(caller), |recorded| {
                // In a user's model, only the calling thread runs the stream.
                let lanes = if cfg!(all(loom, feature = "loom")) { 1 } else { current_num_threads() };
                if lanes <= 1 {
                    let inside = reentrancy::Entered::stream();
                    let mut results = Results::new(
                        Supply::Alone(Alone::new(source, step, options.cancel, recorded)),
                        progress,
                    );
                    let result = sink(&mut results);
                    let end = results.into_end();
                    drop(inside);
                    end.settle(None);
                    return result;
                }
                let running = Running::new(source, step, (options.cancel, recorded), limit, ordered, lanes);
                let (result, end) = unrecorded_scope(|scope| {
                    let _stop = StopOnDrop(&running);
                    let mut helpers = lanes - 1;
                    let mut call_helpers = || {
                        (0..mem::take(&mut helpers)).for_each(|_| scope.spawn(|_| running.help()));
                    };
                    let _inside = reentrancy::Entered::stream();
                    let results = SharedResults::new(&running, &mut call_helpers);
                    let mut results = Results::new(Supply::Lanes(results), progress);
                    (sink(&mut results), results.into_end())
                });
                end.settle(running.into_panic());
                result
            })
        })
    }
}

/// Ends the work of all lanes, also when the sink panics.
struct StopOnDrop<'r, I: Iterator<Item: Send> + Send, S: Step<I::Item>>(&'r Running<'r, I, S>);

impl<I: Iterator<Item: Send> + Send, S: Step<I::Item>> Drop for StopOnDrop<'_, I, S> {
    fn drop(&mut self) {
        self.0.stop();
    }
}
