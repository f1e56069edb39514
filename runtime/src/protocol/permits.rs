//! How many workers of a pool are at work for callers, and how many may be; and who looks whether
//! there may be more.
//!
//! # State
//!
//! `word` holds two numbers: `inside`, how many workers have a permit, and `allowed`, how many may
//! have one. `inside` may be the greater, after `allowed` was lowered: until then, whoever has a
//! permit and can do without gives it up.
//!
//! | transition | who | when |
//! |---|---|---|
//! | [`try_enter`](Permits::try_enter): `inside + 1` | a worker, before it takes up work | `inside < allowed` |
//! | [`leave`](Permits::leave): `inside - 1` | a worker with a permit, when that work is over | |
//! | [`leave_if_over`](Permits::leave_if_over): `inside - 1` | a worker with a permit, between two pieces of that work | `inside > allowed` |
//! | [`allow`](Permits::allow): `allowed` | whoever has [won the look](Permits::wins_look) | |
//!
//! `next_look` is the time, in nanoseconds, from which on somebody should look. Whoever moves it on
//! does so, alone. A clock that went back by more than the interval is believed, since nobody would
//! look until it has caught up.
//!
//! # Orderings
//!
//! All Relaxed: the numbers order nothing. What a worker finds after it has entered is handed over
//! by other protocols.
//!
//! # Progress
//!
//! Lock-free. Nobody waits here: a worker that gets no permit takes up nothing, and asks again
//! after a while at the latest, so that no wake-up can be lost.
//!
//! # Models
//!
//! `permits_models.rs`: no more enter than are allowed; of those that are too many, just so many
//! leave; one looks.

use crate::sync::{AtomicU64, Ordering};

/// The words.
#[derive(Debug)]
pub(crate) struct Permits {
    word: AtomicU64,
    next_look: AtomicU64,
}

/// What the word says.
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

    /// The numbers, as of a moment ago.
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

    /// Gives a permit back if more are out than there may be. True if it did.
    #[must_use = "the permit may be gone"]
    pub(crate) fn leave_if_over(&self) -> bool {
        self.step(|Counts { inside, allowed }| {
            (inside > allowed).then(|| Counts { inside: inside - 1, allowed })
        })
    }

    /// Sets how many there may be.
    pub(crate) fn allow(&self, allowed: u32) {
        self.step(|now| (now.allowed != allowed).then_some(Counts { allowed, ..now }));
    }

    /// Whether the caller is the one who looks now. `interval_ns` later, somebody does again.
    pub(crate) fn wins_look(&self, now_ns: u64, interval_ns: u64) -> bool {
        let next = self.next_look.load(Ordering::Relaxed);
        let went_back = next > now_ns.saturating_add(interval_ns).saturating_add(interval_ns);
        let then = now_ns.saturating_add(interval_ns);
        (now_ns >= next || went_back)
            && self.next_look.compare_exchange(next, then, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    /// Moves the word on as `next` says, unless it says no.
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
