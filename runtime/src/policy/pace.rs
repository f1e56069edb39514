//! Decides how many items of a stream are pulled at once, and how many may be ready, from the times
//! of the last ones.
//!
//! Items are bundled only while both they and the source are quick, because a bundle keeps its
//! items from idle lanes until these lose patience. After an item or an answer of the source that
//! took long, the next items go one by one. This goes on until it has cost as much as the long one
//! did, because the long one may have been a disturbance.

/// A bundle takes about this long to process: some thirty times what handing it over costs.
const BUNDLE_NS: u64 = 30_000;

/// No bundle has more items than this, however fast they are processed.
const LARGEST_BUNDLE: usize = 4096;

/// Items beside one that takes longer are not bundled.
const LONG_NS: u64 = 50_000;

/// How many bundles of quick items are ready, so that a lane that comes a little early need not
/// wait: the sink does not ask by itself.
const STOCK: usize = 2;

/// How many items are ready if some take long, so that the sink, which does not ask, finds the next
/// long one behind quick ones.
const LONG_STOCK: usize = 8;

/// A source that takes longer to answer is not asked for several items at once.
const SLOW_SOURCE_NS: u64 = 20_000;

/// One more item goes by itself for each time that a long one took so long: about what handing it
/// over costs more.
const APART_NS: u64 = 2_000;

/// No more than this go one by one after a long one: several for each long one that is being
/// processed, since those tell last.
const MOST_APART: usize = 256;

/// After this many long items without a quick one between them, there count as no more quick ones.
const LATELY: usize = 16;

/// How many items go one by one at the beginning.
const UNKNOWN: usize = 4;

/// What takes less than this is not worth handing over.
const TINY_NS: u64 = 3_500;

/// How long something takes.
#[derive(Debug)]
struct Measured {
    /// On average, lately.
    mean_ns: u64,
    /// What takes longer is long.
    long_ns: u64,
    /// How many of the next items may be long.
    doubtful: usize,
    /// Falls with each one that was long, and starts again with one that was not.
    quick_lately: usize,
}

impl Measured {
    fn new(long_ns: u64) -> Self {
        Measured { mean_ns: 0, long_ns, doubtful: UNKNOWN, quick_lately: 0 }
    }

    /// Records that this many items took that time. False if one of them was long, and it is not
    /// known which one.
    fn note(&mut self, count: usize, ns: u64) -> bool {
        let others = self.mean_ns.saturating_mul(count as u64 - 1);
        self.note_longest(count, ns, ns.saturating_sub(others))
    }

    /// The same, where it is known what the longest took.
    fn note_longest(&mut self, count: usize, ns: u64, longest: u64) -> bool {
        let quick = longest <= self.long_ns;
        if quick {
            self.mean_ns = ns / count as u64;
            self.doubtful = self.doubtful.saturating_sub(count);
            self.quick_lately = LATELY;
        } else {
            self.doubt(longest);
            self.quick_lately = self.quick_lately.saturating_sub(1);
        }
        quick
    }

    /// Something took that long.
    fn doubt(&mut self, ns: u64) {
        let next = usize::try_from(ns / APART_NS).unwrap_or(usize::MAX).min(MOST_APART);
        self.doubtful = self.doubtful.max(next);
    }

    fn is_quick(&self) -> bool {
        self.doubtful == 0
    }
}

/// What is known of a stream's items and its source.
#[derive(Debug)]
pub(crate) struct Pace {
    bundle: usize,
    items: Measured,
    answers: Measured,
}

impl Pace {
    pub(crate) fn new() -> Self {
        Pace { bundle: 1, items: Measured::new(LONG_NS), answers: Measured::new(SLOW_SOURCE_NS) }
    }

    /// How many items are processed, and pulled, at once; at least 1.
    pub(crate) fn bundle(&self) -> usize {
        if self.items.is_quick() && self.answers.is_quick() { self.bundle } else { 1 }
    }

    /// How many bundles may lie ready although all lanes are at work. None where the source may
    /// take long for the next one.
    pub(crate) fn stock(&self) -> usize {
        match (self.answers.is_quick(), self.items.is_quick()) {
            (true, true) => STOCK,
            (true, false) => LONG_STOCK,
            (false, _) => 0,
        }
    }

    /// Whether there are quick items, perhaps between long ones, and the source is quick.
    pub(crate) fn has_quick(&self) -> bool {
        self.answers.is_quick() && self.items.quick_lately > 0
    }

    /// Whether this many items take so little time that one lane should do everything.
    pub(crate) fn are_tiny(&self, items: usize) -> bool {
        self.bundle() > 1 && self.items.mean_ns.saturating_mul(items as u64) < TINY_NS
    }

    /// Records that this many items, more than 0, were processed in that time.
    pub(crate) fn processed(&mut self, items: usize, ns: u64) {
        if self.items.note(items, ns) {
            let fitting = BUNDLE_NS.checked_div(self.items.mean_ns).unwrap_or(u64::MAX);
            let most = LARGEST_BUNDLE.min(self.bundle.saturating_mul(2));
            self.bundle = usize::try_from(fitting).unwrap_or(most).clamp(1, most);
        }
    }

    /// Records that the source has taken that time for this many items; for none, if it has ended.
    pub(crate) fn asked(&mut self, items: usize, ns: u64) {
        self.answers.note(items.max(1), ns);
    }

    /// Records that one lane has asked for this many items, and processed them.
    pub(crate) fn done_alone(&mut self, items: usize, ns: u64) {
        if items > 0 {
            // How much of it the source took is not known.
            self.answers.note_longest(items, ns, ns / items as u64);
            self.processed(items, ns);
        }
    }

    /// A bundle was not over when it was to be, after that time.
    pub(crate) fn met_outlier(&mut self, ns: u64) {
        self.items.doubt(ns);
    }
}
