//! How a rank does its part of a call.
//!
//! First, each thread of its pool claims items for itself and runs them, as a loop of the pool where
//! there are several: so threads that find nothing left to claim help the others of their rank. When
//! all have ended, the rank looks for what others have lost, and waits for what others have.
//!
//! Items in which a rank has died are run last, and one at a time: if another rank dies, it is known
//! in which item.

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use taskel::ThreadPool;
use taskel_adaptive::{ChunkConfig, Chunker, Tail};

use crate::calls::CallWords;
use crate::control::hold;
use crate::error::TeamError;
use crate::ledger::{Ledger, Part as Done};
use crate::memory::Memory;
use crate::protocol::claims::{Found, Lane, MOST_IN_A_CLAIM};
use crate::seats::Shared;
use crate::sync::Ordering;

/// What claiming and ending costs at most, with the pool's loop around the items: a guess, see the
/// decision record of teams.
const CLAIM_NS: u64 = 500;
/// How long a word in shared memory is busy with an addition, while others wait for it.
const COUNTER_NS: f64 = 100.0;
/// How long the items of a claim should take.
const TARGET_NS: u64 = 1000 * CLAIM_NS;
/// How often one who waits looks for the dead.
pub(crate) const TICK: Duration = Duration::from_millis(20);
/// How much of the arena a thread takes at a time, in bytes.
const PIECE: u64 = 1 << 16;

/// How many items a thread claims at a time.
#[derive(Debug)]
pub(crate) struct Pace {
    chunker: Chunker,
    tail: Tail,
}

impl Pace {
    /// For so many threads, of all ranks, and a counter that is busy for so long with each claim.
    pub(crate) fn new(claimers: u64, busy_ns: f64) -> Pace {
        let chunker = Chunker::new(ChunkConfig::default().with_target_ns(TARGET_NS));
        Pace { chunker, tail: Tail::new(claimers as usize, busy_ns) }
    }

    /// So many that the end is fine-grained, and that threads do not wait for each other at the
    /// counter.
    pub(crate) fn next(&mut self, remaining: u64) -> u64 {
        let fits = self.fitting(remaining) as usize;
        let size = self.tail.limit(fits, remaining as usize, self.chunker.estimate_ns());
        (size as u64).min(MOST_IN_A_CLAIM)
    }

    /// What takes the target's time.
    fn fitting(&mut self, remaining: u64) -> u64 {
        self.chunker.next_chunk(remaining as usize) as u64
    }

    pub(crate) fn done(&mut self, items: u64, took: Duration) {
        self.chunker.observe(items as usize, u64::try_from(took.as_nanos()).unwrap_or(u64::MAX));
    }
}

/// Calls `claim` on each thread of the pool, with a lane for each; the first error.
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

/// Who runs items, as they need to know.
pub(crate) struct Runner<'a> {
    lanes: Vec<&'a Lane>,
    start: usize,
}

impl Runner<'_> {
    /// Where nobody is to know of it.
    pub(crate) fn unseen() -> Self {
        Runner { lanes: Vec::new(), start: 0 }
    }

    /// Runs one item, and lets others know that this thread is in it.
    pub(crate) fn run<R>(&self, index: usize, item: impl FnOnce() -> R) -> R {
        let Some(caller) = self.lanes.len().checked_sub(1) else { return item() };
        let lane = self.lanes[taskel::current_thread_index().unwrap_or(caller).min(caller)];
        let before = lane.enter((index - self.start) as u64);
        // Not on a panic: then the rank counts as one that died in the item.
        let result = item();
        lane.leave(before);
        result
    }
}

/// Runs items, which are those of a claim, and makes their record.
pub(crate) trait Work: Sync {
    fn run(&self, runner: &Runner<'_>, items: Range<usize>) -> Result<Option<Vec<u8>>, TeamError>;
}

impl<F> Work for F
where
    F: Fn(&Runner<'_>, Range<usize>) -> Result<Option<Vec<u8>>, TeamError> + Sync,
{
    fn run(&self, runner: &Runner<'_>, items: Range<usize>) -> Result<Option<Vec<u8>>, TeamError> {
        self(runner, items)
    }
}

/// A rank in a call.
pub(crate) struct Part<'a, W> {
    pub(crate) shared: &'a Shared,
    pub(crate) pool: &'a ThreadPool,
    pub(crate) rank: usize,
    pub(crate) call: CallWords<'a>,
    pub(crate) start: usize,
    pub(crate) work: W,
    /// Where done items are noted, and a hash of what is called.
    pub(crate) ledger: Option<(&'a Ledger, u64)>,
}

impl<W: Work> Part<'_, W> {
    /// Returns when all items of the call are done, or lost.
    ///
    /// # Panics
    /// If an item does.
    pub(crate) fn run(&self) -> Result<(), TeamError> {
        let words = &self.shared.memory.ranks()[self.rank];
        // Whoever has the seat after this process's death reads it.
        words.call.store(self.call.number + 1, Ordering::Relaxed);
        let outcome = self.claim_all().and_then(|()| self.wait_for_all());
        if outcome.is_err() {
            self.give_up();
        }
        words.call.store(0, Ordering::Relaxed);
        outcome
    }

    fn runner(&self) -> Runner<'_> {
        let lanes = self.call.lanes_of(self.rank).map(|lane| self.call.claims.lane(lane)).collect();
        Runner { lanes, start: self.start }
    }

    /// Each thread claims until nothing is left.
    fn claim_all(&self) -> Result<(), TeamError> {
        if self.call.claims.remaining() == 0 {
            return Ok(());
        }
        let runner = self.runner();
        let first = self.call.lanes_of(self.rank).start;
        let lanes = first..first + self.pool.current_num_threads();
        on_all_threads(self.pool, lanes, |lane| self.claim_on(lane, &runner))
    }

    fn claim_on(&self, lane: usize, runner: &Runner<'_>) -> Result<(), TeamError> {
        let claims = self.call.claims;
        let claimers = self.shared.locks.settings().ranks * self.pool.current_num_threads() as u64;
        let mut pace = Pace::new(claimers, COUNTER_NS);
        let mut arena = Arena::new(&self.shared.memory);
        loop {
            let want = pace.next(claims.remaining());
            let Some(items) = claims.claim(lane, want) else { return Ok(()) };
            let began = Instant::now();
            self.do_items(lane, &items, runner, &mut arena)?;
            pace.done(items.end - items.start, began.elapsed());
        }
    }

    /// Runs items that the lane has, and tells.
    fn do_items(
        &self,
        lane: usize,
        items: &Range<u64>,
        runner: &Runner<'_>,
        arena: &mut Arena<'_>,
    ) -> Result<(), TeamError> {
        let range = self.start + items.start as usize..self.start + items.end as usize;
        let bytes = self.work.run(runner, range)?;
        let record = bytes.as_ref().map_or(Ok(0), |bytes| arena.record(bytes))?;
        if let Some((ledger, signature)) = self.ledger {
            let (start, len) = (items.start, items.end - items.start);
            ledger.append(
                self.call.number,
                signature,
                &Done { start, len, bytes: bytes.unwrap_or_default() },
            )?;
        }
        if self.call.claims.finish(lane, items, record) {
            self.shared.locks.notify()?;
        }
        Ok(())
    }

    /// Does what is free, and waits for what others have.
    fn wait_for_all(&self) -> Result<(), TeamError> {
        let claims = self.call.claims;
        let lane = self.call.lanes_of(self.rank).start;
        // Also of those who had nothing to claim: from now on, who ends items sees that somebody
        // may wait.
        let left = claims.claim(lane, 1);
        let runner = self.runner();
        let mut arena = Arena::new(&self.shared.memory);
        if let Some(items) = left {
            self.do_items(lane, &items, &runner, &mut arena)?;
        }
        let mut pace = Pace::new(1, 0.0);
        let mut walked = 0;
        loop {
            walked = claims.walk(walked);
            if walked == claims.len() {
                return Ok(());
            }
            let lapses = self.lapses();
            if let Some(items) = self.take_free(lane, walked, &mut pace)? {
                let began = Instant::now();
                self.pool.install(|| self.do_items(lane, &items, &runner, &mut arena))?;
                pace.done(items.end - items.start, began.elapsed());
                continue;
            }
            let is_news = || claims.walk(walked) > walked || self.lapses() != lapses;
            if !self.shared.locks.wait(TICK, is_news)? {
                self.shared.take_over_dead(Some(self.rank))?;
            }
        }
    }

    fn lapses(&self) -> u64 {
        self.shared.memory.team().lapses.load(Ordering::Relaxed)
    }

    /// Takes items that nobody has, if there are any behind `from`.
    fn take_free(&self, lane: usize, from: u64, pace: &mut Pace) -> Result<Option<Range<u64>>, TeamError> {
        // Nothing is free where nobody has died.
        if self.lapses() == 0 {
            return Ok(None);
        }
        let claims = self.call.claims;
        let _recovery = hold(&self.shared.locks.recovery)?;
        let mut at = from;
        // Those in which ranks have died come last.
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

    /// Others may have what this rank has.
    fn give_up(&self) {
        self.call.lanes_of(self.rank).for_each(|lane| self.call.claims.give_up(lane));
        self.shared.memory.team().lapses.fetch_add(1, Ordering::Relaxed);
        // Those who wait look again before long.
        let _ = self.shared.locks.notify();
    }
}

/// Runs `part`, and tells a panic in an item from what it returns.
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

    /// Writes a record; returns where it is.
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

/// The record at a place that an entry of a table tells.
pub(crate) fn record(memory: &Memory, place: u64) -> &[u8] {
    // SAFETY: written before it was told in the entry (`claims`: Release in `finish`, Acquire in
    // `entry`).
    let len = unsafe { memory.read(place, 8) };
    let len = u64::from_le_bytes(len.try_into().unwrap_or_default());
    // SAFETY: as above.
    unsafe { memory.read(place + 8, len) }
}
