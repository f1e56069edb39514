//! What a lane does when no range has units, but another lane is in a chunk.
//!
//! It watches that chunk. If the chunk is not over after 50 µs, the lane cuts it: the part that has
//! not begun becomes its own range, as after a steal. As long as the chunk lasts, it watches with
//! growing patience. So code outside `participant` must not assume that the lane that claimed a
//! chunk runs the whole chunk.

use super::shared::LoopState;
use crate::os::clock::Ticks;
use crate::policy::times::PATIENCE_NS;
use crate::protocol::chunk_position::Kept;
use crate::protocol::range::Span;
use crate::sched::lane::LaneContext;
use crate::sched::loop_slots::{LoopSlot, SlotIndex};

/// After each failure to take a rest, patience lasts twice as long, at most so often: the chunk
/// moves, or other thieves are at it.
const MOST_DOUBLINGS: u32 = 5;

/// The pauses between two looks at a chunk double up to this many.
const MOST_PAUSES: u32 = 32;

/// Looks at the chunks of others, from when all ranges are empty until something can be taken, or
/// nothing will be.
pub(super) struct Watch<'a> {
    state: &'a LoopState<'a>,
    lane: &'a LaneContext<'a>,
    watched: Option<Watched>,
    pauses: u32,
    failures: u32,
    /// Chunks cannot be cut on this system.
    refused: bool,
}

#[derive(Clone, Copy)]
struct Watched {
    slot: SlotIndex,
    /// The chunk's end, by which it is known.
    end: u32,
    since: Ticks,
}

impl<'a> Watch<'a> {
    pub(super) fn new(state: &'a LoopState<'a>, lane: &'a LaneContext<'a>) -> Self {
        Watch { state, lane, watched: None, pauses: 1, failures: 0, refused: false }
    }

    /// Passes a moment, as long as some chunk has a rest that is not begun. False when none has:
    /// nothing is to be waited for.
    pub(super) fn pause(&mut self) -> bool {
        let pool = self.lane.pool();
        if !self.watched.is_some_and(|watched| self.has_rest(watched)) {
            let victims = pool.victims(self.lane.index(), self.lane.random());
            let running = victims.map(|slot| (slot, self.rest(slot))).find(|(_, rest)| rest.len() > 0);
            self.watched =
                running.map(|(slot, rest)| Watched { slot, end: rest.hi, since: pool.clock.now() });
        }
        if self.refused || self.watched.is_none() && !self.state.slots.slots().any(LoopSlot::is_claiming) {
            return false;
        }
        for _ in 0..self.pauses {
            pool.pause();
        }
        self.pauses = (2 * self.pauses).min(MOST_PAUSES);
        true
    }

    /// The rest of the watched chunk and whose it was, if that takes too long.
    pub(super) fn revoke(&mut self) -> Option<(SlotIndex, Span)> {
        let pool = self.lane.pool();
        let Watched { slot, end, since } = self.watched?;
        let patience_ns = PATIENCE_NS << self.failures.min(MOST_DOUBLINGS);
        let lasts_long = pool.clock.ns_between(since, pool.clock.now()) >= patience_ns;
        if !lasts_long {
            return None;
        }
        self.watched = None;
        let thief = pool.slot_of(self.lane.index()).0 as u32;
        match self.state.slots.slot(slot).position.revoke(end, thief, self.state.fences) {
            Ok(rest) => Some((slot, rest)),
            Err(kept) => {
                self.failures += 1;
                self.refused = kept == Kept::ForGood;
                None
            }
        }
    }

    /// Whether the watched chunk is still being run, and not in its last block.
    fn has_rest(&self, watched: Watched) -> bool {
        let rest = self.rest(watched.slot);
        rest.hi == watched.end && rest.len() > 0
    }

    fn rest(&self, slot: SlotIndex) -> Span {
        self.state.slots.slot(slot).position.rest()
    }
}
