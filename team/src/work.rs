//! How a rank does its part of a call.
//!
//! First, each thread of the rank's pool claims items and runs them. If a claim has several items,
//! they run as a loop of the pool, so threads that find nothing left to claim help the others of
//! their rank. When all threads have finished, the rank looks for items that others have lost, and
//! waits for the items that others still have.
//!
//! From time to time, a waiting rank takes items that another lane has and has not begun, because
//! that lane has misjudged its items. If the lane runs its items in order, as in each rank with one
//! thread, the waiting rank [stops](Claims::stop) it. In a rank with several threads, these steal
//! items of a claim from each other, and no thread knows which items have begun. So the waiting
//! rank asks. If the threads have worked on a claim for longer than expected, they begin no more
//! items of it, and give the rest back.
//!
//! Items in which a rank has died are run last, one at a time. So if another rank dies, the item is
//! known.

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use taskel::ThreadPool;
use taskel_adaptive::{ChunkConfig, Chunker, Tail};

use crate::calls::CallWords;
use crate::control::hold;
use crate::error::TeamError;
use crate::ledger::{Ledger, Part as Kept};
use crate::memory::Memory;
use crate::protocol::claims::{Claims, Found, Lane, MOST_IN_A_CLAIM};
use crate::seats::Shared;
use crate::sync::{AtomicU64, Ordering};

/// The assumed cost of claiming and finishing, including the pool's loop around the items. See the
/// decision record of teams.
const CLAIM_NS: u64 = 500;
/// How long an addition occupies a word in shared memory while others wait for it.
const COUNTER_NS: f64 = 100.0;
/// How long the items of a claim should take.
const TARGET_NS: u64 = 1000 * CLAIM_NS;
/// How long a lane may work on a claim before others may take the items that have not begun, in
/// milliseconds.
const PATIENCE_MS: u64 = 2;
/// When a waiting rank first asks for items that have not begun. It doubles this time each time, up
/// to a [`TICK`].
const FIRST_PATIENCE: Duration = Duration::from_millis(1);
/// How often a waiting rank looks for dead ranks.
pub(crate) const TICK: Duration = Duration::from_millis(20);
/// How much of the arena a thread allocates at a time, in bytes.
const PIECE: u64 = 1 << 16;

/// How many items a thread claims at a time.
#[derive(Debug)]
pub(crate) struct Pace {
    chunker: Chunker,
    tail: Tail,
}

impl Pace {
    /// Creates the pace for this many threads, of all ranks, and a counter that each claim occupies
    /// for `busy_ns`.
    pub(crate) fn new(claimers: u64, busy_ns: f64) -> Pace {
        let chunker = Chunker::new(ChunkConfig::default().with_target_ns(TARGET_NS));
        Pace { chunker, tail: Tail::new(claimers as usize, busy_ns) }
    }

    /// Returns how many items to claim. The limits make the end fine-grained, and keep threads from
    /// waiting for each other at the counter.
    pub(crate) fn next(&mut self, remaining: u64) -> u64 {
        let fits = self.fitting(remaining) as usize;
        let size = self.tail.limit(fits, remaining as usize, self.chunker.estimate_ns());
        (size as u64).min(MOST_IN_A_CLAIM)
    }

    /// Returns how many items take about the target time.
    fn fitting(&mut self, remaining: u64) -> u64 {
        self.chunker.next_chunk(remaining as usize) as u64
    }

    pub(crate) fn done(&mut self, items: u64, took: Duration) {
        self.chunker.observe(items as usize, u64::try_from(took.as_nanos()).unwrap_or(u64::MAX));
    }
}

/// Calls `claim` on each thread of the pool, with its own lane. Returns the first error.
pub(crate) fn on_all_threads(
    pool: &ThreadPool,
    lanes: Range<usize>,
    claim: impl Fn(usize) -> Result<(), TeamError> + Sync,
) -> Result<(), TeamError> {
    let failure = Mutex::new(None);
    let claim = |lane: usize| {
        if let Err(error) = claim(lane) {
            failure.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
        }
    };
    pool.install(|| {
        taskel::in_place_scope(|scope| {
            for lane in lanes.clone().skip(1) {
                let claim = &claim;
                scope.spawn(move |_| claim(lane));
            }
            claim(lanes.start);
        });
    });
    failure.into_inner().unwrap_or_else(PoisonError::into_inner).map_or(Ok(()), Err)
}

/// How items must be run.
#[derive(Clone, Copy)]
pub(crate) struct Runner<'a> {
    lanes: &'a [&'a Lane],
    start: usize,
    rest: Rest<'a>,
}

/// How others get the items of a claim that have not begun.
#[derive(Clone, Copy)]
enum Rest<'a> {
    /// They do not.
    Kept,
    /// They ask for them in this word, which is ignored before the given time.
    Asked(&'a AtomicU64, u64),
    /// They stop the only lane, which runs its items in order.
    Taken(InOrder<'a>),
}

/// A lane that runs its items in order.
#[derive(Clone, Copy)]
pub(crate) struct InOrder<'a> {
    shared: &'a Shared,
    claims: Claims<'a>,
    lane: usize,
    start: usize,
}

impl InOrder<'_> {
    /// Runs items until others take the rest. Returns where it ended.
    pub(crate) fn run(self, items: Range<usize>, mut item: impl FnMut(usize)) -> usize {
        let lane = self.claims.lane(self.lane);
        let fences = self.shared.fences;
        let mut end = items.end;
        let mut at = items.start;
        while at < end {
            let number = (at - self.start) as u64;
            if !lane.begin(number, fences) {
                end = end.min(self.end());
                continue;
            }
            // After a panic, `end` is not called: the rank counts as one that died in the item.
            item(at);
            lane.end(number);
            at += 1;
        }
        at
    }

    /// Returns the end of the items that others have left to the lane. If this is unknown, the end
    /// is before all of them.
    fn end(self) -> usize {
        let recovery = hold(&self.shared.locks.recovery);
        recovery.map_or(0, |_recovery| self.start + self.claims.resume(self.lane) as usize)
    }
}

impl<'a> Runner<'a> {
    /// For a call that no other rank sees.
    pub(crate) fn unseen() -> Self {
        Runner { lanes: &[], start: 0, rest: Rest::Kept }
    }

    /// Returns the lane if it must run its items in order.
    pub(crate) fn in_order(&self) -> Option<InOrder<'a>> {
        match self.rest {
            Rest::Taken(in_order) => Some(in_order),
            _ => None,
        }
    }

    /// Runs one item, and announces to others that this thread is in it.
    #[inline]
    pub(crate) fn run<R>(&self, index: usize, item: impl FnOnce() -> R) -> R {
        let Some(caller) = self.lanes.len().checked_sub(1) else { return item() };
        let lane = self.lanes[taskel::current_thread_index().unwrap_or(caller).min(caller)];
        let before = lane.enter((index - self.start) as u64);
        // After a panic, `leave` is not called: the rank counts as one that died in the item.
        let result = item();
        lane.leave(before);
        result
    }

    /// Returns whether another item may begin, if the items have no order.
    #[inline]
    pub(crate) fn goes_on(&self) -> bool {
        match self.rest {
            Rest::Asked(asked, until) => asked.load(Ordering::Relaxed) < until,
            _ => true,
        }
    }
}

/// The same in all processes. If the clock jumps, items are given back too often or too late.
fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or_default()
}

/// A run of finished items, and their record.
pub(crate) struct Done {
    pub(crate) items: Range<usize>,
    pub(crate) record: Option<Vec<u8>>,
}

/// Runs items of a claim as long as the runner [goes on](Runner::goes_on), and returns records of
/// the finished items. At least one item is done, unless others consider the rank dead.
pub(crate) trait Work: Sync {
    fn run(&self, runner: &Runner<'_>, items: Range<usize>) -> Result<Vec<Done>, TeamError>;
}

impl<F> Work for F
where
    F: Fn(&Runner<'_>, Range<usize>) -> Result<Vec<Done>, TeamError> + Sync,
{
    fn run(&self, runner: &Runner<'_>, items: Range<usize>) -> Result<Vec<Done>, TeamError> {
        self(runner, items)
    }
}

/// A rank's part in a call.
pub(crate) struct Part<'a, W> {
    pub(crate) shared: &'a Shared,
    pub(crate) pool: &'a ThreadPool,
    pub(crate) rank: usize,
    pub(crate) call: CallWords<'a>,
    pub(crate) start: usize,
    pub(crate) work: W,
    /// Where to record finished items, and a hash of the call's signature.
    pub(crate) ledger: Option<(&'a Ledger, u64)>,
}

impl<W: Work> Part<'_, W> {
    /// Returns when all items of the call are done or lost.
    ///
    /// # Panics
    /// Panics if an item does.
    pub(crate) fn run(&self) -> Result<(), TeamError> {
        let words = &self.shared.memory.ranks()[self.rank];
        // The holder of the seat after this process's death reads it.
        words.call.store(self.call.number + 1, Ordering::Relaxed);
        let outcome = self.claim_all().and_then(|()| self.wait_for_all());
        if outcome.is_err() {
            self.give_up();
        }
        words.call.store(0, Ordering::Relaxed);
        outcome
    }

    /// Returns this rank's lanes.
    fn lanes(&self) -> Vec<&Lane> {
        self.call.lanes_of(self.rank).map(|lane| self.call.claims.lane(lane)).collect()
    }

    /// Lets each thread claim until nothing is left.
    fn claim_all(&self) -> Result<(), TeamError> {
        if self.call.claims.remaining() == 0 {
            return Ok(());
        }
        let own = self.lanes();
        let first = self.call.lanes_of(self.rank).start;
        let lanes = first..first + self.pool.current_num_threads();
        on_all_threads(self.pool, lanes, |lane| self.claim_on(lane, &own))
    }

    fn claim_on(&self, lane: usize, own: &[&Lane]) -> Result<(), TeamError> {
        let claims = self.call.claims;
        let claimers = self.shared.locks.settings().ranks * self.pool.current_num_threads() as u64;
        let mut pace = Pace::new(claimers, COUNTER_NS);
        let mut arena = Arena::new(&self.shared.memory);
        loop {
            let want = pace.next(claims.remaining());
            let Some(items) = claims.claim(lane, want) else { return Ok(()) };
            let began = Instant::now();
            let done = self.do_items(lane, &items, own, &mut arena)?;
            pace.done(done, began.elapsed());
        }
    }

    /// Runs items of the lane and records them. Returns how many were run. The others are given
    /// back.
    fn do_items(
        &self,
        lane: usize,
        items: &Range<u64>,
        own: &[&Lane],
        arena: &mut Arena<'_>,
    ) -> Result<u64, TeamError> {
        let (team, claims) = (self.shared.memory.team(), self.call.claims);
        let range = self.start + items.start as usize..self.start + items.end as usize;
        let rest = if self.is_in_order() {
            Rest::Taken(InOrder { shared: self.shared, claims, lane, start: self.start })
        } else {
            Rest::Asked(&team.asked_ms, now_ms() + PATIENCE_MS)
        };
        let runner = Runner { lanes: own, start: self.start, rest };
        let mut parts = self.work.run(&runner, range.clone())?;
        if parts.is_empty() && !self.is_in_order() {
            // The clock was set back, and has not reached the time of the last request again.
            parts = self.work.run(&runner, range.start..range.start + 1)?;
        }
        let mut done = 0;
        let mut somebody_waits = false;
        let count = parts.len();
        let all = items.end - items.start;
        let run: u64 = parts.iter().map(|part| part.items.len() as u64).sum();
        // The rank that takes items from a lane counts them.
        if run < all && !self.is_in_order() {
            team.given_back.fetch_add(all - run, Ordering::Relaxed);
        }
        for (number, part) in parts.into_iter().enumerate() {
            let (place, record) = self.keep(part, arena)?;
            done += place.end - place.start;
            if number + 1 < count {
                claims.note_done(&place, record);
            } else {
                somebody_waits = claims.finish(lane, &place, record);
            }
        }
        if count == 0 {
            // Others consider this rank dead.
            claims.give_up(lane);
        }
        if done < all {
            team.lapses.fetch_add(1, Ordering::Relaxed);
        }
        if somebody_waits {
            self.shared.locks.notify()?;
        }
        Ok(done)
    }

    /// Writes finished items to where others find them. Returns the items and the place.
    fn keep(&self, done: Done, arena: &mut Arena<'_>) -> Result<(Range<u64>, u64), TeamError> {
        let Done { items, record } = done;
        let items = (items.start - self.start) as u64..(items.end - self.start) as u64;
        let place = record.as_ref().map_or(Ok(0), |bytes| arena.record(bytes))?;
        if let Some((ledger, signature)) = self.ledger {
            let (start, len) = (items.start, items.end - items.start);
            let part = Kept { start, len, bytes: record.unwrap_or_default() };
            ledger.append(self.call.number, signature, &part)?;
        }
        Ok((items, place))
    }

    /// Runs free items, and waits for the items that others have.
    fn wait_for_all(&self) -> Result<(), TeamError> {
        let claims = self.call.claims;
        let lane = self.call.lanes_of(self.rank).start;
        // Even if this rank had nothing to claim. From now on, a rank that finishes items sees that
        // another may wait.
        let left = claims.claim(lane, 1);
        let own = self.lanes();
        let mut arena = Arena::new(&self.shared.memory);
        if let Some(items) = left {
            self.do_items(lane, &items, &own, &mut arena)?;
        }
        let mut pace = Pace::new(1, 0.0);
        let mut walked = 0;
        let mut patience = FIRST_PATIENCE;
        loop {
            walked = claims.walk(walked);
            if walked == claims.len() {
                return Ok(());
            }
            let lapses = self.lapses();
            if let Some(items) = self.take_free(lane, walked, &mut pace)? {
                let began = Instant::now();
                let done = self.pool.install(|| self.do_items(lane, &items, &own, &mut arena))?;
                pace.done(done, began.elapsed());
                patience = FIRST_PATIENCE;
                continue;
            }
            let is_news = || claims.walk(walked) > walked || self.lapses() != lapses;
            if !self.shared.locks.wait(patience, is_news)? {
                self.ask_for_more()?;
                self.shared.take_over_dead(Some(self.rank))?;
                patience = (2 * patience).min(TICK);
            }
        }
    }

    /// Returns whether each rank has one thread, which runs the items of a claim in order.
    fn is_in_order(&self) -> bool {
        self.shared.locks.settings().threads == 1
    }

    /// Makes others free the items that they have not begun.
    fn ask_for_more(&self) -> Result<(), TeamError> {
        let team = self.shared.memory.team();
        if !self.is_in_order() {
            team.asked_ms.store(now_ms(), Ordering::Relaxed);
            return Ok(());
        }
        let settings = self.shared.locks.settings();
        let mut lanes = 0..self.call.lanes_of(settings.ranks as usize - 1).end;
        let Some(lane) = lanes.find(|&lane| self.call.claims.has_rest(lane)) else { return Ok(()) };
        let recovery = hold(&self.shared.locks.recovery)?;
        let freed = self.call.claims.stop(lane, settings.fences());
        drop(recovery);
        if freed > 0 {
            team.given_back.fetch_add(freed, Ordering::Relaxed);
            team.lapses.fetch_add(1, Ordering::Relaxed);
            self.shared.locks.notify()?;
        }
        Ok(())
    }

    fn lapses(&self) -> u64 {
        self.shared.memory.team().lapses.load(Ordering::Relaxed)
    }

    /// Takes free items from `from` on, if there are any.
    fn take_free(&self, lane: usize, from: u64, pace: &mut Pace) -> Result<Option<Range<u64>>, TeamError> {
        // Nothing is free unless a rank has died, was stopped, or gave items back.
        if self.lapses() == 0 {
            return Ok(None);
        }
        let claims = self.call.claims;
        let _recovery = hold(&self.shared.locks.recovery)?;
        let mut at = from;
        // Items in which ranks have died come last.
        let mut suspect = None;
        while at < claims.len() {
            match claims.look(at) {
                Found::Claiming => break,
                Found::HeldUpTo(end) | Found::DoneUpTo(end) => at = end,
                Found::Free { items, deaths: 0 } => {
                    let len = pace.fitting(items.end - items.start);
                    return Ok(Some(self.take(lane, items.start..items.start + len)));
                }
                Found::Free { items, .. } => {
                    at = items.end;
                    suspect = suspect.or(Some(items));
                }
            }
        }
        Ok(suspect.map(|items| self.take(lane, items)))
    }

    fn take(&self, lane: usize, items: Range<u64>) -> Range<u64> {
        self.call.claims.take(lane, &items);
        self.shared.memory.team().again.fetch_add(items.end - items.start, Ordering::Relaxed);
        items
    }

    /// Gives up all items of this rank.
    fn give_up(&self) {
        self.call.lanes_of(self.rank).for_each(|lane| self.call.claims.give_up(lane));
        self.shared.memory.team().lapses.fetch_add(1, Ordering::Relaxed);
        // If this fails, waiters look again on their own soon.
        let _ = self.shared.locks.notify();
    }
}

/// Runs `part`, and distinguishes a panic in an item from an error.
pub(crate) fn catch<W: Work>(part: &Part<'_, W>) -> std::thread::Result<Result<(), TeamError>> {
    catch_unwind(AssertUnwindSafe(|| part.run()))
}

/// A piece of the arena that one thread writes records to.
struct Arena<'a> {
    memory: &'a Memory,
    free: Range<u64>,
}

impl<'a> Arena<'a> {
    fn new(memory: &'a Memory) -> Self {
        Arena { memory, free: 0..0 }
    }

    /// Writes a record. Returns its place.
    fn record(&mut self, bytes: &[u8]) -> Result<u64, TeamError> {
        let whole = (bytes.len() as u64 + 8).next_multiple_of(8);
        if self.free.end - self.free.start < whole {
            let size = whole.max(PIECE);
            let place = self.memory.allocate(size)?;
            self.free = place..place + size;
        }
        let place = self.free.start;
        self.free.start += whole;
        // SAFETY: allocated by this thread, above or before, and told to nobody.
        unsafe { self.memory.write(place, &(bytes.len() as u64).to_le_bytes()) };
        // SAFETY: as above.
        unsafe { self.memory.write(place + 8, bytes) };
        Ok(place)
    }
}

/// Returns the record at a place that a table entry names.
pub(crate) fn record(memory: &Memory, place: u64) -> &[u8] {
    // SAFETY: written before it was told in the entry (`claims`: Release in `finish`, Acquire in
    // `entry`).
    let len = unsafe { memory.read(place, 8) };
    let len = u64::from_le_bytes(len.try_into().unwrap_or_default());
    // SAFETY: as above.
    unsafe { memory.read(place + 8, len) }
}
