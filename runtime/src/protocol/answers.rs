//! Caches the answers of a slow predicate. Lanes that search for the same item need not both wait
//! for the same answers.
//!
//! # State
//!
//! A byte for each item:
//!
//! | state | meaning | who leaves it |
//! |---|---|---|
//! | `UNKNOWN` | nobody has asked | any lane, to `ASKED` |
//! | `ASKED` | a lane calls the predicate | that lane, to `NO` or `YES`; to `UNKNOWN` if the call panicked |
//! | `NO`, `YES` | the answer | nobody |
//!
//! # Orderings
//!
//! All are Relaxed. The byte carries no other data, and the items exist before the loop starts.
//!
//! # Progress
//!
//! Wait-free. A lane that needs an answer which another lane is still computing may call the
//! predicate itself and use its own result.
//!
//! # Models
//!
//! `answers_models.rs`: two lanes ask about the same items. Each item is asked about once, and both
//! lanes see the same answers.

use crate::sync::{AtomicU8, Ordering};

const UNKNOWN: u8 = 0;
const ASKED: u8 = 1;
const NO: u8 = 2;
const YES: u8 = 3;

#[derive(Debug)]
pub(crate) struct Answers(Box<[AtomicU8]>);

impl Answers {
    /// Creates a table for `len` items, all unknown.
    pub(crate) fn new(len: usize) -> Self {
        Answers((0..len).map(|_| AtomicU8::new(UNKNOWN)).collect())
    }

    /// Claims the question about an item. The caller must then call [`end`](Answers::end). If the
    /// question was claimed before, returns the answer if it is known.
    pub(crate) fn begin(&self, index: usize) -> Result<(), Option<bool>> {
        match self.0[index].compare_exchange(UNKNOWN, ASKED, Ordering::Relaxed, Ordering::Relaxed) {
            Ok(_) => Ok(()),
            Err(ASKED) => Err(None),
            Err(answer) => Err(Some(answer == YES)),
        }
    }

    /// Records the answer. `None` means that the call panicked.
    pub(crate) fn end(&self, index: usize, answer: Option<bool>) {
        let state = match answer {
            None => UNKNOWN,
            Some(false) => NO,
            Some(true) => YES,
        };
        self.0[index].store(state, Ordering::Relaxed);
    }
}
