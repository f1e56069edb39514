//! The search for separators with a user's predicate.
//!
//! Lanes look for a cut at either end of each chunk, and then for the cuts in between. If parts are
//! long, many lanes look for the same cut. With a quick predicate, that costs little. The answers
//! of a slow predicate are kept for all lanes, and lanes that look for the same cut share the
//! calls.

use std::ops::Range;
use std::thread;
use std::time::Duration;

use crate::iter::adapter::debug_without_closures;
use crate::policy::look::look;
use crate::protocol::answers::Answers;
use crate::sched::unwind::OnDrop;

/// In fewer items, nobody looks whether the predicate is slow: each is asked about by itself, at
/// the ends of chunks.
const FEW: usize = 4;

/// A lane waits about so often as long as a call takes for an answer that another lane has asked
/// for, and then asks as well.
const PATIENCE: u32 = 2;

/// In so many naps each.
const NAPS: u32 = 4;

/// A predicate, and what it has said.
pub(super) struct Separators<F> {
    pub(super) is_separator: F,
    /// There is something here if calls take long.
    slow: Option<Slow>,
}

#[derive(Debug)]
struct Slow {
    answers: Answers,
    nap: Duration,
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
        self.slow = look(address, len, |index| ask(&self.is_separator, index)).map(|ns| {
            let nap = Duration::from_nanos(ns as u64) / NAPS;
            Slow { answers: Answers::new(len), nap }
        });
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
    fn first(&self, range: Range<usize>, ask: &impl Fn(usize) -> bool) -> Option<usize> {
        let mut ahead = range.start;
        range.clone().find(|&index| {
            let mut naps = PATIENCE * NAPS;
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
                    None if naps > 0 => {
                        ahead = range.end;
                        naps -= 1;
                        thread::sleep(self.nap);
                    }
                    // The other lane may be held up by what this one holds.
                    None => return ask(index),
                }
            }
        })
    }

    /// Asks about an item, which this lane has claimed.
    fn ask(&self, index: usize, ask: &impl Fn(usize) -> bool) -> bool {
        let panicked = OnDrop(|| self.answers.end(index, None));
        let answer = ask(index);
        std::mem::forget(panicked);
        self.answers.end(index, Some(answer));
        answer
    }
}
