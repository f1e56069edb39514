//! The chunk policy: sizes from estimates.

use crate::estimate::{Estimate, whole};

/// A worker that expects no long taskels takes the rest of its range whole when it is worth less
/// than this part of the target.
const TAIL: usize = 8;

/// Longer estimates could leave the range of floats when they are multiplied by a number of
/// taskels.
const LONGEST_NS: f64 = 1e18;

/// The constants of the chunk policy, and what is known before the loop starts.
///
/// The default is right for loops on the cores of one machine. No value makes a method panic: what
/// cannot be used is clamped or ignored, as each method says.
///
/// ```
/// use taskel_adaptive::{ChunkConfig, Chunker};
///
/// // An earlier loop at the same place measured 100 ns per taskel.
/// let mut chunker = Chunker::new(ChunkConfig::default().with_estimate_ns(100.0));
/// assert_eq!(chunker.next_chunk(10_000), 10); // a quarter of 4 µs
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ChunkConfig {
    target_ns: u64,
    growth: usize,
    /// 0 for none.
    estimate_ns: f64,
    max_chunk: usize,
    blocks: usize,
    history: History,
}

/// What earlier loops at the same place have shown about how unlike each other their taskels are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum History {
    /// There were none. Chunks are run in blocks at first: as many as 1024 chunks have that take
    /// the target's time, or more.
    #[default]
    Unknown,
    /// No chunk took far longer than expected. Chunks are run in blocks only after one that does.
    Even,
    /// Some chunk took far longer than expected. All chunks are run in blocks.
    Outliers,
}

impl Default for ChunkConfig {
    /// 4 µs per chunk, in 32 blocks; growth by 4, no estimate, no largest chunk.
    fn default() -> Self {
        ChunkConfig {
            target_ns: 4000,
            growth: 4,
            estimate_ns: 0.0,
            max_chunk: usize::MAX,
            blocks: 32,
            history: History::Unknown,
        }
    }
}

impl ChunkConfig {
    /// Sets the time in nanoseconds that a chunk should take; 0 counts as 1.
    ///
    /// A longer target spends less on claims, a shorter one bundles fewer taskels that turn out
    /// long.
    ///
    /// ```
    /// use taskel_adaptive::{ChunkConfig, Chunker};
    /// let mut chunker = Chunker::new(ChunkConfig::default().with_target_ns(500));
    /// chunker.observe(10, 1000);
    /// chunker.next_chunk(1000);
    /// chunker.next_chunk(1000);
    /// assert_eq!(chunker.next_chunk(1000), 5); // 5 taskels of 100 ns
    /// ```
    #[must_use]
    #[inline]
    pub fn with_target_ns(mut self, target_ns: u64) -> Self {
        self.target_ns = target_ns.max(1);
        self
    }

    /// Sets the factor by which a chunk may exceed the one before it after a start or a steal;
    /// below 2 counts as 2.
    ///
    /// ```
    /// use taskel_adaptive::{ChunkConfig, Chunker};
    /// let mut chunker = Chunker::new(ChunkConfig::default().with_growth(10));
    /// assert_eq!(chunker.next_chunk(1000), 1);
    /// chunker.observe(1, 1);
    /// assert_eq!(chunker.next_chunk(999), 10);
    /// ```
    #[must_use]
    #[inline]
    pub fn with_growth(mut self, growth: usize) -> Self {
        self.growth = growth.max(2);
        self
    }

    /// Starts from a time per taskel, in nanoseconds, that earlier calls of the same loop have
    /// learned.
    ///
    /// The first chunk is then about a quarter (1/growth) of what the target holds, instead of one
    /// taskel. A chunk that turns out dearer than the estimate replaces it at once. Cheaper ones do
    /// not for the first 256 chunks: at a place where a few taskels are long and most are short,
    /// the long ones are still to come, and 256 claims more than needed cost less than 10 µs. An
    /// estimate that is not finite or not above 0 is ignored, one beyond 1e18 ns (31 years) counts
    /// as that.
    ///
    /// ```
    /// use taskel_adaptive::{ChunkConfig, Chunker};
    /// let mut chunker = Chunker::new(ChunkConfig::default().with_estimate_ns(1.0));
    /// assert_eq!(chunker.next_chunk(100_000), 1000);
    /// chunker.observe(1000, 2_000_000); // 2 µs each: far dearer than learned
    /// assert_eq!(chunker.next_chunk(99_000), 2);
    /// ```
    #[must_use]
    #[inline]
    pub fn with_estimate_ns(mut self, estimate_ns: f64) -> Self {
        if estimate_ns.is_finite() && estimate_ns > 0.0 {
            self.estimate_ns = estimate_ns.min(LONGEST_NS);
        }
        self
    }

    /// Sets the most taskels that a chunk may hold; 0 counts as 1.
    ///
    /// ```
    /// use taskel_adaptive::{ChunkConfig, Chunker};
    /// let config = ChunkConfig::default().with_estimate_ns(1.0).with_max_chunk(7);
    /// assert_eq!(Chunker::new(config).next_chunk(100_000), 7);
    /// ```
    #[must_use]
    #[inline]
    pub fn with_max_chunk(mut self, max_chunk: usize) -> Self {
        self.max_chunk = max_chunk.max(1);
        self
    }

    /// Sets what earlier loops have shown, on which it depends whether chunks are run in
    /// [blocks](Chunker::block_len).
    #[must_use]
    #[inline]
    pub fn with_history(mut self, history: History) -> Self {
        self.history = history;
        self
    }

    /// Sets how many blocks a chunk has that takes the target's time; 0 counts as 1.
    ///
    /// ```
    /// use taskel_adaptive::{ChunkConfig, Chunker};
    /// let config = ChunkConfig::default().with_estimate_ns(10.0).with_blocks(40);
    /// assert_eq!(Chunker::new(config).block_len(), 10); // 100 ns
    /// ```
    #[must_use]
    #[inline]
    pub fn with_blocks(mut self, blocks: usize) -> Self {
        self.blocks = blocks.max(1);
        self
    }
}

/// For so many chunks a worker trusts what earlier loops have learned, even if its own taskels are
/// cheaper so far.
const TRUSTED: u32 = 256;

/// A worker runs chunks in blocks from one that took far longer than expected, until these were as
/// many blocks as so many chunks have at most: 1 ms of loop, where taskels are short, and some 50
/// µs of what blocks cost.
///
/// It is the blocks that cost something. A chunk of few taskels, for they are long, or for the
/// worker lost its core and the mean is high, has few.
const CAUTIOUS_AFTER_OUTLIER: u64 = 256;

/// The same from the start of a loop of which nothing is known, which happens once.
const CAUTIOUS_AT_FIRST: u64 = 1024;

/// Shorter taskels are not run in blocks: theirs is code that may have been vectorised, which would
/// lose more than long ones among them can be worth, as those would show in the estimate.
const SHORTEST_NS: u64 = 2;

/// One worker's view of one loop: how many taskels to claim next.
///
/// Every worker has a `Chunker` of its own, since cores differ in speed. It asks [`next_chunk`]
/// before it claims from its range, reports with [`observe`] how long the chunk took, and calls
/// [`on_steal`] when its range is one that it has just stolen. All three take a few nanoseconds and
/// no memory.
///
/// The size is `target / estimate`, at most half of the worker's range, so that the other half can
/// be stolen at any moment (a rest worth less than an eighth of the target is taken whole, where no
/// long taskels are to be expected), and at most `grow`, which is 1 at the start and after every
/// steal and quadruples with each chunk: one long taskel among short ones is met alone, not in a
/// bundle. `estimate` is the larger of the mean of all taskels so far and a moving average that
/// rises at once and falls slowly.
///
/// ```
/// use taskel_adaptive::{ChunkConfig, Chunker};
///
/// let mut chunker = Chunker::new(ChunkConfig::default());
/// assert_eq!(chunker.next_chunk(100), 1);
/// chunker.observe(1, 86_400_000_000_000); // a day
/// assert_eq!(chunker.next_chunk(99), 1); // so one at a time
/// ```
///
/// [`next_chunk`]: Chunker::next_chunk
/// [`observe`]: Chunker::observe
/// [`on_steal`]: Chunker::on_steal
#[derive(Clone, Debug)]
pub struct Chunker {
    estimate: Estimate,
    /// `target / estimate`, at most `config.max_chunk`; may be 0. Kept, so that `next_chunk` need
    /// not divide.
    size: usize,
    /// `target / estimate`, whatever the most is that a chunk may hold; may be 0.
    fit: usize,
    /// The most that the next chunk may hold.
    grow: usize,
    /// The most that any of the next `trusted` chunks may hold, from what was known before the
    /// loop.
    prior_size: usize,
    trusted: u32,
    /// For so many blocks more, chunks are run in blocks.
    cautious_blocks: u64,
    met_outlier: bool,
    config: ChunkConfig,
}

impl Chunker {
    /// Starts a worker's loop.
    #[must_use]
    #[inline]
    pub fn new(config: ChunkConfig) -> Self {
        let target_ns = config.target_ns as f64;
        let size = if config.estimate_ns > 0.0 { whole(target_ns / config.estimate_ns) } else { 1 };
        Chunker {
            estimate: Estimate::new(config.estimate_ns),
            size: size.min(config.max_chunk),
            fit: size,
            grow: (size / config.growth).max(1),
            prior_size: size.max(1),
            trusted: if config.estimate_ns > 0.0 { TRUSTED } else { 0 },
            cautious_blocks: match config.history {
                History::Unknown => CAUTIOUS_AT_FIRST.saturating_mul(config.blocks as u64),
                History::Even => 0,
                History::Outliers => u64::MAX,
            },
            met_outlier: false,
            config,
        }
    }

    /// The number of taskels to claim from a range that has `remaining` left: in `1..=remaining`,
    /// and 0 only if `remaining` is 0.
    ///
    /// ```
    /// use taskel_adaptive::{ChunkConfig, Chunker};
    /// let mut chunker = Chunker::new(ChunkConfig::default());
    /// assert_eq!(chunker.next_chunk(7), 1);
    /// assert_eq!(chunker.next_chunk(0), 0);
    /// ```
    #[must_use]
    #[inline]
    pub fn next_chunk(&mut self, remaining: usize) -> usize {
        // Halving a rest worth nanoseconds down to one taskel costs more claims than stealing it
        // could save, unless long ones may be there.
        let takes_rest = self.cautious_blocks == 0 && remaining <= self.size / TAIL;
        let most = if takes_rest { remaining } else { remaining - remaining / 2 };
        let chunk = self.size.min(self.grow).max(1).min(most);
        self.grow = self.grow.saturating_mul(self.config.growth);
        chunk
    }

    /// Reports that `taskels` taskels took `elapsed_ns` nanoseconds together: a chunk, or several
    /// when the caller does not look at the clock after each. Without taskels there is nothing to
    /// learn, and nothing happens.
    ///
    /// Time that the worker spent on other work meanwhile (helping while it waited) does not belong
    /// in here.
    #[inline]
    pub fn observe(&mut self, taskels: usize, elapsed_ns: u64) {
        if taskels == 0 {
            return;
        }
        if self.is_cautious() {
            let blocks = taskels.div_ceil(self.block()).min(self.config.blocks);
            self.cautious_blocks = self.cautious_blocks.saturating_sub(blocks as u64);
        }
        let size = self.estimate.observe(taskels, elapsed_ns, self.config.target_ns as f64);
        self.fit = size;
        self.size = size.min(self.config.max_chunk);
        if self.trusted > 0 {
            self.trusted -= 1;
            self.size = self.size.min(self.prior_size);
        }
    }

    /// Reports that the range has just been stolen: its taskels may be unlike those before, so the
    /// next chunk is one taskel.
    ///
    /// ```
    /// use taskel_adaptive::{ChunkConfig, Chunker};
    /// let mut chunker = Chunker::new(ChunkConfig::default().with_estimate_ns(1.0));
    /// chunker.on_steal();
    /// assert_eq!(chunker.next_chunk(1000), 1);
    /// assert_eq!(chunker.next_chunk(999), 4);
    /// ```
    #[inline]
    pub fn on_steal(&mut self) {
        self.grow = 1;
    }

    /// Reports that a chunk of several taskels takes far longer than expected, so that other
    /// workers wait for its end or have taken a part of it.
    #[cold]
    pub fn on_outlier(&mut self) {
        self.met_outlier = true;
        self.cautious_blocks =
            self.cautious_blocks.max(CAUTIOUS_AFTER_OUTLIER.saturating_mul(self.config.blocks as u64));
    }

    /// Whether any chunk took far longer than expected: what [`History`] is about.
    #[must_use]
    pub fn met_outlier(&self) -> bool {
        self.met_outlier
    }

    /// Whether long taskels may be among short ones, as far as is known: if so, chunks are run in
    /// [blocks](Self::block_len).
    ///
    /// ```
    /// use taskel_adaptive::{ChunkConfig, Chunker, History};
    /// assert!(Chunker::new(ChunkConfig::default()).is_cautious());
    /// assert!(!Chunker::new(ChunkConfig::default().with_history(History::Even)).is_cautious());
    /// ```
    #[must_use]
    #[inline]
    pub fn is_cautious(&self) -> bool {
        self.cautious_blocks > 0
    }

    /// How many taskels to run at a stretch, before the worker publishes how far it has come in its
    /// chunk, so that what is not begun can be taken from it; at least 1.
    ///
    /// A block bundles what a chunk would bundle otherwise: with a 32nd of the target, 125 ns, some
    /// taskels of 50 ns instead of dozens. It costs some nanoseconds (a loop that begins anew, a
    /// store, a load), which is several per cent of so short a time, and more where the compiler
    /// has made vector code. So chunks are run in one block, `usize::MAX`, where [`History`] and
    /// the first chunks of this loop show no taskels that are worth it, and where they take less
    /// than 2 ns.
    ///
    /// ```
    /// use taskel_adaptive::{ChunkConfig, Chunker, History};
    /// let mut chunker = Chunker::new(ChunkConfig::default());
    /// assert_eq!(chunker.block_len(), 1);
    /// chunker.observe(100, 1000);
    /// assert_eq!(chunker.block_len(), 12); // of 10 ns
    ///
    /// let mut chunker = Chunker::new(ChunkConfig::default().with_history(History::Even));
    /// assert_eq!(chunker.block_len(), usize::MAX);
    /// chunker.observe(400, 1_000_000); // 1 ms instead of 4 µs
    /// chunker.on_outlier();
    /// assert_eq!(chunker.block_len(), 1);
    /// ```
    #[must_use]
    #[inline]
    pub fn block_len(&self) -> usize {
        let short = self.fit as u64 > self.config.target_ns / SHORTEST_NS;
        if self.cautious_blocks == 0 || short { usize::MAX } else { self.block() }
    }

    /// How many taskels a block has, if there are any.
    #[inline]
    fn block(&self) -> usize {
        (self.fit / self.config.blocks).max(1)
    }

    /// The estimated time of a taskel in nanoseconds, always finite and above 0; `None` while
    /// nothing is known.
    ///
    /// ```
    /// use taskel_adaptive::{ChunkConfig, Chunker};
    /// let mut chunker = Chunker::new(ChunkConfig::default());
    /// assert_eq!(chunker.estimate_ns(), None);
    /// chunker.observe(10, 1000);
    /// assert_eq!(chunker.estimate_ns(), Some(100.0));
    /// ```
    #[must_use]
    #[inline]
    pub fn estimate_ns(&self) -> Option<f64> {
        self.estimate.per_taskel_ns()
    }
}
