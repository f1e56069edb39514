//! `chain`.

use std::ops::{ControlFlow, Range};
use std::vec;

use crate::engine::options::Options;
use crate::engine::producer::{Claimed, IndexedProducer, Producer, Receiver};
use crate::iter::{IndexedParallelIterator, ParallelIterator};

/// Made by [`chain`](ParallelIterator::chain).
#[derive(Clone, Debug)]
#[must_use = "iterators do nothing until they are consumed"]
pub struct Chain<A, B> {
    pub(crate) a: A,
    pub(crate) b: B,
}

/// Hands out the items of a [`Chain`].
#[derive(Clone, Debug)]
pub struct ChainProducer<A, B> {
    a: A,
    b: B,
    a_len: usize,
    b_len: usize,
}

impl<A, B> ParallelIterator for Chain<A, B>
where
    A: ParallelIterator,
    B: ParallelIterator<Item = A::Item>,
{
    type Item = A::Item;
    type Producer = ChainProducer<A::Producer, B::Producer>;

    fn into_producer(self) -> Self::Producer {
        let (a, b) = (self.a.into_producer(), self.b.into_producer());
        ChainProducer { a_len: a.len(), b_len: b.len(), a, b }
    }

    fn opt_len(&self) -> Option<usize> {
        self.a.opt_len()?.checked_add(self.b.opt_len()?)
    }
}

impl<A, B> IndexedParallelIterator for Chain<A, B>
where
    A: IndexedParallelIterator,
    B: IndexedParallelIterator<Item = A::Item>,
{
    fn len(&self) -> usize {
        both(self.a.len(), self.b.len())
    }
}

/// # Panics
///
/// When that is more than `usize::MAX`.
pub(super) fn both(a: usize, b: usize) -> usize {
    a.checked_add(b).expect("chain: both iterators together have at most usize::MAX items")
}

/// What a lane keeps for both halves.
#[derive(Debug)]
pub struct ChainLocal<A, B> {
    a: A,
    b: B,
    /// The lane's partial has items of `a` or `b` in it whose tail was not asked for.
    a_is_open: bool,
    b_is_open: bool,
}

impl<A, B> ChainProducer<A, B> {
    fn split(&self, indices: Range<usize>) -> (Range<usize>, Range<usize>) {
        let a = indices.start.min(self.a_len)..indices.end.min(self.a_len);
        let b = indices.start.saturating_sub(self.a_len)..indices.end.saturating_sub(self.a_len);
        (a, b)
    }
}

/// No indices, which stand for the tail of a half.
fn end_of<P: Producer>(half: &P, len: usize) -> Claimed<'_, P> {
    // SAFETY: there are no indices in it.
    unsafe { Claimed::new(half, len..len) }
}

impl<A: Producer, B: Producer<Item = A::Item>> ChainProducer<A, B> {
    /// The items of `a`, and its tail if that is due, before those of `b`.
    ///
    /// # Safety
    ///
    /// As for [`Producer::chunk`] of `a`; the indices reach up to its end.
    #[cold]
    unsafe fn last_of_a(&self, local: &mut A::Local, indices: Range<usize>) -> Vec<A::Item> {
        // SAFETY: the same demands.
        let mut items: Vec<A::Item> = unsafe { self.a.chunk(local, indices) }.collect();
        // SAFETY: there are no indices in it.
        items.extend(unsafe { self.a.chunk(local, self.a_len..self.a_len) });
        items
    }

    /// As `tail`.
    fn feed_tail<R: Receiver<A::Item>>(
        &self,
        local: &mut ChainLocal<A::Local, B::Local>,
        receiver: &mut R,
    ) -> ControlFlow<()> {
        let (a_is_due, b_is_due) = self.tails_due(local);
        if a_is_due {
            end_of(&self.a, self.a_len).feed(&mut local.a, receiver)?;
        }
        if b_is_due {
            end_of(&self.b, self.b_len).feed(&mut local.b, receiver)?;
        }
        ControlFlow::Continue(())
    }

    /// Of which halves the tail is due at the end of a partial.
    fn tails_due(&self, local: &mut ChainLocal<A::Local, B::Local>) -> (bool, bool) {
        let empty_loop = self.a_len + self.b_len == 0;
        let a_is_due = A::HAS_TAIL && (std::mem::take(&mut local.a_is_open) || empty_loop);
        let b_is_due = B::HAS_TAIL && (std::mem::take(&mut local.b_is_open) || empty_loop);
        (a_is_due, b_is_due)
    }

    /// The end of a partial: whatever half has been gathering yields what it has.
    fn tail<'a>(
        &'a self,
        local: &'a mut ChainLocal<A::Local, B::Local>,
    ) -> ChainIter<A::Iter<'a>, B::Iter<'a>, A::Item> {
        let (a_is_due, b_is_due) = self.tails_due(local);
        // SAFETY: there are no indices in it.
        let a = a_is_due.then(|| unsafe { self.a.chunk(&mut local.a, self.a_len..self.a_len) });
        // SAFETY: there are no indices in it.
        let b = b_is_due.then(|| unsafe { self.b.chunk(&mut local.b, self.b_len..self.b_len) });
        ChainIter { gathered: Vec::new().into_iter(), a, b }
    }
}

impl<A: Producer, B: Producer<Item = A::Item>> Producer for ChainProducer<A, B> {
    type Item = A::Item;
    type Local = ChainLocal<A::Local, B::Local>;
    type Iter<'a>
        = ChainIter<A::Iter<'a>, B::Iter<'a>, A::Item>
    where
        Self: 'a;
    const HAS_TAIL: bool = A::HAS_TAIL || B::HAS_TAIL;
    const DETERMINISTIC: bool = A::DETERMINISTIC || B::DETERMINISTIC;
    const NESTS: bool = A::NESTS || B::NESTS;
    const STEPS: bool = A::STEPS && B::STEPS;
    const ENDS_EARLY: bool = A::ENDS_EARLY && B::ENDS_EARLY;

    fn len(&self) -> usize {
        both(self.a_len, self.b_len)
    }

    fn options(&self) -> Options<'_> {
        self.a.options().and(self.b.options())
    }

    fn is_exact(&self) -> bool {
        self.a.is_exact() && self.b.is_exact()
    }

    fn is_bounded(&self) -> bool {
        self.a.is_bounded() && self.b.is_bounded()
    }

    fn is_full(&self) -> bool {
        self.a.is_full() && self.b.is_full()
    }

    fn local(&self) -> Self::Local {
        ChainLocal { a: self.a.local(), b: self.b.local(), a_is_open: false, b_is_open: false }
    }

    #[inline]
    unsafe fn chunk<'a>(&'a self, local: &'a mut Self::Local, indices: Range<usize>) -> Self::Iter<'a> {
        if Self::HAS_TAIL && indices.is_empty() {
            return self.tail(local);
        }
        let (of_a, of_b) = self.split(indices);
        let ends_a = of_a.end == self.a_len && !(of_a.is_empty() && of_b.start > 0);
        local.a_is_open |= !of_a.is_empty();
        local.b_is_open |= !of_b.is_empty();
        let (mut gathered, mut a) = (Vec::new(), None);
        if A::HAS_TAIL && ends_a {
            local.a_is_open = false;
            // SAFETY: each index here is one of one half, within its length.
            gathered = unsafe { self.last_of_a(&mut local.a, of_a) };
        } else if !of_a.is_empty() {
            // SAFETY: as above.
            a = Some(unsafe { self.a.chunk(&mut local.a, of_a) });
        }
        // SAFETY: as above.
        let b = (!of_b.is_empty()).then(|| unsafe { self.b.chunk(&mut local.b, of_b) });
        ChainIter { gathered: gathered.into_iter(), a, b }
    }

    unsafe fn feed<R: Receiver<A::Item>>(
        &self,
        local: &mut Self::Local,
        indices: Range<usize>,
        receiver: &mut R,
    ) -> ControlFlow<()> {
        if Self::HAS_TAIL && indices.is_empty() {
            return self.feed_tail(local, receiver);
        }
        let (of_a, of_b) = self.split(indices);
        let ends_a = of_a.end == self.a_len && !(of_a.is_empty() && of_b.start > 0);
        local.a_is_open |= !of_a.is_empty();
        // SAFETY: each index here is one of one half, within its length.
        let of_a = unsafe { Claimed::new(&self.a, of_a) };
        // SAFETY: as above.
        let of_b = unsafe { Claimed::new(&self.b, of_b) };
        if of_a.len() > 0 {
            of_a.feed(&mut local.a, receiver)?;
        }
        if A::HAS_TAIL && ends_a {
            local.a_is_open = false;
            end_of(&self.a, self.a_len).feed(&mut local.a, receiver)?;
        }
        if of_b.len() > 0 {
            local.b_is_open = true;
            of_b.feed(&mut local.b, receiver)?;
        }
        ControlFlow::Continue(())
    }

    #[inline]
    fn next_item(&self, local: &Self::Local, index: usize) -> usize {
        match index.checked_sub(self.a_len) {
            None => self.a.next_item(&local.a, index).min(self.a_len),
            Some(index) => self.a_len.saturating_add(self.b.next_item(&local.b, index)),
        }
    }

    unsafe fn discard(&self, indices: Range<usize>) {
        let (of_a, of_b) = self.split(indices);
        // SAFETY: each index here is one of one half, within its length.
        unsafe { self.a.discard(of_a) };
        // SAFETY: as above.
        unsafe { self.b.discard(of_b) };
    }
}

impl<A, B> IndexedProducer for ChainProducer<A, B>
where
    A: IndexedProducer,
    B: IndexedProducer<Item = A::Item>,
{
    type IndexedIter<'a>
        = ChainIter<A::IndexedIter<'a>, B::IndexedIter<'a>, A::Item>
    where
        Self: 'a;

    #[inline]
    unsafe fn indexed_chunk<'a>(
        &'a self,
        local: &'a mut Self::Local,
        indices: Range<usize>,
    ) -> Self::IndexedIter<'a> {
        let (of_a, of_b) = self.split(indices);
        // SAFETY: each index here is one of one half, within its length.
        let a = (!of_a.is_empty()).then(|| unsafe { self.a.indexed_chunk(&mut local.a, of_a) });
        // SAFETY: as above.
        let b = (!of_b.is_empty()).then(|| unsafe { self.b.indexed_chunk(&mut local.b, of_b) });
        ChainIter { gathered: Vec::new().into_iter(), a, b }
    }
}

/// The sequential iterator of `chain`. Most chunks lie in one half.
#[derive(Debug)]
pub struct ChainIter<A, B, T> {
    /// The last items of a first half that has a tail.
    gathered: vec::IntoIter<T>,
    a: Option<A>,
    b: Option<B>,
}

impl<T, A: Iterator<Item = T>, B: Iterator<Item = T>> Iterator for ChainIter<A, B, T> {
    type Item = T;

    #[inline]
    fn next(&mut self) -> Option<T> {
        if let Some(item) = self.gathered.next() {
            return Some(item);
        }
        if let Some(a) = &mut self.a {
            match a.next() {
                None => self.a = None,
                item => return item,
            }
        }
        self.b.as_mut()?.next()
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        let hint = |part: (usize, Option<usize>), (least, most): (usize, Option<usize>)| {
            let most = part.1.zip(most).and_then(|(a, b)| a.checked_add(b));
            (part.0.saturating_add(least), most)
        };
        let none = (0, Some(0));
        let gathered = (self.gathered.len(), Some(self.gathered.len()));
        let a = hint(gathered, self.a.as_ref().map_or(none, A::size_hint));
        hint(a, self.b.as_ref().map_or(none, B::size_hint))
    }

    #[inline]
    fn fold<C, F: FnMut(C, T) -> C>(self, init: C, mut f: F) -> C {
        let ChainIter { gathered, a, b } = self;
        let mut all = gathered.fold(init, &mut f);
        if let Some(a) = a {
            all = a.fold(all, &mut f);
        }
        match b {
            Some(b) => b.fold(all, f),
            None => all,
        }
    }
}

impl<T, A, B> DoubleEndedIterator for ChainIter<A, B, T>
where
    A: DoubleEndedIterator<Item = T>,
    B: DoubleEndedIterator<Item = T>,
{
    #[inline]
    fn next_back(&mut self) -> Option<T> {
        if let Some(b) = &mut self.b {
            match b.next_back() {
                None => self.b = None,
                item => return item,
            }
        }
        self.a.as_mut()?.next_back()
    }
}

impl<T, A: ExactSizeIterator<Item = T>, B: ExactSizeIterator<Item = T>> ExactSizeIterator
    for ChainIter<A, B, T>
{
}
