//! How far a loop of rayon's is split.
//!
//! rayon splits a loop by [`join_context`](crate::join_context()) into a few pieces for each worker,
//! and a piece further only where it has *migrated*: somebody was idle. A piece that is not split
//! holds back what lies behind a long item in it. So here `migrated` also says yes where that costs
//! next to nothing: while the loop has few pieces for the time that such loops take.
//!
//! # How long a loop takes
//!
//! A side of a join that begins no join of the same kind is a piece. One at depth `d` (the first
//! join has two sides, at depth 1) stands for the 2⁻ᵈ th part of its loop: these parts add up to 1.
//! So each piece that took `t` moves the time `T` of a loop of this kind by `(t - T · 2⁻ᵈ) / 4`, and
//! a whole loop moves it by a quarter of its distance: `T` is a mean of the latest loops. A loop is
//! split into `T / PIECE` pieces at most, or as many as rayon would. What a piece costs, some
//! 0.5 µs, is thus a small part of what the loops took, however uneven they are. A loop inside of
//! another one of its kind cannot be told from a part of it.
//!
//! The kinds are told apart by the types of the closures. Of two that share an entry of the table,
//! each forgets what the other one has learned. Errors make pieces too large or too small, and
//! nothing else.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use taskel::JoinRegion;

use crate::worker::current_num_threads;

/// How long a piece takes, at least, in loops of equal items: a hundred times what it costs.
const PIECE_NS: f32 = 48_000.0;

const ENTRIES: usize = 1024;

/// Of each kind: its tag in the upper half, and the nanoseconds of a loop, an `f32`, in the lower.
static TABLE: [AtomicU64; ENTRIES] = [const { AtomicU64::new(0) }; ENTRIES];

/// A kind of joins.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Kind(u64);

/// A share of a loop of which a thread tells the others at once, since they all write the same word.
const TOLD: f32 = 1.0 / 32.0;

/// Loops of a kind that take less than this part of what is worth splitting are measured seldom.
const SHORT: f32 = 0.25;

/// Each thread measures one of so many short loops, to the power of two.
const SELDOM_BITS: u32 = 4;

/// What this thread is in.
#[derive(Clone, Copy)]
struct Place {
    kind: Kind,
    depth: u32,
    /// So many times rayon goes on to split a piece after it was told that it has migrated.
    further: u32,
    is_measured: bool,
    /// It is split by another join.
    is_split: bool,
    /// That of its loop.
    region: Option<JoinRegion>,
}

/// Pieces of which the others were not told yet.
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
    /// Moves on with each loop that this thread begins.
    static TURN: Cell<u32> = const { Cell::new(0) };
    /// When the running piece began, or the last one ended.
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

/// For small exponents; it does not grow beyond.
fn power_of_two(exponent: u32) -> f32 {
    (1_u64 << exponent.min(62)) as f32
}

impl Sides {
    /// Of a join that begins here.
    pub(crate) fn of(kind: Kind) -> Self {
        let place = PLACE.get();
        if place.kind == kind {
            PLACE.set(Place { is_split: true, ..place });
            let Place { further, is_measured, region, .. } = place;
            return Sides { kind, depth: place.depth + 1, further, is_measured, region };
        }
        let mut sides = Sides { kind, depth: 1, further: further(), is_measured: true, region: None };
        // The clock would cost a short loop more than all the rest.
        let is_short = kind.loop_ns().is_some_and(|ns| ns < SHORT * sides.worth_splitting_ns());
        // By a fraction that is close to no simple one: whatever the order in which kinds take
        // turns, each has its turn to be measured.
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

    /// Runs one of them, which is told whether it is to be split.
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

    /// This thread has waited for the second side, which belongs to no piece.
    pub(crate) fn have_waited(self) {
        if self.is_measured {
            SINCE.set(Some(Instant::now()));
        }
    }

    fn is_worth_splitting(self) -> bool {
        self.kind.loop_ns().is_some_and(|loop_ns| loop_ns >= self.worth_splitting_ns())
    }

    /// How long a loop takes that is worth splitting these sides.
    fn worth_splitting_ns(self) -> f32 {
        PIECE_NS * power_of_two(self.depth + self.further)
    }
}

/// rayon begins again with the number of workers, and halves it at each split. 0 if there is one,
/// for whom nothing is worth it.
fn further() -> u32 {
    match current_num_threads() {
        0 | 1 => 0,
        workers => workers.ilog2() + 1,
    }
}
