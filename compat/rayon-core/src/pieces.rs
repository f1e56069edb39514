//! How often a loop of rayon is split.
//!
//! rayon splits a loop by [`join_context`](crate::join_context()) into a few pieces per worker. It
//! splits a piece further only if the piece has *migrated*, because a worker was idle. In a piece
//! that is not split, all items after a long one have to wait. So here `migrated` also returns true
//! where this costs almost nothing: while the loop has few pieces for the time that such loops
//! take.
//!
//! # How long a loop takes
//!
//! A side of a join that begins no join of the same kind is a piece. The first join has two sides,
//! at depth 1. A piece at depth `d` stands for the fraction 2⁻ᵈ of its loop, and these fractions
//! add up to 1. A piece that took `t` moves the estimated time `T` of a loop of this kind by
//! `(t - T · 2⁻ᵈ) / 4`. So a whole loop moves it by a quarter of the difference, and `T` is a mean
//! of the latest loops. A loop is split into at most `T / PIECE` pieces, or into as many as rayon
//! would make. A piece costs about 0.5 µs, which is a small fraction of the loop's time, however
//! uneven the loops are. A loop inside another one of its kind counts as a part of it.
//!
//! The types of the closures identify the kind. If two kinds share an entry of the table, each
//! forgets what was learned about the other. Such errors only make pieces too large or too small.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use taskel::JoinRegion;

use crate::worker::current_num_threads;

/// The shortest time of a piece in loops of equal items: a hundred times its cost.
const PIECE_NS: f32 = 48_000.0;

const ENTRIES: usize = 1024;

/// For each kind: its tag in the upper half, and the nanoseconds of a loop as an `f32` in the lower
/// half.
static TABLE: [AtomicU64; ENTRIES] = [const { AtomicU64::new(0) }; ENTRIES];

/// A kind of joins.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Kind(u64);

/// A thread that has measured this fraction of a loop publishes it at once. Smaller fractions are
/// collected, because all threads write the same word.
const TOLD: f32 = 1.0 / 32.0;

/// Loops of a kind that take less than this fraction of what is worth splitting are measured
/// rarely.
const SHORT: f32 = 0.25;

/// Each thread measures one in 2 to this power of such short loops.
const SELDOM_BITS: u32 = 4;

/// The place of this thread in a tree of joins.
#[derive(Clone, Copy)]
struct Place {
    kind: Kind,
    depth: u32,
    /// How many more times rayon splits a piece after it was told that the piece has migrated.
    further: u32,
    is_measured: bool,
    /// Whether another join splits it.
    is_split: bool,
    /// That of its loop.
    region: Option<JoinRegion>,
}

/// Measured pieces that were not published yet.
#[derive(Clone, Copy)]
struct Untold {
    kind: Kind,
    ns: f32,
    share: f32,
}

thread_local! {
    static PLACE: Cell<Place> = const {
        Cell::new(Place { kind: Kind(0), depth: 0, further: 0, is_measured: false, is_split: false, region: None })
    };
    /// Changes with each loop that this thread begins.
    static TURN: Cell<u32> = const { Cell::new(0) };
    /// When the current piece began, or the last one ended.
    static SINCE: Cell<Option<Instant>> = const { Cell::new(None) };
    static UNTOLD: Cell<Untold> = const { Cell::new(Untold { kind: Kind(0), ns: 0.0, share: 0.0 }) };
}

/// The sides of one join.
#[derive(Clone, Copy)]
pub(crate) struct Sides {
    kind: Kind,
    depth: u32,
    further: u32,
    is_measured: bool,
    region: Option<JoinRegion>,
}

impl Kind {
    /// Returns the kind of all joins that call this function.
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

    /// Returns the nanoseconds of a loop, if one was measured.
    fn loop_ns(self) -> Option<f32> {
        let entry = self.entry().load(Ordering::Relaxed);
        ((entry >> 32) as u32 == self.tag()).then(|| f32::from_bits(entry as u32))
    }

    /// Records that a piece at this depth took `piece_ns`.
    fn learn(self, piece_ns: u64, depth: u32) {
        let mut untold = UNTOLD.get();
        if untold.kind != self {
            untold = Untold { kind: self, ns: 0.0, share: 0.0 };
        }
        untold.ns += piece_ns as f32;
        untold.share += 1.0 / power_of_two(depth);
        if untold.share >= TOLD {
            let loop_ns = match self.loop_ns() {
                Some(loop_ns) => loop_ns + (untold.ns - loop_ns * untold.share) / 4.0,
                None => untold.ns / untold.share,
            };
            let entry = u64::from(self.tag()) << 32 | u64::from(loop_ns.to_bits());
            self.entry().store(entry, Ordering::Relaxed);
            untold = Untold { kind: self, ns: 0.0, share: 0.0 };
        }
        UNTOLD.set(untold);
    }
}

/// For small exponents. Larger ones give the same result.
fn power_of_two(exponent: u32) -> f32 {
    (1_u64 << exponent.min(62)) as f32
}

impl Sides {
    /// Returns the sides of a join that begins here.
    pub(crate) fn of(kind: Kind) -> Self {
        let place = PLACE.get();
        if place.kind == kind {
            PLACE.set(Place { is_split: true, ..place });
            let Place { further, is_measured, region, .. } = place;
            return Sides { kind, depth: place.depth + 1, further, is_measured, region };
        }
        let mut sides = Sides { kind, depth: 1, further: further(), is_measured: true, region: None };
        // Reading the clock would cost a short loop more than everything else.
        let is_short = kind.loop_ns().is_some_and(|ns| ns < SHORT * sides.worth_splitting_ns());
        // The step is far from every simple fraction. So every kind is measured from time to time,
        // in whatever order kinds alternate.
        let turn = TURN.get().wrapping_add(0x9E37_79B9);
        TURN.set(turn);
        sides.is_measured = sides.further > 0 && (!is_short || turn >> (32 - SELDOM_BITS) == 0);
        if sides.is_measured {
            SINCE.set(Some(Instant::now()));
        }
        sides
    }

    /// Calls `op` in the region of the loop, whose joins help each other while they wait.
    #[inline]
    pub(crate) fn in_region<R>(self, op: impl FnOnce(JoinRegion, Self) -> R) -> R {
        taskel::join_region(self.region, |region| op(region, Sides { region: Some(region), ..self }))
    }

    /// Runs one side, and tells it whether it should be split.
    pub(crate) fn run<R>(self, has_migrated: bool, side: impl FnOnce(bool) -> R) -> R {
        let Sides { kind, depth, further, is_measured, region } = self;
        let outer = PLACE.replace(Place { kind, depth, further, is_measured, is_split: false, region });
        if !is_measured {
            let result = side(has_migrated);
            PLACE.set(outer);
            return result;
        }
        if has_migrated {
            SINCE.set(Some(Instant::now()));
        }
        let since = SINCE.get();
        let result = side(has_migrated || self.is_worth_splitting());
        let place = PLACE.replace(outer);
        if !place.is_split {
            let now = Instant::now();
            SINCE.set(Some(now));
            if let Some(since) = since {
                kind.learn(u64::try_from((now - since).as_nanos()).unwrap_or(u64::MAX), depth);
            }
        }
        result
    }

    /// Records that this thread has waited for the second side. The wait belongs to no piece.
    pub(crate) fn have_waited(self) {
        if self.is_measured {
            SINCE.set(Some(Instant::now()));
        }
    }

    fn is_worth_splitting(self) -> bool {
        self.kind.loop_ns().is_some_and(|loop_ns| loop_ns >= self.worth_splitting_ns())
    }

    /// Returns the time of a loop for which it is worth splitting these sides.
    fn worth_splitting_ns(self) -> f32 {
        PIECE_NS * power_of_two(self.depth + self.further)
    }
}

/// rayon starts with the number of workers, and halves it at each split. Returns 0 if there is one
/// worker, for which no split is worth it.
fn further() -> u32 {
    match current_num_threads() {
        0 | 1 => 0,
        workers => workers.ilog2() + 1,
    }
}
