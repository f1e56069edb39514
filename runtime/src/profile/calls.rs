//! Which parallel calls a lane has made while it was profiled, and what lay in them: enough to put
//! the program together as a tree.
//!
//! A lane writes things down as they end. Whatever it does is inside of each other or one after the
//! other, as calls of functions are. So a part of a call (a chunk, a closure of a join) contains
//! just the calls that the lane has made since the part began, and that no other part contains:
//! those lie on top of `unclaimed`.

use taskel_adaptive::recording::CallKind;

/// A lane keeps so many calls, and so many parts of calls, of its own or of others.
pub(super) const MOST_CALLS: usize = 1 << 14;
pub(super) const MOST_PARTS: usize = 1 << 15;

/// Where halves of joins this deep inside of others last no longer than this on average, joins are
/// not looked at. It is doubled so often by the time that there is no room left: what is long always
/// finds some.
const WORTH_A_LOOK_NS: u64 = 4_000;
const DOUBLED: usize = 16;

/// An average of fewer says nothing.
const ENOUGH: u32 = 32;

/// Joins deeper inside of others than this count as the deepest ones do.
const DEPTHS: usize = 48;

pub(crate) use super::sites::{CallSite, Caller};

/// Tells a call from all others of its pool.
pub(crate) type CallId = u64;

/// What is known of a call at its beginning.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CallHead {
    pub(crate) id: CallId,
    pub(crate) kind: CallKind,
    pub(crate) site: CallSite,
    /// What an item takes, as earlier calls have taught.
    pub(crate) expected_ns: Option<f64>,
}

#[derive(Clone, Debug)]
pub(super) struct CallRecord {
    pub(super) head: CallHead,
    pub(super) start_ns: u64,
    /// Of a short loop, when it was written down.
    pub(super) end_ns: u64,
    /// The task whose end it waits for, if it is no call but that; else 0.
    pub(super) waits_for: CallId,
    /// It is a loop that its call site has taught to be over before another lane could be of use.
    pub(super) is_short: bool,
}

#[derive(Clone, Debug)]
pub(super) struct PartRecord {
    pub(super) of: CallId,
    pub(super) first: u64,
    pub(super) items: u64,
    /// Up to the first call, or all.
    pub(super) ns: u64,
    /// Each call in it, and what comes up to the next.
    pub(super) calls: Vec<(CallId, u64)>,
    /// From its beginning to its end.
    pub(super) whole_ns: u64,
    /// How many parts it was before they were merged.
    pub(super) chunks: u64,
    /// How many short loops were in it, or in what it calls, that had no room.
    pub(super) untold: u64,
}

/// How long halves of joins last that are so deep inside of others.
#[derive(Clone, Copy, Debug, Default)]
struct Halves {
    count: u32,
    sum_ns: u64,
}

/// Whether a join is worth its time stamps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Look {
    /// It is recorded.
    Worth,
    /// It is not; joins inside of it may be.
    Skip,
    /// It is not, nor is anything inside of it: such joins last less than half of what is worth it.
    SkipAllInside,
}

/// What one lane writes down.
#[derive(Clone, Debug)]
pub(super) struct Calls {
    pub(super) calls: Vec<CallRecord>,
    pub(super) parts: Vec<PartRecord>,
    /// Calls that are in no part so far, in the order of time, by their place in `calls`.
    pub(super) unclaimed: Vec<usize>,
    pub(super) left_out: u64,
    /// Short loops that had no room, since a part was written down last.
    pub(super) untold: u64,
    halves: [Halves; DEPTHS],
    /// How many calls are being made: there must be room for them.
    begun: usize,
}

impl Calls {
    pub(super) const fn new() -> Self {
        Calls {
            calls: Vec::new(),
            parts: Vec::new(),
            unclaimed: Vec::new(),
            left_out: 0,
            untold: 0,
            halves: [Halves { count: 0, sum_ns: 0 }; DEPTHS],
            begun: 0,
        }
    }

    /// Whether nothing was written down.
    pub(super) fn is_empty(&self) -> bool {
        self.calls.is_empty() && self.parts.is_empty()
    }

    /// Whether a join so deep inside of others is worth its time stamps.
    pub(super) fn look(&self, depth: u32) -> Look {
        let Halves { count, sum_ns } = self.halves[(depth as usize).min(DEPTHS - 1)];
        let worth_ns = WORTH_A_LOOK_NS << (DOUBLED * self.calls.len() / MOST_CALLS);
        match sum_ns.checked_div(u64::from(count)) {
            Some(mean_ns) if count >= ENOUGH && mean_ns < worth_ns / 2 => Look::SkipAllInside,
            Some(mean_ns) if count >= ENOUGH && mean_ns < worth_ns => Look::Skip,
            _ => Look::Worth,
        }
    }

    pub(super) fn half_took(&mut self, depth: u32, ns: u64) {
        let Halves { count, sum_ns } = &mut self.halves[(depth as usize).min(DEPTHS - 1)];
        *count = count.saturating_add(1);
        *sum_ns = sum_ns.saturating_add(ns);
    }

    /// Whether there is room for another call; counts it if not.
    pub(super) fn begin(&mut self) -> bool {
        let has_room = self.calls.len() + self.begun < MOST_CALLS && self.parts.len() < MOST_PARTS;
        self.begun += usize::from(has_room);
        self.left_out += u64::from(!has_room);
        has_room
    }

    /// A call is over for which there was room.
    pub(super) fn end(&mut self, head: CallHead, start_ns: u64, end_ns: u64) {
        self.begun = self.begun.saturating_sub(1);
        if self.calls.len() == MOST_CALLS {
            self.left_out += 1;
            return;
        }
        // Calls in a part of it that was not written down are in no other.
        self.forget_since(start_ns);
        self.push(head, (start_ns, end_ns), 0);
    }

    /// The call that has ended last was a short loop, and was written down by then.
    pub(super) fn was_short(&mut self, id: CallId, written_ns: u64) {
        if let Some(call) = self.calls.last_mut().filter(|call| call.head.id == id) {
            call.is_short = true;
            call.end_ns = written_ns.max(call.end_ns);
        }
    }

    /// From now on, there is no room for calls.
    pub(super) fn fill(&mut self) {
        self.begun = MOST_CALLS;
    }

    /// There was no room for a short loop.
    pub(super) fn is_untold(&mut self) {
        self.untold = self.untold.saturating_add(1);
    }

    /// The lane has waited for a task, or done it.
    pub(super) fn waited(&mut self, head: CallHead, task: CallId, (start_ns, end_ns): (u64, u64)) {
        if self.calls.len() + self.begun >= MOST_CALLS {
            self.left_out += 1;
            return;
        }
        self.forget_since(start_ns);
        self.push(head, (start_ns, end_ns), task);
    }

    fn push(&mut self, head: CallHead, (start_ns, end_ns): (u64, u64), waits_for: CallId) {
        self.unclaimed.push(self.calls.len());
        self.calls.push(CallRecord { head, start_ns, end_ns, waits_for, is_short: false });
    }

    /// A task begins its life beside what the lane goes on to do.
    pub(super) fn spawned(&mut self, head: CallHead, now_ns: u64) {
        if self.calls.len() + self.begun >= MOST_CALLS {
            self.left_out += 1;
            return;
        }
        self.push(head, (now_ns, now_ns), 0);
    }

    /// A part of call `of` is over.
    pub(super) fn part(&mut self, of: CallId, (first, items): (u64, u64), (start_ns, end_ns): (u64, u64)) {
        let inside = self.since(start_ns);
        // What comes behind it may have been written down already.
        let is_behind = |call: &CallRecord| call.start_ns >= end_ns && call.end_ns > end_ns;
        let those = &self.unclaimed[inside..];
        let outside = inside + those.iter().take_while(|&&call| !is_behind(&self.calls[call])).count();
        let mut at_ns = start_ns;
        let mut own_ns = |until_ns: u64, next_ns: u64| {
            let ns = until_ns.saturating_sub(at_ns);
            at_ns = at_ns.max(next_ns);
            ns
        };
        let mut ns = None;
        let mut calls: Vec<(CallId, u64)> = Vec::with_capacity(outside - inside);
        for &call in &self.unclaimed[inside..outside] {
            let call = &self.calls[call];
            let before_ns = own_ns(call.start_ns, call.end_ns);
            match calls.last_mut() {
                None => ns = Some(before_ns),
                Some((_, after_ns)) => *after_ns = before_ns,
            }
            calls.push((call.head.id, 0));
        }
        let rest_ns = own_ns(end_ns, end_ns);
        match calls.last_mut() {
            None => ns = Some(rest_ns),
            Some((_, after_ns)) => *after_ns = rest_ns,
        }
        self.unclaimed.drain(inside..outside);
        let whole_ns = end_ns.saturating_sub(start_ns);
        let (ns, untold) = (ns.unwrap_or(0), std::mem::take(&mut self.untold));
        self.keep(PartRecord { of, first, items, ns, calls, whole_ns, chunks: 1, untold });
    }

    /// A part of call `of` is over that has lasted so long in all, now and then since it began. It
    /// has the calls since then.
    pub(super) fn scattered(&mut self, of: CallId, first: u64, whole_ns: u64, start_ns: u64) {
        let inside = self.since(start_ns);
        let calls = self.unclaimed.split_off(inside).into_iter().map(|call| &self.calls[call]);
        let of_calls_ns = calls.clone().map(|call| call.end_ns.saturating_sub(call.start_ns));
        let ns = whole_ns.saturating_sub(of_calls_ns.fold(0, u64::saturating_add));
        let calls = calls.map(|call| (call.head.id, 0)).collect();
        self.keep(PartRecord { of, first, items: 1, ns, calls, whole_ns, chunks: 1, untold: 0 });
    }

    /// The first of `unclaimed` that began by then or later.
    fn since(&self, start_ns: u64) -> usize {
        let earlier = |&call: &usize| self.calls[call].start_ns < start_ns;
        self.unclaimed.iter().rposition(earlier).map_or(0, |last| last + 1)
    }

    fn forget_since(&mut self, start_ns: u64) {
        let inside = self.since(start_ns);
        self.left_out += (self.unclaimed.len() - inside) as u64;
        self.unclaimed.truncate(inside);
    }

    fn keep(&mut self, part: PartRecord) {
        if self.parts.len() >= MOST_PARTS {
            self.merge();
        }
        if self.parts.len() < MOST_PARTS {
            return self.parts.push(part);
        }
        // Not its neighbour perhaps, but of the same call: where there is no room, which item is
        // which is not known any more.
        let same_call =
            |last: &&mut PartRecord| last.of == part.of && last.calls.is_empty() && part.calls.is_empty();
        match self.parts.last_mut().filter(same_call) {
            Some(last) => last.absorb(&part),
            None => self.left_out += 1,
        }
    }

    /// Makes one of two neighbours each, as long as that brings much.
    fn merge(&mut self) {
        let mut resolution_ns = 0_u64;
        while self.parts.len() > MOST_PARTS / 2 {
            let shortest = self.parts.windows(2).filter(|pair| pair[0].continues_in(&pair[1]));
            let Some(next_ns) = shortest.map(|pair| pair[0].ns.saturating_add(pair[1].ns)).min() else {
                return;
            };
            resolution_ns = next_ns.max(resolution_ns.saturating_mul(2)).max(1);
            let mut merged: Vec<PartRecord> = Vec::with_capacity(self.parts.len());
            for part in self.parts.drain(..) {
                match merged.last_mut() {
                    Some(last)
                        if last.continues_in(&part) && last.ns.saturating_add(part.ns) <= resolution_ns =>
                    {
                        last.absorb(&part);
                    }
                    _ => merged.push(part),
                }
            }
            self.parts = merged;
        }
    }
}

impl PartRecord {
    /// Whether both can be one that says as much of the program.
    fn continues_in(&self, next: &PartRecord) -> bool {
        self.of == next.of
            && self.first.checked_add(self.items) == Some(next.first)
            && self.calls.is_empty()
            && next.calls.is_empty()
    }

    fn absorb(&mut self, next: &PartRecord) {
        self.items = self.items.saturating_add(next.items);
        self.ns = self.ns.saturating_add(next.ns);
        self.whole_ns = self.whole_ns.saturating_add(next.whole_ns);
        self.chunks += next.chunks;
        self.untold = self.untold.saturating_add(next.untold);
    }
}
