//! Leftover items, which nobody gets and which have to be dropped.
//!
//! The thread that has them drops them, as long as that is quick, because a second thread does not
//! make freeing memory faster. If dropping is slow, the rest is dropped by a loop like any other.
//!
//! This thread is the caller, when it makes a `skip` or when its loop has ended early, or a lane at
//! the end of a chunk. Dropping is slow if it has taken 10 µs, and a microsecond for each item. The
//! next time, the kind of item is known.
//!
//! If a drop panics, nothing is dropped twice or left behind: the first panic of any thread is kept
//! until everything is dropped. So all this may happen during unwinding.

use std::ops::Range;
use std::panic::{AssertUnwindSafe, Location, catch_unwind};

use super::ranges::{EachRange, Ranges};
use super::{Plan, share};
use crate::os::clock::Clock;
use crate::policy::site::Site;
use crate::policy::times::{CHUNK_NS, WORTH_SHARING_NS};
use crate::protocol::panic_slot::PanicSlot;
use crate::protocol::range::Span;
use crate::sched::loop_slots::LoopSlots;
use crate::sched::pool::{with_lane, with_pool};
use crate::sched::unwind::{self, OnDrop, Payload, drop_quietly};

/// A drop that takes less is quick: it frees a few pieces of memory, for which threads would
/// contend.
const SLOW_NS: f64 = 1_000.0;

/// If items of a kind are known to be quick, and there are few enough, they are not worth a second
/// look at the clock.
const NOTHING_NS: f64 = 2_000.0;

/// What is dropped by several lanes is cut into no more pieces: each has its price, however little
/// there is in it.
const MOST_PIECES: usize = 4096;

/// Calls `drop_some` with runs that make up `0..len`, on as many lanes as are of use; `address`
/// stands for what kind of items these are.
///
/// # Panics
///
/// With the first panic of `drop_some`, after everything.
pub(crate) fn drop_all(address: usize, len: usize, drop_some: &(dyn Fn(Range<usize>) + Sync)) {
    if len <= 1 {
        return drop_some(0..len);
    }
    let panics = PanicSlot::new();
    let quietly = |run: Range<usize>| {
        if let Err(payload) = unwind::catch(|| drop_some(run)) {
            drop_quietly(panics.panicked(payload));
        }
    };
    let site = Site::at(address);
    let known_ns = site.estimate_ns();
    let known_slow = known_ns.is_some_and(|ns| ns >= SLOW_NS && ns * len as f64 >= WORTH_SHARING_NS);
    let done = if known_slow { 0 } else { while_quick((site, known_ns), len, &quietly) };
    drop_shared(site, done..len, &quietly);
    if let Some(payload) = panics.take() {
        unwind::resume(payload);
    }
}

/// As `drop_all`, for what is left of a chunk, or of a step in it: a look at the clock would be a
/// part of what that takes. So few items of a kind that is known to be quick are dropped without
/// one.
pub(crate) fn drop_rest(address: usize, len: usize, drop_some: &(dyn Fn(Range<usize>) + Sync)) {
    match Site::at(address).estimate_ns() {
        Some(ns) if ns * (len as f64) < NOTHING_NS => drop_some(0..len),
        _ => drop_all(address, len, drop_some),
    }
}

/// Drops all, or the first ones up to where they show that they would be worth sharing; yields how
/// many.
fn while_quick((site, known_ns): (Site, Option<f64>), len: usize, drop_some: &dyn Fn(Range<usize>)) -> usize {
    const GROWTH: usize = 4;
    let clock = Clock::new();
    let started = clock.now();
    let mut since = started;
    let (mut done, mut piece) = (0, 1);
    while done < len {
        drop_some(done..done + piece);
        done += piece;
        if done == len && known_ns.is_some() {
            return len;
        }
        let now = clock.now();
        let ns = clock.ns_between(since, now) as f64;
        since = now;
        if ns >= WORTH_SHARING_NS.max(SLOW_NS * piece as f64) {
            return done;
        }
        if ns * (GROWTH as f64) < CHUNK_NS as f64 {
            let nothing = known_ns.map_or(0, |ns| (NOTHING_NS / ns) as usize);
            piece = piece.saturating_mul(GROWTH).max(nothing);
        }
        piece = piece.min(len - done);
    }
    // Slow they were not, whatever came between.
    site.learn((clock.ns_between(started, since) as f64 / len as f64).min(SLOW_NS / 2.0));
    len
}

/// Drops all in a loop.
fn drop_shared(site: Site, left: Range<usize>, drop_some: &(dyn Fn(Range<usize>) + Sync)) {
    match left.len() {
        0 => return,
        1 => return drop_some(left),
        _ => (),
    }
    with_pool(None, |pool| match pool {
        Some(pool) if pool.num_threads() > 1 => {
            // A bridge has 2³² indices, and most of them stand for nothing.
            let grain = left.len().div_ceil(MOST_PIECES);
            let runs = Ranges { len: left.len().div_ceil(grain), max_len: 0 };
            let at = |piece: usize| left.start + piece.saturating_mul(grain).min(left.len());
            let drop_run = |run: Range<usize>| drop_some(at(run.start)..at(run.end));
            let plan = Plan::new(&runs, pool.profiling());
            with_lane(pool, |lane| {
                share(lane, (&runs, EachRange(&drop_run)), plan, (site, Location::caller()), None)
            });
        }
        _ => drop_some(left),
    });
}

/// What lies in the ranges of a loop that ended early.
pub(super) struct Unclaimed<'a> {
    /// [`Producer::discard`], which is told of indices that nobody else has.
    pub(super) discard: &'a (dyn Fn(Range<usize>) + Sync),
    /// Stands for what kind of items these are.
    pub(super) address: usize,
    pub(super) slots: &'a LoopSlots,
    pub(super) plan: Plan,
    /// Where a panic is kept: it must not keep a run from what it has in other ranges.
    pub(super) stop: &'a PanicSlot<Payload>,
}

impl Unclaimed<'_> {
    fn units(&self) -> usize {
        self.slots.slots().map(|slot| slot.range.peek().len() as usize).sum()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.units() == 0
    }

    /// Drops it. With several threads, all of it is one loop: a range alone may have too little for
    /// them.
    ///
    /// No lane is in the loop any more, and this is not called twice.
    pub(super) fn discard(&self) {
        let units = self.units();
        if units == 0 {
            return;
        }
        let empty = OnDrop(|| self.slots.slots().for_each(|slot| _ = slot.range.take()));
        drop_all(self.address, units, &|run| self.discard_some(run));
        drop(empty);
    }

    /// Drops the items of a run of units, which are counted as if those of all ranges were one
    /// behind the other. `run` lies within what is left, and of all calls, no two get the same
    /// unit.
    fn discard_some(&self, run: Range<usize>) {
        let mut before = 0;
        for slot in self.slots.slots() {
            let Span { lo, hi } = slot.range.peek();
            let behind = before + (hi - lo) as usize;
            let [lo, hi] = [run.start, run.end].map(|unit| lo + (unit.clamp(before, behind) - before) as u32);
            let items = self.plan.items(Span { lo, hi });
            if !items.is_empty() {
                if let Err(payload) = catch_unwind(AssertUnwindSafe(|| (self.discard)(items))) {
                    drop_quietly(self.stop.panicked(payload));
                }
            }
            before = behind;
        }
    }
}
