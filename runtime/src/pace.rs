//! How many items of a stream are pulled at once, and how many may lie ready: decided from what the last ones took.
//!
//! Items are bundled only while both they and the source are quick, since a bundle keeps its items from idle lanes until these lose patience. One slow item, or one
//! slow answer of the source, and the next few dozen items go one by one.

/// A bundle takes about this long to process: some thirty times what handing it over costs.
const BUNDLE_NS: u64 = 30_000;

/// No bundle has more items than this, however fast they are processed.
const LARGEST_BUNDLE: usize = 4096;

/// Items beside one that takes longer are not bundled.
const LONG_NS: u64 = 50_000;

/// So many bundles of quick items lie ready, so that nobody waits who comes a little early: the sink does not ask by itself.
const STOCK: usize = 2;

/// So many items lie ready where some take long, so that the sink, which does not ask, finds the next long one behind quick ones.
const LONG_STOCK: usize = 8;

/// A source that takes longer to answer is not asked for several items at once.
const SLOW_SOURCE_NS: u64 = 20_000;

/// As many items are remembered as can be in flight, since those that take long tell last; but only so many.
const FEWEST_REMEMBERED: usize = 16;
const MOST_REMEMBERED: usize = 64;

/// At the beginning, so many go one by one.
const UNKNOWN: usize = 4;

/// What takes less than this is not worth handing over.
const TINY_NS: u64 = 3_500;

/// The greatest of the last values.
#[derive(Debug)]
struct Greatest {
    before: u64,
    now: u64,
    left: usize,
    remembered: usize,
}

impl Greatest {
    /// Until something is known: anything may come. Then so many values are remembered, and up to twice as many.
    fn new(remembered: usize) -> Self {
        Greatest { before: u64::MAX, now: 0, left: UNKNOWN, remembered }
    }

    fn note(&mut self, value: u64, times: usize) {
        self.now = self.now.max(value);
        self.left = self.left.saturating_sub(times);
        if self.left == 0 {
            *self = Greatest { before: self.now, now: 0, left: self.remembered, ..*self };
        }
    }

    fn get(&self) -> u64 {
        self.before.max(self.now)
    }
}

/// What is known of a stream's items and its source.
#[derive(Debug)]
pub(crate) struct Pace {
    bundle: usize,
    mean_ns: u64,
    item_ns: Greatest,
    answer_ns: Greatest,
}

impl Pace {
    /// For a stream of which so many items can be in flight.
    pub(crate) fn new(window: usize) -> Self {
        let remembered = window.clamp(FEWEST_REMEMBERED, MOST_REMEMBERED);
        Pace {
            bundle: 1,
            mean_ns: 0,
            item_ns: Greatest::new(remembered),
            answer_ns: Greatest::new(remembered),
        }
    }

    /// How many items are processed, and pulled, at once; at least 1.
    pub(crate) fn bundle(&self) -> usize {
        let quick = self.item_ns.get() <= LONG_NS && self.answer_ns.get() <= SLOW_SOURCE_NS;
        if quick { self.bundle } else { 1 }
    }

    /// How many bundles may lie ready although all lanes are at work. None where the source may take long for the next one.
    pub(crate) fn stock(&self) -> usize {
        match (self.answer_ns.get() <= SLOW_SOURCE_NS, self.item_ns.get() <= LONG_NS) {
            (true, true) => STOCK,
            (true, false) => LONG_STOCK,
            (false, _) => 0,
        }
    }

    /// Whether so many items take so short a time that one lane had better do everything.
    pub(crate) fn are_tiny(&self, items: usize) -> bool {
        self.bundle() > 1 && self.mean_ns.saturating_mul(items as u64) < TINY_NS
    }

    /// So many items, more than 0, were processed in that time.
    pub(crate) fn processed(&mut self, items: usize, ns: u64) {
        let mean = ns / items as u64;
        self.mean_ns = mean;
        // Which of them took long is not known.
        self.item_ns.note(if ns > LONG_NS { ns } else { mean }, items);
        let fitting = BUNDLE_NS.checked_div(mean).unwrap_or(u64::MAX);
        let most = LARGEST_BUNDLE.min(self.bundle.saturating_mul(2));
        self.bundle = usize::try_from(fitting).unwrap_or(most).clamp(1, most);
    }

    /// The source has taken that time for so many items.
    pub(crate) fn asked(&mut self, items: usize, ns: u64) {
        let mean = ns / items.max(1) as u64;
        self.answer_ns.note(if ns > SLOW_SOURCE_NS { ns } else { mean }, items);
    }

    /// One lane has asked for so many items, and processed them.
    pub(crate) fn done_alone(&mut self, items: usize, ns: u64) {
        if items == 0 {
            return;
        }
        self.answer_ns.note(ns / items as u64, items);
        self.processed(items, ns);
    }

    /// A bundle was not over when it was to be.
    pub(crate) fn surprised(&mut self) {
        self.item_ns.note(u64::MAX, 1);
        self.bundle = 1;
    }
}
