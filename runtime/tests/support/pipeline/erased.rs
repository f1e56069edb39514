//! Parallel iterators behind pointers: own types that implement taskel's traits.

use std::any::Any;
use std::ops::Range;

use taskel::iter::{IndexedParallelIterator, IndexedProducer, Options, ParallelIterator, Producer};

type Chunk<'a> = Box<dyn Iterator<Item = u64> + 'a>;
type IndexedChunk<'a> = Box<dyn BothEnds + 'a>;

/// What trait objects can have only one of.
pub(crate) trait BothEnds: DoubleEndedIterator<Item = u64> + ExactSizeIterator {}
impl<I: DoubleEndedIterator<Item = u64> + ExactSizeIterator> BothEnds for I {}

trait DynProducer: Sync {
    fn len(&self) -> usize;
    fn options(&self) -> Options<'_>;
    fn is_exact(&self) -> bool;
    fn is_bounded(&self) -> bool;
    fn is_full(&self) -> bool;
    fn local(&self) -> Box<dyn Any>;
    /// # Safety
    ///
    /// As for `Producer::chunk`.
    unsafe fn chunk<'a>(&'a self, local: &'a mut dyn Any, indices: Range<usize>) -> Chunk<'a>;
    fn next_item(&self, local: &dyn Any, index: usize) -> usize;
    /// # Safety
    ///
    /// As for `Producer::chunk`.
    unsafe fn discard(&self, indices: Range<usize>);
}

trait DynIndexedProducer: DynProducer {
    /// # Safety
    ///
    /// As for `Producer::chunk`.
    unsafe fn indexed_chunk<'a>(&'a self, local: &'a mut dyn Any, indices: Range<usize>) -> IndexedChunk<'a>;
}

impl<P: Producer<Item = u64, Local: 'static>> DynProducer for P {
    fn len(&self) -> usize {
        Producer::len(self)
    }
    fn options(&self) -> Options<'_> {
        Producer::options(self)
    }
    fn is_exact(&self) -> bool {
        Producer::is_exact(self)
    }
    fn is_bounded(&self) -> bool {
        Producer::is_bounded(self)
    }
    fn is_full(&self) -> bool {
        Producer::is_full(self)
    }
    fn local(&self) -> Box<dyn Any> {
        Box::new(Producer::local(self))
    }
    unsafe fn chunk<'a>(&'a self, local: &'a mut dyn Any, indices: Range<usize>) -> Chunk<'a> {
        // SAFETY: the same demands.
        Box::new(unsafe { Producer::chunk(self, local.downcast_mut().expect("its own"), indices) })
    }
    fn next_item(&self, local: &dyn Any, index: usize) -> usize {
        Producer::next_item(self, local.downcast_ref().expect("its own"), index)
    }
    unsafe fn discard(&self, indices: Range<usize>) {
        // SAFETY: the same demands.
        unsafe { Producer::discard(self, indices) }
    }
}

impl<P: IndexedProducer<Item = u64, Local: 'static>> DynIndexedProducer for P {
    unsafe fn indexed_chunk<'a>(&'a self, local: &'a mut dyn Any, indices: Range<usize>) -> IndexedChunk<'a> {
        let local = local.downcast_mut().expect("its own");
        // SAFETY: the same demands.
        Box::new(unsafe { IndexedProducer::indexed_chunk(self, local, indices) })
    }
}

/// Makes a parallel iterator and its producer whose inner types are unknown.
macro_rules! erased {
    ($Iterator:ident, $Producer:ident, $Dyn:ident, $tail:literal $(, $len:ident)?) => {
        pub(crate) struct $Iterator {
            $($len: usize,)?
            make: Box<dyn FnOnce() -> Box<dyn $Dyn> + Send>,
        }

        pub(crate) struct $Producer(Box<dyn $Dyn>);

        impl ParallelIterator for $Iterator {
            type Item = u64;
            type Producer = $Producer;

            fn into_producer(self) -> $Producer {
                $Producer((self.make)())
            }
        }

        impl Producer for $Producer {
            type Item = u64;
            type Local = Box<dyn Any>;
            type Iter<'a> = Chunk<'a>;
            const HAS_TAIL: bool = $tail;

            fn len(&self) -> usize {
                self.0.len()
            }
            fn options(&self) -> Options<'_> {
                self.0.options()
            }
            fn is_exact(&self) -> bool {
                self.0.is_exact()
            }
            fn is_bounded(&self) -> bool {
                self.0.is_bounded()
            }
            fn is_full(&self) -> bool {
                self.0.is_full()
            }
            fn local(&self) -> Box<dyn Any> {
                self.0.local()
            }
            unsafe fn chunk<'a>(&'a self, local: &'a mut Box<dyn Any>, indices: Range<usize>) -> Chunk<'a> {
                // SAFETY: the same demands.
                unsafe { self.0.chunk(&mut **local, indices) }
            }
            fn next_item(&self, local: &Box<dyn Any>, index: usize) -> usize {
                self.0.next_item(&**local, index)
            }
            unsafe fn discard(&self, indices: Range<usize>) {
                // SAFETY: the same demands.
                unsafe { self.0.discard(indices) }
            }
        }
    };
}

erased!(Indexed, ErasedIndexed, DynIndexedProducer, false, len);
erased!(Flat, ErasedFlat, DynProducer, false);
erased!(Tailed, ErasedTailed, DynProducer, true);

impl IndexedParallelIterator for Indexed {
    fn len(&self) -> usize {
        self.len
    }
}

/// A consumer that asks for items alone is compiled for these once, not for indexed ones as well.
impl From<Indexed> for Flat {
    fn from(items: Indexed) -> Flat {
        Flat { make: Box::new(|| (items.make)()) }
    }
}

impl IndexedProducer for ErasedIndexed {
    type IndexedIter<'a> = IndexedChunk<'a>;

    unsafe fn indexed_chunk<'a>(
        &'a self,
        local: &'a mut Box<dyn Any>,
        indices: Range<usize>,
    ) -> IndexedChunk<'a> {
        // SAFETY: the same demands.
        unsafe { self.0.indexed_chunk(&mut **local, indices) }
    }
}

pub(crate) fn indexed<I>(items: I) -> Indexed
where
    I: IndexedParallelIterator<Item = u64> + 'static,
    I::Producer: 'static,
    <I::Producer as Producer>::Local: 'static,
{
    Indexed { len: items.len(), make: Box::new(|| Box::new(items.into_producer())) }
}

pub(crate) fn flat<I>(items: I) -> Flat
where
    I: ParallelIterator<Item = u64> + 'static,
    I::Producer: 'static,
    <I::Producer as Producer>::Local: 'static,
{
    assert!(!I::Producer::HAS_TAIL, "its tail would be lost");
    Flat { make: Box::new(|| Box::new(items.into_producer())) }
}

pub(crate) fn tailed<I>(items: I) -> Tailed
where
    I: ParallelIterator<Item = u64> + 'static,
    I::Producer: 'static,
    <I::Producer as Producer>::Local: 'static,
{
    Tailed { make: Box::new(|| Box::new(items.into_producer())) }
}
