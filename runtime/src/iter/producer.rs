//! The inside of a parallel iterator: something that turns a run of indices into a sequential iterator.

use std::mem;
use std::ops::Range;

use super::options::Options;

/// What the lanes of a loop share: `len` indices, any run of which can be turned into a sequential iterator.
///
/// A loop hands out the indices `0..len()` in chunks. For each chunk a lane calls [`chunk`](Producer::chunk) and runs the
/// iterator to its end, as one monomorphic loop that the compiler can vectorise. Adapters wrap the iterator of their base:
/// `map` over a slice is `std::iter::Map<std::slice::Iter<_>, _>`, chunk by chunk.
///
/// # Implementing it
///
/// Most own iterators need no producer of their own: they implement
/// [`ParallelIterator`](super::ParallelIterator) by wrapping an existing one and naming its producer. One of
/// one's own is this much:
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

    /// What one lane keeps from chunk to chunk of one loop, made by [`local`](Producer::local): the state of `map_init`.
    type Local;

    /// The sequential iterator over a chunk.
    type Iter<'a>: Iterator<Item = Self::Item>
    where
        Self: 'a;

    /// Whether a lane must be asked once more, with an empty run of indices, at the end of each segment of adjacent chunks: so
    /// `fold` yields what it has gathered.
    const HAS_TAIL: bool = false;

    /// Whether [`deterministic`](super::ParallelIterator::deterministic) was said of this or a base: reductions are then put
    /// together in a way that depends on the number of indices alone.
    const DETERMINISTIC: bool = false;

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

    /// Whether each chunk yields exactly as many items as it has indices, so that a collection knows the place of each. A
    /// wrong answer leads to a panic, never to undefined behaviour.
    fn is_exact(&self) -> bool {
        false
    }

    /// Whether each chunk yields at most as many items as it has indices, so that a collection knows how much room it needs. A
    /// wrong answer leads to a panic, never to undefined behaviour.
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
    /// `indices` lies within `0..len()`, and of all calls of `chunk` and [`discard`](Producer::discard), no two get the same
    /// index.
    unsafe fn chunk<'a>(&'a self, local: &'a mut Self::Local, indices: Range<usize>) -> Self::Iter<'a>;

    /// The first index at `index` or behind it that may have an item, as far as is known to `local`, which may be new or may have made any
    /// chunks before; [`len`](Producer::len) if there is none. Where items stand for many indices each, as lines do for bytes, a lane
    /// need not look at every one.
    ///
    /// A wrong answer makes chunks run in larger or smaller pieces, and changes nothing else. A producer with the same indices as its base
    /// passes its base's answer on.
    fn next_item(&self, local: &Self::Local, index: usize) -> usize {
        let _ = local;
        index
    }

    /// Drops the items of indices that no chunk will be asked for, because the loop ended early. Sources that own
    /// their items need this, others not.
    ///
    /// # Safety
    ///
    /// As for [`chunk`](Producer::chunk).
    unsafe fn discard(&self, indices: Range<usize>) {
        let _ = indices;
    }
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

/// Indices that nobody else will ask for. Those of which no chunk is made are discarded when this drops, so that no item
/// is lost when a panic comes first.
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
            // SAFETY: `new` was promised what `discard` demands, and no chunk was made of what is still here.
            unsafe { self.producer.discard(self.indices.clone()) };
        }
    }
}
