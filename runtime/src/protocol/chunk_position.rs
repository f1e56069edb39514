//! How far a lane has come in its current chunk, and how a thief takes the rest.
//!
//! A lane runs a chunk in *blocks*. Before each block it publishes where that block ends. The units
//! after that point have not started. A thief that finds no other work may cut them off: the owner
//! ends at the cut, and the thief continues from there.
//!
//! # State
//!
//! Two words. Only the owner writes `at`: the units `next..end` of its chunk have not started, and
//! the owner does not run past `next` before it writes the word again. `next == end` means
//! *closed*: nothing can be stolen.
//!
//! | transition of `at` | who | when | effect |
//! |---|---|---|---|
//! | [`open`](ChunkPosition::open) | the owner | `at` is closed, and the owner is about to run the first block of a chunk | the rest is open to thieves |
//! | [`advance`](ChunkPosition::advance) | the owner | before each further block; with `next == end` before the last block, or to take the rest back | `next` moves on, unless the chunk was cut |
//!
//! Owner and thief agree on a cut through `cut`: `NONE`, `REQUESTED(thief)` or `TAKEN(unit)`.
//!
//! | transition of `cut` | who | effect |
//! |---|---|---|
//! | `NONE` → `REQUESTED(t)` | thief `t`, in [`revoke`](ChunkPosition::revoke) | excludes other thieves |
//! | `REQUESTED(t)` → `TAKEN(u)` | thief `t`, which has read `at` as `u..end` after its fence | `u..end` is the thief's |
//! | `REQUESTED(t)` → `NONE` | thief `t`, if there is nothing to take; or the owner, in `advance` | no cut: the owner is making progress |
//! | `TAKEN(u)` → `NONE` | the owner, after it has closed `at` | the cut is accepted |
//!
//! # Why each unit runs exactly once
//!
//! Suppose a thief writes `TAKEN(u)` after it read the owner's *k*-th announcement `u..end` from
//! `at`. If the thief did not see announcement *k + 1*, that announcement came after the thief's
//! fence. The owner reads `cut` after each announcement, so it finds the request or its outcome. It
//! did not withdraw the request, because then the thief's compare-exchange would have failed. So it
//! finds `TAKEN(u)`, at the latest in its own compare-exchange. Until then it has run the units
//! before announcement *k* and the units that it announced: exactly those before `u`. If the thief
//! saw a later announcement, call that one *k*.
//!
//! So the owner that announces `from..next` finds either `TAKEN(from)` and stops, or `TAKEN(next)`
//! and runs one more block. `open` need not read `cut`: `at` was closed before, and a thief that
//! read this takes nothing.
//!
//! Requests need no sequence number. A thief makes one request at a time, so `REQUESTED(t)` is
//! always the latest request of thief `t`. If the owner has moved on to its next chunk, the thief
//! reads that chunk from `at`. This is just as good: the argument holds for any announcement that
//! the thief reads *after* its fence.
//!
//! # Orderings
//!
//! * A light fence in `advance` between the announcement and the read of `cut`; a heavy fence in
//!   `revoke` between the request and the read of `at`. They form Dekker's pattern: at least one
//!   side sees the other's write. Without either, the owner runs units that the thief has taken.
//!   Only a light and a heavy fence order each other; two light fences do not. Two owners never
//!   meet here, because each has its own position. Thieves exclude each other by compare-exchange
//!   on `cut`.
//! * `TAKEN` → `NONE`: Release. Pairs with the heavy fence of the next thief, which is an acquire
//!   fence after its compare-exchange from `NONE`: this thief finds `at` closed. With a weaker
//!   ordering, it takes the same rest again.
//! * All else is Relaxed. The words themselves say who owns a unit, and they publish nothing, as in
//!   [range](super::range).
//!
//! # Progress
//!
//! The owner never waits: it withdraws any request that it finds. A thief that is suspended in the
//! middle of a request blocks other thieves from this chunk until the owner reaches the end of its
//! block. Other chunks are not affected.
//!
//! # Models
//!
//! `chunk_position_models.rs`: the owner against one and two thieves, with a cut after each block;
//! a late thief that meets the next chunk; a chunk that is abandoned early. Nothing is lost, and
//! nothing runs twice. In the models both fences are `fence(SeqCst)`, which is what a light and a
//! heavy fence are to each other.

use super::range::Span;
use crate::sync::{AtomicU64, Fences, Ordering, heavy_fence, light_fence};

const NONE: u64 = 0;
const REQUESTED: u64 = 1 << 32;
const TAKEN: u64 = 2 << 32;
const KIND: u64 = 3 << 32;

/// Why a thief did not get the rest of a chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kept {
    /// The owner is making progress, or another thief was faster.
    ForNow,
    /// The system does not support heavy fences.
    ForGood,
}

/// The words. Keep them on a cache line of their own: the owner writes them several times per
/// chunk.
#[derive(Debug)]
pub(crate) struct ChunkPosition {
    at: AtomicU64,
    cut: AtomicU64,
}

impl ChunkPosition {
    pub(crate) fn new() -> Self {
        ChunkPosition { at: AtomicU64::new(Span::EMPTY.pack()), cut: AtomicU64::new(NONE) }
    }

    /// Returns what a thief could take of the current chunk. A hint.
    pub(crate) fn rest(&self) -> Span {
        if self.cut.load(Ordering::Relaxed) & KIND == TAKEN { Span::EMPTY } else { self.announced() }
    }

    fn announced(&self) -> Span {
        Span::unpack(self.at.load(Ordering::Relaxed))
    }

    /// Opens `rest` to thieves. The owner is about to run the units before it.
    #[inline]
    pub(crate) fn open(&self, rest: Span) {
        debug_assert_eq!(self.announced().len(), 0, "a lane runs one chunk at a time");
        self.at.store(rest.pack(), Ordering::Relaxed);
    }

    /// Announces that the owner, which has finished a block, runs up to `rest` next. Returns the
    /// unit at which the chunk now ends if a thief was faster: the owner's current unit, or the
    /// first unit of `rest`.
    #[inline]
    #[must_use]
    pub(crate) fn advance(&self, rest: Span, fences: Fences) -> Option<u32> {
        self.at.store(rest.pack(), Ordering::Relaxed);
        // Light: pairs with the heavy fence of `revoke`.
        light_fence(fences);
        if self.cut.load(Ordering::Relaxed) == NONE { None } else { self.come_to_terms() }
    }

    /// Handles a request or a cut of a thief.
    #[cold]
    fn come_to_terms(&self) -> Option<u32> {
        let mut word = self.cut.load(Ordering::Relaxed);
        loop {
            match word & KIND {
                TAKEN => {
                    self.at.store(Span::EMPTY.pack(), Ordering::Relaxed);
                    // Release: the next thief finds the chunk closed; pairs with the heavy fence of
                    // `revoke`.
                    self.cut.store(NONE, Ordering::Release);
                    return Some(word as u32);
                }
                REQUESTED => {
                    match self.cut.compare_exchange(word, NONE, Ordering::Relaxed, Ordering::Relaxed) {
                        Ok(_) => return None,
                        Err(now) => word = now,
                    }
                }
                _ => return None,
            }
        }
    }

    /// Steals the rest of the current chunk if this is still the chunk that ends at `end`. No two
    /// thieves have the same number `thief`.
    pub(crate) fn revoke(&self, end: u32, thief: u32, fences: Fences) -> Result<Span, Kept> {
        let request = REQUESTED | u64::from(thief);
        if self.cut.compare_exchange(NONE, request, Ordering::Relaxed, Ordering::Relaxed).is_err() {
            return Err(Kept::ForNow);
        }
        // Heavy: pairs with the light fence of `advance`.
        let ordered = heavy_fence(fences);
        let rest = self.announced();
        let worth_it = ordered && rest.hi == end && rest.len() > 0;
        let answer = if worth_it { TAKEN | u64::from(rest.lo) } else { NONE };
        let agreed = self.cut.compare_exchange(request, answer, Ordering::Relaxed, Ordering::Relaxed).is_ok();
        match worth_it && agreed {
            true => Ok(rest),
            false if ordered => Err(Kept::ForNow),
            false => Err(Kept::ForGood),
        }
    }
}
