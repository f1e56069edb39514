//! How far a loop of rayon's is split.
//!
//! rayon splits a loop by [`join_context`](crate::join_context()) into a few pieces for each worker, and a piece
//! further only where it has *migrated*: somebody was idle. A piece that is not split holds back
//! what lies behind a long item in it. So here `migrated` also says yes where that costs next to
//! nothing: while the loop has fewer pieces than the time of such loops is worth.
//!
//! # What a loop is worth
//!
//! A side of a join that begins no join of the same kind is a piece. One at depth `d` (the first
//! join has two sides at depth 1) stands for the 2⁻ᵈ th part of its loop: these parts add up to 1.
//! So each piece that took `t` moves the time `T` of a loop of this kind by `(t - T · 2⁻ᵈ) / 2`, and a
//! whole loop moves it by half of its distance: `T` is a mean of the latest loops. They are split
//! into `T / PIECE` pieces or fewer, so that what the pieces cost, 0.1 µs each, is a small part of
//! what the loops took, however uneven they are.
//!
//! The kinds are told apart by the types of the closures; two that share an entry of the table
//! learn from nothing but the last one. Errors only make pieces too large or too small.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use crate::worker::current_num_threads;

/// How long a piece should take, at least.
const PIECE_NS: f32 = 16_000.0;

const ENTRIES: usize = 1024;

/// Of each kind: its tag in the upper half, and the nanoseconds of a loop, an `f32`, in the lower.
static TABLE: [AtomicU64; ENTRIES] = [const { AtomicU64::new(0) }; ENTRIES];

/// A kind of joins.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Kind(u64);

/// What this thread is in.
#[derive(Clone, Copy)]
struct Place {
    kind: Kind,
    depth: u32,
    /// It is split by another join.
    is_split: bool,
}

thread_local! {
    static PLACE: Cell<Place> = const { Cell::new(Place { kind: Kind(0), depth: 0, is_split: false }) };
    /// When the running piece began: since then, only joins did.
    static SINCE: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// The sides of one join.
#[derive(Clone, Copy)]
pub(crate) struct Sides {
    kind: Kind,
    depth: u32,
    /// So many times rayon goes on to split after it was told that a piece has migrated.
    further: u32,
}

impl Kind {
    /// That of the joins which call this function.
    pub(crate) fn of(address: usize) -> Self {
        // Fibonacci hashing: the upper bits of the product depend on all bits of the address. No
        // kind is 0.
        Kind((address as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    fn entry(self) -> &'static AtomicU64 {
        &TABLE[(self.0 >> 40) as usize % ENTRIES]
    }

    fn tag(self) -> u32 {
        self.0 as u32
    }

    /// The nanoseconds of a loop, if one was measured.
    fn loop_ns(self) -> Option<f32> {
        let entry = self.entry().load(Ordering::Relaxed);
        ((entry >> 32) as u32 == self.tag()).then(|| f32::from_bits(entry as u32))
    }

    /// A piece at this depth took so long.
    fn learn(self, piece_ns: f32, depth: u32) {
        let share = 0.5_f32.powi(depth.min(60) as i32);
        let loop_ns = match self.loop_ns() {
            Some(loop_ns) => loop_ns + (piece_ns - loop_ns * share) / 2.0,
            None => piece_ns / share,
        };
        let entry = u64::from(self.tag()) << 32 | u64::from(loop_ns.to_bits());
        self.entry().store(entry, Ordering::Relaxed);
    }
}

impl Sides {
    /// Of a join that begins here.
    pub(crate) fn of(kind: Kind) -> Self {
        let place = PLACE.get();
        if place.kind == kind {
            PLACE.set(Place { is_split: true, ..place });
            return Sides { kind, depth: place.depth + 1, further: further() };
        }
        SINCE.set(Some(Instant::now()));
        Sides { kind, depth: 1, further: further() }
    }

    /// Runs one of them, which is told whether it is to be split.
    pub(crate) fn run<R>(self, has_migrated: bool, side: impl FnOnce(bool) -> R) -> R {
        if has_migrated {
            SINCE.set(Some(Instant::now()));
        }
        let since = SINCE.get();
        let outer = PLACE.replace(Place { kind: self.kind, depth: self.depth, is_split: false });
        let result = side(has_migrated || self.is_worth_splitting());
        let place = PLACE.replace(outer);
        if !place.is_split {
            let now = Instant::now();
            SINCE.set(Some(now));
            if let Some(since) = since {
                self.kind.learn((now - since).as_nanos() as f32, self.depth);
            }
        }
        result
    }

    fn is_worth_splitting(self) -> bool {
        self.further > 0
            && self.kind.loop_ns().is_some_and(|loop_ns| {
                let pieces = (loop_ns / PIECE_NS) as u64;
                pieces >> (self.depth + self.further).min(63) > 0
            })
    }
}

/// rayon begins again with the number of workers, and halves it at each split. 0 if there is one.
fn further() -> u32 {
    match current_num_threads() {
        0 | 1 => 0,
        workers => workers.ilog2() + 1,
    }
}
