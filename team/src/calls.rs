//! The calls of a team, which all ranks make in the same order.
//!
//! The first rank to make a call writes its words. The others compare their call with them. All
//! words stay until the team ends. So a restarted process, which makes the same calls from the
//! first one on, finds all finished work.

use std::fmt;
use std::ops::Range;

use crate::control::{Settings, hold};
use crate::error::TeamError;
use crate::ledger::Ledger;
use crate::memory::{MOST_CALLS, Memory};
use crate::protocol::claims::{Claims, Lane};
use crate::seats::Shared;
use crate::sync::{AtomicU64, Ordering};

/// The largest number of items in a call.
pub(crate) const MOST_ITEMS: u64 = 1 << 32;

/// The kind of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    ForEach,
    Map,
    Reduce,
    Barrier,
    /// Not a call: a ledger is opened.
    Ledger,
    /// Not a call: a rank makes no more calls.
    End,
}

const KINDS: [Kind; 6] = [Kind::ForEach, Kind::Map, Kind::Reduce, Kind::Barrier, Kind::Ledger, Kind::End];

impl Kind {
    pub(crate) fn of(word: u64) -> Kind {
        KINDS[word as usize % KINDS.len()]
    }
}

/// What all ranks must agree on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Signature {
    pub(crate) kind: Kind,
    pub(crate) start: u64,
    pub(crate) items: u64,
    /// A hash of the result type.
    pub(crate) results: u64,
}

impl Signature {
    pub(crate) fn new(kind: Kind, range: &Range<usize>, results: &str) -> Result<Signature, TeamError> {
        let items = range.end.saturating_sub(range.start) as u64;
        if items > MOST_ITEMS {
            return Err(TeamError::TooMany { what: "items of a call", most: MOST_ITEMS, found: items });
        }
        Ok(Signature { kind, start: range.start as u64, items, results: crate::program::hash_of(results) })
    }

    pub(crate) fn hash(&self) -> u64 {
        crate::program::hash_of(&self.to_string())
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Signature { kind, start, items, results } = self;
        let name = match kind {
            Kind::ForEach => "for_each",
            Kind::Map => "map",
            Kind::Reduce => "reduce",
            Kind::Barrier => return f.write_str("barrier"),
            Kind::Ledger => return f.write_str("ledger"),
            Kind::End => return f.write_str("the end of the team"),
        };
        write!(f, "{name} of {start}..{} with results of type {results:08x}", start + items)
    }
}

/// The words of one call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CallWords<'a> {
    pub(crate) number: u64,
    pub(crate) claims: Claims<'a>,
    lanes_of_a_rank: usize,
}

impl<'a> CallWords<'a> {
    /// Returns the words of a call with items.
    pub(crate) fn of(memory: &'a Memory, settings: Settings, number: u64) -> CallWords<'a> {
        let lanes_of_a_rank = lanes_of_a_rank(settings);
        let lanes = memory.call(number).lanes.load(Ordering::Relaxed);
        let lanes = memory.words::<Lane>(lanes, settings.ranks as usize * lanes_of_a_rank);
        let claims = CallWords::items_of(memory, number).with_lanes(lanes);
        CallWords { number, claims, lanes_of_a_rank }
    }

    /// Returns the items of a call with items. Nothing may be claimed from them.
    pub(crate) fn items_of(memory: &'a Memory, number: u64) -> Claims<'a> {
        let call = memory.call(number);
        let place = call.place.load(Ordering::Relaxed);
        let items = call.items.load(Ordering::Relaxed);
        let next = &memory.words::<AtomicU64>(place, 1)[0];
        Claims::new(next, &[], memory.words(place + 64, items as usize))
    }

    pub(crate) fn lanes_of(&self, rank: usize) -> Range<usize> {
        rank * self.lanes_of_a_rank..(rank + 1) * self.lanes_of_a_rank
    }
}

/// One lane per worker of a pool, and one for the thread that makes the call.
fn lanes_of_a_rank(settings: Settings) -> usize {
    settings.threads as usize + 1
}

/// Begins a call. The first rank creates its words, including what the ledger has of it.
pub(crate) fn begin<'a>(
    shared: &'a Shared,
    number: u64,
    wanted: Signature,
    ledger: Option<&Ledger>,
) -> Result<CallWords<'a>, TeamError> {
    let (memory, settings) = (&*shared.memory, shared.locks.settings());
    if number >= MOST_CALLS {
        return Err(TeamError::TooMany { what: "calls of a team", most: MOST_CALLS, found: number + 1 });
    }
    // An owner that dies leaves values that are complete or that the next owner writes again.
    let mut calls = hold(&shared.locks.calls)?;
    let call = memory.call(number);
    if number < *calls {
        let known = Signature {
            kind: Kind::of(call.kind.load(Ordering::Relaxed)),
            start: call.start.load(Ordering::Relaxed),
            items: call.items.load(Ordering::Relaxed),
            results: call.results.load(Ordering::Relaxed),
        };
        if known != wanted {
            let (expected, found) = (known.to_string(), wanted.to_string());
            return Err(TeamError::OtherCall { call: number, expected, found });
        }
    } else {
        let place = memory.allocate(64 + wanted.items * size_of::<AtomicU64>() as u64)?;
        call.kind.store(wanted.kind as u64, Ordering::Relaxed);
        call.start.store(wanted.start, Ordering::Relaxed);
        call.items.store(wanted.items, Ordering::Relaxed);
        call.results.store(wanted.results, Ordering::Relaxed);
        call.place.store(place, Ordering::Relaxed);
        if let Some(ledger) = ledger {
            bring(memory, CallWords::items_of(memory, number), ledger, (number, wanted))?;
        }
        *calls = number + 1;
        // Release: pairs with the launcher, which looks how far the call is, and with
        // `Memory::begin_run`, if all ranks are killed and the ledger is all that is left.
        memory.team().calls.store(number + 1, Ordering::Release);
    }
    let run = memory.team().runs.load(Ordering::Relaxed);
    if call.run.load(Ordering::Relaxed) != run {
        let lanes = memory.allocate(64 * settings.ranks * lanes_of_a_rank(settings) as u64)?;
        call.lanes.store(lanes, Ordering::Relaxed);
        call.run.store(run, Ordering::Relaxed);
    }
    drop(calls);
    Ok(CallWords::of(memory, settings, number))
}

/// Records what earlier runs have done of a call. No other rank has begun it yet.
fn bring(
    memory: &Memory,
    claims: Claims<'_>,
    ledger: &Ledger,
    (number, signature): (u64, Signature),
) -> Result<(), TeamError> {
    ledger.done(number, signature.hash(), &mut |part| {
        let place = match signature.kind {
            Kind::ForEach => 0,
            _ => {
                let place = memory.allocate(8 + part.bytes.len() as u64)?;
                // SAFETY: just allocated, and told to nobody.
                unsafe { memory.write(place, &(part.bytes.len() as u64).to_le_bytes()) };
                // SAFETY: as above.
                unsafe { memory.write(place + 8, &part.bytes) };
                place
            }
        };
        claims.note_earlier(&(part.start..part.start + part.len), place);
        // The items in between are free.
        memory.team().lapses.fetch_add(1, Ordering::Relaxed);
        Ok(())
    })
}
