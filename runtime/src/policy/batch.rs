//! Batches: runs of neighbouring items of a stream, before and after they are processed, and while
//! a lane has them in hand.

use std::cmp::Ordering;
use std::vec;

/// Items that were pulled one after the other, and are not begun.
#[derive(Debug)]
pub(crate) struct Batch<T> {
    /// The number of the first one, counted from the beginning of the stream.
    pub(crate) first: u64,
    items: vec::IntoIter<T>,
    /// What each weighs; none if each weighs 1.
    weights: vec::IntoIter<usize>,
}

impl<T> Batch<T> {
    pub(crate) fn new(first: u64, items: Vec<T>, weights: Vec<usize>) -> Self {
        Batch { first, items: items.into_iter(), weights: weights.into_iter() }
    }

    pub(crate) fn empty(first: u64) -> Self {
        Batch::new(first, Vec::new(), Vec::new())
    }

    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.items.len()
    }

    pub(crate) fn weight(&self) -> usize {
        let weights = self.weights.as_slice();
        if weights.is_empty() { self.len() } else { weights.iter().fold(0, |sum, &w| sum.saturating_add(w)) }
    }

    /// The first item, and what it weighs.
    #[inline]
    pub(crate) fn pop(&mut self) -> Option<(T, usize)> {
        let item = self.items.next()?;
        self.first += 1;
        Some((item, self.weights.next().unwrap_or(1)))
    }

    /// The first item alone.
    pub(crate) fn split_one(&mut self) -> Option<Self> {
        let first = self.first;
        let (item, weight) = self.pop()?;
        Some(Batch::new(first, vec![item], vec![weight]))
    }

    /// All items, which leave this one empty.
    pub(crate) fn take(&mut self) -> Self {
        let rest = Batch::empty(self.first + self.len() as u64);
        std::mem::replace(self, rest)
    }
}

/// What has become of neighbouring items.
#[derive(Debug)]
pub(crate) struct Done<R> {
    /// The number of the first item.
    pub(crate) first: u64,
    /// How many items they were, and what these weighed.
    pub(crate) len: usize,
    pub(crate) weight: usize,
    /// Fewer, where some were dropped.
    pub(crate) results: Vec<R>,
}

impl<R> Done<R> {
    /// Nothing so far.
    pub(crate) fn new(first: u64, room: usize) -> Self {
        Done { first, len: 0, weight: 0, results: Vec::with_capacity(room) }
    }

    /// The number of the item that follows.
    #[inline]
    pub(crate) fn end(&self) -> u64 {
        self.first + self.len as u64
    }

    #[inline]
    pub(crate) fn push(&mut self, result: Option<R>, weight: usize) {
        self.len += 1;
        self.weight = self.weight.saturating_add(weight);
        // Not `extend`, which is not inlined.
        if let Some(result) = result {
            self.results.push(result);
        }
    }

    /// All of it; what comes next is gathered anew.
    pub(crate) fn take(&mut self) -> Self {
        let rest = Done::new(self.end(), 0);
        std::mem::replace(self, rest)
    }
}

/// Several items in the hands of one lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bundle {
    pub(crate) lane: u32,
    pub(crate) number: u64,
}

/// What was taken from a lane that had a bundle.
#[derive(Debug)]
pub(crate) enum Taken<T, R> {
    /// The owner was just there, or nothing was.
    Nothing,
    /// What was not begun, and what was done.
    Begun(Batch<T>, Done<R>),
    /// What a lane that is at the source has pulled.
    New(Batch<T>),
    /// The source, from a sink that has an item in hand; the next one has that number.
    Source { next: u64 },
}

// The greatest is the first: that is what a heap gives out.

impl<R> Ord for Done<R> {
    fn cmp(&self, other: &Self) -> Ordering {
        other.first.cmp(&self.first)
    }
}

impl<R> PartialOrd for Done<R> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<R> PartialEq for Done<R> {
    fn eq(&self, other: &Self) -> bool {
        self.first == other.first
    }
}

impl<R> Eq for Done<R> {}
