//! Which lanes only wait: for a source, or for what other lanes have pulled from it.
//!
//! # State
//!
//! All words are written under the mutex of the [feed](crate::feed), and also read without it.
//!
//! | word | meaning | read by |
//! |---|---|---|
//! | `awake` | how many lanes wait and will look at all desks before they do anything else | a lane at the source: it pulls several items at once only while another lane is awake |
//! | `asleep` | how many lanes sleep, or are about to, and have not been roused | a lane that leaves an item on its desk |
//! | `turns` | changes when there may be something to take | a lane that is awake |
//! | `over` | nothing is left, and nothing will come | a lane that would come |
//!
//! A lane is counted as asleep, and no longer as awake, *before* it looks at the desks for the last
//! time. A roused lane counts as awake at once, though it takes a while to arrive. Meanwhile the
//! lane at the source pulls several items, and rouses no other lane.
//!
//! # Orderings
//!
//! None of its own. The fences of the [desk](super::desk) order `awake` and `asleep`. A lane that
//! puts an item on its desk reads them after a light fence. A lane that is about to sleep writes
//! them before its heavy fence, and looks at the desks after it. So it finds the item, or it is
//! seen. `turns` and `over` are hints: a lane that has not seen them finds out under the mutex.
//!
//! # Progress
//!
//! No lane waits for these words.
//!
//! # Models
//!
//! `waiters_models.rs`: a whole feed.

use crate::sync::{AtomicBool, AtomicU32, Ordering};

/// The words.
#[derive(Debug)]
pub(crate) struct Waiters {
    awake: AtomicU32,
    asleep: AtomicU32,
    turns: AtomicU32,
    over: AtomicBool,
}

fn add(word: &AtomicU32, n: u32) {
    // The mutex excludes other writers.
    word.store(word.load(Ordering::Relaxed).wrapping_add(n), Ordering::Relaxed);
}

impl Waiters {
    pub(crate) fn new() -> Self {
        Waiters {
            awake: AtomicU32::new(0),
            asleep: AtomicU32::new(0),
            turns: AtomicU32::new(0),
            over: AtomicBool::new(false),
        }
    }

    /// Returns whether any lane waits.
    #[inline]
    pub(crate) fn any(&self) -> bool {
        self.any_awake() || self.asleep.load(Ordering::Relaxed) > 0
    }

    /// Returns whether a lane is awake, and so looks at all desks before it does anything else.
    #[inline]
    pub(crate) fn any_awake(&self) -> bool {
        self.awake.load(Ordering::Relaxed) > 0
    }

    /// Rouses a sleeper if there is one, and if fewer than `lanes` are awake. Returns true if the
    /// caller must wake a thread.
    #[must_use]
    pub(crate) fn rouse(&self, lanes: u32) -> bool {
        let too_few = self.asleep.load(Ordering::Relaxed) > 0 && self.awake.load(Ordering::Relaxed) < lanes;
        if too_few {
            self.wake_up();
            self.begin();
        }
        too_few
    }

    /// A lane begins to wait, awake.
    pub(crate) fn begin(&self) {
        add(&self.awake, 1);
    }

    /// The lane has seen that there may be something to take.
    pub(crate) fn end(&self) {
        add(&self.awake, 1_u32.wrapping_neg());
    }

    /// The lane goes to sleep unless it finds an item on a desk.
    pub(crate) fn fall_asleep(&self) {
        add(&self.asleep, 1);
        self.end();
    }

    /// The lane has found something, or another lane rouses it.
    pub(crate) fn wake_up(&self) {
        add(&self.asleep, 1_u32.wrapping_neg());
    }

    /// Records that there may be something to take.
    pub(crate) fn next_turn(&self) {
        add(&self.turns, 1);
    }

    /// Returns a number that changes when there may be something to take.
    pub(crate) fn turn(&self) -> u32 {
        self.turns.load(Ordering::Relaxed)
    }

    /// Records that nothing is left.
    pub(crate) fn finish(&self) {
        self.over.store(true, Ordering::Relaxed);
    }

    /// Returns whether a lane that comes now finds nothing. A hint.
    #[inline]
    pub(crate) fn are_finished(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }
}
