//! Which lane has which items of a call, and which items are done, even if ranks die.
//!
//! A call has items `0..n`. Every thread of a rank that claims items is a *lane* of the call.
//!
//! # State
//!
//! | word | of | written by |
//! |---|---|---|
//! | `next` | the call: the first item that no lane has claimed; beyond *n* at the end | a claiming lane, by an addition |
//! | `claim` | a lane | the lane; the rank that [takes over](Claims::take_over) its dead rank; the rank that [stops](Claims::stop) it |
//! | `running` | a lane's thread: the item that it is in, or was in last | the thread; the rank that takes over |
//! | `halt` | a lane: not 0 if it must ask before it begins an item | the rank that [stops](Claims::stop) it; the lane |
//! | `table[i]` | item *i* | the lane that has claimed the item; the rank that has taken over this lane's rank |
//!
//! | `claim` | meaning |
//! |---|---|
//! | 0 | the lane has no items |
//! | [`CLAIMING`] | it is about to add to `next`, or has done so and has not recorded what it got |
//! | start, length | it has these items |
//!
//! | `running` | meaning |
//! |---|---|
//! | 0 | the thread is in no item |
//! | item plus 1 | it is in this one |
//! | item plus 1, [`IN_ORDER`] | it is in this one or about to begin it, and all earlier items of its claim are done |
//! | item plus 1, [`IN_ORDER`], [`ENDED`] | it has ended this one, and is in none |
//!
//! | `table[i]` | meaning |
//! |---|---|
//! | 0 | not done, unless an earlier entry covers it |
//! | deaths, incarnation | not done; this many ranks died in it, the last one in this incarnation |
//! | length, record | items *i* .. *i* + length are done; where their record is, if there is one |
//! | [`LOST`], incarnation | given up: too many ranks died in it, the last one in this incarnation |
//!
//! An item below `next` that is not done, and that no lane has, is *free*. Either the lane that had
//! it has given it back, or its rank is dead and was taken over. This includes a rank that died
//! between its addition and recording what it got; nobody needs to know what that was. When nothing
//! is left to claim, one rank at a time looks for free items, under the *recovery lock*.
//!
//! # Stopping
//!
//! A lane that runs its items in order may be in a long one, with other items behind it. A waiting
//! rank that holds the recovery lock sets the lane's `halt`, reads where the lane is, and removes
//! the later items from its `claim`. These are then free. The lane sees `halt` before it begins
//! another item. It then takes the recovery lock, resets `halt`, and reads which items it still
//! has. Either side may die in between. To stop a lane that has just finished, or has begun another
//! claim, is harmless.
//!
//! # Death
//!
//! A rank holds its *seat*, a robust lock, for as long as it lives. The rank that gets the seat of
//! a dead one takes over: it records the items that the dead rank's threads were in, and clears its
//! lanes. If this rank dies as well, the next one that gets the seat does it again. An incarnation
//! is recorded once per item.
//!
//! When a process is killed, the thread that holds the seat may end some microseconds before a
//! thread on another core is stopped. So finishing an item fails if others have finished it, and
//! lanes of a rank without a process are [cleared](Claims::clear) repeatedly as long as any rank
//! waits.
//!
//! # Orderings
//!
//! * `table[i]`: Release when items are done, Acquire in [`entry`](Claims::entry). The record
//!   happens before a rank reads it.
//! * `next`: Release on the addition, and a fence if nothing is left, before
//!   [`look`](Claims::look). A rank that finds nothing left to claim sees of every lane that has
//!   claimed at least that it is claiming.
//! * `claim`: Release when a lane has no items any more, Acquire in `look`. A rank that finds that
//!   a lane does not have an item sees whether the item is done, and what was recorded about it.
//!   When a lane begins to claim, or finds nothing left, the fence in `finish` separates this from
//!   its earlier work.
//! * `SeqCst` fence between finishing items and reading `next`, and between finding nothing left in
//!   `next` and reading the table. Of a lane that finishes the last items, and a rank that waits
//!   for them, at least one sees the other.
//! * Light fence between announcing an item in `running` and reading `halt`; heavy fence between
//!   setting `halt` and reading `running`. Either the lane sees that it must stop, or the stopping
//!   rank sees the item.
//!
//! # Progress
//!
//! Claiming and finishing are wait-free: an addition and a compare-exchange, which never fails for
//! the owner of the items. A stopped lane waits for the recovery lock before it goes on. Looking
//! for free items takes time proportional to the number of lanes, and waits for lanes that are
//! [`CLAIMING`], which lasts for three instructions.
//!
//! # Models
//!
//! `claims_models.rs`: each item is done once, and its record is visible; items of a living lane
//! are not free; items that are given back go to another lane; items that a lane is stopped before
//! run once; a death at each step; a death of a rank that takes over, stops a lane, or is stopped;
//! an item that kills twice is lost; a rank that waits for the last items is woken.

use std::ops::Range;

use crate::sync::{AtomicU64, Fences, Ordering, fence, heavy_fence, light_fence};

/// A flag of a lane's `claim`.
const CLAIMING: u64 = 1 << 63;
/// A flag of `running`.
const IN_ORDER: u64 = 1 << 63;
const ENDED: u64 = 1 << 62;
/// A flag of an entry.
const LOST: u64 = 1 << 63;
/// The bits below the length, in a lane's `claim` and in an entry.
const PLACE_BITS: u32 = 40;
const PLACES: u64 = 1 << PLACE_BITS;
/// The bits below the incarnation, in an entry that is not done.
const DEATHS_BITS: u32 = 8;
const MOST_DEATHS: u64 = (1 << DEATHS_BITS) - 1;

/// The largest number of items in a claim.
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
    /// Begins an item, on the lane's thread. Returns the value of `running` from before.
    #[inline]
    pub(crate) fn enter(&self, item: u64) -> u64 {
        let before = self.running.load(Ordering::Relaxed);
        self.running.store(item + 1, Ordering::Relaxed);
        before
    }

    /// Ends the item.
    #[inline]
    pub(crate) fn leave(&self, before: u64) {
        self.running.store(before, Ordering::Relaxed);
    }

    /// Begins an item of a lane that runs its items in order. Returns false if the lane must
    /// [ask](Claims::resume) first.
    #[inline]
    #[must_use]
    pub(crate) fn begin(&self, item: u64, fences: Fences) -> bool {
        self.running.store(IN_ORDER | (item + 1), Ordering::Relaxed);
        // Pairs with `stop`.
        light_fence(fences);
        let may = self.halt.load(Ordering::Relaxed) == 0;
        if !may {
            // In no item: if the lane dies while it asks, or later, it has not died in this one.
            self.running.store(IN_ORDER | ENDED | item, Ordering::Relaxed);
        }
        may
    }

    /// Ends the item.
    #[inline]
    pub(crate) fn end(&self, item: u64) {
        self.running.store(IN_ORDER | ENDED | (item + 1), Ordering::Relaxed);
    }

    /// Returns the item that the thread is in. A lane that runs its items in order is not in an
    /// item that was taken from it.
    fn running(&self) -> Option<u64> {
        let running = self.running.load(Ordering::Relaxed);
        let item = (running & !IN_ORDER).checked_sub(1)?;
        if running & ENDED != 0 {
            return None;
        }
        let has = |item: &u64| items_of(self.claim.load(Ordering::Relaxed)).contains(item);
        if running & IN_ORDER == 0 { Some(item) } else { Some(item).filter(has) }
    }

    /// Returns the end of the begun items, if the lane runs its items in order and has more. If it
    /// has begun none of its current claim, it keeps the first one.
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

/// The meaning of a table entry.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    /// Not done. This many ranks died in it.
    Open { deaths: u64 },
    /// `len` items from here on are done, and their record is at this place.
    Done { len: u64, record: u64 },
    /// Given up, after the death of this incarnation of a rank.
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

    /// Returns how many items it covers, or 0 if it is not done.
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
    /// Some lane is about to claim. Look again.
    Claiming,
    /// A lane has all items up to this one.
    HeldUpTo(u64),
    /// All items up to this one are done or given up.
    DoneUpTo(u64),
    /// No lane has these items. If ranks died in the first item, it stands alone.
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

    /// Gives lost items another chance, while no rank runs.
    pub(crate) fn forget_losses(table: &[AtomicU64]) {
        for entry in table {
            if let Entry::Lost { .. } = Entry::of(entry.load(Ordering::Relaxed)) {
                entry.store(0, Ordering::Relaxed);
            }
        }
    }

    /// Records items that an earlier run has done, in ascending order, before any rank has begun
    /// the call. The items in between are free from then on.
    pub(crate) fn note_earlier(&self, items: &Range<u64>, record: u64) {
        self.table[items.start as usize].store(done(items, record), Ordering::Relaxed);
        self.next.store(items.end, Ordering::Relaxed);
    }

    /// Returns the number of items.
    pub(crate) fn len(&self) -> u64 {
        self.table.len() as u64
    }

    /// Returns how many items are not claimed yet. A hint.
    pub(crate) fn remaining(&self) -> u64 {
        self.len().saturating_sub(self.next.load(Ordering::Relaxed))
    }

    pub(crate) fn lane(&self, lane: usize) -> &'a Lane {
        &self.lanes[lane]
    }

    /// Claims up to `want` items (1 to [`MOST_IN_A_CLAIM`]) for a lane that has none. Returns
    /// `None` if nothing is left. After that, each item that is missing in the table belongs to a
    /// lane or is free.
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

    /// Records that some of a lane's items are done, with their record at `record`. The lane still
    /// has all of its items.
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

    /// Records that a lane's items are done, with their record at `record`. All other items of the
    /// lane that are not [recorded](Self::note_done) are given back. Returns true if a rank may
    /// wait for them; the caller must wake it.
    #[must_use]
    pub(crate) fn finish(&self, lane: usize, items: &Range<u64>, record: u64) -> bool {
        self.note_done(items, record);
        // Release: pairs with `look`: who finds the lane without items sees the entry.
        self.lanes[lane].claim.store(0, Ordering::Release);
        // SeqCst: pairs with `claim`.
        fence(Ordering::SeqCst);
        self.next.load(Ordering::Relaxed) >= self.len()
    }

    /// Gives back the lane's items for a reason other than a death.
    pub(crate) fn give_up(&self, lane: usize) {
        // Release: pairs with `look`.
        self.lanes[lane].claim.store(0, Ordering::Release);
    }

    /// Returns the meaning of an item's entry.
    pub(crate) fn entry(&self, item: u64) -> Entry {
        // Acquire: pairs with `finish`.
        Entry::of(self.table[item as usize].load(Ordering::Acquire))
    }

    /// Returns the first item from `from` on that is not done. `from` is 0 or an earlier result.
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

    /// Finds out who has an item. The caller holds the recovery lock, and has itself found nothing
    /// left by [`claim`](Self::claim).
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

    /// Takes free items for a lane that has none. The caller has held the recovery lock since it
    /// found them.
    pub(crate) fn take(&self, lane: usize, items: &Range<u64>) {
        self.lanes[lane].claim.store(held(items), Ordering::Relaxed);
    }

    /// Returns whether a lane has items that it has not begun and that others may take. A hint.
    pub(crate) fn has_rest(&self, lane: usize) -> bool {
        let lane = &self.lanes[lane];
        let word = lane.claim.load(Ordering::Relaxed);
        word != CLAIMING && lane.begun(&items_of(word)).is_some()
    }

    /// Frees the items that a lane has not begun. Returns their number. The caller holds the
    /// recovery lock.
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
        // This fails if the rank has died and was taken over.
        let now = held(&(items.start..end));
        let stopped = lane.claim.compare_exchange(word, now, Ordering::Relaxed, Ordering::Relaxed);
        stopped.map_or(0, |_| items.end - end)
    }

    /// Returns the end of a stopped lane's items. The caller holds the recovery lock.
    pub(crate) fn resume(&self, lane: usize) -> u64 {
        let lane = &self.lanes[lane];
        lane.halt.store(0, Ordering::Relaxed);
        items_of(lane.claim.load(Ordering::Relaxed)).end
    }

    /// Frees the items of a dead rank's lanes, and records the items that it died in. An item in
    /// which `attempts` ranks have died is lost. The caller holds the seat of the rank, whose
    /// incarnation is not 0.
    pub(crate) fn take_over(&self, lanes: Range<usize>, incarnation: u64, attempts: u64) {
        for lane in &self.lanes[lanes.clone()] {
            if let Some(item) = lane.running() {
                self.note_death(item, incarnation, attempts);
            }
        }
        let _ = self.clear(lanes);
    }

    /// Frees the items in the lanes of a rank without a process. Returns false if there were none.
    /// The caller holds its seat.
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
        // This fails if the item was done after all.
        let _ = entry.compare_exchange(seen, told, Ordering::Relaxed, Ordering::Relaxed);
    }
}

fn done(items: &Range<u64>, record: u64) -> u64 {
    (items.end - items.start) << PLACE_BITS | record
}

fn held(items: &Range<u64>) -> u64 {
    (items.end - items.start) << PLACE_BITS | items.start
}

/// Decodes a lane's `claim`.
fn items_of(word: u64) -> Range<u64> {
    word % PLACES..word % PLACES + (word >> PLACE_BITS)
}
