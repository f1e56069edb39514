//! `par_bridge`: any sequential iterator, in no particular order.

use std::ops::Range;
use std::sync::PoisonError;
use std::vec;

use super::ParallelIterator;
use super::producer::Producer;
use crate::sync::{AtomicBool, Mutex, Ordering};
use crate::underneath::Entered;

/// Turns sequential iterators into parallel ones.
pub trait ParallelBridge: Iterator<Item: Send> + Send + Sized {
    /// A parallel iterator over the items, in no particular order.
    ///
    /// The source is asked by one thread at a time, for as many items at once as take some 8 µs to process; while it is, the others
    /// process what they have. Where order matters, or what is in flight must be bounded, see
    /// [`par_stream`](crate::ParallelStream::par_stream).
    ///
    /// ```
    /// use taskel::prelude::*;
    /// let sum: u64 = std::iter::successors(Some(1), |n| (*n < 1000).then_some(n * 2)).par_bridge().sum();
    /// assert_eq!(sum, 2047);
    /// ```
    fn par_bridge(self) -> IterBridge<Self> {
        IterBridge { source: self }
    }
}

impl<I: Iterator<Item: Send> + Send> ParallelBridge for I {}

/// Made by [`par_bridge`](ParallelBridge::par_bridge).
#[derive(Clone, Debug)]
pub struct IterBridge<I> {
    source: I,
}

impl<I: Iterator<Item: Send> + Send> ParallelIterator for IterBridge<I> {
    type Item = I::Item;
    type Producer = BridgeProducer<I>;

    fn into_producer(self) -> Self::Producer {
        BridgeProducer { source: Mutex::new(Some(self.source)), ended: AtomicBool::new(false) }
    }
}

/// Hands out the items of an [`IterBridge`]: an index stands for the right to ask for one.
#[derive(Debug)]
pub struct BridgeProducer<I> {
    /// `None` once it has ended. The lock is held over the source's code, which nobody else could run meanwhile.
    source: Mutex<Option<I>>,
    /// A hint (Relaxed) that there is nothing to ask for.
    ended: AtomicBool,
}

/// As many items as a loop counts by themselves. Whoever has the last index takes what is left beyond, in batches.
const INDICES: usize = u32::MAX as usize;

/// No more items are asked for at once, however fast they are processed.
const LARGEST_BATCH: usize = 1024;

impl<I: Iterator<Item: Send> + Send> BridgeProducer<I> {
    /// Takes up to `most` items.
    fn pull(&self, most: usize, batch: &mut Vec<I::Item>) {
        let mut source = self.source.lock().unwrap_or_else(PoisonError::into_inner);
        let _inside = Entered::bridge();
        // Put back only if it neither ends nor panics.
        let Some(mut items) = source.take() else { return };
        batch.reserve(most.min(LARGEST_BATCH));
        for _ in 0..most {
            match items.next() {
                Some(item) => batch.push(item),
                None => {
                    self.ended.store(true, Ordering::Relaxed);
                    drop(source);
                    return drop(items);
                }
            }
        }
        *source = Some(items);
    }
}

impl<I: Iterator<Item: Send> + Send> Producer for BridgeProducer<I> {
    type Item = I::Item;
    type Local = ();
    type Iter<'a>
        = Pulled<'a, I>
    where
        Self: 'a;

    fn len(&self) -> usize {
        INDICES
    }

    fn is_full(&self) -> bool {
        self.ended.load(Ordering::Relaxed)
    }

    fn local(&self) {}

    unsafe fn chunk<'a>(&'a self, _: &'a mut (), indices: Range<usize>) -> Self::Iter<'a> {
        let last = indices.end == INDICES;
        Pulled { producer: self, batch: Vec::new().into_iter(), wanted: indices.len(), last }
    }
}

/// The sequential iterator of `par_bridge`: it asks for a batch when it has none.
#[derive(Debug)]
pub struct Pulled<'a, I: Iterator> {
    producer: &'a BridgeProducer<I>,
    batch: vec::IntoIter<I::Item>,
    wanted: usize,
    last: bool,
}

impl<I: Iterator<Item: Send> + Send> Iterator for Pulled<'_, I> {
    type Item = I::Item;

    #[inline]
    fn next(&mut self) -> Option<I::Item> {
        if let Some(item) = self.batch.next() {
            return Some(item);
        }
        let most = if self.last { LARGEST_BATCH } else { self.wanted.min(LARGEST_BATCH) };
        if most == 0 {
            return None;
        }
        self.wanted = self.wanted.saturating_sub(most);
        let mut batch = Vec::new();
        self.producer.pull(most, &mut batch);
        self.batch = batch.into_iter();
        self.batch.next()
    }
}
