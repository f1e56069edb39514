//! The search for separators with a user's predicate.
//!
//! Lanes look for a cut at either end of each chunk, and then for the cuts in between. If parts are
//! long, many lanes look for the same cut. With a quick predicate, that costs little. The answers
//! of a slow predicate are kept for all lanes, and lanes that look for the same cut share the
//! calls.
//!
//! If few items are to be asked about, the answers of a predicate of which nothing is known are
//! kept, too, and its first calls are timed. To find out before the loop whether it is slow would
//! take two calls, while all other lanes wait.

use std::ops::Range;
use std::thread;
use std::time::Duration;

use crate::iter::adapter::debug_without_closures;
use crate::os::clock::Clock;
use crate::policy::look::{is_slow, known, learn, look};
use crate::protocol::answers::Answers;
use crate::sched::unwind::OnDrop;
use crate::sync::{AtomicU32, AtomicU64, Ordering};

/// In fewer items, nobody looks whether the predicate is slow: each is asked about by itself, at
/// the ends of chunks.
const FEW: usize = 4;

/// To keep the answers about so many items takes less than 50 µs.
const FEW_TO_KEEP: usize = 4096;

/// So many calls are timed.
const TIMED: u32 = 16;

/// As long as no call has ended, a lane waits so long for an answer, in naps of so many
/// nanoseconds.
const UNKNOWN_PATIENCE_NS: u64 = 100_000_000;
const UNKNOWN_NAP_NS: u64 = 50_000;

/// A lane waits about so often as long as a call takes for an answer that another lane has asked
/// for, and then asks as well.
const PATIENCE: u64 = 2;

/// In so many naps each.
const NAPS: u64 = 4;

/// A predicate, and what it has said.
pub(super) struct Separators<F> {
    pub(super) is_separator: F,
    /// There is something here if calls take long, or may.
    slow: Option<Slow>,
}

#[derive(Debug)]
struct Slow {
    answers: Answers,
    /// What the quickest call has taken; `u64::MAX` if none has ended. As the next, a hint
    /// (Relaxed).
    call_ns: AtomicU64,
    /// How many calls are still to be timed.
    untimed: AtomicU32,
    /// Stands for the predicate.
    address: usize,
    clock: Clock,
}

debug_without_closures! { [F] Separators<F> { slow }; }

impl<F> Separators<F> {
    pub(super) fn new(is_separator: F) -> Self {
        Separators { is_separator, slow: None }
    }

    /// Finds out whether it takes long to `ask` about one of `len` items. `address` stands for the
    /// predicate.
    pub(super) fn prepare(&mut self, address: usize, len: usize, ask: impl Fn(&F, usize) -> bool) {
        if len < FEW {
            return;
        }
        let is_known_quick = known(address).is_some_and(|ns| !is_slow(ns));
        self.slow = if len <= FEW_TO_KEEP && !is_known_quick {
            Some(Slow::new(len, address, None))
        } else {
            let found = look(address, len, |index| ask(&self.is_separator, index));
            found.map(|ns| Slow::new(len, address, Some(ns as u64)))
        };
    }

    /// Whether nothing is kept, so that a sequential iterator of the standard library's does as
    /// well.
    pub(super) fn is_quick(&self) -> bool {
        self.slow.is_none()
    }

    /// The first separator in the range: `quick` finds it if calls are quick, else it is asked for
    /// one by one.
    #[inline]
    pub(super) fn first(
        &self,
        range: Range<usize>,
        quick: impl FnOnce(Range<usize>) -> Option<usize>,
        ask: impl Fn(usize) -> bool,
    ) -> Option<usize> {
        match &self.slow {
            None => quick(range),
            Some(slow) => slow.first(range, &ask),
        }
    }
}

impl<F: Clone> Clone for Separators<F> {
    fn clone(&self) -> Self {
        Separators::new(self.is_separator.clone())
    }
}

impl Slow {
    fn new(len: usize, address: usize, call_ns: Option<u64>) -> Self {
        let untimed = AtomicU32::new(if call_ns.is_none() { TIMED } else { 0 });
        let call_ns = AtomicU64::new(call_ns.unwrap_or(u64::MAX));
        Slow { answers: Answers::new(len), call_ns, untimed, address, clock: Clock::new() }
    }

    fn first(&self, range: Range<usize>, ask: &impl Fn(usize) -> bool) -> Option<usize> {
        let mut ahead = range.start;
        range.clone().find(|&index| {
            let mut napped_ns = 0;
            loop {
                match self.answers.begin(index) {
                    Ok(()) => return self.ask(index, ask),
                    Err(Some(answer)) => return answer,
                    Err(None) => {}
                }
                // Another lane has asked. What comes behind must be asked about, too.
                ahead = ahead.max(index + 1);
                match (ahead..range.end).find(|&other| self.answers.begin(other).is_ok()) {
                    Some(other) => {
                        ahead = other + 1;
                        self.ask(other, ask);
                    }
                    None if napped_ns < self.patience_ns() => {
                        ahead = range.end;
                        let nap_ns = self.nap_ns();
                        napped_ns += nap_ns;
                        thread::sleep(Duration::from_nanos(nap_ns));
                    }
                    // The other lane may be held up by what this one holds.
                    None => return ask(index),
                }
            }
        })
    }

    /// How long a lane waits for an answer that another one has asked for.
    fn patience_ns(&self) -> u64 {
        match self.call_ns.load(Ordering::Relaxed) {
            u64::MAX => UNKNOWN_PATIENCE_NS,
            ns => PATIENCE * ns,
        }
    }

    fn nap_ns(&self) -> u64 {
        match self.call_ns.load(Ordering::Relaxed) {
            u64::MAX => UNKNOWN_NAP_NS,
            // At least 1, so that there is an end to them.
            ns => (ns / NAPS).max(1),
        }
    }

    /// Asks about an item, which this lane has claimed.
    fn ask(&self, index: usize, ask: &impl Fn(usize) -> bool) -> bool {
        let panicked = OnDrop(|| self.answers.end(index, None));
        let answer =
            if self.untimed.load(Ordering::Relaxed) > 0 { self.ask_timed(index, ask) } else { ask(index) };
        std::mem::forget(panicked);
        self.answers.end(index, Some(answer));
        answer
    }

    #[cold]
    fn ask_timed(&self, index: usize, ask: &impl Fn(usize) -> bool) -> bool {
        let since = self.clock.now();
        let answer = ask(index);
        self.call_ns.fetch_min(self.clock.ns_between(since, self.clock.now()), Ordering::Relaxed);
        let fewer = |untimed: u32| untimed.checked_sub(1);
        let before = self.untimed.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fewer);
        if before == Ok(1) {
            learn(self.address, self.call_ns.load(Ordering::Relaxed) as f64);
        }
        answer
    }
}
