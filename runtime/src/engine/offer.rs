//! The rule by which a lane offers its loop to others, so that the loop gets all lanes that it can
//! use.
//!
//! *As long as some range has units, or some chunk has blocks that have not begun, before a lane
//! begins a chunk, each worker of the pool is inside the loop, or an invitation is in a deque.*
//! (There are exceptions for units that are not worth it; see below.)
//!
//! This is enough. An idle worker looks at all deques before it sleeps. So while an invitation is
//! in a deque, no worker sleeps for lack of work. While none is there, all workers are inside
//! already. New units get into a range in these ways:
//!
//! - The loop starts, a share is dealt out, or a thief puts down what it has stolen or cut off.
//!   Then the lane begins a chunk next, and so offers.
//! - A lane leaves, and its range has units. Then it leaves its ticket, too, as an invitation.
//!
//! A lane claims a single unit before the offer. Otherwise the lanes that come could take
//! everything while this lane wakes others, and the caller of a loop that is left with nothing
//! waits, and does nothing else. A lane claims several units after the offer: it may lose its core
//! while it wakes another thread, and nobody else can take what it has claimed and not begun.
//!
//! Units in ranges are worth an invitation if nothing is known of the items, if one may be long
//! among short ones, or if they take longer than a wake-up.
//!
//! How many lanes are woken at once: A lane that was woken wakes up to [`MOST_WOKEN`] others at its
//! first offer, even if other lanes are searching. A caller whose call site has learned that the
//! loop is long wakes as many, less those that are searching. So P workers are awake after log P
//! wake-ups one after the other, not P. A caller that knows nothing of its loop wakes one, because
//! the loop may end at once. Later offers wake one lane, and count on lanes that are searching.

use super::claimer::Claimer;
use super::shared::Wave;
use crate::policy::times::WORTH_SHARING_NS;
use crate::protocol::sleep::MOST_WOKEN;

impl Claimer<'_> {
    /// Called before each chunk begins, wherever from: what others could take meanwhile is on offer
    /// to as many as can use it.
    ///
    /// Offers the loop before a chunk. A lane may be in its chunk for a day, and an idle lane finds
    /// a loop only by an invitation. So before a chunk, as long as some range has units, this lane
    /// makes sure that each worker of the pool is inside the loop, or an invitation is in a deque.
    /// Its own range will have `own` units, at most.
    #[inline]
    pub(super) fn offer(&mut self, own: u32) {
        if self.state.room() > 0 {
            self.offer_to_idle(own);
        }
    }

    #[inline(never)]
    fn offer_to_idle(&mut self, own: u32) {
        // Thieves take the oldest first: if there is anything, what this lane pushed last is there.
        if self.invited > 0 && !self.lane.nothing_pushed() {
            return;
        }
        self.invited = 0;
        let about_to_claim = self.slot.range.peek().len().saturating_sub(own);
        let all_open = || self.state.unclaimed().saturating_sub(about_to_claim);
        let open = if own > 0 { own } else { all_open() };
        // A chunk that has begun is no work yet, but a lane that watches it may cut it.
        let open = if open == 0 && self.state.has_rests() { 1 } else { open };
        if open == 0 {
            return;
        }
        let first = !std::mem::replace(&mut self.has_offered, true);
        // What others have left is theirs to offer, but they do so later.
        let wave = if first { self.first_wave(all_open().max(1)) } else { Wave::ONE };
        let worth_it = self.estimate_ns().is_none_or(|ns| ns * f64::from(open) >= WORTH_SHARING_NS);
        if worth_it || self.chunker.is_cautious() {
            self.invited = self.state.invite(self.lane, wave);
            // A wake-up takes microseconds, which no taskel should be blamed for.
            self.restart_clock();
        }
    }

    /// How many more lanes `open` units are worth, when this one makes its first offer.
    fn first_wave(&self, open: u32) -> Wave {
        let is_caller = self.lane.index() == self.state.caller();
        let most = match self.estimate_ns() {
            // The first call of a loop may be over soon. But a lane that was woken for it knows
            // that it was not.
            None if is_caller => 1,
            None => MOST_WOKEN,
            Some(ns) => {
                let lanes = ns * f64::from(self.state.plan.units) / WORTH_SHARING_NS;
                (lanes.ceil() as u32).saturating_sub(self.state.out()).clamp(1, MOST_WOKEN)
            }
        };
        Wave { count: most.min(open), relies_on_searchers: is_caller }
    }

    /// What a unit takes, as far as this lane knows.
    pub(super) fn estimate_ns(&self) -> Option<f64> {
        self.chunker.estimate_ns().or(Some(self.slot.cost.get()).filter(|&ns| ns > 0.0))
    }
}
