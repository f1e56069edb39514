//! The trait [`ParallelIterator`], with the methods that every parallel iterator has.

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
/// Nothing happens until a consuming method is called: `for_each`, `sum`, `collect`, … Each call of
/// one is one loop. The calling thread takes part in the loop, and the call returns when every item
/// is done. A loop that has run before allocates only what it returns: one allocation for a `Vec`,
/// two where the number of items is not known beforehand, as behind a `filter`.
///
/// # Order
///
/// Items are processed in any order. Results are combined in the order of the items. So an
/// associative operation gives the sequential result, even if it is not commutative.
///
/// # Items must not wait for each other
///
/// The loop decides whether two items run at the same time. For example, a short loop runs on the
/// calling thread alone. So an item that waits for another item (at a barrier, or for a message)
/// may wait for ever.
///
/// # Early ends
///
/// A loop ends early when a search finds its item, at an error, when a
/// [token](Self::with_cancel_token) is cancelled, and at a panic. From then on, no worker begins
/// more than two further items. This holds whatever chunks the worker has claimed, and whatever
/// [`chunk`](Self::chunk), [`with_min_len`](super::IndexedParallelIterator::with_min_len) and
/// [`deterministic`](Self::deterministic) say. (A search for the first match or error still
/// processes the items in front of it.)
///
/// Workers check for the end between any two items that take 20 ns or more, as measured (200 ns
/// without optimisation). Between shorter items they check every 8 to 32 µs, because more checks
/// would keep the compiler from vectorising such loops. The same holds for parts of a text that
/// take less than that for each byte. A deadline is checked every 8 to 32 µs, or after an item that
/// takes longer.
///
/// So after the end, a worker may begin as many short items as fit into 32 µs: thousands of 4 ns,
/// tens of thousands below 1 ns. If items that were short so far take long from the end on, it
/// begins as many of these. Where that may happen,
/// [`with_max_len(n)`](super::IndexedParallelIterator::with_max_len) makes it at most `n` items (or
/// two, if `n` is 1), and costs up to 0.1 µs for each `n` items.
///
/// The inner iterators of a [`flat_map`](Self::flat_map) end early, too: an end in one of them also
/// ends those that other workers are running. There is one exception: with
/// [`take_any`](Self::take_any) behind a `filter` behind a [`flat_map_iter`](Self::flat_map_iter),
/// a worker goes on to the next item that the filter lets through, or to the end of the inner
/// iterator.
///
/// # Panics
///
/// When a closure panics, the loop ends. Items that were not processed are dropped, by all workers
/// if that is slow. When all workers have left the loop, the first panic continues on the calling
/// thread, with its payload. The pool stays usable.
///
/// # Who drops what
///
/// The calling thread drops the closures, and what they own, before the call returns. A worker
/// drops its own state of [`map_init`](Self::map_init) or [`map_with`](Self::map_with) as it leaves
/// the loop; the call returns when all workers have done so. An item is dropped by the thread that
/// processes it. Items that nobody processes are dropped before the call returns, by all workers if
/// that is slow.
///
/// # Implementing it
///
/// If your type combines existing iterators, name their producer:
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
    /// The type of the items.
    type Item: Send;

    /// The producer: what the workers share while the loop runs.
    type Producer: Producer<Item = Self::Item>;

    /// Turns the iterator into its producer. Run the producer: otherwise what it owns may be
    /// leaked.
    fn into_producer(self) -> Self::Producer;

    /// Returns the number of items, if it is known before the loop begins. This is
    /// [`len`](super::IndexedParallelIterator::len) for code that takes any iterator. `None` means
    /// that the number is not known, as behind a [`filter`](Self::filter), or is more than
    /// `usize::MAX`.
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

    /// Runs the loop on `pool` instead of the surrounding pool.
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

    /// Sets how many items a worker claims at a time. Without this, the loop measures how many.
    ///
    /// # Panics
    ///
    /// Panics with `Chunk::Exact(0)`.
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

    /// Ends the loop [early](Self#early-ends) when `token` is cancelled. If this is called several
    /// times, the last token counts.
    ///
    /// [`try_for_each`](Self::try_for_each) and [`try_reduce`](Self::try_reduce) then return
    /// `None`, or `Err(Cancelled)` where their error type is [`Cancelled`](crate::Cancelled) or
    /// `Box<dyn Error + Send + Sync>`. Methods that cannot return this unwind with the payload
    /// `Cancelled`, like a panic. If the unwinding leaves the outermost parallel call of the
    /// thread, the panic hook reports it. A loop that begins its last item before it notices the
    /// token is complete, not cancelled.
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

    /// Makes reductions ([`sum`](Self::sum), [`product`](Self::product), [`reduce`](Self::reduce),
    /// [`fold`](Self::fold), …) give the same result to the last bit in every run, for any number
    /// of threads and any [`chunk`](Self::chunk). How results are combined then depends only on the
    /// number of items in front of all filters.
    ///
    /// Up to 1024 blocks of items are reduced by themselves. (A loop of over 8 million items has
    /// more blocks, of 8192 items each.) Then the results of the blocks are combined in pairs,
    /// pairs of pairs and so on. This takes an allocation for the results, and in long loops of
    /// cheap items some tens of nanoseconds for each block. If combining turns out to be slow, all
    /// workers take part. `reduce` calls its operator no more often than on one thread.
    ///
    /// [`try_reduce`](Self::try_reduce) also returns the same error in every run. Blocks behind the
    /// error are skipped as soon as it is known.
    ///
    /// This does not work behind [`split`](crate::iter::split), whose number of pieces depends on
    /// the number of threads. It does not work behind [`walk_tree`](crate::iter::walk_tree) and its
    /// relatives, which divide the tree at places that depend on timing. Collect their items into a
    /// vector first, or split at places that do not depend on the pool.
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

    /// Has no effect, and exists for programs written for rayon. A panic always ends a loop
    /// [early](Self#early-ends).
    ///
    /// ```
    /// use taskel::prelude::*;
    /// assert_eq!((0..10).into_par_iter().panic_fuse().count(), 10);
    /// ```
    fn panic_fuse(self) -> PanicFuse<Self> {
        Tuned { base: self, options: Options::default() }
    }

    // Adapters: what happens to each item.

    /// Wraps the sequential iterator of each chunk in an adapter of your own; see [`Adapt`].
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

    /// Applies `f` to each item and a state. `init` makes the state once for each worker that takes
    /// part, so at most as many times as the pool has threads.
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

    /// Applies `f` to each item and a state. The state is cloned from `init` once for each worker
    /// that takes part.
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

    /// Applies `f` to each item and keeps the values of each `Some`.
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

    /// Applies `f` to each item and yields the items of the parallel iterators that `f` returns.
    ///
    /// The items go on through the rest of the pipeline in order, without being collected. An inner
    /// iterator that takes long is split, and idle workers take parts of it. An early end of the
    /// loop also ends the inner iterators. For short inner iterators,
    /// [`flat_map_iter`](Self::flat_map_iter) costs less.
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

    /// Applies `f` to each item and yields the items of the sequential iterators that `f` returns.
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

    /// Yields the items of the items, which are parallel iterators, as [`flat_map`](Self::flat_map)
    /// does.
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

    /// Yields the items of the items, which are sequential iterators.
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

    /// Yields the items of this iterator, and then those of `chain`.
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

    /// Yields the items with clones of `separator` between them.
    ///
    /// If the number of items is not known, as behind a [`filter`](Self::filter), the items are
    /// collected into a vector first.
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

    /// Calls `f` with a mutable reference to each item, and yields the items.
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

    /// Yields the values of the `Some` items, until an item is `None`. Then the loop ends. Items
    /// behind that one may also have been yielded.
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

    /// Yields the `n` items that come first in time, and then ends the loop. For the first `n`
    /// items in order, see [`take`](super::IndexedParallelIterator::take).
    ///
    /// ```
    /// use taskel::prelude::*;
    /// assert_eq!((0..100).into_par_iter().filter(|n| n % 2 == 0).take_any(5).count(), 5);
    /// ```
    fn take_any(self, n: usize) -> TakeAny<Self> {
        self.adapt(TakeAnyOp::new(n))
    }

    /// Skips the `n` items that come first in time.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// assert_eq!((0..100).into_par_iter().filter(|n| n % 2 == 0).skip_any(5).count(), 45);
    /// ```
    fn skip_any(self, n: usize) -> SkipAny<Self> {
        self.adapt(SkipAnyOp::new(n))
    }

    /// Yields items until `predicate` does not hold for some item, anywhere. Then the loop ends.
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

    /// Skips items until `predicate` does not hold for some item, anywhere. Yields that item and
    /// all items that come later in time.
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

    /// Calls `f` with a reference to each item, and yields the items.
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

    /// Folds runs of neighbouring items, and yields one result for each run, in order. Each run
    /// starts from `identity()`.
    ///
    /// There are about as many runs as workers that take part, and one more for each steal. If the
    /// rest of the pipeline can end the loop, as a search does, no run is much longer than a 64th
    /// of the items. If combining the results is slow, all workers take part in that, as with
    /// [`reduce`](Self::reduce).
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

    /// Folds like [`fold`](Self::fold). Each run starts from a clone of `init`.
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

    /// Folds like [`fold`](Self::fold), but each run ends when `fold_op` returns `None`, `Err` or
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

    /// Folds like [`try_fold`](Self::try_fold). Each run starts from a clone of `init`.
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

    /// Calls `op` with each item and a state. `init` makes the state once for each worker that
    /// takes part, so at most as many times as the pool has threads.
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

    /// Calls `op` with each item and a state. The state is cloned from `init` once for each worker
    /// that takes part.
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

    /// Calls `op` with each item, until one call returns `None`, `Err` or `Break`. Then the loop
    /// ends. If several calls return one of these, the result is that of the earliest item among
    /// them.
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

    /// Calls `op` like [`try_for_each`](Self::try_for_each), with a state that `init` makes once
    /// for each worker that takes part.
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

    /// Calls `op` like [`try_for_each`](Self::try_for_each), with a state that is cloned from
    /// `init` once for each worker that takes part.
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

    /// Combines the values of the items (`Some`, `Ok`, `Continue`) with `op`, in order, until an
    /// item or a call of `op` is `None`, `Err` or `Break`. `op` must be associative, and
    /// `identity()` must be neutral.
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

    /// Combines the items like [`try_reduce`](Self::try_reduce), without an identity. Returns
    /// `None` if there are no items.
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

    /// Combines all items with `op`, in order. `op` must be associative. `identity()` must be
    /// neutral, because it may be combined in any number of times.
    ///
    /// Each worker combines the items that it processes. Then the calling thread combines these
    /// results. If that takes more than about 20 µs, all workers combine them, in a tree. So with a
    /// slow `op`, `n` items on P workers take about as long as `n` / P + log₂(P) calls of `op`.
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

    /// Combines all items with `op`, in order. `op` must be associative. Returns `None` if there
    /// are no items.
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

    /// Adds all items.
    ///
    /// Sums of floats (`f32`, `f64`) may differ in the last digits from one run to the next. Adding
    /// floats is not associative, and timing decides which neighbours are added first. Sums after
    /// [`deterministic`](Self::deterministic) do not differ.
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

    /// Returns the least item, or `None` if there are no items. Of several equal items, it is the
    /// first.
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

    /// Returns the greatest item, or `None` if there are no items. Of several equal items, it is
    /// the last.
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

    /// Returns the least item by `compare`, or `None` if there are no items. Of several equal
    /// items, it is the first.
    ///
    /// If `compare` is slow, all workers take part until the end, as with the operator of
    /// [`reduce`](Self::reduce).
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

    /// Returns the greatest item by `compare`, or `None` if there are no items. Of several equal
    /// items, it is the last.
    ///
    /// If `compare` is slow, all workers take part until the end, as with the operator of
    /// [`reduce`](Self::reduce).
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

    /// Returns the item with the least key, or `None` if there are no items. Of several items with
    /// equal keys, it is the first. `key` is called once for each item.
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

    /// Returns the item with the greatest key, or `None` if there are no items. Of several items
    /// with equal keys, it is the last. `key` is called once for each item.
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

    /// Returns some item for which `predicate` holds. The loop ends [early](Self#early-ends) when
    /// there is one.
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

    /// Returns the first item for which `predicate` holds. Items behind one that was found are
    /// skipped.
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

    /// Returns the last item for which `predicate` holds. Items in front of one that was found are
    /// skipped.
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

    /// Returns the value of some `Some` that `f` returns. The loop ends when there is one.
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

    /// Returns the value of the first `Some` that `f` returns, in the order of the items.
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

    /// Returns the value of the last `Some` that `f` returns, in the order of the items.
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

    /// Tests whether `predicate` holds for some item. The loop ends when it does.
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

    /// Tests whether `predicate` holds for all items. The loop ends when it does not hold for one.
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

    /// Collects the first parts of all pairs into one collection, and the second parts into
    /// another, in order.
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

    /// Collects the items for which `predicate` holds into one collection, and all others into
    /// another, in order.
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

    /// Collects the values that `predicate` returns as `Left` into one collection, and those that
    /// it returns as `Right` into another, in order.
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

    /// Collects the items into a list of vectors, in order: one for each run of items that a thread
    /// has gathered. If the number of items is not known beforehand, this copies less than
    /// collecting into one vector.
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

    /// Collects the items into a collection, in order.
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
