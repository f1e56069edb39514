//! What every parallel iterator can do.

use std::cmp::Ordering;
use std::collections::LinkedList;
use std::iter::{Product, Sum};

use super::adapter::producers::*;
use super::adapter::*;
use super::collect::pieces;
use super::consumer::{self, Count, FindAny, FindFirst, FindLast, ForEach};
use super::try_op::Try;
use super::{Either, FromParallelIterator, IntoParallelIterator, ParallelExtend};
use crate::engine::drive;
use crate::engine::options::{Chunk, Options};
use crate::engine::producer::Producer;
use crate::sched::cancel::CancelToken;
use crate::sched::pool::ThreadPool;

/// An iterator whose items are processed in parallel.
///
/// Nothing happens until a consuming method is called: `for_each`, `sum`, `collect`, … Each of
/// these is one loop. The calling thread takes part in it, and returns when every item is done. A
/// loop that has run before allocates nothing but what it returns: one allocation for a `Vec`, two
/// where the number of items is not known beforehand, as behind a `filter`.
///
/// # Order
///
/// Items are processed in any order. Results are put together in the order of the items, so that an
/// associative operation gives the sequential result whether or not it commutes.
///
/// # Items must not wait for each other
///
/// Whether and when two items are processed at the same time is up to the loop: a short one runs on
/// the calling thread alone. An item that waits for another (at a barrier, or for a message) may
/// wait for ever.
///
/// # Early ends
///
/// A search that has found, an error, a [cancelled](Self::with_cancel_token) token and a panic end
/// a loop: from then on no worker begins more than two further items, whatever chunks it has
/// claimed, and whatever [`chunk`](Self::chunk),
/// [`with_min_len`](super::IndexedParallelIterator::with_min_len) and
/// [`deterministic`](Self::deterministic) say. (Items in front of the end are still wanted, where
/// the first match or error is.) Workers look for the end between any two items that take 20 ns or
/// more, as measured (200 ns without optimisation); between shorter ones, and between parts of a
/// text that take less than that for each byte, every 8 to 32 µs, since a look would spoil the
/// vector code that such loops are. Behind a [`flat_map`](Self::flat_map) the same holds: what ends
/// one inner iterator ends those that other workers are in. Only where [`take_any`](Self::take_any)
/// stands behind a `filter` behind a [`flat_map_iter`](Self::flat_map_iter), a worker goes on to
/// the next item that the filter lets through, or to the end of what has come of one item. A
/// deadline is looked for every 8 to 32 µs, or after an item that takes longer.
///
/// # Panics
///
/// When a closure panics, the loop ends; items that were not processed are dropped, by all workers
/// if that is slow; and when all workers are out, the first panic continues on the calling thread,
/// with its payload. The pool stays usable.
///
/// # Who drops what
///
/// Closures, and what they own, are dropped by the calling thread before the call returns. The
/// state that a worker has for [`map_init`](Self::map_init) or [`map_with`](Self::map_with) it
/// drops itself, as it leaves the loop; the call returns when all have. An item is dropped by who
/// processes it, and one that nobody gets before the call returns, by all workers if that is slow.
///
/// # Implementing it
///
/// A type of one's own that is put together from existing iterators names their producer:
///
/// ```
/// use taskel::iter::{Map, RangeIter};
/// use taskel::prelude::*;
///
/// /// The even numbers below `self.0`.
/// struct EvensBelow(u64);
///
/// type Doubled = Map<RangeIter<u64>, fn(u64) -> u64>;
///
/// impl ParallelIterator for EvensBelow {
///     type Item = u64;
///     type Producer = <Doubled as ParallelIterator>::Producer;
///
///     fn into_producer(self) -> Self::Producer {
///         let double: fn(u64) -> u64 = |n| 2 * n;
///         (0..self.0.div_ceil(2)).into_par_iter().map(double).into_producer()
///     }
/// }
///
/// assert_eq!(EvensBelow(9).sum::<u64>(), 2 + 4 + 6 + 8);
/// ```
///
/// For a new kind of source or adapter see [`Producer`].
#[must_use = "iterators do nothing until they are consumed"]
pub trait ParallelIterator: Sized + Send {
    /// What is iterated over.
    type Item: Send;

    /// What the workers share while the loop runs.
    type Producer: Producer<Item = Self::Item>;

    /// Turns the iterator into its producer. A producer must be run: what it owns may be lost
    /// otherwise.
    fn into_producer(self) -> Self::Producer;

    /// The number of items, where that is known before any of them is made: as
    /// [`len`](super::IndexedParallelIterator::len), for code that takes any iterator. `None` says
    /// that it is not known, as behind a [`filter`](Self::filter), or more than `usize::MAX`.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// let numbers = || (0..10).into_par_iter();
    /// assert_eq!(numbers().map(|n| n * n).opt_len(), Some(10));
    /// assert_eq!(numbers().filter(|n| n % 2 == 0).opt_len(), None);
    /// ```
    fn opt_len(&self) -> Option<usize> {
        None
    }

    // Settings: where and how the loop runs.

    /// Runs on `pool` instead of the surrounding one.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// let pool = taskel::ThreadPool::builder().num_threads(2).build()?;
    /// assert_eq!((0..10).into_par_iter().on(&pool).count(), 10);
    /// # Ok::<(), taskel::ThreadPoolBuildError>(())
    /// ```
    fn on(self, pool: &ThreadPool) -> Tuned<'_, Self> {
        Tuned { base: self, options: Options { pool: Some(pool), ..Options::default() } }
    }

    /// Sets how many items a worker claims at a time, which is otherwise measured.
    ///
    /// # Panics
    ///
    /// With `Chunk::Exact(0)`.
    ///
    /// ```
    /// use taskel::{Chunk, prelude::*};
    /// assert_eq!((0..10).into_par_iter().chunk(Chunk::Exact(3)).count(), 10);
    /// ```
    #[track_caller]
    fn chunk(self, chunk: Chunk) -> Tuned<'static, Self> {
        assert!(
            chunk != Chunk::Exact(0),
            "chunk: `Chunk::Exact(0)` was given, but a chunk has at least one item"
        );
        Tuned { base: self, options: Options { chunk, ..Options::default() } }
    }

    /// Ends the loop [early](Self#early-ends) when `token` is cancelled. Given several times, the
    /// last one counts.
    ///
    /// [`try_for_each`](Self::try_for_each) and [`try_reduce`](Self::try_reduce) then return
    /// `None`, or `Err(Cancelled)` where their error type is [`Cancelled`](crate::Cancelled) or
    /// `Box<dyn Error + Send + Sync>`. What cannot say it, unwinds with the payload `Cancelled`, as
    /// a panic does: where that leaves the outermost parallel call of the thread, the panic hook
    /// tells of it. A loop whose last item was begun before it noticed is complete, and not
    /// cancelled.
    ///
    /// ```
    /// use taskel::{CancelToken, Cancelled, prelude::*};
    ///
    /// let token = CancelToken::new();
    /// token.cancel();
    /// let result = (0..10).into_par_iter().with_cancel_token(&token).map(Ok).try_reduce(|| 0, |a, b| Ok(a + b));
    /// assert_eq!(result, Err(Cancelled));
    /// ```
    fn with_cancel_token(self, token: &CancelToken) -> Tuned<'_, Self> {
        Tuned { base: self, options: Options { cancel: Some(token), ..Options::default() } }
    }

    /// Has reductions ([`sum`](Self::sum), [`product`](Self::product), [`reduce`](Self::reduce),
    /// [`fold`](Self::fold), …) put together in a way that depends on the number of items in front
    /// of all filters alone, so that the result is the same to the last bit for any number of
    /// threads, any [`chunk`](Self::chunk) and every run.
    ///
    /// Up to 1024 blocks of items (more in a loop of over 8 million, whose blocks have 8192 items)
    /// are reduced by themselves, and then in pairs, pairs of pairs and so on: an allocation for
    /// that many results, and for long loops of cheap items some tens of nanoseconds for each.
    /// Where that shows to take long, all workers take part. `reduce` calls its operator no more
    /// often than on one thread.
    ///
    /// What is an error to [`try_reduce`](Self::try_reduce) is the same one on every run, too.
    /// Blocks behind it are left out as soon as it is known.
    ///
    /// It does not hold behind [`split`](crate::iter::split) and
    /// [`walk_tree`](crate::iter::walk_tree) and its kin: how many pieces `split` makes depends on
    /// the number of threads, and where the lanes share what grows, on time. Collect what they
    /// yield into a vector first, or split at places that do not depend on the pool.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// let floats: Vec<f32> = (0..10_000).map(|n| 1.0 / n as f32).skip(1).collect();
    /// let sum = |threads| {
    ///     let pool = taskel::ThreadPool::builder().num_threads(threads).build().unwrap();
    ///     floats.par_iter().on(&pool).deterministic().sum::<f32>()
    /// };
    /// assert_eq!(sum(1).to_bits(), sum(3).to_bits());
    /// ```
    fn deterministic(self) -> Deterministic<Self> {
        Deterministic { base: self }
    }

    /// Has no effect, and is here for programs that were written for rayon: a panic always ends a
    /// loop at the next chunk.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// assert_eq!((0..10).into_par_iter().panic_fuse().count(), 10);
    /// ```
    fn panic_fuse(self) -> PanicFuse<Self> {
        Tuned { base: self, options: Options::default() }
    }

    // Adapters: what happens to each item.

    /// Wraps the sequential iterator of each chunk: the way to an adapter of one's own, see
    /// [`Adapt`].
    ///
    /// ```
    /// use taskel::{iter::Adapt, prelude::*};
    /// fn on_three<A: Adapt<u32>>(adapter: A) -> Vec<A::Output> {
    ///     (0..3).into_par_iter().adapt(adapter).collect()
    /// }
    /// ```
    fn adapt<A: Adapt<Self::Item>>(self, adapter: A) -> Adapted<Self, A> {
        Adapted { base: self, adapter }
    }

    /// Applies `f` to each item.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// let squares: Vec<u32> = (0..5).into_par_iter().map(|n| n * n).collect();
    /// assert_eq!(squares, [0, 1, 4, 9, 16]);
    /// ```
    fn map<F, R>(self, f: F) -> Map<Self, F>
    where
        F: Fn(Self::Item) -> R + Sync + Send,
        R: Send,
    {
        self.adapt(MapOp(f))
    }

    /// Applies `f` to each item and a state that `init` makes once for each worker that takes part;
    /// at most as many times as the pool has threads.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// let lengths: Vec<usize> = (0..3_u32)
    ///     .into_par_iter()
    ///     .map_init(String::new, |text, n| {
    ///         text.clear();
    ///         text.push_str(&"ab".repeat(n as usize));
    ///         text.len()
    ///     })
    ///     .collect();
    /// assert_eq!(lengths, [0, 2, 4]);
    /// ```
    fn map_init<F, INIT, T, R>(self, init: INIT, f: F) -> MapInit<Self, INIT, F>
    where
        INIT: Fn() -> T + Sync + Send,
        F: Fn(&mut T, Self::Item) -> R + Sync + Send,
        R: Send,
    {
        self.adapt(MapInitOp::new(init, f))
    }

    /// Applies `f` to each item and a state that is cloned from `init` once for each worker that
    /// takes part.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// let (sender, receiver) = std::sync::mpsc::channel();
    /// let count = (0..3).into_par_iter().map_with(sender, |sender, n| sender.send(n).unwrap()).count();
    /// let mut received: Vec<u32> = receiver.iter().collect();
    /// received.sort();
    /// assert_eq!((count, received), (3, vec![0, 1, 2]));
    /// ```
    fn map_with<F, T, R>(self, init: T, f: F) -> MapWith<Self, T, F>
    where
        F: Fn(&mut T, Self::Item) -> R + Sync + Send,
        T: Send + Clone,
        R: Send,
    {
        self.adapt(MapInitOp::new(Cloner::new(init), f))
    }

    /// Keeps the items for which `predicate` holds.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// let odd: Vec<u32> = (0..10).into_par_iter().filter(|n| n % 2 == 1).collect();
    /// assert_eq!(odd, [1, 3, 5, 7, 9]);
    /// ```
    fn filter<P>(self, predicate: P) -> Filter<Self, P>
    where
        P: Fn(&Self::Item) -> bool + Sync + Send,
    {
        self.adapt(FilterOp(predicate))
    }

    /// Applies `f` to each item and keeps what is in a `Some`.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// let numbers: Vec<u32> = ["1", "two", "3"].par_iter().filter_map(|text| text.parse().ok()).collect();
    /// assert_eq!(numbers, [1, 3]);
    /// ```
    fn filter_map<P, R>(self, f: P) -> FilterMap<Self, P>
    where
        P: Fn(Self::Item) -> Option<R> + Sync + Send,
        R: Send,
    {
        self.adapt(FilterMapOp(f))
    }

    /// Applies `f` to each item and yields what is in the parallel iterators that it returns.
    ///
    /// What these yield goes on through the rest of the pipeline in order, without being collected:
    /// one that takes long is split, and idle workers take parts of it. Whatever ends early ends
    /// inside of it. For short ones that need not be split, [`flat_map_iter`](Self::flat_map_iter)
    /// costs less.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// let steps: Vec<u32> = (1..4).into_par_iter().flat_map(|n| (0..n).into_par_iter()).collect();
    /// assert_eq!(steps, [0, 0, 1, 0, 1, 2]);
    /// ```
    fn flat_map<F, PI>(self, f: F) -> FlatMap<Self, F>
    where
        F: Fn(Self::Item) -> PI + Sync + Send,
        PI: IntoParallelIterator,
    {
        FlatMap { base: self, f }
    }

    /// Applies `f` to each item and yields what is in the sequential iterators that it returns.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// let letters: String = ["ab", "c"].par_iter().flat_map_iter(|word| word.chars()).collect();
    /// assert_eq!(letters, "abc");
    /// ```
    fn flat_map_iter<F, SI>(self, f: F) -> FlatMapIter<Self, F>
    where
        F: Fn(Self::Item) -> SI + Sync + Send,
        SI: IntoIterator<Item: Send>,
    {
        self.adapt(FlatMapIterOp(f))
    }

    /// Yields what is in the items, as [`flat_map`](Self::flat_map) does.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// let flat: Vec<u32> = vec![vec![1, 2], vec![3]].into_par_iter().flatten().collect();
    /// assert_eq!(flat, [1, 2, 3]);
    /// ```
    fn flatten(self) -> Flatten<Self>
    where
        Self::Item: IntoParallelIterator,
    {
        Flatten { base: self }
    }

    /// Yields what is in the items, which are sequential iterators.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// let some: Vec<u32> = vec![Some(1), None, Some(3)].into_par_iter().flatten_iter().collect();
    /// assert_eq!(some, [1, 3]);
    /// ```
    fn flatten_iter(self) -> FlattenIter<Self>
    where
        Self::Item: IntoIterator<Item: Send>,
    {
        self.adapt(FlattenIterOp)
    }

    /// Yields the items of `chain` behind these.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// let all: Vec<u32> = (0..2).into_par_iter().chain(vec![7, 8]).collect();
    /// assert_eq!(all, [0, 1, 7, 8]);
    /// ```
    fn chain<C>(self, chain: C) -> Chain<Self, C::Iter>
    where
        C: IntoParallelIterator<Item = Self::Item>,
    {
        Chain { a: self, b: chain.into_par_iter() }
    }

    /// The items with clones of `separator` between them.
    ///
    /// Where it is not known how many items there are, as behind a [`filter`](Self::filter), they
    /// are collected into a vector first.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// assert_eq!(["a", "b"].into_par_iter().intersperse(", ").collect::<String>(), "a, b");
    /// assert_eq!("to be or not".par_split_whitespace().intersperse("-").collect::<String>(), "to-be-or-not");
    /// ```
    fn intersperse(self, separator: Self::Item) -> Intersperse<Self>
    where
        Self::Item: Clone + Sync,
    {
        Intersperse { base: self, separator }
    }

    /// Changes each item on its way.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// let longer: Vec<String> = vec!["a".to_string()].into_par_iter().update(|text| text.push('b')).collect();
    /// assert_eq!(longer, ["ab"]);
    /// ```
    fn update<F>(self, f: F) -> Update<Self, F>
    where
        F: Fn(&mut Self::Item) + Sync + Send,
    {
        self.adapt(UpdateOp(f))
    }

    /// Yields what is in the items until one is `None`: then the loop ends. Items behind that one
    /// may have been yielded as well.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// let small = |limit| (0..100_u32).into_par_iter().map(|n| (n < limit).then_some(n)).while_some().count();
    /// assert_eq!(small(1000), 100);
    /// assert!(small(50) <= 50);
    /// ```
    fn while_some<T>(self) -> WhileSome<Self>
    where
        Self: ParallelIterator<Item = Option<T>>,
        T: Send,
    {
        self.adapt(WhileOp(Halt::new()))
    }

    /// Yields `n` items, whichever come first in time, and ends the loop then. For the first `n` in
    /// order see [`take`](super::IndexedParallelIterator::take).
    ///
    /// ```
    /// use taskel::prelude::*;
    /// assert_eq!((0..100).into_par_iter().filter(|n| n % 2 == 0).take_any(5).count(), 5);
    /// ```
    fn take_any(self, n: usize) -> TakeAny<Self> {
        self.adapt(TakeAnyOp::new(n))
    }

    /// Leaves out `n` items, whichever come first in time.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// assert_eq!((0..100).into_par_iter().filter(|n| n % 2 == 0).skip_any(5).count(), 45);
    /// ```
    fn skip_any(self, n: usize) -> SkipAny<Self> {
        self.adapt(SkipAnyOp::new(n))
    }

    /// Yields items until `predicate` does not hold for one, wherever that is: then the loop ends.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// assert!((0..100).into_par_iter().take_any_while(|&n| n < 50).all(|n| n < 50));
    /// ```
    fn take_any_while<P>(self, predicate: P) -> TakeAnyWhile<Self, P>
    where
        P: Fn(&Self::Item) -> bool + Sync + Send,
    {
        self.adapt(TakeAnyWhileOp::new(predicate))
    }

    /// Leaves out items until `predicate` does not hold for one, wherever that is, and yields that
    /// and whatever comes then.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// assert!((0..100).into_par_iter().skip_any_while(|&n| n < 50).count() >= 50);
    /// ```
    fn skip_any_while<P>(self, predicate: P) -> SkipAnyWhile<Self, P>
    where
        P: Fn(&Self::Item) -> bool + Sync + Send,
    {
        self.adapt(SkipAnyWhileOp::new(predicate))
    }

    /// Clones each item, which is a reference.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// let words: Vec<String> = ["a".to_string()].par_iter().cloned().collect();
    /// assert_eq!(words, ["a"]);
    /// ```
    fn cloned<'data, T>(self) -> Cloned<Self>
    where
        T: 'data + Clone + Send + Sync,
        Self: ParallelIterator<Item = &'data T>,
    {
        self.adapt(ClonedOp)
    }

    /// Copies each item, which is a reference.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// assert_eq!([0.5_f32, 1.5].par_iter().copied().sum::<f32>(), 2.0);
    /// ```
    fn copied<'data, T>(self) -> Copied<Self>
    where
        T: 'data + Copy + Send + Sync,
        Self: ParallelIterator<Item = &'data T>,
    {
        self.adapt(CopiedOp)
    }

    /// Calls `f` with a reference to each item on its way.
    ///
    /// ```
    /// use std::sync::atomic::{AtomicU32, Ordering};
    /// use taskel::prelude::*;
    /// let seen = AtomicU32::new(0);
    /// let sum: u32 = (1..=3).into_par_iter().inspect(|_| { seen.fetch_add(1, Ordering::Relaxed); }).sum();
    /// assert_eq!((sum, seen.into_inner()), (6, 3));
    /// ```
    fn inspect<F>(self, f: F) -> Inspect<Self, F>
    where
        F: Fn(&Self::Item) + Sync + Send,
    {
        self.adapt(InspectOp(f))
    }

    // Folds: items become fewer, still in parallel.

    /// Folds runs of neighbouring items, each starting from `identity()`, and yields one result per
    /// run, in order. There are about as many runs as workers take part, and one more for each
    /// steal; where what follows can end the loop, as a search does, no run is much longer than a
    /// 64th of the items. What combines their results, if it is slow, is run by all workers, as
    /// [`reduce`](Self::reduce) says.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// let text = ["one", "two", "three"]
    ///     .par_iter()
    ///     .fold(String::new, |text, word| text + word)
    ///     .reduce(String::new, |a, b| a + &b);
    /// assert_eq!(text, "onetwothree");
    /// ```
    fn fold<T, ID, F>(self, identity: ID, fold_op: F) -> Fold<Self, ID, F>
    where
        F: Fn(T, Self::Item) -> T + Sync + Send,
        ID: Fn() -> T + Sync + Send,
        T: Send,
    {
        Fold::new(self, identity, fold_op)
    }

    /// As [`fold`](Self::fold), each run starting from a clone of `init`.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// let sum: u32 = (1..5).into_par_iter().fold_with(0, |sum, n| sum + n).sum();
    /// assert_eq!(sum, 10);
    /// ```
    fn fold_with<F, T>(self, init: T, fold_op: F) -> FoldWith<Self, T, F>
    where
        F: Fn(T, Self::Item) -> T + Sync + Send,
        T: Send + Clone,
    {
        Fold::new(self, Cloner::new(init), fold_op)
    }

    /// As [`fold`](Self::fold), but each run ends when `fold_op` says to stop: `None`, `Err`, or
    /// `Break`.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// let sums = |numbers: &[u8]| {
    ///     let runs = numbers.par_iter().try_fold(|| 0_u8, |sum, &n| sum.checked_add(n));
    ///     runs.try_reduce(|| 0, u8::checked_add)
    /// };
    /// assert_eq!(sums(&[1, 2, 3]), Some(6));
    /// assert_eq!(sums(&[100, 100, 100]), None);
    /// ```
    fn try_fold<T, R, ID, F>(self, identity: ID, fold_op: F) -> TryFold<Self, R, ID, F>
    where
        F: Fn(T, Self::Item) -> R + Sync + Send,
        ID: Fn() -> T + Sync + Send,
        R: Try<Output = T> + Send,
    {
        TryFold::new(self, identity, fold_op)
    }

    /// As [`try_fold`](Self::try_fold), each run starting from a clone of `init`.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// let sum = [1_u8, 2].par_iter().try_fold_with(0_u8, |sum, &n| sum.checked_add(n)).try_reduce(|| 0, u8::checked_add);
    /// assert_eq!(sum, Some(3));
    /// ```
    fn try_fold_with<F, T, R>(self, init: T, fold_op: F) -> TryFoldWith<Self, R, F>
    where
        F: Fn(T, Self::Item) -> R + Sync + Send,
        R: Try<Output = T> + Send,
        T: Clone + Send,
    {
        TryFold::new(self, Cloner::new(init), fold_op)
    }

    // Consumers: each of these is a loop.

    /// Calls `op` with each item.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// let mut grid = vec![0; 100];
    /// grid.par_iter_mut().enumerate().for_each(|(i, cell)| *cell = i * i);
    /// assert_eq!(grid[9], 81);
    /// ```
    #[track_caller]
    fn for_each<OP>(self, op: OP)
    where
        OP: Fn(Self::Item) + Sync + Send,
    {
        drive(&self.into_producer(), ForEach(op));
    }

    /// Calls `op` with each item and a state that `init` makes once for each worker that takes
    /// part; at most as many times as the pool has threads.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// (0..100).into_par_iter().for_each_init(Vec::new, |buffer, n| {
    ///     buffer.clear();
    ///     buffer.extend(0..n);
    /// });
    /// ```
    #[track_caller]
    fn for_each_init<OP, INIT, T>(self, init: INIT, op: OP)
    where
        OP: Fn(&mut T, Self::Item) + Sync + Send,
        INIT: Fn() -> T + Sync + Send,
    {
        self.map_init(init, op).for_each(|()| ());
    }

    /// Calls `op` with each item and a state that is cloned from `init` once for each worker that
    /// takes part.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// let (sender, receiver) = std::sync::mpsc::channel();
    /// (0..3).into_par_iter().for_each_with(sender, |sender, n| sender.send(n).unwrap());
    /// assert_eq!(receiver.iter().sum::<i32>(), 3);
    /// ```
    #[track_caller]
    fn for_each_with<OP, T>(self, init: T, op: OP)
    where
        OP: Fn(&mut T, Self::Item) + Sync + Send,
        T: Send + Clone,
    {
        self.map_with(init, op).for_each(|()| ());
    }

    /// Calls `op` with each item until one call says to stop: `None`, `Err`, or `Break`. The loop
    /// then ends; if several calls said so, the one for the earliest item counts of those that were
    /// made.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// let odd = [2, 4, 5].par_iter().try_for_each(|n| if n % 2 == 0 { Ok(()) } else { Err(*n) });
    /// assert_eq!(odd, Err(5));
    /// ```
    #[track_caller]
    fn try_for_each<OP, R>(self, op: OP) -> R
    where
        OP: Fn(Self::Item) -> R + Sync + Send,
        R: Try<Output = ()> + Send,
    {
        consumer::try_for_each(self, op)
    }

    /// As [`try_for_each`](Self::try_for_each), with a state that `init` makes once for each worker
    /// that takes part.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// let valid = ["1", "2"].par_iter().try_for_each_init(String::new, |buffer, text| {
    ///     buffer.clear();
    ///     buffer.push_str(text);
    ///     buffer.parse::<u32>().map(drop)
    /// });
    /// assert!(valid.is_ok());
    /// ```
    #[track_caller]
    fn try_for_each_init<OP, INIT, T, R>(self, init: INIT, op: OP) -> R
    where
        OP: Fn(&mut T, Self::Item) -> R + Sync + Send,
        INIT: Fn() -> T + Sync + Send,
        R: Try<Output = ()> + Send,
    {
        self.map_init(init, op).try_for_each(|result| result)
    }

    /// As [`try_for_each`](Self::try_for_each), with a state that is cloned from `init` once for
    /// each worker that takes part.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// let (sender, receiver) = std::sync::mpsc::channel();
    /// (0..3).into_par_iter().try_for_each_with(sender, |sender, n| sender.send(n)).unwrap();
    /// assert_eq!(receiver.iter().count(), 3);
    /// ```
    #[track_caller]
    fn try_for_each_with<OP, T, R>(self, init: T, op: OP) -> R
    where
        OP: Fn(&mut T, Self::Item) -> R + Sync + Send,
        T: Send + Clone,
        R: Try<Output = ()> + Send,
    {
        self.map_with(init, op).try_for_each(|result| result)
    }

    /// Combines what is in the items (`Some`, `Ok`, `Continue`) with `op`, in order, until an item
    /// or a call says to stop: `None`, `Err`, or `Break`. `op` must be associative and `identity`
    /// neutral.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// let sum = |numbers: &[u8]| {
    ///     numbers.par_iter().map(|&n| Some(n)).try_reduce(|| 0, |a: u8, b| a.checked_add(b))
    /// };
    /// assert_eq!(sum(&[1, 2, 3]), Some(6));
    /// assert_eq!(sum(&[100, 100, 100]), None);
    /// ```
    #[track_caller]
    fn try_reduce<T, OP, ID>(self, identity: ID, op: OP) -> Self::Item
    where
        OP: Fn(T, T) -> Self::Item + Sync + Send,
        ID: Fn() -> T + Sync + Send,
        Self::Item: Try<Output = T>,
    {
        consumer::try_reduce(self, identity, op)
    }

    /// As [`try_reduce`](Self::try_reduce), without an identity; `None` if there are no items.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// let sum = [1_u8, 2, 3].par_iter().map(|&n| Some(n)).try_reduce_with(u8::checked_add);
    /// assert_eq!(sum, Some(Some(6)));
    /// ```
    #[track_caller]
    fn try_reduce_with<T, OP>(self, op: OP) -> Option<Self::Item>
    where
        OP: Fn(T, T) -> Self::Item + Sync + Send,
        Self::Item: Try<Output = T>,
    {
        consumer::try_reduce_with(self, op)
    }

    /// Combines all items with `op`, which must be associative, in order. `identity` must be
    /// neutral: it may be combined in any number of times.
    ///
    /// Each worker combines what it processes, and the calling thread combines these results, or if
    /// that takes more than some 20 µs, all workers do, in a tree: with an `op` that is slow, `n`
    /// items take about `n` / P + log₂(P) times as long as one call on P workers.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// let (sum, product) = (1..=5_u64)
    ///     .into_par_iter()
    ///     .map(|n| (n, n))
    ///     .reduce(|| (0, 1), |a, b| (a.0 + b.0, a.1 * b.1));
    /// assert_eq!((sum, product), (15, 120));
    /// ```
    #[track_caller]
    fn reduce<OP, ID>(self, identity: ID, op: OP) -> Self::Item
    where
        OP: Fn(Self::Item, Self::Item) -> Self::Item + Sync + Send,
        ID: Fn() -> Self::Item + Sync + Send,
    {
        consumer::reduce(self, identity, op)
    }

    /// Combines all items with `op`, which must be associative, in order; `None` if there are none.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// let longest = ["a", "ccc", "bb"].par_iter().copied().reduce_with(|a, b| if b.len() > a.len() { b } else { a });
    /// assert_eq!(longest, Some("ccc"));
    /// ```
    #[track_caller]
    fn reduce_with<OP>(self, op: OP) -> Option<Self::Item>
    where
        OP: Fn(Self::Item, Self::Item) -> Self::Item + Sync + Send,
    {
        consumer::reduce_with(self, op)
    }

    /// Adds all items up.
    ///
    /// Sums of floats (`f32`, `f64`) may differ from one run to the next in the last digits: adding
    /// them is not associative, and which neighbours are added first depends on which worker claims
    /// which run of items. [`deterministic`](Self::deterministic) ones do not.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// assert_eq!((1..=100_u32).into_par_iter().sum::<u32>(), 5050);
    /// ```
    #[track_caller]
    fn sum<S>(self) -> S
    where
        S: Send + Sum<Self::Item> + Sum<S>,
    {
        consumer::sum(self)
    }

    /// Multiplies all items.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// assert_eq!((1..=10_u64).into_par_iter().product::<u64>(), 3_628_800);
    /// ```
    #[track_caller]
    fn product<P>(self) -> P
    where
        P: Send + Product<Self::Item> + Product<P>,
    {
        consumer::product(self)
    }

    /// Counts the items.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// assert_eq!((0..1000).into_par_iter().count(), 1000);
    /// ```
    #[track_caller]
    fn count(self) -> usize {
        drive(&self.into_producer(), Count)
    }

    /// The least item; the first of several equal ones; `None` if there are no items.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// assert_eq!([3, 1, 2].par_iter().min(), Some(&1));
    /// ```
    #[track_caller]
    fn min(self) -> Option<Self::Item>
    where
        Self::Item: Ord,
    {
        self.min_by(Self::Item::cmp)
    }

    /// The greatest item; the last of several equal ones; `None` if there are no items.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// assert_eq!([3, 1, 2].par_iter().max(), Some(&3));
    /// ```
    #[track_caller]
    fn max(self) -> Option<Self::Item>
    where
        Self::Item: Ord,
    {
        self.max_by(Self::Item::cmp)
    }

    /// The least item by `compare`; the first of several equal ones; `None` if there are no items.
    ///
    /// A slow `compare` is called on all workers to the end, as the operator of
    /// [`reduce`](Self::reduce) is.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// assert_eq!([1.5, -2.0].par_iter().copied().min_by(f64::total_cmp), Some(-2.0));
    /// ```
    #[track_caller]
    fn min_by<F>(self, compare: F) -> Option<Self::Item>
    where
        F: Fn(&Self::Item, &Self::Item) -> Ordering + Sync + Send,
    {
        consumer::best(self, |best, item| compare(best, item) == Ordering::Greater)
    }

    /// The greatest item by `compare`; the last of several equal ones; `None` if there are no
    /// items.
    ///
    /// A slow `compare` is called on all workers to the end, as the operator of
    /// [`reduce`](Self::reduce) is.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// assert_eq!([1.5, -2.0].par_iter().copied().max_by(f64::total_cmp), Some(1.5));
    /// ```
    #[track_caller]
    fn max_by<F>(self, compare: F) -> Option<Self::Item>
    where
        F: Fn(&Self::Item, &Self::Item) -> Ordering + Sync + Send,
    {
        consumer::best(self, |best, item| compare(best, item) != Ordering::Greater)
    }

    /// The item with the least key; the first of several with equal ones; `None` if there are no
    /// items. `key` is called once for each.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// assert_eq!([-3_i32, 2, 5].par_iter().min_by_key(|n| n.abs()), Some(&2));
    /// ```
    #[track_caller]
    fn min_by_key<K, F>(self, key: F) -> Option<Self::Item>
    where
        K: Ord + Send,
        F: Fn(&Self::Item) -> K + Sync + Send,
    {
        let keyed = self.map(|item| (key(&item), item));
        keyed.min_by(|a, b| a.0.cmp(&b.0)).map(|(_, item)| item)
    }

    /// The item with the greatest key; the last of several with equal ones; `None` if there are no
    /// items. `key` is called once for each.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// assert_eq!([-3_i32, 2].par_iter().max_by_key(|n| n.abs()), Some(&-3));
    /// ```
    #[track_caller]
    fn max_by_key<K, F>(self, key: F) -> Option<Self::Item>
    where
        K: Ord + Send,
        F: Fn(&Self::Item) -> K + Sync + Send,
    {
        let keyed = self.map(|item| (key(&item), item));
        keyed.max_by(|a, b| a.0.cmp(&b.0)).map(|(_, item)| item)
    }

    // Searches.

    /// Some item for which `predicate` holds. Ends the loop [at once](Self#early-ends) when there
    /// is one.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// assert!((0..100).into_par_iter().find_any(|n| n % 7 == 6).is_some());
    /// ```
    #[track_caller]
    fn find_any<P>(self, predicate: P) -> Option<Self::Item>
    where
        P: Fn(&Self::Item) -> bool + Sync + Send,
    {
        drive(&self.into_producer(), FindAny(predicate))
    }

    /// The first item for which `predicate` holds. What lies behind one that was found is not
    /// looked at any more.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// assert_eq!((0..100).into_par_iter().find_first(|n| n % 7 == 6), Some(6));
    /// ```
    #[track_caller]
    fn find_first<P>(self, predicate: P) -> Option<Self::Item>
    where
        P: Fn(&Self::Item) -> bool + Sync + Send,
    {
        drive(&self.into_producer(), FindFirst::new(&predicate))
    }

    /// The last item for which `predicate` holds.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// assert_eq!((0..100).into_par_iter().find_last(|n| n % 7 == 6), Some(97));
    /// ```
    #[track_caller]
    fn find_last<P>(self, predicate: P) -> Option<Self::Item>
    where
        P: Fn(&Self::Item) -> bool + Sync + Send,
    {
        drive(&self.into_producer(), FindLast::new(&predicate))
    }

    /// What is in some `Some` that `f` returns. Ends the loop once there is one.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// assert_eq!(["a", "7"].par_iter().find_map_any(|text| text.parse().ok()), Some(7));
    /// ```
    #[track_caller]
    fn find_map_any<P, R>(self, f: P) -> Option<R>
    where
        P: Fn(Self::Item) -> Option<R> + Sync + Send,
        R: Send,
    {
        self.filter_map(f).find_any(|_| true)
    }

    /// What is in the first `Some` that `f` returns.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// assert_eq!(["a", "7", "8"].par_iter().find_map_first(|text| text.parse().ok()), Some(7));
    /// ```
    #[track_caller]
    fn find_map_first<P, R>(self, f: P) -> Option<R>
    where
        P: Fn(Self::Item) -> Option<R> + Sync + Send,
        R: Send,
    {
        self.filter_map(f).find_first(|_| true)
    }

    /// What is in the last `Some` that `f` returns.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// assert_eq!(["a", "7", "8"].par_iter().find_map_last(|text| text.parse().ok()), Some(8));
    /// ```
    #[track_caller]
    fn find_map_last<P, R>(self, f: P) -> Option<R>
    where
        P: Fn(Self::Item) -> Option<R> + Sync + Send,
        R: Send,
    {
        self.filter_map(f).find_last(|_| true)
    }

    /// Whether `predicate` holds for some item. Ends the loop once it does.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// assert!((0..1_000_000_000_000_u64).into_par_iter().any(|n| n == 5));
    /// ```
    #[track_caller]
    fn any<P>(self, predicate: P) -> bool
    where
        P: Fn(Self::Item) -> bool + Sync + Send,
    {
        self.map(predicate).find_any(|&holds| holds).is_some()
    }

    /// Whether `predicate` holds for all items. Ends the loop once it does not.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// assert!([2, 4].par_iter().all(|n| n % 2 == 0));
    /// ```
    #[track_caller]
    fn all<P>(self, predicate: P) -> bool
    where
        P: Fn(Self::Item) -> bool + Sync + Send,
    {
        !self.any(|item| !predicate(item))
    }

    // Collections.

    /// Makes one collection of the first parts of all pairs and one of the second, in order.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// let (numbers, squares): (Vec<_>, Vec<_>) = (0..4).into_par_iter().map(|n| (n, n * n)).unzip();
    /// assert_eq!((numbers, squares), (vec![0, 1, 2, 3], vec![0, 1, 4, 9]));
    /// ```
    #[track_caller]
    fn unzip<A, B, FromA, FromB>(self) -> (FromA, FromB)
    where
        Self: ParallelIterator<Item = (A, B)>,
        FromA: Default + Send + ParallelExtend<A>,
        FromB: Default + Send + ParallelExtend<B>,
        A: Send,
        B: Send,
    {
        let mut both = (FromA::default(), FromB::default());
        both.par_extend(self);
        both
    }

    /// Makes one collection of the items for which `predicate` holds and one of the others, in
    /// order.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// let (even, odd): (Vec<_>, Vec<_>) = (0..5).into_par_iter().partition(|n| n % 2 == 0);
    /// assert_eq!((even, odd), (vec![0, 2, 4], vec![1, 3]));
    /// ```
    #[track_caller]
    fn partition<A, B, P>(self, predicate: P) -> (A, B)
    where
        A: Default + Send + ParallelExtend<Self::Item>,
        B: Default + Send + ParallelExtend<Self::Item>,
        P: Fn(&Self::Item) -> bool + Sync + Send,
    {
        self.partition_map(|item| if predicate(&item) { Either::Left(item) } else { Either::Right(item) })
    }

    /// Makes one collection of what `predicate` returns on the left and one of what it returns on
    /// the right, in order.
    ///
    /// ```
    /// use taskel::{iter::Either, prelude::*};
    /// let (numbers, words): (Vec<u32>, Vec<&str>) = ["1", "two"].par_iter().partition_map(|text| {
    ///     text.parse::<u32>().map_or(Either::Right(*text), Either::Left)
    /// });
    /// assert_eq!((numbers, words), (vec![1], vec!["two"]));
    /// ```
    #[track_caller]
    fn partition_map<A, B, P, L, R>(self, predicate: P) -> (A, B)
    where
        A: Default + Send + ParallelExtend<L>,
        B: Default + Send + ParallelExtend<R>,
        P: Fn(Self::Item) -> Either<L, R> + Sync + Send,
        L: Send,
        R: Send,
    {
        let mut both = (A::default(), B::default());
        both.par_extend(self.map(predicate));
        both
    }

    /// The items in vectors as lanes have gathered them, in order: less copying than one vector,
    /// where their number is not known beforehand.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// let pieces = (0..100).into_par_iter().filter(|n| n % 3 == 0).collect_vec_list();
    /// assert_eq!(pieces.iter().map(Vec::len).sum::<usize>(), 34);
    /// ```
    #[track_caller]
    fn collect_vec_list(self) -> LinkedList<Vec<Self::Item>> {
        pieces(self).into_iter().collect()
    }

    /// Makes a collection, in order.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// let halves: Vec<f64> = [1.0, 3.0].par_iter().map(|x| x / 2.0).collect();
    /// assert_eq!(halves, [0.5, 1.5]);
    /// ```
    #[track_caller]
    fn collect<C>(self) -> C
    where
        C: FromParallelIterator<Self::Item>,
    {
        C::from_par_iter(self)
    }
}
