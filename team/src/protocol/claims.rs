//! Which items of a call are whose, and which are done, whoever dies on the way.
//!
//! A call has items `0..n`. Every thread of a rank that claims items is a *lane* of the call.
//!
//! # State
//!
//! | word | of | written by |
//! |---|---|---|
//! | `next` | the call: where the items begin that nobody has claimed yet; beyond *n* in the end | whoever claims, by an addition |
//! | `claim` | a lane | the lane; who has [taken over](Claims::take_over) its dead rank; who [stops](Claims::stop) it |
//! | `running` | a lane's thread: the item that it is in, or was in last | the thread; who has taken over |
//! | `halt` | a lane: not 0 if it may begin no item before it has asked | who [stops](Claims::stop) it; the lane |
//! | `table[i]` | item *i* | whoever has claimed the item; who has taken over the rank that had |
//!
//! | `claim` | meaning |
//! |---|---|
//! | 0 | the lane has no items |
//! | [`CLAIMING`] | it is about to add to `next`, or has, and has not said yet what it got |
//! | start, length | it has these items |
//!
//! | `running` | meaning |
//! |---|---|
//! | 0 | the thread is in no item |
//! | item plus 1 | it is in this one |
//! | item plus 1, [`IN_ORDER`] | it is in this one, or about to begin it, and all its lane has before are done |
//! | item plus 1, [`IN_ORDER`], [`ENDED`] | it has ended this one, and is in none |
//!
//! | `table[i]` | meaning |
//! |---|---|
//! | 0 | not done, unless an entry before it tells so |
//! | deaths, incarnation | not done; so many ranks died in it, the last one in that incarnation |
//! | length, record | items *i* .. *i* + length are done; where their record lies, if they have one |
//! | [`LOST`], incarnation | given up: ranks died in it too often, the last one in that incarnation |
//!
//! An item below `next` that is not done, and that no lane has, is *free*: the lane that had it has
//! given it back, or its rank is dead and was taken over, also if it died between its addition and
//! saying what it got. Nobody needs to know what that was. Free items are found when nothing is
//! left to claim, by one rank at a time, under the *recovery lock*.
//!
//! # Stopping
//!
//! A lane that runs its items in order may be in a long one, and have others behind it. Who waits, and
//! has the recovery lock, sets the lane's `halt`, looks where it is, and takes out of its `claim` what
//! comes behind: that is free then. The lane sees `halt` before it begins another item; then it
//! takes the recovery lock, sets `halt` back, and looks what it still has. So either one may die in
//! between, and who stops a lane that has just ended, or has begun another claim, does no harm.
//!
//! # Death
//!
//! A rank holds its *seat*, a robust lock, for as long as it lives. Who gets the seat of a dead one
//! takes over: notes the items that its threads were in, and clears its lanes. If that one dies
//! itself, the next one who gets the seat does it again; an incarnation is noted once for an item.
//!
//! When a process is killed, the thread that holds the seat may end some microseconds before a
//! thread that runs on another core is stopped. So an end of items fails where others have ended
//! them, and lanes of a rank without a process are [cleared](Claims::clear) again, as long as
//! anybody waits.
//!
//! # Orderings
//!
//! * `table[i]`: Release when items are done, Acquire in [`entry`](Claims::entry): the record happens
//!   before whoever reads it.
//! * `next`: Release when it is added to, and a fence where nothing is left, before
//!   [`look`](Claims::look): who finds nothing left to claim sees of every lane that has claimed at
//!   least that it is about to.
//! * `claim`: Release when a lane has no items any more, Acquire in `look`: who finds that a lane
//!   does not have an item sees whether it is done, and what was noted of it. When a lane begins to
//!   claim, or finds nothing left, the fence in `finish` is between what it has done and that.
//! * `SeqCst` fence between an end of items and looking at `next`, and between finding nothing left
//!   in `next` and looking at the table: of a lane that ends the last items, and a rank that waits
//!   for them, one sees the other.
//! * Light fence between telling an item in `running` and looking at `halt`, heavy fence between
//!   setting `halt` and looking at `running`: either the lane sees that it is to stop, or who stops it
//!   sees the item.
//!
//! # Progress
//!
//! Claiming and ending are wait-free: an addition and a compare-exchange, which fails for nobody
//! that has the items. A lane that was stopped waits for the recovery lock before it goes on. Looking
//! for free items takes time in proportion to the lanes, and waits for lanes that are [`CLAIMING`],
//! which is three instructions long.
//!
//! # Models
//!
//! `claims_models.rs`: each item is done once, and its record is seen; what a living lane has is
//! not free; what is given back in part goes to another; what a lane is stopped before is run once; a
//! death at each step; one who takes over, stops a lane, or is stopped, dies; an item that kills
//! twice is lost; who waits for the last items is woken.

use std::ops::Range;

use crate::sync::{AtomicU64, Fences, Ordering, fence, heavy_fence, light_fence};

/// Of a lane's `claim`.
const CLAIMING: u64 = 1 << 63;
/// Of what a lane's thread is running.
const IN_ORDER: u64 = 1 << 63;
const ENDED: u64 = 1 << 62;
/// Of an entry.
const LOST: u64 = 1 << 63;
/// Below the length, in a lane's `claim` and in an entry.
const PLACE_BITS: u32 = 40;
const PLACES: u64 = 1 << PLACE_BITS;
/// Below the incarnation, in an entry that is not done.
const DEATHS_BITS: u32 = 8;
const MOST_DEATHS: u64 = (1 << DEATHS_BITS) - 1;

/// The most items that a claim may hold.
pub(crate) const MOST_IN_A_CLAIM: u64 = (1 << (63 - PLACE_BITS)) - 1;

/// The words of a lane.
#[derive(Debug)]
#[repr(C, align(64))]
pub(crate) struct Lane {
    claim: AtomicU64,
    running: AtomicU64,
    halt: AtomicU64,
}

impl Lane {
    /// Begins an item, on the lane's thread; returns what it was in before.
    #[inline]
    pub(crate) fn enter(&self, item: u64) -> u64 {
        let before = self.running.load(Ordering::Relaxed);
        self.running.store(item + 1, Ordering::Relaxed);
        before
    }

    /// Ends it.
    #[inline]
    pub(crate) fn leave(&self, before: u64) {
        self.running.store(before, Ordering::Relaxed);
    }

    /// Begins an item, of those that the lane has and runs in order; false if it may not, before it
    /// has [asked](Claims::resume).
    #[inline]
    #[must_use]
    pub(crate) fn begin(&self, item: u64, fences: Fences) -> bool {
        self.running.store(IN_ORDER | (item + 1), Ordering::Relaxed);
        // Pairs with `stop`.
        light_fence(fences);
        let may = self.halt.load(Ordering::Relaxed) == 0;
        if !may {
            // In none: who dies while it asks, or later, has not died in this one.
            self.running.store(IN_ORDER | ENDED | item, Ordering::Relaxed);
        }
        may
    }

    /// Ends it.
    #[inline]
    pub(crate) fn end(&self, item: u64) {
        self.running.store(IN_ORDER | ENDED | (item + 1), Ordering::Relaxed);
    }

    /// The item that the thread is in. What was taken from a lane that runs its items in order, it is
    /// not in.
    fn running(&self) -> Option<u64> {
        let running = self.running.load(Ordering::Relaxed);
        let item = (running & !IN_ORDER).checked_sub(1)?;
        if running & ENDED != 0 {
            return None;
        }
        let has = |item: &u64| items_of(self.claim.load(Ordering::Relaxed)).contains(item);
        if running & IN_ORDER == 0 { Some(item) } else { Some(item).filter(has) }
    }

    /// Where those of its items end that it has begun, if it runs them in order and has others. If it has
    /// told of none of these yet, but of earlier ones, the first one is left to it.
    fn begun(&self, items: &Range<u64>) -> Option<u64> {
        let running = self.running.load(Ordering::Relaxed);
        let end = (running & !(IN_ORDER | ENDED)).max(items.start + 1);
        (running & IN_ORDER != 0 && end < items.end).then_some(end)
    }

    #[cfg(test)]
    #[allow(dead_code, reason = "for the models")]
    pub(crate) fn new() -> Self {
        Lane { claim: AtomicU64::new(0), running: AtomicU64::new(0), halt: AtomicU64::new(0) }
    }
}

/// What an entry of the table says.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    /// Not done, and so many ranks died in it.
    Open { deaths: u64 },
    /// So many items from here on are done, with the record at that place.
    Done { len: u64, record: u64 },
    /// Given up, after the death of that incarnation of a rank.
    Lost { incarnation: u64 },
}

impl Entry {
    fn of(word: u64) -> Entry {
        if word & LOST != 0 {
            Entry::Lost { incarnation: word & !LOST }
        } else if word >= PLACES {
            Entry::Done { len: word >> PLACE_BITS, record: word % PLACES }
        } else {
            Entry::Open { deaths: word & MOST_DEATHS }
        }
    }

    /// For how many items it speaks; 0 if it is not done.
    pub(crate) fn len(self) -> u64 {
        match self {
            Entry::Open { .. } => 0,
            Entry::Done { len, .. } => len,
            Entry::Lost { .. } => 1,
        }
    }
}

/// What [`Claims::look`] finds at an item.
#[must_use]
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// Some lane is about to claim: look again.
    Claiming,
    /// A lane has the items up to this one.
    HeldUpTo(u64),
    /// Done, or given up, up to this one.
    DoneUpTo(u64),
    /// Nobody has these, and so many ranks died in the first one. If any did, it is one item.
    Free { items: Range<u64>, deaths: u64 },
}

/// The words of a call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Claims<'a> {
    next: &'a AtomicU64,
    lanes: &'a [Lane],
    table: &'a [AtomicU64],
}

impl<'a> Claims<'a> {
    pub(crate) fn new(next: &'a AtomicU64, lanes: &'a [Lane], table: &'a [AtomicU64]) -> Self {
        Claims { next, lanes, table }
    }

    pub(crate) fn with_lanes(self, lanes: &'a [Lane]) -> Self {
        Claims { lanes, ..self }
    }

    /// Gives items that were lost another chance, while no rank runs.
    pub(crate) fn forget_losses(table: &[AtomicU64]) {
        for entry in table {
            if let Entry::Lost { .. } = Entry::of(entry.load(Ordering::Relaxed)) {
                entry.store(0, Ordering::Relaxed);
            }
        }
    }

    /// Notes that an earlier run has done items, behind those noted before, while no rank has come to
    /// the call. Those between are free from then on.
    pub(crate) fn note_earlier(&self, items: &Range<u64>, record: u64) {
        self.table[items.start as usize].store(done(items, record), Ordering::Relaxed);
        self.next.store(items.end, Ordering::Relaxed);
    }

    /// How many items there are.
    pub(crate) fn len(&self) -> u64 {
        self.table.len() as u64
    }

    /// How many nobody has claimed yet: a hint.
    pub(crate) fn remaining(&self) -> u64 {
        self.len().saturating_sub(self.next.load(Ordering::Relaxed))
    }

    pub(crate) fn lane(&self, lane: usize) -> &'a Lane {
        &self.lanes[lane]
    }

    /// Claims up to `want` items, at least 1 and at most [`MOST_IN_A_CLAIM`], for a lane that has
    /// none; `None` if nothing is left. After that, what is missing in the table is somebody's, or
    /// free.
    pub(crate) fn claim(&self, lane: usize, want: u64) -> Option<Range<u64>> {
        let claim = &self.lanes[lane].claim;
        claim.store(CLAIMING, Ordering::Relaxed);
        // Release: pairs with the fence of one who finds nothing left, and then sees that this lane
        // is claiming, or what it has claimed and done since.
        let start = self.next.fetch_add(want, Ordering::Release);
        if start >= self.len() {
            claim.store(0, Ordering::Relaxed);
            // SeqCst: pairs with `finish`, and with the additions of all who have claimed.
            fence(Ordering::SeqCst);
            return None;
        }
        let end = self.len().min(start + want);
        claim.store(held(&(start..end)), Ordering::Relaxed);
        Some(start..end)
    }

    /// Some of a lane's items are done, and their record is at `record`. The lane has all of them
    /// still.
    pub(crate) fn note_done(&self, items: &Range<u64>, record: u64) {
        let entry = &self.table[items.start as usize];
        let done = done(items, record);
        let mut seen = 0;
        while let Entry::Open { .. } = Entry::of(seen) {
            // Release: pairs with `entry`: what was recorded happens before whoever reads it.
            match entry.compare_exchange(seen, done, Ordering::Release, Ordering::Relaxed) {
                Ok(_) => break,
                Err(now) => seen = now,
            }
        }
    }

    /// The lane's items are done, and their record is at `record`; what it has besides, and has not
    /// [noted](Self::note_done), is given back. True if somebody may be waiting for them, who is to be
    /// woken.
    #[must_use]
    pub(crate) fn finish(&self, lane: usize, items: &Range<u64>, record: u64) -> bool {
        self.note_done(items, record);
        // Release: pairs with `look`: who finds the lane without items sees the entry.
        self.lanes[lane].claim.store(0, Ordering::Release);
        // SeqCst: pairs with `claim`.
        fence(Ordering::SeqCst);
        self.next.load(Ordering::Relaxed) >= self.len()
    }

    /// The lane's items are not done, for a reason that is no death: others may have them.
    pub(crate) fn give_up(&self, lane: usize) {
        // Release: pairs with `look`.
        self.lanes[lane].claim.store(0, Ordering::Release);
    }

    /// What is told of an item.
    pub(crate) fn entry(&self, item: u64) -> Entry {
        // Acquire: pairs with `finish`.
        Entry::of(self.table[item as usize].load(Ordering::Acquire))
    }

    /// The first item from `from` on that is not done. `from` is 0, or what this has returned
    /// before.
    pub(crate) fn walk(&self, mut from: u64) -> u64 {
        while from < self.len() {
            let len = self.entry(from).len();
            if len == 0 {
                break;
            }
            from += len;
        }
        from
    }

    /// Looks whose an item is. The caller has the recovery lock, and has itself found nothing left by
    /// [`claim`](Self::claim).
    pub(crate) fn look(&self, item: u64) -> Found {
        if self.next.load(Ordering::Relaxed) < self.len() {
            return Found::Claiming;
        }
        let mut end = self.len().min(item + MOST_IN_A_CLAIM);
        for lane in self.lanes {
            // Acquire: pairs with `finish` and `take_over`.
            let word = lane.claim.load(Ordering::Acquire);
            if word == CLAIMING {
                return Found::Claiming;
            }
            let has = items_of(word);
            if has.contains(&item) {
                return Found::HeldUpTo(has.end);
            }
            if has.start > item {
                end = end.min(has.start);
            }
        }
        let entry = |item: u64| Entry::of(self.table[item as usize].load(Ordering::Relaxed));
        match entry(item) {
            Entry::Open { deaths: 0 } => {
                let is_fresh = |&item: &u64| entry(item) == Entry::Open { deaths: 0 };
                let len = (item..end).take_while(is_fresh).count() as u64;
                Found::Free { items: item..item + len, deaths: 0 }
            }
            Entry::Open { deaths } => Found::Free { items: item..item + 1, deaths },
            done => Found::DoneUpTo(item + done.len()),
        }
    }

    /// Takes free items for a lane that has none. The caller has had the recovery lock since it
    /// found them.
    pub(crate) fn take(&self, lane: usize, items: &Range<u64>) {
        self.lanes[lane].claim.store(held(items), Ordering::Relaxed);
    }

    /// Whether a lane has items that it has not begun, and others may take: a hint.
    pub(crate) fn has_rest(&self, lane: usize) -> bool {
        let lane = &self.lanes[lane];
        let word = lane.claim.load(Ordering::Relaxed);
        word != CLAIMING && lane.begun(&items_of(word)).is_some()
    }

    /// Frees what a lane has and has not begun; how much that is. The caller has the recovery lock.
    pub(crate) fn stop(&self, lane: usize, fences: Fences) -> u64 {
        let lane = &self.lanes[lane];
        let word = lane.claim.load(Ordering::Relaxed);
        if word == CLAIMING {
            return 0;
        }
        lane.halt.store(1, Ordering::Relaxed);
        // Pairs with `begin`.
        if !heavy_fence(fences) {
            return 0;
        }
        let items = items_of(word);
        let Some(end) = lane.begun(&items) else { return 0 };
        // It fails if the rank has died, and was taken over.
        let now = held(&(items.start..end));
        let stopped = lane.claim.compare_exchange(word, now, Ordering::Relaxed, Ordering::Relaxed);
        stopped.map_or(0, |_| items.end - end)
    }

    /// Where the items end that a lane has, which was to stop. The caller has the recovery lock.
    pub(crate) fn resume(&self, lane: usize) -> u64 {
        let lane = &self.lanes[lane];
        lane.halt.store(0, Ordering::Relaxed);
        items_of(lane.claim.load(Ordering::Relaxed)).end
    }

    /// Frees what a dead rank had in these lanes, and notes the items that it died in: those that
    /// ranks have died in `attempts` times are lost. The caller has the seat of the rank, whose
    /// incarnation is not 0.
    pub(crate) fn take_over(&self, lanes: Range<usize>, incarnation: u64, attempts: u64) {
        for lane in &self.lanes[lanes.clone()] {
            if let Some(item) = lane.running() {
                self.note_death(item, incarnation, attempts);
            }
        }
        let _ = self.clear(lanes);
    }

    /// Frees what a rank has in these lanes that nobody has any more; false if it has nothing. The
    /// caller has its seat.
    pub(crate) fn clear(&self, lanes: Range<usize>) -> bool {
        let mut had_any = false;
        for lane in &self.lanes[lanes] {
            lane.running.store(0, Ordering::Relaxed);
            // Release: pairs with `look`, which then sees what was noted.
            had_any |= lane.claim.swap(0, Ordering::Release) != 0;
        }
        had_any
    }

    fn note_death(&self, item: u64, incarnation: u64, attempts: u64) {
        let Some(entry) = self.table.get(item as usize) else { return };
        let seen = entry.load(Ordering::Relaxed);
        let Entry::Open { deaths } = Entry::of(seen) else { return };
        if seen >> DEATHS_BITS == incarnation {
            return;
        }
        let deaths = (deaths + 1).min(MOST_DEATHS);
        let told = if deaths >= attempts { LOST | incarnation } else { incarnation << DEATHS_BITS | deaths };
        // It fails if the item was done after all.
        let _ = entry.compare_exchange(seen, told, Ordering::Relaxed, Ordering::Relaxed);
    }
}

fn done(items: &Range<u64>, record: u64) -> u64 {
    (items.end - items.start) << PLACE_BITS | record
}

fn held(items: &Range<u64>) -> u64 {
    (items.end - items.start) << PLACE_BITS | items.start
}

/// Of a lane's `claim`.
fn items_of(word: u64) -> Range<u64> {
    word % PLACES..word % PLACES + (word >> PLACE_BITS)
}
