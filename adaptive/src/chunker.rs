//! The chunk policy: it computes sizes from estimates.

use crate::estimate::{Estimate, whole};

/// A worker that expects no long taskels takes the whole rest of its range if the rest is worth
/// less than this fraction of the target.
const TAIL: usize = 8;

/// With a longer estimate, the product with a number of taskels could overflow a float.
const LONGEST_NS: f64 = 1e18;

/// The constants of the chunk policy, and what is known before the loop starts.
///
/// The default is right for loops on the cores of one machine. No value makes a method panic.
/// Invalid values are clamped or ignored, as each method says.
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

/// How uneven the taskels were in earlier loops at the same place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum History {
    /// There were no earlier loops. Chunks run in blocks at first, until as many blocks have run as
    /// 1024 full chunks have.
    #[default]
    Unknown,
    /// No chunk took far longer than expected. Chunks run in blocks only after one that does.
    Even,
    /// Some chunk took far longer than expected. All chunks run in blocks.
    Outliers,
}

impl Default for ChunkConfig {
    /// 4 µs per chunk, in 32 blocks; growth by 4; no estimate; no largest chunk.
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
    /// Sets the time in nanoseconds that a chunk should take. 0 counts as 1.
    ///
    /// With a longer target, less time goes into claims. With a shorter one, fewer taskels that
    /// turn out long are in one chunk.
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

    /// Sets the factor by which a chunk may exceed the previous one after a start or a steal.
    /// Values below 2 count as 2.
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
    /// measured.
    ///
    /// The first chunk is then about a quarter (1/growth) of what fits into the target, instead of
    /// one taskel. If a chunk turns out more expensive than the estimate, it replaces the estimate
    /// at once. If chunks turn out cheaper, this has no effect for the first 256 chunks. At a place
    /// where a few taskels are long and most are short, the long ones may still come, and 256
    /// unnecessary claims cost less than 10 µs. An estimate that is not finite or not above 0 is
    /// ignored. An estimate beyond 1e18 ns (31 years) counts as 1e18 ns.
    ///
    /// ```
    /// use taskel_adaptive::{ChunkConfig, Chunker};
    /// let mut chunker = Chunker::new(ChunkConfig::default().with_estimate_ns(1.0));
    /// assert_eq!(chunker.next_chunk(100_000), 1000);
    /// chunker.observe(1000, 2_000_000); // 2 µs each: far more than estimated
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

    /// Sets the largest number of taskels in a chunk. 0 counts as 1.
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

    /// Sets what earlier loops have shown. This decides whether chunks run in
    /// [blocks](Chunker::block_len).
    #[must_use]
    #[inline]
    pub fn with_history(mut self, history: History) -> Self {
        self.history = history;
        self
    }

    /// Sets how many blocks a chunk has if it takes the target time. 0 counts as 1.
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

/// For this many chunks, a worker trusts the estimate of earlier loops, even if its own taskels are
/// cheaper so far.
const TRUSTED: u32 = 256;

/// After a chunk that took far longer than expected, a worker runs chunks in blocks, until as many
/// blocks have run as this many full chunks have. With short taskels this is 1 ms of the loop, and
/// the blocks cost about 50 µs.
///
/// Blocks are counted, because they cause the cost. A chunk has few taskels, and so few blocks, if
/// its taskels are long, or if the worker lost its core and the mean is high.
const CAUTIOUS_AFTER_OUTLIER: u64 = 256;

/// The same at the start of a loop without history, which happens once.
const CAUTIOUS_AT_FIRST: u64 = 1024;

/// Shorter taskels do not run in blocks. Their code may be vectorised, which would lose more than
/// long taskels among them could cost, because those would show in the estimate.
const SHORTEST_NS: u64 = 2;

/// One worker's view of one loop: it decides how many taskels to claim next.
///
/// Every worker has its own `Chunker`, because cores differ in speed. The worker calls
/// [`next_chunk`] before it claims from its range, reports to [`observe`] how long the chunk took,
/// and calls [`on_steal`] after it has stolen its range. All three take a few nanoseconds and do
/// not allocate.
///
/// The size is `target / estimate`, with two limits. It is at most half of the worker's range, so
/// the other half can be stolen at any time. (If no long taskels are expected, a rest worth less
/// than an eighth of the target is taken whole.) And it is at most `grow`, which is 1 at the start
/// and after every steal, and quadruples with each chunk. So a long taskel among short ones is met
/// alone, not in a large chunk. `estimate` is the larger of the mean of all taskels so far and a
/// moving average that rises at once and falls slowly.
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
    /// `target / estimate`, at most `config.max_chunk`; may be 0. Stored so that `next_chunk` need
    /// not divide.
    size: usize,
    /// `target / estimate`, without that limit; may be 0.
    fit: usize,
    /// The largest size of the next chunk.
    grow: usize,
    /// The largest size of the next `trusted` chunks, from the estimate before the loop.
    prior_size: usize,
    trusted: u32,
    /// How many more blocks until chunks stop running in blocks.
    cautious_blocks: u64,
    met_outlier: bool,
    config: ChunkConfig,
}

impl Chunker {
    /// Creates a worker's view at the start of a loop.
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

    /// Returns how many taskels to claim from a range with `remaining` taskels: 1 to `remaining`,
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
        // Halving a rest of a few nanoseconds down to one taskel costs more claims than a steal
        // could save, unless long taskels may be there.
        let takes_rest = self.cautious_blocks == 0 && remaining <= self.size / TAIL;
        let most = if takes_rest { remaining } else { remaining - remaining / 2 };
        let chunk = self.size.min(self.grow).max(1).min(most);
        self.grow = self.grow.saturating_mul(self.config.growth);
        chunk
    }

    /// Reports that `taskels` taskels together took `elapsed_ns` nanoseconds: one chunk, or several
    /// if the caller does not read the clock after each. Without taskels, this does nothing.
    ///
    /// Do not include time that the worker spent on other work meanwhile (helping while it waited).
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

    /// Reports that the range was just stolen. Its taskels may differ from the earlier ones, so the
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

    /// Returns whether any chunk took far longer than expected; see [`History`].
    #[must_use]
    pub fn met_outlier(&self) -> bool {
        self.met_outlier
    }

    /// Returns whether long taskels may be among short ones, as far as is known. If so, chunks run
    /// in [blocks](Self::block_len).
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

    /// Returns how many taskels to run before the worker publishes its progress in the chunk, at
    /// least 1. Other workers can then take what has not begun.
    ///
    /// A block keeps fewer taskels together than a chunk: a 32nd of the target, 125 ns, is a few
    /// taskels of 50 ns instead of dozens. It costs a few nanoseconds (a restarted loop, a store, a
    /// load). This is several percent of such a short time, and more if the compiler has vectorised
    /// the loop. So chunks run as one block, `usize::MAX`, in two cases: if [`History`] and the
    /// first chunks of this loop show no taskels that are worth it, and if taskels take less than 2
    /// ns.
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

    /// Returns the size of a block, if chunks run in blocks.
    #[inline]
    fn block(&self) -> usize {
        (self.fit / self.config.blocks).max(1)
    }

    /// Returns the estimated time of a taskel in nanoseconds, always finite and above 0, or `None`
    /// while nothing is known.
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
