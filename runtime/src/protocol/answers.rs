//! What a slow predicate says of items, so that lanes that look for the same item do not both wait
//! for the same answers.
//!
//! # State
//!
//! A byte for each item:
//!
//! | state | meaning | who leaves it |
//! |---|---|---|
//! | `UNKNOWN` | nobody has asked | any lane, for `ASKED` |
//! | `ASKED` | a lane calls the predicate | that lane, for `NO` or `YES`; for `UNKNOWN` if the call panicked |
//! | `NO`, `YES` | the answer | nobody |
//!
//! # Orderings
//!
//! All are Relaxed: the byte is all that is said, and the items were there before the loop.
//!
//! # Progress
//!
//! Nobody has to wait: a lane that needs an answer for which another one has asked may call the
//! predicate itself, too, and keep to its own answer.
//!
//! # Models
//!
//! `answers_models.rs`: two lanes ask about the same items, each of which is asked about once, and
//! see the same answers.

use crate::sync::{AtomicU8, Ordering};

const UNKNOWN: u8 = 0;
const ASKED: u8 = 1;
const NO: u8 = 2;
const YES: u8 = 3;

#[derive(Debug)]
pub(crate) struct Answers(Box<[AtomicU8]>);

impl Answers {
    /// For so many items.
    pub(crate) fn new(len: usize) -> Self {
        Answers((0..len).map(|_| AtomicU8::new(UNKNOWN)).collect())
    }

    /// Claims the question about an item, which is to be [ended](Answers::end); or else tells the
    /// answer, if it is known.
    pub(crate) fn begin(&self, index: usize) -> Result<(), Option<bool>> {
        match self.0[index].compare_exchange(UNKNOWN, ASKED, Ordering::Relaxed, Ordering::Relaxed) {
            Ok(_) => Ok(()),
            Err(ASKED) => Err(None),
            Err(answer) => Err(Some(answer == YES)),
        }
    }

    /// Notes the answer, or that there was none.
    pub(crate) fn end(&self, index: usize, answer: Option<bool>) {
        let state = match answer {
            None => UNKNOWN,
            Some(false) => NO,
            Some(true) => YES,
        };
        self.0[index].store(state, Ordering::Relaxed);
    }
}
