//! What every parallel iterator can do.

use std::cmp::Ordering;
use std::iter::{Product, Sum};
use std::ops::ControlFlow;

use super::adapter::{Cloned, Copied, Fold, Inspect, Map, MapInit, Tuned};
use super::consumer::{self, Any, FoldSegments, ForEach};
use super::options::{Chunk, Options};
use super::try_op::Try;
use super::{FromParallelIterator, Producer};
use crate::cancel::CancelToken;
use crate::drive::drive;
use crate::pool::ThreadPool;

/// An iterator whose items are processed in parallel.
///
/// Nothing happens until a consuming method is called: `for_each`, `sum`, `collect`, … Each of these is one loop. The
/// calling thread takes part in it, allocates nothing for it, and returns when every item is done.
///
/// # Order
///
/// Items are processed in any order. Results are put together in the order of the items, so that an associative operation
/// gives the sequential result whether or not it commutes.
///
/// # Items must not wait for each other
///
/// Whether and when two items are processed at the same time is up to the loop: a short one runs on the calling thread alone. An
/// item that waits for another (at a barrier, or for a message) may wait for ever.
///
/// # Panics
///
/// When a closure panics, the loop claims nothing more; items that were not processed are dropped; and when all workers are out,
/// the first panic continues on the calling thread, with its payload. The pool stays usable.
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

    /// Turns the iterator into its producer. A producer must be run: what it owns may be lost otherwise.
    fn into_producer(self) -> Self::Producer;

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
    fn chunk(self, chunk: Chunk) -> Tuned<'static, Self> {
        assert!(chunk != Chunk::Exact(0), "Chunk::Exact(0): a chunk has at least one item");
        Tuned { base: self, options: Options { chunk, ..Options::default() } }
    }

    /// Ends the loop early when `token` is cancelled: it is looked at between chunks (in a loop of over 2³² items, those may be large).
    /// Given several times, the last one counts.
    ///
    /// [`try_for_each`](Self::try_for_each) and [`try_reduce`](Self::try_reduce) then return `None`, or `Err(Cancelled)` where their error type is
    /// [`Cancelled`](crate::Cancelled) or `Box<dyn Error + Send + Sync>`. What cannot say it, unwinds with the payload `Cancelled`, without a
    /// message, as a panic does. A loop whose last item was claimed before it noticed is complete, and not cancelled.
    ///
    /// ```
    /// use taskel::{CancelToken, Cancelled, prelude::*};
    ///
    /// let token = CancelToken::new();
    /// token.cancel();
    /// let result = (0..10).into_par_iter().cancel(&token).map(Ok).try_reduce(|| 0, |a, b| Ok(a + b));
    /// assert_eq!(result, Err(Cancelled));
    /// ```
    fn cancel(self, token: &CancelToken) -> Tuned<'_, Self> {
        Tuned { base: self, options: Options { cancel: Some(token), ..Options::default() } }
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
        Map { base: self, f }
    }

    /// Applies `f` to each item and a state that `init` makes once for each worker that takes part; at most as many times as
    /// the pool has threads.
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
    fn map_init<F, INIT, T, R>(self, init: INIT, f: F) -> MapInit<Self, INIT, T, F>
    where
        INIT: Fn() -> T + Sync + Send,
        F: Fn(&mut T, Self::Item) -> R + Sync + Send,
        R: Send,
    {
        MapInit::new(self, init, f)
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
        Cloned { base: self }
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
        Copied { base: self }
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
        Inspect { base: self, f }
    }

    /// Folds runs of neighbouring items, each starting from `identity()`, and yields one result per run, in order. There are about
    /// as many runs as workers take part, and one more for each steal.
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
        Fold { base: self, identity, fold_op }
    }

    /// Calls `op` with each item.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// let mut grid = vec![0; 100];
    /// grid.par_iter_mut().enumerate().for_each(|(i, cell)| *cell = i * i);
    /// assert_eq!(grid[9], 81);
    /// ```
    fn for_each<OP>(self, op: OP)
    where
        OP: Fn(Self::Item) + Sync + Send,
    {
        drive(&self.into_producer(), ForEach(op));
    }

    /// Calls `op` with each item and a state that `init` makes once for each worker that takes part; at most as many times as
    /// the pool has threads.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// (0..100).into_par_iter().for_each_init(Vec::new, |buffer, n| {
    ///     buffer.clear();
    ///     buffer.extend(0..n);
    /// });
    /// ```
    fn for_each_init<OP, INIT, T>(self, init: INIT, op: OP)
    where
        OP: Fn(&mut T, Self::Item) + Sync + Send,
        INIT: Fn() -> T + Sync + Send,
    {
        self.map_init(init, op).for_each(|()| ());
    }

    /// Calls `op` with each item until one call says to stop: `None`, `Err`, or `Break`. The loop then ends; if several
    /// calls said so, the one for the earliest item counts of those that were made.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// let odd = [2, 4, 5].par_iter().try_for_each(|n| if n % 2 == 0 { Ok(()) } else { Err(*n) });
    /// assert_eq!(odd, Err(5));
    /// ```
    fn try_for_each<OP, R>(self, op: OP) -> R
    where
        OP: Fn(Self::Item) -> R + Sync + Send,
        R: Try<Output = ()> + Send,
    {
        consumer::try_fold(self, || (), |(), item| op(item), |(), ()| R::from_output(()))
    }

    /// Combines what is in the items (`Some`, `Ok`, `Continue`) with `op`, in order, until an item or a call says to stop: `None`,
    /// `Err`, or `Break`. `op` must be associative and `identity` neutral.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// let sum = |numbers: &[u8]| {
    ///     numbers.par_iter().map(|&n| Some(n)).try_reduce(|| 0, |a: u8, b| a.checked_add(b))
    /// };
    /// assert_eq!(sum(&[1, 2, 3]), Some(6));
    /// assert_eq!(sum(&[100, 100, 100]), None);
    /// ```
    fn try_reduce<T, OP, ID>(self, identity: ID, op: OP) -> Self::Item
    where
        OP: Fn(T, T) -> Self::Item + Sync + Send,
        ID: Fn() -> T + Sync + Send,
        Self::Item: Try<Output = T>,
    {
        let item = |all, item: Self::Item| match item.branch() {
            ControlFlow::Continue(item) => op(all, item),
            ControlFlow::Break(residual) => Self::Item::from_residual(residual),
        };
        consumer::try_fold(self, identity, item, &op)
    }

    /// Combines all items with `op`, which must be associative, in order. `identity` must be neutral: it may be combined in any
    /// number of times.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// let (sum, product) = (1..=5_u64)
    ///     .into_par_iter()
    ///     .map(|n| (n, n))
    ///     .reduce(|| (0, 1), |a, b| (a.0 + b.0, a.1 * b.1));
    /// assert_eq!((sum, product), (15, 120));
    /// ```
    fn reduce<OP, ID>(self, identity: ID, op: OP) -> Self::Item
    where
        OP: Fn(Self::Item, Self::Item) -> Self::Item + Sync + Send,
        ID: Fn() -> Self::Item + Sync + Send,
    {
        drive(&self.into_producer(), FoldSegments { start: identity, item: &op, join: &op })
    }

    /// Combines all items with `op`, which must be associative, in order; `None` if there are none.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// let longest = ["a", "ccc", "bb"].par_iter().copied().reduce_with(|a, b| if b.len() > a.len() { b } else { a });
    /// assert_eq!(longest, Some("ccc"));
    /// ```
    fn reduce_with<OP>(self, op: OP) -> Option<Self::Item>
    where
        OP: Fn(Self::Item, Self::Item) -> Self::Item + Sync + Send,
    {
        let item = |all: Option<Self::Item>, item| match all {
            None => Some(item),
            Some(all) => Some(op(all, item)),
        };
        let join = |a: Option<Self::Item>, b: Option<Self::Item>| match (a, b) {
            (Some(a), Some(b)) => Some(op(a, b)),
            (a, None) => a,
            (None, b) => b,
        };
        drive(&self.into_producer(), FoldSegments { start: || None, item, join })
    }

    /// Adds all items up.
    ///
    /// The items of floats (`f32`, `f64`) are added in vector registers, so that the rounding differs from one run to the next in
    /// the last digits, as it does in any parallel sum.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// assert_eq!((1..=100_u32).into_par_iter().sum::<u32>(), 5050);
    /// ```
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
    fn count(self) -> usize {
        drive(
            &self.into_producer(),
            FoldSegments { start: || 0, item: |count, _| count + 1, join: |a: usize, b: usize| a + b },
        )
    }

    /// The least item; the first of several equal ones; `None` if there are no items.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// assert_eq!([3, 1, 2].par_iter().min(), Some(&1));
    /// ```
    fn min(self) -> Option<Self::Item>
    where
        Self::Item: Ord,
    {
        self.reduce_with(|a, b| if a.cmp(&b) == Ordering::Greater { b } else { a })
    }

    /// The greatest item; the last of several equal ones; `None` if there are no items.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// assert_eq!([3, 1, 2].par_iter().max(), Some(&3));
    /// ```
    fn max(self) -> Option<Self::Item>
    where
        Self::Item: Ord,
    {
        self.reduce_with(|a, b| if a.cmp(&b) == Ordering::Greater { a } else { b })
    }

    /// Whether `predicate` holds for some item. Ends the loop once it does.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// assert!((0..1_000_000_000_000_u64).into_par_iter().any(|n| n == 5));
    /// ```
    fn any<P>(self, predicate: P) -> bool
    where
        P: Fn(Self::Item) -> bool + Sync + Send,
    {
        drive(&self.into_producer(), Any(predicate))
    }

    /// Whether `predicate` holds for all items. Ends the loop once it does not.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// assert!([2, 4].par_iter().all(|n| n % 2 == 0));
    /// ```
    fn all<P>(self, predicate: P) -> bool
    where
        P: Fn(Self::Item) -> bool + Sync + Send,
    {
        !self.any(|item| !predicate(item))
    }

    /// Makes a collection, in order.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// let halves: Vec<f64> = [1.0, 3.0].par_iter().map(|x| x / 2.0).collect();
    /// assert_eq!(halves, [0.5, 1.5]);
    /// ```
    fn collect<C>(self) -> C
    where
        C: FromParallelIterator<Self::Item>,
    {
        C::from_par_iter(self)
    }
}
