//! The traits `Producer` and `IndexedProducer`, the inside a parallel iterator: they turn a run
//! of indices into a sequential iterator.

use std::mem;
use std::ops::{ControlFlow, Range};

use super::around::Around;
use super::options::Options;
use super::watched::Lookout;

/// The source of a loop, which its lanes share: `len` indices, any run of which can be turned into
/// a sequential iterator.
///
/// A loop divides the indices `0..len()` into chunks. For each chunk, a lane calls
/// [`chunk`](Producer::chunk) and runs the iterator to its end. This is one monomorphic loop, which
/// the compiler can vectorise. Adapters wrap the iterator of their base: for each chunk, `map` over
/// a slice is `std::iter::Map<std::slice::Iter<_>, _>`.
///
/// # Implementing it
///
/// Most iterators need no producer of their own: they implement
/// [`ParallelIterator`](crate::iter::ParallelIterator) by wrapping an existing iterator and naming
/// its producer. A new producer looks like this:
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
    /// The type of the items.
    type Item: Send;

    /// The state that one lane keeps from chunk to chunk of one loop, such as the state of
    /// `map_init`. [`local`](Producer::local) makes it.
    type Local;

    /// The sequential iterator over a chunk.
    type Iter<'a>: Iterator<Item = Self::Item>
    where
        Self: 'a;

    /// Whether a lane must be asked once more, with an empty run of indices, at the end of each
    /// partial of adjacent chunks. `fold` needs this to yield what it has gathered.
    const HAS_TAIL: bool = false;

    /// Whether [`deterministic`](crate::iter::ParallelIterator::deterministic) was called on this
    /// or a base. Then the way in which reductions combine results depends only on the number of
    /// indices.
    const DETERMINISTIC: bool = false;

    /// Whether chunks may contain parallel iterators, as those of `flat_map` do.
    /// [`feed`](Producer::feed) passes these to a receiver. A producer for which this is false is
    /// never asked to feed.
    const NESTS: bool = false;

    /// Whether a chunk of a single index has at most one item, and costs almost nothing in addition
    /// to it.
    #[doc(hidden)]
    const STEPS: bool = false;

    /// Whether an adapter may have enough before all items have come, as `while_some` does
    /// ([`is_full`](Producer::is_full)).
    #[doc(hidden)]
    const ENDS_EARLY: bool = false;

    /// Whether the producer itself checks inside chunks whether its items are still wanted.
    #[doc(hidden)]
    const LOOKS: bool = false;

    /// Whether lanes keep nothing from chunk to chunk, so that a lane may leave the loop and come
    /// back.
    const STATELESS: bool = size_of::<Self::Local>() == 0;

    /// Returns the number of indices.
    fn len(&self) -> usize;

    /// Tests whether there are no indices.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns how the loop should be run.
    fn options(&self) -> Options<'_> {
        Options::default()
    }

    /// Tells whether each chunk yields exactly as many items as it has indices. Then a collection
    /// knows the place of each item. A wrong answer leads to a panic, never to undefined behaviour.
    fn is_exact(&self) -> bool {
        false
    }

    /// Tells whether each chunk yields at most as many items as it has indices. Then a collection
    /// knows how much room it needs. A wrong answer leads to a panic, never to undefined behaviour.
    fn is_bounded(&self) -> bool {
        self.is_exact()
    }

    /// Tells whether nothing more need be produced. The loop asks between chunks.
    fn is_full(&self) -> bool {
        false
    }

    /// Makes the state for a lane that enters the loop.
    fn local(&self) -> Self::Local;

    /// Returns an iterator over the items of the given indices.
    ///
    /// # Safety
    ///
    /// `indices` lies within `0..len()`, and of all calls of `chunk` and
    /// [`discard`](Producer::discard), no two get the same index.
    unsafe fn chunk<'a>(&'a self, local: &'a mut Self::Local, indices: Range<usize>) -> Self::Iter<'a>;

    /// Does the same as [`chunk`](Producer::chunk) for adapters that gather several items into one.
    /// They gather no more items when the lookout says so.
    ///
    /// # Safety
    ///
    /// The same as for [`chunk`](Producer::chunk). Calls of both count together.
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

    /// Tells the producer the expected time of an index, before a chunk of a loop that may end in
    /// the middle of the chunk.
    #[doc(hidden)]
    #[inline]
    fn expect(&self, local: &mut Self::Local, index_ns: f64) {
        let _ = (local, index_ns);
    }

    /// Tells whether a chunk has ended early.
    #[doc(hidden)]
    fn has_left(&self) -> bool {
        false
    }

    /// Passes the items of the given indices to `receiver`, in order. By default these are the
    /// items of [`chunk`](Producer::chunk). Returns [`Break`](ControlFlow::Break) if the receiver
    /// wants no more items. Then the items that it did not get are dropped.
    ///
    /// An adapter whose base [nests](Producer::NESTS) calls the base's `feed`, with its own
    /// receiver in front of this one.
    ///
    /// # Safety
    ///
    /// The same as for [`chunk`](Producer::chunk). Calls of both count together.
    unsafe fn feed<R: Receiver<Self::Item>>(
        &self,
        local: &mut Self::Local,
        indices: Range<usize>,
        receiver: &mut R,
    ) -> ControlFlow<()> {
        // SAFETY: the same demands.
        receiver.items(unsafe { self.chunk(local, indices) })
    }

    /// Returns the first index at or behind `index` that may have an item, or
    /// [`len`](Producer::len) if there is none. The answer uses what `local` knows, which may be
    /// new or may have made any chunks before. If items stand for many indices each, as lines do
    /// for bytes, a lane then need not look at every index.
    ///
    /// A wrong answer makes chunks run in larger or smaller pieces, and changes nothing else. A
    /// producer with the same indices as its base returns the answer of its base.
    fn next_item(&self, local: &Self::Local, index: usize) -> usize {
        let _ = local;
        index
    }

    /// Drops the items of indices for which no chunk will be asked, because the loop ended early.
    /// Sources that own their items need this; others do not. If it is slow, several lanes call it
    /// at the same time, for a few indices each.
    ///
    /// # Safety
    ///
    /// The same as for [`chunk`](Producer::chunk).
    unsafe fn discard(&self, indices: Range<usize>) {
        let _ = indices;
    }
}

/// The rest of a pipeline, for items of a chunk that are not all in one sequential iterator. See
/// [`Producer::feed`].
pub trait Receiver<T> {
    /// Tells whether more items are wanted.
    #[doc(hidden)]
    type Over: Around + Copy;

    /// Tells whether more items are wanted, for a check between items.
    #[doc(hidden)]
    fn over(&self) -> Self::Over;

    /// Takes the next items. Returns [`Break`](ControlFlow::Break) if no more are wanted.
    fn items<I: Iterator<Item = T>>(&mut self, items: I) -> ControlFlow<()>;

    /// Takes the items of a parallel iterator, which come next. They run as a loop of their own,
    /// and go on through the rest of the pipeline on the lanes that take part in that loop.
    fn nested<Q: Producer<Item = T>>(&mut self, inner: Q) -> ControlFlow<()>;

    /// Decides for a producer whether its items may also come through [`items`](Receiver::items)
    /// instead of [`nested`](Receiver::nested), which may be quicker.
    #[doc(hidden)]
    fn place<Q: Producer<Item = T>>(&self) -> Option<Place> {
        None
    }
}

/// What is known of an inner loop in advance.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// Stands for its call site.
    pub(crate) address: usize,
    /// It may be cancelled together with the loop that it is in.
    pub(crate) is_cancellable: bool,
}

/// A producer with exactly one item for each index, which can also yield its items from back to
/// front.
///
/// [`is_exact`](Producer::is_exact) must return true.
pub trait IndexedProducer: Producer {
    /// Like [`Producer::Iter`], with both ends and a known length.
    type IndexedIter<'a>: DoubleEndedIterator<Item = Self::Item> + ExactSizeIterator
    where
        Self: 'a;

    /// Like [`Producer::chunk`].
    ///
    /// # Safety
    ///
    /// The same as for [`Producer::chunk`]. Calls of both count together.
    unsafe fn indexed_chunk<'a>(
        &'a self,
        local: &'a mut Self::Local,
        indices: Range<usize>,
    ) -> Self::IndexedIter<'a>;
}

/// Indices that no other lane will ask for. When this drops, the indices without a chunk are
/// discarded. So no item is lost if a panic comes first.
#[derive(Debug)]
pub(crate) struct Claimed<'a, P: Producer> {
    producer: &'a P,
    indices: Range<usize>,
}

impl<'a, P: Producer> Claimed<'a, P> {
    /// # Safety
    ///
    /// The same as for the `indices` of [`Producer::chunk`]. They may be empty.
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

    /// Returns the indices. From now on, another lane may claim them.
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
