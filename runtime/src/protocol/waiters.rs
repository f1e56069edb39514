//! Which lanes have nothing to do but wait for a source, or for what others have pulled from it.
//!
//! # State
//!
//! All words are written under the mutex of the [feed](crate::feed), and read without it.
//!
//! | word | meaning | read by |
//! |---|---|---|
//! | `awake` | how many wait, and will look at all desks before they do anything else | who pulls several items at once: only while somebody is awake |
//! | `asleep` | how many sleep, or are about to, and nobody has roused | who leaves something on its desk |
//! | `turns` | changes when there may be something to take | who is awake |
//! | `over` | nothing is left, and nothing will come | who would come |
//!
//! A lane is counted as asleep, and as awake no more, *before* it looks at the desks for the last
//! time. One that is roused counts as awake from then on, though it takes a while to come: who
//! holds the source meanwhile pulls several items, and rouses nobody else.
//!
//! # Orderings
//!
//! None of its own. `awake` and `asleep` are ordered by the fences of the [desk](super::desk): who
//! puts something on its desk reads them behind a light fence, and who is about to sleep writes
//! them before its heavy one, behind which it looks at the desks. So it finds what was put there,
//! or is seen. `turns` and `over` are hints: who has not seen them finds out under the mutex.
//!
//! # Progress
//!
//! Nobody waits for these words.
//!
//! # Models
//!
//! `waiters_models.rs`.

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
    // The mutex keeps other writers away.
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

    /// Whether anybody waits.
    #[inline]
    pub(crate) fn any(&self) -> bool {
        self.any_awake() || self.asleep.load(Ordering::Relaxed) > 0
    }

    /// Whether somebody will look at all desks before it does anything else.
    #[inline]
    pub(crate) fn any_awake(&self) -> bool {
        self.awake.load(Ordering::Relaxed) > 0
    }

    /// Rouses a sleeper, if there is one, and something to take for more `lanes` than are awake.
    /// True if somebody is to be woken.
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

    /// It has seen that there may be something.
    pub(crate) fn end(&self) {
        add(&self.awake, 1_u32.wrapping_neg());
    }

    /// It is going to sleep, if it finds nothing on any desk.
    pub(crate) fn fall_asleep(&self) {
        add(&self.asleep, 1);
        self.end();
    }

    /// It has found something, or somebody else rouses it.
    pub(crate) fn wake_up(&self) {
        add(&self.asleep, 1_u32.wrapping_neg());
    }

    /// There may be something to take.
    pub(crate) fn next_turn(&self) {
        add(&self.turns, 1);
    }

    /// A number that has changed by the time that there is something to take.
    pub(crate) fn turn(&self) -> u32 {
        self.turns.load(Ordering::Relaxed)
    }

    /// Nothing is left.
    pub(crate) fn finish(&self) {
        self.over.store(true, Ordering::Relaxed);
    }

    /// Whether who comes would find nothing; a hint.
    #[inline]
    pub(crate) fn are_finished(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }
}
