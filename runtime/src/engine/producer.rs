//! The traits `Producer` and `IndexedProducer`, the inside of a parallel iterator: they turn a run
//! of indices into a sequential iterator.

use std::mem;
use std::ops::{ControlFlow, Range};

use super::around::Around;
use super::options::Options;
use super::watched::Lookout;

/// What the lanes of a loop share: `len` indices, any run of which can be turned into a sequential
/// iterator.
///
/// A loop hands out the indices `0..len()` in chunks. For each chunk a lane calls
/// [`chunk`](Producer::chunk) and runs the iterator to its end, as one monomorphic loop that the
/// compiler can vectorise. Adapters wrap the iterator of their base: `map` over a slice is
/// `std::iter::Map<std::slice::Iter<_>, _>`, chunk by chunk.
///
/// # Implementing it
///
/// Most own iterators need no producer of their own: they implement
/// [`ParallelIterator`](crate::iter::ParallelIterator) by wrapping an existing one and naming its
/// producer. One of one's own is this much:
///
/// ```
/// use std::ops::Range;
/// use taskel::iter::{Options, ParallelIterator, Producer};
///
/// /// The first `n` square numbers.
/// struct Squares(usize);
///
/// impl Producer for Squares {
///     type Item = usize;
///     type Local = ();
///     type Iter<'a> = std::iter::Map<Range<usize>, fn(usize) -> usize>;
///
///     fn len(&self) -> usize {
///         self.0
///     }
///     fn local(&self) {}
///     unsafe fn chunk<'a>(&'a self, _: &'a mut (), indices: Range<usize>) -> Self::Iter<'a> {
///         indices.map(|n| n * n)
///     }
/// }
///
/// impl ParallelIterator for Squares {
///     type Item = usize;
///     type Producer = Self;
///     fn into_producer(self) -> Self {
///         self
///     }
/// }
///
/// assert_eq!(Squares(5).map(|n| n + 1).collect::<Vec<_>>(), [1, 2, 5, 10, 17]);
/// ```
pub trait Producer: Sync {
    /// What the chunks yield.
    type Item: Send;

    /// What one lane keeps from chunk to chunk of one loop, made by [`local`](Producer::local): the
    /// state of `map_init`.
    type Local;

    /// The sequential iterator over a chunk.
    type Iter<'a>: Iterator<Item = Self::Item>
    where
        Self: 'a;

    /// Whether a lane must be asked once more, with an empty run of indices, at the end of each
    /// partial of adjacent chunks: so `fold` yields what it has gathered.
    const HAS_TAIL: bool = false;

    /// Whether [`deterministic`](crate::iter::ParallelIterator::deterministic) was said of this or
    /// a base: reductions are then put together in a way that depends on the number of indices
    /// alone.
    const DETERMINISTIC: bool = false;

    /// Whether chunks may have parallel iterators in them, which a receiver gets as such from
    /// [`feed`](Producer::feed): `flat_map` has. A producer that says no is never asked to feed.
    const NESTS: bool = false;

    /// Whether a chunk of a single index costs next to nothing beyond its item, of which there is
    /// one at most.
    #[doc(hidden)]
    const STEPS: bool = false;

    /// Whether an adapter may see enough before all items have come, as `while_some` does
    /// ([`is_full`](Producer::is_full)).
    #[doc(hidden)]
    const ENDS_EARLY: bool = false;

    /// Whether it looks by itself, and not between chunks only, at whether its items are wanted.
    #[doc(hidden)]
    const LOOKS: bool = false;

    /// Whether lanes keep nothing from chunk to chunk, so that one may leave the loop and come
    /// back.
    const STATELESS: bool = size_of::<Self::Local>() == 0;

    /// The number of indices.
    fn len(&self) -> usize;

    /// Whether there are no indices.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How the loop is to be run.
    fn options(&self) -> Options<'_> {
        Options::default()
    }

    /// Whether each chunk yields exactly as many items as it has indices, so that a collection
    /// knows the place of each. A wrong answer leads to a panic, never to undefined behaviour.
    fn is_exact(&self) -> bool {
        false
    }

    /// Whether each chunk yields at most as many items as it has indices, so that a collection
    /// knows how much room it needs. A wrong answer leads to a panic, never to undefined behaviour.
    fn is_bounded(&self) -> bool {
        self.is_exact()
    }

    /// Whether nothing more need be produced; asked between chunks.
    fn is_full(&self) -> bool {
        false
    }

    /// Makes the state for a lane that enters the loop.
    fn local(&self) -> Self::Local;

    /// The items of the given indices.
    ///
    /// # Safety
    ///
    /// `indices` lies within `0..len()`, and of all calls of `chunk` and
    /// [`discard`](Producer::discard), no two get the same index.
    unsafe fn chunk<'a>(&'a self, local: &'a mut Self::Local, indices: Range<usize>) -> Self::Iter<'a>;

    /// As [`chunk`](Producer::chunk), where items are gathered that make one item later: no more
    /// are once the lookout says so.
    ///
    /// # Safety
    ///
    /// As for [`chunk`](Producer::chunk), together with whose calls these count.
    #[doc(hidden)]
    #[inline]
    unsafe fn chunk_until<'a>(
        &'a self,
        local: &'a mut Self::Local,
        indices: Range<usize>,
        lookout: &'a Lookout<'a>,
    ) -> Self::Iter<'a> {
        let _ = lookout;
        // SAFETY: the same demands.
        unsafe { self.chunk(local, indices) }
    }

    /// What an index is expected to take, told before a chunk of a loop that may be ended in the
    /// middle.
    #[doc(hidden)]
    #[inline]
    fn expect(&self, local: &mut Self::Local, index_ns: f64) {
        let _ = (local, index_ns);
    }

    /// Whether a chunk has ended before its end.
    #[doc(hidden)]
    fn has_left(&self) -> bool {
        false
    }

    /// Passes the items of the given indices on to `receiver`, in order: what
    /// [`chunk`](Producer::chunk) yields, if not said otherwise. [`Break`](ControlFlow::Break) if
    /// the receiver wants no more; items that it did not get are dropped then.
    ///
    /// An adapter whose base [nests](Producer::NESTS) passes on the base's `feed`, with a receiver
    /// of its own before this one.
    ///
    /// # Safety
    ///
    /// As for [`chunk`](Producer::chunk), together with whose calls these count.
    unsafe fn feed<R: Receiver<Self::Item>>(
        &self,
        local: &mut Self::Local,
        indices: Range<usize>,
        receiver: &mut R,
    ) -> ControlFlow<()> {
        // SAFETY: the same demands.
        receiver.items(unsafe { self.chunk(local, indices) })
    }

    /// The first index at `index` or behind it that may have an item, as far as is known to
    /// `local`, which may be new or may have made any chunks before; [`len`](Producer::len) if
    /// there is none. Where items stand for many indices each, as lines do for bytes, a lane need
    /// not look at every one.
    ///
    /// A wrong answer makes chunks run in larger or smaller pieces, and changes nothing else. A
    /// producer with the same indices as its base passes its base's answer on.
    fn next_item(&self, local: &Self::Local, index: usize) -> usize {
        let _ = local;
        index
    }

    /// Drops the items of indices that no chunk will be asked for, because the loop ended early.
    /// Sources that own their items need this, others not. Where it is slow, several lanes call it
    /// at a time, for few indices each.
    ///
    /// # Safety
    ///
    /// As for [`chunk`](Producer::chunk).
    unsafe fn discard(&self, indices: Range<usize>) {
        let _ = indices;
    }
}

/// Where the items of a chunk go that are not all in one sequential iterator: the rest of a
/// pipeline. See [`Producer::feed`].
pub trait Receiver<T> {
    /// Tells whether anything more is wanted.
    #[doc(hidden)]
    type Over: Around + Copy;

    /// Tells whether anything more is wanted, for a look between items.
    #[doc(hidden)]
    fn over(&self) -> Self::Over;

    /// Takes the next items. [`Break`](ControlFlow::Break) if no more are wanted.
    fn items<I: Iterator<Item = T>>(&mut self, items: I) -> ControlFlow<()>;

    /// Takes the items of a parallel iterator, which come next: a loop of its own, whose items go
    /// on through the rest of the pipeline on whichever lanes take part in it.
    fn nested<Q: Producer<Item = T>>(&mut self, inner: Q) -> ControlFlow<()>;

    /// What [`nested`](Receiver::nested) would do with such a producer, if its items may as well
    /// come through [`items`](Receiver::items), where that is quicker.
    #[doc(hidden)]
    fn place<Q: Producer<Item = T>>(&self) -> Option<Place> {
        None
    }
}

/// What is known of an inner loop beforehand.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// Stands for its call site.
    pub(crate) address: usize,
    /// It may be cancelled together with the loop that it is in.
    pub(crate) is_cancellable: bool,
}

/// A producer with exactly one item for each index, which can also be had from back to front.
///
/// [`is_exact`](Producer::is_exact) must answer true.
pub trait IndexedProducer: Producer {
    /// Like [`Producer::Iter`], with both ends and a known length.
    type IndexedIter<'a>: DoubleEndedIterator<Item = Self::Item> + ExactSizeIterator
    where
        Self: 'a;

    /// Like [`Producer::chunk`].
    ///
    /// # Safety
    ///
    /// As for [`Producer::chunk`], together with whose calls these count.
    unsafe fn indexed_chunk<'a>(
        &'a self,
        local: &'a mut Self::Local,
        indices: Range<usize>,
    ) -> Self::IndexedIter<'a>;
}

/// Indices that nobody else will ask for. Those of which no chunk is made are discarded when this
/// drops, so that no item is lost when a panic comes first.
#[derive(Debug)]
pub(crate) struct Claimed<'a, P: Producer> {
    producer: &'a P,
    indices: Range<usize>,
}

impl<'a, P: Producer> Claimed<'a, P> {
    /// # Safety
    ///
    /// The demands of [`Producer::chunk`] on `indices`, which may be empty.
    pub(crate) unsafe fn new(producer: &'a P, indices: Range<usize>) -> Self {
        Claimed { producer, indices }
    }

    /// How many indices these are.
    pub(crate) fn len(&self) -> usize {
        self.indices.len()
    }

    pub(crate) fn producer(&self) -> &'a P {
        self.producer
    }

    pub(crate) fn indices(&self) -> &Range<usize> {
        &self.indices
    }

    /// Splits off the first `len` indices, at most as many as there are.
    pub(crate) fn split_off(&mut self, len: usize) -> Claimed<'a, P> {
        let mid = self.indices.start + len.min(self.indices.len());
        let front = self.indices.start..mid;
        self.indices.start = mid;
        Claimed { producer: self.producer, indices: front }
    }

    /// The indices, which from here on are somebody else's to claim.
    pub(crate) fn release(mut self) -> Range<usize> {
        mem::take(&mut self.indices)
    }

    /// Passes the items on to `receiver`.
    #[inline]
    pub(crate) fn feed<R: Receiver<P::Item>>(
        self,
        local: &mut P::Local,
        receiver: &mut R,
    ) -> ControlFlow<()> {
        let producer = self.producer;
        // SAFETY: `new` was promised what `feed` demands, and nobody else gets the indices.
        unsafe { producer.feed(local, self.release(), receiver) }
    }

    /// The items, gathered for as long as they are wanted.
    #[inline]
    pub(crate) fn produce_until(self, local: &'a mut P::Local, lookout: &'a Lookout<'a>) -> P::Iter<'a> {
        let producer = self.producer;
        // SAFETY: `new` was promised what `chunk_until` demands, and nobody else gets the indices.
        unsafe { producer.chunk_until(local, self.release(), lookout) }
    }

    /// The items.
    #[inline]
    pub(crate) fn produce(self, local: &'a mut P::Local) -> P::Iter<'a> {
        let producer = self.producer;
        // SAFETY: `new` was promised what `chunk` demands, and nobody else gets the indices.
        unsafe { producer.chunk(local, self.release()) }
    }
}

impl<P: Producer> Drop for Claimed<'_, P> {
    #[inline]
    fn drop(&mut self) {
        if !self.indices.is_empty() {
            // SAFETY: `new` was promised what `discard` demands, and no chunk was made of what is
            // still here.
            unsafe { self.producer.discard(self.indices.clone()) };
        }
    }
}
