//! Teams that no launcher of this package has started: MPI's, and a single process.
//!
//! Ranks share counters, and meet to exchange their results. Only the [ledger](crate::ledger)
//! survives a process.
//!
//! In a call, each rank claims from a counter what the ledger does not have, until nothing is left.
//! Then the ranks exchange their records, with a header that identifies the call. Calls alternate
//! between two counters: the one of the last call is reset while no rank can use it.

#[cfg(feature = "mpi")]
mod mpi;
#[cfg(all(test, feature = "mpi"))]
mod mpi_tests;
mod one;
mod records;
mod ticket;
#[cfg(feature = "mpi")]
mod window;

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use taskel::ThreadPool;

#[cfg(feature = "mpi")]
pub(crate) use self::mpi::{MpiWorld, Started};
pub(crate) use self::one::One;
pub(crate) use self::records::Records;
use self::records::{Missing, Own};
pub(crate) use self::ticket::{Ticket, TicketGuard};
use crate::calls::{Kind, Signature};
use crate::error::TeamError;
use crate::ledger::{Ledger, Part};
use crate::sync::{AtomicU64, Ordering};
use crate::work::{Done, Pace, Runner, Work, on_all_threads};

/// The header of an exchange: a [`Head`], as words.
const HEAD: usize = 6;

/// How many words all ranks can add to.
const WORDS: usize = ticket::WORDS_FROM + ticket::WORDS;

/// How long a claim occupies the counter while others wait: 0.6 µs with four ranks of Open MPI on
/// two cores (`mpi_tests`). Networks take about as long.
const COUNTER_NS: f64 = 1000.0;

/// What the ranks of such a team share.
pub(crate) trait World: Send + Sync {
    fn rank(&self) -> usize;

    fn size(&self) -> usize;

    /// Adds to a word that all ranks share, and returns its old value. All words are 0 at first.
    fn add(&self, word: usize, value: i64) -> i64;

    /// Gives every rank the header and bytes of all ranks. All ranks must call it, in the same
    /// order.
    fn exchange(&self, head: [u64; HEAD], bytes: &[u8]) -> Exchange;

    /// Ends all ranks, because this one cannot go on. A panic is in progress.
    fn abort(&self);
}

/// What all ranks have contributed.
pub(crate) struct Exchange {
    heads: Vec<[u64; HEAD]>,
    /// The bytes of each rank.
    bytes: Vec<Vec<u8>>,
}

/// What a rank says about itself in an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Head {
    number: u64,
    signature: Signature,
    /// Whether this rank has an error.
    failed: bool,
}

impl Head {
    fn words(self) -> [u64; HEAD] {
        let Signature { kind, start, items, results } = self.signature;
        [self.number, kind as u64, start, items, results, u64::from(self.failed)]
    }

    fn of([number, kind, start, items, results, failed]: [u64; HEAD]) -> Head {
        let signature = Signature { kind: Kind::of(kind), start, items, results };
        Head { number, signature, failed: failed != 0 }
    }
}

/// A rank's part in such a team.
pub(crate) struct Member {
    world: Arc<dyn World>,
    /// The number of threads of all ranks.
    claimers: u64,
    ledger: Option<Ledger>,
    next: Mutex<u64>,
}

impl Member {
    pub(crate) fn new(world: Arc<dyn World>, claimers: u64) -> Member {
        Member { world, claimers, ledger: None, next: Mutex::new(0) }
    }

    pub(crate) fn world(&self) -> &Arc<dyn World> {
        &self.world
    }

    /// Records finished work from now on, and skips work that is already recorded.
    pub(crate) fn keep(
        &mut self,
        open: impl FnOnce(bool) -> Result<Ledger, TeamError>,
    ) -> Result<(), TeamError> {
        // One rank reads before the others begin to write.
        let is_first = self.world.rank() == 0;
        let mut open = Some(open);
        let mut ledger = None;
        for reads in [true, false] {
            let opened = if reads == is_first { open.take().map(|open| open(reads)) } else { None };
            let failure = match opened {
                Some(Ok(opened)) => {
                    ledger = Some(opened);
                    None
                }
                Some(Err(error)) => Some(error),
                None => None,
            };
            let signature = Signature::new(Kind::Ledger, &(0..0), "()")?;
            self.meet(signature, Vec::new(), failure)?;
        }
        self.ledger = ledger;
        Ok(())
    }

    /// Meets the other ranks. Returns what each has contributed. `failure` is this rank's error.
    fn meet(
        &self,
        signature: Signature,
        bytes: Vec<u8>,
        failure: Option<TeamError>,
    ) -> Result<Vec<Vec<u8>>, TeamError> {
        let number = *self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let own = Head { number, signature, failed: failure.is_some() };
        let Exchange { heads, bytes } = self.world.exchange(own.words(), &bytes);
        if let Some(failure) = failure {
            return Err(failure);
        }
        let heads: Vec<Head> = heads.into_iter().map(Head::of).collect();
        let same = |head: &Head| (head.number, head.signature) == (heads[0].number, heads[0].signature);
        if let Some(other) = heads.iter().find(|head| !same(head)) {
            let found = if same(&own) { other } else { &own };
            let (expected, found) = (heads[0].signature.to_string(), found.signature.to_string());
            return Err(TeamError::OtherCall { call: heads[0].number, expected, found });
        }
        match heads.iter().position(|head| head.failed) {
            Some(rank) => Err(TeamError::OtherRank { rank }),
            None => Ok(bytes),
        }
    }

    pub(crate) fn barrier(&self) -> Result<(), TeamError> {
        self.set_back_other();
        let met = self.meet(Signature::new(Kind::Barrier, &(0..0), "()")?, Vec::new(), None);
        self.over();
        met.map(drop)
    }

    /// Resets the counter of the last call, which the next one uses. No rank can use it now.
    fn set_back_other(&self) {
        if self.world.rank() == 0 {
            let other = counter(*self.next.lock().unwrap_or_else(PoisonError::into_inner) + 1);
            self.world.add(other, -self.world.add(other, 0));
        }
    }

    /// Ends the turn of a call.
    fn over(&self) {
        *self.next.lock().unwrap_or_else(PoisonError::into_inner) += 1;
    }

    /// Does this rank's part of a call. When it returns, all items are done, and their records are
    /// here.
    pub(crate) fn call(
        &self,
        pool: &ThreadPool,
        signature: Signature,
        work: impl Work,
    ) -> Result<Records, TeamError> {
        let outcome = self.call_and_meet(pool, signature, work);
        self.over();
        outcome
    }

    fn call_and_meet(
        &self,
        pool: &ThreadPool,
        signature: Signature,
        work: impl Work,
    ) -> Result<Records, TeamError> {
        let number = *self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let (missing, own) = self.what_is_missing(number, signature)?;
        self.set_back_other();
        let claimed = Claimed {
            member: self,
            number,
            signature,
            missing,
            seen: AtomicU64::new(0),
            own: Mutex::new(own),
        };
        let claim = |_| claimed.claim_all(&work);
        let all = AssertUnwindSafe(|| on_all_threads(pool, 0..pool.current_num_threads(), claim));
        let failure = catch_unwind(all).unwrap_or_else(|panic| {
            // Others wait for this rank's records.
            self.world.abort();
            resume_unwind(panic)
        });
        let failure = failure.err();
        let own = claimed.own.into_inner().unwrap_or_else(PoisonError::into_inner);
        let bytes = self.meet(signature, own.into_bytes(), failure)?;
        Records::new(signature.items, bytes)
    }

    /// Returns the items that no earlier run has done, and the records of all others, which the
    /// first rank has.
    fn what_is_missing(&self, number: u64, signature: Signature) -> Result<(Missing, Own), TeamError> {
        let Some(ledger) = &self.ledger else { return Ok((Missing::all(signature.items), Own::default())) };
        let mut own = Own::default();
        let failure = ledger.done(number, signature.hash(), &mut |part| {
            own.push(&part);
            Ok(())
        });
        let failure = failure.err();
        let met = self.meet(signature, own.places(), failure)?;
        let missing = Missing::beside(signature.items, &met[0]);
        Ok((missing, own))
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return self.world.abort();
        }
        // Others may still make calls. In each, they learn that this rank makes none.
        let Ok(signature) = Signature::new(Kind::End, &(0..0), "()") else { return };
        let head = Head { number: 0, signature, failed: false };
        loop {
            let met = self.world.exchange(head.words(), &[]);
            if met.heads.iter().all(|&other| Head::of(other).signature.kind == Kind::End) {
                return;
            }
        }
    }
}

/// Returns the word from which the items of a call are claimed.
fn counter(number: u64) -> usize {
    (number % 2) as usize
}

/// A call from which this rank claims items.
struct Claimed<'a> {
    member: &'a Member,
    number: u64,
    signature: Signature,
    missing: Missing,
    /// The number of claimed items at this rank's last claim. A hint.
    seen: AtomicU64,
    own: Mutex<Own>,
}

impl Claimed<'_> {
    /// Claims until nothing is left, on one thread.
    fn claim_all(&self, work: &impl Work) -> Result<(), TeamError> {
        let runner = Runner::unseen();
        let len = self.missing.len();
        let mut pace = Pace::new(self.member.claimers, COUNTER_NS);
        loop {
            let want = pace.next(len.saturating_sub(self.seen.load(Ordering::Relaxed)));
            let start = self.member.world.add(counter(self.number), want as i64) as u64;
            self.seen.fetch_max(start + want, Ordering::Relaxed);
            if start >= len {
                return Ok(());
            }
            let places = start..len.min(start + want);
            let began = Instant::now();
            for items in self.missing.items(places.clone()) {
                self.run(work, &runner, items)?;
            }
            pace.done(places.end - places.start, began.elapsed());
        }
    }

    fn run(&self, work: &impl Work, runner: &Runner<'_>, items: Range<u64>) -> Result<(), TeamError> {
        let start = self.signature.start;
        for Done { items, record } in
            work.run(runner, (start + items.start) as usize..(start + items.end) as usize)?
        {
            let (from, len) = (items.start as u64 - start, items.len() as u64);
            let part = Part { start: from, len, bytes: record.unwrap_or_default() };
            if let Some(ledger) = &self.member.ledger {
                ledger.append(self.number, self.signature.hash(), &part)?;
            }
            self.own.lock().unwrap_or_else(PoisonError::into_inner).push(&part);
        }
        Ok(())
    }
}
