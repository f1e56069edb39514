//! The part of a loop that a lane has not claimed yet, open to theft at any moment.
//!
//! # State
//!
//! One word, `lo` in the low half and `hi` in the high half: the units `lo..hi` belong to this lane
//! and are not claimed. `lo == hi` is *empty*.
//!
//! | transition | who | when | effect |
//! |---|---|---|---|
//! | [`put`](Range::put) | the owner; the loop's caller before it publishes the loop | empty | `lo..hi` |
//! | [`claim`](Range::claim) | the owner | not empty | `lo += c`: the owner now runs the `c` units |
//! | [`steal`](Range::steal) | any lane | not empty | `hi -= ceil(len / 2)`: the thief now holds those units |
//! | [`take`](Range::take) | the owner; the loop's caller once every lane is out | any | empty |
//!
//! # Why every unit is handed out exactly once
//!
//! The word *is* the whole state: a thread that replaces `(lo, hi)` with a smaller range in one
//! compare-exchange owns the difference. The same pair may come back, because a range can travel to
//! a thief and be stolen back whole. This is harmless: a thief whose compare-exchange succeeds on a
//! pair that it read long ago takes units which the word says are free *now*. `put` is a plain
//! store. It is safe because only the owner leaves the empty state: a thief's compare-exchange
//! needs a pair with `lo < hi`.
//!
//! # Orderings
//!
//! All `Relaxed`. Atomicity alone makes each unit go to one lane, and the word publishes nothing. A
//! lane enters the loop through an invitation, which publishes the items, the closure and the
//! ranges. Results travel back through the [tickets](super::tickets).
//!
//! # Progress
//!
//! Lock-free: a failed compare-exchange means that another lane got work.
//!
//! # Models
//!
//! `range_models.rs`: owner against one and two thieves; a range that travels; `put` against
//! thieves. Nothing is lost, and nothing is handed out twice.

use crate::sync::{AtomicU64, Ordering};

/// Units `lo..hi`, at most `u32::MAX` of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) lo: u32,
    pub(crate) hi: u32,
}

impl Span {
    pub(crate) const EMPTY: Span = Span { lo: 0, hi: 0 };

    #[inline]
    pub(crate) fn len(self) -> u32 {
        self.hi - self.lo
    }

    /// Splits off the first `len` units.
    #[inline]
    pub(crate) fn split_at(self, len: u32) -> (Span, Span) {
        let mid = self.lo + len.min(self.len());
        (Span { hi: mid, ..self }, Span { lo: mid, ..self })
    }

    #[inline]
    pub(super) fn pack(self) -> u64 {
        u64::from(self.hi) << 32 | u64::from(self.lo)
    }

    #[inline]
    pub(super) fn unpack(word: u64) -> Self {
        Span { lo: word as u32, hi: (word >> 32) as u32 }
    }
}

/// The word.
#[derive(Debug)]
pub(crate) struct Range(AtomicU64);

impl Range {
    pub(crate) fn new() -> Self {
        Range(AtomicU64::new(Span::EMPTY.pack()))
    }

    /// Returns the unclaimed units: a hint, and an upper bound for the owner.
    pub(crate) fn peek(&self) -> Span {
        Span::unpack(self.0.load(Ordering::Relaxed))
    }

    /// Fills the empty range.
    pub(crate) fn put(&self, span: Span) {
        debug_assert_eq!(self.peek().len(), 0, "only an empty range is filled");
        self.0.store(span.pack(), Ordering::Relaxed);
    }

    /// Takes up to `want` units from the front for the owner to run. Returns `None` if the range is
    /// empty.
    #[inline]
    pub(crate) fn claim(&self, want: u32) -> Option<Span> {
        let mut word = self.0.load(Ordering::Relaxed);
        loop {
            let Span { lo, hi } = Span::unpack(word);
            if lo == hi {
                return None;
            }
            let end = lo + want.clamp(1, hi - lo);
            match self.0.compare_exchange_weak(
                word,
                Span { lo: end, hi }.pack(),
                Ordering::Relaxed,
                Ordering::Relaxed,
            ) {
                Ok(_) => return Some(Span { lo, hi: end }),
                Err(now) => word = now,
            }
        }
    }

    /// Takes the back half, the larger one if the length is odd. Returns `None` if the range is
    /// empty.
    pub(crate) fn steal(&self) -> Option<Span> {
        let mut word = self.0.load(Ordering::Relaxed);
        loop {
            let Span { lo, hi } = Span::unpack(word);
            if lo == hi {
                return None;
            }
            let mid = lo + (hi - lo) / 2;
            match self.0.compare_exchange_weak(
                word,
                Span { lo, hi: mid }.pack(),
                Ordering::Relaxed,
                Ordering::Relaxed,
            ) {
                Ok(_) => return Some(Span { lo: mid, hi }),
                Err(now) => word = now,
            }
        }
    }

    /// Empties the range and returns what it held.
    pub(crate) fn take(&self) -> Span {
        Span::unpack(self.0.swap(Span::EMPTY.pack(), Ordering::Relaxed))
    }
}
