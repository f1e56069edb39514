//! Chunks that end when the rest of them is not wanted any more.
//!
//! There is a check before each index, and before each item if one index may have many. So at most
//! the current item is run in vain, however long the chunk is. A check costs a fraction of a
//! nanosecond, but code with checks is not vectorised. So chunks of items that take less than a few
//! checks have none.
//!
//! Only this file does so: it passes a chunk to the consumer as a chunk of another producer,
//! [`Watched`], whose iterator makes a chunk of each single index. So adapters and consumers need
//! not know of it, and adapters that drop most items, such as `filter`, are checked as well. If
//! chunks of single indices are not cheap (`Producer::STEPS`), or an index may have many items, the
//! check is before each item that comes out, and `flat_map_iter` also checks inside. For adapters
//! that gather items (`fold`), the base is watched (`chunk_until`).
//!
//! An early end in an inner loop of a `flat_map` also ends the loops around it. The lane that finds
//! it tells them at once (`Around`), before the other lanes leave the inner loop. A search in order
//! only notes in which chunk it was.

use std::ops::{ControlFlow, Range};
use std::{fmt, mem};

use super::around::{Around, InChunk};
use super::options::Options;
use super::producer::{Claimed, Producer, Receiver};
use crate::sync::{AtomicBool, AtomicU64, Ordering};

/// What is looked at, and what has come of it.
#[doc(hidden)]
pub struct Lookout<'a> {
    around: &'a InChunk<'a>,
    /// It was so before the end of the chunk. Relaxed, as the next: of one lane.
    ended: AtomicBool,
    /// How many indices were left.
    left: AtomicU64,
    /// How often was looked, where an index may have many items.
    looks: AtomicU64,
}

impl<'a> Lookout<'a> {
    pub(crate) fn new(around: &'a InChunk<'a>) -> Self {
        Lookout { around, ended: AtomicBool::new(false), left: AtomicU64::new(0), looks: AtomicU64::new(0) }
    }

    #[inline]
    pub(crate) fn is_over(&self) -> bool {
        self.around.is_over()
    }

    /// Whether the chunk has ended because of what is looked at.
    pub(crate) fn has_ended(&self) -> bool {
        self.ended.load(Ordering::Relaxed)
    }

    /// How many indices of the chunk were left, for any reason.
    pub(crate) fn left(&self) -> usize {
        self.left.load(Ordering::Relaxed) as usize
    }

    /// How often was looked, where an index may have many items: about once for each.
    pub(crate) fn looks(&self) -> u64 {
        self.looks.load(Ordering::Relaxed)
    }

    /// A check between items, for indices that may have many: whether nothing more is wanted.
    #[inline]
    pub(crate) fn look(&self) -> bool {
        self.looks.store(self.looks.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
        self.is_over()
    }

    #[cold]
    fn end(&self) {
        self.ended.store(true, Ordering::Relaxed);
    }
}

impl fmt::Debug for Lookout<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Lookout { ended, left, looks, .. } = self;
        f.debug_struct("Lookout")
            .field("ended", ended)
            .field("left", left)
            .field("looks", looks)
            .finish_non_exhaustive()
    }
}

/// Items for as long as they are wanted, if there is anything to look at.
#[derive(Clone)]
pub struct Wanted<'a, I> {
    items: I,
    lookout: Option<&'a Lookout<'a>>,
}

impl<'a, I> Wanted<'a, I> {
    #[inline]
    pub(crate) fn new(items: I, lookout: Option<&'a Lookout<'a>>) -> Self {
        Wanted { items, lookout }
    }
}

impl<I: fmt::Debug> fmt::Debug for Wanted<'_, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Wanted").field(&self.items).finish()
    }
}

impl<I: Iterator> Iterator for Wanted<'_, I> {
    type Item = I::Item;

    #[inline]
    fn next(&mut self) -> Option<I::Item> {
        match self.lookout {
            Some(lookout) if lookout.look() => None,
            _ => self.items.next(),
        }
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        let (least, most) = self.items.size_hint();
        (if self.lookout.is_some() { 0 } else { least }, most)
    }

    // Where nobody looks, the loop is that of the items.
    #[inline]
    fn fold<B, G: FnMut(B, I::Item) -> B>(mut self, init: B, mut g: G) -> B {
        if self.lookout.is_none() {
            return self.items.fold(init, g);
        }
        let mut all = init;
        for item in self.by_ref() {
            all = g(all, item);
        }
        all
    }
}

/// A producer whose chunks are watched.
pub(crate) struct Watched<'a, P> {
    base: &'a P,
    lookout: &'a Lookout<'a>,
}

impl<'a, P: Producer> Watched<'a, P> {
    pub(crate) fn new(base: &'a P, lookout: &'a Lookout<'a>) -> Self {
        Watched { base, lookout }
    }

    /// The same indices, of the watched producer.
    #[inline]
    pub(crate) fn claim(&self, claimed: Claimed<'_, P>) -> Claimed<'_, Self> {
        // SAFETY: they were claimed, and nobody else gets them.
        unsafe { Claimed::new(self, claimed.release()) }
    }
}

impl<P: Producer> Producer for Watched<'_, P> {
    type Item = P::Item;
    type Local = P::Local;
    type Iter<'b>
        = Steps<'b, P>
    where
        Self: 'b;
    const HAS_TAIL: bool = P::HAS_TAIL;
    const NESTS: bool = P::NESTS;

    fn len(&self) -> usize {
        self.base.len()
    }

    fn options(&self) -> Options<'_> {
        self.base.options()
    }

    fn is_exact(&self) -> bool {
        self.base.is_exact()
    }

    fn is_bounded(&self) -> bool {
        self.base.is_bounded()
    }

    fn has_left(&self) -> bool {
        self.lookout.has_ended()
    }

    fn local(&self) -> P::Local {
        self.base.local()
    }

    #[inline]
    unsafe fn chunk<'b>(&'b self, local: &'b mut P::Local, indices: Range<usize>) -> Steps<'b, P> {
        // An empty run stands for a tail, which needs a chunk, too.
        let is_tail = P::HAS_TAIL && indices.is_empty();
        // SAFETY: the same demands.
        let left = unsafe { Claimed::new(self.base, indices) };
        Steps { current: None, left, is_tail, local, lookout: self.lookout }
    }

    #[inline]
    unsafe fn feed<R: Receiver<P::Item>>(
        &self,
        local: &mut P::Local,
        indices: Range<usize>,
        receiver: &mut R,
    ) -> ControlFlow<()> {
        let is_tail = indices.is_empty();
        // SAFETY: the same demands.
        let mut left = unsafe { Claimed::new(self.base, indices) };
        if is_tail {
            return left.feed(local, receiver);
        }
        while left.len() > 0 {
            if self.lookout.is_over() {
                self.lookout.end();
                self.lookout.left.store(left.len() as u64, Ordering::Relaxed);
                return ControlFlow::Break(());
            }
            left.split_off(1).feed(local, receiver)?;
        }
        ControlFlow::Continue(())
    }

    unsafe fn discard(&self, indices: Range<usize>) {
        // SAFETY: the same demands.
        unsafe { self.base.discard(indices) }
    }
}

/// Whether a producer's chunks can be made index by index, with at most one item each.
const fn steps<P: Producer>() -> bool {
    P::STEPS && !P::HAS_TAIL
}

/// The sequential iterator of a watched chunk.
pub(crate) struct Steps<'a, P: Producer> {
    /// The whole chunk, unless it is had index by index.
    current: Option<P::Iter<'a>>,
    left: Claimed<'a, P>,
    is_tail: bool,
    /// Lent for `'a`: to `current`, or to one chunk after the other.
    local: *mut P::Local,
    lookout: &'a Lookout<'a>,
}

impl<'a, P: Producer> Steps<'a, P> {
    /// The first indices that are left, at most `len`.
    ///
    /// # Safety
    ///
    /// The iterator before is gone.
    #[inline]
    unsafe fn step(&mut self, len: usize) -> P::Iter<'a> {
        let few = self.left.split_off(len);
        // SAFETY: it is lent for `'a`, and nothing else borrows it: an iterator that is gone has no
        // way to leave what it borrowed for any lifetime that it is given.
        let local = unsafe { &mut *self.local };
        few.produce_until(local, self.lookout)
    }

    /// Whether there are indices that are wanted.
    #[inline]
    fn goes_on(&self) -> bool {
        if self.left.len() == 0 {
            return false;
        }
        let is_over = self.lookout.is_over();
        if is_over {
            self.lookout.end();
        }
        !is_over
    }

    /// The next item of the whole chunk.
    fn next_of_all(&mut self) -> Option<P::Item> {
        if let Some(items) = &mut self.current {
            if items.size_hint().1 != Some(0) && self.lookout.look() {
                self.lookout.end();
                return None;
            }
        } else if mem::take(&mut self.is_tail) || self.goes_on() {
            // SAFETY: there is none before.
            self.current = Some(unsafe { self.step(usize::MAX) });
        }
        self.current.as_mut()?.next()
    }
}

impl<P: Producer> Drop for Steps<'_, P> {
    #[inline]
    fn drop(&mut self) {
        if self.left.len() > 0 {
            self.lookout.left.store(self.left.len() as u64, Ordering::Relaxed);
        }
    }
}

impl<P: Producer> Iterator for Steps<'_, P> {
    type Item = P::Item;

    #[inline]
    fn next(&mut self) -> Option<P::Item> {
        if !steps::<P>() {
            return self.next_of_all();
        }
        while self.goes_on() {
            // SAFETY: each is gone at the end of its line.
            let item = unsafe { self.step(1) }.next();
            if item.is_some() {
                return item;
            }
        }
        None
    }

    #[inline]
    fn fold<B, G: FnMut(B, P::Item) -> B>(mut self, init: B, mut g: G) -> B {
        let mut all = init;
        if steps::<P>() {
            while self.goes_on() {
                // SAFETY: each is gone at the end of its line.
                all = unsafe { self.step(1) }.fold(all, &mut g);
            }
        } else {
            while let Some(item) = self.next_of_all() {
                all = g(all, item);
            }
        }
        all
    }
}
