//! How far a lane has come in the chunk that it runs, and how another takes the rest away from it.
//!
//! A lane runs a chunk in *blocks*. Between two blocks it publishes where the next one ends; what
//! lies behind that has not been started, and a thief that finds nothing else may cut it off: the
//! owner ends at the cut, the thief goes on from there.
//!
//! # State
//!
//! Two words. `at` is the owner's: the units `next..end` of its chunk are not started, and it goes
//! no further than `next` before it writes the word again. `next == end` is *closed*: nothing can
//! be taken.
//!
//! | transition of `at` | who | when | effect |
//! |---|---|---|---|
//! | [`open`](ChunkPosition::open) | the owner | closed, and it is about to run a chunk's first block | the rest is open to thieves |
//! | [`advance`](ChunkPosition::advance) | the owner | before each further block; with `next == end` before the last, or to have the rest back | `next` moves on, unless the chunk was cut |
//!
//! `cut` is where owner and thief come to terms: `NONE`, `REQUESTED(thief)` or `TAKEN(unit)`.
//!
//! | transition of `cut` | who | effect |
//! |---|---|---|
//! | `NONE` → `REQUESTED(t)` | thief `t`, in [`revoke`](ChunkPosition::revoke) | others keep off |
//! | `REQUESTED(t)` → `TAKEN(u)` | thief `t`, which has read `at` as `u..end` after its fence | `u..end` is the thief's |
//! | `REQUESTED(t)` → `NONE` | thief `t`, which finds nothing to take; or the owner, in `advance` | no cut: the chunk is moving |
//! | `TAKEN(u)` → `NONE` | the owner, after it has closed `at` | the cut is accepted |
//!
//! # Why every unit is run exactly once
//!
//! Let a thief write `TAKEN(u)`, having read `at` as the owner's *k*-th announcement, `u..end`. If
//! the thief did not see announcement *k + 1*, that came after the thief's fence, and so the owner,
//! which reads `cut` after announcing, finds the request or what became of it. It does not withdraw
//! the request, for then the thief's compare-exchange would have failed; so it finds `TAKEN(u)`, at
//! the latest in its own compare-exchange. Up to there it has run the units before its announcement
//! *k*, and those that it announced: those before `u`. If the thief saw a later announcement, that
//! is the *k*-th of this argument.
//!
//! So at an announcement of `from..next` the owner finds `TAKEN(from)`, and stops, or
//! `TAKEN(next)`, and runs one block more. `open` needs no look at `cut`: before it, `at` was
//! closed, and a thief that read that takes nothing.
//!
//! No number needs to tell requests apart. A thief makes one at a time, so `REQUESTED(t)` is always
//! thief `t`'s latest. If the owner has gone on to its next chunk meanwhile, what the thief reads
//! of `at` is that chunk's, and as good: the argument is about whatever announcement it reads
//! *after* its fence.
//!
//! # Orderings
//!
//! * `advance`, a light fence between announcement and look; `revoke`, a heavy one between request
//!   and look. They make Dekker's pair: one of the two sees what the other wrote. Without either,
//!   the owner runs units that the thief has taken. Only this pair is relied on, light against
//!   heavy. Two light fences order nothing; but two owners never meet here, each has a position of
//!   its own, and thieves exclude each other by compare-exchange on `cut`.
//! * `TAKEN` → `NONE`: Release. Pairs with the heavy fence of the next thief, which is an acquire
//!   fence after its compare-exchange from `NONE`: it finds `at` closed. Weakened, it takes the
//!   same rest once more.
//! * All else is Relaxed: the words say themselves whose a unit is, and publish nothing, as in
//!   [range](super::range).
//!
//! # Progress
//!
//! The owner never waits: a request that it finds it withdraws. A thief that is suspended with its
//! request out keeps other thieves from this chunk, until the owner comes by; it keeps nobody from
//! any other.
//!
//! # Models
//!
//! `chunk_position_models.rs`: the owner against one and two thieves, with cuts after any block; a
//! thief that is late, and meets the next chunk; a chunk that is given up early. Nothing is lost,
//! nothing is run twice. In a model both fences are `fence(SeqCst)`, which is what a light and a
//! heavy one are to each other.

use super::range::Span;
use crate::sync::{AtomicU64, Fences, Ordering, heavy_fence, light_fence};

const NONE: u64 = 0;
const REQUESTED: u64 = 1 << 32;
const TAKEN: u64 = 2 << 32;
const KIND: u64 = 3 << 32;

/// Why a thief has not got the rest of a chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kept {
    /// The chunk moves, or another thief is at it.
    ForNow,
    /// The system refuses what it takes.
    ForGood,
}

/// The words. They want a cache line of their own: the owner writes it several times in each chunk.
#[derive(Debug)]
pub(crate) struct ChunkPosition {
    at: AtomicU64,
    cut: AtomicU64,
}

impl ChunkPosition {
    pub(crate) fn new() -> Self {
        ChunkPosition { at: AtomicU64::new(Span::EMPTY.pack()), cut: AtomicU64::new(NONE) }
    }

    /// What could be taken of the running chunk at this moment; a hint.
    pub(crate) fn rest(&self) -> Span {
        if self.cut.load(Ordering::Relaxed) & KIND == TAKEN { Span::EMPTY } else { self.announced() }
    }

    fn announced(&self) -> Span {
        Span::unpack(self.at.load(Ordering::Relaxed))
    }

    /// The owner is about to run the units of a chunk before `rest`.
    #[inline]
    pub(crate) fn open(&self, rest: Span) {
        debug_assert_eq!(self.announced().len(), 0, "a lane runs one chunk at a time");
        self.at.store(rest.pack(), Ordering::Relaxed);
    }

    /// The owner, which has come to the end of a block, wants to run up to `rest`. If a thief was
    /// faster, the unit at which the chunk ends now: that at which the owner is, or the one at
    /// which `rest` begins.
    #[inline]
    #[must_use]
    pub(crate) fn advance(&self, rest: Span, fences: Fences) -> Option<u32> {
        self.at.store(rest.pack(), Ordering::Relaxed);
        // Light: pairs with the heavy fence of `revoke`.
        light_fence(fences);
        if self.cut.load(Ordering::Relaxed) == NONE { None } else { self.come_to_terms() }
    }

    /// Somebody wants the rest, or has it.
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

    /// Takes the rest of the running chunk, if that is still the one that ends at `end`. `thief` is
    /// a number that no other thief has.
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
