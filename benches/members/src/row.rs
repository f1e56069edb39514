//! A row of the matrix: a member, what is done with it, and what is expected.

use super::items::Items;
use super::library::ThreadPool;
use std::sync::Arc;

/// One way to have all items run.
pub(crate) struct Row {
    /// The member, as the sources have it; behind ` / `, which of several ways this is.
    pub(crate) name: &'static str,
    pub(crate) expected: Expected,
    /// Is called inside of the pool.
    pub(crate) run: fn(&Arc<Items>, &ThreadPool),
}

/// How many of eight workers must be busy, on average, with each layout of the items.
#[derive(Clone, Copy)]
pub(crate) struct Expected {
    pub(crate) busy: [f64; 3],
    /// Why it is not eight, where it is much less.
    pub(crate) because: &'static str,
}

/// A loop, whose workers begin far from each other.
const LOOP: Expected =
    only([7.0, 5.5, 7.0], "long neighbours are in the share of one worker, until others have done theirs");

/// What any order allows that leaves nobody idle (Graham 1966).
pub(crate) const ANY_ORDER: Expected =
    only([7.0, 5.2, 5.4], "a long item may be begun when all others are done");

/// The same, of halves or groups in each other.
pub(crate) const NESTED: Expected =
    only([6.1, 5.0, 5.0], "who waits for the last item of a group does nothing else");

/// What any order of pairs allows.
pub(crate) const PAIRS: Expected =
    only([7.0, 3.9, 7.0], "two neighbours belong together, also two long ones");

/// Where a reduction's operator takes long.
pub(crate) const TREE: Expected =
    only([4.8, 3.0, 5.4], "what workers have found is combined by a tree of operators");

/// No more than this, and why.
pub(crate) const fn only(busy: [f64; 3], because: &'static str) -> Expected {
    Expected { busy, because }
}

pub(crate) const fn row(name: &'static str, run: fn(&Arc<Items>, &ThreadPool)) -> Row {
    Row { name, expected: LOOP, run }
}

impl Row {
    pub(crate) const fn expect(self, expected: Expected) -> Row {
        Row { expected, ..self }
    }
}
