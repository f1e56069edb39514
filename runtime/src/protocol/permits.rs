//! How many workers of a pool may work for callers, and who checks whether there may be more.
//!
//! # State
//!
//! `word` holds two numbers: `inside`, the number of workers with a permit, and `allowed`, the
//! limit. `inside` exceeds `allowed` for a while after `allowed` was lowered: each worker with a
//! permit gives it up as soon as it can.
//!
//! | transition | who | when |
//! |---|---|---|
//! | [`try_enter`](Permits::try_enter): `inside + 1` | a worker, before it takes up work | `inside < allowed` |
//! | [`leave`](Permits::leave): `inside - 1` | a worker with a permit, when that work is over | |
//! | [`leave_if_over`](Permits::leave_if_over): `inside - 1` | a worker with a permit, between two pieces of that work | `inside > allowed` |
//! | [`allow`](Permits::allow): `allowed` | the lane that has [won the look](Permits::wins_look) | |
//!
//! `next_look` is the time, in nanoseconds, of the next look. The lane that advances it does the
//! look, alone. If the clock went back by more than the interval, `next_look` is set to the new
//! time. Otherwise nobody would look until the clock has caught up.
//!
//! # Orderings
//!
//! All Relaxed: the numbers order nothing. Other protocols publish what a worker finds after it has
//! entered.
//!
//! # Progress
//!
//! Lock-free. Nobody waits here. A worker that gets no permit takes no work, and asks again after a
//! while at the latest, so no wake-up is lost.
//!
//! # Models
//!
//! `permits_models.rs`: no more workers enter than are allowed; exactly the surplus leaves; exactly
//! one lane looks.

use crate::sync::{AtomicU64, Ordering};

/// The words.
#[derive(Debug)]
pub(crate) struct Permits {
    word: AtomicU64,
    next_look: AtomicU64,
}

/// The two halves of the word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) inside: u32,
    pub(crate) allowed: u32,
}

impl Counts {
    fn new(word: u64) -> Self {
        Counts { inside: word as u32, allowed: (word >> 32) as u32 }
    }

    fn word(self) -> u64 {
        u64::from(self.allowed) << 32 | u64::from(self.inside)
    }
}

impl Permits {
    pub(crate) fn new(allowed: u32) -> Self {
        Permits { word: AtomicU64::new(Counts { inside: 0, allowed }.word()), next_look: AtomicU64::new(0) }
    }

    /// Returns the current numbers. A hint.
    pub(crate) fn counts(&self) -> Counts {
        Counts::new(self.word.load(Ordering::Relaxed))
    }

    /// Takes a permit if there is one.
    #[must_use = "a permit must be given back"]
    pub(crate) fn try_enter(&self) -> bool {
        self.step(|Counts { inside, allowed }| {
            (inside < allowed).then_some(Counts { inside: inside + 1, allowed })
        })
    }

    /// Gives a permit back.
    pub(crate) fn leave(&self) {
        self.word.fetch_sub(1, Ordering::Relaxed);
    }

    /// Gives a permit back if there are more than allowed. Returns whether it did.
    #[must_use = "the permit may be gone"]
    pub(crate) fn leave_if_over(&self) -> bool {
        self.step(|Counts { inside, allowed }| {
            (inside > allowed).then(|| Counts { inside: inside - 1, allowed })
        })
    }

    /// Sets the limit.
    pub(crate) fn allow(&self, allowed: u32) {
        self.step(|now| (now.allowed != allowed).then_some(Counts { allowed, ..now }));
    }

    /// Returns whether the caller does the look now. The next look is due after `interval_ns`.
    pub(crate) fn wins_look(&self, now_ns: u64, interval_ns: u64) -> bool {
        let next = self.next_look.load(Ordering::Relaxed);
        let went_back = next > now_ns.saturating_add(interval_ns).saturating_add(interval_ns);
        let then = now_ns.saturating_add(interval_ns);
        (now_ns >= next || went_back)
            && self.next_look.compare_exchange(next, then, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    /// Applies `next` to the word, unless it returns `None`.
    fn step(&self, next: impl Fn(Counts) -> Option<Counts>) -> bool {
        let mut word = self.word.load(Ordering::Relaxed);
        while let Some(then) = next(Counts::new(word)) {
            match self.word.compare_exchange_weak(word, then.word(), Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return true,
                Err(now) => word = now,
            }
        }
        false
    }
}
